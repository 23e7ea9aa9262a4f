"""Rules of approval and the answers given by them. Rules are ended, not changed; what was answered stays; a signature
takes every approval its side's rules ask for."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER approval_append_only BEFORE UPDATE OR DELETE ON agreements_approval
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approval_rule_kept BEFORE DELETE ON agreements_approvalrule
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approval_rule_stays BEFORE UPDATE ON agreements_approvalrule FOR EACH ROW
  WHEN (OLD.ended_at IS NOT NULL
        OR to_jsonb(NEW) - 'ended_at' - 'ended_by_id' IS DISTINCT FROM to_jsonb(OLD) - 'ended_at' - 'ended_by_id')
  EXECUTE FUNCTION refuse_change();
CREATE FUNCTION signature_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM agreements_approvalrule r, agreements_agreement a JOIN agreements_offer o ON o.id = a.offer_id
    WHERE a.id = NEW.agreement_id AND r.organisation_id = NEW.organisation_id AND r.ended_at IS NULL
      AND r.from_fen <= CASE r.basis WHEN 'year' THEN o.price_fen_per_year
                        ELSE round(o.price_fen_per_year::numeric * o.months / 12) END
      AND NOT EXISTS (SELECT 1 FROM agreements_approval p
                      WHERE p.rule_id = r.id AND p.offer_id = o.id AND p.verdict = 'approved');
  IF FOUND THEN
    RAISE EXCEPTION 'signature_is_approved: the organisation''s own rules ask for an approval of these terms first'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signature_is_approved BEFORE INSERT ON agreements_signature
  FOR EACH ROW EXECUTE FUNCTION signature_is_approved();
"""
RULES_BACK = """
DROP TRIGGER approval_append_only ON agreements_approval;
DROP TRIGGER approval_rule_kept ON agreements_approvalrule;
DROP TRIGGER approval_rule_stays ON agreements_approvalrule;
DROP TRIGGER signature_is_approved ON agreements_signature;
DROP FUNCTION signature_is_approved();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0022_sessions'),
        ('agreements', '0141_projects_kept'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ApprovalRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='step')),
                ('basis', models.CharField(choices=[('year', 'price a year'), ('total', 'price over the whole period')], default='year', max_length=5, verbose_name='measured by')),
                ('from_fen', models.PositiveBigIntegerField(verbose_name='from (fen)')),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('approver', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approver')),
                ('deputy', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='deputy')),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approval_rules', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'approval rule',
                'verbose_name_plural': 'approval rules',
                'ordering': ['organisation', 'from_fen', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version_sha256', models.CharField(max_length=64)),
                ('verdict', models.CharField(choices=[('approved', 'Approved'), ('rejected', 'Not approved')], max_length=8, verbose_name='verdict')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('offer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='agreements.offer')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='agreements.approvalrule')),
            ],
            options={
                'verbose_name': 'approval',
                'verbose_name_plural': 'approvals',
                'ordering': ['pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='approvalrule',
            constraint=models.CheckConstraint(condition=models.Q(('deputy', None), models.Q(('deputy', models.F('approver')), _negated=True), _connector='OR'), name='approval_deputy_is_another', violation_error_message='The deputy is another person than the approver.'),
        ),
        migrations.AddConstraint(
            model_name='approval',
            constraint=models.UniqueConstraint(condition=models.Q(('verdict', 'approved')), fields=('rule', 'offer'), name='approval_once_per_version'),
        ),
        migrations.AddConstraint(
            model_name='approval',
            constraint=models.CheckConstraint(condition=models.Q(('verdict', 'approved'), models.Q(('note', ''), _negated=True), _connector='OR'), name='approval_rejected_has_note', violation_error_message='Say why it is not approved: your negotiators read it.'),
        ),
        migrations.RunSQL(RULES, RULES_BACK),
    ]
