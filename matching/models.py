"""Runs of the matching over a demand list, and what they found for each line."""

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from listings.models import CapacityPool, DemandLine, DemandList, Resource


class MatchRunQuerySet(models.QuerySet):
    def live(self):
        return self.filter(state__in=[MatchRun.State.QUEUED, MatchRun.State.RUNNING])


class MatchRun(models.Model):
    """One matching of a whole list against published supply; kept, so that runs can be compared.

    A resumable row: the worker writes stage, progress and heartbeat_at; a run whose heartbeat stops is
    started over by a sweep.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    demand_list = models.ForeignKey(DemandList, models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()  # dense within the list
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    stage = models.CharField(max_length=40, blank=True)
    progress_pct = models.PositiveSmallIntegerField(default=0)
    is_cancel_asked = models.BooleanField(default=False)
    parameters = models.JSONField(
        default=dict, blank=True
    )  # radius_m, weights, seed: all that decides; a run can be repeated
    figures = models.JSONField(
        default=dict, blank=True
    )  # lines, met, unmet, cost_fen_per_year, bound, gap, candidates, seconds
    failure = models.CharField(max_length=500, blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = MatchRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("match run")
        verbose_name_plural = _("match runs")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["demand_list", "number"], name="run_number_once"),
            models.UniqueConstraint(
                fields=["demand_list"], condition=Q(state__in=["queued", "running"]), name="run_one_at_a_time",
                violation_error_message=_("A run for this list is under way."),
            ),
            models.CheckConstraint(condition=Q(progress_pct__lte=100), name="run_progress_is_share"),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.demand_list} #{self.number}"

    @property
    def is_live(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)


class MatchResultQuerySet(models.QuerySet):
    def readable_by(self, membership: Membership | None):
        """A bureau reads all results of lists in its jurisdiction; an applicant those of its own lines."""
        if not membership or membership.ended_at:
            return self.none()
        organisation = membership.organisation
        if organisation.is_bureau:
            return self.filter(run__demand_list__region__code__startswith=organisation.region.prefix)
        return self.filter(line__applicant=organisation)


class MatchResult(models.Model):
    """The verdict on one line: met by a resource, or unmet, with the reasons either way.

    Distances come from the place as a verified organisation is shown it (listings.disclosure), so a
    result can be shown to any of them without telling more than the map does.
    """

    class Verdict(models.TextChoices):
        MET = "met", _("Met")
        UNMET = "unmet", _("Unmet")

    run = models.ForeignKey(MatchRun, models.CASCADE, related_name="results")
    line = models.ForeignKey(DemandLine, models.CASCADE, related_name="results")
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    resource = models.ForeignKey(Resource, models.SET_NULL, null=True, blank=True, related_name="results")
    score = models.FloatField(null=True, blank=True)  # 0..1, higher is better
    distance_m = models.FloatField(null=True, blank=True)
    cost_fen_per_year = models.PositiveBigIntegerField(null=True, blank=True)  # None: to be negotiated
    reasons = models.JSONField(
        default=list, blank=True
    )  # [{"criterion", "verdict", "asked", "found", "margin", "unit"}], see reasons.py
    alternatives = models.JSONField(
        default=list, blank=True
    )  # [{"resource", "distance_m", "score", "cost_fen_per_year", "reasons"}]

    objects = MatchResultQuerySet.as_manager()

    class Meta:
        verbose_name = _("match result")
        verbose_name_plural = _("match results")
        ordering = ["run", "line__number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "line"], name="result_once_per_line"),
            models.CheckConstraint(
                condition=Q(verdict="unmet", resource=None) | Q(verdict="met"), name="result_unmet_has_no_resource"
            ),
        ]

    def __str__(self):
        return f"{self.run_id} · {self.line_id} · {self.verdict}"


class Allocation(models.Model):
    """Units of one pool a run gives to one line; never more in sum than were free when it ran."""

    result = models.ForeignKey(MatchResult, models.CASCADE, related_name="allocations")
    pool = models.ForeignKey(CapacityPool, models.CASCADE, related_name="allocations")
    quantity = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            models.UniqueConstraint(fields=["result", "pool"], name="allocation_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="allocation_positive"),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.pool_id}"
