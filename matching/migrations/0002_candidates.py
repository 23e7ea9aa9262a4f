"""One index per kind on the place matching computes with (docs/adr/0024), in degrees: the query asks for a box first."""

from django.db import migrations

INDEX = """
CREATE INDEX match_place_{kind} ON listings_resource
 USING gist ((CASE WHEN disclosure = 'exact' THEN place ELSE shown_cell END))
 WHERE kind = '{kind}' AND state = 'published' AND disclosure <> 'existence';
"""
KINDS = ("tower", "duct", "cable", "room")


class Migration(migrations.Migration):
    dependencies = [("matching", "0001_initial"), ("listings", "0003_invariants")]
    operations = [
        migrations.RunSQL(INDEX.format(kind=kind), f"DROP INDEX match_place_{kind}") for kind in KINDS
    ]
