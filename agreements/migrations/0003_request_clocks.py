"""Drafts are not kept; an open request has a running clock, an ended one the time of its end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agreements", "0002_invariants")]
    operations = [
        migrations.AlterField(
            model_name="sharerequest",
            name="state",
            field=models.CharField(
                choices=[
                    ("submitted", "Submitted"),
                    ("negotiating", "Negotiating"),
                    ("agreed", "Terms agreed"),
                    ("signed", "Signed"),
                    ("refused", "Refused"),
                    ("withdrawn", "Withdrawn"),
                    ("expired", "Expired"),
                ],
                default="submitted",
                max_length=12,
                verbose_name="state",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at", None),
                        ("due_at__isnull", False),
                        ("state__in", ["submitted", "negotiating", "agreed"]),
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("due_at", None),
                        ("state__in", ["signed", "refused", "withdrawn", "expired"]),
                    ),
                    _connector="OR",
                ),
                name="request_open_has_clock",
            ),
        ),
    ]
