"""Give each line at most one option so that no pool is used beyond its capacity: serve the most, then score best.

Presolve settles what nobody contests; what remains falls apart into components that share no pool. Components where all
ask alike of a pool are transport problems, solved exactly by min-cost flow; small others by search; larger ones by
branch and bound with a bound that is proven also where time runs out. Each is solved by itself, so that the answer for
a component does not depend on what else is in the list. See docs/adr/0023 and 0057.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .exact import Piece, by_branch_and_bound, by_flow, by_search
from .fairness import made_fair
from .large import fill, greedy_order, improve, solve_large
from .presolve import components, fits_alone, presolve
from .problem import SCORE_SCALE, BoolArray, IntArray, Problem, Solution
from .regions import REGIONS_FROM, by_regions

SEARCH_LINES_MAX = 14  # components up to this many lines are searched through first
EXACT_OPTIONS_MAX = 600  # up to this size nothing short of the proven best will do, while time lasts


def allocate(
    problem: Problem,
    *,
    seed: int = 1,
    time_limit_s: float = 60.0,
    fairness: float | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Solution:
    """The best allocation found within the time, with a proven bound. Deterministic for a seed unless time runs out.

    seed: shuffles which of equally good options comes first. fairness: the part of its pro-rata share that every
    operator is to get, 0..1; None: not asked for. on_progress is told the share done (0..1); it may raise to stop.
    """
    if seed != 1:
        solution = _shuffled(problem, seed, time_limit_s, on_progress)
    else:
        solution = _allocate(problem, time_limit_s, on_progress)
    if fairness and len(problem.operator):
        solution = made_fair(problem, solution, fairness, time_limit_s)
    return solution


def _allocate(problem: Problem, time_limit_s: float, on_progress: Callable[[float], None]) -> Solution:
    deadline = time.monotonic() + time_limit_s
    before = presolve(problem)
    choice = before.settled.copy()
    groups = components(problem, before.options, before.is_binding)
    pieces = _pieces(problem, groups, before.is_binding, before.left)
    served_bound = int(problem.worth[choice >= 0].sum())
    score_bound = int(problem.score[choice[choice >= 0]].sum())
    is_plain = [piece.is_transport() for piece in pieces]
    for piece in itertools.compress(pieces, is_plain):
        picked = piece.options[by_flow(piece)]
        choice[problem.line[picked]] = picked
        served_bound += int(problem.worth[problem.line[picked]].sum())
        score_bound += int(problem.score[picked].sum())
    mixed = [piece for piece, plain in zip(pieces, is_plain, strict=True) if not plain]
    mixed.sort(key=lambda piece: len(piece.line))
    todo = sum(len(piece.line) for piece in mixed)
    unproven: dict[int, tuple[int, int]] = {}
    for piece in mixed:
        share = max(0.3, (deadline - time.monotonic()) * max(0.25, len(piece.line) / max(1, todo)))
        local, bound = _solve(piece, min(deadline, time.monotonic() + share))
        todo -= len(piece.line)
        picked = piece.options[local]
        choice[problem.line[picked]] = picked
        worth = int(problem.worth[problem.line[picked]].sum())
        score = int(problem.score[picked].sum())
        is_most = bound // piece.scale == worth
        best_score = bound - worth * piece.scale if is_most else piece.line_count * SCORE_SCALE
        if not is_most or best_score > score:
            unproven[int(problem.line[piece.options].min())] = (bound // piece.scale - worth, best_score - score)
        served_bound += bound // piece.scale
        score_bound += best_score
        on_progress(1 - todo / max(1, len(before.options)))
    return replace(_solution(problem, choice, served_bound, score_bound), unproven=unproven)


def _solution(problem: Problem, choice: IntArray, served_bound: int, score_bound: int) -> Solution:
    served = int(problem.worth[choice >= 0].sum())
    score = int(problem.score[choice[choice >= 0]].sum())
    return Solution(choice, served, max(served_bound, served), score, max(score, score_bound))


def _shuffled(problem: Problem, seed: int, time_limit_s: float, on_progress: Callable[[float], None]) -> Solution:
    """The same with the options in another order, so that ties fall otherwise."""
    order = np.random.default_rng(seed).permutation(len(problem.line))
    solution = allocate(problem.part(order), time_limit_s=time_limit_s, on_progress=on_progress)
    choice = np.where(solution.choice >= 0, order[np.maximum(solution.choice, 0)] if len(order) else -1, -1)
    return replace(solution, choice=choice)


def _pieces(problem: Problem, groups: list[IntArray], is_binding: BoolArray, left: IntArray) -> list[Piece]:
    """One Piece per group; the uses of all groups are found in one pass."""
    of_option = np.full(len(problem.line), -1, dtype=np.int64)
    for place, group in enumerate(groups):
        of_option[group] = place
    rows = np.flatnonzero(is_binding)
    rows = rows[of_option[problem.use_option[rows]] >= 0]
    number = of_option[problem.use_option[rows]]
    order = np.argsort(number, kind="stable")
    start = np.searchsorted(number[order], np.arange(len(groups) + 1))
    use_option = problem.use_option
    return [
        Piece.of(problem, group, rows[order[start[i] : start[i + 1]]], left, use_option)
        for i, group in enumerate(groups)
    ]


def _solve(piece: Piece, deadline: float) -> tuple[IntArray, int]:
    """One component: (picked local options, proven bound on the value). Never worse than the greedy answer."""
    if piece.line_count <= SEARCH_LINES_MAX:
        picked = by_search(piece)
        if picked is not None:
            return picked, piece.worth_of(picked)
    if len(piece.line) > REGIONS_FROM:
        return by_regions(piece, deadline)
    if len(piece.line) > EXACT_OPTIONS_MAX:
        return solve_large(piece, deadline, is_exact=False)
    found, bound = by_branch_and_bound(piece, max(0.3, deadline - time.monotonic()))
    best = improve(piece, fill(piece, greedy_order(piece)))
    if found is not None and piece.worth_of(found) >= piece.worth_of(best):
        best = found
    if bound > piece.worth_of(best) and deadline - time.monotonic() > 1:
        other, other_bound = solve_large(piece, deadline, is_exact=True)
        best, bound = max(best, other, key=piece.worth_of), min(bound, other_bound)
    return best, max(bound, piece.worth_of(best))


def greedy(problem: Problem) -> Solution:
    """The most valuable option first, as long as there is room: a peer to measure against. Bounds are trivial."""
    options = np.flatnonzero(fits_alone(problem))
    choice = np.full(problem.line_count, -1, dtype=np.int64)
    if len(options):
        rows = np.flatnonzero(np.isin(problem.use_option, options))
        piece = Piece.of(problem, options, rows, problem.capacity, problem.use_option)
        picked = options[fill(piece, greedy_order(piece))]
        choice[problem.line[picked]] = picked
    top = np.zeros(problem.line_count, dtype=np.int64)
    np.maximum.at(top, problem.line, problem.score)
    return _solution(problem, choice, int(problem.worth[np.unique(problem.line)].sum()), int(top.sum()))
