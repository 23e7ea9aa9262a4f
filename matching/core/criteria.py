"""Which pairs are possible, by how much, and how good they are."""

import numpy as np

from .problem import CRITERIA, BoolArray, FloatArray, IntArray, Pairs, Weights

PRIORITY_BONUS = {1: 2.0, 2: 1.0, 3: 0.0}  # of two lines that ask alike the higher goes first, whatever the scores
CHUNK = 200_000
USUAL_ANSWER_DAYS = 10.0  # the default clock of the completeness check (domain, section 5)


def margins(pairs: Pairs) -> FloatArray:
    """(len(CRITERIA), m): how far each pair is inside (≥ 0) or outside (< 0) each hard criterion.

    In the criterion's own unit: m, units, kW, mm, days, fen. Yes/no criteria give 0 or −1. What was not
    asked, or not known where not knowing does no harm (price to be negotiated), gives +inf.
    A height, bore, cable, room or power that is asked and not known counts as not met: −inf.
    """
    rows = {
        "distance": pairs.limit_m - pairs.distance_m,
        "sector": _yes(pairs.is_sector_accepted),
        "sharing_mode": _yes(pairs.is_mode_accepted),
        "own": _yes(~pairs.is_own),
        "lifecycle": _yes(pairs.is_lifecycle_fit),
        "condition": _yes(pairs.is_condition_fit),
        "papers": _yes(pairs.is_papers_fit),
        "height": np.minimum(
            _asked(pairs.height_m - pairs.height_min_m, pairs.height_min_m),
            _asked(pairs.height_max_m - pairs.height_low_m, pairs.height_max_m),
        ),
        "bore": _asked(pairs.bore_mm - pairs.bore_asked_mm, pairs.bore_asked_mm),
        "cable": _asked(pairs.cable_mm - pairs.cable_asked_mm, pairs.cable_asked_mm),
        "dates": -pairs.days_late,
        "quantity": pairs.quantity_free - pairs.quantity_asked,
        "room": _asked(pairs.room_free - pairs.room_asked, pairs.room_asked),
        "power": _asked(pairs.kw_free - pairs.kw_asked, pairs.kw_asked),
        "price": np.where(
            np.isnan(pairs.ceiling_fen) | np.isnan(pairs.cost_fen), np.inf, pairs.ceiling_fen - pairs.cost_fen
        ),
    }
    return np.vstack([rows[name] for name in CRITERIA]).reshape(len(CRITERIA), len(pairs))


def _yes(flags: BoolArray) -> FloatArray:
    return np.where(flags, 0.0, -1.0)


def _asked(margin: FloatArray, asked: FloatArray) -> FloatArray:
    """Not asked → +inf; asked but the resource's value not known → −inf."""
    return np.where(np.isnan(asked), np.inf, np.where(np.isnan(margin), -np.inf, margin))


def meets(margin: FloatArray) -> BoolArray:
    """(criteria, m) margins → (criteria, m) whether each is met; a hair below zero is rounding."""
    result: BoolArray = margin >= -1e-9
    return result


def fit(pairs: Pairs) -> BoolArray:
    """(m,) whether a pair meets all; some at a time, as the margins of millions of pairs are not kept."""
    parts = []
    for start in range(0, len(pairs), CHUNK):
        part = Pairs(**{name: getattr(pairs, name)[start : start + CHUNK] for name in Pairs.__dataclass_fields__})
        parts.append(meets(margins(part)).all(axis=0))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)


def scores(pairs: Pairs, weights: Weights) -> FloatArray:
    """(m,) in 0..1, higher is better; each part is clipped to 0..1 and weighted.

    distance: 1 at the place, 0 at the limit. price: 1 for free, 0 at the ceiling (or, without a ceiling, falling
    with cost as 1 / (1 + cost ÷ ¥10,000 a year)); unknown counts half. height_surplus: 1 at the height asked, 0 at
    twice that. in_service: 1 or, planned, 0. fragmentation: 1 when nothing of the pool is left over, 0 when all but
    nothing is. response: 1 / (1 + the owner's usual days to an answer ÷ 10); no record counts half.
    """
    near = 1 - pairs.distance_m / np.maximum(pairs.limit_m, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_ceiling = 1 - pairs.cost_fen / np.maximum(pairs.ceiling_fen, 1.0)
        by_cost = 1 / (1 + pairs.cost_fen / 1_000_000)
        surplus = (pairs.height_m - pairs.height_min_m) / np.maximum(pairs.height_min_m, 1.0)
        left_over = (pairs.quantity_free - pairs.quantity_asked) / np.maximum(pairs.quantity_total, 1.0)
    price = np.where(np.isnan(pairs.cost_fen), 0.5, np.where(np.isnan(pairs.ceiling_fen), by_cost, by_ceiling))
    height = np.where(np.isnan(surplus), 1.0, 1 - surplus)
    response = np.where(np.isnan(pairs.response_days), 0.5, 1 / (1 + pairs.response_days / USUAL_ANSWER_DAYS))
    parts = (
        weights.distance * np.clip(near, 0, 1)
        + weights.price * np.clip(price, 0, 1)
        + weights.height_surplus * np.clip(height, 0, 1)
        + weights.in_service * pairs.is_in_service.astype(float)
        + weights.fragmentation * np.clip(1 - left_over, 0, 1)
        + weights.response * response
    )
    result: FloatArray = parts / max(weights.total, 1e-9)
    return result


def standings(score: FloatArray, line: IntArray, priority: IntArray) -> FloatArray:
    """(m,) in 0..1: priority first, then score; what decides between allocations that serve as much."""
    bonus = np.array([PRIORITY_BONUS.get(int(p), 0.0) for p in priority])
    result: FloatArray = (bonus[line] + score) / (max(PRIORITY_BONUS.values()) + 1)
    return result
