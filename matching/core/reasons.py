"""Why a line is unmet, which smallest step would meet it, and what else would serve one. told.py packs what is told."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .problem import CRITERIA, BoolArray, FloatArray, IntArray, Pairs

RELAXABLE = (
    "distance",
    "price",
    "quantity",
    "room",
    "power",
    "height",
    "bore",
    "cable",
    "dates",
    "sector",
    "sharing_mode",
    "papers",
)
BINDING_ORDER = (
    "quantity",
    "price",
    "height",
    "bore",
    "cable",
    "room",
    "power",
    "distance",
)  # of several that fail, the one named


@dataclass(frozen=True)
class Unmet:
    """Why lines are unmet, per line of the run (−1: nothing to tell; for lines that are met too).

    binding: index into BINDINGS. nearest: pair. steps: criterion → pair with the smallest step over it when it alone
    stands in the way; step sizes in the criterion's unit.
    """

    binding: IntArray
    nearest: IntArray
    steps: Mapping[str, tuple[IntArray, FloatArray]]


BINDINGS = ("no_supply", "contended", *CRITERIA)


def unmet(line_count: int, pairs: Pairs, margin: FloatArray, left_margin: FloatArray, is_unmet: BoolArray) -> Unmet:
    """margin: (criteria, m) against what was free before the run; left_margin: against what it left over.

    binding: "no_supply" (nothing of the kind within reach), "contended" (something fits, and went to other lines), or
    the criterion that fails on the nearest of the pairs failing fewest. The steps are over what was left over.
    """
    rows = np.flatnonzero(is_unmet[pairs.line])
    binding = np.where(is_unmet, 0, -1)
    nearest = np.full(line_count, -1, dtype=np.int64)
    fails = margin[:, rows] < -1e-9
    count = fails.sum(axis=0)
    order = np.lexsort((rows, pairs.distance_m[rows], count, pairs.line[rows]))
    line = pairs.line[rows][order]
    first = order[np.flatnonzero(np.r_[True, np.diff(line) != 0])] if len(line) else order
    nearest[pairs.line[rows[first]]] = rows[first]
    code = np.full(len(first), 1)
    undecided = count[first] > 0
    for name in (*BINDING_ORDER, *CRITERIA):
        hit = undecided & fails[CRITERIA.index(name), first]
        code[hit] = BINDINGS.index(name)
        undecided &= ~hit
    binding[pairs.line[rows[first]]] = code
    left_fails = left_margin[:, rows] < -1e-9
    alone = left_fails.sum(axis=0) == 1
    steps: dict[str, tuple[IntArray, FloatArray]] = {}
    for name in RELAXABLE:
        number = CRITERIA.index(name)
        can = alone & left_fails[number] & np.isfinite(left_margin[number, rows])
        if name == "quantity":
            can &= pairs.quantity_asked[rows] + left_margin[number, rows] >= 1  # asking for nothing is no way out
        if name == "cable":
            can &= pairs.cable_mm[rows] > 0  # no free bore at all: no thinner cable helps
        if name == "room":
            can &= pairs.room_asked[rows] + left_margin[number, rows] >= 1
        at = rows[can]
        best = np.full(line_count, -1, dtype=np.int64)
        size = np.full(line_count, np.nan)
        by = np.lexsort((at, -left_margin[number, at], pairs.line[at]))
        at = at[by]
        head = at[np.flatnonzero(np.r_[True, np.diff(pairs.line[at]) != 0])] if len(at) else at
        best[pairs.line[head]] = head
        size[pairs.line[head]] = np.round(-left_margin[number, head], 2)
        steps[name] = (best, size)
    return Unmet(binding, nearest, steps)


def alternatives(
    pairs: Pairs, resource: IntArray, score: FloatArray, fits: BoolArray, chosen: IntArray, most: int
) -> IntArray:
    """Pairs of the best other resources that meet every hard criterion, at most `most` per line, best first by line.

    Pairs are by line, and those of a line and a resource stand together. resource: (m,) which resource a pair's pool
    belongs to; chosen: (lines,) pair given to the line, −1 none.
    """
    taken = np.where(chosen >= 0, resource[np.maximum(chosen, 0)] if len(resource) else -1, -1)
    rows = np.flatnonzero(fits & (resource != taken[pairs.line]))
    parts: list[IntArray] = []
    for _ in range(most):
        if not len(rows):
            break
        line, of, value = pairs.line[rows], resource[rows], score[rows]
        is_new = np.r_[True, np.diff(line) != 0]
        nth = np.cumsum(is_new) - 1
        hit = np.flatnonzero(value == np.maximum.reduceat(value, np.flatnonzero(is_new))[nth])
        best = hit[np.r_[True, np.diff(nth[hit]) != 0]]  # of equal ones the first
        parts.append(rows[best])
        rows = rows[of != of[best][nth]]
    if not parts:
        return np.zeros(0, dtype=np.int64)
    found = np.concatenate(parts)
    result: IntArray = found[np.argsort(pairs.line[found], kind="stable")]
    return result
