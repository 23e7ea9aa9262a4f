"""An ended request stays ended, an offer stays as made, a signature is a party's and of the very terms, a PDF stays."""

from django.db import migrations

ENDED = """
CREATE TRIGGER request_ended_stays BEFORE UPDATE ON agreements_sharerequest FOR EACH ROW
  WHEN (OLD.state IN ('signed', 'refused', 'withdrawn', 'expired') AND NEW.state <> OLD.state)
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER request_parties_stay BEFORE UPDATE ON agreements_sharerequest FOR EACH ROW
  WHEN (OLD.requester_id <> NEW.requester_id OR OLD.owner_id <> NEW.owner_id OR OLD.resource_id <> NEW.resource_id)
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER offer_stays_as_made BEFORE UPDATE ON agreements_offer FOR EACH ROW
  WHEN (OLD.request_id <> NEW.request_id OR OLD.number <> NEW.number OR OLD.organisation_id <> NEW.organisation_id
        OR OLD.quantities <> NEW.quantities OR OLD.price_fen_per_year <> NEW.price_fen_per_year
        OR OLD.starts_on <> NEW.starts_on OR OLD.months <> NEW.months OR OLD.note <> NEW.note
        OR (OLD.state <> 'open' AND NEW.state <> OLD.state))
  EXECUTE FUNCTION refuse_change();
CREATE TRIGGER offer_kept BEFORE DELETE ON agreements_offer FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER agreement_ended_stays BEFORE UPDATE ON agreements_agreement FOR EACH ROW
  WHEN ((OLD.state <> 'signing' AND NEW.state <> OLD.state)
        OR (OLD.pdf_sha256 <> '' AND (NEW.pdf_sha256 <> OLD.pdf_sha256 OR NEW.pdf <> OLD.pdf)))
  EXECUTE FUNCTION refuse_change();
"""

ENDED_BACK = """
DROP TRIGGER request_ended_stays ON agreements_sharerequest;
DROP TRIGGER request_parties_stay ON agreements_sharerequest;
DROP TRIGGER offer_stays_as_made ON agreements_offer;
DROP TRIGGER offer_kept ON agreements_offer;
DROP TRIGGER agreement_ended_stays ON agreements_agreement;
"""

PARTIES = """
CREATE FUNCTION offer_is_a_partys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM agreements_sharerequest
    WHERE id = NEW.request_id AND NEW.organisation_id IN (requester_id, owner_id);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'an offer is made by one of the two parties' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER offer_is_a_partys BEFORE INSERT ON agreements_offer
  FOR EACH ROW EXECUTE FUNCTION offer_is_a_partys();

CREATE FUNCTION signature_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM agreements_agreement a JOIN agreements_sharerequest r ON r.id = a.request_id
    WHERE a.id = NEW.agreement_id AND a.state = 'signing' AND a.terms_sha256 = NEW.terms_sha256
      AND NEW.organisation_id IN (r.requester_id, r.owner_id);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a signature is a party''s, of the very terms, while the agreement is to be signed'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signature_fits BEFORE INSERT ON agreements_signature
  FOR EACH ROW EXECUTE FUNCTION signature_fits();
"""

PARTIES_BACK = """
DROP TRIGGER offer_is_a_partys ON agreements_offer;
DROP FUNCTION offer_is_a_partys();
DROP TRIGGER signature_fits ON agreements_signature;
DROP FUNCTION signature_fits();
"""


class Migration(migrations.Migration):
    dependencies = [("agreements", "0003_request_clocks")]
    operations = [migrations.RunSQL(ENDED, ENDED_BACK), migrations.RunSQL(PARTIES, PARTIES_BACK)]
