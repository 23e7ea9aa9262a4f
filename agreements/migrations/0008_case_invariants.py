"""Steps are only added; what ended stays, but a refusal may be contested; cases under way get the row of their clock."""

from django.db import migrations

STEPS = """
CREATE TRIGGER step_kept BEFORE UPDATE OR DELETE ON agreements_casestep FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER clock_ended_stays BEFORE UPDATE ON agreements_caseclock FOR EACH ROW
  WHEN (OLD.outcome <> 'running' OR OLD.request_id <> NEW.request_id)
  EXECUTE FUNCTION refuse_change();
DROP TRIGGER request_ended_stays ON agreements_sharerequest;
CREATE TRIGGER request_ended_stays BEFORE UPDATE ON agreements_sharerequest FOR EACH ROW
  WHEN (OLD.state IN ('signed', 'refused', 'withdrawn', 'expired', 'decided') AND NEW.state <> OLD.state
        AND NOT (OLD.state = 'refused' AND NEW.state = 'escalated'))
  EXECUTE FUNCTION refuse_change();
"""

STEPS_BACK = """
DROP TRIGGER step_kept ON agreements_casestep;
DROP TRIGGER clock_ended_stays ON agreements_caseclock;
DROP TRIGGER request_ended_stays ON agreements_sharerequest;
CREATE TRIGGER request_ended_stays BEFORE UPDATE ON agreements_sharerequest FOR EACH ROW
  WHEN (OLD.state IN ('signed', 'refused', 'withdrawn', 'expired') AND NEW.state <> OLD.state)
  EXECUTE FUNCTION refuse_change();
"""

CLOCKS = """
INSERT INTO agreements_caseclock (request_id, days, rule, state, started_at, due_at, outcome, cause)
SELECT id, CASE state WHEN 'negotiating' THEN 14 ELSE 10 END, CASE state WHEN 'negotiating' THEN 'clock.offer_validity' WHEN 'agreed' THEN 'clock.signing'
                      ELSE 'clock.completeness' END,
       state, coalesce(submitted_at, created_at), due_at, 'running', ''
  FROM agreements_sharerequest WHERE due_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("agreements", "0007_case_steps")]
    operations = [
        migrations.RunSQL(STEPS, STEPS_BACK),
        migrations.RunSQL(CLOCKS, migrations.RunSQL.noop),
    ]
