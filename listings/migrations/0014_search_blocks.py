"""What a nation-wide search reads: facets packed into one number beside boxes of shown places, and blocks of bits.

Filled by listings/search_index/fold.py; until then, and for rows that changed since, searches read the tally itself.
"""

from django.db import migrations, models

import listings.models.tally

# One resource's sums as they are now. facets: the layout of listings/search_keys.py. Boxes are rounded outwards to
# millionths of a degree. A function and no view, so that columns it reads can still change their type.
NOW = """
CREATE FUNCTION gj_free_step(units numeric) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT width_bucket(units, ARRAY[1, 2, 4, 8, 12, 24, 48, 96]::numeric[])
$$;
CREATE FUNCTION tally_now(ids bigint[]) RETURNS TABLE (
  resource_id bigint, total_units numeric, free_units numeric, free_kw numeric, price_fen bigint, height_m numeric,
  tone text, facets bigint, open_west int, open_south int, open_east int, open_north int, verified_west int,
  verified_south int, verified_east int, verified_north int, span int, published_at timestamptz, owner_id bigint,
  manager_id bigint, is_timed boolean
) LANGUAGE sql STABLE AS $$
  SELECT id, total_units, free_units, free_kw, price_fen, height_m, tone,
    CASE WHEN state <> 'published' THEN 0 ELSE  -- sums, because | and << bind alike and from the left
      CASE disclosure WHEN 'exact' THEN 1 WHEN 'blurred' THEN 2 ELSE 3 END::bigint
      + CASE kind WHEN 'tower' THEN 0 WHEN 'duct' THEN 1 WHEN 'cable' THEN 2 ELSE 3 END::bigint * (1::bigint << 2)
      + coalesce(array_position(ARRAY['telecom', 'power', 'transport', 'municipal', 'public_security'], sector::text)
                 - 1, 7)::bigint * (1::bigint << 4)
      + CASE WHEN tone = 'full' THEN 0 ELSE gj_free_step(free_units) END::bigint * (1::bigint << 7)
      + (tone = 'free')::int::bigint * (1::bigint << 11)
      + CASE WHEN height_m IS NULL THEN 0 ELSE 1 + width_bucket(height_m, ARRAY[15, 25, 35, 50]::numeric[]) END::bigint
        * (1::bigint << 12)
      + CASE WHEN bore_mm IS NULL THEN 0 ELSE 1 + width_bucket(bore_mm, ARRAY[40, 75, 100]::numeric[]) END::bigint
        * (1::bigint << 15)
      + CASE WHEN coalesce(power, 0) <= 0 THEN 0 ELSE 1 + width_bucket(power, ARRAY[5, 20, 50]::numeric[]) END::bigint
        * (1::bigint << 18)
      + CASE WHEN price_fen IS NULL THEN 0 WHEN price_fen = 0 THEN 1
             ELSE 2 + width_bucket(price_fen, ARRAY[50000, 200000, 1000000]::bigint[]) END::bigint * (1::bigint << 21)
      + CASE WHEN facts_on IS NULL THEN 0 ELSE least(63, greatest(1, extract(year FROM facts_on)::int - 2000)) END::bigint
        * (1::bigint << 24)
      + ((sharing_modes @> '{same_trench}')::int + (sharing_modes @> '{same_pole_line}')::int * 2
         + (sharing_modes @> '{same_cable}')::int * 4 + (sharing_modes @> '{core_swap}')::int * 8
         + (sharing_modes @> '{core_lease}')::int * 16 + (sharing_modes @> '{same_site}')::int * 32
         + (sharing_modes @> '{co_location}')::int * 64)::bigint * (1::bigint << 30)
      + substr(region_id, 1, 2)::bigint * (1::bigint << 37) + substr(region_id, 3, 2)::bigint * (1::bigint << 44)
      + substr(region_id, 5, 2)::bigint * (1::bigint << 51)
    END,
    open_west, open_south, open_east, open_north,
    floor(ST_XMin(verified) * 1e6)::int, floor(ST_YMin(verified) * 1e6)::int, ceil(ST_XMax(verified) * 1e6)::int,
    ceil(ST_YMax(verified) * 1e6)::int,
    greatest(open_east - open_west, open_north - open_south), published_at, owner_id, coalesce(manager_id, 0), is_timed
  FROM (
    SELECT r.id, r.kind, r.state, r.disclosure, r.sector, r.region_id, r.sharing_modes::text[], r.facts_on,
      r.published_at, r.owner_id, r.manager_id, s.total_units, s.free_units, s.free_kw, s.price_fen,
      coalesce(w.height_m, s.platform_m) AS height_m, s.bore_mm,
      CASE WHEN r.kind = 'room' THEN s.free_kw ELSE w.spare_kva END AS power,
      CASE WHEN s.free_units <= 0 OR s.free_kw <= 0 THEN 'full'
           WHEN s.free_units >= s.total_units AND coalesce(s.free_kw >= s.total_kw, true) THEN 'free'
           ELSE 'partly' END AS tone,
      s.is_taken OR r.available_from IS NOT NULL OR r.available_until IS NOT NULL AS is_timed,
      floor(ST_XMin(r.shown_cell) * 1e6)::int AS open_west, floor(ST_YMin(r.shown_cell) * 1e6)::int AS open_south,
      ceil(ST_XMax(r.shown_cell) * 1e6)::int AS open_east, ceil(ST_YMax(r.shown_cell) * 1e6)::int AS open_north,
      CASE WHEN r.disclosure = 'exact' THEN r.place ELSE r.shown_cell END AS verified
    FROM unnest(ids) AS asked (id)
    JOIN listings_resource r ON r.id = asked.id
    LEFT JOIN listings_tower w ON w.resource_id = r.id
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(p.total) FILTER (WHERE p.unit = gj_main_unit(r.kind)), 0) AS total_units,
             coalesce(sum(p.free) FILTER (WHERE p.unit = gj_main_unit(r.kind)), 0) AS free_units,
             sum(p.total) FILTER (WHERE p.unit = 'kw') AS total_kw,
             sum(p.free) FILTER (WHERE p.unit = 'kw') AS free_kw,
             min(p.price_fen_per_unit_year) FILTER (WHERE p.unit = gj_main_unit(r.kind)) AS price_fen,
             max(p.height_m) AS platform_m,
             max(p.bore_mm) FILTER (WHERE p.free > 0) AS bore_mm,
             coalesce(bool_or(p.taken > 0), false) AS is_taken
        FROM listings_capacitypool p WHERE p.resource_id = r.id
    ) AS s
  ) AS sums
$$;
"""

