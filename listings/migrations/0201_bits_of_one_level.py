"""Searches count and order out of blocks kept in the process: neither the coarse bits nor the indexes of orders are
read any more.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("listings", "0200_names_mark_blocks")]
    operations = [
        migrations.RunSQL("DELETE FROM listings_searchbits WHERE level <> 0", migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="searchbits", name="search_bits_once"),
        migrations.RemoveField(model_name="searchbits", name="level"),
        migrations.AddConstraint(
            model_name="searchbits",
            constraint=models.UniqueConstraint(fields=["block", "facet", "value"], name="search_bits_once"),
        ),
        migrations.RemoveIndex(model_name="tally", name="tally_price_order"),
        migrations.RemoveIndex(model_name="tally", name="tally_free_order"),
        migrations.RemoveIndex(model_name="tally", name="tally_newest_order"),
    ]
