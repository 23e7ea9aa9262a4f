"""Exact answers for one component: min-cost flow, depth-first search, and branch and bound (HiGHS)."""

import time
from dataclasses import dataclass, replace

import numpy as np
from ortools.graph.python import min_cost_flow
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix, vstack

from .problem import SCORE_SCALE, FloatArray, IntArray, Problem


@dataclass(frozen=True)
class Piece:
    """One component made small: lines, pools and options numbered from 0, only uses that can bind.

    value: worth × scale + score, so that the greatest sum serves most first and scores best second.
    """

    options: IntArray  # ids in the whole problem
    line: IntArray
    value: IntArray
    use_option: IntArray
    use_pool: IntArray
    use_amount: IntArray
    capacity: IntArray
    line_count: int
    scale: int

    @staticmethod
    def of(problem: Problem, options: IntArray, rows: IntArray, left: IntArray, use_option: IntArray) -> "Piece":
        """options: ids, ascending; rows: the uses of them that can bind; use_option: problem.use_option, made once."""
        lines, line = np.unique(problem.line[options], return_inverse=True)
        pools, pool = np.unique(problem.use_pool[rows], return_inverse=True)
        scale = SCORE_SCALE * (len(lines) + 1)
        local = np.searchsorted(options, use_option[rows])
        value = problem.worth[problem.line[options]] * scale + problem.score[options]
        return Piece(
            options, line.astype(np.int64), value, local, pool.astype(np.int64), problem.use_amount[rows], left[pools],
            len(lines), scale,
        )  # fmt: skip

    def is_transport(self) -> bool:
        """Each option uses at most one pool, and all that could be asked of a pool comes in equal amounts."""
        if len(self.use_option) and np.bincount(self.use_option).max() > 1:
            return False
        most = np.zeros(len(self.capacity), dtype=np.int64)
        least = np.full(len(self.capacity), np.iinfo(np.int64).max)
        np.maximum.at(most, self.use_pool, self.use_amount)
        np.minimum.at(least, self.use_pool, self.use_amount)
        return bool((most == least).all())

    def only(self, options: IntArray) -> "Piece":
        """The same lines and pools with these options (local ids, ascending)."""
        at = np.full(len(self.line), -1, dtype=np.int64)
        at[options] = np.arange(len(options))
        uses = at[self.use_option] >= 0
        return Piece(
            self.options[options], self.line[options], self.value[options], at[self.use_option[uses]],
            self.use_pool[uses], self.use_amount[uses], self.capacity, self.line_count, self.scale,
        )  # fmt: skip

    def within(self, capacity: IntArray) -> "Piece":
        """The same with this capacity; ids stay."""
        return replace(self, capacity=np.maximum(capacity, 0))

    def worth_of(self, picked: IntArray) -> int:
        return int(self.value[picked].sum())

    def best_each(self) -> int:
        """What every line's best option would be worth if all could have it: an upper bound."""
        best = np.zeros(self.line_count, dtype=np.int64)
        np.maximum.at(best, self.line, self.value)
        return int(best.sum())


def by_flow(piece: Piece) -> IntArray:
    """Transport pieces: the picked options, by min-cost flow with a way past for lines that stay unserved."""
    n, p = piece.line_count, len(piece.capacity)
    amount = np.ones(p, dtype=np.int64)
    amount[piece.use_pool] = piece.use_amount
    pool = np.full(len(piece.line), p, dtype=np.int64)  # a pool of plenty for options that bind nothing
    pool[piece.use_option] = piece.use_pool
    room = np.append(piece.capacity // amount, n)
    source, sink = n + p + 1, n + p + 2
    flow = min_cost_flow.SimpleMinCostFlow()
    zero = np.zeros(n, dtype=np.int64)
    one = np.ones(n, dtype=np.int64)
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        piece.line, n + pool, np.ones(len(pool), dtype=np.int64), -piece.value
    )
    flow.add_arcs_with_capacity_and_unit_cost(np.full(n, source), np.arange(n), one, zero)
    flow.add_arcs_with_capacity_and_unit_cost(np.arange(n), np.full(n, sink), one, zero)
    flow.add_arcs_with_capacity_and_unit_cost(
        n + np.arange(p + 1), np.full(p + 1, sink), room, np.zeros(p + 1, dtype=np.int64)
    )
    flow.set_node_supply(source, n)
    flow.set_node_supply(sink, -n)
    if flow.solve() != flow.OPTIMAL:
        raise RuntimeError("min-cost flow found no solution although leaving every line unserved is one")
    picked: IntArray = np.flatnonzero(flow.flows(arcs) > 0)
    return picked


