"""What happens to a demand list beside its state: objections, corrections, other bureaus' signatures, every version."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation

from .demand import DemandLine, DemandList


class ObjectionQuerySet(models.QuerySet):
    def undecided(self):
        return self.filter(outcome="")

    def made_by(self, membership: Membership | None):
        """Those of the person's own organisation."""
        if not membership or membership.ended_at:
            return self.none()
        return self.filter(organisation_id=membership.organisation_id)


class Objection(models.Model):
    """Somebody objects to a line, or the whole list, during its public notice; the bureau decides with a reason."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", _("Upheld")
        PARTLY = "partly", _("Upheld in part")
        DISMISSED = "dismissed", _("Dismissed")

    demand_list = models.ForeignKey(DemandList, models.PROTECT, related_name="objections")
    line = models.ForeignKey(DemandLine, models.PROTECT, null=True, blank=True, related_name="objections")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="objections")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(_("objection"), max_length=2000)
    created_at = models.DateTimeField(default=timezone.now)
    decide_by = models.DateTimeField(_("decision due"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, blank=True)
    decision = models.TextField(_("reason of the decision"), max_length=2000, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("objection")
        verbose_name_plural = _("objections")
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", decided_at=None, decided_by=None, decision="")
                | ~Q(outcome="") & Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision=""),
                name="objection_decided_with_reason",
                violation_error_message=_("A decision names its outcome, its reason, who made it and when."),
            )
        ]

    def __str__(self):
        return f"{self.organisation}: {self.text[:60]}"


class LineCorrection(models.Model):
    """A line under notice is to read otherwise: one person proposes, a second one lets it in; the clock follows."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Awaiting second person")
        APPLIED = "applied", _("Applied")
        REFUSED = "refused", _("Refused")

    line = models.ForeignKey(DemandLine, models.PROTECT, related_name="corrections")
    fields = models.JSONField()  # {field: new value}, as listings.demand_shots.as_json() writes them
    before = models.JSONField(default=dict, blank=True)  # the same fields as they were when it was applied
    reason = models.CharField(_("reason"), max_length=500)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        ordering = ["-proposed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["line"], condition=Q(state="proposed"), name="correction_one_open_per_line",
                violation_error_message=_("A correction of this line awaits its second person already."),
            ),
            models.CheckConstraint(
                condition=~Q(state="applied") | Q(answered_by__isnull=False) & ~Q(answered_by=F("proposed_by")),
                name="correction_applied_by_second_person",
                violation_error_message=_("Who proposed a correction cannot let it in: a second person must."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.line}"


class DeskComment(models.Model):
    """A remark between those at whose desk a list stands, on the list or one of its lines; never public."""

    demand_list = models.ForeignKey(DemandList, models.CASCADE, related_name="comments")
    line = models.ForeignKey(DemandLine, models.CASCADE, null=True, blank=True, related_name="comments")
    text = models.TextField(_("comment"), max_length=1000)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("bureau"))
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["written_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_by=None, settled_at=None) | Q(settled_by__isnull=False, settled_at__isnull=False),
                name="comment_settled_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="comment_says_something"),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.line or self.demand_list}: {self.text[:60]}"


class CoSigner(models.Model):
    """Another bureau of a cross-province list: its region counts as the list's, and it signs off before the notice."""

    demand_list = models.ForeignKey(DemandList, models.CASCADE, related_name="co_signers")
    bureau = models.ForeignKey(Organisation, models.PROTECT, related_name="co_signed", verbose_name=_("bureau"))
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("co-signing bureau")
        verbose_name_plural = _("co-signing bureaus")
        ordering = ["demand_list", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["demand_list", "bureau"], name="co_signer_once"),
            models.CheckConstraint(
                condition=Q(signed_by=None, signed_at=None) | Q(signed_by__isnull=False, signed_at__isnull=False),
                name="co_signer_signed_whole",
            ),
        ]

    def __str__(self):
        return str(self.bureau)


class LineVersion(models.Model):
    """A line as one change left it ("-": as it was when it went). Written by a trigger, whoever changed the line.

    Append-only. line_id and demand_list_id are plain numbers: versions outlive a deleted line.
    """

    class Op(models.TextChoices):
        ADDED = "+", _("added")
        CHANGED = "~", _("changed")
        GONE = "-", _("deleted")

    line_id = models.BigIntegerField()
    demand_list_id = models.BigIntegerField()
    lineage = models.UUIDField()
    number = models.PositiveIntegerField()
    op = models.CharField(max_length=1, choices=Op.choices)
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)  # who, where the action said so (listings.demand_shots.acting)
    data = models.JSONField()  # the row; the place as GeoJSON

    class Meta:
        verbose_name = _("version of a line")
        verbose_name_plural = _("versions of lines")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["line_id", "id"], name="line_version_by_line"),
            models.Index(fields=["demand_list_id", "at"], name="line_version_by_list"),
        ]

    def __str__(self):
        return f"{self.number} {self.op} {self.at:%Y-%m-%d %H:%M}"
