"""What a map tile shows: resources grouped by squares of a grid where there are many, else one by one.

Far out a block that is smaller than a square counts as a whole at its middle, in one tile and one square only, so
that the tiles of a level together count everything once.
"""

from dataclasses import dataclass

import numpy as np
from django.db import connection

from listings.search_index import find, read
from listings.search_index.fold import FACETS
from listings.search_index.rows import Rows
from listings.search_index.shapes import MICRO
from listings.search_keys import LAYOUT

RADIUS_M = 6_378_137.0
KINDS = 4
SAME_SPOT_M = 0.01
BY_BOX_BELOW = 0.5  # degrees of length


@dataclass
class Groups:
    """One row per square that holds several: middle in EPSG:3857, how many by kind, how many have something free."""

    x: np.ndarray
    y: np.ndarray
    kinds: np.ndarray  # (n, 4) in the order of search_keys.KINDS
    open: np.ndarray
    is_stack: np.ndarray  # all of them at one spot

    @property
    def count(self) -> np.ndarray:
        return self.kinds.sum(axis=1)


@dataclass
class Pile:
    """Things to be grouped: blocks and single rows alike. slot is that of a row, -1 of a block."""

    x: np.ndarray
    y: np.ndarray
    kinds: np.ndarray
    open: np.ndarray
    key: np.ndarray  # index of the row, -1 of a block

    @classmethod
    def joined(cls, a: "Pile", b: "Pile") -> "Pile":
        return cls(*(np.concatenate([getattr(a, n), getattr(b, n)]) for n in ("x", "y", "kinds", "open", "key")))

    def take(self, which: np.ndarray) -> "Pile":
        return Pile(self.x[which], self.y[which], self.kinds[which], self.open[which], self.key[which])


