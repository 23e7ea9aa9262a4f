"""Rules over several rows, as deferred constraint triggers (a form may pass through a state between), and what is free when.

Each raises check_violation with a CONSTRAINT name; listings/constraint_words.py has the sentence to each.
"""

from django.db import migrations

REFUSE = """
CREATE FUNCTION gj_refuse(rule text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rule % is broken', rule USING ERRCODE = 'check_violation', CONSTRAINT = rule;
END $$;
"""

# Pools: the unit is one of the kind's; platforms stand on the tower and, unless the owner says why not, at most 5 m
# apart (YD 5191-2009); a room has both U and kW or neither, and not more U than its racks hold.
POOLS = """
-- Recorded before the rule was: nobody said that all platforms were listed.
UPDATE listings_tower t SET spacing_reason = 'partial_list' WHERE EXISTS (
  SELECT 1 FROM (SELECT height_m - lag(height_m) OVER (ORDER BY height_m) AS gap FROM listings_capacitypool
                  WHERE resource_id = t.resource_id AND height_m IS NOT NULL) AS gaps WHERE gap > 5);

CREATE FUNCTION gj_check_pools(r bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  res record;
  facts record;
BEGIN
  SELECT kind, state INTO res FROM listings_resource WHERE id = r;
  IF NOT FOUND THEN RETURN; END IF;
  IF EXISTS (SELECT 1 FROM listings_capacitypool WHERE resource_id = r AND unit <> ALL (
      CASE res.kind WHEN 'tower' THEN '{position}' WHEN 'duct' THEN '{bore}' WHEN 'cable' THEN '{core}'
                    ELSE '{rack_u,kw}' END::text[])) THEN
    PERFORM gj_refuse('pool_unit_fits_kind');
  END IF;
  IF res.kind = 'tower' THEN
    SELECT height_m, spacing_reason INTO facts FROM listings_tower WHERE resource_id = r;
    IF NOT FOUND THEN RETURN; END IF;
    IF EXISTS (SELECT 1 FROM listings_capacitypool
                WHERE resource_id = r AND coalesce(height_top_m, height_m) > facts.height_m) THEN
      PERFORM gj_refuse('platform_within_tower');
    END IF;
    IF facts.spacing_reason = '' AND EXISTS (
        SELECT 1 FROM (SELECT height_m - max(coalesce(height_top_m, height_m)) OVER (
                         ORDER BY height_m, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS gap
                         FROM listings_capacitypool WHERE resource_id = r AND height_m IS NOT NULL) AS gaps
         WHERE gap > 5) THEN
      PERFORM gj_refuse('platform_spacing');
    END IF;
  ELSIF res.kind = 'room' THEN
    SELECT count(*) FILTER (WHERE unit = 'rack_u') AS u_pools, count(*) FILTER (WHERE unit = 'kw') AS kw_pools,
           max(total) FILTER (WHERE unit = 'rack_u') AS units
      INTO facts FROM listings_capacitypool WHERE resource_id = r;
    IF facts.u_pools <> facts.kw_pools OR (res.state = 'published' AND facts.u_pools = 0) THEN
      PERFORM gj_refuse('room_both_units');
    END IF;
    IF EXISTS (SELECT 1 FROM listings_room WHERE resource_id = r AND rack_count * rack_height_u < facts.units) THEN
      PERFORM gj_refuse('room_units_fit_racks');
    END IF;
  END IF;
END $$;

CREATE FUNCTION gj_pools_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'listings_resource' THEN
    PERFORM gj_check_pools(NEW.id);
  ELSE
    PERFORM gj_check_pools(NEW.resource_id);
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION gj_pools_checked_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM gj_check_pools(OLD.resource_id);
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER pool_rules AFTER INSERT OR UPDATE OF unit, total, height_m, height_top_m
  ON listings_capacitypool DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_pools_checked();
CREATE CONSTRAINT TRIGGER pool_rules_gone AFTER DELETE ON listings_capacitypool
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_pools_checked_old();
CREATE CONSTRAINT TRIGGER tower_rules AFTER UPDATE OF height_m, spacing_reason ON listings_tower
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_pools_checked();
CREATE CONSTRAINT TRIGGER room_rules AFTER UPDATE OF rack_count, rack_height_u ON listings_room
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_pools_checked();
CREATE CONSTRAINT TRIGGER resource_rules AFTER INSERT OR UPDATE OF state, kind ON listings_resource
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'room' AND NEW.state = 'published')
  EXECUTE FUNCTION gj_pools_checked();
"""
POOLS_BACK = """
DROP TRIGGER resource_rules ON listings_resource;
DROP TRIGGER room_rules ON listings_room;
DROP TRIGGER tower_rules ON listings_tower;
DROP TRIGGER pool_rules_gone ON listings_capacitypool;
DROP TRIGGER pool_rules ON listings_capacitypool;
DROP FUNCTION gj_pools_checked();
DROP FUNCTION gj_pools_checked_old();
DROP FUNCTION gj_check_pools(bigint);
"""

