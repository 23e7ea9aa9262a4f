"""A period is renewed once, also where the renewal itself was amended since, or comes back from the bureau."""

from django.db import migrations

RULES = """
CREATE FUNCTION change_head(case_id bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  -- The case that opened the period a case stands in: itself, or what it amends, however often.
  WITH RECURSIVE line AS (
    SELECT r.id, r.amends_id, r.change FROM agreements_sharerequest r WHERE r.id = case_id
    UNION ALL
    SELECT r.id, r.amends_id, r.change FROM line l JOIN agreements_agreement a ON a.id = l.amends_id
      JOIN agreements_sharerequest r ON r.id = a.request_id WHERE l.change = 'amendment')
  SELECT id FROM line WHERE change <> 'amendment'
$$;
CREATE FUNCTION change_line(head_id bigint) RETURNS TABLE (case_id bigint, state varchar) LANGUAGE sql STABLE AS $$
  -- The case that opened a period, and all that amend it, with their states.
  WITH RECURSIVE line AS (
    SELECT r.id, r.state FROM agreements_sharerequest r WHERE r.id = head_id
    UNION ALL
    SELECT r.id, r.state FROM line l JOIN agreements_agreement a ON a.request_id = l.id
      JOIN agreements_sharerequest r ON r.amends_id = a.id AND r.change = 'amendment')
  SELECT id, state FROM line
$$;
CREATE FUNCTION renewal_in_force(agreement_id bigint, but_case_id bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  -- The case in force by which the period of the agreement is renewed, leaving out the period of but_case_id.
  SELECT now_in.case_id FROM agreements_agreement base
    CROSS JOIN LATERAL change_line(change_head(base.request_id)) period
    JOIN agreements_agreement amended ON amended.request_id = period.case_id
    JOIN agreements_sharerequest renewal ON renewal.amends_id = amended.id AND renewal.change = 'renewal'
    CROSS JOIN LATERAL change_line(renewal.id) now_in
    WHERE base.id = agreement_id AND renewal.id IS DISTINCT FROM change_head(but_case_id)
      AND now_in.state IN ('signed', 'make_ready', 'building', 'inspecting', 'rectifying', 'operating', 'leaving')
    ORDER BY now_in.case_id LIMIT 1
$$;
CREATE FUNCTION period_renewed_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE head agreements_sharerequest;
BEGIN
  SELECT * INTO head FROM agreements_sharerequest WHERE id = change_head(NEW.id);
  IF head.change = 'renewal' THEN
    PERFORM pg_advisory_xact_lock(hashtext('renewed_once'), (change_head(a.request_id) % 2147483647)::int)
      FROM agreements_agreement a WHERE a.id = head.amends_id;
    IF renewal_in_force(head.amends_id, NEW.id) IS NOT NULL THEN
      RAISE EXCEPTION 'period_renewed_once: the period of this agreement is renewed by another one' USING
        ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER period_renewed_once AFTER INSERT OR UPDATE OF state ON agreements_sharerequest FOR EACH ROW
  WHEN (NEW.change <> '' AND NEW.state IN
        ('signed', 'make_ready', 'building', 'inspecting', 'rectifying', 'operating', 'leaving'))
  EXECUTE FUNCTION period_renewed_once();
"""
RULES_BACK = """
DROP TRIGGER period_renewed_once ON agreements_sharerequest;
DROP FUNCTION period_renewed_once();
DROP FUNCTION renewal_in_force(bigint, bigint);
DROP FUNCTION change_line(bigint);
DROP FUNCTION change_head(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("agreements", "0220_joint_requests"),
    ]

    operations = [migrations.RunSQL(RULES, RULES_BACK)]
