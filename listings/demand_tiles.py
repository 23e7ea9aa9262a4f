"""Vector tiles of a public demand list's lines, for lists too long to send as one file. Each in one query.

Layers as assets/js/map-view.js draws them: "points" one symbol a line, "groups" how many where a tile is crowded,
"shapes" routes and areas. Properties: number, label, kind, tone. Lines' places are published by the bureau on purpose.
"""

from typing import Any

from django.contrib.gis.db.models import Extent
from django.db import connection

from listings.models import DemandLine, DemandList
from listings.tiles import TILE_PX, WORLD_M, check_address, tile_box

TILES_FROM_LINES = 500  # shorter lists go as one GeoJSON file
CROWDED = 400  # symbols in a tile; above, they are grouped
GROUP_PX = 64

SQL = """
WITH view AS (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS box
), answered (id, number, title, kind, state, place) AS ({rows}
), seen AS MATERIALIZED (
  SELECT id, number, title, kind, CASE state WHEN 'fulfilled' THEN 'free' ELSE 'demand' END AS tone,
         ST_Transform(ST_GeomFromEWKB(place), 3857) AS place FROM answered
), spots AS (
  SELECT *, CASE WHEN ST_Dimension(place) = 1 THEN ST_LineInterpolatePoint(ST_GeometryN(place, 1), 0.5)
            ELSE ST_PointOnSurface(place) END AS at FROM seen
), inside AS (
  SELECT spots.*, count(*) OVER () > %(crowded)s AS is_crowded FROM spots, view
   WHERE ST_X(at) >= ST_XMin(box) AND ST_X(at) < ST_XMax(box) AND ST_Y(at) >= ST_YMin(box) AND ST_Y(at) < ST_YMax(box)
), points AS (
  SELECT id, number, number || ' · ' || title AS label, kind, tone, ST_AsMVTGeom(at, box, 4096, 0, false) AS geom
    FROM inside, view WHERE NOT is_crowded
), groups AS (
  SELECT min(id) AS id, count(*)::int AS count,
         ST_AsMVTGeom(ST_SetSRID(ST_MakePoint(avg(ST_X(at)), avg(ST_Y(at))), 3857), box, 4096, 0, false) AS geom
    FROM inside, view WHERE is_crowded
   GROUP BY box, floor((ST_X(at) - ST_XMin(box)) / %(group_m)s), floor((ST_Y(at) - ST_YMin(box)) / %(group_m)s)
), shapes AS (
  SELECT id, number, number || ' · ' || title AS label, kind, tone,
         ST_AsMVTGeom(ST_Simplify(place, %(px_m)s), box, 4096, 64, true) AS geom
    FROM seen, view WHERE ST_Dimension(place) > 0
)
SELECT (SELECT coalesce(ST_AsMVT(t, 'shapes', 4096, 'geom', 'id'), '') FROM shapes t WHERE geom IS NOT NULL)
    || (SELECT coalesce(ST_AsMVT(t, 'groups', 4096, 'geom', 'id'), '') FROM groups t WHERE geom IS NOT NULL)
    || (SELECT coalesce(ST_AsMVT(t, 'points', 4096, 'geom', 'id'), '') FROM points t WHERE geom IS NOT NULL)
"""


def line_tile(demand_list: DemandList, filters: dict[str, str], z: int, x: int, y: int) -> bytes:
    """The tile's bytes (MVT): the list's lines that fit the page's own filters. Raises tiles.NoSuchTile."""
    check_address(z, x, y)
    box = tile_box(z, x, y, margin_px=8)
    rows = (
        DemandLine.objects.filter(demand_list=demand_list, place__bboverlaps=box)
        .search(**filters)
        .order_by()
        .values_list("pk", "number", "title", "kind", "state", "place")
    )
    sql, params = rows.query.sql_with_params()
    px_m = WORLD_M / TILE_PX / 2**z
    named: dict[str, Any] = {"z": z, "x": x, "y": y, "crowded": CROWDED, "group_m": GROUP_PX * px_m, "px_m": px_m}
    named |= {f"row_{n}": value for n, value in enumerate(params)}
    with connection.cursor() as cursor:
        cursor.execute(SQL.replace("{rows}", sql % tuple(f"%(row_{n})s" for n in range(len(params)))), named)
        return bytes(cursor.fetchone()[0])


def bounds(demand_list: DemandList) -> str:
    """ "west,south,east,north" of the list's lines in degrees; "" where it has none. Queries once."""
    box = DemandLine.objects.filter(demand_list=demand_list).aggregate(box=Extent("place"))["box"]
    return ",".join(f"{value:.5f}" for value in box) if box else ""
