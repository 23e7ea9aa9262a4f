"""SQL functions behind the generated columns of a resource's place."""

from django.db import migrations

# A stable cell of at least 1 km × 1 km: rows of 0.01° of latitude (1.106 km or more on WGS84), each cut into as many
# equal columns of at least 1 km as fit around the globe (0.009° of longitude at the equator is 1.002 km), so that no
# narrow cell is left over at the antimeridian; each polar cap is one cell. The answer depends on the cell alone:
# repeated reads, edits within the cell and neighbours tell nothing more. SET search_path: a restore runs without one.
CELL = """
CREATE FUNCTION gj_cell(lon float8, lat float8) RETURNS geometry
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
  row_no int;
  columns int;
  column_no int;
BEGIN
  IF lat >= 89 THEN
    RETURN ST_MakeEnvelope(-180, 89, 180, 90, 4326);
  ELSIF lat <= -89 THEN
    RETURN ST_MakeEnvelope(-180, -90, 180, -89, 4326);
  END IF;
  row_no := floor(lat * 100);
  columns := floor(360 * cos(radians(greatest(abs(row_no), abs(row_no + 1)) / 100.0)) / 0.009);
  column_no := least(floor((lon + 180 - 360 * floor((lon + 180) / 360)) * columns / 360), columns - 1);
  RETURN ST_MakeEnvelope(
    column_no * 360.0 / columns - 180, row_no / 100.0, (column_no + 1) * 360.0 / columns - 180, (row_no + 1) / 100.0,
    4326);
END $$;
CREATE FUNCTION gj_cell_centre(lon float8, lat float8) RETURNS geometry
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
  cell geometry := gj_cell(lon, lat);
BEGIN
  RETURN ST_SetSRID(ST_MakePoint(
    round(((ST_XMin(cell) + ST_XMax(cell)) / 2)::numeric, 6)::float8,
    round(((ST_YMin(cell) + ST_YMax(cell)) / 2)::numeric, 6)::float8), 4326);
END $$;
"""

# Points: the cell's centre. Lines: every vertex moved to its cell's centre, then thinned by one and a half cells:
# the order in which a long straight line steps through cells would tell where it runs to a few metres. Thinning
# comes after snapping, so that the answer still depends on the cells alone. Areas: the cell of the middle.
BLUR = """
CREATE FUNCTION gj_blur(place geometry) RETURNS geometry
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
  blurred geometry;
  middle geometry;
BEGIN
  IF GeometryType(place) IN ('LINESTRING', 'MULTILINESTRING') THEN
    SELECT ST_Collect(thinned ORDER BY part_no) INTO blurred FROM (
      SELECT d.path[1] AS part_no,
             ST_Simplify(ST_MakeLine(gj_cell_centre(ST_X(d.geom), ST_Y(d.geom)) ORDER BY d.path), 0.015) AS thinned
      FROM ST_DumpPoints(ST_Multi(ST_Force2D(place))) AS d GROUP BY d.path[1]
    ) parts WHERE ST_Length(thinned) > 0;
    IF blurred IS NOT NULL THEN
      RETURN CASE WHEN ST_NumGeometries(blurred) = 1 THEN ST_GeometryN(blurred, 1) ELSE blurred END;
    END IF;
  END IF;
  middle := ST_Centroid(ST_Force2D(place));
  RETURN gj_cell_centre(ST_X(middle), ST_Y(middle));
END $$;
"""

LENGTH = """
CREATE FUNCTION gj_length_m(place geometry) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path FROM CURRENT AS $$
  SELECT CASE WHEN ST_Dimension(place) = 1 THEN ST_Length(place::geography) ELSE 0 END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(CELL, "DROP FUNCTION gj_cell_centre(float8, float8); DROP FUNCTION gj_cell(float8, float8)"),
        migrations.RunSQL(BLUR, "DROP FUNCTION gj_blur(geometry)"),
        migrations.RunSQL(LENGTH, "DROP FUNCTION gj_length_m(geometry)"),
    ]
