"""Networks and routes: snapping, transfers, gaps, planned works, alternatives, disjoint pairs, shared capacity."""

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.core.network import GAP, SEGMENT, TRANSFER, Network, Terms, build
from matching.core.routing import Asked, Router, alternatives, costs, disjoint_pair, route_all

NO_GAPS = Terms(gaps_per_node=0)


def network_of(*lines, owner=None, capacity=None, price=None, planned=None, may_join=None, terms=NO_GAPS):
    count = len(lines)
    return build(
        [shapely.LineString(line) for line in lines],
        owner=np.array(owner or [0] * count, int),
        capacity=np.array(capacity or [10] * count, float),
        price_fen_per_unit_km=np.array(price or [1000] * count, float),
        is_planned=np.array(planned or [False] * count, bool),
        may_join=np.array(may_join or [True] * count, bool),
        terms=terms,
    )


def route(network, start, end, units=1.0, terms=NO_GAPS):
    router = Router(network, terms)
    router.set_weights(costs(network, units))
    return router.path(np.array(start, float), np.array(end, float))


def test_ends_within_the_tolerance_are_one_chamber_and_farther_ones_are_not():
    near = network_of([(0, 0), (1000, 0)], [(1003, 2), (2000, 0)])
    assert len(near.place) == 3
    assert route(near, (0, 0), (2000, 0)) is not None
    apart = network_of([(0, 0), (1000, 0)], [(1010, 0), (2000, 0)])
    assert len(apart.place) == 4
    assert route(apart, (0, 0), (2000, 0)) is None


def test_line_is_cut_where_another_ends_on_it():
    network = network_of([(0, 0), (1000, 0)], [(400, 2), (400, 800)])
    assert sorted(np.round(network.length_m)) == [400, 600, 798]
    assert network.source.tolist() == [0, 0, 1]
    path = route(network, (0, 0), (400, 800))
    assert network.length_m[path.edges].sum() == pytest.approx(1198, abs=1)


def test_lines_that_merely_cross_do_not_join():
    assert route(network_of([(0, 0), (1000, 0)], [(500, -500), (500, 500)]), (0, 0), (500, 500)) is None


def test_going_over_to_another_owner_is_a_transfer_and_costs_once():
    network = network_of([(0, 0), (1000, 0)], [(1000, 0), (2000, 0)], owner=[7, 8])
    path = route(network, (0, 0), (2000, 0), units=2)
    assert network.kind[path.edges].tolist() == [SEGMENT, TRANSFER, SEGMENT]
    assert path.cost_fen == pytest.approx(2 * 1000 * 2 + NO_GAPS.transfer_fen_per_year)


def test_gap_is_built_where_that_is_cheaper_than_the_way_round_and_never_at_a_blurred_place():
    terms = Terms(gap_max_m=100, gap_fen_per_m=2_000, transfer_fen_per_year=0)
    lines = [(0, 0), (1000, 0)], [(1050, 0), (2000, 0)]
    path = route(gapped := network_of(*lines, terms=terms), (0, 0), (2000, 0), terms=terms)
    assert gapped.kind[path.edges].tolist() == [SEGMENT, GAP, SEGMENT]
    assert path.cost_fen == pytest.approx(1950 + 50 * 2_000 / 20)
    blurred = network_of(*lines, terms=terms, may_join=[True, False])
    assert route(blurred, (0, 0), (2000, 0), terms=terms) is None


def test_unknown_price_counts_as_the_median_and_planned_works_are_marked():
    network = network_of([(0, 0), (1000, 0)], [(1000, 0), (2000, 0)], price=[3000, float("nan")], planned=[False, True])
    assert network.unit_fen.tolist() == [3000, 3000]
    assert network.is_planned.tolist() == [False, True]


LADDER = [
    [(0, 0), (1000, 0)],
    [(1000, 0), (2000, 0)],
    [(0, 0), (0, 300), (1000, 300)],
    [(1000, 300), (2000, 300), (2000, 0)],
    [(1000, 0), (1000, 300)],
]


def test_alternatives_differ_and_the_cheapest_comes_first():
    network = network_of(*LADDER)
    found = alternatives(Router(network, NO_GAPS), np.array([0.0, 0]), np.array([2000.0, 0]), 1.0, 2)
    assert [round(path.cost_fen) for path in found] == sorted(round(path.cost_fen) for path in found)
    assert found[0].cost_fen == pytest.approx(2000)
    assert len(found) >= 2
    for one, other in itertools.combinations(found, 2):
        assert set(one.edges.tolist()) != set(other.edges.tolist())


