"""Approval of the terms of works inside an organisation, by the same rules as for agreements, before it signs."""

from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Membership
from agreements.approvals.steps import Step, in_order, why_blocked
from agreements.models import ApprovalRule, Project, ProjectApproval


def share_of(project: Project, organisation_id: int) -> int | None:
    """What the organisation pays by the agreed terms (fen); None: no terms yet, or it is none of the parties."""
    parties = (project.terms or {}).get("parties", [])
    return next((int(party["share_fen"]) for party in parties if party["id"] == organisation_id), None)


def steps_of(project: Project, organisation_id: int) -> list[Step]:
    """The steps the agreed terms take in the organisation, in order. A share is one sum: rules by the year and rules
    over the period are both measured by it. Queries twice."""
    share_fen = share_of(project, organisation_id)
    if share_fen is None:
        return []
    rules = ApprovalRule.objects.live().filter(organisation=organisation_id, from_fen__lte=share_fen)
    reached = list(rules.select_related("approver", "deputy"))
    given = ProjectApproval.objects.filter(project=project, rule__in=reached).select_related("by").order_by("pk")
    return in_order(reached, given) if reached else []


def why_not_signed(project: Project, membership: Membership) -> Refused | None:
    """Why the person's side cannot sign the terms yet, by its own rules; None: it can. Queries twice."""
    waits = _("Your organisation approves the terms first: %(step)s (%(who)s).")
    return why_blocked(steps_of(project, membership.organisation_id), membership, waits)
