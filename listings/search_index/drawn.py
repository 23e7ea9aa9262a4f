"""What a tile says of single resources, kept in the process beside the blocks of the index.

Whether a row may be seen and where it is shown is asked of visible_to(), never decided here. An answer is kept for a
class of readers, for rows that are neither the reader's own nor granted to them, under the transaction that packed the
row's block: whatever a tile says of a row marks its block when it changes (migrations 0014, 0200), and rows of marked
blocks are asked for anew.
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import shapely
from django.db import connection

from accounts.models import Membership
from listings import mvt, search_keys
from listings.search_index import find, read, squares
from listings.search_index.fold import FINE
from listings.search_index.shapes import MICRO

SAME_PLACE_M = 0.01
ROWS_MOST = 60_000  # some 500 bytes each: 30 MB of a process

SQL = """
SELECT id, kind, name, tone, free::int, total::int, is_exact, ST_X(spot), ST_Y(spot), dimension,
  CASE WHEN dimension > 0 THEN ST_AsBinary(ST_Force2D(shown)) END,
  ST_XMin(cell), ST_YMin(cell), ST_XMax(cell), ST_YMax(cell)
FROM (SELECT *, CASE WHEN NOT is_exact AND dimension = 0 THEN gj_cell(ST_X(spot), ST_Y(spot)) END AS cell FROM (
  SELECT answered.*, ST_Dimension(shown) AS dimension, CASE WHEN GeometryType(shown) = 'POINT' THEN shown
      WHEN ST_Dimension(shown) = 1 THEN ST_LineInterpolatePoint(ST_GeometryN(shown, 1), 0.5)
      ELSE ST_PointOnSurface(shown) END AS spot
    FROM (SELECT id, kind, name, tone, free, total, is_exact, ST_GeomFromEWKB(shown) AS shown
            FROM ({seen}) AS seen (id, kind, name, tone, free, total, is_exact, shown) OFFSET 0) AS answered
   WHERE NOT ST_IsEmpty(shown) OFFSET 0) AS spotted OFFSET 0) AS outlined
