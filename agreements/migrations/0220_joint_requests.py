"""Joint requests: what is all or nothing is signed when every leg is accepted, and takes effect in one transaction."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# A leg that counts is one whose place no other has taken. The rows of a joint request are locked through its own row.
RULES = """
CREATE FUNCTION leg_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.bundle_id IS DISTINCT FROM NEW.bundle_id OR OLD.replaces_id IS DISTINCT FROM NEW.replaces_id)
  THEN
    RAISE EXCEPTION 'leg_fits: a leg stays in its joint request' USING ERRCODE = 'check_violation';
  END IF;
  IF TG_OP = 'INSERT' AND NEW.bundle_id IS NOT NULL THEN
    PERFORM 1 FROM agreements_bundle WHERE id = NEW.bundle_id AND requester_id = NEW.requester_id AND closed_at IS NULL;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'leg_fits: a leg is asked by the applicant of its joint request' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.replaces_id IS NOT NULL THEN
      PERFORM 1 FROM agreements_sharerequest WHERE id = NEW.replaces_id AND bundle_id = NEW.bundle_id
        AND state IN ('refused', 'withdrawn', 'expired', 'decided');
      IF NOT FOUND THEN
        RAISE EXCEPTION 'leg_fits: only a leg that failed is replaced' USING ERRCODE = 'check_violation';
      END IF;
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER leg_fits BEFORE INSERT OR UPDATE OF bundle_id, replaces_id ON agreements_sharerequest
  FOR EACH ROW EXECUTE FUNCTION leg_fits();

CREATE FUNCTION signature_waits_for_legs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bundle bigint;
BEGIN
  SELECT b.id INTO bundle FROM agreements_agreement a JOIN agreements_sharerequest r ON r.id = a.request_id
    JOIN agreements_bundle b ON b.id = r.bundle_id WHERE a.id = NEW.agreement_id AND b.mode = 'whole';
  IF bundle IS NULL THEN RETURN NEW; END IF;
  PERFORM 1 FROM agreements_bundle WHERE id = bundle FOR NO KEY UPDATE;
  PERFORM 1 FROM agreements_sharerequest r WHERE r.bundle_id = bundle AND r.state <> 'agreed'
    AND NOT EXISTS (SELECT 1 FROM agreements_sharerequest n WHERE n.replaces_id = r.id)
    AND NOT EXISTS (SELECT 1 FROM agreements_agreement a WHERE a.request_id = r.id AND a.state = 'signed');
  IF FOUND THEN
    RAISE EXCEPTION 'signature_waits_for_legs: of an all-or-nothing joint request not every leg is accepted'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signature_waits_for_legs BEFORE INSERT ON agreements_signature
  FOR EACH ROW EXECUTE FUNCTION signature_waits_for_legs();

CREATE FUNCTION bundle_is_whole(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE signed int; others int;
BEGIN
  PERFORM 1 FROM agreements_bundle WHERE id = wanted AND mode = 'whole' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT count(*) FILTER (WHERE a.state = 'signed'), count(*) FILTER (WHERE a.state IS DISTINCT FROM 'signed')
    INTO signed, others
    FROM agreements_sharerequest r LEFT JOIN agreements_agreement a ON a.request_id = r.id
   WHERE r.bundle_id = wanted AND NOT EXISTS (SELECT 1 FROM agreements_sharerequest n WHERE n.replaces_id = r.id);
  IF signed > 0 AND others > 0 THEN
    RAISE EXCEPTION 'bundle_is_whole: % of % legs of an all-or-nothing joint request took effect', signed, signed + others
      USING ERRCODE = 'check_violation';
  END IF;
END $$;
CREATE FUNCTION agreement_takes_effect_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bundle bigint;
BEGIN
  SELECT bundle_id INTO bundle FROM agreements_sharerequest WHERE id = NEW.request_id;
  IF bundle IS NOT NULL THEN PERFORM bundle_is_whole(bundle); END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER agreement_takes_effect_whole AFTER INSERT OR UPDATE OF state ON agreements_agreement
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'signed')
  EXECUTE FUNCTION agreement_takes_effect_whole();
CREATE FUNCTION leg_joins_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM bundle_is_whole(NEW.bundle_id);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER leg_joins_whole AFTER INSERT ON agreements_sharerequest
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.bundle_id IS NOT NULL) EXECUTE FUNCTION leg_joins_whole();
CREATE TRIGGER bundle_mode_one_way BEFORE UPDATE ON agreements_bundle FOR EACH ROW
  WHEN ((OLD.mode = 'parts' AND NEW.mode <> 'parts') OR OLD.requester_id <> NEW.requester_id
        OR (OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at))
  EXECUTE FUNCTION refuse_change();
"""
RULES_BACK = """
DROP TRIGGER bundle_mode_one_way ON agreements_bundle;
DROP TRIGGER leg_joins_whole ON agreements_sharerequest; DROP FUNCTION leg_joins_whole();
DROP TRIGGER agreement_takes_effect_whole ON agreements_agreement; DROP FUNCTION agreement_takes_effect_whole();
DROP FUNCTION bundle_is_whole(bigint);
DROP TRIGGER signature_waits_for_legs ON agreements_signature; DROP FUNCTION signature_waits_for_legs();
DROP TRIGGER leg_fits ON agreements_sharerequest; DROP FUNCTION leg_fits();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0022_sessions'),
        ('agreements', '0208_works_approved'),
        ('listings', '0180_holds_in_one_statement'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='sharerequest',
            name='replaces',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='agreements.sharerequest', verbose_name='in place of'),
        ),
        migrations.CreateModel(
            name='Bundle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(choices=[('parts', 'Each leg by itself'), ('whole', 'All or nothing')], default='parts', max_length=5, verbose_name='what holds')),
                ('purpose', models.CharField(max_length=300, verbose_name='purpose')),
                ('key', models.UUIDField(default=uuid.uuid4, unique=True)),
                ('decide_by', models.DateTimeField(blank=True, null=True)),
                ('warned_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('is_demo', models.BooleanField(default=False)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requester', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='joint_requests', to='accounts.organisation', verbose_name='applicant')),
            ],
            options={
                'verbose_name': 'joint request',
                'verbose_name_plural': 'joint requests',
                'ordering': ['-pk'],
            },
        ),
        migrations.AddField(
            model_name='sharerequest',
            name='bundle',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='legs', to='agreements.bundle', verbose_name='joint request'),
        ),
        migrations.AddConstraint(
            model_name='sharerequest',
            constraint=models.CheckConstraint(condition=models.Q(('replaces', None), ('bundle__isnull', False), _connector='OR'), name='request_replaces_within_joint_request'),
        ),
        migrations.AddIndex(
            model_name='bundle',
            index=models.Index(condition=models.Q(('decide_by__isnull', False)), fields=['decide_by'], name='bundle_due'),
        ),
        migrations.AddConstraint(
            model_name='bundle',
            constraint=models.CheckConstraint(condition=models.Q(('decide_by', None), models.Q(('closed_at', None), ('mode', 'whole')), _connector='OR'), name='bundle_decides_while_whole'),
        ),
        migrations.RunSQL(RULES, RULES_BACK),
    ]
