from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from listings.storage import private_storage

# What may be attached, by ending, and the type it is handed out with: always as a file to save, never shown inline.
CONTENT_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "dwg": "application/octet-stream",  # attached before metadata was taken out; not taken any more
}
ACCEPTED = ("pdf", "docx", "xlsx")


class ResourceDocument(models.Model):
    """A paper of a resource (drawing, test report, permit), handed out as an attachment to who sees its exact place."""

    resource = models.ForeignKey("listings.Resource", models.CASCADE, related_name="documents")
    title = models.CharField(_("title"), max_length=160)
    file = models.FileField(_("document"), upload_to="documents/%Y/%m/", storage=private_storage)
    extension = models.CharField(max_length=5, choices=[(name, name.upper()) for name in CONTENT_TYPES])
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["resource", "sha256"], name="document_once",
                violation_error_message=_("This document is attached already."),
            ),
            models.CheckConstraint(condition=Q(extension__in=list(CONTENT_TYPES)), name="document_extension_known"),
        ]  # fmt: skip

    def __str__(self):
        return self.title

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.extension]
