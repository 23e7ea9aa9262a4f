"""A joint request: several ordinary requests (its legs) made together, to one owner or to several."""

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation


class BundleQuerySet(models.QuerySet):
    def readable_by(self, membership: Membership | None):
        """Those of which the reader may read a leg at least: the applicant, each leg's owner, the bureaus of either."""
        from .models import ShareRequest

        legs = ShareRequest.objects.readable_by(membership).filter(bundle__isnull=False)
        return self.filter(pk__in=legs.order_by().values("bundle"))

    def due(self, now: dt.datetime):
        """Those whose applicant did not say in time how to go on after a leg failed."""
        return self.filter(decide_by__lte=now, closed_at=None)


class Bundle(models.Model):
    """Requests made together. Each leg has its own owner, states, clocks, conversation, hold and agreement.

    A leg counts until another takes its place (ShareRequest.replaces). In mode WHOLE agreements are signed when all
    legs that count are accepted, and become effective together; the database holds both (triggers of 0220).
    """

    class Mode(models.TextChoices):
        PARTS = "parts", _("Each leg by itself")
        WHOLE = "whole", _("All or nothing")

    requester = models.ForeignKey(
        Organisation, models.PROTECT, related_name="joint_requests", verbose_name=_("applicant")
    )
    mode = models.CharField(_("what holds"), max_length=5, choices=Mode.choices, default=Mode.PARTS)
    purpose = models.CharField(_("purpose"), max_length=300)
    key = models.UUIDField(unique=True, default=uuid.uuid4)  # of the form: sent twice, it is one joint request
    decide_by = models.DateTimeField(null=True, blank=True)  # a leg failed: the applicant says until then how to go on
    warned_at = models.DateTimeField(null=True, blank=True)  # of that clock
    closed_at = models.DateTimeField(null=True, blank=True)  # withdrawn as a whole, by the applicant or the clock
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    is_demo = models.BooleanField(default=False)

    objects = BundleQuerySet.as_manager()

    class Meta:
        verbose_name = _("joint request")
        verbose_name_plural = _("joint requests")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decide_by=None) | Q(mode="whole", closed_at=None), name="bundle_decides_while_whole"
            )
        ]
        indexes = [models.Index(fields=["decide_by"], condition=Q(decide_by__isnull=False), name="bundle_due")]

    def __str__(self):
        return self.code

    def get_absolute_url(self) -> str:
        return reverse("bundle_detail", args=[self.pk])

    @property
    def code(self) -> str:
        """As people quote it; requests have Q."""
        return f"J{self.pk or 0:08d}"

    @property
    def is_whole(self) -> bool:
        return self.mode == self.Mode.WHOLE
