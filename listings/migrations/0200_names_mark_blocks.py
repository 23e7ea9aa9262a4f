"""A new name, or a course changed within the same box, marks the resource's block too: tiles keep what they draw by
block. What else they draw changes the tally and marks it there (0014).
"""

from django.db import migrations

MARK = """
CREATE FUNCTION search_drawn_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO listings_searchdirty (block)
  SELECT DISTINCT t.slot / 2048 FROM fresh n JOIN gone o ON o.id = n.id JOIN listings_tally t ON t.resource_id = n.id
   WHERE t.slot IS NOT NULL AND (o.name <> n.name OR NOT ST_OrderingEquals(o.place, n.place));
  RETURN NULL;
END $$;
CREATE TRIGGER search_drawn AFTER UPDATE ON listings_resource REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION search_drawn_rows();
"""
UNDO = "DROP TRIGGER search_drawn ON listings_resource; DROP FUNCTION search_drawn_rows();"


class Migration(migrations.Migration):
    dependencies = [("listings", "0180_holds_in_one_statement")]
    operations = [migrations.RunSQL(MARK, UNDO)]