# Bores: of a duct, on its face, blocked within its length; a sub-duct lies in a bore of the same duct that it fits,
# at most three deep (bore, sub-duct, micro-duct), which also rules out circles.
DUCTS = """
CREATE FUNCTION gj_check_bores(d bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  duct record;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM listings_bore WHERE duct_id = d) THEN RETURN; END IF;
  SELECT f.face_rows, f.face_columns, coalesce(f.surveyed_length_m, r.length_m::numeric) AS length_m INTO duct
    FROM listings_resource r JOIN listings_duct f ON f.resource_id = r.id WHERE r.id = d AND r.kind = 'duct';
  IF NOT FOUND THEN PERFORM gj_refuse('bore_of_duct'); END IF;
  IF EXISTS (SELECT 1 FROM listings_bore
              WHERE duct_id = d AND ("row" > duct.face_rows OR "column" > duct.face_columns)) THEN
    PERFORM gj_refuse('bore_on_face');
  END IF;
  IF EXISTS (SELECT 1 FROM listings_bore WHERE duct_id = d AND blocked_at_m > duct.length_m) THEN
    PERFORM gj_refuse('bore_blocked_within_length');
  END IF;
  IF EXISTS (SELECT 1 FROM listings_bore b JOIN listings_bore p ON p.id = b.parent_id WHERE b.duct_id = d
              AND (p.duct_id <> d OR coalesce(b.outer_mm, b.inner_mm) >= p.inner_mm)) THEN
    PERFORM gj_refuse('bore_fits_parent');
  END IF;
  IF EXISTS (SELECT 1 FROM listings_bore b JOIN listings_bore p ON p.id = b.parent_id
               JOIN listings_bore g ON g.id = p.parent_id WHERE b.duct_id = d AND g.parent_id IS NOT NULL) THEN
    PERFORM gj_refuse('bore_depth');
  END IF;
END $$;
CREATE FUNCTION gj_bores_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'listings_bore' THEN
    PERFORM gj_check_bores(NEW.duct_id);
  ELSE
    PERFORM gj_check_bores(NEW.resource_id);
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bore_rules AFTER INSERT OR UPDATE ON listings_bore
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_bores_checked();
CREATE CONSTRAINT TRIGGER duct_rules AFTER UPDATE OF face_rows, face_columns, surveyed_length_m ON listings_duct
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_bores_checked();

CREATE FUNCTION gj_chamber_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM listings_resource r JOIN listings_chamber c ON c.id = NEW.chamber_id
                  WHERE r.id = NEW.duct_id AND r.kind = 'duct' AND r.owner_id = c.owner_id) THEN
    PERFORM gj_refuse('chamber_of_owners_duct');
  END IF;
  IF EXISTS (SELECT 1 FROM listings_resource r JOIN listings_duct f ON f.resource_id = r.id
              WHERE r.id = NEW.duct_id AND NEW.at_m > coalesce(f.surveyed_length_m, r.length_m::numeric)) THEN
    PERFORM gj_refuse('chamber_within_length');
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER chamber_rules AFTER INSERT OR UPDATE ON listings_ductchamber
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_chamber_checked();

CREATE FUNCTION gj_carriage_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM listings_resource c JOIN listings_resource l ON l.id = NEW.carrier_id
                  WHERE c.id = NEW.cable_id AND c.kind = 'cable' AND l.kind IN ('duct', 'tower')) THEN
    PERFORM gj_refuse('carriage_kinds');
  END IF;
  IF NEW.bore_id IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM listings_bore WHERE id = NEW.bore_id AND duct_id = NEW.carrier_id) THEN
    PERFORM gj_refuse('carriage_bore_of_carrier');
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER carriage_rules AFTER INSERT OR UPDATE ON listings_carriage
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gj_carriage_checked();

CREATE FUNCTION gj_site_checked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM listings_resource r JOIN listings_site s ON s.id = r.site_id
              WHERE r.id = NEW.id AND r.owner_id <> s.owner_id) THEN
    PERFORM gj_refuse('site_of_owner');
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER site_rules AFTER INSERT OR UPDATE OF site_id, owner_id ON listings_resource
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.site_id IS NOT NULL) EXECUTE FUNCTION gj_site_checked();
"""
DUCTS_BACK = """
DROP TRIGGER site_rules ON listings_resource;
DROP FUNCTION gj_site_checked();
DROP TRIGGER carriage_rules ON listings_carriage;
DROP FUNCTION gj_carriage_checked();
DROP TRIGGER chamber_rules ON listings_ductchamber;
DROP FUNCTION gj_chamber_checked();
DROP TRIGGER duct_rules ON listings_duct;
DROP TRIGGER bore_rules ON listings_bore;
DROP FUNCTION gj_bores_checked();
DROP FUNCTION gj_check_bores(bigint);
"""

