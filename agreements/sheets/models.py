"""What an offer says beside quantities and period: its clauses, its price scheme; and the ledger of core swaps."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from listings.models.resources import SharingMode


class Scheme(models.TextChoices):
    """How the price of an offer comes about (domain, section 6)."""

    AGREED = "agreed", _("Agreed sum")
    FREE = "free", _("Free opening")
    TARIFF = "tariff", _("Rate per unit and year")
    COST = "cost", _("Cost-based")
    JOINT = "joint", _("Joint build, cost apportioned")
    SWAP = "swap", _("Core swap")


class TermSheet(models.Model):
    """One version of the term sheet, belonging to its offer. Append-only (trigger); an offer whose sheet has a clause
    in dispute cannot become accepted (trigger)."""

    offer = models.OneToOneField("agreements.Offer", models.CASCADE, related_name="sheet")
    mode = models.CharField(_("sharing mode"), max_length=20, choices=SharingMode.choices, blank=True)
    scheme = models.CharField(_("price scheme"), max_length=8, choices=Scheme.choices, default=Scheme.AGREED)
    inputs = models.JSONField(default=dict, blank=True)  # as typed: {name: text}; agreements/sheets/prices.py
    working = models.JSONField(default=dict, blank=True)  # formula, figures, tax, side by side, as worked out then
    clauses = models.JSONField(default=list, blank=True)  # [{"code", "title", "text", "stand", "by", "remark"}]
    disputed = models.PositiveSmallIntegerField(default=0)  # clauses in dispute; the database counts after

    class Meta:
        verbose_name = _("term sheet")
        verbose_name_plural = _("term sheets")

    def __str__(self):
        return f"{self.offer} {self.scheme}"


class SwapEntry(models.Model):
    """A line of the ledger of core swaps between two organisations. Append-only (trigger).

    core_km: what the giver lets the taker use, positive when an agreement comes into force, negative when it ends. The
    balance of a pair is the sum; per agreement there is one of each sort at most.
    """

    class Sort(models.TextChoices):
        GIVEN = "given", _("came into force")
        RETURNED = "returned", _("ended")

    agreement = models.ForeignKey("agreements.Agreement", models.PROTECT, related_name="swap_entries")
    sort = models.CharField(max_length=8, choices=Sort.choices)
    giver = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    taker = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    core_km = models.DecimalField(max_digits=14, decimal_places=2)
    entered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("entry of the swap ledger")
        verbose_name_plural = _("entries of the swap ledger")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "sort"], name="swap_once_per_agreement"),
            models.CheckConstraint(condition=~Q(giver=F("taker")), name="swap_between_two"),
            models.CheckConstraint(
                condition=Q(sort="given", core_km__gt=0) | Q(sort="returned", core_km__lt=0), name="swap_sign_fits"
            ),
        ]

    def __str__(self):
        return f"{self.agreement} {self.core_km}"
