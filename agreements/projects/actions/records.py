"""What every step shares: the lock, the check, the event, the conversation and the notices."""

from typing import Any

from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, Organisation, User
from agreements.models import Project, ProjectParty
from agreements.notices import neutral_path
from agreements.projects import states
from messaging import actions as messaging

TOLD = states.NEGOTIATING + states.SIGNING
REASON_MAX_CHARS = 500


def begin(project: Project, membership: Membership, verb: str, *, reason: str = "") -> Project:
    """The project under its lock, if the step may be taken; raises what states.refusal says otherwise."""
    rows = Project.objects.select_related("lead", "region").select_for_update(no_key=True, of=("self",))
    fresh: Project = rows.defer("region__polygon").get(pk=project.pk)
    if problem := states.refusal(fresh, membership, verb):
        raise problem
    if states.TRANSITIONS[fresh.state][verb].needs_reason and not reason.strip():
        raise Refused(_("Give the reason: the other parties read it."), code="reason")
    return fresh


def taking_part(project: Project) -> list[ProjectParty]:
    """Those that take part beside the lead, by when they came."""
    rows = project.parties.filter(state=ProjectParty.State.TAKEN).select_related("organisation")
    return list(rows.order_by("pk"))


def write(
    project: Project,
    verb: str,
    *,
    by: User | None,
    membership: Membership | None,
    before: str,
    reason: str = "",
    after: dict[str, Any] | None = None,
    also: Organisation | None = None,
) -> None:
    """The event of a step, in the conversation of those taking part and as a notice to the others; also: told too."""
    organisation = membership.organisation if membership else None
    event = record(
        f"project.{verb}",
        project,
        by=by,
        organisation=organisation,
        before={"state": before},
        after={"state": project.state} | (after or {}),
        reason=reason[:REASON_MAX_CHARS],
    )
    thread = messaging.thread_about(project)
    if thread is not None:
        messaging.tell(
            thread=thread, code=f"project.{verb}", by=by, organisation=organisation,
            payload=_named(organisation) | {"note": reason[:REASON_MAX_CHARS]},
        )  # fmt: skip
    told = {project.lead_id: project.lead}
    parties = project.parties.filter(state__in=ProjectParty.PRESENT).select_related("organisation").order_by("pk")
    told |= {party.organisation_id: party.organisation for party in parties}
    told |= {also.pk: also} if also else {}
    for side in told.values():
        if organisation is None or side.pk != organisation.pk:
            tell(project, verb, side, key=f"project:{project.pk}:{event.pk}", by=organisation)


def _named(organisation: Organisation | None) -> dict[str, str]:
    """As sentences name it, in both languages."""
    names = (organisation.name_zh, organisation.name_en) if organisation else ("", "")
    return {"organisation": names[0], "organisation_en": names[1]}


def tell(project: Project, verb: str, side: Organisation, *, key: str, by: Organisation | None = None) -> None:
    """A notice to one organisation, once per key; no place and no price."""
    roles = states.TRANSITIONS[Project.State.PUBLISHED]["sign_off"].roles if side.is_bureau else TOLD
    messaging.notify(
        organisation=side, roles=list(roles), code=f"notice.project.{verb}",
        payload={"project": project.title} | _named(by),
        url=neutral_path("project_detail", project.pk), key=key,
    )  # fmt: skip