# What is free on one day, by the reservations of that day. total and in_use are as they are now.
ON_DAY = """
CREATE FUNCTION gj_free_on(r bigint, day date, OUT free numeric, OUT total numeric, OUT is_without_power boolean)
LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(left_over) FILTER (WHERE unit = gj_main_unit(kind)), 0),
         coalesce(sum(total) FILTER (WHERE unit = gj_main_unit(kind)), 0),
         coalesce(bool_or(left_over <= 0) FILTER (WHERE unit = 'kw'), false)
  FROM (
    SELECT p.unit, s.kind, p.total, p.total - p.in_use - coalesce((
      SELECT sum(v.quantity) FROM listings_reservation v WHERE v.pool_id = p.id AND v.state IN ('held', 'confirmed')
         AND v.starts_on <= day AND (v.ends_on IS NULL OR v.ends_on >= day)), 0) AS left_over
    FROM listings_capacitypool p JOIN listings_resource s ON s.id = p.resource_id WHERE p.resource_id = r
  ) AS pools
$$;
CREATE FUNCTION gj_free_code(r bigint, day date) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN is_without_power THEN 0 ELSE gj_free_step(free) END FROM gj_free_on(r, day)
$$;
CREATE FUNCTION gj_is_all_free(r bigint, day date) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT free > 0 AND free >= total AND NOT is_without_power FROM gj_free_on(r, day)
$$;
"""

