"""Routes through a network: the cheapest, others that differ, a disjoint pair, and many that share what there is.

Shortest paths by scipy's Dijkstra in a limited radius of cost, widened until the far end is reached. Alternatives: the
edges of what was found are made dearer and the search repeated (penalty method). A disjoint pair: Suurballe's algorithm
(Networks 4, 1974). Many routes that share capacity: negotiated prices on crowded edges (McMurchie and Ebeling,
"PathFinder", FPGA 1995), then in order of priority with what is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from .network import Network, Terms
from .problem import BoolArray, FloatArray, IntArray

PENALTY = 1.6  # an edge already on a route counts this much more when another is looked for
OVERLAP_MAX = 0.7  # a route that shares more of its length with one found already does not differ
DOORS = 6  # nodes by which a place gets on the network
ROUNDS = 4  # of negotiated prices
CROWDED = 0.6  # how much dearer an edge becomes per unit asked beyond its capacity, as a part of its own cost

shortest: Any = dijkstra  # the stubs of scipy know no sparse matrix as a graph


@dataclass(frozen=True)
class Asked:
    """r routes: from and to are places (r, 2) in metres; units: (r,); order: (r,), lower goes first."""

    start: FloatArray
    end: FloatArray
    units: FloatArray
    order: IntArray


@dataclass(frozen=True)
class Path:
    """edges in order from the start; enter, leave: nodes; access_m: metres to build from the asked ends to them."""

    edges: IntArray
    enter: int
    leave: int
    cost_fen: float
    access_m: float


class Router:
    """Searches one network again and again; edge costs and capacities are set before each search."""

    def __init__(self, network: Network, terms: Terms = Terms()):  # noqa: B008  frozen
        self.network, self.terms = network, terms
        self.count = len(network.place)
        both = np.concatenate([np.arange(len(network.a)), np.arange(len(network.a))])
        tail, head = np.concatenate([network.a, network.b]), np.concatenate([network.b, network.a])
        # Parallel edges keep an arc each through a second key: the cheapest is chosen when weights are set.
        order = np.lexsort((head, tail))
        self.arc_edge, self.tail, self.head = both[order], tail[order], head[order]
        first = np.r_[True, (np.diff(self.tail) != 0) | (np.diff(self.head) != 0)] if len(order) else np.zeros(0, bool)
        self.group = np.cumsum(first) - 1
        self.starts = np.flatnonzero(first)
        self.indptr = np.searchsorted(self.tail[self.starts], np.arange(self.count + 1))
        self.indices = self.head[self.starts].astype(np.int32)
        self.tree = cKDTree(network.place) if self.count else None
        span = np.ptp(network.place, axis=0).max() if self.count else 0.0
        self.per_metre = 1.0
        self.span = float(span)
        self.best_arc = self.starts
        self.kept_edge = self.arc_edge
        self.graph: Any = csr_matrix((self.count + 1, self.count + 1))  # the stubs of scipy do not know it as a graph

    def set_weights(self, weight: FloatArray) -> None:
        """weight: (edges,) ≥ 0; inf closes an edge."""
        by_arc = weight[self.arc_edge]
        order = np.lexsort((by_arc, self.group))
        self.best_arc = order[np.searchsorted(self.group[order], np.arange(len(self.starts)))]
        data = by_arc[self.best_arc]
        open_ = np.isfinite(data)
        metres = self.network.length_m
        busy = (metres > 0) & np.isfinite(weight)
        self.per_metre = float(np.median(weight[busy] / metres[busy])) if busy.any() else 1.0
        kept = np.flatnonzero(open_)
        indptr = np.r_[0, np.cumsum(open_)][self.indptr]
        # One row more: a node "here", whose arcs lead to the doors of the place a search starts from (set by path()).
        indices = np.r_[self.indices[kept], np.zeros(DOORS, dtype=np.int32)]
        size = self.count + 1
        # A weight of exactly 0 would be read as "no edge".
        data = np.r_[np.maximum(data[kept], 1e-9), np.zeros(DOORS)]
        self.graph = csr_matrix((data, indices, np.r_[indptr, len(data)]), shape=(size, size))
        self.kept_edge = self.arc_edge[self.best_arc[kept]]

    def edge_between(self, a: int, b: int) -> int:
        """The edge the search used from node a to node b."""
        low, high = self.graph.indptr[a], self.graph.indptr[a + 1]
        return int(self.kept_edge[low + int(np.searchsorted(self.graph.indices[low:high], b))])

    def doors(self, place: FloatArray) -> tuple[IntArray, FloatArray]:
        """(nodes, metres) by which a place gets on the network: the nearest few in reach."""
        if self.tree is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        apart, node = self.tree.query(place, k=min(self.count, DOORS), distance_upper_bound=self.terms.gap_max_m)
        apart, node = np.atleast_1d(apart), np.atleast_1d(node)
        hit = np.isfinite(apart)
        return node[hit].astype(np.int64), apart[hit]

    def path(self, start: FloatArray, end: FloatArray) -> Path | None:
        """The cheapest path between two places by the weights set; access is built at the price of a gap."""
        built = self.terms.gap_fen_per_m / self.terms.gap_life_years
        doors_a, apart_a = self.doors(start)
        doors_b, apart_b = self.doors(end)
        if not len(doors_a) or not len(doors_b):
            return None
        straight = float(np.hypot(*(start - end)))
        limit = self.per_metre * max(straight * 1.5, 300.0) + float(apart_a.min()) * built
        limit = max(limit, 1.0)  # where lines are free it would be 0, and twice 0 is 0
        most = (self.per_metre + built) * (self.span + straight) * 50 + self.terms.transfer_fen_per_year * 1000
        here = np.resize(np.argsort(doors_a), DOORS)  # ascending, as rows of a graph are; a door twice does no harm
        here.sort()
        order = np.argsort(doors_a)[here]
        self.graph.indices[-DOORS:] = doors_a[order]
        self.graph.data[-DOORS:] = np.maximum(apart_a[order] * built, 1e-9)
        while True:
            distance, before = shortest(self.graph, indices=self.count, limit=limit, return_predecessors=True)
            total = distance[doors_b] + apart_b * built
            at = int(np.argmin(total))
            # Beyond the limit nothing is known: a door there would cost more than that and its own access.
            if total[at] <= limit + float(apart_b.min()) * built or (np.isfinite(total[at]) and limit > most):
                nodes = [int(doors_b[at])]
                while int(before[nodes[-1]]) != self.count:
                    nodes.append(int(before[nodes[-1]]))
                apart = float(apart_a[np.flatnonzero(doors_a == nodes[-1])[0]])
                edges = [self.edge_between(b, a) for a, b in zip(nodes, nodes[1:], strict=False)]
                return Path(
                    np.array(edges[::-1], dtype=np.int64), nodes[-1], nodes[0], float(total[at]),
                    apart + float(apart_b[at]),
                )  # fmt: skip
            if limit > most:
                return None
            limit *= 2


def costs(network: Network, units: float, closed: BoolArray | None = None) -> FloatArray:
    """(edges,) fen per year for so many units; inf where they do not fit or the edge is closed."""
    weight = network.fixed_fen + units * network.unit_fen
    shut = network.capacity < units - 1e-9
    if closed is not None:
        shut |= closed
    return np.where(shut, np.inf, weight)


def alternatives(
    router: Router, start: FloatArray, end: FloatArray, units: float, count: int, *, closed: BoolArray | None = None
) -> list[Path]:
    """The cheapest path and up to count others that differ from it and from one another, cheapest first."""
    network = router.network
    plain = costs(network, units, closed)
    weight = plain.copy()
    found: list[Path] = []
    for _ in range(count * 3 + 1):
        router.set_weights(weight)
        path = router.path(start, end)
        if path is None:
            break
        if all(_shared(network, path.edges, other.edges) <= OVERLAP_MAX for other in found):
            built = router.terms.gap_fen_per_m / router.terms.gap_life_years
            found.append(replace(path, cost_fen=float(plain[path.edges].sum()) + path.access_m * built))
        weight[path.edges] *= PENALTY
        if len(found) > count:
            break
    return sorted(found, key=lambda path: path.cost_fen)


def _shared(network: Network, edges: IntArray, others: IntArray) -> float:
    """The part of a path's length that another has too."""
    total = float(network.length_m[edges].sum())
    return float(network.length_m[np.intersect1d(edges, others)].sum()) / total if total else 1.0