def test_disjoint_pair_shares_no_edge_where_the_cheapest_path_must_give_way():
    """The classic trap: the cheapest path alone takes both edges that every pair needs."""
    lines = [
        [(0, 0), (100, 100)], [(0, 0), (100, -100)], [(100, 100), (100, -100)], [(100, 100), (300, 0)],
        [(100, -100), (300, 0)],
    ]  # fmt: skip
    network = network_of(*lines, price=[1000, 5000, 100, 9000, 1000])
    cheapest = route(network, (0, 0), (300, 0))
    assert network.source[cheapest.edges].tolist() == [0, 2, 4]
    pair = disjoint_pair(Router(network, NO_GAPS), np.array([0.0, 0]), np.array([300.0, 0]), 1.0)
    edges = [set(path.edges.tolist()) for path in pair]
    assert not edges[0] & edges[1]
    assert sorted(sorted(network.source[list(e)].tolist()) for e in edges) == [[0, 3], [1, 4]]
    assert disjoint_pair(Router(network_of(lines[0]), NO_GAPS), np.zeros(2), np.array([100.0, 100]), 1.0) is None


def test_capacity_holds_over_the_whole_list_and_the_first_in_order_goes_first():
    network = network_of(*LADDER, capacity=[2, 2, 1, 1, 1])  # two units along the bottom, one along the top
    start, end = np.zeros((5, 2)), np.tile([2000.0, 0.0], (5, 1))
    asked = Asked(start, end, np.ones(5), np.array([2, 2, 1, 1, 1]))
    found = route_all(Router(network, NO_GAPS), asked)
    assert [path is not None for path in found] == [False, False, True, True, True]
    load = np.zeros(5)
    for path in found:
        if path is not None:
            load[np.unique(network.source[path.edges])] += 1
    assert (load <= [2, 2, 1, 1, 1]).all()


@st.composite
def grids(draw):
    """A small grid with some edges left out, uneven prices and capacities, two owners."""
    side = 4
    spots = [(x * 100.0, y * 100.0) for x in range(side) for y in range(side)]
    near = [(p, q) for p in spots for q in spots if p < q and abs(p[0] - q[0]) + abs(p[1] - q[1]) == 100]
    kept = [pair for pair in near if draw(st.integers(0, 5))]
    count = len(kept)
    price = draw(st.lists(st.integers(1, 9), min_size=count, max_size=count))
    owner = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    capacity = draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    terms = Terms(gaps_per_node=0, transfer_fen_per_year=float(draw(st.integers(0, 3))))
    return network_of(*kept, price=[p * 100 for p in price], owner=owner, capacity=capacity, terms=terms), terms


def relaxed(network, weight, start):
    """Cheapest cost from a node to every node, by relaxing all edges again and again (Bellman and Ford)."""
    far = np.full(len(network.place), np.inf)
    far[start] = 0
    for _ in range(len(far)):
        np.minimum.at(far, network.b, far[network.a] + weight)
        np.minimum.at(far, network.a, far[network.b] + weight)
    return far


@settings(max_examples=40, deadline=None)
@given(grids(), st.integers(0, 15), st.integers(0, 15))
def test_path_is_as_cheap_as_plain_relaxation_finds(grid, i, j):
    network, terms = grid
    start, end = (np.array([(n // 4) * 100.0, (n % 4) * 100.0]) for n in (i, j))
    path = route(network, start, end, terms=terms)
    weight = costs(network, 1.0)
    built = terms.gap_fen_per_m / terms.gap_life_years
    router = Router(network, terms)
    best = float("inf")
    doors_a, doors_b = router.doors(start), router.doors(end)
    for a, metres_a in zip(*doors_a, strict=True):
        far = relaxed(network, weight, int(a))
        for b, metres_b in zip(*doors_b, strict=True):
            best = min(best, far[int(b)] + (metres_a + metres_b) * built)
    assert (path.cost_fen if path else float("inf")) == pytest.approx(best, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(grids(), st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15), st.integers(1, 2)), min_size=1, max_size=6))
def test_no_line_ever_carries_more_than_it_has(grid, wishes):
    network, terms = grid
    spot = np.array([[(n // 4) * 100.0, (n % 4) * 100.0] for n in range(16)])
    asked = Asked(
        spot[[w[0] for w in wishes]], spot[[w[1] for w in wishes]], np.array([w[2] for w in wishes], float),
        np.zeros(len(wishes), int),
    )  # fmt: skip
    found = route_all(Router(network, terms), asked)
    room = {int(s): float(c) for s, c in zip(network.source, network.capacity, strict=True) if s >= 0}
    for (_, _, units), path in zip(wishes, found, strict=True):
        for source in set(network.source[path.edges].tolist()) - {-1} if path else ():
            room[source] -= units
    assert all(left >= 0 for left in room.values())


def test_empty_network_has_no_route():
    empty = network_of()
    assert isinstance(empty, Network)
    assert route(empty, (0, 0), (1, 1)) is None
