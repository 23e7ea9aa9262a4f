"""Give each line at most one pair so that no pool is used beyond its capacity and the worth is greatest.

The lines fall apart into components that share no pool; each is solved on its own. Components where every
pair takes one unit of one pool are a transport problem, solved exactly by min-cost flow; the others by CP-SAT,
which proves a bound also where time runs out.
"""

import time
from collections.abc import Callable

import numpy as np
from ortools.graph.python import min_cost_flow
from ortools.sat.python import cp_model
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .problem import BoolArray, IntArray, Problem, Solution

VALUE_SCALE = 1_000_000  # worths are made whole numbers for the solvers
QUANTITY_SCALE = 100  # quantities carry two decimals (kW)


def allocate(
    problem: Problem,
    *,
    seed: int = 1,
    time_limit_s: float = 60.0,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Solution:
    """The best allocation found within the time, with a proven bound. Deterministic for a seed unless time runs out.

    on_progress is told the share of lines done (0..1) after each component; it may raise to stop.
    """
    choice = np.full(problem.line_count, -1, dtype=np.int64)
    usable = _fits_alone(problem)
    if not usable.any():
        return Solution(choice, 0.0, 0.0)
    pair_ids = np.flatnonzero(usable)
    component = _components(problem, pair_ids)
    order = np.argsort(component, kind="stable")
    groups = np.split(pair_ids[order], np.flatnonzero(np.diff(component[order])) + 1)
    deadline = time.monotonic() + time_limit_s
    objective = bound = 0.0
    done = 0
    for position, members in enumerate(sorted(groups, key=len)):
        budget = max(0.5, (deadline - time.monotonic()) / max(1, len(groups) - position) * 4)
        picked, worth, limit = _solve(problem, members, seed, min(budget, max(0.5, deadline - time.monotonic())))
        choice[problem.line[picked]] = picked
        objective += worth
        bound += limit
        done += len(members)
        on_progress(done / len(pair_ids))
    return Solution(choice, objective, max(bound, objective))


def greedy(problem: Problem) -> Solution:
    """The most valuable pair first, as long as there is room; a hint for the solver and a peer to measure against."""
    left = problem.capacity.copy()
    choice = np.full(problem.line_count, -1, dtype=np.int64)
    for pair in np.lexsort((np.arange(len(problem.line)), -problem.value)):
        line = problem.line[pair]
        if choice[line] >= 0 or not _has_room(problem, int(pair), left):
            continue
        choice[line] = pair
        left[problem.pool[pair]] -= problem.quantity[pair]
        if problem.power_pool[pair] >= 0:
            left[problem.power_pool[pair]] -= problem.power[pair]
    worth = float(problem.value[choice[choice >= 0]].sum())
    return Solution(choice, worth, float("inf"))


def _has_room(problem: Problem, pair: int, left: np.ndarray) -> bool:
    enough = left[problem.pool[pair]] + 1e-9 >= problem.quantity[pair]
    power_pool = problem.power_pool[pair]
    return bool(enough and (power_pool < 0 or left[power_pool] + 1e-9 >= problem.power[pair]))


def _fits_alone(problem: Problem) -> BoolArray:
    """Pairs that fit their pools when nobody else asks."""
    power_free = np.where(problem.power_pool >= 0, problem.capacity[problem.power_pool], np.inf)
    result: BoolArray = (problem.capacity[problem.pool] + 1e-9 >= problem.quantity) & (
        power_free + 1e-9 >= problem.power
    )
    return result


def _components(problem: Problem, pair_ids: IntArray) -> IntArray:
    """For each pair the component its line lies in; lines are tied by the pools they share."""
    lines, pools = problem.line[pair_ids], problem.line_count + problem.pool[pair_ids]
    powered = pair_ids[problem.power_pool[pair_ids] >= 0]
    rows = np.concatenate([lines, problem.line[powered]])
    columns = np.concatenate([pools, problem.line_count + problem.power_pool[powered]])
    size = problem.line_count + len(problem.capacity)
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    result: IntArray = labels[lines].astype(np.int64)
    return result


def _solve(problem: Problem, members: IntArray, seed: int, budget_s: float) -> tuple[IntArray, float, float]:
    """One component: (picked pair ids, worth, proven bound)."""
    if len(np.unique(problem.line[members])) == 1:
        best = members[np.argmax(problem.value[members])]
        worth = float(problem.value[best])
        return np.array([best]), worth, worth
    is_unit = (problem.power_pool[members] < 0).all() and (problem.quantity[members] == 1).all()
    return _by_flow(problem, members) if is_unit else _by_cp_sat(problem, members, seed, budget_s)


def _by_flow(problem: Problem, members: IntArray) -> tuple[IntArray, float, float]:
    """Unit quantities: maximum worth by min-cost flow with a way past for lines that stay unserved."""
    lines, line_at = np.unique(problem.line[members], return_inverse=True)
    pools, pool_at = np.unique(problem.pool[members], return_inverse=True)
    cost = -np.round(problem.value[members] * VALUE_SCALE).astype(np.int64)
    source, sink = len(lines) + len(pools), len(lines) + len(pools) + 1
    flow = min_cost_flow.SimpleMinCostFlow()
    one = np.ones(len(members), dtype=np.int64)
    arcs = flow.add_arcs_with_capacity_and_unit_cost(line_at, len(lines) + pool_at, one, cost)
    flow.add_arcs_with_capacity_and_unit_cost(
        np.full(len(lines), source),
        np.arange(len(lines)),
        np.ones(len(lines), dtype=np.int64),
        np.zeros(len(lines), int),
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        np.arange(len(lines)), np.full(len(lines), sink), np.ones(len(lines), dtype=np.int64), np.zeros(len(lines), int)
    )
    room = np.floor(problem.capacity[pools] + 1e-9).astype(np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(
        len(lines) + np.arange(len(pools)), np.full(len(pools), sink), room, np.zeros(len(pools), int)
    )
    flow.set_node_supply(source, len(lines))
    flow.set_node_supply(sink, -len(lines))
    if flow.solve() != flow.OPTIMAL:
        raise RuntimeError("min-cost flow found no solution although leaving every line unserved is one")
    picked = members[flow.flows(arcs) > 0]
    worth = float(problem.value[picked].sum())
    return picked, worth, worth


def _by_cp_sat(problem: Problem, members: IntArray, seed: int, budget_s: float) -> tuple[IntArray, float, float]:
    """Mixed quantities and units: CP-SAT with the greedy answer as a hint."""
    model = cp_model.CpModel()
    chosen = {int(pair): model.new_bool_var(f"x{pair}") for pair in members}
    for line in np.unique(problem.line[members]):
        model.add_at_most_one(chosen[int(pair)] for pair in members[problem.line[members] == line])
    uses: dict[int, list[tuple[int, int]]] = {}
    for pair in members:
        uses.setdefault(int(problem.pool[pair]), []).append((int(pair), _scaled(problem.quantity[pair])))
        if problem.power_pool[pair] >= 0:
            uses.setdefault(int(problem.power_pool[pair]), []).append((int(pair), _scaled(problem.power[pair])))
    for pool, terms in uses.items():
        room = int(np.floor(problem.capacity[pool] * QUANTITY_SCALE + 1e-6))
        model.add(sum(amount * chosen[pair] for pair, amount in terms) <= room)
    worth = {pair: int(round(float(problem.value[pair]) * VALUE_SCALE)) for pair in chosen}
    model.maximize(sum(worth[pair] * variable for pair, variable in chosen.items()))
    for pair in greedy_within(problem, members):
        model.add_hint(chosen[pair], True)
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = seed
    solver.parameters.num_workers = 1  # deterministic
    solver.parameters.max_time_in_seconds = budget_s
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        picked = np.array(sorted(greedy_within(problem, members)), dtype=np.int64)
        best_each = sum(
            problem.value[members[problem.line[members] == i]].max() for i in np.unique(problem.line[members])
        )
        return picked, float(problem.value[picked].sum()), float(best_each)
    picked = np.array([pair for pair, variable in chosen.items() if solver.value(variable)], dtype=np.int64)
    value = float(problem.value[picked].sum())
    return picked, value, max(value, solver.best_objective_bound / VALUE_SCALE)


def _scaled(quantity: float) -> int:
    return int(np.ceil(float(quantity) * QUANTITY_SCALE - 1e-6))


def greedy_within(problem: Problem, members: IntArray) -> list[int]:
    """The greedy choice among some pairs only: their ids."""
    part = Problem(
        problem.line_count, problem.line[members], problem.pool[members], problem.quantity[members],
        problem.power_pool[members], problem.power[members], problem.value[members], problem.capacity,
    )  # fmt: skip
    choice = greedy(part).choice
    return [int(members[pair]) for pair in choice[choice >= 0]]