def disjoint_pair(
    router: Router, start: FloatArray, end: FloatArray, units: float, *, closed: BoolArray | None = None
) -> tuple[Path, Path] | None:
    """Two paths between the same doors that share no edge and are cheapest together; None where there are none."""
    network = router.network
    weight = costs(network, units, closed)
    router.set_weights(weight)
    first = router.path(start, end)
    if first is None or not len(first.edges):
        return None
    distance = np.minimum(shortest(router.graph, indices=first.enter)[: router.count], 1e15)
    tail, head = np.r_[network.a, network.b], np.r_[network.b, network.a]
    edge = np.r_[np.arange(len(weight)), np.arange(len(weight))]
    reduced = weight[edge] + distance[tail] - distance[head]
    step = _directed(network, first)
    forward = {(e, a) for e, a, _ in step}
    on_path = np.isin(edge, first.edges)
    is_forward = np.array(
        [(e, t) in forward for e, t in zip(edge[on_path].tolist(), tail[on_path].tolist(), strict=True)]
    )
    keep = np.isfinite(reduced)
    cost = np.where(on_path, 0.0, np.maximum(reduced, 0.0))
    index = np.flatnonzero(on_path)
    keep[index[is_forward]] = False
    arcs = np.flatnonzero(keep)
    order = arcs[np.lexsort((cost[arcs], head[arcs], tail[arcs]))]
    one = order[np.r_[True, (np.diff(tail[order]) != 0) | (np.diff(head[order]) != 0)]]
    graph: Any = csr_matrix((cost[one] + 1e-9, (tail[one], head[one])), shape=(router.count, router.count))
    far, before = shortest(graph, indices=first.enter, return_predecessors=True)
    if not np.isfinite(far[first.leave]):
        return None
    by_arc = {(int(tail[k]), int(head[k])): int(edge[k]) for k in one}
    nodes = [first.leave]
    while nodes[-1] != first.enter:
        nodes.append(int(before[nodes[-1]]))
    nodes.reverse()
    second = [(by_arc[a, b], a, b) for a, b in zip(nodes, nodes[1:], strict=False)]
    undone = {e for e, a, _ in second if (e, a) not in forward and any(e == f for f, _, _ in step)}
    rest = [s for s in step + second if s[0] not in undone]
    paths = [_walk(rest, first.enter, first.leave) for _ in range(2)]
    built = router.terms.gap_fen_per_m / router.terms.gap_life_years * first.access_m
    pair = [
        Path(np.array(e, dtype=np.int64), first.enter, first.leave, float(weight[e].sum()) + built, first.access_m)
        for e in paths
    ]
    pair.sort(key=lambda path: path.cost_fen)
    return pair[0], pair[1]


