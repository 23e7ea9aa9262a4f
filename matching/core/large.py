"""Components too large to search through: a bound by linear programming, and allocations that come close to it.

The linear relaxation bounds what any allocation can be worth; its duals say what every option lacks (reduced cost). The
first allocations follow that order, a local search moves served lines aside where that lets one more in, and branch and
bound (HiGHS, with its cuts) works in the time left on the options that could still be part of something better.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, vstack

from .exact import Piece, by_branch_and_bound, matrix
from .problem import SCORE_SCALE, FloatArray, IntArray

LP_OPTIONS_MAX = 400_000  # above this the programme itself would take minutes; the bound is then every line's best
CORE_OPTIONS_MAX = 8_000  # above this the branch and bound is not tried on the whole
NEIGHBOURS = 60  # lines allocated anew at a time
MOVES = 6  # passes of the local search


def fill(piece: Piece, order: IntArray) -> IntArray:
    """Takes the options in this order as far as there is room: the picked ones, ascending."""
    left = piece.capacity.tolist()
    served = [False] * piece.line_count
    line = piece.line.tolist()
    start, pool, amount = _use_lists(piece)
    picked = []
    for j in order.tolist():
        if served[line[j]]:
            continue
        uses = range(start[j], start[j + 1])
        if all(left[pool[u]] >= amount[u] for u in uses):
            for u in uses:
                left[pool[u]] -= amount[u]
            served[line[j]] = True
            picked.append(j)
    return np.array(sorted(picked), dtype=np.int64)


def greedy_order(piece: Piece) -> IntArray:
    """The most valuable first, ties to the lower id."""
    result: IntArray = np.lexsort((np.arange(len(piece.line)), -piece.value))
    return result


def _use_lists(piece: Piece) -> tuple[list[int], list[int], list[int]]:
    start = np.searchsorted(piece.use_option, np.arange(len(piece.line) + 1)).tolist()
    return start, piece.use_pool.tolist(), piece.use_amount.tolist()


class Board:
    """An allocation that can be changed: who holds what, and what is left."""

    def __init__(self, piece: Piece, picked: IntArray):
        self.start, self.pool, self.amount = _use_lists(piece)
        self.left: list[int] = piece.capacity.tolist()
        self.holds: list[int] = [-1] * piece.line_count
        self.members: list[set[int]] = [set() for _ in self.left]
        self.line: list[int] = piece.line.tolist()
        self.value: list[int] = piece.value.tolist()
        self.options: list[list[int]] = [[] for _ in range(piece.line_count)]
        for j in greedy_order(piece).tolist():
            self.options[self.line[j]].append(j)
        for j in picked.tolist():
            self.take(j)

    def take(self, j: int) -> None:
        for u in range(self.start[j], self.start[j + 1]):
            self.left[self.pool[u]] -= self.amount[u]
            self.members[self.pool[u]].add(self.line[j])
        self.holds[self.line[j]] = j

    def release(self, line: int) -> int:
        j = self.holds[line]
        for u in range(self.start[j], self.start[j + 1]):
            self.left[self.pool[u]] += self.amount[u]
            self.members[self.pool[u]].discard(line)
        self.holds[line] = -1
        return j

    def fits(self, j: int) -> bool:
        return all(self.left[self.pool[u]] >= self.amount[u] for u in range(self.start[j], self.start[j + 1]))

    def insert(self, line: int, depth: int) -> bool:
        """Serves the line, moving others aside (each to another option of its own) up to `depth` deep."""
        for j in self.options[line]:
            if self.fits(j):
                self.take(j)
                return True
        if depth == 0:
            return False
        for j in self.options[line]:
            short = [
                self.pool[u]
                for u in range(self.start[j], self.start[j + 1])
                if self.left[self.pool[u]] < self.amount[u]
            ]
            if len(short) == 1 and self._make_room(j, short[0], depth):
                return True
        return False

    def displace(self, line: int, may_go: Callable[[int], bool]) -> int:
        """Serves the line in the place of one other that may go, without another place: 1 + that one's number, or 0."""
        for j in self.options[line]:
            for u in range(self.start[j], self.start[j + 1]):
                for other in sorted(self.members[self.pool[u]]):
                    if not may_go(other):
                        continue
                    before = self.release(other)
                    if self.fits(j):
                        self.take(j)
                        return 1 + other
                    self.take(before)
        return 0

    def _make_room(self, j: int, pool: int, depth: int) -> bool:
        for other in sorted(self.members[pool]):
            before = self.release(other)
            if self.fits(j):
                self.take(j)
                if self.insert(other, depth - 1):
                    return True
                self.release(self.line[j])
            self.take(before)
        return False


