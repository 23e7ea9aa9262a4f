"""What inspections and papers of works have in common, whether of a single agreement or of several parties."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from listings.models.documents import CONTENT_TYPES
from listings.storage import private_storage


class WorksPaper(models.Model):
    """A paper, drawing or photo of works. Kept (trigger)."""

    class Sort(models.TextChoices):
        PAPER = "paper", _("Paper")
        DRAWING = "drawing", _("Completion drawing")
        PHOTO = "photo", _("Photo")

    sort = models.CharField(_("sort"), max_length=8, choices=Sort.choices)
    title = models.CharField(_("title"), max_length=160)
    file = models.FileField(_("file"), upload_to="cases/%Y/%m/", storage=private_storage)
    extension = models.CharField(max_length=5)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self):
        return self.title

    @property
    def content_type(self) -> str:
        return "image/jpeg" if self.sort == self.Sort.PHOTO else CONTENT_TYPES[self.extension]


class Inspection(models.Model):
    """One inspection by the checklist in force that day, its points frozen. Append-only (trigger)."""

    class Verdict(models.TextChoices):
        PASSED = "passed", _("Passed")
        RECTIFY = "rectify", _("To be rectified")

    number = models.PositiveSmallIntegerField()  # dense within its works
    checklist = models.JSONField()  # {"id", "code", "version", "title_zh", "title_en"}
    points = models.JSONField()  # [{"number", "text_zh", "text_en", "clause", "is_required", "result", "measured"}]
    as_built = models.JSONField(default=dict, blank=True)  # {fact: value as text} taken over into the resource
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    key = models.UUIDField(unique=True)  # of the form: sent twice, it is one inspection

    class Meta:
        abstract = True
