"""Works of several parties as they are built: milestones, papers, inspections, and what is settled."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Organisation
from agreements.inspection_models import Inspection, WorksPaper


class ProjectMilestone(models.Model):
    """A point of the works' timetable. reached_on None: not yet."""

    project = models.ForeignKey("agreements.Project", models.CASCADE, related_name="milestones")
    title = models.CharField(_("milestone"), max_length=120)
    planned_for = models.DateField(_("planned for"))
    reached_on = models.DateField(null=True, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        ordering = ["planned_for", "pk"]
        constraints = [models.UniqueConstraint(fields=["project", "title"], name="project_milestone_once")]

    def __str__(self):
        return self.title

    @property
    def is_late(self) -> bool:
        return (self.reached_on or timezone.localdate()) > self.planned_for


class ProjectDocument(WorksPaper):
    """A paper, drawing or photo of works built together; read by those taking part and the bureau. Kept."""

    project = models.ForeignKey("agreements.Project", models.CASCADE, related_name="documents")

    class Meta:
        verbose_name = _("document of works")
        verbose_name_plural = _("documents of works")
        ordering = ["project", "pk"]
        constraints = [models.UniqueConstraint(fields=["project", "sha256"], name="project_document_once")]

    def get_absolute_url(self) -> str:
        return reverse("project_document", args=[self.pk])


class ProjectInspection(Inspection):
    """A party's inspection of works built together; each party's own passes. Append-only (trigger)."""

    project = models.ForeignKey("agreements.Project", models.CASCADE, related_name="inspections")
    round = models.PositiveSmallIntegerField()  # of the lead's calls for acceptance; the first is 1

    class Meta:
        verbose_name = _("inspection of works")
        verbose_name_plural = _("inspections of works")
        ordering = ["project", "number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="project_inspection_number_once"),
            models.UniqueConstraint(
                fields=["project", "round", "organisation"], condition=Q(verdict="passed"),
                name="project_inspection_passed_once",
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.project} {self.number}"


class ProjectEntry(models.Model):
    """What a party owes the lead of its share, and what it paid: fen, tax included; paid is negative. Append-only."""

    class Sort(models.TextChoices):
        DUE = "due", pgettext_lazy("of a share", "Due with acceptance")
        PAID = "paid", pgettext_lazy("of a share", "Paid")

    project = models.ForeignKey("agreements.Project", models.CASCADE, related_name="entries")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    sort = models.CharField(max_length=4, choices=Sort.choices)
    fen = models.BigIntegerField()
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("entry of a share")
        verbose_name_plural = _("entries of shares")
        ordering = ["project", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "organisation", "sort"], name="project_entry_once"),
            models.CheckConstraint(
                condition=Q(sort="due", fen__gte=0) | Q(sort="paid", fen__lte=0), name="project_entry_sign"
            ),
        ]

    def __str__(self):
        return f"{self.project} {self.organisation} {self.fen}"
