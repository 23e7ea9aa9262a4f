"""Which day it is in the database is the portal's calendar day (settings.TIME_ZONE), not the day in Greenwich."""

from django.db import migrations

TODAY = """
CREATE FUNCTION portal_today() RETURNS date LANGUAGE sql STABLE AS $$
  SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date
$$;
"""

PEAK = """
CREATE OR REPLACE FUNCTION pool_peak(p bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  WITH steps AS (
    SELECT greatest(starts_on, {today}) AS day, quantity AS delta FROM listings_reservation
     WHERE pool_id = p AND state IN ('held', 'confirmed') AND (ends_on IS NULL OR ends_on >= {today})
    UNION ALL
    SELECT ends_on + 1, -quantity FROM listings_reservation
     WHERE pool_id = p AND state IN ('held', 'confirmed') AND ends_on >= {today}
  ), days AS (SELECT day, sum(delta) AS delta FROM steps GROUP BY day)
  SELECT coalesce(max(units), 0) FROM (SELECT sum(delta) OVER (ORDER BY day) AS units FROM days) AS running
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0161_files_of_parts")]
    operations = [
        migrations.RunSQL(TODAY, "DROP FUNCTION portal_today()"),
        migrations.RunSQL(PEAK.format(today="portal_today()"), PEAK.format(today="current_date")),
    ]
