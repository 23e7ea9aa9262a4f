from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation


class LookCount(models.Model):
    """How often one organisation (None: visitors, all together) opened a resource's page on a day.

    Counted in Redis as pages are read and brought here by a sweep (docs/adr/0019); persons are not kept.
    """

    resource = models.ForeignKey("listings.Resource", models.CASCADE, related_name="looks")
    organisation = models.ForeignKey(Organisation, models.CASCADE, null=True, related_name="+")
    day = models.DateField()
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("look count")
        verbose_name_plural = _("look counts")
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "day", "organisation"], name="look_once_a_day", nulls_distinct=False
            ),
            models.CheckConstraint(condition=models.Q(count__gt=0), name="look_count_positive"),
        ]
        indexes = [models.Index(fields=["day"], name="look_by_day")]

    def __str__(self):
        return f"{self.resource_id} {self.day}: {self.count}"
