"""Capacity is counted by the database itself: a trigger keeps taken, CHECK pool_never_oversold refuses."""

from django.db import migrations

# The highest number of units active at once from today on. Days are summed before the running total, so
# that one reservation may begin on the day after another ends.
PEAK = """
CREATE FUNCTION pool_peak(p bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  WITH steps AS (
    SELECT greatest(starts_on, current_date) AS day, quantity AS delta FROM listings_reservation
     WHERE pool_id = p AND state IN ('held', 'confirmed') AND (ends_on IS NULL OR ends_on >= current_date)
    UNION ALL
    SELECT ends_on + 1, -quantity FROM listings_reservation
     WHERE pool_id = p AND state IN ('held', 'confirmed') AND ends_on >= current_date
  ), days AS (SELECT day, sum(delta) AS delta FROM steps GROUP BY day)
  SELECT coalesce(max(units), 0) FROM (SELECT sum(delta) OVER (ORDER BY day) AS units FROM days) AS running
$$;
"""

# The pool's row is locked BEFORE the sum: the next statement then sees what the one ahead committed.
# NO KEY UPDATE, because foreign keys to the pool take KEY SHARE and FOR UPDATE would deadlock with them.
COUNT = """
CREATE FUNCTION reservation_counts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  p bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.pool_id ELSE NEW.pool_id END;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.pool_id <> NEW.pool_id THEN
    RAISE EXCEPTION 'a reservation stays on its pool' USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM 1 FROM listings_capacitypool WHERE id = p FOR NO KEY UPDATE;
  UPDATE listings_capacitypool SET taken = pool_peak(p) WHERE id = p;
  RETURN NULL;
END $$;
CREATE TRIGGER reservation_counts AFTER INSERT OR UPDATE OR DELETE ON listings_reservation
  FOR EACH ROW EXECUTE FUNCTION reservation_counts();
"""

PLACES = """
CREATE INDEX resource_shown_cell ON listings_resource USING gist (shown_cell);
CREATE INDEX resource_place_geog ON listings_resource USING gist ((place::geography));
CREATE INDEX resource_cell_geog ON listings_resource USING gist ((shown_cell::geography));
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0002_initial")]
    operations = [
        migrations.RunSQL(PEAK, "DROP FUNCTION pool_peak(bigint)"),
        migrations.RunSQL(COUNT, "DROP TRIGGER reservation_counts ON listings_reservation; DROP FUNCTION reservation_counts()"),
        migrations.RunSQL(PLACES, "DROP INDEX resource_shown_cell, resource_place_geog, resource_cell_geog"),
    ]
