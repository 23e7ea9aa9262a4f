"""The few rows that wait for a slot are found by their own index, not among all rows without one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("listings", "0195_comments_at_the_desk")]

    operations = [
        migrations.RemoveConstraint(model_name="tally", name="tally_slot_once"),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(
                fields=["slot"], condition=models.Q(slot__isnull=False), name="tally_slot_once"
            ),
        ),
    ]
