"""A network out of lines of many owners: snapped at their ends, cut where others join, with gaps that could be built.

Places are metres in one plane. A node is a place where lines end or join; at it every owner has a side of its own, and
going from one owner's side to another's is a transfer. So a path's cost counts its transfers without a longer state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from .problem import BoolArray, FloatArray, IntArray

SEGMENT, TRANSFER, GAP = 0, 1, 2


@dataclass(frozen=True)
class Terms:
    """What decides a network. Metres; fen per year; gaps: fen to build a metre, written off over years."""

    tolerance_m: float = 5.0  # ends nearer than this are one chamber
    gap_max_m: float = 300.0  # farther apart nothing is offered to be built
    gap_fen_per_m: float = 30_000.0
    gap_life_years: float = 20.0
    transfer_fen_per_year: float = 100_000.0
    gaps_per_node: int = 3


@dataclass(frozen=True)
class Network:
    """Nodes 0..n−1 (a place and an owner) and undirected edges a–b, one row each.

    fixed_fen: per year whatever the units asked; unit_fen: per unit and year; both ≥ 0. capacity: free units (inf for
    transfers and gaps). source: the line an edge is part of, −1. place: (n, 2). shape: a polyline per edge.
    """

    place: FloatArray
    owner: IntArray
    a: IntArray
    b: IntArray
    kind: IntArray
    length_m: FloatArray
    fixed_fen: FloatArray
    unit_fen: FloatArray
    capacity: FloatArray
    source: IntArray
    is_planned: BoolArray
    shape: Sequence[shapely.LineString]


def build(
    lines: Sequence[shapely.LineString],
    *,
    owner: IntArray,
    capacity: FloatArray,
    price_fen_per_unit_km: FloatArray,
    is_planned: BoolArray,
    may_join: BoolArray,
    terms: Terms = Terms(),  # noqa: B008  frozen
) -> Network:
    """lines: one per published line. price: NaN (to be negotiated) counts as the median of the others.

    may_join: whether gaps may be built from it (no: its place is blurred).
    """
    pieces, source = _cut(lines, terms.tolerance_m)
    ends = np.array([[piece.coords[0], piece.coords[-1]] for piece in pieces]).reshape(-1, 2)[:, :2]
    spot = _snapped(ends, terms.tolerance_m)
    side, back = np.unique(np.stack([spot, np.repeat(owner[source], 2)], axis=1), axis=0, return_inverse=True)
    back = back.reshape(-1)
    first = np.zeros(len(side), dtype=np.int64)
    first[back[::-1]] = np.arange(len(back))[::-1]
    place = ends[first]
    known = price_fen_per_unit_km[np.isfinite(price_fen_per_unit_km)]
    price = np.where(np.isfinite(price_fen_per_unit_km), price_fen_per_unit_km, np.median(known) if len(known) else 0.0)
    length = shapely.length(np.array(pieces, dtype=object)) if pieces else np.zeros(0)
    parts = [_rows(back[0::2], back[1::2], SEGMENT, length, 0.0 * length, price[source] * length / 1000,
                   capacity[source], source, is_planned[source])]  # fmt: skip
    shapes = list(pieces)
    for one, other, sort in ((*_transfers(side), TRANSFER), (*_gaps(place, side, back, source, may_join, terms), GAP)):
        apart = np.hypot(*(place[one] - place[other]).T) if sort == GAP else np.zeros(len(one))
        # A gap may join two lines of one owner: that is no transfer.
        fee = np.where(side[one, 1] != side[other, 1], terms.transfer_fen_per_year, 0.0)
        cost = fee + apart * terms.gap_fen_per_m / terms.gap_life_years
        parts.append(
            _rows(one, other, sort, apart, cost, 0.0 * apart, np.full(len(one), np.inf), np.full(len(one), -1),
                  np.zeros(len(one), dtype=bool))
        )  # fmt: skip
        shapes += [shapely.LineString([place[i], place[j]]) for i, j in zip(one, other, strict=True)]
    a, b, kind, metres, fixed, unit, room, of, planned = (np.concatenate(v) for v in zip(*parts, strict=True))
    return Network(place, side[:, 1], a, b, kind, metres, fixed, unit, room, of, planned, shapes)


def _rows(
    a: IntArray, b: IntArray, kind: int, length: FloatArray, fixed: FloatArray, unit: FloatArray, room: FloatArray,
    source: IntArray, planned: BoolArray,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    return a, b, np.full(len(a), kind), length, fixed, unit, room, source, planned


def _cut(lines: Sequence[shapely.LineString], tolerance_m: float) -> tuple[list[shapely.LineString], IntArray]:
    """The lines cut where an end of another comes within the tolerance: (pieces, line of each)."""
    shapes = np.array(lines, dtype=object)
    tips = np.array([shapely.Point(line.coords[i]) for line in lines for i in (0, -1)], dtype=object)
    if not len(tips):
        return [], np.zeros(0, dtype=np.int64)
    tip, line = shapely.STRtree(shapes).query(tips, predicate="dwithin", distance=tolerance_m)
    others = tip // 2 != line
    tip, line = tip[others], line[others]
    at = shapely.line_locate_point(shapes[line], tips[tip])
    length = shapely.length(shapes)
    inside = (at > tolerance_m) & (at < length[line] - tolerance_m)
    cuts: dict[int, list[float]] = {}
    for i, metres in zip(line[inside].tolist(), at[inside].tolist(), strict=True):
        cuts.setdefault(i, []).append(metres)
    pieces: list[Any] = []
    source = []
    for i, shape in enumerate(lines):
        stops: list[float] = []
        for metres in sorted(cuts.get(i, ())):
            if not stops or metres - stops[-1] > tolerance_m:
                stops.append(metres)
        marks = [0.0, *stops, float(length[i])]
        for low, high in zip(marks, marks[1:], strict=False):
            pieces.append(shapely.ops.substring(shape, low, high) if stops else shape)
            source.append(i)
    return pieces, np.array(source, dtype=np.int64)


def _snapped(ends: FloatArray, tolerance_m: float) -> IntArray:
    """Ends within the tolerance of one another are one spot: its number per end."""
    pairs = cKDTree(ends).query_pairs(tolerance_m, output_type="ndarray") if len(ends) else np.zeros((0, 2), int)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ends), len(ends)))
    result: IntArray = connected_components(graph, directed=False)[1].astype(np.int64)
    return result


def _transfers(side: IntArray) -> tuple[IntArray, IntArray]:
    """Every pair of owners' sides at one spot."""
    same = np.flatnonzero(side[:-1, 0] == side[1:, 0]) if len(side) else np.zeros(0, dtype=np.int64)
    a, b = same.tolist(), (same + 1).tolist()  # sides of a spot lie in a row; a chain through them would count twice
    for i in same.tolist():
        j = i + 2
        while j < len(side) and side[j, 0] == side[i, 0]:
            a.append(i)
            b.append(j)
            j += 1
    return np.array(a, dtype=np.int64), np.array(b, dtype=np.int64)


