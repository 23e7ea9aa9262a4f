"""Lines long enough to be drawn far out, by their boxes; and an index that knows how few resources wait for a place."""

from django.db import migrations

LONG = """
CREATE INDEX tally_long_boxes ON listings_tally USING gist (
  box(point(open_west, open_south), point(open_east, open_north))) WHERE span > 50000;
"""


class Migration(migrations.Migration):
    dependencies = [("listings", "0071_standard_to_confirm")]
    operations = [migrations.RunSQL(LONG, "DROP INDEX tally_long_boxes")]