def improve(piece: Piece, picked: IntArray) -> IntArray:
    """Serves lines that were left out by moving others aside; then better options where there is room. Never worse."""
    board = Board(piece, picked)
    for _ in range(MOVES):
        waiting = [i for i in range(piece.line_count) if board.holds[i] < 0]
        waiting.sort(key=lambda i: (-board.value[board.options[i][0]], i))
        if not sum(board.insert(i, 2) for i in waiting):
            break
    for i in range(piece.line_count):
        if board.holds[i] < 0:
            continue
        before = board.release(i)
        better = next((j for j in board.options[i] if j == before or board.fits(j)), before)
        board.take(better)
    return np.array(sorted(j for j in board.holds if j >= 0), dtype=np.int64)


def solve_large(piece: Piece, deadline: float, *, is_exact: bool) -> tuple[IntArray, int]:
    """(picked options, proven bound on the value). deadline: of time.monotonic(), kept to within about a second.

    is_exact: go on until nothing better is possible; otherwise what lies within a thousandth of the bound will do.
    """
    best = improve(piece, fill(piece, greedy_order(piece)))
    bound = piece.best_each()
    if len(piece.line) > LP_OPTIONS_MAX:
        return best, bound
    a: Any  # the stubs of scipy know no sparse matrix here
    a, b = matrix(piece)
    programme: Any = linprog(-piece.value / piece.scale, A_ub=a, b_ub=b, bounds=(0, 1), method="highs-ds")
    if programme.x is None:
        return best, bound
    bound = min(bound, int(np.floor(-programme.fun * piece.scale + 1e-2)))
    duals = np.maximum(-programme.ineqlin.marginals, 0)
    lacks = _reduced_costs(piece, duals)
    for order in (np.lexsort((lacks, -np.round(programme.x, 6))), np.lexsort((-piece.value, np.round(lacks, 9)))):
        best = max(best, improve(piece, fill(piece, order)), key=piece.worth_of)
    enough = 1 if is_exact else max(1, bound // 1000)
    if bound - piece.worth_of(best) < enough or time.monotonic() > deadline - 0.3:
        return best, max(bound, piece.worth_of(best))
    best = max(best, _rounded(piece, programme.x, deadline), key=piece.worth_of)
    missing = (bound - piece.worth_of(best)) / piece.scale
    core = np.flatnonzero(lacks <= missing + 1e-6)  # others can be in nothing better than what we have
    if len(core) <= CORE_OPTIONS_MAX:
        core = np.union1d(core, best)
        share = deadline if is_exact else time.monotonic() + (deadline - time.monotonic()) * 0.5
        found, found_bound = by_branch_and_bound(
            piece.only(core), max(0.3, share - time.monotonic()), gap=0.0 if is_exact else 1e-3, node_limit=500
        )
        bound = min(bound, max(found_bound, piece.worth_of(best)))
        if found is not None:
            best = max(best, core[found], key=piece.worth_of)
    best = _neighbourhoods(piece, best, lacks, bound - enough, deadline)
    return best, second_level(piece, best, max(bound, piece.worth_of(best)))


def second_level(piece: Piece, best: IntArray, bound: int) -> int:
    """The bound, closer in its score where the worth is proven: the programme's best score with as much worth."""
    worth = piece.value // piece.scale
    served = int(worth[best].sum())
    if bound // piece.scale > served:
        return bound
    a: Any
    a, b = matrix(piece)
    programme: Any = linprog(
        -(piece.value % piece.scale) / SCORE_SCALE,
        A_ub=vstack([a, csr_matrix(-worth.astype(float))]).tocsr(),
        b_ub=np.append(b, -float(served)),
        bounds=(0, 1),
        method="highs-ds",
    )
    if programme.x is None:
        return bound
    score = int(np.floor(-programme.fun * SCORE_SCALE + 1e-2))
    return max(piece.worth_of(best), min(bound, served * piece.scale + score))


def _rounded(piece: Piece, x: FloatArray, deadline: float) -> IntArray:
    """What the programme decided wholly is kept; the lines it split or left out are solved in what is left."""
    kept = np.flatnonzero(x > 1 - 1e-6)
    is_open = np.ones(piece.line_count, dtype=bool)
    is_open[piece.line[kept]] = False
    return improve(piece, resolve(piece, kept, np.flatnonzero(is_open[piece.line]), deadline))


def resolve(piece: Piece, kept: IntArray, options: IntArray, deadline: float) -> IntArray:
    """The kept options, and the best of the others in the capacity that leaves: picked options, ascending."""
    at = np.isin(piece.use_option, kept)
    used = np.bincount(piece.use_pool[at], weights=piece.use_amount[at], minlength=len(piece.capacity))
    part = piece.only(options).within(piece.capacity - used.astype(np.int64))
    if not len(part.line):
        return np.sort(kept)
    limit = max(0.2, min(3.0, deadline - time.monotonic()))
    found, _ = by_branch_and_bound(part, limit, gap=1e-6, node_limit=60)
    return np.sort(np.concatenate([kept, options[found]])) if found is not None else np.sort(kept)


def _neighbourhoods(piece: Piece, best: IntArray, lacks: FloatArray, target: int, deadline: float) -> IntArray:
    """Around each line left out, the lines it competes with are allocated anew, exactly; repeated while it helps."""
    holders: list[list[int]] = [[] for _ in range(len(piece.capacity))]
    order = np.lexsort((piece.use_option, lacks[piece.use_option]))
    for j, k in zip(piece.use_option[order].tolist(), piece.use_pool[order].tolist(), strict=True):
        holders[k].append(j)
    start, pool, _ = _use_lists(piece)
    options: list[list[int]] = [[] for _ in range(piece.line_count)]
    for j in np.lexsort((np.arange(len(lacks)), lacks)).tolist():
        options[int(piece.line[j])].append(j)
    is_moving = True
    while is_moving and piece.worth_of(best) < target and time.monotonic() < deadline:
        is_moving = False
        served = np.zeros(piece.line_count, dtype=bool)
        served[piece.line[best]] = True
        for line in np.flatnonzero(~served).tolist():
            if time.monotonic() > deadline or piece.worth_of(best) >= target:
                break
            if line in set(piece.line[best].tolist()):
                continue
            near: dict[int, None] = {line: None}
            for i in list(near) * 1:
                for j in options[i][:6]:
                    for u in range(start[j], start[j + 1]):
                        near.update(dict.fromkeys(int(piece.line[o]) for o in holders[pool[u]][:12]))
            for i in list(near):
                if len(near) > NEIGHBOURS:
                    break
                for j in options[i][:3]:
                    for u in range(start[j], start[j + 1]):
                        near.update(dict.fromkeys(int(piece.line[o]) for o in holders[pool[u]][:6]))
            inside = np.zeros(piece.line_count, dtype=bool)
            inside[list(near)[:NEIGHBOURS]] = True
            kept = best[~inside[piece.line[best]]]
            found = resolve(piece, kept, np.flatnonzero(inside[piece.line]), deadline)
            if piece.worth_of(found) > piece.worth_of(best):
                is_moving |= len(found) > len(best)
                best = found
    return best


def _reduced_costs(piece: Piece, duals: FloatArray) -> FloatArray:
    """What each option lacks to be worth its prices, ≥ 0, in units of worth."""
    prices = duals[piece.line_count :]
    paid = np.bincount(piece.use_option, weights=prices[piece.use_pool] * piece.use_amount, minlength=len(piece.line))
    result: FloatArray = np.maximum(duals[piece.line] + paid - piece.value / piece.scale, 0)
    return result
