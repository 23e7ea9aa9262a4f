"""What must always hold, whoever writes: valid credit codes, and a log nobody rewrites."""

from django.db import migrations

APPEND_ONLY = """
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON accounts_event
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON accounts_event
  FOR EACH STATEMENT WHEN (current_setting('gongjian.may_truncate', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE accounts_organisation ADD CONSTRAINT organisation_uscc_valid CHECK (uscc_is_valid(uscc))",
            "ALTER TABLE accounts_organisation DROP CONSTRAINT organisation_uscc_valid",
        ),
        migrations.RunSQL(
            APPEND_ONLY,
            "DROP TRIGGER event_append_only ON accounts_event; DROP TRIGGER event_no_truncate ON accounts_event",
        ),
    ]
