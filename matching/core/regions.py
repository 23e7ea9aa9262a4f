"""Very large components: the linear programme bounds and rounds, then neighbouring pools are given out anew by region.

A region is some pools and those that the same lines could use (breadth first, the closest first); the options that use
nothing else are chosen anew by branch and bound while all others stay (large neighbourhoods: Shaw 1998). Each region is
small enough to be solved nearly to the end, they overlap, and pools that were given out least often come first.
"""

import time
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from .exact import Piece, matrix
from .large import LP_OPTIONS_MAX, fill, greedy_order, resolve, second_level
from .problem import IntArray

REGIONS_FROM = 8_000  # options; below, branch and bound works on the whole
REGION_POOLS = (40, 120)  # small ones first, larger ones once those help no more
IDLE_MAX = 12  # regions without gain before the size is changed, and then the end
NEAR_ENOUGH = 1_000  # within a thousandth of the bound nothing better is looked for


def by_regions(piece: Piece, deadline: float) -> tuple[IntArray, int]:
    """(picked options, proven bound on the value). deadline: of time.monotonic(), kept to within a few seconds."""
    best = fill(piece, greedy_order(piece))
    bound = piece.best_each()
    if len(piece.line) <= LP_OPTIONS_MAX:
        a: Any
        a, b = matrix(piece)
        worth = (piece.value // piece.scale).astype(float)
        programme: Any = linprog(-worth, A_ub=a, b_ub=b, bounds=(0, 1), method="highs-ipm")
        if programme.x is not None:
            bound = min(bound, int(np.floor(-programme.fun + 1e-5)) * piece.scale + piece.scale - 1)
            kept = np.flatnonzero(programme.x > 1 - 1e-6)
            is_open = np.ones(piece.line_count, dtype=bool)
            is_open[piece.line[kept]] = False
            rounded = resolve(piece, _fitting(piece, kept), np.flatnonzero(is_open[piece.line]), deadline)
            best = max(best, rounded, key=piece.worth_of)
    enough = max(1, bound // piece.scale // NEAR_ENOUGH)
    best = _improved(piece, best, bound // piece.scale - enough, deadline)
    return best, second_level(piece, best, max(bound, piece.worth_of(best)))


def _fitting(piece: Piece, picked: IntArray) -> IntArray:
    """The picked options as far as they fit together: what the programme calls whole may be a hair less."""
    return fill(piece, picked)


def _improved(piece: Piece, best: IntArray, target: int, deadline: float) -> IntArray:
    """target: a worth at which to stop."""
    asked = csr_matrix(
        (np.ones(len(piece.use_pool)), (piece.line[piece.use_option], piece.use_pool)),
        shape=(piece.line_count, len(piece.capacity)),
    )
    shared: Any = (asked.T @ asked).tocsr()
    worth = piece.value // piece.scale
    given = np.zeros(len(piece.capacity), dtype=np.int64)  # how often a pool was given out anew
    for size in REGION_POOLS:
        idle = 0
        while idle < IDLE_MAX:
            if int(worth[best].sum()) >= target or time.monotonic() > deadline:
                return best
            region = _region(shared, int(np.argmin(given)), size)
            given[region] += 1
            is_in = np.zeros(len(given), dtype=bool)
            is_in[region] = True
            is_free = np.ones(len(piece.line), dtype=bool)
            is_free[piece.use_option[~is_in[piece.use_pool]]] = False
            kept = best[~is_free[best]]
            is_open = np.ones(piece.line_count, dtype=bool)
            is_open[piece.line[kept]] = False
            found = resolve(piece, kept, np.flatnonzero(is_free & is_open[piece.line]), deadline)
            is_better = piece.worth_of(found) > piece.worth_of(best)
            idle = 0 if is_better and len(found) > len(best) else idle + 1
            best = found if is_better else best
    return best


def _region(shared: Any, first: int, size: int) -> IntArray:
    """Up to `size` pools around the first, those that more lines share first."""
    region, seen = [first], {first}
    for pool in region:
        around = shared.indices[shared.indptr[pool] : shared.indptr[pool + 1]]
        lines = shared.data[shared.indptr[pool] : shared.indptr[pool + 1]]
        for other in around[np.lexsort((around, -lines))].tolist():
            if other not in seen and len(region) < size:
                seen.add(other)
                region.append(other)
        if len(region) >= size:
            break
    return np.array(sorted(region), dtype=np.int64)