def _gaps(
    place: FloatArray, side: IntArray, back: IntArray, source: IntArray, may_join: BoolArray, terms: Terms
) -> tuple[IntArray, IntArray]:
    """Each node to the nearest few at other spots that it is not joined to by a line already."""
    open_ = np.zeros(len(place), dtype=bool)
    open_[back[np.repeat(may_join[source], 2)]] = True
    nodes = np.flatnonzero(open_)
    if len(nodes) < 2 or terms.gaps_per_node < 1:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    apart: Any
    near: Any
    apart, near = cKDTree(place[nodes]).query(
        place[nodes], k=min(len(nodes), terms.gaps_per_node + 1), distance_upper_bound=terms.gap_max_m
    )
    row = np.repeat(np.arange(len(nodes)), near.shape[1])
    hit = np.isfinite(apart.ravel()) & (near.ravel() < len(nodes))
    a, b = nodes[row[hit]], nodes[near.ravel()[hit]]
    a, b = np.minimum(a, b), np.maximum(a, b)
    keep = side[a, 0] != side[b, 0]
    joined = np.stack([np.minimum(back[0::2], back[1::2]), np.maximum(back[0::2], back[1::2])], axis=1)
    count = len(place)
    keys = np.unique((a * count + b)[keep])
    keys = keys[~np.isin(keys, joined[:, 0] * count + joined[:, 1])]
    return keys // count, keys % count
