"""The works of a signed case as its steps tell them: milestones planned and reached, progress. No queries."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from agreements.models import CaseStep, ShareRequest


@dataclass(frozen=True)
class Milestone:
    """number: of the step that planned it. reached_on None: not yet."""

    number: int
    title: str
    planned_for: dt.date
    organisation: str
    reached_on: dt.date | None = None

    @property
    def is_late(self) -> bool:
        return (self.reached_on or timezone.localdate()) > self.planned_for


def milestones(steps: Iterable[CaseStep]) -> list[Milestone]:
    """Those planned, by date. steps: of one case, their organisations fetched."""
    found: dict[int, Milestone] = {}
    for step in sorted(steps, key=lambda step: step.number):
        if step.verb == "plan_milestone":
            day = dt.date.fromisoformat(step.data["on"])
            name = step.organisation.name if step.organisation else ""
            found[step.number] = Milestone(step.number, step.data["title"], day, name)
        elif step.verb == "reach_milestone" and int(step.data["milestone"]) in found:
            number = int(step.data["milestone"])
            found[number] = replace(found[number], reached_on=timezone.localdate(step.made_at))
    return sorted(found.values(), key=lambda one: (one.planned_for, one.number))


def progress_percent(steps: Iterable[CaseStep]) -> int | None:
    """What was reported last; None: nothing was."""
    said = [(step.number, step.data["percent"]) for step in steps if step.data.get("percent")]
    return int(max(said)[1]) if said else None


def check_milestone(request: ShareRequest, verb: str, given: dict[str, Any]) -> None:
    """A milestone reported as reached is one planned and not reached yet; its title goes into the step.

    Raises Refused otherwise.
    """
    if verb != "reach_milestone":
        return
    known = {str(one.number): one for one in milestones(request.steps.select_related("organisation"))}
    one = known.get(str(given["milestone"]))
    if one is None or one.reached_on:
        raise Refused(_("Choose a milestone that is planned and not reached yet."), code="milestone")
    given["title"] = one.title
