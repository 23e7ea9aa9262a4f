from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db.models import F, Func, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Organisation, Region
from accounts.models.organisations import Sector
from listings.querysets import ResourceQuerySet
from listings.storage import private_storage


class Kind(models.TextChoices):
    """The four kinds the policy opens; listings/kinds/ has a module for each."""

    TOWER = "tower", _("Tower / pole")
    DUCT = "duct", _("Duct / pipe")
    CABLE = "cable", _("Optical cable")
    ROOM = "room", _("Machine room")


class SharingMode(models.TextChoices):
    """Modes of the fourteen-ministry opinion (2023), and the two of sites and rooms."""

    SAME_TRENCH = "same_trench", _("Same trench, separate ducts")
    SAME_POLE_LINE = "same_pole_line", _("Same pole line, separate cables")
    SAME_CABLE = "same_cable", _("Same cable, separate cores")
    CORE_SWAP = "core_swap", _("Core swap")
    CORE_LEASE = "core_lease", _("Core lease")
    SAME_SITE = "same_site", _("Same site or platform")
    CO_LOCATION = "co_location", _("Room co-location")


class Disclosure(models.TextChoices):
    """What a verified organisation is shown of a place; a visitor is never shown more than blurred."""

    EXISTENCE = "existence", _("Existence only (counted, not shown)")
    BLURRED = "blurred", _("Blurred to a cell of at least 1 km")
    EXACT = "exact", _("Exact to verified organisations")


class Missing(models.TextChoices):
    """Why a value is not there (domain, section 3)."""

    UNKNOWN = "unknown", _("Unknown to us")
    UNPOPULATED = "unpopulated", _("Not filled in yet")
    WITHHELD = "withheld", _("Withheld")


class Occupancy(models.TextChoices):
    """How far something is taken; the codes of GraceTHD's occupancy."""

    EMPTY = "empty", _("Empty")
    ROOM_LEFT = "room_left", _("In use, room left")
    NOT_USABLE = "not_usable", _("In use, rest not usable")
    FULL = "full", _("Full")


class SurveyMethod(models.TextChoices):
    """How a position was found."""

    GNSS_RTK = "gnss_rtk", _("GNSS with correction (RTK, CORS)")
    GNSS = "gnss", _("GNSS without correction (hand-held)")
    TOTAL_STATION = "total_station", _("Total station")
    LOCATOR = "locator", _("Pipe locator or ground radar")
    INERTIAL = "inertial", _("Inertial probe in the duct")
    IMAGERY = "imagery", _("Aerial or satellite picture")
    DRAWING = "drawing", _("Taken from a drawing")
    ADDRESS = "address", _("From the address")


class ProjectType(models.TextChoices):
    """What is planned or built that space and power are kept in (policy, section 4.2)."""

    SUBWAY = "subway", _("Subway or light rail")
    RAILWAY = "railway", _("Railway")
    TUNNEL = "tunnel", _("Tunnel")
    BRIDGE = "bridge", _("Bridge")
    ROAD = "road", _("Road")
    UTILITY_TUNNEL = "utility_tunnel", _("Utility tunnel")
    BUILDING = "building", _("Building or estate")
    OTHER = "other", _("Other works")


JOINABLE = ("planned", "under_construction")  # lifecycles in which others may still join


class Blur(Func):
    """The stable cell-centre (points) or cell-snapped (lines) geometry; SQL function of the first migration."""

    function = "gj_blur"


class LengthM(Func):
    """Geodesic length in metres of a line, 0 for a point; SQL function of the first migration."""

    function = "gj_length_m"


