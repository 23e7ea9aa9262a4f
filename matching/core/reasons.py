"""Why a line is met or not: criterion, asked, found, margin. Plain dicts that a person's words are made from later."""

from typing import Any

import numpy as np

from .problem import CRITERIA, BoolArray, FloatArray, IntArray, Pairs

Reason = dict[str, Any]

# What is asked and found per criterion: attributes of Pairs, and the unit the margin is in.
FIGURES: dict[str, tuple[str, str, str]] = {
    "distance": ("limit_m", "distance_m", "m"),
    "height": ("height_min_m", "height_m", "m"),
    "bore": ("bore_asked_mm", "bore_mm", "mm"),
    "quantity": ("quantity_asked", "quantity_free", "unit"),
    "power": ("kw_asked", "kw_free", "kw"),
    "price": ("ceiling_fen", "cost_fen", "fen"),
    "dates": ("days_late", "days_late", "days"),
}
RELAXABLE = ("distance", "price", "quantity", "power", "height", "bore", "dates", "sector", "sharing_mode")


def _number(value: float) -> float | None:
    return None if not np.isfinite(value) else round(float(value), 2)


def criterion_reason(pairs: Pairs, margin: FloatArray, pair: int, name: str) -> Reason:
    """One criterion of one pair: {"criterion", "ok", "asked", "found", "margin", "unit"}, None: not asked or known."""
    row = CRITERIA.index(name)
    value = float(margin[row, pair])
    reason: Reason = {"criterion": name, "ok": value >= -1e-9, "margin": _number(value)}
    if name in FIGURES:
        asked, found, unit = FIGURES[name]
        reason |= {
            "asked": _number(getattr(pairs, asked)[pair]),
            "found": _number(getattr(pairs, found)[pair]),
            "unit": unit,
        }
    if name == "height" and np.isfinite(pairs.height_max_m[pair]):
        reason["asked_max"] = _number(pairs.height_max_m[pair])
    return reason


def of_pair(pairs: Pairs, margin: FloatArray, pair: int) -> list[Reason]:
    """Every criterion of a pair that was asked, failed ones first."""
    asked = [name for row, name in enumerate(CRITERIA) if margin[row, pair] != np.inf]
    reasons = [criterion_reason(pairs, margin, pair, name) for name in asked]
    return sorted(reasons, key=lambda reason: reason["ok"])


def of_unmet(pairs: Pairs, margin: FloatArray, ok: BoolArray, members: IntArray) -> dict[str, Any]:
    """Why a line none of whose pairs (members) was chosen is unmet.

    {"binding": code, "nearest": pair or None, "relaxations": [{"criterion", "pair", "delta"}],
     "failing": {criterion: how many pairs fail it}}

    binding: "no_supply" (nothing of the kind within reach), "contended" (something fits, and went to other
    lines), or the criterion that fails on the nearest of the pairs failing fewest.
    nearest: that pair. relaxations: per criterion that alone stands in the way somewhere, the pair with the
    smallest step over it; delta in the criterion's unit.
    """
    if not len(members):
        return {"binding": "no_supply", "nearest": None, "relaxations": [], "failing": {}}
    fails = ~ok[:, members]
    count = fails.sum(axis=0)
    order = np.lexsort((members, pairs.distance_m[members], count))
    nearest = int(members[order[0]])
    failing = {CRITERIA[row]: int(fails[row].sum()) for row in np.flatnonzero(fails.any(axis=1))}
    if count[order[0]] == 0:
        return {"binding": "contended", "nearest": nearest, "relaxations": [], "failing": failing}
    missed = [CRITERIA[row] for row in np.flatnonzero(fails[:, order[0]])]
    binding = next(
        (name for name in ("quantity", "price", "height", "bore", "power", "distance") if name in missed), missed[0]
    )
    relaxations = []
    for name in RELAXABLE:
        row = CRITERIA.index(name)
        alone = members[(count == 1) & fails[row]]
        if name == "quantity":
            alone = alone[pairs.quantity_free[alone] >= 1]  # asking for nothing is no way to be served
        if len(alone):
            best = int(alone[np.argmax(margin[row, alone])])
            delta = _number(-margin[row, best])
            if delta is not None:
                relaxations.append({"criterion": name, "pair": best, "delta": delta})
    return {"binding": binding, "nearest": nearest, "relaxations": relaxations, "failing": failing}