# Locked in id order before the sums: the next statement sees what the one ahead committed. A row whose sums differ is
# written, and its block marked for folding; marks are only ever added here, so that no writer waits for another.
KEEP = """
CREATE OR REPLACE FUNCTION tally_resources(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF ids IS NULL OR cardinality(ids) = 0 THEN RETURN; END IF;
  PERFORM 1 FROM listings_tally WHERE resource_id = ANY(ids) ORDER BY resource_id FOR NO KEY UPDATE;
  WITH written AS (
    UPDATE listings_tally t SET (
      total_units, free_units, free_kw, price_fen, height_m, tone, facets, open_west, open_south, open_east, open_north,
      verified_west, verified_south, verified_east, verified_north, span, published_at, owner_id, manager_id, is_timed
    ) = (
      s.total_units, s.free_units, s.free_kw, s.price_fen, s.height_m, s.tone, s.facets, s.open_west, s.open_south,
      s.open_east, s.open_north, s.verified_west, s.verified_south, s.verified_east, s.verified_north, s.span,
      s.published_at, s.owner_id, s.manager_id, s.is_timed
    ) FROM tally_now(ids) s
    WHERE t.resource_id = s.resource_id AND (
      t.total_units, t.free_units, t.free_kw, t.price_fen, t.height_m, t.tone, t.facets, t.open_west, t.open_south,
      t.open_east, t.open_north, t.verified_west, t.verified_south, t.verified_east, t.verified_north, t.span,
      t.published_at, t.owner_id, t.manager_id, t.is_timed
    ) IS DISTINCT FROM (
      s.total_units, s.free_units, s.free_kw, s.price_fen, s.height_m, s.tone, s.facets, s.open_west, s.open_south,
      s.open_east, s.open_north, s.verified_west, s.verified_south, s.verified_east, s.verified_north, s.span,
      s.published_at, s.owner_id, s.manager_id, s.is_timed
    ) RETURNING t.slot
  ) INSERT INTO listings_searchdirty (block) SELECT DISTINCT slot / 2048 FROM written WHERE slot IS NOT NULL;
END $$;

CREATE OR REPLACE FUNCTION tally_resource_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO listings_tally (
      resource_id, total_units, free_units, free_kw, price_fen, height_m, tone, facets, open_west, open_south,
      open_east, open_north, verified_west, verified_south, verified_east, verified_north, span, published_at,
      owner_id, manager_id, is_timed
    ) SELECT * FROM tally_now((SELECT array_agg(id) FROM fresh));
  ELSE
    PERFORM tally_resources((
      SELECT array_agg(n.id) FROM fresh n JOIN gone o ON o.id = n.id
       WHERE (o.kind, o.sector, o.region_id, o.state, o.disclosure, o.sharing_modes, o.facts_on, o.published_at,
              o.owner_id, o.manager_id, o.available_from, o.available_until)
             IS DISTINCT FROM (n.kind, n.sector, n.region_id, n.state, n.disclosure, n.sharing_modes, n.facts_on,
              n.published_at, n.owner_id, n.manager_id, n.available_from, n.available_until)
          OR NOT ST_OrderingEquals(o.place, n.place)));
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tally_tower_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM tally_resources((SELECT array_agg(resource_id) FROM fresh WHERE height_m IS NOT NULL OR spare_kva > 0));
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM tally_resources((SELECT array_agg(resource_id) FROM gone WHERE height_m IS NOT NULL OR spare_kva > 0));
  ELSE
    PERFORM tally_resources((SELECT array_agg(n.resource_id) FROM fresh n JOIN gone o ON o.resource_id = n.resource_id
                              WHERE (o.height_m, o.spare_kva) IS DISTINCT FROM (n.height_m, n.spare_kva)));
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tally_pool_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM tally_resources((SELECT array_agg(DISTINCT resource_id) FROM fresh));
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM tally_resources((SELECT array_agg(DISTINCT resource_id) FROM gone));
  ELSE
    PERFORM tally_resources((
      SELECT array_agg(DISTINCT id) FROM (
        SELECT n.resource_id, o.resource_id FROM fresh n JOIN gone o ON o.id = n.id
         WHERE (o.resource_id, o.unit, o.total, o.in_use, o.taken, o.price_fen_per_unit_year, o.height_m, o.bore_mm)
               IS DISTINCT FROM
               (n.resource_id, n.unit, n.total, n.in_use, n.taken, n.price_fen_per_unit_year, n.height_m, n.bore_mm)
      ) AS changed (now_of, once_of), LATERAL unnest(ARRAY[now_of, once_of]) AS id));
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION tally_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO listings_searchdirty (block) SELECT DISTINCT slot / 2048 FROM gone WHERE slot IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_gone AFTER DELETE ON listings_tally REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION tally_gone();

ALTER TABLE listings_searchbits ALTER bits SET STORAGE MAIN;
ALTER TABLE listings_searchblock ALTER facets SET STORAGE EXTERNAL, ALTER ids SET STORAGE EXTERNAL,
  ALTER open_boxes SET STORAGE EXTERNAL, ALTER verified_boxes SET STORAGE EXTERNAL, ALTER prices SET STORAGE EXTERNAL,
  ALTER frees SET STORAGE EXTERNAL, ALTER published SET STORAGE EXTERNAL;
INSERT INTO listings_searchfold (folds) VALUES (0);
"""

# Trigrams need three characters; a Chinese word has one or two. All single Chinese characters and all pairs of
# neighbouring characters of a text, upper-cased: WHERE gj_grams(name) @> gj_grams(%s) finds the candidates.
TEXT = """
CREATE FUNCTION gj_grams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT gram), '{}') FROM (
    SELECT substr(upper(words), i, 2) AS gram FROM generate_series(1, length(words) - 1) AS i
    UNION ALL
    SELECT substr(upper(words), i, 1) FROM generate_series(1, length(words)) AS i
     WHERE ascii(substr(words, i, 1)) >= 11904  -- U+2E80, where the Chinese characters begin
  ) AS grams
$$;
DROP INDEX resource_name_bigrams;
DROP FUNCTION gj_bigrams(text);
CREATE INDEX resource_name_grams ON listings_resource USING gin (gj_grams(name));
CREATE INDEX resource_address_trgm ON listings_resource USING gin (upper(address) gin_trgm_ops) WHERE address <> '';
CREATE INDEX resource_owner_code_prefix ON listings_resource (upper(owner_code) text_pattern_ops);
CREATE INDEX tower_line_trgm ON listings_tower USING gin (upper(line_name) gin_trgm_ops) WHERE line_name <> '';
"""

