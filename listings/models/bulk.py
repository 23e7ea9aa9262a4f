from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation


class BulkJob(models.Model):
    """One act on many of an owner's resources: chosen, looked over, done in chunks, taken back as a whole."""

    class Verb(models.TextChoices):
        EDIT = "edit", _("Change facts")
        PUBLISH = "publish", _("Publish")
        SUSPEND = "suspend", _("Suspend")

    class State(models.TextChoices):
        CHECKING = "checking", _("Being looked over")
        READY = "ready", _("To be confirmed")
        STORING = "storing", _("Being done")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        UNDOING = "undoing", _("Being taken back")
        UNDONE = "undone", _("Taken back")

    BUSY = (State.CHECKING, State.STORING, State.UNDOING)

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="bulk_jobs")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    verb = models.CharField(max_length=8, choices=Verb.choices)
    query = models.TextField(blank=True)  # the own list's filter, or pk=… for rows ticked
    changes = models.JSONField(default=dict)  # {field: value}, as listings.bulk_changes reads them
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.CHECKING)
    row_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    is_cancel_asked = models.BooleanField(default=False)
    heartbeat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")
        ordering = ["-pk"]

    def __str__(self):
        return f"{self.get_verb_display()} #{self.pk}"


class BulkRow(models.Model):
    """What a bulk act would do, did, or refused to do to one resource; before is what an undo brings back."""

    class Verdict(models.TextChoices):
        CHANGE = "change", _("Changes")
        SAME = "same", _("No change")
        REFUSED = "refused", _("Refused")
        DONE = "done", _("Changed")
        KEPT = "kept", _("Kept as it is")  # changed by somebody else since: not done, or not taken back
        UNDONE = "undone", _("Taken back")

    job = models.ForeignKey(BulkJob, models.CASCADE, related_name="rows")
    # No constraint: a draft that was deleted meanwhile must not stand in the way, nor its row vanish.
    resource = models.ForeignKey(
        "listings.Resource", models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    label = models.CharField(max_length=250)  # own code · name, as it was
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reasons = models.JSONField(default=list)  # [{"zh-hans": …, "en": …}] why it is refused or kept
    before = models.JSONField(default=dict)  # {field: value}; "prices": {pool id: fen}
    after = models.JSONField(default=dict)
    seen_at = models.DateTimeField()  # the resource's updated_at when looked over
    stored_at = models.DateTimeField(null=True)  # the updated_at this job gave it

    class Meta:
        ordering = ["job", "pk"]
        constraints = [models.UniqueConstraint(fields=["job", "resource"], name="bulk_row_once")]
        indexes = [models.Index(fields=["job", "verdict", "id"], name="bulk_row_by_verdict")]

    def __str__(self):
        return self.label
