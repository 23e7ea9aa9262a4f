"""No operator's served share below a set part of its pro-rata share.

Of S lines served, an operator that has D_o of the D lines which could be served at all is due, at least,
floor(φ · S · D_o ÷ D). Small problems are solved exactly with that as a constraint; in larger ones served lines
give way one by one, where possible to another option of their own, until everybody has what is due. docs/adr/0023.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix, vstack

from .exact import Piece, matrix
from .large import Board
from .presolve import fits_alone
from .problem import SCORE_SCALE, FloatArray, IntArray, Problem, Solution

EXACT_OPTIONS_MAX = 1_500
PASSES = 8


def shares_of(problem: Problem, choice: IntArray) -> dict[int, tuple[int, int]]:
    """Operator → (lines that could be served, lines served)."""
    could = np.unique(problem.line[fits_alone(problem)])
    result = {}
    for operator in np.unique(problem.operator[could]).tolist():
        mine = could[problem.operator[could] == operator]
        result[operator] = (len(mine), int((choice[mine] >= 0).sum()))
    return result


def due(shares: dict[int, tuple[int, int]], fairness: float) -> dict[int, int]:
    """Operator → lines it is due at least, of as many as are served now."""
    could, served = (sum(share[i] for share in shares.values()) for i in (0, 1))
    return {o: int(np.floor(fairness * served * mine / max(1, could) + 1e-9)) for o, (mine, _) in shares.items()}


def lacking(shares: dict[int, tuple[int, int]], fairness: float) -> dict[int, int]:
    """Operator → lines short of what it is due; only those that are short."""
    least = due(shares, fairness)
    return {o: least[o] - served for o, (_, served) in shares.items() if served < least[o]}


def made_fair(problem: Problem, solution: Solution, fairness: float, time_limit_s: float) -> Solution:
    """The solution, changed so that nobody is below their due; is_fair False where that was not reached."""
    shares = shares_of(problem, solution.choice)
    if not lacking(shares, fairness):
        return replace(solution, shares=shares)
    options = np.flatnonzero(fits_alone(problem))
    rows = np.flatnonzero(np.isin(problem.use_option, options))
    piece = Piece.of(problem, options, rows, problem.capacity, problem.use_option)
    lines = np.unique(problem.line[options])
    picked: IntArray | None = None
    bound = solution.served_bound
    if len(options) <= EXACT_OPTIONS_MAX:
        picked, bound = _exactly(piece, problem.operator[lines], shares, fairness, time_limit_s, bound)
    if picked is None:
        local = np.searchsorted(options, np.sort(solution.choice[solution.choice >= 0]))
        picked = _by_giving_way(piece, local, problem.operator[lines], fairness)
    choice = np.full(problem.line_count, -1, dtype=np.int64)
    choice[problem.line[options[picked]]] = options[picked]
    served = int(problem.worth[choice >= 0].sum())
    score = int(problem.score[choice[choice >= 0]].sum())
    shares = shares_of(problem, choice)
    score_bound = score if bound == served and len(options) <= EXACT_OPTIONS_MAX else solution.line_bound
    return replace(
        solution, choice=choice, served=served, served_bound=max(bound, served), score=score,
        score_bound=max(score, score_bound), shares=shares, is_fair=not lacking(shares, fairness),
    )  # fmt: skip


def _exactly(
    piece: Piece, operator: IntArray, shares: dict[int, tuple[int, int]], fairness: float, limit_s: float, bound: int
) -> tuple[IntArray | None, int]:
    """served_o > φ · D_o ÷ D · S − 1 for everybody, by branch and bound: (picked or None, bound on the worth)."""
    a, b = matrix(piece)
    low = np.full(len(b), -np.inf)
    could = sum(mine for mine, _ in shares.values())
    extra = np.array([(operator[piece.line] == o) - fairness * mine / could for o, (mine, _) in shares.items()])
    a = vstack([a, csr_matrix(extra)]).tocsr()
    low, b = np.r_[low, np.full(len(extra), -1 + 1e-6)], np.r_[b, np.full(len(extra), np.inf)]
    value: FloatArray = piece.value / SCORE_SCALE
    answer = milp(
        -value, constraints=LinearConstraint(a, low, b), integrality=np.ones(len(value), dtype=np.int64),
        bounds=Bounds(0, 1), options={"time_limit": limit_s, "node_limit": 20_000},
    )  # fmt: skip
    if answer.x is None:
        return None, bound
    picked = np.flatnonzero(answer.x > 0.5)
    proven = int(np.floor(-answer.mip_dual_bound * SCORE_SCALE + 0.05)) // piece.scale
    return picked, min(bound, proven)


def _may_go(spare: dict[int, int], of_line: list[int]) -> Callable[[int], bool]:
    return lambda line: spare[of_line[line]] > 0


def _by_giving_way(piece: Piece, picked: IntArray, operator: IntArray, fairness: float) -> IntArray:
    """Lines of operators that have more than their due make room for those of operators that have less."""
    board = Board(piece, picked)
    count = {int(o): int((operator == o).sum()) for o in np.unique(operator)}
    of_line = operator.tolist()

    def shares() -> dict[int, tuple[int, int]]:
        served = dict.fromkeys(count, 0)
        for i, j in enumerate(board.holds):
            served[of_line[i]] += j >= 0
        return {o: (count[o], served[o]) for o in count}

    for _ in range(PASSES):
        now = shares()
        short = lacking(now, fairness)
        if not short:
            break
        spare = {o: now[o][1] - least for o, least in due(now, fairness).items()}
        moved = False
        for i, o in enumerate(of_line):
            if board.holds[i] >= 0 or short.get(o, 0) <= 0:
                continue
            gave = board.insert(i, 1) or board.displace(i, _may_go(spare, of_line))
            if not gave:
                continue
            moved = True
            short[o] -= 1
            if gave is not True:
                spare[of_line[gave - 1]] -= 1
        if not moved:
            break
    return np.array(sorted(j for j in board.holds if j >= 0), dtype=np.int64)
