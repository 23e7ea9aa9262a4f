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
from listings.models import Resource
from listings.search_index import squares
from listings.search_index.find import Found as IndexFound

MAX_ZOOM = 16  # deeper views stretch these
TILE_PX = 512  # MapLibre's tile size
WORLD_M = 40_075_016.685578488  # the equator in EPSG:3857
FEATURES_FROM_ZOOM = 8
CELLS_FROM_ZOOM = 11  # from here a cell is larger than a symbol
GROUP_PX = 128  # grid of the groups at low zoom: 16 to a tile
CROWDED = 1_500  # symbols in one tile; above, they are grouped on CROWDED_PX
CROWDED_PX = 32
FAN_MOST = 6  # symbols on one ring
FAN_PX = 15
LINE_PX = 24  # at low zoom only lines at least this long are drawn, and at most LINES_MOST
LINES_MOST = 400
NAMES_FROM_ZOOM = 10  # further out a name is asked for by nobody and fills the tile
NOTHING_SQL = "SELECT NULL::bigint, ''::text, ''::text, ''::text, 0::numeric, 0::numeric, true, NULL::bytea WHERE false"

TALLY_COLUMNS = ("tally__tone", "tally__free_units", "tally__total_units")
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


# seen: rows of visible_to() by key, each to be shown as a symbol, a shape or both. Everything here is made of shown
# places. Several symbols at one shown place fan out on a ring, or become a group when there are too many for one.
RESOURCES_SQL = """
WITH tile AS (
  SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS box
), answered (id, kind, name, tone, free, total, is_exact, shown) AS ({seen}
), seen AS MATERIALIZED (  -- Django selects geometries as bytes
  SELECT id, kind, name, tone, free, total, is_exact, ST_GeomFromEWKB(shown) AS shown,
         id = ANY(%(symbols)s::bigint[]) AS is_symbol, id = ANY(%(shapes)s::bigint[]) AS is_shape FROM answered
), spots AS MATERIALIZED (  -- EPSG:3857 by its formula: PROJ takes twenty times as long for a point
  SELECT s.*, radians(ST_X(spot)) * 6378137 AS sx,
         ln(tan(pi() / 4 + radians(greatest(-85.06, least(85.06, ST_Y(spot)))) / 2)) * 6378137 AS sy
  FROM (SELECT seen.*, CASE WHEN GeometryType(shown) = 'POINT' THEN shown
          WHEN ST_Dimension(shown) = 1 THEN ST_LineInterpolatePoint(ST_GeometryN(shown, 1), 0.5)
          ELSE ST_PointOnSurface(shown) END AS spot
          FROM seen WHERE is_symbol AND NOT ST_IsEmpty(shown) OFFSET 0) AS s  -- once, not once per mention
), view AS (
  SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north, box FROM tile
), stacks AS MATERIALIZED (
  SELECT *, count(*) OVER (PARTITION BY kx, ky) AS stacked, row_number() OVER (PARTITION BY kx, ky ORDER BY id) AS nth
  FROM (SELECT *, round(sx * 100) AS kx, round(sy * 100) AS ky FROM spots) AS keyed
), singles AS MATERIALIZED (
  SELECT id, kind, name, tone, free, total, NOT is_exact AS is_blurred, stacked,
    sx + CASE WHEN stacked > 1 THEN %(fan_m)s * sin(2 * pi() * nth / stacked) ELSE 0 END AS ax,
    sy + CASE WHEN stacked > 1 THEN %(fan_m)s * cos(2 * pi() * nth / stacked) ELSE 0 END AS ay
  FROM stacks WHERE stacked <= %(fan_most)s
), groups AS (
  SELECT min(id) AS id, avg(sx) AS ax, avg(sy) AS ay, count(*) AS count,
    count(*) FILTER (WHERE kind = 'tower') AS tower, count(*) FILTER (WHERE kind = 'duct') AS duct,
    count(*) FILTER (WHERE kind = 'cable') AS cable, count(*) FILTER (WHERE kind = 'room') AS room,
    count(*) FILTER (WHERE tone <> 'full') AS open, true AS is_stack
  FROM stacks WHERE stacked > %(fan_most)s GROUP BY kx, ky
  UNION ALL
  SELECT nth, gx, gy, t + d + c + r, t, d, c, r, free, one
  FROM unnest(%(gx)s::float8[], %(gy)s::float8[], %(gt)s::bigint[], %(gd)s::bigint[], %(gc)s::bigint[],
    %(gr)s::bigint[], %(go)s::bigint[], %(gs)s::boolean[]) WITH ORDINALITY AS g (gx, gy, t, d, c, r, free, one, nth)
), points_mvt AS MATERIALIZED (
  SELECT id, kind, CASE WHEN %(has_names)s THEN name END AS name, tone, free::int, total::int, is_blurred, stacked,
         ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(ax, ay), 3857), box, 4096, 0, false) AS geom
  FROM singles, view WHERE ax >= west AND ax < east AND ay >= south AND ay < north
), groups_mvt AS MATERIALIZED (
  SELECT id, count, tower, duct, cable, room, open, is_stack,
         ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(ax, ay), 3857), box, 4096, 0, false) AS geom
  FROM groups, view WHERE ax >= west AND ax < east AND ay >= south AND ay < north
), shapes_mvt AS MATERIALIZED (
  SELECT id, kind, tone, NOT is_exact AS is_blurred,
         ST_AsMVTGeom(ST_Simplify(ST_Transform(shown, 3857), %(line_m)s / 24), box, 4096, 64, true) AS geom
  FROM seen, view WHERE is_shape AND ST_Dimension(shown) > 0 ORDER BY id
), cells_mvt AS MATERIALIZED (
  SELECT ST_AsMVTGeom(ST_Transform(gj_cell(lon, lat), 3857), box, 4096, 64, true) AS geom, count
  FROM (SELECT ST_X(shown) AS lon, ST_Y(shown) AS lat, count(*) AS count FROM seen
         WHERE NOT is_exact AND GeometryType(shown) = 'POINT' AND %(z)s >= %(cells_from)s
         GROUP BY 1, 2) AS blurred, view
)
SELECT (SELECT coalesce(ST_AsMVT(t, 'cells', 4096, 'geom'), '') FROM cells_mvt t WHERE geom IS NOT NULL)
    || (SELECT coalesce(ST_AsMVT(t, 'shapes', 4096, 'geom', 'id'), '') FROM shapes_mvt t WHERE geom IS NOT NULL)
    || (SELECT coalesce(ST_AsMVT(t, 'groups', 4096, 'geom', 'id'), '') FROM groups_mvt t)
    || (SELECT coalesce(ST_AsMVT(t, 'resources', 4096, 'geom', 'id'), '') FROM points_mvt t)
"""


