"""The rules of new pools are looked at once per statement, not once per row: a file of 100,000 towers asked 300,000 times."""

from django.db import migrations

# As gj_check_pools(bigint) of 0007, which stays for one resource (it plans once), for many in one pass.
CHECK = """
CREATE FUNCTION gj_check_pools(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM listings_capacitypool p JOIN listings_resource r ON r.id = p.resource_id
              WHERE p.resource_id = ANY(ids) AND p.unit <> ALL (
                CASE r.kind WHEN 'tower' THEN '{position}' WHEN 'duct' THEN '{bore}' WHEN 'cable' THEN '{core}'
                            ELSE '{rack_u,kw}' END::text[])) THEN
    PERFORM gj_refuse('pool_unit_fits_kind');
  END IF;
  IF EXISTS (SELECT 1 FROM listings_capacitypool p JOIN listings_tower t ON t.resource_id = p.resource_id
              WHERE p.resource_id = ANY(ids) AND coalesce(p.height_top_m, p.height_m) > t.height_m) THEN
    PERFORM gj_refuse('platform_within_tower');
  END IF;
  IF EXISTS (SELECT 1 FROM (
       SELECT p.height_m - max(coalesce(p.height_top_m, p.height_m)) OVER (
                PARTITION BY p.resource_id ORDER BY p.height_m, p.id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS gap
         FROM listings_capacitypool p JOIN listings_tower t ON t.resource_id = p.resource_id AND t.spacing_reason = ''
        WHERE p.resource_id = ANY(ids) AND p.height_m IS NOT NULL) AS gaps WHERE gap > 5) THEN
    PERFORM gj_refuse('platform_spacing');
  END IF;
  IF EXISTS (SELECT 1 FROM (
       SELECT r.state, count(*) FILTER (WHERE p.unit = 'rack_u') AS u_pools,
              count(*) FILTER (WHERE p.unit = 'kw') AS kw_pools
         FROM listings_resource r LEFT JOIN listings_capacitypool p ON p.resource_id = r.id
        WHERE r.id = ANY(ids) AND r.kind = 'room' GROUP BY r.id, r.state) AS rooms
      WHERE u_pools <> kw_pools OR (state = 'published' AND u_pools = 0)) THEN
    PERFORM gj_refuse('room_both_units');
  END IF;
  IF EXISTS (SELECT 1 FROM listings_capacitypool p JOIN listings_room m ON m.resource_id = p.resource_id
              WHERE p.resource_id = ANY(ids) AND p.unit = 'rack_u' AND m.rack_count * m.rack_height_u < p.total) THEN
    PERFORM gj_refuse('room_units_fit_racks');
  END IF;
END $$;
"""

# A statement's new rows are noted down in one row; its deferred trigger looks at them when the rules are asked for.
# Nobody reads the table, nothing stays in it: unlogged.
NOTED = """
CREATE UNLOGGED TABLE listings_rulesdue (id bigserial PRIMARY KEY, ids bigint[] NOT NULL);
CREATE FUNCTION gj_pools_noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'listings_resource' THEN
    INSERT INTO listings_rulesdue (ids) SELECT array_agg(id) FROM fresh WHERE kind = 'room' AND state = 'published'
      HAVING count(*) > 0;
  ELSE
    INSERT INTO listings_rulesdue (ids) SELECT array_agg(DISTINCT resource_id) FROM fresh HAVING count(*) > 0;
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION gj_rules_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF cardinality(NEW.ids) = 1 THEN
    PERFORM gj_check_pools(NEW.ids[1]);
  ELSE
    PERFORM gj_check_pools(NEW.ids);
  END IF;
  DELETE FROM listings_rulesdue WHERE id = NEW.id;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rules_due AFTER INSERT ON listings_rulesdue
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_rules_due();

DROP TRIGGER pool_rules ON listings_capacitypool;
CREATE CONSTRAINT TRIGGER pool_rules AFTER UPDATE OF unit, total, height_m, height_top_m ON listings_capacitypool
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_pools_checked();
CREATE TRIGGER pool_rules_noted AFTER INSERT ON listings_capacitypool
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION gj_pools_noted();
DROP TRIGGER resource_rules ON listings_resource;
CREATE CONSTRAINT TRIGGER resource_rules AFTER UPDATE OF state, kind ON listings_resource
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'room' AND NEW.state = 'published')
  EXECUTE FUNCTION gj_pools_checked();
CREATE TRIGGER resource_rules_noted AFTER INSERT ON listings_resource
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION gj_pools_noted();
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0014_search_blocks")]
    operations = [migrations.RunSQL(CHECK), migrations.RunSQL(NOTED)]
