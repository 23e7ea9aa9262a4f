"""New towers for several lines: within the radius and the tenants, and as few as can be."""

import itertools
import time

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from matching.core.cobuild import _fewest, _greedily, towers

RADIUS_M, TENANTS = 300.0, 4.0


@st.composite
def needs(draw):
    count = draw(st.integers(1, 6))
    spot = st.tuples(st.integers(0, 12), st.integers(0, 12))
    place = np.array([draw(spot) for _ in range(count)], float) * 100
    units = np.array([draw(st.integers(1, 3)) for _ in range(count)], float)
    return place, units


GRID = np.stack(np.meshgrid(np.arange(-300, 1501, 10), np.arange(-300, 1501, 10)), -1).reshape(-1, 2)


def fewest(place, units):
    """By trying every way of parting the lines; one tower serves a part where some point reaches each, with room."""
    count = len(place)
    reached = np.hypot(*(GRID[:, None, :] - place[None]).transpose(2, 0, 1)) <= RADIUS_M - 8  # the grid: a hair inside
    best = count
    for labels in itertools.product(range(count), repeat=count):
        groups = [np.flatnonzero(np.array(labels) == label) for label in set(labels)]
        if len(groups) < best and all(units[g].sum() <= TENANTS and reached[:, g].all(axis=1).any() for g in groups):
            best = len(groups)
    return best


@settings(max_examples=60, deadline=None)
@given(needs())
def test_each_tower_reaches_its_lines_and_holds_them(need):
    place, units = need
    found = towers(place, units, np.full(len(place), np.nan), radius_m=RADIUS_M, tenants=TENANTS)
    assert sorted(np.concatenate([t.members for t in found]).tolist()) == list(range(len(place)))
    for tower in found:
        assert np.hypot(*(place[tower.members] - tower.place).T).max() <= RADIUS_M + 0.01
        assert units[tower.members].sum() <= TENANTS


@settings(max_examples=8, deadline=None)
@given(needs().filter(lambda need: len(need[0]) <= 4))
@example((np.array([[0.0, 0.0], [200.0, 0.0], [100.0, 0.0]]), np.array([2.0, 2.0, 3.0])))  # each spot reaches all
def test_as_few_towers_as_can_be(need):
    place, units = need
    found = towers(place, units, np.full(len(place), np.nan), radius_m=RADIUS_M, tenants=TENANTS)
    least = fewest(place, units)
    assert len(found) <= least
    assert _fewest(place, units, RADIUS_M, TENANTS) <= len(found)


def test_highest_asked_height_is_the_towers():
    found = towers(np.zeros((2, 2)), np.ones(2), np.array([25.0, np.nan]), radius_m=100, tenants=9)
    assert [(t.members.tolist(), t.height_m) for t in found] == [([0, 1], 25.0)]


def test_large_groups_are_served_greedily_within_the_same_rules():
    rng = np.random.default_rng(0)
    place, units = rng.uniform(0, 2_000, (60, 2)), np.ones(60)
    found = towers(place, units, np.full(60, np.nan), radius_m=RADIUS_M, tenants=TENANTS)
    assert sum(len(t.members) for t in found) == 60
    assert len(found) < 30
    both, none = [np.array([0, 1])], [np.zeros(2)]
    assert _greedily(both, none, np.array([3.0, 2.0]), 4.0)[0][1].tolist() == [0]


def test_hundreds_of_lines_in_one_crowd_take_a_moment():
    """A run stood still here once: groups had five seconds each, and large ones a table of all."""
    rng = np.random.default_rng(1)
    place = rng.uniform(0, 12_000, (800, 2))
    began = time.process_time()
    found = towers(place, np.ones(800), np.full(800, np.nan), radius_m=RADIUS_M, tenants=TENANTS)
    assert sum(len(t.members) for t in found) == 800
    assert time.process_time() - began < 8


def test_a_tower_stands_where_its_lines_walk_least():
    """Three lines in a row: in the middle, not at an end from which all are reached too."""
    place = np.array([[0.0, 0], [100, 0], [200, 0], [2_000, 0], [2_000, 100]])
    found = towers(place, np.ones(5), np.full(5, np.nan), radius_m=RADIUS_M, tenants=TENANTS)
    assert sorted(t.members.tolist() for t in found) == [[0, 1, 2], [3, 4]]
    assert min(found, key=lambda t: t.place[0]).place.tolist() == [100.0, 0.0]
