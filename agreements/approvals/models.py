"""An organisation's own rules of approval, and the approvals given by them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation


class ApprovalRuleQuerySet(models.QuerySet):
    def live(self):
        """Those in force, in the order the steps are taken: small amounts first."""
        return self.filter(ended_at=None).order_by("from_fen", "pk")


class ApprovalRule(models.Model):
    """One step: from which amount on, and who approves. Never changed, only ended (trigger): approvals refer to it."""

    class Basis(models.TextChoices):
        YEAR = "year", _("price a year")
        TOTAL = "total", _("price over the whole period")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="approval_rules")
    name = models.CharField(_("step"), max_length=60)  # "Finance", "Board"
    basis = models.CharField(_("measured by"), max_length=5, choices=Basis.choices, default=Basis.YEAR)
    from_fen = models.PositiveBigIntegerField(_("from (fen)"))  # asked for at this amount and above; 0: always
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("approver"))
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("deputy")
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ApprovalRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval rule")
        verbose_name_plural = _("approval rules")
        ordering = ["organisation", "from_fen", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(deputy=None) | ~Q(deputy=F("approver")), name="approval_deputy_is_another",
                violation_error_message=_("The deputy is another person than the approver."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.name


class Verdict(models.TextChoices):
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Not approved")


class Approval(models.Model):
    """One answer of a step to one version of the terms. Append-only (trigger); approved once."""

    Verdict = Verdict

    rule = models.ForeignKey(ApprovalRule, models.PROTECT, related_name="approvals")
    offer = models.ForeignKey("agreements.Offer", models.PROTECT, related_name="approvals")
    version_sha256 = models.CharField(max_length=64)  # of the version that was read: approvals/steps.py
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    note = models.CharField(_("note"), max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "offer"], condition=Q(verdict="approved"), name="approval_once_per_version"
            ),
            models.CheckConstraint(
                condition=Q(verdict="approved") | ~Q(note=""), name="approval_rejected_has_note",
                violation_error_message=_("Say why it is not approved: your negotiators read it."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.rule} · {self.offer} · {self.verdict}"


class ProjectApproval(models.Model):
    """One answer of a step to the agreed terms of works, which never change. Append-only (trigger); approved once."""

    rule = models.ForeignKey(ApprovalRule, models.PROTECT, related_name="project_approvals")
    project = models.ForeignKey("agreements.Project", models.PROTECT, related_name="approvals")
    terms_sha256 = models.CharField(max_length=64)  # of the terms that were read
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    note = models.CharField(_("note"), max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("approval of works")
        verbose_name_plural = _("approvals of works")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "project"], condition=Q(verdict="approved"), name="project_approval_once"
            ),
            models.CheckConstraint(
                condition=Q(verdict="approved") | ~Q(note=""), name="project_approval_rejected_has_note",
                violation_error_message=_("Say why it is not approved: your negotiators read it."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.rule} · {self.project} · {self.verdict}"