def _directed(network: Network, path: Path) -> list[tuple[int, int, int]]:
    """(edge, from node, to node) along a path."""
    at, steps = path.enter, []
    for e in path.edges.tolist():
        to = int(network.b[e]) if int(network.a[e]) == at else int(network.a[e])
        steps.append((e, at, to))
        at = to
    return steps


def _walk(steps: list[tuple[int, int, int]], start: int, end: int) -> list[int]:
    """Takes one path out of the steps of two: its edges."""
    out: dict[int, list[tuple[int, int, int]]] = {}
    for s in steps:
        out.setdefault(s[1], []).append(s)
    at, edges = start, []
    while at != end:
        s = out[at].pop()
        steps.remove(s)
        edges.append(s[0])
        at = s[2]
    return edges


def route_all(router: Router, asked: Asked, *, closed: Sequence[BoolArray | None] | None = None) -> list[Path | None]:
    """A path for each, so that no line carries more units than it has; None: not with what is left.

    closed: per route the edges it may not use. Crowded lines become dearer over a few rounds, so that those who can
    move at little cost do; then paths are given in order, with what is left. Capacity is counted per line of the
    network, over all its pieces.
    """
    network = router.network
    shut = closed or [None] * len(asked.units)
    has = network.source >= 0
    room = np.full(int(network.source.max()) + 1 if has.any() else 0, np.inf)
    np.minimum.at(room, network.source[has], network.capacity[has])
    crowd = _crowds(router, asked, shut, has, room)
    left = room.copy()
    result: list[Path | None] = [None] * len(asked.units)
    built = router.terms.gap_fen_per_m / router.terms.gap_life_years
    state: tuple[float, bytes, bytes] | None = None
    plain = np.zeros(0)
    for r in np.lexsort((np.arange(len(asked.units)), asked.order)).tolist():
        units = float(asked.units[r])
        full = left < units - 1e-9
        key = (units, b"" if shut[r] is None else shut[r].tobytes(), full.tobytes())
        if key != state:  # otherwise the weights of the route before hold
            plain = costs(network, units, shut[r])
            plain[has] = np.where(full[network.source[has]], np.inf, plain[has])
            weight = plain.copy()
            weight[has] *= 1 + crowd[network.source[has]]
            router.set_weights(weight)
            state = key
        path = router.path(asked.start[r], asked.end[r])
        if path is not None:
            result[r] = replace(path, cost_fen=float(plain[path.edges].sum()) + path.access_m * built)
            left[_lines_of(network, path)] -= units
    return result


def _crowds(
    router: Router, asked: Asked, shut: Sequence[BoolArray | None], has: BoolArray, room: FloatArray
) -> FloatArray:
    """(lines,): how much dearer each line of the network is, as a part of its cost, once everybody has negotiated."""
    network = router.network
    crowd = np.zeros(len(room))
    groups: dict[tuple[float, bytes], list[int]] = {}
    for r, units in enumerate(asked.units.tolist()):
        mask = shut[r]
        groups.setdefault((units, b"" if mask is None else mask.tobytes()), []).append(r)
    for _ in range(ROUNDS):
        load = np.zeros(len(room))
        for (units, _mask), members in groups.items():
            base = costs(network, units, shut[members[0]])
            base[has] *= 1 + crowd[network.source[has]]
            router.set_weights(base)
            for r in members:
                path = router.path(asked.start[r], asked.end[r])
                if path is not None:
                    load[_lines_of(network, path)] += units
        over = load - room
        if not (over > 1e-9).any():
            break
        crowd += np.where(over > 1e-9, CROWDED * over / np.maximum(room, 1.0), 0.0)
    return crowd


def _lines_of(network: Network, path: Path) -> IntArray:
    source = np.unique(network.source[path.edges])
    result: IntArray = source[source >= 0]
    return result