@dataclass
class Picture:
    """What one tile shows: keys of resources to be drawn as symbols and as shapes, and groups."""

    symbols: list[int]
    shapes: list[int]
    groups: squares.Groups


def resource_tile(reader: Membership | None, criteria: Mapping[str, Any], z: int, x: int, y: int) -> bytes:
    """The tile's bytes (MVT) for this reader and these search criteria; box, order and page do not count.

    A few queries, besides those that resolve the words of a text. Raises NoSuchTile.
    """
    check_address(z, x, y)
    found = Found(reader, {name: value for name, value in criteria.items() if name not in ("bbox", "sort")})
    picture = found.settled(lambda: _picture(found.index, z, x, y))
    if not (picture.symbols or picture.shapes or len(picture.groups.x)):
        return b""
    px_m = WORLD_M / TILE_PX / 2**z
    keys = sorted({*picture.symbols, *picture.shapes})
    # As one array: a lookup by pk__in takes every key through Python twice, which is a fifth of a tile's time; and out
    # of the planner's sight, which would weigh every key of it.
    named_only = {"where": ["listings_resource.id = ANY(ARRAY(SELECT unnest(%s::bigint[])))"], "params": [keys]}
    rows = Resource.objects.visible_to(reader).published().extra(**named_only).order_by()
    seen_sql, seen_params = rows.values_list(
        "pk", "kind", "name", *TALLY_COLUMNS, "is_exact", "shown_place"
    ).query.sql_with_params() if keys else (NOTHING_SQL, ())  # fmt: skip
    groups = picture.groups
    named = {
        "z": z, "x": x, "y": y, "cells_from": CELLS_FROM_ZOOM, "fan_most": FAN_MOST, "fan_m": FAN_PX * px_m,
        "line_m": LINE_PX * px_m, "symbols": picture.symbols, "shapes": picture.shapes,
        "has_names": z >= NAMES_FROM_ZOOM,
        "gx": groups.x.tolist(), "gy": groups.y.tolist(), "go": groups.open.tolist(), "gs": groups.is_stack.tolist(),
    } | {f"g{letter}": groups.kinds[:, n].tolist() for n, letter in enumerate("tdcr")}  # fmt: skip
    # The driver takes either named or positional parameters: number the reader's own conditions too.
    named |= {f"seen_{n}": value for n, value in enumerate(seen_params)}
    seen = seen_sql % tuple(f"%(seen_{n})s" for n in range(len(seen_params))) if keys else seen_sql
    with connection.cursor() as cursor:
        cursor.execute(RESOURCES_SQL.replace("{seen}", seen), named)
        return bytes(cursor.fetchone()[0])


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
        lines = squares.long_lines(index, degrees, LINE_PX / TILE_PX * 360 / 2**z, LINES_MOST)
        return Picture(rows.ids[alone].tolist(), index.sure_of(lines), groups)
    margin = 2 * FAN_PX / TILE_PX * size
    rows = squares.near(index, (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin))
    is_line = np.maximum(rows.boxes[2] - rows.boxes[0], rows.boxes[3] - rows.boxes[1])
    if len(rows) <= CROWDED:
        empty = squares.group(squares.rows_pile(rows.take(np.empty(0, np.int64))), (0, 0), 1)[0]
        return Picture(rows.ids.tolist(), rows.ids.tolist(), empty)
    pile = squares.inside(squares.rows_pile(rows), box)
    groups, alone = squares.group(pile, (west, north - size), size * CROWDED_PX / TILE_PX)
    long = np.flatnonzero(is_line > LINE_PX / TILE_PX * 360 / 2**z * 1_000_000)
    long = long[np.argsort(-is_line[long], kind="stable")][:LINES_MOST]
    return Picture(rows.ids[alone].tolist(), rows.ids[long].tolist(), groups)


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
