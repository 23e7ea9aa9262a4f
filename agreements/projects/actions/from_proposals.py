"""A co-build proposal becomes works with its parties invited."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership, User
from accounts.regions import region_at
from accounts.rules import rule
from agreements.models import Project, ProjectParty
from matching.models import Proposal
from matching.permissions import may_run
from messaging import actions as messaging

from .records import write

LEAD_DAYS = 60  # between the end of joining and the works; the lead sets its own dates
BUILD_DAYS = 180
INVITED = ProjectParty.State.INVITED


@transaction.atomic
def open_from_proposal(*, proposal: Proposal, by: User, membership: Membership) -> Project:
    """Works of a sent proposal, open to join: the applicant that takes most leads, the others are invited; once.

    The lead then sets dates, method and cost. Raises NotPermitted to all but the list's bureau, Refused where the
    proposal is not sent, has works already, or fewer than two applicants on the portal.
    """
    if not may_run(membership, proposal.run.demand_list):
        raise NotPermitted(_("The bureau of the list opens works from its proposals."))
    fresh = Proposal.objects.select_for_update(no_key=True).get(pk=proposal.pk)
    if fresh.state != Proposal.State.SENT:
        raise Refused(_("Send the proposal to its parties first."), code="not_sent")
    if Project.objects.filter(proposal=fresh).exists():
        raise Refused(_("This proposal has its works already."), code="twice")
    needs: dict[int, ProjectParty] = {}
    rows = fresh.parties.select_related("line__applicant").defer("line__place").order_by("line__number")
    for row in rows:
        if row.line.applicant_id:
            one = needs.setdefault(row.line.applicant_id, ProjectParty(organisation=row.line.applicant, state=INVITED))
            one.units += row.units
    if len(needs) < 2:
        raise Refused(_("Works of several parties take two applicants on the portal at least."), code="alone")
    parties = sorted(needs.values(), key=lambda one: (-one.units, one.organisation_id))
    project = _project(fresh, parties[0])
    for party in parties[1:]:
        party.project = project
        party.full_clean()
        party.save()
    messaging.open_thread(subject=project, title=project.title, organisations=[party.organisation for party in parties])
    write(project, "invite", by=by, membership=membership, before="", after={"proposal": fresh.pk})
    return project


def _project(proposal: Proposal, lead: ProjectParty) -> Project:
    region = region_at(proposal.place.point_on_surface) or proposal.run.demand_list.region
    today = timezone.localdate()
    join_until = today + dt.timedelta(days=rule("works.join_days", region).whole)
    starts_on = join_until + dt.timedelta(days=LEAD_DAYS)
    is_tower = proposal.kind == Proposal.Kind.TOWER
    project = Project(
        title=f"{proposal.get_kind_display()} · {proposal.run.demand_list} · {proposal.number}"[:160],
        kind=Project.Kind.TOWER if is_tower else Project.Kind.PIPE,
        method=Project.Method.STRUCTURE if is_tower else Project.Method.OPEN_CUT,
        lead=lead.organisation, region=region, place=proposal.place, disclosure=Project.Disclosure.PARTIES,
        joinable=str(proposal.get_kind_display()), starts_on=starts_on, join_until=join_until,
        ends_on=starts_on + dt.timedelta(days=BUILD_DAYS), lead_units=lead.units, common_fen=proposal.cost_fen,
        unit=Project.Unit.POSITIONS if is_tower else Project.Unit.BORES,
        state=Project.State.PUBLISHED, published_at=timezone.now(), proposal=proposal,
    )  # fmt: skip
    project.full_clean()
    project.save()
    return project
