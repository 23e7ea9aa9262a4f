"""Runs of the matching over a demand list, and what they found for each line."""

from typing import Any

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from listings.models import CapacityPool, DemandLine, DemandList, Resource

from .core import told


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

    # No index of its own: that of the run's lines (result_once_per_line) begins with the run.
    run = models.ForeignKey(MatchRun, models.CASCADE, related_name="results", db_index=False)
    line = models.ForeignKey(DemandLine, models.CASCADE, related_name="results")
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    resource = models.ForeignKey(Resource, models.SET_NULL, null=True, blank=True, related_name="results")
    score = models.FloatField(null=True, blank=True)  # 0..1, higher is better
    distance_m = models.FloatField(null=True, blank=True)
    cost_fen_per_year = models.PositiveBigIntegerField(null=True, blank=True)  # None: to be negotiated
    binding = models.CharField(max_length=12, blank=True)  # of an unmet line: what stands in the way, reasons.BINDINGS
    told = models.BinaryField(default=bytes, blank=True)  # what reasons and alternatives are read from: core/told.py
    component = models.BigIntegerField(
        null=True, blank=True
    )  # lines that compete, however indirectly, share one: the smallest id among them
    fingerprint = models.BigIntegerField(
        null=True, blank=True
    )  # of all the verdict was made from within the line's limit, see core/fingerprints.py
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

    @cached_property
    def reasons(self) -> list[dict[str, Any]]:
        """Why the line is met or not, see core.told.reasons_of."""
        return told.reasons_of(bytes(self.told), self.verdict, self.binding)

    @cached_property
    def alternatives(self) -> list[dict[str, Any]]:
        """What else fits, best first: [{"resource", "distance_m", "score", "cost_fen_per_year", "reasons"}]."""
        return told.alternatives_of(bytes(self.told))


class Allocation(models.Model):
    """Units of one pool a run gives to one line; never more in sum than were free when it ran."""

    # No index of its own: allocation_once begins with the result.
    result = models.ForeignKey(MatchResult, models.CASCADE, related_name="allocations", db_index=False)
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


class Route(models.Model):
    """A way found for a line that asks for a connection A–B: the chosen one, another, or one of a disjoint pair."""

    class Role(models.TextChoices):
        CHOSEN = "chosen", _("Chosen")
        OTHER = "other", _("Another way")
        PROTECTION = "protection", _("Second, sharing nothing with the first")

    result = models.ForeignKey(MatchResult, models.CASCADE, related_name="routes")
    role = models.CharField(max_length=10, choices=Role.choices)
    rank = models.PositiveSmallIntegerField(default=0)
    path = models.GeometryField(srid=4326)  # by places as any verified organisation is shown them
    length_m = models.FloatField()
    gap_m = models.FloatField(default=0)  # of which to be built
    build_fen = models.PositiveBigIntegerField(default=0)
    cost_fen_per_year = models.PositiveBigIntegerField()
    transfers = models.PositiveSmallIntegerField(default=0)
    legs = models.JSONField(
        default=list
    )  # [{"kind", "resource", "owner", "length_m", "fen", "build_fen", "is_planned"}]

    class Meta:
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        ordering = ["result", "role", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["result", "role", "rank"], name="route_rank_once"),
            models.UniqueConstraint(fields=["result"], condition=Q(role="chosen"), name="route_chosen_once"),
        ]

    def __str__(self):
        return f"{self.result_id} · {self.role} {self.rank}"


class ProposalQuerySet(models.QuerySet):
    def readable_by(self, membership: Membership | None):
        """A bureau reads those of its jurisdiction's lists; a party those that were sent to it."""
        if not membership or membership.ended_at:
            return self.none()
        organisation = membership.organisation
        if organisation.is_bureau:
            if not organisation.is_verified:
                return self.none()
            return self.filter(run__demand_list__region__code__startswith=organisation.region.prefix)
        return self.filter(state="sent", parties__line__applicant=organisation).distinct()


class Proposal(models.Model):
    """What several applicants could build together where nothing existing serves them: one tower, or one trench."""

    class Kind(models.TextChoices):
        TOWER = "tower", _("New tower together")
        TRENCH = "trench", _("Trench together")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SENT = "sent", _("Sent to the parties")

    run = models.ForeignKey(MatchRun, models.CASCADE, related_name="proposals")
    number = models.PositiveIntegerField()  # dense within the run
    kind = models.CharField(max_length=6, choices=Kind.choices)
    state = models.CharField(max_length=5, choices=State.choices, default=State.DRAFT)
    place = models.GeometryField(srid=4326)
    height_m = models.FloatField(null=True, blank=True)
    length_m = models.FloatField(null=True, blank=True)
    cost_fen = models.PositiveBigIntegerField()  # to build, together
    alone_fen = models.PositiveBigIntegerField()  # to build, each alone
    steel_saved_kg = models.FloatField(default=0)
    carbon_saved_kg = models.FloatField(default=0)
    basis = models.JSONField(default=list)  # [{"key", "value", "unit"…}]: the rules the figures come from
    conflicts = models.JSONField(default=list)  # [{"rule", "resource", "distance_m", "limit_m"}]
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("co-build proposal")
        verbose_name_plural = _("co-build proposals")
        ordering = ["run", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="proposal_number_once"),
            models.CheckConstraint(condition=Q(cost_fen__lte=models.F("alone_fen")), name="proposal_saves"),
            models.CheckConstraint(condition=~Q(state="sent") | Q(sent_at__isnull=False), name="proposal_sent_when"),
        ]

    def __str__(self):
        return f"{self.run} · {self.number}"

    @property
    def saved_fen(self) -> int:
        return self.alone_fen - self.cost_fen


class ProposalParty(models.Model):
    """One applicant of a proposal: its line, what it takes, and what it would pay by each method; fen to build."""

    proposal = models.ForeignKey(Proposal, models.CASCADE, related_name="parties")
    line = models.ForeignKey(DemandLine, models.CASCADE, related_name="+")
    units = models.DecimalField(max_digits=12, decimal_places=2)
    alone_fen = models.PositiveBigIntegerField()
    pro_rata_fen = models.PositiveBigIntegerField()
    stand_alone_fen = models.PositiveBigIntegerField()
    shapley_fen = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("party of a proposal")
        verbose_name_plural = _("parties of proposals")
        ordering = ["proposal", "line__number"]
        constraints = [models.UniqueConstraint(fields=["proposal", "line"], name="proposal_line_once")]

    def __str__(self):
        return f"{self.proposal_id} · {self.line_id}"


class SupplyNews(models.Model):
    """How far the log of publications was read for lines that new supply would serve; one row."""

    last_event = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("reading mark of new supply")
        verbose_name_plural = _("reading marks of new supply")

    def __str__(self):
        return str(self.last_event)
