from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation


class Site(models.Model):
    """Several resources of one owner at one place, shown and requested together: tower, room and mains.

    Its members are Resource.site; what a reader learns of it is what they may read of the members.
    """

    owner = models.ForeignKey(Organisation, models.PROTECT, related_name="sites", verbose_name=_("owner"))
    owner_code = models.CharField(_("owner's own code"), max_length=80)
    name = models.CharField(_("name"), max_length=160)
    mains_v = models.PositiveIntegerField(_("mains voltage (V)"), null=True, blank=True)
    mains_kva = models.DecimalField(_("mains power (kVA)"), max_digits=9, decimal_places=2, null=True, blank=True)
    mains_spare_kva = models.DecimalField(
        _("spare mains power (kVA)"), max_digits=9, decimal_places=2, null=True, blank=True
    )
    has_backup = models.BooleanField(_("back-up power"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "owner_code"], name="site_owner_code_once",
                violation_error_message=_("You have a site with this code already."),
            ),
            models.CheckConstraint(
                condition=(Q(mains_kva=None) | Q(mains_kva__gte=0))
                & (Q(mains_spare_kva=None) | Q(mains_spare_kva__gte=0))
                & (Q(mains_kva=None) | Q(mains_spare_kva=None) | Q(mains_spare_kva__lte=F("mains_kva"))),
                name="site_spare_within_mains",
                violation_error_message=_("The spare power must not exceed the mains power."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.name
