"""A hold is one statement: locks, key, count, rows and events in one function; and its end in another (ADR 0093)."""

from django.db import migrations, models

# As before, in a language whose plan is kept: planning it anew for each hold took three times as long as running it.
PEAK = """
CREATE OR REPLACE FUNCTION pool_peak(p bigint) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE
  today date := portal_today();
BEGIN
  RETURN (
    WITH active AS MATERIALIZED (
      SELECT greatest(starts_on, today) AS first, ends_on + 1 AS after, quantity FROM listings_reservation
       WHERE pool_id = p AND state IN ('held', 'confirmed') AND (ends_on IS NULL OR ends_on >= today)
    ), steps AS (
      SELECT day, sum(delta) AS delta FROM (
        SELECT first AS day, sum(quantity) AS delta FROM active GROUP BY first
        UNION ALL SELECT after, -sum(quantity) FROM active WHERE after IS NOT NULL GROUP BY after
      ) AS both_ends GROUP BY day
    ) SELECT coalesce(max(units), 0) FROM (SELECT sum(delta) OVER (ORDER BY day) AS units FROM steps) AS running
  );
END $$;
"""

# A change that moves no units (a clock put off) counts nothing.
COUNTS = """
CREATE OR REPLACE FUNCTION reservation_counts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  p bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.pool_id ELSE NEW.pool_id END;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.pool_id <> NEW.pool_id THEN
      RAISE EXCEPTION 'a reservation stays on its pool' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.state, OLD.quantity, OLD.starts_on, OLD.ends_on) IS NOT DISTINCT FROM
       (NEW.state, NEW.quantity, NEW.starts_on, NEW.ends_on) THEN
      RETURN NULL;
    END IF;
  END IF;
  PERFORM 1 FROM listings_capacitypool WHERE id = p FOR NO KEY UPDATE;
  UPDATE listings_capacitypool SET taken = pool_peak(p) WHERE id = p;
  RETURN NULL;
END $$;
"""

# What a reservation is called in the log: str(reservation), with the words of the reader's language handed in.
LABEL = """
CREATE FUNCTION reservation_label(amount text, pool bigint, units text[], words text[]) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT left(concat(amount, ' × ', coalesce(nullif(p.label, ''), words[array_position(units, p.unit::text)]), ' · ',
                       r.name), 200)
      FROM listings_capacitypool p JOIN listings_resource r ON r.id = p.resource_id WHERE p.id = pool
  );
END $$;
"""

# Pools in id order, then the key, then the rows; CHECK pool_never_oversold decides. No rows at all: holds here have run
# out and are to be ended first.
HOLD = """
CREATE FUNCTION capacity_hold(
  pools bigint[], amounts text[], organisation bigint, person bigint, first date, last date, until timestamptz,
  attempt uuid, wait_ms int, reservation_type int, units text[], words text[], until_text text, moment timestamptz
) RETURNS SETOF listings_reservation LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  PERFORM set_config('lock_timeout', wait_ms || 'ms', true);
  PERFORM 1 FROM listings_capacitypool WHERE id = ANY(pools) ORDER BY id FOR NO KEY UPDATE;
  RETURN QUERY SELECT * FROM listings_reservation WHERE idempotency_key = attempt ORDER BY pool_id;
  IF FOUND THEN RETURN; END IF;
  PERFORM 1 FROM listings_reservation WHERE state = 'held' AND expires_at <= moment AND pool_id = ANY(pools) LIMIT 1;
  IF FOUND THEN RETURN; END IF;
  RETURN QUERY WITH made AS (
    INSERT INTO listings_reservation (pool_id, organisation_id, quantity, starts_on, ends_on, state, expires_at,
      idempotency_key, created_by_id, created_at)
    SELECT pool, organisation, amount::numeric, first, last, 'held', until, attempt, person, clock_timestamp()
    FROM unnest(pools, amounts) AS asked (pool, amount) ORDER BY pool
    RETURNING *
  ), told AS (
    INSERT INTO accounts_event (at, actor_id, organisation_id, verb, subject_type_id, subject_id, subject_label, before,
      after, reason)
    SELECT m.created_at, person, organisation, 'reservation.hold', reservation_type, m.id::text,
      reservation_label(a.amount, m.pool_id, units, words), NULL,
      jsonb_build_object('pool', m.pool_id, 'quantity', a.amount, 'expires_at', until_text), ''
    FROM made m JOIN unnest(pools, amounts) AS a (pool, amount) ON a.pool = m.pool_id ORDER BY m.id
  ) SELECT * FROM made ORDER BY pool_id;
END $$;
"""

# NULL: one was in another state than it must be, and nothing was moved. Else those that moved.
MOVE = """
CREATE FUNCTION capacity_move(
  ids bigint[], known text[], target text, is_strict boolean, what text, person bigint, why text, wait_ms int,
  reservation_type int, units text[], words text[]
) RETURNS bigint[] LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  moved bigint[];
BEGIN
  PERFORM set_config('lock_timeout', wait_ms || 'ms', true);
  PERFORM 1 FROM listings_capacitypool WHERE id IN (SELECT pool_id FROM listings_reservation WHERE id = ANY(ids))
    ORDER BY id FOR NO KEY UPDATE;
  PERFORM 1 FROM listings_reservation WHERE id = ANY(ids) ORDER BY id FOR NO KEY UPDATE;
  IF is_strict AND EXISTS (SELECT FROM listings_reservation WHERE id = ANY(ids) AND state <> ALL(known)) THEN
    RETURN NULL;
  END IF;
  WITH before AS MATERIALIZED (
    SELECT id, state FROM listings_reservation WHERE id = ANY(ids) AND state = ANY(known)
  ), done AS (
    UPDATE listings_reservation r SET state = target FROM before b WHERE r.id = b.id
    RETURNING r.id, r.pool_id, r.organisation_id, r.quantity, b.state
  ), told AS (
    INSERT INTO accounts_event (at, actor_id, organisation_id, verb, subject_type_id, subject_id, subject_label, before,
      after, reason)
    SELECT clock_timestamp(), person, d.organisation_id, what, reservation_type, d.id::text,
      reservation_label(d.quantity::text, d.pool_id, units, words), jsonb_build_object('state', d.state),
      jsonb_build_object('state', target), why
    FROM done d ORDER BY d.id
  ) SELECT coalesce(array_agg(id ORDER BY id), '{}') INTO moved FROM done;
  RETURN moved;
END $$;
"""

# PostgreSQL planned the tally of one resource anew each time: 2 ms of planning for 0.25 ms of work.
GENERIC = """
ALTER FUNCTION tally_resources(bigint[]) SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION reservation_counts() SET plan_cache_mode = force_generic_plan;
"""

UNDO = """
DROP FUNCTION capacity_move(bigint[], text[], text, boolean, text, bigint, text, int, int, text[], text[]);
DROP FUNCTION capacity_hold(
  bigint[], text[], bigint, bigint, date, date, timestamptz, uuid, int, int, text[], text[], text, timestamptz);
DROP FUNCTION reservation_label(text, bigint, text[], text[]);
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0170_rows_waiting_for_a_slot")]
    operations = [
        migrations.RemoveConstraint("reservation", "reservation_once_per_attempt"),
        migrations.AddConstraint(
            "reservation",
            models.UniqueConstraint(fields=["idempotency_key", "pool"], name="reservation_once_per_attempt"),
        ),
        migrations.RunSQL(PEAK, migrations.RunSQL.noop),
        migrations.RunSQL(COUNTS, migrations.RunSQL.noop),
        migrations.RunSQL(LABEL + HOLD + MOVE + GENERIC, UNDO),
    ]
