"""An agreement is renewed once, also where it was amended in between: the renewal of either version is the renewal."""

from django.db import migrations

RULES = """
CREATE FUNCTION renewed_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE base bigint;
BEGIN
  SELECT amends_id INTO base FROM agreements_sharerequest WHERE id = NEW.request_id AND change = 'renewal';
  IF base IS NULL THEN RETURN NEW; END IF;
  -- from the agreement renewed up to the first one its amendments go back to: that row is the lock of them all
  WITH RECURSIVE older AS (
    SELECT a.id, r.amends_id, r.change, 0 AS depth FROM agreements_agreement a
      JOIN agreements_sharerequest r ON r.id = a.request_id WHERE a.id = base
    UNION ALL
    SELECT a.id, r.amends_id, r.change, older.depth + 1 FROM older
      JOIN agreements_agreement a ON a.id = older.amends_id AND older.change = 'amendment'
      JOIN agreements_sharerequest r ON r.id = a.request_id
  ) SELECT id INTO base FROM older ORDER BY depth DESC LIMIT 1;
  PERFORM 1 FROM agreements_agreement WHERE id = base FOR NO KEY UPDATE;
  PERFORM 1 FROM (
    WITH RECURSIVE same AS (
      SELECT base AS id
      UNION ALL
      SELECT a.id FROM same JOIN agreements_sharerequest r ON r.amends_id = same.id AND r.change = 'amendment'
        JOIN agreements_agreement a ON a.request_id = r.id
    ) SELECT 1 FROM same JOIN agreements_sharerequest r ON r.amends_id = same.id AND r.change = 'renewal'
        JOIN agreements_agreement a ON a.request_id = r.id
       WHERE a.id <> NEW.id AND a.state = 'signed' AND a.ended_on IS NULL
  ) AS others;
  IF FOUND THEN
    RAISE EXCEPTION 'renewed_once: this agreement has been renewed already' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER renewed_once BEFORE INSERT OR UPDATE OF state ON agreements_agreement FOR EACH ROW
  WHEN (NEW.state = 'signed') EXECUTE FUNCTION renewed_once();
"""


class Migration(migrations.Migration):
    dependencies = [("agreements", "0206_works_accepted")]
    operations = [
        migrations.RunSQL(RULES, "DROP TRIGGER renewed_once ON agreements_agreement; DROP FUNCTION renewed_once();")
    ]
