"""What a search touches: whole blocks by their bits, cut ones and unfolded rows by their columns."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from django.contrib.gis.geos import Point
from django.db import connection

from accounts.models import Membership
from listings import disclosure
from listings.search_index import kept, wire
from listings.search_index import rows as row_store
from listings.search_index.fold import FINE
from listings.search_index.rows import Rows
from listings.search_index.shapes import IN, MICRO, OUT, Shape, reach_of
from listings.search_keys import LAYOUT

DEFAULT_RADIUS_M = 2_000  # as listings/search.py
WAITING_MOST = 2_000  # resources without a place whose keys are read with the layout; of more, only that there are
BY_SLOT_MOST = 3_000  # rows completed one by one; of more, their blocks' columns are read
RADIUS_M = 6_378_137.0  # of EPSG:3857
# How far an exact place may lie outside the cells it is shown by: half a cell, and the thinning of lines (gj_blur).
BLUR_REACH = 30_000  # millionths of a degree


@dataclass
class Layout:
    """All blocks there are, as one class of readers sees them. edges: west, south, east, north arrays."""

    token: int
    number: np.ndarray
    count: np.ndarray
    edges: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    dirty: np.ndarray
    waiting: list[int]  # published resources without a place in a block
    packed_in: dict[int, int]  # the transaction that wrote each block


_layouts: dict[tuple[str, str, int], Layout] = {}  # one per class and database; a fold's token makes it anew


def token() -> int:
    """Changes with every fold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT folds FROM listings_searchfold LIMIT 1")
        return (cursor.fetchone() or (0,))[0]


