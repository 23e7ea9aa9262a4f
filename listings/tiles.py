"""Vector tiles, each in one query: resources as one reader may see them, and the divisions as anybody may.

Resources (per reader): below FEATURES_FROM_ZOOM, and where a tile is crowded, grouped on a grid with counts by kind;
else one symbol each. Several at one shown place (many blurred into one cell) fan out on a small ring, or become a
group when there are too many for one. Layers: "resources" points, "groups" points with counts, "shapes" lines and
areas, "cells" the outlines of blurred cells.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.gis.geos import Polygon
from django.core.cache import cache
from django.db import connection

from accounts.models import Membership, Region
from listings.found import Found
from listings.search_index import drawn, squares
from listings.search_index.find import Found as IndexFound
from listings.tile_canvas import FAN_PX, LINE_PX, TILE_PX, WORLD_M, Canvas

MAX_ZOOM = 16  # deeper views stretch these
FEATURES_FROM_ZOOM = 8
GROUP_PX = 128  # grid of the groups at low zoom: 16 to a tile
CROWDED = 1_500  # symbols in one tile; above, they are grouped on CROWDED_PX
CROWDED_PX = 32
LINES_MOST = 400  # far out or in a crowded tile, the longest
REGION_CACHE_SECONDS = 24 * 60 * 60


class NoSuchTile(ValueError):
    """The address names no tile of the pyramid."""


def check_address(z: int, x: int, y: int) -> None:
    """Raises NoSuchTile unless 0 ≤ z ≤ MAX_ZOOM and x, y lie on the level."""
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise NoSuchTile(f"{z}/{x}/{y}")


def tile_box(z: int, x: int, y: int, margin_px: float = 0) -> Polygon:
    """The tile in degrees (SRID 4326), widened by a margin in pixels and cut at the world's edge."""
    margin = margin_px / TILE_PX

    def lon(column: float) -> float:
        return max(-180.0, min(180.0, column / 2**z * 360 - 180))

    def lat(row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**z))))

    box = Polygon.from_bbox((lon(x - margin), lat(y + 1 + margin), lon(x + 1 + margin), lat(y - margin)))
    box.srid = 4326
    return box


@dataclass
class Picture:
    """What one tile shows: rows to be drawn as symbols and as shapes (keys, and slots or -1), and groups."""

    symbols: tuple[np.ndarray, np.ndarray]
    shapes: tuple[np.ndarray, np.ndarray]
    groups: squares.Groups


def resource_tile(reader: Membership | None, criteria: Mapping[str, Any], z: int, x: int, y: int) -> bytes:
    """The tile's bytes (MVT) for this reader and these search criteria; box, order and page do not count.

    A few queries, besides those that resolve the words of a text. Raises NoSuchTile.
    """
    check_address(z, x, y)
    found = Found(reader, {name: value for name, value in criteria.items() if name not in ("bbox", "sort")})
    return found.settled(lambda: _drawn(found.index, reader, z, x, y))


def _drawn(index: IndexFound, reader: Membership | None, z: int, x: int, y: int) -> bytes:
    picture = _picture(index, z, x, y)
    keys, slots = (np.concatenate([a, b]) for a, b in zip(picture.symbols, picture.shapes, strict=True))
    if not len(keys) and not len(picture.groups.x):
        return b""
    keys, first = np.unique(keys, return_index=True)
    rows = drawn.drawn(reader, index, keys, slots[first])
    canvas = Canvas(z, x, y)
    canvas.cells(rows)
    canvas.shapes([(key, rows[key]) for key in sorted(picture.shapes[0].tolist()) if key in rows])
    canvas.symbols([(key, rows[key]) for key in sorted(picture.symbols[0].tolist()) if key in rows])
    canvas.groups(picture.groups)
    return canvas.written()


