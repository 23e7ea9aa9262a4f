from django.db import models
from django.utils.translation import gettext_lazy as _


class SweepRun(models.Model):
    """When a sweep last ran, whichever worker ran it: so several workers keep one rhythm, also over restarts."""

    name = models.CharField(_("sweep"), max_length=200, primary_key=True)
    started_at = models.DateTimeField(_("last started at"))
    succeeded_at = models.DateTimeField(_("last succeeded at"), null=True, blank=True)
    error = models.CharField(_("last error"), max_length=500, blank=True)  # empty after a success

    class Meta:
        verbose_name = _("sweep run")
        verbose_name_plural = _("sweep runs")
        ordering = ["name"]

    def __str__(self):
        return f"{self.name} {self.started_at:%Y-%m-%d %H:%M:%S}"
