from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Tone(models.TextChoices):
    """How much of a resource is free; the map's colour and the list's word."""

    FREE = "free", _("All free")
    PARTLY = "partly", _("Partly free")
    FULL = "full", _("Nothing free")


class Tally(models.Model):
    """What searches filter, sort and colour by: one resource's pools and height summed up.

    Kept by triggers on resource, pool and tower (SQL function tally_resource), so that a search over a
    nation reads one narrow row per resource. Never written from Python. The main unit is the kind's own:
    antenna positions, bores, cores, rack units; a room whose kW are used up counts as full.
    """

    resource = models.OneToOneField("listings.Resource", models.CASCADE, primary_key=True, related_name="tally")
    total_units = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    free_units = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    free_kw = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # rooms with a kW pool
    price_fen = models.BigIntegerField(null=True)  # lowest per main unit and year; None: to be negotiated
    height_m = models.DecimalField(max_digits=6, decimal_places=1, null=True)  # of the structure, else highest platform
    tone = models.CharField(max_length=6, choices=Tone.choices, default=Tone.FULL)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        indexes = [
            models.Index(fields=["price_fen", "resource"], name="tally_by_price"),
            models.Index(fields=["-free_units", "resource"], name="tally_by_free"),
            models.Index(fields=["height_m"], condition=Q(height_m__isnull=False), name="tally_by_height"),
        ]

    def __str__(self):
        return f"{self.free_units} / {self.total_units} · {self.resource_id}"