def layout(letter: str) -> Layout:
    """One or two small queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT folds FROM listings_searchfold LIMIT 1),"
            " ARRAY(SELECT DISTINCT block FROM listings_searchdirty),"
            f" ARRAY(SELECT resource_id FROM listings_tally WHERE slot IS NULL AND facets > 0 LIMIT {WAITING_MOST + 1})"
        )
        mark, dirty, waiting = cursor.fetchone()
    key = (str(connection.settings_dict["NAME"]), letter, mark or 0)
    known = _layouts.get(key)
    if known is None:
        prefix = "open" if letter == "o" else "verified"
        sides = ", ".join(f"{prefix}_{side}" for side in ("west", "south", "east", "north"))
        found = wire.columns(
            f"SELECT number, count, {sides}, xmin::text::bigint FROM listings_searchblock ORDER BY number",
            number="int4", count="int4", w="int4", s="int4", e="int4", n="int4", packed_in="int8",
        )  # fmt: skip
        edges = (found["w"], found["s"], found["e"], found["n"])
        packed_in = dict(zip(found["number"].tolist(), found["packed_in"].tolist(), strict=True))
        known = Layout(mark or 0, found["number"], found["count"], edges, np.empty(0, np.int64), [], packed_in)
        for old in [k for k in _layouts if k[:2] == key[:2]]:
            _layouts.pop(old, None)
        _layouts[key] = known
    return replace(known, dirty=np.array(dirty, np.int64), waiting=waiting)


@dataclass
class Viewer:
    """A reader as the index sees them: a class of places shown, and what is theirs or granted to them."""

    letter: str  # "o" as everybody, "v" as a verified organisation
    organisation_id: int = 0
    granted: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, reader: Membership | None) -> "Viewer":
        if not disclosure.acts(reader):
            return cls("o")
        assert reader is not None
        letter = "v" if reader.organisation.is_verified else "o"
        return cls(letter, reader.organisation_id, disclosure.granted_ids(reader))

    @property
    def own_sql(self) -> tuple[str, tuple]:
        """The resources whose exact place this reader sees beside what the class sees, on tally t."""
        if not self.organisation_id:
            return "false", ()
        one, granted = self.organisation_id, self.granted
        return "(t.owner_id = %s OR t.manager_id = %s OR t.resource_id = ANY(%s))", (one, one, granted)


@dataclass
class Picked:
    """Blocks taken as a whole, and everything else as rows inside or unsure of the shape."""

    fine: np.ndarray
    fine_count: int  # rows in them
    rows: Rows
    place: np.ndarray  # IN or UNSURE for each row


def pick(
    viewer: Viewer, shape: Shape | None, blocks: Layout, *, by_rows: bool = False, timed_apart: bool = False
) -> Picked:
    """by_rows: every touched block row by row. timed_apart: rows whose capacity depends on the day as rows too."""
    where = _where(blocks, viewer, shape)
    is_dirty = np.isin(blocks.number, blocks.dirty)
    is_whole = (where == IN) & ~is_dirty & (not by_rows)
    is_cut = (where != OUT) & ~is_dirty & ~is_whole
    cut = reach_of(shape)
    if cut is not None and viewer.organisation_id:
        cut = _widened(cut)
    parts = [_columns(viewer, blocks.number[is_cut], blocks.packed_in, cut)]
    # A marked block may hold something that has only now come near: its rows are looked at wherever it lies.
    parts.append(_from_tally(viewer, blocks))
    fine = blocks.number[is_whole]
    if timed_apart and len(fine):
        timed = row_store.select(viewer.letter, "t.is_timed AND t.slot / %s = ANY(%s)", (FINE, fine.tolist()))
        parts.append(timed)
    found = _exact_places(
        viewer, Rows.joined([p for p in parts if len(p)]), np.concatenate([blocks.number[is_cut], blocks.dirty])
    )
    place = np.full(len(found), IN, np.int8) if shape is None else shape.test(tuple(found.boxes))  # type: ignore[arg-type]
    keep = place != OUT
    return Picked(fine, int(blocks.count[is_whole].sum()), found.where(keep), place[keep])


Box = tuple[float, float, float, float]  # west, south, east, north in EPSG:3857


def overlap(edges: tuple[np.ndarray, ...], box: Box) -> np.ndarray:
    return _meets(edges, _degrees(box))


def _meets(edges: tuple[np.ndarray, ...] | np.ndarray, box: Box) -> np.ndarray:
    west, south, east, north = box
    return (edges[2] >= west) & (edges[0] <= east) & (edges[3] >= south) & (edges[1] <= north)


def _widened(box: Box) -> Box:
    """By how far an exact place may lie from where it is shown."""
    return box[0] - BLUR_REACH, box[1] - BLUR_REACH, box[2] + BLUR_REACH, box[3] + BLUR_REACH


def _degrees(box: Box) -> Box:
    """EPSG:3857 → millionths of a degree."""
    west, east = (math.degrees(side / RADIUS_M) * MICRO for side in (box[0], box[2]))
    south, north = (math.degrees(math.atan(math.sinh(side / RADIUS_M))) * MICRO for side in (box[1], box[3]))
    return west, south, east, north


def pick_box(viewer: Viewer, shape: Shape | None, blocks: Layout, box: Box) -> Picked:
    """Everything in the box row by row."""
    return pick_small(viewer, shape, blocks, box, 0)[0]


def pick_small(
    viewer: Viewer, shape: Shape | None, blocks: Layout, box: Box, size: float
) -> tuple[Picked, tuple[np.ndarray, np.ndarray]]:
    """Blocks no wider than `size` (millionths of a degree) whose middle lies in the box as a whole, with the middles'
    longitudes and latitudes; the rows of others that reach into it."""
    where, (west, south, east, north) = _where(blocks, viewer, shape), blocks.edges
    is_dirty = np.isin(blocks.number, blocks.dirty)
    middle_x, middle_y = (west.astype(float) + east) / 2, (south.astype(float) + north) / 2
    is_small = (np.maximum(east - west, north - south) <= size) & (where == IN) & ~is_dirty
    is_whole = is_small & overlap((middle_x, middle_y, middle_x, middle_y), box)
    reach = BLUR_REACH if viewer.organisation_id else 0
    touches = overlap((west - reach, south - reach, east + reach, north + reach), box)
    is_cut = ~is_small & ~is_dirty & (where != OUT) & touches
    cut = _widened(_degrees(box)) if viewer.organisation_id else _degrees(box)
    parts = [_columns(viewer, blocks.number[is_cut], blocks.packed_in, cut), _from_tally(viewer, blocks)]
    found = Rows.joined([part for part in parts if len(part)])
    found = _exact_places(viewer, found, np.concatenate([blocks.number[is_cut], blocks.dirty]))
    found = found.where(overlap(tuple(found.boxes), box))
    place = np.full(len(found), IN, np.int8) if shape is None else shape.test(tuple(found.boxes))  # type: ignore[arg-type]
    keep = place != OUT
    picked = Picked(blocks.number[is_whole], int(blocks.count[is_whole].sum()), found.where(keep), place[keep])
    return picked, (middle_x[is_whole], middle_y[is_whole])


def _where(blocks: Layout, viewer: Viewer, shape: Shape | None) -> np.ndarray:
    if shape is None:
        return np.full(len(blocks.number), IN, np.int8)
    west, south, east, north = blocks.edges
    if viewer.organisation_id:
        reach = BLUR_REACH
        return shape.test((west - reach, south - reach, east + reach, north + reach))
    return shape.test((west, south, east, north))


def _columns(viewer: Viewer, numbers: np.ndarray, packed_in: dict[int, int], cut: Box | None = None) -> Rows:
    """The published rows of these blocks, out of their columns; cut: of these those that meet the box (millionths of
    a degree). What they are ordered by is left open (-1), for complete() to fill in where it is needed."""
    found = kept.blocks(viewer.letter, numbers.tolist(), packed_in)
    if cut is not None:
        found = [block.where(_meets(block.boxes, cut)) for block in found]
    if not found:  # or folded away since the layout was read; the caller sees that and asks again
        return Rows.joined([])
    ids, facets, slot = (np.concatenate([getattr(b, name) for b in found]) for name in ("ids", "facets", "slots"))
    unknown = np.full(len(ids), -1, np.int64)
    boxes = np.concatenate([block.boxes for block in found], axis=1)
    return Rows(ids, facets, boxes, unknown, unknown, unknown, np.zeros(len(ids), bool), slot)


def _whole_columns(viewer: Viewer, numbers: np.ndarray) -> Rows:
    """The same with everything a row says."""
    boxes = "open_boxes" if viewer.letter == "o" else "verified_boxes"
    found = wire.blobs(
        f"SELECT number, {boxes}, facets, ids, prices, frees, published FROM listings_searchblock"
        " WHERE number = ANY(%s) ORDER BY number",
        (numbers.tolist(),),
    ) if len(numbers) else []  # fmt: skip
    if not found:
        return Rows.joined([])
    sides = np.frombuffer(b"".join(row[1] for row in found), np.int32)
    sides = sides.reshape(len(found), 4, FINE).transpose(1, 0, 2).reshape(4, -1)
    facets, *rest = (np.frombuffer(b"".join(row[n] for row in found), np.int64) for n in range(2, 7))
    starts = np.array([int.from_bytes(row[0], "big") * FINE for row in found])
    slot = (starts[:, None] + np.arange(FINE)[None, :]).ravel()
    is_there = np.flatnonzero(facets > 0)
    ids, prices, frees, published = (column[is_there] for column in rest)
    timed = np.zeros(len(is_there), bool)
    return Rows(ids, facets[is_there], sides[:, is_there], prices, frees, published, timed, slot[is_there])


def complete(viewer: Viewer, rows: Rows) -> Rows:
    """The rows, in their order, with the columns that were left open; boxes and facets stay as they are."""
    is_open = np.flatnonzero(rows.published < 0)
    if not len(is_open):
        return rows
    slots = rows.slot[is_open]
    if len(slots) <= BY_SLOT_MOST:
        fresh = by_slots(viewer, slots)
    else:
        fresh = _whole_columns(viewer, np.unique(slots // FINE))
    order = np.argsort(fresh.slot)
    at = order[np.minimum(np.searchsorted(fresh.slot, slots, sorter=order), len(order) - 1)]
    filled = rows.take(np.arange(len(rows)))
    filled.prices, filled.frees, filled.published = (rows.prices.copy(), rows.frees.copy(), rows.published.copy())
    for name in ("ids", "prices", "frees", "published", "timed"):
        getattr(filled, name)[is_open] = getattr(fresh, name)[at]
    return filled


def _from_tally(viewer: Viewer, blocks: Layout) -> Rows:
    """Rows without a place, and those of marked blocks."""
    parts = []
    if len(blocks.waiting) > WAITING_MOST:
        # Their keys first: the planner takes them for one row in fifty and would read the table.
        keys = "SELECT w.resource_id FROM listings_tally w WHERE w.slot IS NULL AND w.facets > 0"
        parts.append(row_store.select(viewer.letter, f"t.resource_id = ANY(ARRAY({keys}))"))
    elif blocks.waiting:
        parts.append(row_store.select(viewer.letter, "t.facets > 0 AND t.resource_id = ANY(%s)", (blocks.waiting,)))
    if len(blocks.dirty):
        slots = f"t.slot >= b.number * {FINE} AND t.slot < (b.number + 1) * {FINE}"
        source = f"unnest(%s::int[]) AS b (number) JOIN listings_tally t ON {slots}"
        parts.append(row_store.select(viewer.letter, "t.facets > 0", (blocks.dirty.tolist(),), source=source))
    return Rows.joined(parts)


def _exact_places(viewer: Viewer, found: Rows, blocks: np.ndarray) -> Rows:
    """Own and granted resources by their exact boxes, and those of them that are existence-only added.

    blocks: where the rows came from, besides those without a place.
    """
    if not viewer.organisation_id:
        return found
    own, params = viewer.own_sql
    hidden = row_store.select(viewer.letter, f"t.facets & 3 = 3 AND {own}", params)
    found = Rows.joined([found.take(np.flatnonzero(found.facets & 3 != 3)), hidden])
    where = f"t.slot IS NULL OR t.facets & 3 = 3 OR t.slot / {FINE} = ANY(%s)"
    return _with_exact_boxes(viewer, found, where, (blocks.tolist(),))


def _exact_of_ids(viewer: Viewer, found: Rows) -> Rows:
    """The same among rows named by key: of the hidden ones only this reader's own stay."""
    own, params = viewer.own_sql
    hidden = found.ids[found.facets & 3 == 3].tolist()
    mine = wire.columns(
        f"SELECT t.resource_id FROM listings_tally t WHERE t.resource_id = ANY(%s) AND {own}",
        (hidden, *params),
        ids="int8",
    )["ids"]
    found = found.take(np.flatnonzero((found.facets & 3 != 3) | np.isin(found.ids, mine)))
    return _with_exact_boxes(viewer, found, "t.resource_id = ANY(%s)", (found.ids.tolist(),))


