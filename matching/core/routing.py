"""Routes through a network: the cheapest, others that differ, a disjoint pair, and many that share what there is.

Shortest paths by scipy's Dijkstra in a limited radius of cost, widened until the far end is reached. Alternatives: the
edges of what was found are made dearer and the search repeated (penalty method). A disjoint pair: Suurballe's algorithm
(Networks 4, 1974). Many routes that share capacity: negotiated prices on crowded edges (McMurchie and Ebeling,
"PathFinder", FPGA 1995), then in order of priority with what is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from .network import TRANSFER, Network, Terms
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
    """Two paths that share no segment and no gap and are cheapest together; None where there are none.

    Each may get on and off the network where it likes. What they may share: the way from an asked end to a node, and
    transfers, which are patches between two owners at one spot and no cable of their own.
    """
    network = router.network
    arcs = _arcs(router, costs(network, units, closed), start, end)
    source, sink = router.count, router.count + 1
    distance, before = _search(arcs.weight, arcs, np.isfinite(arcs.weight), source, router.count + 2)
    if not np.isfinite(distance[sink]):
        return None
    first = _back(before, source, sink)
    # Suurballe: what is on the first path may be taken back for nothing, and is closed unless it may be shared.
    near = np.where(np.isfinite(distance), distance, 0.0)
    reduced = np.maximum(arcs.weight + near[arcs.tail] - near[arcs.head], 0.0)
    keep = np.isfinite(arcs.weight) & np.isfinite(distance[arcs.tail])
    keep[first[~arcs.may_share[first]]] = False
    reduced[arcs.back[first]] = 0.0
    far, before = _search(reduced, arcs, keep, source, router.count + 2)
    if not np.isfinite(far[sink]):
        return None
    steps = first.tolist()
    for arc in _back(before, source, sink).tolist():
        undone = int(arcs.back[arc])
        if undone in steps:
            steps.remove(undone)
        else:
            steps.append(arc)
    one, other = (_path_of(arcs, _walk(arcs, steps, source, sink), router.terms) for _ in range(2))
    if not len(one.edges) or not len(other.edges):
        return None
    return (one, other) if one.cost_fen <= other.cost_fen else (other, one)


@dataclass(frozen=True)
class _Arcs:
    """Both directions of every edge, and of the ways from the asked ends to their doors (edge −1).

    back: the arc the other way. metres: to be built to a door, 0 for edges.
    """

    tail: IntArray
    head: IntArray
    edge: IntArray
    back: IntArray
    weight: FloatArray
    metres: FloatArray
    may_share: BoolArray


def _arcs(router: Router, weight: FloatArray, start: FloatArray, end: FloatArray) -> _Arcs:
    network = router.network
    (here, here_m), (there, there_m) = router.doors(start), router.doors(end)
    metres = np.r_[np.zeros(len(weight)), here_m, there_m]
    tail = np.r_[network.a, np.full(len(here), router.count), there]
    head = np.r_[network.b, here, np.full(len(there), router.count + 1)]
    edge = np.r_[np.arange(len(weight)), np.full(len(here) + len(there), -1)]
    doors = np.r_[here_m, there_m] * router.terms.gap_fen_per_m / router.terms.gap_life_years
    there_and_back = np.r_[weight, doors, weight, np.full(len(doors), np.inf)]  # nobody goes back to an asked end
    count = len(edge)
    may_share = np.r_[network.kind == TRANSFER, np.ones(len(doors), dtype=bool)]
    return _Arcs(
        np.r_[tail, head], np.r_[head, tail], np.r_[edge, edge],
        np.r_[np.arange(count, 2 * count), np.arange(count)], there_and_back,
        np.r_[metres, metres], np.r_[may_share, may_share],
    )  # fmt: skip


def _search(
    weight: FloatArray, arcs: _Arcs, keep: BoolArray, source: int, size: int
) -> tuple[FloatArray, Callable[[int], tuple[int, int]]]:
    """(cost to every node; from a node to the one before it and the arc between them)."""
    index = np.flatnonzero(keep)
    order = index[np.lexsort((weight[index], arcs.head[index], arcs.tail[index]))]
    tail, head = arcs.tail[order], arcs.head[order]
    one = np.r_[True, (np.diff(tail) != 0) | (np.diff(head) != 0)] if len(order) else np.zeros(0, dtype=bool)
    order, tail, head = order[one], tail[one], head[one]
    # A weight of exactly 0 would be read as "no edge".
    graph: Any = csr_matrix((np.maximum(weight[order], 1e-9), (tail, head)), shape=(size, size))
    distance, before = shortest(graph, indices=source, return_predecessors=True)
    key = tail * size + head  # ascending

    def step(node: int) -> tuple[int, int]:
        last = int(before[node])
        return last, int(order[np.searchsorted(key, last * size + node)])

    return distance, step


def _back(before: Callable[[int], tuple[int, int]], source: int, sink: int) -> IntArray:
    """The arcs of the path found, from the source on."""
    arcs, at = [], sink
    while at != source:
        at, arc = before(at)
        arcs.append(arc)
    return np.array(arcs[::-1], dtype=np.int64)


def _walk(arcs: _Arcs, steps: list[int], source: int, sink: int) -> list[int]:
    """Takes one path out of the arcs of two; a ring on the way, which costs nothing, is left out."""
    at, taken = source, []
    while at != sink:
        arc = next(s for s in steps if arcs.tail[s] == at)
        steps.remove(arc)
        taken.append(arc)
        at = int(arcs.head[arc])
        met = [k for k, s in enumerate(taken) if arcs.tail[s] == at]
        if met:
            del taken[met[0] :]
    return taken


def _path_of(arcs: _Arcs, steps: list[int], terms: Terms) -> Path:
    at = np.array(steps, dtype=np.int64)
    edges = arcs.edge[at]
    return Path(
        edges[edges >= 0], int(arcs.head[at[0]]), int(arcs.tail[at[-1]]),
        float(arcs.weight[at].sum()), float(arcs.metres[at].sum()),
    )  # fmt: skip


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
