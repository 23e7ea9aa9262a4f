"""Who waits for capacity that is full, in the order they came."""

from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from agreements.keys import attempt_key
from listings.models import DemandLine, Resource


class QueuePlaceQuerySet(models.QuerySet):
    def active(self):
        """Those still in line, or with an offer to be taken up."""
        return self.filter(state__in=QueuePlace.ACTIVE)

    def waiting_on(self, resource_id: int, pool_ids):
        """Those who wait for units of one of these pools."""
        return self.filter(
            resource=resource_id, state=QueuePlace.State.WAITING, quantities__has_any_keys=[str(pk) for pk in pool_ids]
        )

    def with_position(self):
        """position: 1 for who is served first; counted over the resource, whatever pools they wait for."""
        ahead = (
            QueuePlace.objects.active()
            .filter(resource=models.OuterRef("resource"), pk__lte=models.OuterRef("pk"))
            .order_by()
            .values("resource")
            .annotate(n=models.Count("pk"))
            .values("n")
        )
        return self.annotate(position=models.Subquery(ahead))


class QueuePlace(models.Model):
    """One organisation's place in line for units of one resource, with what it will request when its turn comes.

    Served strictly in order of coming, pool by pool (trigger queue_in_order): nobody is offered units of a pool while
    somebody who came earlier still waits for units of the same pool.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("In the queue")
        OFFERED = "offered", _("Offered")
        TAKEN = "taken", _("Taken up")
        LEFT = "left", _("Left the queue")
        PASSED = "passed", _("Offer ran out")

    ACTIVE = (State.WAITING, State.OFFERED)

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="queue", verbose_name=_("resource"))
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="queue_places", verbose_name=_("applicant")
    )
    line = models.ForeignKey(DemandLine, models.PROTECT, null=True, blank=True, related_name="+")
    quantities = models.JSONField()  # {"pool id": "units"}, as offers keep them
    starts_on = models.DateField(_("from"))  # or the day of the offer, where that is later
    months = models.PositiveSmallIntegerField(_("for (months)"))
    purpose = models.CharField(_("purpose"), max_length=300)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    offer_until = models.DateTimeField(_("offer until"), null=True, blank=True)  # None: no offer yet
    request = models.OneToOneField(
        "agreements.ShareRequest", models.PROTECT, null=True, blank=True, related_name="queue_place"
    )  # None: not taken up
    key = models.UUIDField(unique=True)  # of the form: sent twice, it is one place
    joined_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    joined_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = QueuePlaceQuerySet.as_manager()

    class Meta:
        verbose_name = _("place in a queue")
        verbose_name_plural = _("places in queues")
        ordering = ["pk"]
        constraints = [  # and: served in order, what has ended stays (migration 0100)
            models.UniqueConstraint(
                fields=["resource", "organisation"],
                condition=Q(state__in=["waiting", "offered"]),
                name="queue_place_once",
                violation_error_message=_("Your organisation is in this queue already."),
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", offer_until=None)
                | Q(state__in=["offered", "taken", "passed"], offer_until__isnull=False)
                | Q(state="left"),
                name="queue_offer_has_clock",
            ),
            models.CheckConstraint(
                condition=Q(state="taken", request__isnull=False) | (~Q(state="taken") & Q(request=None)),
                name="queue_taken_has_request",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "offered"], ended_at=None)
                | (~Q(state__in=["waiting", "offered"]) & Q(ended_at__isnull=False)),
                name="queue_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["resource", "id"], condition=Q(state__in=["waiting", "offered"]), name="queue_line"),
            models.Index(fields=["offer_until"], condition=Q(state="offered"), name="queue_offer_due"),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.organisation} · {self.resource}"

    def get_absolute_url(self) -> str:
        return reverse("queue_list")

    @property
    def asked(self) -> dict[int, Decimal]:
        """{pool id: units}"""
        return {int(pool_id): Decimal(units) for pool_id, units in self.quantities.items()}

    @property
    def hold_key(self) -> UUID:
        """Of the reservations that keep an offer: the same place is never held for twice."""
        return attempt_key("queue", self.pk)