class Resource(models.Model):
    """Something an owner could share: what all four kinds have in common.

    Read through ResourceQuerySet.visible_to(), which alone decides what of the place is shown:
    `place` is exact and never leaves the house by another door (listings/disclosure.py).
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        SUSPENDED = "suspended", _("Suspended")
        RETIRED = "retired", _("Retired")

    class Lifecycle(models.TextChoices):
        PLANNED = "planned", _("Planned")
        UNDER_CONSTRUCTION = "under_construction", _("Under construction")
        IN_SERVICE = "in_service", _("In service")
        SUSPENDED = "suspended", _("Out of service for now")
        RETIRED = "retired", _("Out of service")

    class OwnershipMode(models.TextChoices):
        BUILT = "built", _("Built")
        PURCHASED = "purchased", _("Purchased")
        LEASED = "leased", _("Leased")
        IRU = "iru", _("Indefeasible right of use")
        CONCESSION = "concession", _("Concession")

    class Accuracy(models.TextChoices):
        M_0_3 = "0.3", _("within 0.3 m")
        M_0_5 = "0.5", _("within 0.5 m")
        M_1 = "1", _("within 1 m")
        WORSE = "worse", _("worse than 1 m")
        UNKNOWN = "unknown", _("unknown")

    class Quality(models.TextChoices):
        VALID = "valid", _("Valid (surveyed)")
        THEORETICAL = "theoretical", _("Theoretical (from plans)")
        NOT_COMMUNICATED = "not_communicated", _("Not communicated")

    class Condition(models.TextChoices):
        GOOD = "good", _("Good")
        FAIR = "fair", _("Fair")
        POOR = "poor", _("Poor")
        UNKNOWN = "unknown", _("Unknown")

    class Grade(models.TextChoices):
        GENERAL = "general", _("General data")
        IMPORTANT = "important", _("Important data")
        CORE = "core", _("Core data")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    owner = models.ForeignKey(Organisation, models.PROTECT, related_name="resources", verbose_name=_("owner"))
    manager = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="managed_resources",
        verbose_name=_("manager"),
    )  # None: the owner manages  # fmt: skip
    user = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="used_resources", verbose_name=_("user")
    )  # None: not one main user
    owner_code = models.CharField(
        _("owner's own code"), max_length=80, help_text=_("Your number for it; the same file again finds it by this.")
    )
    name = models.CharField(_("name"), max_length=160)
    sector = models.CharField(_("sector"), max_length=20, choices=Sector.choices)
    region = models.ForeignKey(Region, models.PROTECT, related_name="resources", verbose_name=_("region"))
    place = models.GeometryField(_("place"), srid=4326)
    shown_cell = models.GeneratedField(
        expression=Blur(F("place")), output_field=models.GeometryField(srid=4326), db_persist=True
    )
    length_m = models.GeneratedField(expression=LengthM(F("place")), output_field=models.FloatField(), db_persist=True)
    source_srid = models.CharField(
        _("source coordinate system"), max_length=20, default="EPSG:4326",
        help_text=_("As the owner gave it: EPSG code, GCJ-02 or BD-09."),
    )  # fmt: skip
    address = models.CharField(_("address"), max_length=240, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    lifecycle = models.CharField(_("lifecycle"), max_length=20, choices=Lifecycle.choices, default=Lifecycle.IN_SERVICE)
    available_from = models.DateField(_("available from"), null=True, blank=True)
    available_until = models.DateField(_("available until"), null=True, blank=True)
    ownership_mode = models.CharField(
        _("ownership"), max_length=12, choices=OwnershipMode.choices, default=OwnershipMode.BUILT
    )
    condition = models.CharField(_("condition"), max_length=8, choices=Condition.choices, default=Condition.UNKNOWN)
    occupancy = models.CharField(
        _("occupancy"), max_length=10, choices=Occupancy.choices, blank=True,
        help_text=_("Empty: as the capacity given says."),
    )  # read it through listings.occupancy  # fmt: skip
    accuracy = models.CharField(
        _("position accuracy"), max_length=8, choices=Accuracy.choices, default=Accuracy.UNKNOWN
    )
    survey_method = models.CharField(_("how surveyed"), max_length=14, choices=SurveyMethod.choices, blank=True)
    quality = models.CharField(
        _("information quality"), max_length=16, choices=Quality.choices, default=Quality.THEORETICAL
    )
    grade = models.CharField(_("data grade"), max_length=10, choices=Grade.choices, default=Grade.GENERAL)
    disclosure = models.CharField(
        _("disclosure"), max_length=10, choices=Disclosure.choices, default=Disclosure.BLURRED
    )
    sharing_modes = ArrayField(
        models.CharField(max_length=16, choices=SharingMode.choices), verbose_name=_("sharing modes"), default=list,
        blank=True,
    )  # fmt: skip
    access_hours = models.CharField(_("access hours"), max_length=120, blank=True)
    access_permit = models.CharField(_("permit needed"), max_length=160, blank=True)
    access_safety = models.CharField(_("safety rules"), max_length=200, blank=True)
    access_contact = models.CharField(_("contact on site"), max_length=120, blank=True)
    access_note = models.CharField(_("access"), max_length=300, blank=True)
    price_note = models.CharField(_("price terms"), max_length=300, blank=True)
    project_type = models.CharField(_("part of works"), max_length=14, choices=ProjectType.choices, blank=True)
    project_name = models.CharField(_("name of the works"), max_length=160, blank=True)
    reserved_area_m2 = models.DecimalField(
        _("space reserved (m²)"), max_digits=9, decimal_places=2, null=True, blank=True
    )
    reserved_kva = models.DecimalField(_("power reserved (kVA)"), max_digits=9, decimal_places=2, null=True, blank=True)
    join_until = models.DateField(
        _("others may join until"), null=True, blank=True, help_text=_("For what is planned or under construction.")
    )
    site = models.ForeignKey(
        "listings.Site", models.SET_NULL, null=True, blank=True, related_name="resources", verbose_name=_("site")
    )
    missing = models.JSONField(_("missing values"), default=dict, blank=True)  # field → one of Missing
    # field → {"source": text, "on": "2026-11-22"}, where a fact has another source or date than the whole record
    provenance = models.JSONField(_("source of single facts"), default=dict, blank=True)
    source = models.CharField(_("source of the facts"), max_length=160, blank=True)
    facts_on = models.DateField(_("facts as of"), null=True, blank=True)
    is_demo = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True, blank=True)
    import_job = models.ForeignKey(
        "listings.ImportJob", models.SET_NULL, null=True, blank=True, related_name="resources"
    )

    objects = ResourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        ordering = ["-published_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "owner_code"], name="resource_owner_code_once"),
            models.CheckConstraint(
                condition=Q(grade="general") | (Q(grade="important") & ~Q(disclosure="exact"))
                | Q(grade="core", disclosure="existence"),
                name="resource_grade_limits_disclosure",
                violation_error_message=_(
                    "Important data may be blurred at most, core data only counted: choose a closer disclosure level."
                ),
            ),
            models.CheckConstraint(
                condition=Q(available_from=None) | Q(available_until=None)
                | Q(available_until__gte=F("available_from")),
                name="resource_available_in_order",
                violation_error_message=_("“Available until” lies before “available from”."),
            ),
            models.CheckConstraint(
                condition=Q(join_until=None) | Q(lifecycle__in=["planned", "under_construction"]),
                name="resource_join_until_planned",
                violation_error_message=_(
                    "Only what is planned or under construction has a date until which others may join."
                ),
            ),
            models.CheckConstraint(
                condition=(Q(reserved_area_m2=None) | Q(reserved_area_m2__gte=0))
                & (Q(reserved_kva=None) | Q(reserved_kva__gte=0)),
                name="resource_reserved_not_negative",
                violation_error_message=_("Space and power reserved must not be negative."),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["state", "kind", "sector"], name="resource_by_kind"),
            models.Index(fields=["region", "kind"], name="resource_by_region"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="resource_name_trgm"),
        ]

    def __str__(self):
        return self.name

    @property
    def code(self) -> str:
        """Our own code: kind letter and number, as printed on agreements."""
        return f"{self.kind[0].upper()}{self.pk or 0:08d}"

    @property
    def facts(self):
        """The row of the kind's own table (Tower, Duct, Cable or Room). Queries once unless selected."""
        return getattr(self, self.kind)


