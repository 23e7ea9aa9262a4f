"""What all parties of works agreed stays so; the shares of those that take part and the lead sum to the cost."""

from django.db import migrations

RULES = """
CREATE TRIGGER project_signature_append_only BEFORE UPDATE OR DELETE ON agreements_projectsignature
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER project_terms_frozen BEFORE UPDATE ON agreements_project FOR EACH ROW
  WHEN (OLD.terms_sha256 <> '' AND (OLD.terms IS DISTINCT FROM NEW.terms OR OLD.terms_sha256 <> NEW.terms_sha256
        OR OLD.verification_code <> NEW.verification_code OR OLD.reference <> NEW.reference
        OR OLD.common_fen <> NEW.common_fen OR OLD.lead_own_fen <> NEW.lead_own_fen OR OLD.lead_id <> NEW.lead_id
        OR OLD.lead_units <> NEW.lead_units OR OLD.split <> NEW.split OR OLD.kind <> NEW.kind
        OR (OLD.signed_at IS NOT NULL AND OLD.signed_at IS DISTINCT FROM NEW.signed_at)))
  EXECUTE FUNCTION refuse_change();
CREATE FUNCTION project_shares_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE cost bigint; paid bigint;
BEGIN
  SELECT NEW.common_fen + NEW.lead_own_fen + coalesce(sum(own_fen), 0) INTO cost
    FROM agreements_projectparty WHERE project_id = NEW.id AND state = 'taken';
  SELECT sum((party->>'share_fen')::bigint) INTO paid FROM jsonb_array_elements(NEW.terms->'parties') AS party;
  IF paid IS DISTINCT FROM cost THEN
    RAISE EXCEPTION 'project_shares_sum: % fen are shared of % fen', paid, cost USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER project_shares_sum BEFORE UPDATE ON agreements_project FOR EACH ROW
  WHEN (OLD.terms_sha256 = '' AND NEW.terms_sha256 <> '') EXECUTE FUNCTION project_shares_sum();
CREATE FUNCTION project_party_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'passed_at' = to_jsonb(OLD) - 'passed_at' THEN
    RETURN NEW;
  END IF;
  IF EXISTS (SELECT 1 FROM agreements_project WHERE terms_sha256 <> ''
             AND id IN (coalesce(NEW.project_id, OLD.project_id), coalesce(OLD.project_id, NEW.project_id))) THEN
    RAISE EXCEPTION 'project_party_frozen: the terms of these works are agreed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER project_party_frozen BEFORE INSERT OR UPDATE OR DELETE ON agreements_projectparty
  FOR EACH ROW EXECUTE FUNCTION project_party_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [("agreements", "0140_projects"), ("accounts", "0002_invariants")]
    operations = [
        migrations.RunSQL(
            RULES,
            "DROP TRIGGER project_party_frozen ON agreements_projectparty; DROP FUNCTION project_party_frozen();"
            "DROP TRIGGER project_signature_append_only ON agreements_projectsignature;"
            "DROP TRIGGER project_terms_frozen ON agreements_project;"
            "DROP TRIGGER project_shares_sum ON agreements_project; DROP FUNCTION project_shares_sum()",
        )
    ]
