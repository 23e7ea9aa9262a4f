"""Every version of a demand line, whoever writes it: statement triggers, so that 10,000 lines cost one INSERT."""

from django.db import migrations

# Renumbering and the time stamp alone make no version: they say nothing of the need.
TRIGGERS = """
CREATE FUNCTION line_versions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who bigint := nullif(current_setting('gongjian.actor', true), '')::bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO listings_lineversion (line_id, demand_list_id, lineage, number, op, at, actor_id, data)
    SELECT id, demand_list_id, lineage, number, '+', now(), who, to_jsonb(n) - 'id' - 'demand_list_id' FROM new_rows n;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO listings_lineversion (line_id, demand_list_id, lineage, number, op, at, actor_id, data)
    SELECT id, demand_list_id, lineage, number, '-', now(), who, to_jsonb(o) - 'id' - 'demand_list_id' FROM old_rows o;
  ELSE
    INSERT INTO listings_lineversion (line_id, demand_list_id, lineage, number, op, at, actor_id, data)
    SELECT n.id, n.demand_list_id, n.lineage, n.number, '~', now(), who, to_jsonb(n) - 'id' - 'demand_list_id'
      FROM new_rows n JOIN old_rows o USING (id)
     WHERE to_jsonb(n) - 'updated_at' - 'number' IS DISTINCT FROM to_jsonb(o) - 'updated_at' - 'number';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER line_versions_added AFTER INSERT ON listings_demandline
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION line_versions();
CREATE TRIGGER line_versions_changed AFTER UPDATE ON listings_demandline
  REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION line_versions();
CREATE TRIGGER line_versions_gone AFTER DELETE ON listings_demandline
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION line_versions();
"""
APPEND_ONLY = """
CREATE TRIGGER line_version_append_only BEFORE UPDATE OR DELETE ON listings_lineversion
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER line_version_no_truncate BEFORE TRUNCATE ON listings_lineversion
  FOR EACH STATEMENT WHEN (current_setting('gongjian.may_truncate', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION refuse_change();
"""
# What is there already has its first version.
FIRST = """
INSERT INTO listings_lineversion (line_id, demand_list_id, lineage, number, op, at, actor_id, data)
SELECT id, demand_list_id, lineage, number, '+', created_at, NULL, to_jsonb(l) - 'id' - 'demand_list_id'
  FROM listings_demandline l ORDER BY id;
"""
UNDO = """
DROP TRIGGER line_versions_added ON listings_demandline;
DROP TRIGGER line_versions_changed ON listings_demandline;
DROP TRIGGER line_versions_gone ON listings_demandline;
DROP FUNCTION line_versions();
DROP TRIGGER line_version_append_only ON listings_lineversion;
DROP TRIGGER line_version_no_truncate ON listings_lineversion;
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0021_demand_life")]
    operations = [
        migrations.RunSQL(FIRST, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS + APPEND_ONLY, UNDO),
    ]
