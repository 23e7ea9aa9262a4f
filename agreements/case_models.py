"""The steps of a case as they were taken, and its clocks as they ran."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation

from .inspection_models import Inspection, WorksPaper


class CaseStep(models.Model):
    """One step by a side, the bureau or a clock, with what was said and given. Append-only (trigger)."""

    request = models.ForeignKey("agreements.ShareRequest", models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()  # dense within the request
    verb = models.CharField(max_length=24)  # a key of agreements.states.TRANSITIONS
    state = models.CharField(max_length=12)  # after it
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(_("note"), max_length=2000, blank=True)
    data = models.JSONField(default=dict, blank=True)  # what the verb's form asked: agreements.step_inputs
    key = models.UUIDField(null=True, blank=True, unique=True)  # of the form: sent twice, it is one step
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ["request", "number"]
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="step_number_once")]

    def __str__(self):
        return f"{self.request} {self.number} {self.verb}"


class CaseClock(models.Model):
    """One clock of a case: which rule, from when, until when, and how it ended."""

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        MET = "met", _("met in time")
        STOPPED = "stopped", _("stopped")
        RUN_OUT = "run_out", _("ran out")

    request = models.ForeignKey("agreements.ShareRequest", models.CASCADE, related_name="clocks")
    rule = models.CharField(max_length=40)  # a key of accounts.rules.DEFAULTS
    state = models.CharField(max_length=12)  # the state it ran in
    started_at = models.DateTimeField()
    days = models.PositiveSmallIntegerField()  # working days it was given: the rule's then, or what a hold-up left
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.RUNNING)
    cause = models.CharField(max_length=500, blank=True)  # why it was stopped, as both sides read it
    left_days = models.PositiveSmallIntegerField(null=True, blank=True)  # working days left when it was stopped
    warned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("clock")
        verbose_name_plural = _("clocks")
        ordering = ["request", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["request"], condition=Q(outcome="running"), name="clock_one_runs"),
            models.CheckConstraint(
                condition=Q(outcome="running", ended_at=None) | (~Q(outcome="running") & Q(ended_at__isnull=False)),
                name="clock_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(outcome="running", warned_at=None), name="clock_to_warn")
        ]

    def __str__(self):
        return f"{self.request} {self.rule} {self.outcome}"


class CaseDocument(WorksPaper):
    """A paper, drawing or photo of the works, given by one of the parties; read by both and by their bureau. Kept."""

    request = models.ForeignKey("agreements.ShareRequest", models.CASCADE, related_name="documents")

    class Meta:
        verbose_name = _("document of a case")
        verbose_name_plural = _("documents of cases")
        ordering = ["request", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "sha256"], name="case_document_once",
                violation_error_message=_("This document is attached already."),
            )
        ]  # fmt: skip

    def get_absolute_url(self) -> str:
        return reverse("case_document", args=[self.pk])


class Acceptance(Inspection):
    """One inspection of the works by the checklist in force that day, its points frozen. Append-only (trigger)."""

    request = models.ForeignKey("agreements.ShareRequest", models.CASCADE, related_name="acceptances")

    class Meta:
        verbose_name = _("acceptance")
        verbose_name_plural = _("acceptances")
        ordering = ["request", "number"]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="acceptance_number_once"),
            models.UniqueConstraint(
                fields=["request"], condition=Q(verdict="passed"), name="acceptance_passed_once"
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.request} {self.number}"
