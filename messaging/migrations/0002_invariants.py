"""Nothing is rewritten or deleted in an official thread."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial"), ("accounts", "0002_invariants")]
    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER message_append_only BEFORE UPDATE OR DELETE ON messaging_message "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "DROP TRIGGER message_append_only ON messaging_message",
        )
    ]
