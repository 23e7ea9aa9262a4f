"""The label of an open offer says what it waits for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agreements", "0004_what_ended_stays")]
    operations = [
        migrations.AlterField(
            model_name="offer",
            name="state",
            field=models.CharField(
                choices=[
                    ("open", "Awaiting an answer"),
                    ("countered", "Countered"),
                    ("accepted", "Accepted"),
                    ("lapsed", "Lapsed"),
                ],
                default="open",
                max_length=10,
                verbose_name="state",
            ),
        ),
    ]
