from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation
from listings.storage import private_storage


class ExportJob(models.Model):
    """A file of resources on its way out, or gone out: who took what, under which filter, how many rows.

    The file holds what the reader might see at that moment and is handed to nobody else; it goes at expires_at,
    the row stays. Visitors' files are never kept: their row says only that there was one.
    """

    class Format(models.TextChoices):
        XLSX = "xlsx", _("Excel workbook (XLSX)")
        CSV = "csv", _("CSV in a ZIP file")
        GEOJSON = "geojson", _("GeoJSON")
        GPKG = "gpkg", _("GeoPackage")
        SHEET = "sheet", _("Printable sheet (PDF)")

    class System(models.TextChoices):
        WGS84 = "EPSG:4326", _("WGS84 (EPSG:4326)")
        CGCS2000 = "EPSG:4490", _("CGCS2000 (EPSG:4490)")

    class Scope(models.TextChoices):
        OWN = "own", _("Our resources")
        MAP = "map", _("Resource map")
        ONE = "one", _("One resource")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        WORKING = "working", _("Being written")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Refused")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    OPEN = (State.WAITING, State.WORKING)

    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="exports")
    membership = models.ForeignKey(Membership, models.PROTECT, null=True, related_name="+")  # None: a visitor
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    format = models.CharField(_("format"), max_length=8, choices=Format.choices)
    crs = models.CharField(_("coordinate system"), max_length=10, choices=System.choices, default=System.WGS84)
    scope = models.CharField(max_length=4, choices=Scope.choices)
    query = models.TextField(blank=True)  # the page's query string: what was filtered
    filter_text = models.CharField(_("filter"), max_length=500, blank=True)  # the same in words, as the file says it
    language = models.CharField(max_length=8, default="zh-hans")
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    refusal = models.CharField(max_length=500, blank=True)
    row_count = models.PositiveIntegerField(default=0)
    foreign_count = models.PositiveIntegerField(default=0)  # rows of other owners: what the day's cap counts
    left_out_count = models.PositiveIntegerField(default=0)  # other owners' important data, kept out of files
    done_count = models.PositiveIntegerField(default=0)
    is_cancel_asked = models.BooleanField(default=False)
    heartbeat_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    file = models.FileField(upload_to="exports/%Y/%m/", storage=private_storage, blank=True)
    file_name = models.CharField(_("file name"), max_length=200, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(foreign_count__lte=models.F("row_count")), name="export_foreign_in_rows"
            ),
            models.CheckConstraint(
                condition=Q(organisation=None, membership=None, file="") | Q(organisation__isnull=False),
                name="export_visitor_keeps_no_file",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "created_at"], name="export_by_day")]

    def __str__(self):
        return self.file_name or f"{self.get_format_display()} #{self.pk}"