def _picture(index: IndexFound, z: int, x: int, y: int) -> Picture:
    """Far out groups; near by symbols, or groups on a finer grid where they would crowd."""
    size = WORLD_M / 2**z
    west, north = x * size - WORLD_M / 2, WORLD_M / 2 - y * size
    box = (west, north - size, west + size, north)
    if z < FEATURES_FROM_ZOOM:
        square = GROUP_PX / TILE_PX
        rows, pile = squares.far(index, box, 360 / 2**z * square)
        groups, alone = squares.group(pile, (west, north - size), size * square)
        degrees = tile_box(z, x, y).extent
        keys, slots = squares.long_lines(index, degrees, LINE_PX / TILE_PX * 360 / 2**z, LINES_MOST)
        of_key = dict(zip(keys, slots, strict=True))
        sure = index.sure_of(keys)
        lines = (np.array(sure, np.int64), np.array([of_key[key] for key in sure], np.int64))
        return Picture((rows.ids[alone], rows.slot[alone]), lines, groups)
    margin = 2 * FAN_PX / TILE_PX * size
    rows = squares.near(index, (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin))
    if len(rows) <= CROWDED:
        return Picture((rows.ids, rows.slot), (rows.ids, rows.slot), squares.no_groups())
    pile = squares.rows_pile(rows).inside(box)
    groups, alone = squares.group(pile, (west, north - size), size * CROWDED_PX / TILE_PX)
    length = np.maximum(rows.boxes[2] - rows.boxes[0], rows.boxes[3] - rows.boxes[1])
    long = np.flatnonzero(length > LINE_PX / TILE_PX * 360 / 2**z * 1_000_000)
    long = long[np.argsort(-length[long], kind="stable")][:LINES_MOST]
    return Picture((rows.ids[alone], rows.slot[alone]), (rows.ids[long], rows.slot[long]), groups)


def etag(tile: bytes) -> str:
    """A strong validator of the tile's bytes."""
    return f'"{hashlib.sha256(tile).hexdigest()[:24]}"'


# --- Divisions --------------------------------------------------------------------------------

# level → the zooms at which its boundaries are drawn (provinces stay on as the heavier line)
REGION_ZOOMS = {Region.Level.PROVINCE: (0, 8), Region.Level.CITY: (5, 10), Region.Level.COUNTY: (8, MAX_ZOOM)}
LABEL_ZOOMS = {Region.Level.PROVINCE: (3, 5), Region.Level.CITY: (6, 8), Region.Level.COUNTY: (9, MAX_ZOOM)}

REGIONS_SQL = """
WITH tile AS (
  -- Widened in degrees: a tile widened in metres would reach over 180° and come back as the other side of the world.
  SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS box, ST_Expand(ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s),
         4326), 360.0 / 2 ^ %(z)s / 16) AS degrees
), regions_mvt AS (
  SELECT r.code, r.name_zh, r.name_en, r.level,
    ST_AsMVTGeom(ST_Transform(ST_Simplify(r.polygon, %(px_degrees)s, true), 3857), box, 4096, 64, true) AS geom
  FROM accounts_region r, tile WHERE r.level = ANY(%(levels)s) AND r.polygon && degrees
), labels_mvt AS (
  SELECT r.code, r.name_zh, r.name_en, r.level, ST_AsMVTGeom(ST_Transform(r.label_point, 3857), box, 4096, 0, true)
    AS geom
  FROM accounts_region r, tile WHERE r.level = ANY(%(label_levels)s) AND r.label_point && ST_Transform(box, 4326)
)
SELECT (SELECT coalesce(ST_AsMVT(t, 'regions', 4096, 'geom'), '') FROM regions_mvt t WHERE geom IS NOT NULL)
    || (SELECT coalesce(ST_AsMVT(t, 'labels', 4096, 'geom'), '') FROM labels_mvt t WHERE geom IS NOT NULL)
"""


def _levels_at(z: int, zooms: Mapping[int, tuple[int, int]]) -> list[int]:
    return [int(level) for level, (first, last) in zooms.items() if first <= z <= last]


def region_key(z: int, x: int, y: int) -> str:
    """The cache key of a tile of divisions, one per database and number of divisions. One query."""
    return f"listings:regions:{connection.settings_dict['NAME']}:{Region.objects.count()}:{z}/{x}/{y}"


def region_tile(z: int, x: int, y: int) -> bytes:
    """The divisions of the tile (MVT): layer "regions" outlines, layer "labels" points; code, name_zh, name_en, level.

    The same for everybody; kept in the cache for a day, under a key that changes with the number of divisions.
    One query for that number, one more where the cache has no answer. Raises NoSuchTile.
    """
    check_address(z, x, y)
    key = region_key(z, x, y)
    tile = cache.get(key)
    if tile is None:
        params = {
            "z": z, "x": x, "y": y, "px_degrees": 360 / TILE_PX / 2**z,
            "levels": _levels_at(z, REGION_ZOOMS), "label_levels": _levels_at(z, LABEL_ZOOMS),
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(REGIONS_SQL, params)
            tile = bytes(cursor.fetchone()[0])
        cache.set(key, tile, REGION_CACHE_SECONDS)
    return tile
