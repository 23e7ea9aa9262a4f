"""What searches filter, sort and colour by, kept by triggers; and the indexes of text search and the newest first."""

import django.db.models.deletion
from django.db import migrations, models

# Locked before the sums, as reservation_counts does: the next statement sees what the one ahead committed.
TALLY = """
CREATE FUNCTION tally_resource(r bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM listings_tally WHERE resource_id = r FOR NO KEY UPDATE;
  UPDATE listings_tally t SET
    total_units = s.total_units, free_units = s.free_units, free_kw = s.free_kw, price_fen = s.price_fen,
    height_m = coalesce(s.tower_m, s.platform_m),
    tone = CASE WHEN s.free_units <= 0 OR s.free_kw <= 0 THEN 'full'
                WHEN s.free_units >= s.total_units AND coalesce(s.free_kw >= s.total_kw, true) THEN 'free'
                ELSE 'partly' END
  FROM (
    SELECT coalesce(sum(p.total) FILTER (WHERE p.unit = main.unit), 0) AS total_units,
           coalesce(sum(p.free) FILTER (WHERE p.unit = main.unit), 0) AS free_units,
           sum(p.total) FILTER (WHERE p.unit = 'kw') AS total_kw,
           sum(p.free) FILTER (WHERE p.unit = 'kw') AS free_kw,
           min(p.price_fen_per_unit_year) FILTER (WHERE p.unit = main.unit) AS price_fen,
           max(p.height_m) AS platform_m,
           (SELECT height_m FROM listings_tower WHERE resource_id = r) AS tower_m
      FROM (SELECT CASE kind WHEN 'tower' THEN 'position' WHEN 'duct' THEN 'bore' WHEN 'cable' THEN 'core'
                             ELSE 'rack_u' END AS unit FROM listings_resource WHERE id = r) AS main
      LEFT JOIN listings_capacitypool p ON p.resource_id = r
  ) AS s WHERE t.resource_id = r;
END $$;

CREATE FUNCTION tally_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'listings_resource' THEN
    IF TG_OP = 'INSERT' THEN
      INSERT INTO listings_tally (resource_id, total_units, free_units, tone) VALUES (NEW.id, 0, 0, 'full');
    ELSE
      PERFORM tally_resource(NEW.id);
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM tally_resource(OLD.resource_id);
  ELSE
    PERFORM tally_resource(NEW.resource_id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_resource_new AFTER INSERT ON listings_resource FOR EACH ROW EXECUTE FUNCTION tally_counts();
CREATE TRIGGER tally_resource_kind AFTER UPDATE OF kind ON listings_resource
  FOR EACH ROW WHEN (OLD.kind <> NEW.kind) EXECUTE FUNCTION tally_counts();
CREATE TRIGGER tally_tower AFTER INSERT OR DELETE OR UPDATE OF height_m ON listings_tower
  FOR EACH ROW EXECUTE FUNCTION tally_counts();
CREATE TRIGGER tally_pool AFTER INSERT OR DELETE ON listings_capacitypool
  FOR EACH ROW EXECUTE FUNCTION tally_counts();
CREATE TRIGGER tally_pool_changed AFTER UPDATE ON listings_capacitypool FOR EACH ROW
  WHEN ((OLD.unit, OLD.total, OLD.in_use, OLD.taken, OLD.price_fen_per_unit_year, OLD.height_m)
        IS DISTINCT FROM (NEW.unit, NEW.total, NEW.in_use, NEW.taken, NEW.price_fen_per_unit_year, NEW.height_m))
  EXECUTE FUNCTION tally_counts();

INSERT INTO listings_tally (resource_id, total_units, free_units, tone) SELECT id, 0, 0, 'full' FROM listings_resource;
SELECT tally_resource(id) FROM listings_resource;
"""
TALLY_BACK = """
DROP TRIGGER tally_resource_new ON listings_resource;
DROP TRIGGER tally_resource_kind ON listings_resource;
DROP TRIGGER tally_tower ON listings_tower;
DROP TRIGGER tally_pool ON listings_capacitypool;
DROP TRIGGER tally_pool_changed ON listings_capacitypool;
DROP FUNCTION tally_counts();
DROP FUNCTION tally_resource(bigint);
"""

# Trigrams need three characters; a Chinese word has two. All pairs of neighbouring characters of a text, upper-cased:
# WHERE gj_bigrams(name) @> gj_bigrams(%s) finds candidates for two characters or more.
BIGRAMS = """
CREATE FUNCTION gj_bigrams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT substr(upper(words), i, 2)), '{}') FROM generate_series(1, length(words) - 1) AS i
$$;
CREATE INDEX resource_name_bigrams ON listings_resource USING gin (gj_bigrams(name));
"""

NEWEST = """
CREATE INDEX resource_newest ON listings_resource (published_at DESC NULLS LAST, id DESC) WHERE state = 'published';
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0003_invariants")]
    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "resource",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="tally",
                        serialize=False, to="listings.resource",
                    ),
                ),
                ("total_units", models.DecimalField(decimal_places=2, default=0, max_digits=14)),
                ("free_units", models.DecimalField(decimal_places=2, default=0, max_digits=14)),
                ("free_kw", models.DecimalField(decimal_places=2, max_digits=14, null=True)),
                ("price_fen", models.BigIntegerField(null=True)),
                ("height_m", models.DecimalField(decimal_places=1, max_digits=6, null=True)),
                (
                    "tone",
                    models.CharField(
                        choices=[("free", "All free"), ("partly", "Partly free"), ("full", "Nothing free")],
                        default="full", max_length=6,
                    ),
                ),
            ],
            options={
                "verbose_name": "tally",
                "verbose_name_plural": "tallies",
                "indexes": [
                    models.Index(fields=["price_fen", "resource"], name="tally_by_price"),
                    models.Index(fields=["-free_units", "resource"], name="tally_by_free"),
                    models.Index(
                        condition=models.Q(("height_m__isnull", False)), fields=["height_m"], name="tally_by_height"
                    ),
                ],
            },
        ),
        migrations.RunSQL(TALLY, TALLY_BACK),
        migrations.RunSQL(BIGRAMS, "DROP INDEX resource_name_bigrams; DROP FUNCTION gj_bigrams(text)"),
        migrations.RunSQL(NEWEST, "DROP INDEX resource_newest"),
    ]
