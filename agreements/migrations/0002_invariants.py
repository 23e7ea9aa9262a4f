"""What was signed stays as it was signed."""

from django.db import migrations

FROZEN = """
CREATE TRIGGER signature_append_only BEFORE UPDATE OR DELETE ON agreements_signature
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER agreement_terms_frozen BEFORE UPDATE ON agreements_agreement FOR EACH ROW
  WHEN (OLD.terms IS DISTINCT FROM NEW.terms OR OLD.terms_sha256 <> NEW.terms_sha256
        OR OLD.verification_code <> NEW.verification_code OR OLD.reference <> NEW.reference)
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER agreement_kept BEFORE DELETE ON agreements_agreement FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("agreements", "0001_initial"), ("accounts", "0002_invariants")]
    operations = [
        migrations.RunSQL(
            FROZEN,
            "DROP TRIGGER signature_append_only ON agreements_signature;"
            "DROP TRIGGER agreement_terms_frozen ON agreements_agreement; DROP TRIGGER agreement_kept ON agreements_agreement",
        )
    ]
