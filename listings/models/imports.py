from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from listings.storage import private_storage


class ImportJob(models.Model):
    """A file on its way in: uploaded, columns mapped, place checked, reported, confirmed.

    A resumable row: the worker writes heartbeat_at and progress; a job whose heartbeat stops is taken
    up again. Nothing reaches Resource or DemandLine before the owner confirms.
    """

    class Target(models.TextChoices):
        RESOURCES = "resources", _("Resources")
        DEMAND = "demand", _("Demand lines")
        HAND_IN = "hand_in", _("Lines handed in")
        PARTS = "parts", _("Parts of ducts and cables")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        READING = "reading", _("Reading")
        MAPPING = "mapping", _("Columns to be confirmed")
        PLACING = "placing", _("Place to be confirmed")
        CHECKING = "checking", _("Checking")
        READY = "ready", _("Report ready")
        STORING = "storing", _("Storing")
        DONE = "done", _("Stored")
        FAILED = "failed", _("Refused")
        CANCELLED = "cancelled", _("Cancelled")
        UNDONE = "undone", _("Undone")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="imports")
    target = models.CharField(max_length=10, choices=Target.choices, default=Target.RESOURCES)
    demand_list = models.ForeignKey(
        "listings.DemandList", models.CASCADE, null=True, blank=True, related_name="imports"
    )
    file = models.FileField(_("file"), upload_to="imports/%Y/%m/", storage=private_storage)
    file_name = models.CharField(_("file name"), max_length=200)
    file_sha256 = models.CharField(max_length=64)
    format = models.CharField(_("format"), max_length=12, blank=True)
    kind = models.CharField(_("kind"), max_length=8, blank=True)  # blank: told by a column
    columns = models.JSONField(default=list)  # [{"name", "samples": [...]}], as read
    mapping = models.JSONField(default=dict)  # {field: column name}
    detected = models.JSONField(default=dict)  # encoding, delimiter, coordinate system with confidence, alternatives
    crs = models.CharField(_("coordinate system"), max_length=20, blank=True)  # as confirmed
    options = models.JSONField(default=dict)  # what the person chose: listings/imports/options.py
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    refusal = models.CharField(max_length=500, blank=True)  # the one sentence, when failed
    row_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    counts = models.JSONField(
        default=dict
    )  # {"create", "update", "same", "error", "skip", "warning", "info", "by_code"}
    is_cancel_asked = models.BooleanField(default=False)
    heartbeat_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(target__in=["resources", "parts"], demand_list=None)
                | Q(target__in=["demand", "hand_in"], demand_list__isnull=False),
                name="import_demand_names_list",
            )
        ]

    def __str__(self):
        return self.file_name


class ImportRow(models.Model):
    """One row of the file as read, what it would become, and what was found wrong with it."""

    class Verdict(models.TextChoices):
        CREATE = "create", _("New")
        UPDATE = "update", _("Changed")
        SAME = "same", _("No change")
        ERROR = "error", _("Not stored")
        SKIP = "skip", _("Skipped")  # a total: no entry, and nothing to mend

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # as the person counts them in the file, header included
    raw = models.JSONField()  # {column: value}
    verdict = models.CharField(max_length=6, choices=Verdict.choices, default=Verdict.CREATE)
    problems = models.JSONField(default=list)  # as listings.imports.findings.Finding.as_json(): worded when shown
    result = models.JSONField(default=dict)  # once stored: {"id", "updated_at", "before": what an undo restores}

    class Meta:
        ordering = ["job", "number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="import_row_once")]
        indexes = [models.Index(fields=["job", "verdict", "number"], name="import_row_by_verdict")]

    def __str__(self):
        return f"{self.job} #{self.number}"


class ImportMapping(models.Model):
    """The column mapping an organisation confirmed last for a set of headers."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="import_mappings")
    header_hash = models.CharField(max_length=64)
    mapping = models.JSONField()
    crs = models.CharField(max_length=20, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "header_hash"], name="mapping_once")]

    def __str__(self):
        return f"{self.organisation} {self.header_hash[:8]}"