# Reasons of missing values are one of three words; a fact's own source is an object with a text and a day.
REASONS = """
CREATE FUNCTION gj_reasons_hold(reasons jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT jsonb_typeof(reasons) = 'object'
         AND NOT EXISTS (SELECT 1 FROM jsonb_each_text(CASE jsonb_typeof(reasons) WHEN 'object' THEN reasons
                                                            ELSE '{}' END) AS r
                          WHERE r.value IS NULL OR r.value NOT IN ('unknown', 'unpopulated', 'withheld'))
$$;
CREATE FUNCTION gj_provenance_holds(facts jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT jsonb_typeof(facts) = 'object'
         AND NOT EXISTS (SELECT 1 FROM jsonb_each(CASE jsonb_typeof(facts) WHEN 'object' THEN facts
                                                       ELSE '{}' END) AS f
                          WHERE jsonb_typeof(f.value) <> 'object'
                             OR coalesce(f.value ->> 'source', '') || coalesce(f.value ->> 'on', '') = ''
                             OR f.value ->> 'on' !~ '^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$')
$$;
ALTER TABLE listings_resource ADD CONSTRAINT resource_missing_has_reason CHECK (missing = '{}' OR gj_reasons_hold(missing));
ALTER TABLE listings_resource ADD CONSTRAINT resource_provenance_holds
  CHECK (provenance = '{}' OR gj_provenance_holds(provenance));
"""
REASONS_BACK = """
ALTER TABLE listings_resource DROP CONSTRAINT resource_provenance_holds;
ALTER TABLE listings_resource DROP CONSTRAINT resource_missing_has_reason;
DROP FUNCTION gj_provenance_holds(jsonb);
DROP FUNCTION gj_reasons_hold(jsonb);
"""

# What is free when. pool_calendar: the days from which another number of units is taken, the first day being `since`.
# pool_free_over: the least that is free on any day of a period (last_day NULL: without end).
# pool_next_free: the first day from which `wanted` units stay free for `days` days (NULL: without end); NULL: never.
CALENDAR = """
CREATE FUNCTION pool_calendar(p bigint, since date)
RETURNS TABLE (starts_on date, ends_on date, taken numeric, free numeric) LANGUAGE sql STABLE AS $$
  WITH active AS (
    SELECT r.starts_on, r.ends_on, r.quantity FROM listings_reservation r
     WHERE r.pool_id = p AND r.state IN ('held', 'confirmed') AND (r.ends_on IS NULL OR r.ends_on >= since)
  ), steps AS (
    SELECT since AS day, 0::numeric AS delta
    UNION ALL SELECT greatest(a.starts_on, since), a.quantity FROM active a
    UNION ALL SELECT a.ends_on + 1, -a.quantity FROM active a WHERE a.ends_on IS NOT NULL
  ), days AS (
    SELECT day, sum(delta) AS delta FROM steps GROUP BY day
  ), levels AS (
    SELECT day, sum(delta) OVER (ORDER BY day) AS taken FROM days WHERE delta <> 0 OR day = since
  )
  SELECT l.day, lead(l.day) OVER (ORDER BY l.day) - 1, l.taken, c.total - c.in_use - l.taken
    FROM levels l, listings_capacitypool c WHERE c.id = p ORDER BY l.day
$$;
CREATE FUNCTION pool_free_over(p bigint, first_day date, last_day date) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT min(free) FROM pool_calendar(p, first_day) WHERE last_day IS NULL OR starts_on <= last_day
$$;
CREATE FUNCTION pool_next_free(p bigint, wanted numeric, since date, days int DEFAULT NULL) RETURNS date
LANGUAGE plpgsql STABLE AS $$
DECLARE
  step record;
  candidate date := since;
BEGIN
  FOR step IN SELECT * FROM pool_calendar(p, since) LOOP
    IF step.free < wanted THEN
      IF days IS NOT NULL AND step.starts_on >= candidate + days THEN
        RETURN candidate;
      END IF;
      candidate := step.ends_on + 1;
      IF candidate IS NULL THEN
        RETURN NULL;
      END IF;
    END IF;
  END LOOP;
  RETURN candidate;
END $$;
"""
CALENDAR_BACK = """
DROP FUNCTION pool_next_free(bigint, numeric, date, int);
DROP FUNCTION pool_free_over(bigint, date, date);
DROP FUNCTION pool_calendar(bigint, date);
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0006_records")]
    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION gj_refuse(text)"),
        migrations.RunSQL(POOLS, POOLS_BACK),
        migrations.RunSQL(DUCTS, DUCTS_BACK),
        migrations.RunSQL(REASONS, REASONS_BACK),
        migrations.RunSQL(CALENDAR, CALENDAR_BACK),
    ]