# In parts, so that the arrays stay small; a table of millions of rows is written once.
FILL = """
DO $$
DECLARE
  first bigint := 0;
  last bigint := (SELECT max(resource_id) FROM listings_tally);
BEGIN
  WHILE first <= last LOOP
    PERFORM tally_resources((SELECT array_agg(resource_id) FROM listings_tally
                              WHERE resource_id >= first AND resource_id < first + 50000));
    first := first + 50000;
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0008_checks_of_empty_values")]
    operations = [
        migrations.CreateModel(
            name="SearchBits",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.SmallIntegerField()),
                ("block", models.IntegerField()),
                ("facet", models.SmallIntegerField()),
                ("value", models.IntegerField()),
                ("bits", listings.models.tally.BitsField()),
            ],
            options={
                "verbose_name": "search bits",
                "verbose_name_plural": "search bits",
            },
        ),
        migrations.CreateModel(
            name="SearchBlock",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("count", models.IntegerField()),
                ("open_west", models.IntegerField()),
                ("open_south", models.IntegerField()),
                ("open_east", models.IntegerField()),
                ("open_north", models.IntegerField()),
                ("verified_west", models.IntegerField()),
                ("verified_south", models.IntegerField()),
                ("verified_east", models.IntegerField()),
                ("verified_north", models.IntegerField()),
                ("facets", models.BinaryField()),
                ("ids", models.BinaryField()),
                ("open_boxes", models.BinaryField()),
                ("verified_boxes", models.BinaryField()),
                ("prices", models.BinaryField()),
                ("frees", models.BinaryField()),
                ("published", models.BinaryField()),
            ],
            options={
                "verbose_name": "search block",
                "verbose_name_plural": "search blocks",
            },
        ),
        migrations.CreateModel(
            name="SearchDirty",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("block", models.IntegerField()),
            ],
            options={
                "verbose_name": "block to fold again",
                "verbose_name_plural": "blocks to fold again",
            },
        ),
        migrations.CreateModel(
            name="SearchFold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("folds", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "fold",
                "verbose_name_plural": "folds",
            },
        ),
        migrations.RemoveIndex(
            model_name="tally",
            name="tally_by_price",
        ),
        migrations.RemoveIndex(
            model_name="tally",
            name="tally_by_free",
        ),
        migrations.RemoveIndex(
            model_name="tally",
            name="tally_by_height",
        ),
        migrations.AddField(
            model_name="tally",
            name="facets",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="is_timed",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="tally",
            name="manager_id",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="open_east",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="open_north",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="open_south",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="open_west",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="owner_id",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="published_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="tally",
            name="slot",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="tally",
            name="span",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="verified_east",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="verified_north",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="verified_south",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="tally",
            name="verified_west",
            field=models.IntegerField(default=0),
        ),
        migrations.RunSQL(NOW),
        migrations.RunSQL(ON_DAY),
        migrations.RunSQL(KEEP),
        migrations.RunSQL(FILL),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(
                models.OrderBy(models.F("price_fen"), nulls_last=True),
                models.OrderBy(models.F("published_at"), descending=True, nulls_last=True),
                models.OrderBy(models.F("resource_id"), descending=True),
                name="tally_price_order",
            ),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(
                models.OrderBy(models.F("free_units"), descending=True),
                models.OrderBy(models.F("published_at"), descending=True, nulls_last=True),
                models.OrderBy(models.F("resource_id"), descending=True),
                name="tally_free_order",
            ),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(
                models.OrderBy(models.F("published_at"), descending=True, nulls_last=True),
                models.OrderBy(models.F("resource_id"), descending=True),
                name="tally_newest_order",
            ),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(
                condition=models.Q(("facets__gt", 0), ("slot", None)), fields=["resource"], name="tally_not_placed"
            ),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(fields=["owner_id", "slot"], name="tally_owner"),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(
                condition=models.Q(("manager_id__gt", 0)), fields=["manager_id", "slot"], name="tally_manager"
            ),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(condition=models.Q(("is_timed", True)), fields=["slot"], name="tally_timed"),
        ),
        migrations.AddIndex(
            model_name="tally",
            index=models.Index(condition=models.Q(("span__gt", 50000)), fields=["-span"], name="tally_long"),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(fields=("slot",), name="tally_slot_once"),
        ),
        migrations.AddConstraint(
            model_name="searchbits",
            constraint=models.UniqueConstraint(fields=("level", "block", "facet", "value"), name="search_bits_once"),
        ),
        migrations.RunSQL(TEXT),
    ]