def metres(lon_micro: np.ndarray, lat_micro: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Millionths of a degree → EPSG:3857."""
    lat = np.radians(np.clip(lat_micro / MICRO, -85.05, 85.05))
    return np.radians(lon_micro / MICRO) * RADIUS_M, np.log(np.tan(np.pi / 4 + lat / 2)) * RADIUS_M


def rows_pile(rows: Rows) -> Pile:
    west, south, east, north = rows.boxes
    x, y = metres((west.astype(float) + east) / 2, (south.astype(float) + north) / 2)
    kinds = np.zeros((len(rows), KINDS), np.int64)
    kinds[np.arange(len(rows)), LAYOUT["kind"].of(rows.facets)] = 1
    return Pile(x, y, kinds, (LAYOUT["free"].of(rows.facets) > 0).astype(np.int64), np.arange(len(rows)))


def far(index: find.Found, box: tuple[float, float, float, float], square_degrees: float) -> tuple[Rows, Pile]:
    """The matches whose middle lies in the box (EPSG:3857), blocks smaller than a square as one thing each."""
    if index.ids is not None:
        rows = index.met_rows
        return rows, inside(rows_pile(rows), box)
    picked, middles = read.pick_small(index.viewer, index.shape, index.blocks, box, square_degrees * MICRO)
    picked = index.picked = index.settled(picked)
    rows = index.met_rows
    pile = rows_pile(rows)
    if len(picked.fine):
        pile = Pile.joined(_blocks_pile(index, picked.fine, middles), pile)
    return rows, inside(pile, box)


def inside(pile: Pile, box: tuple[float, float, float, float]) -> Pile:
    west, south, east, north = box
    return pile.take(np.flatnonzero((pile.x >= west) & (pile.x < east) & (pile.y >= south) & (pile.y < north)))


def _blocks_pile(index: find.Found, fine: np.ndarray, middles: tuple[np.ndarray, np.ndarray]) -> Pile:
    sql, params = index.masks_sql(blocks=[(0, number) for number in fine.tolist()])
    kinds, full = np.zeros((len(fine), KINDS), np.int64), np.zeros(len(fine), np.int64)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{sql} SELECT m.block, b.facet, b.value, bit_count(m.met & b.bits) FROM masks m JOIN listings_searchbits b"
            f" ON b.level = 0 AND b.block = m.block AND (b.facet = {FACETS['kind']}"
            f" OR (b.facet = {FACETS['free']} AND b.value = 0))",
            params,
        )
        for block, facet, value, number in cursor.fetchall():
            at = np.searchsorted(fine, block)
            if facet == FACETS["kind"]:
                kinds[at, value] = number
            else:
                full[at] = number
    x, y = metres(*middles)
    pile = Pile(x, y, kinds, kinds.sum(axis=1) - full, np.full(len(fine), -1))
    return pile.take(np.flatnonzero(kinds.sum(axis=1) > 0))


def no_groups() -> Groups:
    empty = np.empty(0)
    return Groups(empty, empty, np.empty((0, KINDS), np.int64), empty, empty)


def group(pile: Pile, origin: tuple[float, float], square_m: float) -> tuple[Groups, np.ndarray]:
    """(squares that hold several, indexes of the rows that are alone in theirs)."""
    if not len(pile.x):
        return no_groups(), np.empty(0, np.int64)
    column = np.floor((pile.x - origin[0]) / square_m).astype(np.int64)
    row = np.floor((pile.y - origin[1]) / square_m).astype(np.int64)
    _keys, first, square = np.unique(column * 100_000 + row, return_index=True, return_inverse=True)
    count = len(first)
    weight = pile.kinds.sum(axis=1)
    total = np.bincount(square, weight, count)
    kinds = np.stack([np.bincount(square, pile.kinds[:, n], count) for n in range(KINDS)], axis=1).astype(np.int64)
    spread = np.zeros(count)
    for values in (pile.x, pile.y):
        high, low = np.full(count, -np.inf), np.full(count, np.inf)
        np.maximum.at(high, square, values)
        np.minimum.at(low, square, values)
        spread += high - low
    has_block = np.bincount(square, pile.key < 0, count) > 0
    groups = Groups(
        np.bincount(square, pile.x * weight, count) / total,
        np.bincount(square, pile.y * weight, count) / total,
        kinds,
        np.bincount(square, pile.open, count).astype(np.int64),
        (spread < SAME_SPOT_M) & ~has_block,
    )
    several = (total > 1) | has_block  # a block of one has no key to show its resource by
    alone = pile.key[first[~several]]
    chosen = np.flatnonzero(several)
    return (
        Groups(groups.x[chosen], groups.y[chosen], groups.kinds[chosen], groups.open[chosen], groups.is_stack[chosen]),
        alone[alone >= 0],
    )


def near(index: find.Found, box: tuple[float, float, float, float]) -> Rows:
    """The matches that reach into the box (EPSG:3857), row by row."""
    if index.ids is None:
        index.picked = index.settled(read.pick_box(index.viewer, index.shape, index.blocks, box))
    rows = index.met_rows
    west, south = metres(rows.boxes[0], rows.boxes[1])
    east, north = metres(rows.boxes[2], rows.boxes[3])
    return rows.take(np.flatnonzero((east >= box[0]) & (west <= box[2]) & (north >= box[1]) & (south <= box[3])))


def long_lines(
    index: find.Found, box_degrees: tuple[float, float, float, float], least_degrees: float, most: int
) -> tuple[list[int], list[int]]:
    """Keys and slots (-1: none) of the longest lines in the box as everybody is shown them, the longest first."""
    west, south, east, north = (int(v * MICRO) for v in box_degrees)  # whole numbers, or no index would serve
    conditions = ["t.facets & 3 IN (1, 2)", *(want.sql() for want in index.wants.values())]
    if least_degrees < BY_BOX_BELOW:  # many are long enough: look in the box first; else few are, anywhere
        conditions.append(
            "box(point(t.open_west, t.open_south), point(t.open_east, t.open_north))"
            f" && box(point({west}, {south}), point({east}, {north}))"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.resource_id, coalesce(t.slot, -1) FROM listings_tally t WHERE t.span > 50000 AND t.span > %s"
            f" AND {' AND '.join(conditions)}"
            " AND t.open_west <= %s AND t.open_east >= %s AND t.open_south <= %s AND t.open_north >= %s"
            " ORDER BY t.span DESC, t.resource_id LIMIT %s",
            [int(least_degrees * MICRO), east, west, north, south, most],
        )
        rows = cursor.fetchall()
    return [row[0] for row in rows], [row[1] for row in rows]
