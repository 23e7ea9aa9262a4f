"""The tally is kept once per statement, not once per row: storing 38,000 resources summed 150,000 times."""

from django.db import migrations

# Locked in id order before the sums, as reservation_counts does: the next statement sees what the one ahead committed.
# Only rows whose sums differ are written.
SUMS = """
CREATE FUNCTION gj_main_unit(kind text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE kind WHEN 'tower' THEN 'position' WHEN 'duct' THEN 'bore' WHEN 'cable' THEN 'core' ELSE 'rack_u' END
$$;
CREATE FUNCTION tally_resources(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF ids IS NULL OR cardinality(ids) = 0 THEN RETURN; END IF;
  PERFORM 1 FROM listings_tally WHERE resource_id = ANY(ids) ORDER BY resource_id FOR NO KEY UPDATE;
  UPDATE listings_tally t SET
    total_units = s.total_units, free_units = s.free_units, free_kw = s.free_kw, price_fen = s.price_fen,
    height_m = s.height_m, tone = s.tone
  FROM (
    SELECT id, total_units, free_units, free_kw, price_fen, coalesce(tower_m, platform_m) AS height_m,
           CASE WHEN free_units <= 0 OR free_kw <= 0 THEN 'full'
                WHEN free_units >= total_units AND coalesce(free_kw >= total_kw, true) THEN 'free'
                ELSE 'partly' END AS tone
    FROM (
      SELECT r.id, w.height_m AS tower_m,
             coalesce(sum(p.total) FILTER (WHERE p.unit = gj_main_unit(r.kind)), 0) AS total_units,
             coalesce(sum(p.free) FILTER (WHERE p.unit = gj_main_unit(r.kind)), 0) AS free_units,
             sum(p.total) FILTER (WHERE p.unit = 'kw') AS total_kw,
             sum(p.free) FILTER (WHERE p.unit = 'kw') AS free_kw,
             min(p.price_fen_per_unit_year) FILTER (WHERE p.unit = gj_main_unit(r.kind)) AS price_fen,
             max(p.height_m) AS platform_m
        FROM unnest(ids) AS asked (id)
        JOIN listings_resource r ON r.id = asked.id
        LEFT JOIN listings_tower w ON w.resource_id = r.id
        LEFT JOIN listings_capacitypool p ON p.resource_id = r.id
       GROUP BY r.id, w.height_m
    ) AS sums
  ) AS s
  WHERE t.resource_id = s.id
    AND (t.total_units, t.free_units, t.free_kw, t.price_fen, t.height_m, t.tone)
        IS DISTINCT FROM (s.total_units, s.free_units, s.free_kw, s.price_fen, s.height_m, s.tone);
END $$;
"""

# PostgreSQL gives a trigger on UPDATE OF column no transition tables: the functions compare themselves.
TRIGGERS = """
DROP TRIGGER tally_resource_new ON listings_resource;
DROP TRIGGER tally_resource_kind ON listings_resource;
DROP TRIGGER tally_tower ON listings_tower;
DROP TRIGGER tally_pool ON listings_capacitypool;
DROP TRIGGER tally_pool_changed ON listings_capacitypool;
DROP FUNCTION tally_counts();
DROP FUNCTION tally_resource(bigint);

CREATE FUNCTION tally_resource_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO listings_tally (resource_id, total_units, free_units, tone) SELECT id, 0, 0, 'full' FROM fresh;
  ELSE
    PERFORM tally_resources((SELECT array_agg(n.id) FROM fresh n JOIN gone o ON o.id = n.id WHERE o.kind <> n.kind));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_resource_new AFTER INSERT ON listings_resource REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION tally_resource_rows();
CREATE TRIGGER tally_resource_changed AFTER UPDATE ON listings_resource REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION tally_resource_rows();

CREATE FUNCTION tally_tower_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM tally_resources((SELECT array_agg(resource_id) FROM fresh WHERE height_m IS NOT NULL));
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM tally_resources((SELECT array_agg(resource_id) FROM gone WHERE height_m IS NOT NULL));
  ELSE
    PERFORM tally_resources((SELECT array_agg(n.resource_id) FROM fresh n JOIN gone o ON o.resource_id = n.resource_id
                              WHERE o.height_m IS DISTINCT FROM n.height_m));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_tower_new AFTER INSERT ON listings_tower REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION tally_tower_rows();
CREATE TRIGGER tally_tower_gone AFTER DELETE ON listings_tower REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION tally_tower_rows();
CREATE TRIGGER tally_tower_changed AFTER UPDATE ON listings_tower REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION tally_tower_rows();

CREATE FUNCTION tally_pool_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM tally_resources((SELECT array_agg(DISTINCT resource_id) FROM fresh));
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM tally_resources((SELECT array_agg(DISTINCT resource_id) FROM gone));
  ELSE
    PERFORM tally_resources((
      SELECT array_agg(DISTINCT id) FROM (
        SELECT n.resource_id, o.resource_id FROM fresh n JOIN gone o ON o.id = n.id
         WHERE (o.resource_id, o.unit, o.total, o.in_use, o.taken, o.price_fen_per_unit_year, o.height_m)
               IS DISTINCT FROM (n.resource_id, n.unit, n.total, n.in_use, n.taken, n.price_fen_per_unit_year, n.height_m)
      ) AS changed (now_of, once_of), LATERAL unnest(ARRAY[now_of, once_of]) AS id));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_pool_new AFTER INSERT ON listings_capacitypool REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION tally_pool_rows();
CREATE TRIGGER tally_pool_gone AFTER DELETE ON listings_capacitypool REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION tally_pool_rows();
CREATE TRIGGER tally_pool_changed AFTER UPDATE ON listings_capacitypool REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION tally_pool_rows();
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0005_import_choices")]
    operations = [migrations.RunSQL(SUMS), migrations.RunSQL(TRIGGERS)]
