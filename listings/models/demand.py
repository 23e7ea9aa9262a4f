import uuid

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Region
from accounts.models.organisations import Sector
from listings.querysets import DemandLineQuerySet, DemandListQuerySet

from .resources import Kind, SharingMode


class DemandList(models.Model):
    """A bureau's list of needs for its jurisdiction, published in batches."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Awaiting second person")
        NOTICE = "notice", _("Public notice")
        IN_FORCE = "in_force", _("In force")
        CLOSED = "closed", _("Closed")

    PUBLIC = (State.NOTICE, State.IN_FORCE, State.CLOSED)

    bureau = models.ForeignKey(Organisation, models.PROTECT, related_name="demand_lists", verbose_name=_("bureau"))
    region = models.ForeignKey(Region, models.PROTECT, related_name="demand_lists", verbose_name=_("region"))
    reference = models.SlugField(_("reference"), max_length=40, unique=True)  # "440000-2026h2-1"
    title_zh = models.CharField(_("Chinese title"), max_length=160)
    title_en = models.CharField(_("English title"), max_length=200, blank=True)
    batch = models.CharField(_("batch"), max_length=6, help_text=_("Half-year, for example 2026H2."))
    summary_zh = models.TextField(_("Chinese summary"), blank=True)
    summary_en = models.TextField(_("English summary"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    published_at = models.DateTimeField(_("notice began"), null=True, blank=True)
    notice_ends_at = models.DateTimeField(_("objections until"), null=True, blank=True)
    # What the clock on the page is counted from: a correction may begin it anew, a changed calendar recounts it.
    notice_from = models.DateTimeField(null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(_("working days of notice"), null=True, blank=True)
    in_force_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    previous = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="followers", verbose_name=_("copied from")
    )
    call_note = models.CharField(_("what the call asks for"), max_length=500, blank=True)
    call_closes_at = models.DateTimeField(_("lines handed in until"), null=True, blank=True)  # None: no call
    is_demo = models.BooleanField(default=False)

    objects = DemandListQuerySet.as_manager()

    class Meta:
        verbose_name = _("demand list")
        verbose_name_plural = _("demand lists")
        ordering = ["-published_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(published_by=None) | ~Q(published_by=F("submitted_by")),
                name="list_published_by_second_person",
                violation_error_message=_("Who submitted a list cannot publish it: a second person must."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["notice", "in_force", "closed"])
                | Q(published_by__isnull=False, submitted_by__isnull=False, notice_ends_at__isnull=False),
                name="list_public_has_notice",
            ),
            models.CheckConstraint(condition=Q(batch__regex=r"^20[0-9]{2}H[12]$"), name="list_batch_is_half_year",
                violation_error_message=_("A batch is a half-year such as 2026H2.")),
        ]  # fmt: skip

    def __str__(self):
        return self.title

    @property
    def title(self) -> str:
        is_english = (get_language() or "").startswith("en")
        return (self.title_en or self.title_zh) if is_english else self.title_zh

    @property
    def summary(self) -> str:
        is_english = (get_language() or "").startswith("en")
        return (self.summary_en or self.summary_zh) if is_english else self.summary_zh

    @property
    def is_public(self) -> bool:
        return self.state in self.PUBLIC

    @property
    def is_call_open(self) -> bool:
        """Whether operators can hand lines in just now."""
        return self.state == self.State.DRAFT and bool(self.call_closes_at) and self.call_closes_at > timezone.now()

    @property
    def is_notice_over(self) -> bool:
        """Under notice, and its clock has run out: only objections still to be decided hold it."""
        return self.state == self.State.NOTICE and bool(self.notice_ends_at) and self.notice_ends_at < timezone.now()


class DemandLine(models.Model):
    """One need: who, what, how much, where, by when, at most for how much.

    quantity counts the unit of the kind (antenna positions, bores, cores, rack units); power_kw is asked
    beside it: both must fit. A tower line with room_u asks for a whole site: positions, rack units and power,
    all of one place or nothing.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        REQUESTED = "requested", _("Requested")
        FULFILLED = "fulfilled", _("Fulfilled")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Priority(models.IntegerChoices):
        HIGH = 1, _("High")
        NORMAL = 2, _("Normal")
        LOW = 3, _("Low")

    demand_list = models.ForeignKey(DemandList, models.CASCADE, related_name="lines", verbose_name=_("list"))
    number = models.PositiveIntegerField(_("number"))  # dense within the list
    applicant = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="demand_lines", verbose_name=_("applicant")
    )  # None: named in applicant_name, not on this portal yet
    applicant_name = models.CharField(_("applicant's name"), max_length=160, blank=True)
    applicant_code = models.CharField(_("applicant's own code"), max_length=80, blank=True)
    title = models.CharField(_("title"), max_length=160)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    quantity = models.PositiveIntegerField(_("quantity"))
    room_u = models.PositiveIntegerField(
        _("room at the same site (U)"), null=True, blank=True,
        help_text=_("For a tower: rack units in a room of the same site. Power is then asked there too."),
    )  # fmt: skip
    power_kw = models.DecimalField(_("power (kW)"), max_digits=8, decimal_places=2, null=True, blank=True)
    place = models.GeometryField(_("place"), srid=4326)  # point, route A–B or area
    tolerance_m = models.PositiveIntegerField(
        _("tolerance (m)"), null=True, blank=True, help_text=_("Empty: the region's search radius.")
    )
    height_min_m = models.DecimalField(_("height from (m)"), max_digits=6, decimal_places=1, null=True, blank=True)
    height_max_m = models.DecimalField(_("height to (m)"), max_digits=6, decimal_places=1, null=True, blank=True)
    bore_mm = models.DecimalField(
        _("inner diameter at least (mm)"), max_digits=6, decimal_places=1, null=True, blank=True
    )
    cable_mm = models.DecimalField(
        _("cable to be pulled (mm)"), max_digits=6, decimal_places=1, null=True, blank=True,
        help_text=_("For a duct: the outer diameter. Met where as many free bores as you ask for take it."),
    )  # fmt: skip
    needed_by = models.DateField(_("needed by"), null=True, blank=True)
    months = models.PositiveSmallIntegerField(_("for (months)"), default=60)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    ceiling_fen_per_year = models.PositiveBigIntegerField(
        _("budget ceiling per year (fen)"), null=True, blank=True, help_text=_("For the whole line. Empty: none.")
    )
    sectors = ArrayField(
        models.CharField(max_length=20, choices=Sector.choices), default=list, blank=True,
        verbose_name=_("sectors accepted"), help_text=_("None chosen: all."),
    )  # fmt: skip
    sharing_modes = ArrayField(
        models.CharField(max_length=16, choices=SharingMode.choices), default=list, blank=True,
        verbose_name=_("sharing modes accepted"), help_text=_("None chosen: all."),
    )  # fmt: skip
    notes = models.CharField(_("notes"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    # The same need in every batch it is copied to: what changed between batches is told by it.
    lineage = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    duplicate_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="duplicates", verbose_name=_("duplicate of")
    )
    handed_in_by = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="lines_handed_in",
        verbose_name=_("handed in by"),
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DemandLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("demand line")
        verbose_name_plural = _("demand lines")
        ordering = ["demand_list", "number"]
        indexes = [
            GinIndex(fields=["title"], opclasses=["gin_trgm_ops"], name="line_title_trigrams"),
            models.Index(fields=["lineage"], name="line_by_lineage"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["demand_list", "number"], name="line_number_once"),
            models.CheckConstraint(
                condition=Q(duplicate_of=None) | ~Q(duplicate_of=F("id")), name="line_not_its_own_duplicate"
            ),
            models.UniqueConstraint(
                fields=["demand_list", "applicant", "applicant_code"], condition=~Q(applicant_code=""),
                name="line_applicant_code_once", nulls_distinct=False,
                violation_error_message=_("This applicant has a line with this code on the list already."),
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_quantity_positive",
                violation_error_message=_("The quantity must be at least 1.")),
            models.CheckConstraint(
                condition=Q(cable_mm=None) | Q(kind=Kind.DUCT, cable_mm__gt=0), name="line_cable_into_duct",
                violation_error_message=_("A cable is pulled into a duct, and thicker than 0 mm."),
            ),
            models.CheckConstraint(
                condition=Q(room_u=None) | Q(kind=Kind.TOWER, room_u__gt=0), name="line_room_beside_tower",
                violation_error_message=_("A room at the same site is asked for beside a tower, and of 1 U at least."),
            ),
            models.CheckConstraint(
                condition=Q(height_min_m=None) | Q(height_max_m=None) | Q(height_max_m__gte=F("height_min_m")),
                name="line_heights_in_order", violation_error_message=_("“Height to” is below “height from”."),
            ),
            models.CheckConstraint(
                condition=Q(applicant__isnull=False) | ~Q(applicant_name=""), name="line_has_applicant",
                violation_error_message=_("Name the applicant."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.number} · {self.title}"

    @property
    def who(self) -> str:
        """The applicant's name, registered here or not. Queries unless the applicant is selected."""
        return self.applicant.name if self.applicant_id else self.applicant_name