"""


class Drawn(NamedTuple):
    """One resource as a class of readers sees it; words and numbers as values of a tile, places in EPSG:3857."""

    kind: bytes
    name: bytes | None
    tone: bytes
    free: bytes
    total: bytes
    is_blurred: bytes
    x: float  # where its symbol stands
    y: float
    place: tuple[int, int]  # the same for symbols that stand on each other
    kind_at: int  # in the order of search_keys.KINDS
    is_open: bool
    is_line: bool
    shape: shapely.Geometry | None  # a line or an area
    cell: tuple[float, float, float, float] | None  # outline of the cell a point is blurred to


Key = tuple[str, str, int]  # database, class of readers, block
_kept: OrderedDict[Key, tuple[int, dict[int, Drawn]]] = OrderedDict()
_lock = threading.Lock()


def drawn(reader: Membership | None, index: find.Found, ids: np.ndarray, slots: np.ndarray) -> dict[int, Drawn]:
    """By key, for those of the resources that this reader may see. slots: -1 where a row has none."""
    blocks = index.blocks
    block = np.where(slots >= 0, slots // FINE, -1)
    block[np.isin(block, blocks.dirty)] = -1
    if index.viewer.organisation_id:
        block[np.isin(ids, _own(index.viewer, ids))] = -1
    place: dict[int, tuple[int, dict[int, Drawn]]] = {}
    found, missing = {}, {}
    database = str(connection.settings_dict["NAME"])
    for key, number in zip(ids.tolist(), block.tolist(), strict=True):
        if number not in place:
            place[number] = _shelf((database, index.viewer.letter, number), blocks.packed_in.get(number))
        row = place[number][1].get(key)
        if row is None:
            missing[key] = number
        else:
            found[key] = row
    if missing:
        for key, row in _ask(reader, list(missing)):
            found[key] = row
            place[missing[key]][1][key] = row
        _tidy()
    return found


def _own(viewer: read.Viewer, ids: np.ndarray) -> list[int]:
    own, params = viewer.own_sql
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.resource_id FROM listings_tally t WHERE t.resource_id = ANY(%s) AND {own}",
            [ids.tolist(), *params],
        )
        return [row[0] for row in cursor.fetchall()]


def _shelf(key: Key, packed_in: int | None) -> tuple[int, dict[int, Drawn]]:
    """What is kept of a block; a shelf of this answer alone where nothing may be."""
    if packed_in is None:
        return 0, {}
    with _lock:
        shelf = _kept.get(key)
        if shelf is None or shelf[0] != packed_in:
            shelf = _kept[key] = (packed_in, {})
        _kept.move_to_end(key)
    return shelf


def _tidy() -> None:
    """Drops the blocks that were asked for the longest ago."""
    with _lock:
        while sum(len(rows) for _packed_in, rows in _kept.values()) > ROWS_MOST:
            _kept.popitem(last=False)


def _ask(reader: Membership | None, keys: list[int]) -> list[tuple[int, Drawn]]:
    from listings.models import Resource

    # As one array: a lookup by pk__in takes every key through Python twice; and out of the planner's sight, which
    # would weigh every key of it.
    named_only = {"where": ["listings_resource.id = ANY(ARRAY(SELECT unnest(%s::bigint[])))"], "params": [keys]}
    rows = Resource.objects.visible_to(reader).published().extra(**named_only).order_by()
    seen, params = rows.values_list(
        "pk", "kind", "name", "tally__tone", "tally__free_units", "tally__total_units", "is_exact", "shown_place"
    ).query.sql_with_params()  # Django selects geometries as bytes
    with connection.cursor() as cursor:
        cursor.execute(SQL.replace("{seen}", seen), params)
        answer = cursor.fetchall()
    return _made(answer)


def _made(answer: list[tuple]) -> list[tuple[int, Drawn]]:
    if not answer:
        return []
    kinds = {kind: (nth, mvt.text(kind)) for nth, kind in enumerate(search_keys.KINDS)}
    lon, lat = (np.array([row[n] for row in answer], float) for n in (7, 8))
    x, y = squares.metres(lon * MICRO, lat * MICRO)
    places = [(round(east / SAME_PLACE_M), round(north / SAME_PLACE_M)) for east, north in zip(x, y, strict=True)]
    corners = np.array([row[11:15] for row in answer], float) * MICRO  # NaN where there is no cell
    west, south = squares.metres(corners[:, 0], corners[:, 1])
    east, north = squares.metres(corners[:, 2], corners[:, 3])
    cells = np.stack([west, south, east, north], axis=1).tolist()
    shapes = shapely.transform(
        shapely.from_wkb([None if row[10] is None else bytes(row[10]) for row in answer]), _projected
    )
    made = []
    for n, (key, kind, name, tone, free, total, is_exact, _lon, _lat, dimension, _shape, cell, *_) in enumerate(answer):
        nth, word = kinds[kind]
        row = Drawn(
            kind=word, name=mvt.text(name) if name else None, tone=mvt.text(tone),
            free=mvt.number(max(0, free)), total=mvt.number(max(0, total)), is_blurred=mvt.truth(not is_exact),
            x=float(x[n]), y=float(y[n]), place=places[n], kind_at=nth, is_open=tone != "full", is_line=dimension == 1,
            shape=shapes[n], cell=None if cell is None else tuple(cells[n]),
        )  # fmt: skip
        made.append((key, row))
    return made


def _projected(degrees: np.ndarray) -> np.ndarray:
    return np.stack(squares.metres(degrees[:, 0] * MICRO, degrees[:, 1] * MICRO), axis=1)


def forget() -> None:
    """Everything kept: for tests and measurements of a first reader."""
    with _lock:
        _kept.clear()