class ResourcePhoto(models.Model):
    """A picture of a resource, re-encoded on the way in so that no metadata is kept."""

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="photos")
    image = models.ImageField(
        _("photo"), upload_to="photos/%Y/%m/", storage=private_storage, width_field="width_px", height_field="height_px"
    )
    width_px = models.PositiveIntegerField(default=0, editable=False)
    height_px = models.PositiveIntegerField(default=0, editable=False)
    caption = models.CharField(_("caption"), max_length=160, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["pk"]

    def __str__(self):
        return self.caption or f"{self.resource} #{self.pk}"


class DisclosureGrant(models.Model):
    """An organisation asks to see one resource's exact place, for a purpose; the owner answers."""

    class State(models.TextChoices):
        ASKED = "asked", pgettext_lazy("of a grant", "Asked")
        GRANTED = "granted", _("Granted")
        REFUSED = "refused", _("Refused")

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="grants")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="grants_received")
    purpose = models.CharField(_("purpose"), max_length=300)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("grant of an exact place")
        verbose_name_plural = _("grants of exact places")
        ordering = ["-asked_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "organisation"], condition=Q(state="asked"), name="grant_asked_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="granted") | Q(expires_at__isnull=False), name="grant_has_expiry"
            ),
        ]

    def __str__(self):
        return f"{self.organisation} → {self.resource}"
