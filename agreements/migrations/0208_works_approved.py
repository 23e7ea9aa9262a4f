"""Terms of works are approved inside an organisation before it signs, by the same rules as agreements."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER project_approval_append_only BEFORE UPDATE OR DELETE ON agreements_projectapproval
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE FUNCTION project_signature_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM agreements_approvalrule r, agreements_project w, jsonb_array_elements(w.terms->'parties') AS party
    WHERE w.id = NEW.project_id AND r.organisation_id = NEW.organisation_id AND r.ended_at IS NULL
      AND (party->>'id')::bigint = NEW.organisation_id AND r.from_fen <= (party->>'share_fen')::bigint
      AND NOT EXISTS (SELECT 1 FROM agreements_projectapproval p
                      WHERE p.rule_id = r.id AND p.project_id = w.id AND p.verdict = 'approved');
  IF FOUND THEN
    RAISE EXCEPTION 'project_signature_is_approved: the organisation''s own rules ask for an approval of these terms first'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER project_signature_is_approved BEFORE INSERT ON agreements_projectsignature
  FOR EACH ROW EXECUTE FUNCTION project_signature_is_approved();
"""
RULES_BACK = """
DROP TRIGGER project_approval_append_only ON agreements_projectapproval;
DROP TRIGGER project_signature_is_approved ON agreements_projectsignature;
DROP FUNCTION project_signature_is_approved();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('agreements', '0207_renewed_once'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ProjectApproval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('terms_sha256', models.CharField(max_length=64)),
                ('verdict', models.CharField(choices=[('approved', 'Approved'), ('rejected', 'Not approved')], max_length=8, verbose_name='verdict')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='agreements.project')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='project_approvals', to='agreements.approvalrule')),
            ],
            options={
                'verbose_name': 'approval of works',
                'verbose_name_plural': 'approvals of works',
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('verdict', 'approved')), fields=('rule', 'project'), name='project_approval_once'), models.CheckConstraint(condition=models.Q(('verdict', 'approved'), models.Q(('note', ''), _negated=True), _connector='OR'), name='project_approval_rejected_has_note', violation_error_message='Say why it is not approved: your negotiators read it.')],
            },
        ),
        migrations.RunSQL(RULES, RULES_BACK),
    ]
