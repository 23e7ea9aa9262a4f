"""SQL functions behind the generated columns of a resource's place."""

from django.db import migrations

# A stable cell of at least 1 km × 1 km: 0.01° of latitude (1.11 km) and as many hundredths of a degree of
# longitude as 1 km takes at that latitude. The answer depends on the cell alone, so repeated reads, edits
# within the cell and neighbours tell nothing more.
CELL = """
CREATE FUNCTION gj_cell_centre(lon float8, lat float8) RETURNS geometry LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  row_south float8 := floor(least(greatest(lat, -89), 89) / 0.01) * 0.01;
  step float8 := 0.01 * ceil(0.9 / cos(radians(greatest(abs(row_south), abs(row_south + 0.01)))));
BEGIN
  RETURN ST_SetSRID(ST_MakePoint(
    round(((floor(lon / step) + 0.5) * step)::numeric, 6)::float8, round((row_south + 0.005)::numeric, 6)::float8), 4326);
END $$;
"""

# Points: the cell's centre. Lines: every vertex moved to its cell's centre. Areas: the cell of the middle.
BLUR = """
CREATE FUNCTION gj_blur(place geometry) RETURNS geometry LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  blurred geometry;
  middle geometry;
BEGIN
  IF GeometryType(place) IN ('LINESTRING', 'MULTILINESTRING') THEN
    SELECT ST_Collect(part_line) INTO blurred FROM (
      SELECT ST_RemoveRepeatedPoints(ST_MakeLine(gj_cell_centre(ST_X(d.geom), ST_Y(d.geom)) ORDER BY d.path)) AS part_line
      FROM ST_DumpPoints(ST_Multi(ST_Force2D(place))) AS d GROUP BY d.path[1]
    ) parts WHERE ST_Length(part_line) > 0;
    IF blurred IS NOT NULL THEN
      RETURN CASE WHEN ST_NumGeometries(blurred) = 1 THEN ST_GeometryN(blurred, 1) ELSE blurred END;
    END IF;
  END IF;
  middle := ST_Centroid(ST_Force2D(place));
  RETURN gj_cell_centre(ST_X(middle), ST_Y(middle));
END $$;
"""

LENGTH = """
CREATE FUNCTION gj_length_m(place geometry) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN ST_Dimension(place) = 1 THEN ST_Length(place::geography) ELSE 0 END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(CELL, "DROP FUNCTION gj_cell_centre(float8, float8)"),
        migrations.RunSQL(BLUR, "DROP FUNCTION gj_blur(geometry)"),
        migrations.RunSQL(LENGTH, "DROP FUNCTION gj_length_m(geometry)"),
    ]
