from django.conf import settings
from django.contrib.gis.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Region
from listings.storage import private_storage

from .resources import Kind


class BuildCheck(models.Model):
    """A dated certificate: what stood within the region's rule of planned works, as far as the asker may see.

    Append-only but for the PDF. findings holds what the certificate says; nothing in it was hidden from the asker.
    """

    reference = models.CharField(_("reference"), max_length=40, unique=True)  # "DBC-2026-000123"
    verification_code = models.CharField(_("verification code"), max_length=24, unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    name = models.CharField(_("planned work"), max_length=160, blank=True)
    place = models.GeometryField(_("place"), srid=4326)  # a point, or a route as a line
    region = models.ForeignKey(Region, models.PROTECT, null=True, verbose_name=_("region"), related_name="+")
    is_settled = models.BooleanField(_("settled area"), default=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="build_checks")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(_("checked at"))
    findings = models.JSONField()  # listings.build_check.Findings.as_json()
    findings_sha256 = models.CharField(max_length=64)
    pdf = models.FileField(upload_to="build-checks/%Y/", storage=private_storage, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("duplicate-build check")
        verbose_name_plural = _("duplicate-build checks")
        ordering = ["-pk"]

    def __str__(self):
        return self.reference
