"""What a map tile shows: resources grouped by squares of a grid where there are many, else one by one.

Far out a block that is smaller than a square counts as a whole at its middle, in one tile and one square only, so
that the tiles of a level together count everything once.
"""

from dataclasses import dataclass

import numpy as np
from django.db import connection

from listings.search_index import find, read
from listings.search_index.fold import FACETS
from listings.search_index.read import RADIUS_M
from listings.search_index.rows import Rows
from listings.search_index.shapes import MICRO
from listings.search_keys import LAYOUT

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

    def take(self, which: np.ndarray) -> "Groups":
        return Groups(self.x[which], self.y[which], self.kinds[which], self.open[which], self.is_stack[which])


@dataclass
class Pile:
    """Single rows to be grouped, and blocks that count as one thing each."""

    x: np.ndarray
    y: np.ndarray
    kind: np.ndarray  # code
    open: np.ndarray  # whether something is free
    key: np.ndarray  # index of the row
    blocks: Groups

    def inside(self, box: tuple[float, float, float, float]) -> "Pile":
        """What lies in the box (EPSG:3857); of its edges the western and the southern one."""
        here = np.flatnonzero(_is_inside(self.x, self.y, box))
        blocks = self.blocks.take(np.flatnonzero(_is_inside(self.blocks.x, self.blocks.y, box)))
        return Pile(self.x[here], self.y[here], self.kind[here], self.open[here], self.key[here], blocks)


def _is_inside(x: np.ndarray, y: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    west, south, east, north = box
    return (x >= west) & (x < east) & (y >= south) & (y < north)


def metres(lon_micro: np.ndarray, lat_micro: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Millionths of a degree → EPSG:3857."""
    lat = np.radians(np.clip(lat_micro / MICRO, -85.05, 85.05))
    return np.radians(lon_micro / MICRO) * RADIUS_M, np.log(np.tan(np.pi / 4 + lat / 2)) * RADIUS_M


def rows_pile(rows: Rows, blocks: Groups | None = None) -> Pile:
    west, south, east, north = rows.boxes
    x, y = metres((west.astype(float) + east) / 2, (south.astype(float) + north) / 2)
    kind, is_open = LAYOUT["kind"].of(rows.facets), LAYOUT["free"].of(rows.facets) > 0
    return Pile(x, y, kind, is_open, np.arange(len(rows)), no_groups() if blocks is None else blocks)


def far(index: find.Found, box: tuple[float, float, float, float], square_degrees: float) -> tuple[Rows, Pile]:
    """The matches whose middle lies in the box (EPSG:3857), blocks smaller than a square as one thing each."""
    if index.ids is not None:
        rows = index.met_rows
        return rows, rows_pile(rows).inside(box)
    picked, middles = read.pick_small(index.viewer, index.shape, index.blocks, box, square_degrees * MICRO)
    picked = index.picked = index.settled(picked)
    rows = index.met_rows
    blocks = _block_groups(index, picked.fine, middles) if len(picked.fine) else None
    return rows, rows_pile(rows, blocks).inside(box)


def _block_groups(index: find.Found, fine: np.ndarray, middles: tuple[np.ndarray, np.ndarray]) -> Groups:
    masks = index.masks(fine)
    kinds, full = np.zeros((len(fine), KINDS), np.int64), np.zeros(len(fine), np.int64)
    at, value, number = index.bits.counted(FACETS["kind"], masks.met, masks.places)
    kinds[at, value] = number
    at, value, number = index.bits.counted(FACETS["free"], masks.met, masks.places)
    full[at[value == 0]] = number[value == 0]
    x, y = metres(*middles)
    groups = Groups(x, y, kinds, kinds.sum(axis=1) - full, np.zeros(len(fine), bool))
    return groups.take(np.flatnonzero(kinds.sum(axis=1) > 0))


def no_groups() -> Groups:
    empty = np.empty(0)
    return Groups(empty, empty, np.empty((0, KINDS), np.int64), np.empty(0, np.int64), np.empty(0, bool))


def group(pile: Pile, origin: tuple[float, float], square_m: float) -> tuple[Groups, np.ndarray]:
    """(squares that hold several, indexes of the rows that are alone in theirs). origin: left and below of all."""
    blocks, rows = pile.blocks, len(pile.x)
    x, y = np.concatenate([blocks.x, pile.x]), np.concatenate([blocks.y, pile.y])
    if not len(x):
        return no_groups(), np.empty(0, np.int64)
    column, row = ((values // square_m).astype(np.int64) for values in (x - origin[0], y - origin[1]))
    wide = int(row.max()) + 1
    square = column * wide + row
    count = int(square.max()) + 1
    of_block, of_row = square[: len(blocks.x)], square[len(blocks.x) :]
    kinds = np.bincount(of_row * KINDS + pile.kind, minlength=count * KINDS).reshape(count, KINDS)
    is_open = np.bincount(of_row[pile.open], minlength=count)
    np.add.at(kinds, of_block, blocks.kinds)
    np.add.at(is_open, of_block, blocks.open)
    weight = np.concatenate([blocks.kinds.sum(axis=1), np.ones(rows, np.int64)])
    total = np.bincount(square, weight, count)
    some = np.zeros(count, np.int64)
    some[of_row] = np.arange(rows)  # one row of each square
    far_off = (abs(pile.x - pile.x[some[of_row]]) + abs(pile.y - pile.y[some[of_row]])) >= SAME_SPOT_M
    has_block = np.bincount(of_block, minlength=count) > 0
    is_stack = ~has_block & (np.bincount(of_row[far_off], minlength=count) == 0)
    several = np.flatnonzero((total > 1) | has_block)  # a block of one has no key to show its resource by
    middle = [np.bincount(square, values * weight, count)[several] / total[several] for values in (x, y)]
    groups = Groups(*middle, kinds[several], is_open[several], is_stack[several])
    return groups, pile.key[some[np.flatnonzero((total == 1) & ~has_block)]]


def near(index: find.Found, box: tuple[float, float, float, float]) -> Rows:
    """The matches that reach into the box (EPSG:3857), row by row."""
    if index.ids is not None:
        rows = index.met_rows
        return rows.where(read.overlap(tuple(rows.boxes), box))
    index.picked = index.settled(read.pick_box(index.viewer, index.shape, index.blocks, box))
    return index.met_rows


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
