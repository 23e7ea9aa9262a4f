"""From the first spade to the finished works: milestones, papers, the lead's calls, the parties' acceptance."""

import datetime as dt
from collections.abc import Mapping
from typing import IO, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from agreements.inspection import Finding, checked_paper, checklist_in_force, find, keep_paper, missing_sorts
from agreements.models import Project, ProjectDocument, ProjectInspection, ProjectMilestone, ProjectParty
from agreements.projects import built, states
from listings.models import Standard

from .as_built import make_shares
from .records import begin, taking_part, write
from .reserved import open_planned

Verdict = ProjectInspection.Verdict


@transaction.atomic
def advance(*, project: Project, by: User, membership: Membership, verb: str) -> Project:
    """The lead calls for acceptance ("call") or finishes accepted works ("finish"). KeyError for another verb."""
    if verb not in ("call", "finish"):
        raise KeyError(verb)
    fresh = begin(project, membership, verb)
    before, fresh.state = fresh.state, states.TRANSITIONS[fresh.state][verb].to
    if verb == "call":
        fresh.parties.update(passed_at=None)
        fresh.round += 1
    fresh.save(update_fields=["state", "round"])
    write(fresh, verb, by=by, membership=membership, before=before)
    return fresh


def checklist_for(project: Project, on: dt.date | None = None) -> Standard | None:
    """The acceptance checklist in force for what the works build; None where the library has none."""
    return checklist_in_force(built.kind_of(project), on)


def missing_papers(project: Project) -> list[str]:
    """What has to be handed in before works can pass and nobody has, in words."""
    return missing_sorts(project.documents.order_by("pk").values_list("sort", flat=True))


@transaction.atomic
def inspect(
    *, project: Project, by: User, membership: Membership, checklist: Standard, results: Mapping[int, tuple[str, str]],
    note: str, key: UUID, as_built: Mapping[str, Any] | None = None,
) -> ProjectInspection:  # fmt: skip
    """A party's inspection by the checklist in force: passed, or to be rectified. The same key is once.

    results, note and the refusals are those of agreements.inspection.find; as_built: facts of listings' MEASURED for
    the party's own share. When all parties have passed, the works are accepted.
    """
    made = ProjectInspection.objects.filter(key=key, project=project, made_by=by).first()
    if made:
        return made
    fresh = begin(project, membership, "pass")
    now = timezone.now()
    current = checklist_for(fresh, timezone.localdate(now))
    if current is None:
        raise Refused(_("The library has no acceptance checklist in force for these works."), code="no_checklist")
    party = fresh.parties.select_related("organisation").get(organisation=membership.organisation_id)
    if party.passed_at:
        raise Refused(_("Your organisation has accepted these works."), code="passed")
    found = find(current=current, checklist=checklist, results=results, note=note, papers=missing_papers(fresh))
    inspection = ProjectInspection(
        project=fresh, number=fresh.inspections.count() + 1, round=fresh.round, checklist=found.checklist,
        points=found.points, note=found.note, verdict=Verdict.PASSED if found.is_passed else Verdict.RECTIFY,
        organisation=membership.organisation, made_by=by, made_at=now, key=key,
        as_built={name: str(value) for name, value in (as_built or {}).items() if value is not None},
    )  # fmt: skip
    inspection.full_clean()
    inspection.save(force_insert=True)
    _answer(fresh, party, found, by, membership)
    return inspection


def _answer(project: Project, party: ProjectParty, found: Finding, by: User, membership: Membership) -> None:
    before = project.state
    if not found.is_passed:
        project.state, project.reason = Project.State.BUILDING, found.note[:500]
        project.save(update_fields=["state", "reason"])
        write(project, "rectify", by=by, membership=membership, before=before, reason=found.note)
        return
    party.passed_at = timezone.now()
    party.save(update_fields=["passed_at"])
    write(project, "pass", by=by, membership=membership, before=before, reason=found.note)
    if all(one.passed_at for one in taking_part(project)):
        project.state, project.accepted_on, project.reason = Project.State.ACCEPTED, timezone.localdate(), ""
        project.save(update_fields=["state", "accepted_on", "reason"])
        open_planned(project, by=by)
        make_shares(project, by=by)
        write(project, "all_passed", by=None, membership=None, before=before)


def add_document(
    *, project: Project, by: User, membership: Membership, sort: str, file: IO[bytes], name: str, size_bytes: int,
    title: str = "",
) -> ProjectDocument:  # fmt: skip
    """A paper, drawing or photo by the lead or a party, from the first day of building. Photos are re-encoded."""
    if problem := states.refusal(Project.objects.get(pk=project.pk), membership, "hand_in"):
        raise problem
    extension, data = checked_paper(sort, file, name, size_bytes)  # takes its time: before anything is locked
    with transaction.atomic():
        fresh = begin(project, membership, "hand_in")
        return keep_paper(
            ProjectDocument(project=fresh, sort=sort, title=title), there=fresh.documents.order_by("pk"),
            extension=extension, data=data, name=name, by=by, membership=membership, verb="project_document.add",
            subject={"project": fresh.pk},
        )  # fmt: skip


@transaction.atomic
def plan_milestone(
    *, project: Project, by: User, membership: Membership, title: str, planned_for: dt.date
) -> ProjectMilestone:  # fmt: skip
    """A point of the timetable, by the lead or a party. Refused for a title there is already."""
    fresh = begin(project, membership, "plan_milestone")
    title = title.strip()[:120]
    if fresh.milestones.filter(title=title).exists():
        raise Refused(_("There is a milestone of this name already."), code="twice")
    made = ProjectMilestone(
        project=fresh, title=title, planned_for=planned_for, organisation=membership.organisation
    )  # fmt: skip
    made.full_clean()
    made.save(force_insert=True)
    said = f"{made.title}, {planned_for.isoformat()}"
    write(fresh, "plan_milestone", by=by, membership=membership, before=fresh.state, reason=said)
    return made


@transaction.atomic
def reach_milestone(*, milestone: ProjectMilestone, by: User, membership: Membership) -> ProjectMilestone:
    """Reports a planned milestone as reached today."""
    fresh = begin(milestone.project, membership, "reach_milestone")
    found: ProjectMilestone = fresh.milestones.get(pk=milestone.pk)
    if found.reached_on:
        raise Refused(_("Choose a milestone that is planned and not reached yet."), code="milestone")
    found.reached_on = timezone.localdate()
    found.save(update_fields=["reached_on"])
    write(fresh, "reach_milestone", by=by, membership=membership, before=fresh.state, reason=found.title)
    return found


@transaction.atomic
def record_payment(*, party: ProjectParty, by: User, membership: Membership) -> ProjectParty:
    """The lead says that a party has paid what it owes of its share. Refused where it owes nothing."""
    fresh = begin(party.project, membership, "record_payment")
    found = fresh.parties.select_related("organisation").get(pk=party.pk)
    owed = states.owing(fresh).get(found.organisation_id, 0)
    if not owed:
        raise Refused(_("%(party)s owes nothing.") % {"party": found.organisation}, code="nothing_owed")
    entry = fresh.entries.create(organisation=found.organisation, sort="paid", fen=-owed, entered_by=by)
    record("project.settle", entry, by=by, organisation=membership.organisation, after={"fen": -owed})
    write(
        fresh, "record_payment", by=by, membership=membership, before=fresh.state, reason=found.organisation.name_zh,
        after={"party": found.organisation_id, "fen": owed},
    )  # fmt: skip
    return found