def _with_exact_boxes(viewer: Viewer, found: Rows, where: str, more: tuple) -> Rows:
    own, params = viewer.own_sql
    exact = wire.columns(
        "SELECT t.resource_id, floor(ST_XMin(r.place) * 1e6)::int, floor(ST_YMin(r.place) * 1e6)::int,"
        " ceil(ST_XMax(r.place) * 1e6)::int, ceil(ST_YMax(r.place) * 1e6)::int"
        " FROM listings_tally t JOIN listings_resource r ON r.id = t.resource_id"
        f" WHERE t.facets > 0 AND {own} AND ({where})",
        (*params, *more), ids="int8", w="int4", s="int4", e="int4", n="int4",
    )  # fmt: skip
    if not len(found):
        return found
    order = np.argsort(found.ids, kind="stable")
    target = order[np.minimum(np.searchsorted(found.ids, exact["ids"], sorter=order), len(order) - 1)]
    is_there = found.ids[target] == exact["ids"]
    found.boxes = found.boxes.copy()
    found.boxes[:, target[is_there]] = np.stack([exact[side] for side in "wsen"])[:, is_there]
    return found


def pick_ids(viewer: Viewer, shape: Shape | None, ids: np.ndarray) -> Picked:
    """These resources alone, row by row."""
    found = row_store.select(viewer.letter, "t.facets > 0 AND t.resource_id = ANY(%s)", (ids.tolist(),))
    if viewer.organisation_id:
        found = _exact_of_ids(viewer, found)
    place = np.full(len(found), IN, np.int8) if shape is None else shape.test(tuple(found.boxes))  # type: ignore[arg-type]
    keep = place != OUT
    return Picked(np.empty(0, np.int64), 0, found.where(keep), place[keep])


