"""Every offer has a term sheet; what stands in dispute is not accepted; the ledger of core swaps is only added to."""

import django.db.models.deletion
from django.db import migrations, models

RULES = """
CREATE TRIGGER term_sheet_kept BEFORE UPDATE OR DELETE ON agreements_termsheet
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER swap_entry_kept BEFORE UPDATE OR DELETE ON agreements_swapentry
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE agreements_termsheet ADD CONSTRAINT term_sheet_counts_disputes
  CHECK (disputed = jsonb_array_length(jsonb_path_query_array(clauses, '$[*] ? (@.stand == "disputed")')));

CREATE FUNCTION offer_is_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM agreements_termsheet WHERE offer_id = NEW.id AND disputed > 0;
  IF FOUND THEN
    RAISE EXCEPTION 'a version with a clause in dispute cannot be accepted' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER offer_is_settled BEFORE UPDATE ON agreements_offer FOR EACH ROW
  WHEN (NEW.state = 'accepted' AND OLD.state <> 'accepted') EXECUTE FUNCTION offer_is_settled();

CREATE FUNCTION swap_comes_back_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.sort = 'returned' THEN
    PERFORM 1 FROM agreements_swapentry g WHERE g.agreement_id = NEW.agreement_id AND g.sort = 'given'
      AND g.giver_id = NEW.giver_id AND g.taker_id = NEW.taker_id AND g.core_km = -NEW.core_km;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'what is returned is what was given' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER swap_comes_back_whole BEFORE INSERT ON agreements_swapentry
  FOR EACH ROW EXECUTE FUNCTION swap_comes_back_whole();
"""

RULES_BACK = """
DROP TRIGGER offer_is_settled ON agreements_offer;
DROP FUNCTION offer_is_settled();
DROP TRIGGER swap_comes_back_whole ON agreements_swapentry;
DROP FUNCTION swap_comes_back_whole();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0022_sessions'),
        ("agreements", "0100_queue"),
    ]

    operations = [
        migrations.CreateModel(
            name='TermSheet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(blank=True, choices=[('same_trench', 'Same trench, separate ducts'), ('same_pole_line', 'Same pole line, separate cables'), ('same_cable', 'Same cable, separate cores'), ('core_swap', 'Core swap'), ('core_lease', 'Core lease'), ('same_site', 'Same site or platform'), ('co_location', 'Room co-location')], max_length=20, verbose_name='sharing mode')),
                ('scheme', models.CharField(choices=[('agreed', 'Agreed sum'), ('free', 'Free opening'), ('tariff', 'Rate per unit and year'), ('cost', 'Cost-based'), ('joint', 'Joint build, cost apportioned'), ('swap', 'Core swap')], default='agreed', max_length=8, verbose_name='price scheme')),
                ('inputs', models.JSONField(blank=True, default=dict)),
                ('working', models.JSONField(blank=True, default=dict)),
                ('clauses', models.JSONField(blank=True, default=list)),
                ('disputed', models.PositiveSmallIntegerField(default=0)),
                ('offer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='sheet', to='agreements.offer')),
            ],
            options={
                'verbose_name': 'term sheet',
                'verbose_name_plural': 'term sheets',
            },
        ),
        migrations.CreateModel(
            name='SwapEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sort', models.CharField(choices=[('given', 'came into force'), ('returned', 'ended')], max_length=8)),
                ('core_km', models.DecimalField(decimal_places=2, max_digits=14)),
                ('entered_at', models.DateTimeField(auto_now_add=True)),
                ('agreement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='swap_entries', to='agreements.agreement')),
                ('giver', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('taker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'entry of the swap ledger',
                'verbose_name_plural': 'entries of the swap ledger',
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('agreement', 'sort'), name='swap_once_per_agreement'), models.CheckConstraint(condition=models.Q(('giver', models.F('taker')), _negated=True), name='swap_between_two'), models.CheckConstraint(condition=models.Q(models.Q(('core_km__gt', 0), ('sort', 'given')), models.Q(('core_km__lt', 0), ('sort', 'returned')), _connector='OR'), name='swap_sign_fits')],
            },
        ),
        migrations.RunSQL(RULES, RULES_BACK),
    ]
