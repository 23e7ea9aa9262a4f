from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation


class Unit(models.TextChoices):
    """Capacity units of the four kinds (domain: section 3)."""

    POSITION = "position", _("antenna positions")
    BORE = "bore", _("bores")
    CORE = "core", _("fibre cores")
    RACK_U = "rack_u", _("rack units (U)")
    KW = "kw", _("kW")


class CapacityPool(models.Model):
    """A group of equal slots of one resource: a platform's positions, a duct's bores of one size, cores, U or kW.

    taken is the highest number of units held or confirmed at once from today on. A trigger on
    reservations keeps it (locking this row first), and CHECK (in_use + taken <= total) makes an
    oversale impossible, whoever writes.
    """

    resource = models.ForeignKey("listings.Resource", models.CASCADE, related_name="pools")
    unit = models.CharField(_("unit"), max_length=8, choices=Unit.choices)
    label = models.CharField(_("label"), max_length=80, blank=True)  # "platform 2", "bank A"
    height_m = models.DecimalField(_("mounting height (m)"), max_digits=6, decimal_places=1, null=True, blank=True)
    height_top_m = models.DecimalField(
        _("up to height (m)"), max_digits=6, decimal_places=1, null=True, blank=True,
        help_text=_("Where the platform serves a band of heights."),
    )  # None: height_m alone  # fmt: skip
    bore_mm = models.DecimalField(_("inner diameter (mm)"), max_digits=6, decimal_places=1, null=True, blank=True)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)
    in_use = models.DecimalField(
        _("in use"), max_digits=12, decimal_places=2, default=0,
        help_text=_("By the owner or under contracts made outside this portal."),
    )  # fmt: skip
    taken = models.DecimalField(_("held or confirmed here"), max_digits=12, decimal_places=2, default=0, editable=False)
    free = models.GeneratedField(
        expression=F("total") - F("in_use") - F("taken"),
        output_field=models.DecimalField(max_digits=12, decimal_places=2),
        db_persist=True,
    )
    price_fen_per_unit_year = models.PositiveBigIntegerField(
        _("price per unit and year (fen)"), null=True, blank=True,
        help_text=_("Per bore-km or core-km for ducts and cables. Empty: to be negotiated. 0: free opening."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("capacity pool")
        verbose_name_plural = _("capacity pools")
        ordering = ["resource", "pk"]
        constraints = [  # more, over several rows: migration 0007
            models.CheckConstraint(
                condition=Q(total__gte=0, in_use__gte=0, taken__gte=0), name="pool_quantities_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(total__gte=F("in_use") + F("taken")),
                name="pool_never_oversold",
                violation_error_message=_("There is not that much free: in use and taken together exceed the total."),
            ),
            models.UniqueConstraint(
                fields=["resource", "unit", "label"],
                name="pool_label_once",
                violation_error_message=_("Two pools have the same label: give each one of its own."),
            ),
            models.UniqueConstraint(
                fields=["resource", "unit"],
                condition=Q(unit__in=["rack_u", "kw"]),
                name="pool_of_room_once",
                violation_error_message=_("A room has one pool of rack units and one of kW."),
            ),
            models.CheckConstraint(
                condition=(Q(height_m=None) | Q(unit="position", height_m__gt=0))
                & (Q(height_top_m=None) | Q(height_m__isnull=False, height_top_m__gte=F("height_m"))),
                name="pool_height_band_in_order",
                violation_error_message=_(
                    "A platform's height is above 0 m, and the upper end of its band not below the lower."
                ),
            ),
            models.CheckConstraint(
                condition=Q(bore_mm=None) | Q(unit="bore", bore_mm__gt=0),
                name="pool_bore_positive",
                violation_error_message=_("A bore's diameter must be above 0 mm."),
            ),
        ]

    def __str__(self):
        return f"{self.label or self.get_unit_display()} · {self.resource}"


class ReservationQuerySet(models.QuerySet):
    def active(self):
        """Those that count against capacity."""
        return self.filter(state__in=Reservation.ACTIVE)

    def due(self, now):
        """Holds whose clock has run out."""
        return self.filter(state=Reservation.State.HELD, expires_at__lte=now)


class Reservation(models.Model):
    """Units of one pool kept for one organisation over a period: held until a deadline, or confirmed by signature."""

    class State(models.TextChoices):
        HELD = "held", _("Held")
        CONFIRMED = "confirmed", _("Confirmed")
        RELEASED = "released", _("Released")
        EXPIRED = "expired", _("Expired")

    ACTIVE = (State.HELD, State.CONFIRMED)

    pool = models.ForeignKey(CapacityPool, models.PROTECT, related_name="reservations")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="reservations")
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=2)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)  # inclusive; None: open-ended
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.HELD)
    expires_at = models.DateTimeField(_("hold expires"), null=True, blank=True)
    idempotency_key = models.UUIDField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key", "pool"], name="reservation_once_per_attempt"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="reservation_quantity_positive"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="reservation_in_order"
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(expires_at__isnull=False), name="reservation_hold_has_clock"
            ),
        ]
        indexes = [
            models.Index(fields=["pool", "starts_on"], condition=Q(state__in=["held", "confirmed"]),
                         name="reservation_active"),
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="reservation_due"),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.quantity} × {self.pool}"