# --- Rows of whole blocks ---------------------------------------------------------------------


def by_slots(viewer: Viewer, slots: np.ndarray) -> Rows:
    return row_store.select(viewer.letter, "t.slot = ANY(%s)", (slots.tolist(),))


def of_blocks(viewer: Viewer, blocks: Layout, numbers: np.ndarray) -> Rows:
    """All rows of these blocks."""
    return _columns(viewer, numbers, blocks.packed_in)


# --- What only the database can tell ----------------------------------------------------------


def ask_database(reader: Membership | None, criteria: Mapping[str, Any], ids: np.ndarray) -> list[int]:
    """Which of these lie where the criteria say: the place conditions of listings/search.py by PostGIS."""
    shown, params = disclosure.shown_place_sql(reader)
    tests: list[str] = []
    more: list[Any] = []
    for name in ("bbox", "area"):
        if area := criteria.get(name):
            tests.append("ST_Intersects(shown, %s::geometry)")
            more.append(area.hexewkb.decode())
    if near := criteria.get("near"):
        tests.append("ST_DWithin(shown::geography, ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography, %s)")
        more += [near.x, near.y, criteria.get("radius_m") or DEFAULT_RADIUS_M]
    if route := criteria.get("route"):
        tests.append("ST_DWithin(shown::geography, %s::geometry::geography, %s)")
        more += [route.line.hexewkb.decode(), route.within_m]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM (SELECT r.id, {shown} AS shown FROM listings_resource r WHERE r.id = ANY(%s)) AS some_rows"
            f" WHERE {' AND '.join(tests) or 'true'}",
            [*params, ids.tolist(), *more],
        )
        return [row[0] for row in cursor.fetchall()]


