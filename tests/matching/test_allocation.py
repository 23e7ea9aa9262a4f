"""The allocation against brute force: never over capacity, never worse than greedy, exact where one can enumerate."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.core.allocation import allocate, greedy
from matching.core.problem import Problem


@st.composite
def problems(draw, units_only=False):
    lines = draw(st.integers(1, 5))
    pools = draw(st.integers(1, 3))
    capacity = draw(st.lists(st.integers(0, 4), min_size=pools, max_size=pools))
    pairs = draw(
        st.lists(st.tuples(st.integers(0, lines - 1), st.integers(0, pools - 1)), min_size=1, max_size=9, unique=True)
    )
    quantity = [1 if units_only else draw(st.integers(1, 3)) for _ in pairs]
    powered = [-1 if units_only else draw(st.sampled_from([-1, *range(pools)])) for _ in pairs]
    powered = [-1 if p == pool else p for p, (_, pool) in zip(powered, pairs, strict=True)]
    value = [draw(st.integers(1, 20)) / 4 for _ in pairs]
    return Problem(
        lines,
        np.array([line for line, _ in pairs]),
        np.array([pool for _, pool in pairs]),
        np.array(quantity, float),
        np.array(powered),
        np.array([1.5 if p >= 0 else 0.0 for p in powered]),
        np.array(value),
        np.array(capacity, float),
    )


def used(problem, choice):
    total = np.zeros(len(problem.capacity))
    for pair in choice[choice >= 0]:
        total[problem.pool[pair]] += problem.quantity[pair]
        if problem.power_pool[pair] >= 0:
            total[problem.power_pool[pair]] += problem.power[pair]
    return total


def best_by_enumeration(problem):
    options = [[-1, *np.flatnonzero(problem.line == line)] for line in range(problem.line_count)]
    best = 0.0
    for picks in itertools.product(*options):
        choice = np.array(picks)
        if (used(problem, choice) <= problem.capacity + 1e-9).all():
            best = max(best, float(problem.value[choice[choice >= 0]].sum()))
    return best


def check(problem):
    solution = allocate(problem, time_limit_s=20)
    assert (used(problem, solution.choice) <= problem.capacity + 1e-9).all()
    for line, pair in enumerate(solution.choice):
        assert pair < 0 or problem.line[pair] == line
    best = best_by_enumeration(problem)
    assert abs(solution.objective - best) < 1e-5
    assert solution.bound >= best - 1e-5
    assert solution.objective >= greedy(problem).objective - 1e-5


@settings(max_examples=60, deadline=None)
@given(problems())
def test_mixed_quantities_are_solved_exactly(problem):
    check(problem)


@settings(max_examples=60, deadline=None)
@given(problems(units_only=True))
def test_unit_quantities_are_solved_exactly(problem):
    check(problem)


@settings(max_examples=40, deadline=None)
@given(problems(), st.integers(0, 2))
def test_more_supply_is_never_worth_less(problem, pool):
    before = allocate(problem, time_limit_s=20).objective
    more = problem.capacity.copy()
    more[pool % len(more)] += 1
    after = allocate(
        Problem(problem.line_count, problem.line, problem.pool, problem.quantity, problem.power_pool, problem.power,
                problem.value, more), time_limit_s=20,
    ).objective  # fmt: skip
    assert after >= before - 1e-5


def test_greedy_can_be_beaten():
    """The reason for a solver: the most valuable pair first would leave one line unserved."""
    problem = Problem(
        2, np.array([0, 0, 1]), np.array([0, 1, 0]), np.ones(3), np.full(3, -1), np.zeros(3),
        np.array([1.2, 1.0, 1.1]), np.array([1.0, 1.0]),
    )  # fmt: skip
    assert greedy(problem).objective == 1.2
    assert allocate(problem).objective == 2.1


def test_nothing_to_allocate_is_no_error():
    empty = Problem(
        2,
        np.array([], int),
        np.array([], int),
        np.array([]),
        np.array([], int),
        np.array([]),
        np.array([]),
        np.array([]),
    )
    solution = allocate(empty)
    assert list(solution.choice) == [-1, -1]
    assert solution.gap == 0
