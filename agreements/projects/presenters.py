"""Rows made ready for the pages of works built together."""

import json
from typing import Any

from django.urls import reverse

from accounts.models import Membership
from accounts.permissions import is_bureau_staff
from accounts.rules import rule
from agreements.models import Project, ProjectParty
from agreements.work_forms import CaseDocumentForm
from listings.models import Resource
from messaging.actions import thread_about
from messaging.permissions import may_read

from . import states
from .actions.records import taking_part
from .apportion import shares
from .forms import MilestoneForm

PLAIN = ("publish", "close", "agree", "call", "finish", "sign_off")  # taken by one button
WORDED = ("reserve", "ask_changes", "leave", "cancel")  # taken on a page of their own


BUILT = (Project.State.BUILDING, Project.State.INSPECTING, Project.State.ACCEPTED, Project.State.FINISHED)


def feature(project: Project, place: str) -> dict[str, Any]:
    """The works on a map. place: GeoJSON."""
    tone = "free" if project.state == Project.State.PUBLISHED else "partly"
    facts = {"label": project.title, "url": reverse("project_detail", args=[project.pk]), "kind": project.kind}
    return {"type": "Feature", "geometry": json.loads(place), "properties": facts | {"tone": tone, "is_blurred": False}}


def collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}


def is_inside(project: Project, membership: Membership | None, own: ProjectParty | None) -> bool:
    """Whether needs and money are shown: to the lead, those taking part, the region's bureau, and those
    invited until terms are agreed without them."""
    if not membership or membership.ended_at:
        return False
    if is_bureau_staff(membership):
        return membership.organisation.region.covers(project.region)
    if membership.organisation_id == project.lead_id or not own:
        return membership.organisation_id == project.lead_id
    is_open = project.state in (Project.State.PUBLISHED, Project.State.CLOSED)
    return own.state == "taken" or (own.state == "invited" and is_open)


def page(project: Project, membership: Membership | None) -> dict[str, Any]:
    """What the page of one project shows to this reader."""
    own = states.party_of(project, membership)
    inside = is_inside(project, membership, own)
    moves = states.allowed(project, membership, own)
    thread = thread_about(project) if inside else None
    parties = list(project.parties.select_related("organisation").order_by("pk")) if inside else []
    return {
        "project": project,
        "own": own,
        "is_inside": inside,
        "parties": parties,
        "kept": _kept(project, membership),
        "works": _works(project, moves) if inside and project.state in BUILT else None,
        "shares": _split(project) if inside and project.common_fen else [],
        "plain": [(verb, states.LABELS[verb]) for verb in PLAIN if verb in moves],
        "worded": [(verb, states.LABELS[verb]) for verb in WORDED if verb in moves],
        "moves": moves,
        "thread": thread if thread and may_read(membership, thread) else None,
        "lead_time": rule("works.join_days", project.region),
        "geojson": collection([feature(project, project.place.geojson)]),
    }


def _works(project: Project, moves: list[str]) -> dict[str, Any]:
    """Milestones, papers and what is owed, with the forms of what this reader may add."""
    owed = states.owing(project)
    return {
        "milestones": list(project.milestones.order_by("planned_for", "pk")),
        "documents": list(project.documents.select_related("organisation").order_by("pk")),
        "inspections": project.inspections.count(),
        "owed": [
            {"party": party, "fen": owed.get(party.organisation_id, 0)} for party in taking_part(project)
        ] if project.accepted_on else [],
        "document_form": CaseDocumentForm(auto_id="paper_%s") if "hand_in" in moves else None,
        "milestone_form": MilestoneForm(auto_id="milestone_%s") if "plan_milestone" in moves else None,
    }  # fmt: skip


def _kept(project: Project, membership: Membership | None) -> list[dict[str, Any]]:
    """The resources that came of the works, as far as the reader sees them, with what is free. Queries twice."""
    rows = Resource.objects.visible_to(membership).filter(of_works__project=project).exclude(state="retired")
    rows = rows.select_related("owner", "of_works").prefetch_related("pools").order_by("of_works__pk")
    return [{"resource": row, "pools": list(row.pools.all())} for row in rows]


def _split(project: Project) -> list[dict[str, Any]]:
    return [{"share": share, "paid_fen": share.by(project.split)} for share in shares(project, taking_part(project))]