def by_search(piece: Piece, node_limit: int = 4_000) -> IntArray | None:
    """Depth first with a bound over the lines to come: the picked options, or None when the nodes did not suffice."""
    n = piece.line_count
    order = np.lexsort((np.arange(len(piece.line)), -piece.value))
    options: list[list[int]] = [[] for _ in range(n)]
    for j in order.tolist():
        options[int(piece.line[j])].append(j)
    by_best = sorted(range(n), key=lambda i: (-piece.value[options[i][0]], i))
    uses: list[list[tuple[int, int]]] = [[] for _ in range(len(piece.line))]
    for j, k, a in zip(piece.use_option.tolist(), piece.use_pool.tolist(), piece.use_amount.tolist(), strict=True):
        uses[j].append((k, a))
    value = piece.value.tolist()
    ahead = [0] * (n + 1)
    for depth in range(n - 1, -1, -1):
        ahead[depth] = ahead[depth + 1] + value[options[by_best[depth]][0]]
    left = piece.capacity.tolist()
    best_value, best_picks, nodes = -1, [], 0
    picks: list[int] = []

    def descend(depth: int, so_far: int) -> bool:
        nonlocal best_value, best_picks, nodes
        nodes += 1
        if nodes > node_limit:
            return False
        if depth == n:
            if so_far > best_value:
                best_value, best_picks = so_far, picks.copy()
            return True
        for j in options[by_best[depth]]:
            if so_far + value[j] + ahead[depth + 1] <= best_value:
                break
            if all(left[k] >= a for k, a in uses[j]):
                for k, a in uses[j]:
                    left[k] -= a
                picks.append(j)
                went = descend(depth + 1, so_far + value[j])
                picks.pop()
                for k, a in uses[j]:
                    left[k] += a
                if not went:
                    return False
        if so_far + ahead[depth + 1] > best_value:
            return descend(depth + 1, so_far)
        return True

    return np.array(sorted(best_picks), dtype=np.int64) if descend(0, 0) else None


def matrix(piece: Piece) -> tuple[csr_matrix, FloatArray]:
    """(A, b) of A x ≤ b: one row per line (at most one option), then one per pool."""
    m = len(piece.line)
    once = csr_matrix((np.ones(m), (piece.line, np.arange(m))), shape=(piece.line_count, m))
    pools = csr_matrix(
        (piece.use_amount.astype(float), (piece.use_pool, piece.use_option)), shape=(len(piece.capacity), m)
    )
    return vstack([once, pools]).tocsr(), np.r_[np.ones(piece.line_count), piece.capacity.astype(float)]


def by_branch_and_bound(
    piece: Piece, time_limit_s: float, *, gap: float = 0.0, node_limit: int = 5_000
) -> tuple[IntArray | None, int]:
    """(picked options or None, proven bound on the value) by HiGHS, in two steps: the most worth, then the best score.

    gap: relative, at which the first step may stop; 0: until proven. The second step is taken only when the first is
    proven. Nodes are limited before time, so that the answer does not depend on how busy the machine is.
    """
    began = time.monotonic()
    worth = piece.value // piece.scale
    picked, most = _highs(piece, worth, None, time_limit_s * 0.7, gap, node_limit)
    if picked is None:
        return None, piece.best_each()
    served = int(worth[picked].sum())
    if most > served:
        return picked, min(piece.best_each(), most * piece.scale + piece.scale - 1)
    if gap:
        return picked, min(piece.best_each(), served * piece.scale + piece.scale - 1)
    left = max(0.2, time_limit_s - (time.monotonic() - began))
    better, best = _highs(piece, piece.value % piece.scale, served, left, 0.0, node_limit)
    if better is not None and piece.worth_of(better) >= piece.worth_of(picked):
        picked = better
    bound = served * piece.scale + min(best, piece.scale - 1)
    return picked, max(bound, piece.worth_of(picked))


def _highs(
    piece: Piece, objective: IntArray, least_worth: int | None, time_limit_s: float, gap: float, node_limit: int
) -> tuple[IntArray | None, int]:
    """The greatest sum of a whole-number objective, where asked with at least this much worth: (picked, bound)."""
    a, b = matrix(piece)
    low = np.full(len(b), -np.inf)
    if least_worth is not None:
        a = vstack([a, csr_matrix((piece.value // piece.scale).astype(float))]).tocsr()
        low, b = np.append(low, float(least_worth)), np.append(b, np.inf)
    scale = float(max(1, objective.max()))
    answer = milp(
        -objective / scale,
        constraints=LinearConstraint(a, low, b),
        integrality=np.ones(len(objective), dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"time_limit": time_limit_s, "mip_rel_gap": gap, "node_limit": node_limit},
    )
    bound = int(objective.sum())
    if answer.mip_dual_bound is not None and np.isfinite(answer.mip_dual_bound):
        bound = min(bound, int(np.floor(-answer.mip_dual_bound * scale + 0.05)))
    if answer.x is None:
        return None, bound
    return np.flatnonzero(answer.x > 0.5), bound
