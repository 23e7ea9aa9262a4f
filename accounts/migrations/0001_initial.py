"""Extensions and SQL functions every app leans on, then the tables. One migration, because
swappable_dependency(AUTH_USER_MODEL) means the first one of this app."""

import django.contrib.gis.db.models.fields
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension, CreateExtension, TrigramExtension
from django.db import migrations, models

import accounts.models.organisations
import accounts.models.users
import accounts.uscc

# GB 32100-2015, annex A: the 18th character makes Σ value × 3^i ≡ 0 (mod 31).
USCC_IS_VALID = r"""
CREATE FUNCTION uscc_is_valid(code text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  alphabet constant text := '0123456789ABCDEFGHJKLMNPQRTUWXY';
  weight int := 1;
  total int := 0;
BEGIN
  IF code !~ '^[0-9A-HJ-NPQRTUWXY]{18}$' THEN RETURN false; END IF;
  FOR i IN 1..18 LOOP
    total := total + (position(substr(code, i, 1) in alphabet) - 1) * CASE WHEN i = 18 THEN 1 ELSE weight END;
    weight := weight * 3 % 31;
  END LOOP;
  RETURN total % 31 = 0;
END $$;
"""

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: what is written there stays as it is', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        CreateExtension("postgis"),
        TrigramExtension(),
        BtreeGistExtension(),
        migrations.RunSQL(USCC_IS_VALID, "DROP FUNCTION uscc_is_valid(text)"),
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION refuse_change()"),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail address')),
                ('name', models.CharField(blank=True, max_length=80, verbose_name='name')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'person',
                'verbose_name_plural': 'people',
                'ordering': ['email'],
            },
            managers=[
                ('objects', accounts.models.users.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='Organisation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name_zh', models.CharField(max_length=120, verbose_name='Chinese name')),
                ('name_en', models.CharField(blank=True, max_length=160, verbose_name='English name')),
                ('uscc', models.CharField(error_messages={'unique': 'An organisation with this code is already here: join it instead.'}, help_text='18 characters, GB 32100-2015; the last one is a check character.', max_length=18, unique=True, validators=[accounts.uscc.validate_uscc], verbose_name='unified social credit code')),
                ('sector', models.CharField(choices=[('telecom', 'Telecom'), ('power', 'Power'), ('transport', 'Transport'), ('municipal', 'Municipal'), ('public_security', 'Public security')], max_length=20, verbose_name='sector')),
                ('is_bureau', models.BooleanField(default=False, verbose_name='is a bureau')),
                ('verification', models.CharField(choices=[('unverified', 'Not verified'), ('submitted', 'Awaiting verification'), ('verified', 'Verified'), ('rejected', 'Sent back')], default='unverified', max_length=12, verbose_name='verification')),
                ('verification_note', models.CharField(blank=True, max_length=500, verbose_name='note on verification')),
                ('verified_at', models.DateTimeField(blank=True, null=True, verbose_name='verified at')),
                ('is_demo', models.BooleanField(default=False, verbose_name='part of the demo world')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('verified_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'organisation',
                'verbose_name_plural': 'organisations',
                'ordering': ['name_zh', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('admin', 'Administrator'), ('editor', 'Editor (resources)'), ('negotiator', 'Negotiator (requests)'), ('signatory', 'Signatory'), ('curator', 'Curator (demand lists)'), ('publisher', 'Publisher (second person)'), ('mediator', 'Mediator'), ('viewer', 'Viewer')], max_length=12), size=None, verbose_name='roles')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'membership',
                'verbose_name_plural': 'memberships',
                'ordering': ['organisation', 'user'],
            },
        ),
        migrations.CreateModel(
            name='JoinRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message', models.CharField(blank=True, max_length=500, verbose_name='message')),
                ('state', models.CharField(choices=[('pending', 'Waiting for an answer'), ('accepted', 'Accepted'), ('declined', 'Declined')], default='pending', max_length=10, verbose_name='state')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='join_requests', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='join_requests', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'request to join',
                'verbose_name_plural': 'requests to join',
                'ordering': ['-created_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail address')),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('admin', 'Administrator'), ('editor', 'Editor (resources)'), ('negotiator', 'Negotiator (requests)'), ('signatory', 'Signatory'), ('curator', 'Curator (demand lists)'), ('publisher', 'Publisher (second person)'), ('mediator', 'Mediator'), ('viewer', 'Viewer')], max_length=12), size=None, verbose_name='roles')),
                ('token', models.CharField(default=accounts.models.organisations.invitation_token, editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('invited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'invitation',
                'verbose_name_plural': 'invitations',
                'ordering': ['-created_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='when')),
                ('verb', models.CharField(max_length=60, verbose_name='what')),
                ('subject_id', models.CharField(max_length=40)),
                ('subject_label', models.CharField(max_length=200)),
                ('before', models.JSONField(blank=True, null=True)),
                ('after', models.JSONField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('subject_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contenttypes.contenttype')),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='accounts.organisation', verbose_name='for')),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Region',
            fields=[
                ('code', models.CharField(max_length=6, primary_key=True, serialize=False, verbose_name='division code')),
                ('name_zh', models.CharField(max_length=60, verbose_name='Chinese name')),
                ('name_en', models.CharField(blank=True, max_length=120, verbose_name='English name')),
                ('level', models.PositiveSmallIntegerField(choices=[(0, 'nation'), (1, 'province'), (2, 'city'), (3, 'county')], verbose_name='level')),
                ('polygon', django.contrib.gis.db.models.fields.MultiPolygonField(blank=True, null=True, srid=4326, verbose_name='polygon')),
                ('label_point', django.contrib.gis.db.models.fields.PointField(blank=True, null=True, srid=4326, verbose_name='label point')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='accounts.region')),
            ],
            options={
                'verbose_name': 'region',
                'verbose_name_plural': 'regions',
                'ordering': ['code'],
            },
        ),
        migrations.AddField(
            model_name='organisation',
            name='region',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='organisations', to='accounts.region', verbose_name='region'),
        ),
        migrations.CreateModel(
            name='RegionRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=60, verbose_name='rule')),
                ('value', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='value')),
                ('source', models.CharField(help_text='The decree or document the number is from.', max_length=300, verbose_name='source')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('valid_until', models.DateField(blank=True, null=True, verbose_name='valid until')),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='accounts.region', verbose_name='region')),
            ],
            options={
                'verbose_name': 'regional rule',
                'verbose_name_plural': 'regional rules',
                'ordering': ['key', 'region', '-valid_from'],
            },
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_any_case_unique'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('user', 'organisation'), name='membership_once_while_active'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('roles__contained_by', ['admin', 'editor', 'negotiator', 'signatory', 'curator', 'publisher', 'mediator', 'viewer']), ('roles__len__gt', 0)), name='membership_roles_known'),
        ),
        migrations.AddConstraint(
            model_name='joinrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('user', 'organisation'), name='join_request_once_pending'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['subject_type', 'subject_id', '-at'], name='event_by_subject'),
        ),
        migrations.AddConstraint(
            model_name='region',
            constraint=models.CheckConstraint(condition=models.Q(('code__regex', '^[1-9][0-9]{5}$')), name='region_code_is_gbt2260'),
        ),
        migrations.AddConstraint(
            model_name='region',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('level', 0), ('parent', None)), models.Q(('level__gt', 0), ('parent__isnull', False)), _connector='OR'), name='region_has_parent'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('verification', 'verified'), _negated=True), ('is_bureau', True), ('verified_at__isnull', False), _connector='OR'), name='organisation_verified_has_time'),
        ),
        migrations.AddConstraint(
            model_name='regionrule',
            constraint=models.UniqueConstraint(fields=('region', 'key', 'valid_from'), name='region_rule_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='regionrule',
            constraint=models.CheckConstraint(condition=models.Q(('value__gte', 0)), name='region_rule_not_negative'),
        ),
    ]
