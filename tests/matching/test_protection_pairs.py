"""Protection pairs and transfers, against an enumeration of every path and a count over the legs."""

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.core.network import GAP, SEGMENT, TRANSFER, Network, Terms, build
from matching.core.routing import Path, Router, costs, disjoint_pair
from matching.routes import transfers_of

TERMS = Terms(gap_max_m=60, gap_fen_per_m=400, transfer_fen_per_year=700, gaps_per_node=2)
START, END = np.array([0.0, 0.0]), np.array([200.0, 100.0])


def network_of(lines: list, owner: list[int], price: list[float]) -> Network:
    count = len(lines)
    return build(
        [shapely.LineString(line) for line in lines], owner=np.array(owner), capacity=np.full(count, 10.0),
        price_fen_per_unit_km=np.array(price, float), is_planned=np.zeros(count, bool), may_join=np.ones(count, bool),
        terms=TERMS,
    )  # fmt: skip


@st.composite
def networks(draw):
    """Three spots by two, two owners; some lines end 20 m short, so that gaps are dug."""
    spots = [(x * 100.0, y * 100.0) for x in range(3) for y in range(2)]
    near = [(p, q) for p in spots for q in spots if p < q and abs(p[0] - q[0]) + abs(p[1] - q[1]) == 100]
    kept = [pair for pair in near for _ in range(draw(st.sampled_from((1, 1, 1, 2, 0))))]
    lines = []
    for p, q in kept:
        short = 0.2 if draw(st.integers(0, 6)) == 6 else 0.0
        lines.append([p, (q[0] - short * (q[0] - p[0]), q[1] - short * (q[1] - p[1]))])
    owner = draw(st.lists(st.integers(1, 2), min_size=len(kept), max_size=len(kept)))
    price = draw(st.lists(st.integers(1, 60_000), min_size=len(kept), max_size=len(kept)))
    return network_of(lines, owner, price)


def every_path(router: Router) -> list[tuple[float, frozenset[int]]]:
    """(cost, what it may not share) of every path that meets no node twice."""
    network, weight = router.network, costs(router.network, 1.0)
    by_metre = TERMS.gap_fen_per_m / TERMS.gap_life_years
    leaves = dict(zip(*(v.tolist() for v in router.doors(END)), strict=True))
    out: dict[int, list[tuple[int, int]]] = {}
    for e, (a, b) in enumerate(zip(network.a.tolist(), network.b.tolist(), strict=True)):
        out.setdefault(a, []).append((e, b))
        out.setdefault(b, []).append((e, a))
    found = []

    def go(at: int, seen: set[int], cost: float, edges: list[int]) -> None:
        if at in leaves and edges:
            alone = frozenset(e for e in edges if network.kind[e] != TRANSFER)
            found.append((cost + leaves[at] * by_metre, alone))
        for e, to in out.get(at, ()):
            if to not in seen:
                go(to, seen | {to}, cost + float(weight[e]), [*edges, e])

    for node, metres in zip(*(v.tolist() for v in router.doors(START)), strict=True):
        go(node, {node}, metres * by_metre, [])
    return sorted(found, key=lambda one: one[0])


def cheapest_pair(router: Router) -> float | None:
    """What the cheapest two that share nothing cost together, by trying all."""
    paths, best = every_path(router), None
    for (one, mine), (other, theirs) in itertools.combinations(paths, 2):
        if best is not None and 2 * one >= best:
            break
        if (best is None or one + other < best) and not mine & theirs:
            best = one + other
    return best


@settings(max_examples=60, deadline=None)
@given(networks())
def test_the_pair_is_the_cheapest_of_all_pairs_that_share_no_segment_and_no_gap(network):
    router = Router(network, TERMS)
    pair = disjoint_pair(router, START, END, 1.0)
    best = cheapest_pair(router)
    assert (pair is None) == (best is None)
    if pair is not None:
        assert sum(path.cost_fen for path in pair) == pytest.approx(best, abs=1e-3)
        alone = [{e for e in path.edges.tolist() if network.kind[e] != TRANSFER} for path in pair]
        assert not alone[0] & alone[1]
        for path in pair:
            assert cost_walked(router, path) == pytest.approx(path.cost_fen, abs=1e-3)


def cost_walked(router: Router, path: Path) -> float:
    """The path's cost edge by edge; fails where an edge does not lead on from the one before."""
    network, at = router.network, path.enter
    for e in path.edges.tolist():
        assert at in (network.a[e], network.b[e])
        at = int(network.b[e]) if network.a[e] == at else int(network.a[e])
    assert at == path.leave
    built = path.access_m * TERMS.gap_fen_per_m / TERMS.gap_life_years
    return float(costs(network, 1.0)[path.edges].sum()) + built


def test_both_ways_of_a_pair_may_go_over_by_one_transfer():
    """Two cables of one owner lead to the chamber, two of another away from it: the pair was said not to exist."""
    lines = [
        [(0, 0), (50, 0), (100, 0)], [(0, 0), (50, 40), (100, 0)], [(100, 0), (150, 0), (200, 100)],
        [(100, 0), (150, 90), (200, 100)],
    ]  # fmt: skip
    network = network_of(lines, [1, 1, 2, 2], [1000] * 4)
    pair = disjoint_pair(Router(network, TERMS), START, END, 1.0)
    for path in pair:
        assert network.kind[path.edges].tolist() == [SEGMENT, TRANSFER, SEGMENT]


def test_pair_gets_on_the_network_at_another_owner_each_without_a_transfer():
    lines = [[(0, 0), (200, 100)], [(0, 0), (100, 100), (200, 100)]]
    network = network_of(lines, [1, 2], [1000, 1000])
    pair = disjoint_pair(Router(network, TERMS), START, END, 1.0)
    assert [network.kind[path.edges].tolist() for path in pair] == [[SEGMENT], [SEGMENT]]


def test_gap_between_two_lines_of_one_owner_costs_no_transfer():
    network = network_of([[(0, 0), (100, 0)], [(120, 0), (200, 100)]], [1, 1], [1000, 1000])
    assert network.fixed_fen[network.kind == GAP].tolist() == pytest.approx([20 * 400 / 20])
    network = network_of([[(0, 0), (100, 0)], [(120, 0), (200, 100)]], [1, 2], [1000, 1000])
    assert network.fixed_fen[network.kind == GAP].tolist() == pytest.approx([20 * 400 / 20 + 700])


def test_transfers_are_changes_of_owner_from_leg_to_leg():
    def segment(owner: int) -> dict:
        return {"kind": "segment", "owner": owner}

    dug = {"kind": "build"}
    assert transfers_of([]) == transfers_of([dug]) == transfers_of([segment(1), dug, segment(1)]) == 0
    assert transfers_of([segment(1), dug, segment(2), segment(2), segment(1), dug]) == 2
