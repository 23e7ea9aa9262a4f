"""A change of an agreement: between the same parties, about the same resource, of the same agreement for good."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE FUNCTION change_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.amends_id IS DISTINCT FROM NEW.amends_id OR OLD.change <> NEW.change) THEN
    RAISE EXCEPTION 'change_fits: what a case changes stays' USING ERRCODE = 'check_violation';
  END IF;
  IF TG_OP = 'INSERT' AND NEW.amends_id IS NOT NULL THEN
    PERFORM 1 FROM agreements_agreement a JOIN agreements_sharerequest r ON r.id = a.request_id
      WHERE a.id = NEW.amends_id AND a.state = 'signed' AND r.requester_id = NEW.requester_id
        AND r.owner_id = NEW.owner_id AND r.resource_id = NEW.resource_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'change_fits: a signed agreement of the same two parties about the same resource is changed'
        USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER change_fits BEFORE INSERT OR UPDATE OF amends_id, change ON agreements_sharerequest
  FOR EACH ROW EXECUTE FUNCTION change_fits();
"""
RULES_BACK = "DROP TRIGGER change_fits ON agreements_sharerequest; DROP FUNCTION change_fits();"


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0022_sessions'),
        ('agreements', '0190_approvals'),
        ('listings', '0163_rows_skipped'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='sharerequest',
            name='amends',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='agreements.agreement'),
        ),
        migrations.AddField(
            model_name='sharerequest',
            name='change',
            field=models.CharField(blank=True, choices=[('amendment', 'Amendment'), ('renewal', 'Renewal')], max_length=9, verbose_name='change'),
        ),
        migrations.AddConstraint(
            model_name='sharerequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amends', None), ('change', '')), models.Q(models.Q(('change', ''), _negated=True), ('amends__isnull', False)), _connector='OR'), name='request_change_names_its_agreement'),
        ),
        migrations.AddConstraint(
            model_name='sharerequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['submitted', 'incomplete', 'accepted', 'surveying', 'assessed', 'negotiating', 'agreed', 'on_hold', 'escalated', 'mediated'])), fields=('amends',), name='request_one_open_change', violation_error_message='A change of this agreement is being negotiated already.'),
        ),
        migrations.RunSQL(RULES, RULES_BACK),
    ]