def shown_distances(reader: Membership | None, ids: np.ndarray, origin: tuple[float, float]) -> np.ndarray:
    """Metres from the origin to the places as shown, in the order of the keys."""
    from listings.models import Resource

    point = Point(*origin, srid=4326)
    rows = Resource.objects.visible_to(reader).filter(pk__in=ids.tolist()).order_by()
    metres = dict(rows.annotate(m=disclosure.DistanceMetres("shown_place", point)).values_list("pk", "m"))
    return np.array([metres.get(i, np.inf) for i in ids.tolist()])


def on_day(rows: Rows, day: dt.date) -> tuple[np.ndarray, np.ndarray]:
    """(facets with what is free on that day, whether the day lies in the window) of the rows."""
    facets, in_window = rows.facets.copy(), np.ones(len(rows), bool)
    if not len(rows):
        return facets, in_window
    found = wire.columns(
        "SELECT t.resource_id,"
        " coalesce(r.available_from <= %(day)s, true) AND coalesce(r.available_until >= %(day)s, true),"
        " gj_free_code(r.id, %(day)s)::int8, gj_is_all_free(r.id, %(day)s) FROM listings_tally t"
        " JOIN listings_resource r ON r.id = t.resource_id WHERE t.is_timed AND t.facets > 0",
        {"day": day}, ids="int8", window="bool", code="int8", whole="bool",
    )  # fmt: skip
    order = np.argsort(rows.ids, kind="stable")
    at = order[np.minimum(np.searchsorted(rows.ids, found["ids"], sorter=order), len(order) - 1)]
    has = rows.ids[at] == found["ids"]
    at = at[has]
    in_window[at] = found["window"][has]
    free, whole = LAYOUT["free"], LAYOUT["all_free"]
    cleared = facets[at] & ~np.int64(free.mask << free.shift | whole.mask << whole.shift)
    facets[at] = cleared | (found["code"][has] << free.shift) | (found["whole"][has].astype(np.int64) << whole.shift)
    return facets, in_window
