"""Along a line within metres: the line as drawn, or as a cable or duct is shown, with the corridor around it."""

from dataclasses import dataclass
from functools import cached_property

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection

WITHIN_MOST_M = 20_000
DEFAULT_WITHIN_M = 500
PIECE_M = 50_000  # a corridor is made piece by piece, each in its own projection
# PostGIS makes a corridor in a plane near the place and of 32 corners to a round end: off by less than 2 %.
SURE, MAYBE = 0.975, 1.025

CORRIDOR_SQL = """
SELECT ST_AsBinary(ST_UnaryUnion(ST_Collect(ST_Buffer(piece::geography, %(within)s, 'quad_segs=16')::geometry)))
FROM (
  SELECT ST_MakeLine(at, next) AS piece FROM (
    SELECT (d).geom AS at, lead((d).geom) OVER (PARTITION BY (d).path[1] ORDER BY (d).path) AS next
    FROM (
      SELECT ST_DumpPoints(ST_Multi(ST_Segmentize(%(line)s::geometry::geography, %(piece)s)::geometry)) AS d
    ) AS corners
  ) AS steps WHERE next IS NOT NULL
) AS pieces
"""


@dataclass(frozen=True)
class Route:
    """line: (multi)line in degrees, SRID 4326. within_m: how far from it."""

    line: GEOSGeometry
    within_m: float

    @cached_property
    def inner(self) -> shapely.Geometry:
        """A polygon of places that are certainly near enough. Queries once."""
        return self._corridor(SURE)

    @cached_property
    def outer(self) -> shapely.Geometry:
        """A polygon outside of which none is. Queries once."""
        return self._corridor(MAYBE)

    def _corridor(self, share: float) -> shapely.Geometry:
        with connection.cursor() as cursor:
            cursor.execute(
                CORRIDOR_SQL,
                {"line": self.line.hexewkb.decode(), "within": self.within_m * share, "piece": PIECE_M},
            )
            return shapely.make_valid(shapely.from_wkb(bytes(cursor.fetchone()[0])))
