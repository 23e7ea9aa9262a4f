"""Saved searches, what newly fits them, and the changes they are asked about."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# The functions of 0014, which keep the tally, now also note the published resources that changed in what searches ask:
# the tally's own sums and boxes, names, codes, addresses, and the exact place. A plain insert: no writer waits.
NOTE = """
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
    ) RETURNING t.resource_id, t.slot, t.facets
  ), marked AS (
    INSERT INTO listings_searchdirty (block) SELECT DISTINCT slot / 2048 FROM written WHERE slot IS NOT NULL
  ) INSERT INTO listings_searchchange (resource_id) SELECT resource_id FROM written WHERE facets > 0;
END $$;

CREATE OR REPLACE FUNCTION tally_resource_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO listings_tally (
      resource_id, total_units, free_units, free_kw, price_fen, height_m, tone, facets, open_west, open_south,
      open_east, open_north, verified_west, verified_south, verified_east, verified_north, span, published_at,
      owner_id, manager_id, is_timed
    ) SELECT * FROM tally_now((SELECT array_agg(id) FROM fresh));
    INSERT INTO listings_searchchange (resource_id) SELECT id FROM fresh WHERE state = 'published';
  ELSE
    PERFORM tally_resources((
      SELECT array_agg(n.id) FROM fresh n JOIN gone o ON o.id = n.id
       WHERE (o.kind, o.sector, o.region_id, o.state, o.disclosure, o.sharing_modes, o.facts_on, o.published_at,
              o.owner_id, o.manager_id, o.available_from, o.available_until)
             IS DISTINCT FROM (n.kind, n.sector, n.region_id, n.state, n.disclosure, n.sharing_modes, n.facts_on,
              n.published_at, n.owner_id, n.manager_id, n.available_from, n.available_until)
          OR NOT ST_OrderingEquals(o.place, n.place)));
    INSERT INTO listings_searchchange (resource_id) SELECT n.id FROM fresh n JOIN gone o ON o.id = n.id
     WHERE n.state = 'published' AND ((o.name, o.address, o.owner_code) IS DISTINCT FROM (n.name, n.address, n.owner_code)
           OR NOT ST_OrderingEquals(o.place, n.place));
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
    INSERT INTO listings_searchchange (resource_id)
    SELECT n.resource_id FROM fresh n JOIN gone o ON o.resource_id = n.resource_id
      JOIN listings_resource r ON r.id = n.resource_id
     WHERE o.line_name <> n.line_name AND r.state = 'published';
  END IF;
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0021_calendar_day'),
        ('listings', '0060_long_lines'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('resource_id', models.BigIntegerField()),
            ],
            options={
                'verbose_name': 'change searches may notice',
                'verbose_name_plural': 'changes searches may notice',
            },
        ),
        migrations.CreateModel(
            name='SavedSearch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('query', models.TextField(max_length=20000)),
                ('is_alerting', models.BooleanField(default=True, verbose_name='tell me of resources that newly fit')),
                ('sieve', models.JSONField(default=dict)),
                ('known', models.BinaryField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.organisation')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_searches', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'saved search',
                'verbose_name_plural': 'saved searches',
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='SavedFind',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('found_at', models.DateTimeField(auto_now_add=True)),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='listings.resource')),
                ('search', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='finds', to='listings.savedsearch')),
            ],
            options={
                'verbose_name': 'find of a saved search',
                'verbose_name_plural': 'finds of saved searches',
                'ordering': ['-found_at', '-pk'],
            },
        ),
        migrations.AddIndex(
            model_name='savedsearch',
            index=models.Index(condition=models.Q(('is_alerting', True)), fields=['id'], name='saved_search_alerting'),
        ),
        migrations.AddConstraint(
            model_name='savedsearch',
            constraint=models.UniqueConstraint(fields=('user', 'organisation', 'name'), name='saved_search_name_once', nulls_distinct=False, violation_error_message='You have a saved search of this name already.'),
        ),
        migrations.AddConstraint(
            model_name='savedsearch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('query', ''), _negated=True)), name='saved_search_says_something', violation_error_message='A saved search has a name and at least one condition.'),
        ),
        migrations.AddIndex(
            model_name='savedfind',
            index=models.Index(condition=models.Q(('told_at', None)), fields=['search'], name='saved_find_untold'),
        ),
        migrations.AddConstraint(
            model_name='savedfind',
            constraint=models.UniqueConstraint(fields=('search', 'resource'), name='saved_find_once'),
        ),
        migrations.RunSQL(NOTE),
    ]
