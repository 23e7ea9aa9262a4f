"""What may happen to works built together, when, and by whom. Buttons and actions ask the same functions."""

from dataclasses import dataclass

from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership
from accounts.models.organisations import Role
from accounts.permissions import is_bureau_staff

from .approvals import why_not_signed
from .models import Project, ProjectParty

State = Project.State
WITH_BUREAU = (Project.Gate.WAITING, Project.Gate.ESCALATED)
NEGOTIATING = (Role.ADMIN, Role.NEGOTIATOR)
SIGNING = (Role.SIGNATORY,)
LEAD, PARTY, EITHER, OUTSIDER, BUREAU, CLOCK = "lead", "party", "lead or party", "other organisation", "bureau", "clock"


@dataclass(frozen=True)
class Move:
    """A step. to: "" stays; who: LEAD, PARTY, EITHER, OUTSIDER, BUREAU, or CLOCK for what follows by itself."""

    to: str
    who: str = LEAD
    roles: tuple[str, ...] = NEGOTIATING
    needs_reason: bool = False


_EDIT = Move("", LEAD)
_CANCEL = Move(State.CANCELLED, LEAD, needs_reason=True)
_ANSWER = {"take": Move("", LEAD), "decline": Move("", LEAD, needs_reason=True)}
_HAND_IN = Move("", EITHER)
_GATE = {
    "reserve": Move("", LEAD),
    "sign_off": Move("", BUREAU, (Role.ADMIN, Role.MEDIATOR)),
    "ask_changes": Move("", BUREAU, (Role.ADMIN, Role.MEDIATOR), needs_reason=True),
    "escalate": Move("", CLOCK),  # the bureau's clock ran out: silence signs nothing off
}

TRANSITIONS: dict[str, dict[str, Move]] = {
    State.DRAFT: {"edit": _EDIT, "publish": Move(State.PUBLISHED), "cancel": _CANCEL},
    State.PUBLISHED: {
        "edit": _EDIT,
        "join": Move("", OUTSIDER),
        "leave": Move("", PARTY, needs_reason=True),
        **_ANSWER,
        **_GATE,
        "close": Move(State.CLOSED),
        "cancel": _CANCEL,
    },
    State.CLOSED: {
        "leave": Move("", PARTY, needs_reason=True),
        **_ANSWER,
        **_GATE,
        "agree": Move(State.AGREED),
        "cancel": _CANCEL,
    },
    State.AGREED: {
        "sign": Move("", EITHER, SIGNING),
        "conclude": Move(State.BUILDING, CLOCK),
        "cancel": _CANCEL,
    },
    State.BUILDING: {
        "plan_milestone": Move("", EITHER),
        "reach_milestone": Move("", EITHER),
        "hand_in": _HAND_IN,
        "call": Move(State.INSPECTING),
    },
    State.INSPECTING: {
        "hand_in": _HAND_IN,
        "pass": Move("", PARTY),
        "all_passed": Move(State.ACCEPTED, CLOCK),
        "rectify": Move(State.BUILDING, PARTY, needs_reason=True),
    },
    State.ACCEPTED: {"hand_in": _HAND_IN, "record_payment": Move("", LEAD), "finish": Move(State.FINISHED)},
    State.FINISHED: {},
    State.CANCELLED: {},
}

OWNERS: dict[str, str] = {
    State.DRAFT: "lead", State.PUBLISHED: "lead", State.CLOSED: "lead", State.AGREED: "each party that has not signed",
    State.BUILDING: "lead", State.INSPECTING: "each party that has not answered", State.ACCEPTED: "lead",
    State.FINISHED: "", State.CANCELLED: "",
}  # fmt: skip

LABELS: dict[str, str | Promise] = {
    "edit": gettext_lazy("Edit the notice"),
    "publish": gettext_lazy("Publish the notice"),
    "join": gettext_lazy("Ask to join"),
    "leave": gettext_lazy("Leave the works"),
    "take": gettext_lazy("Take in"),
    "decline": gettext_lazy("Decline"),
    "reserve": gettext_lazy("State what is reserved"),
    "sign_off": gettext_lazy("Sign the reservation off"),
    "ask_changes": gettext_lazy("Ask for changes"),
    "close": gettext_lazy("Close joining"),
    "agree": gettext_lazy("Freeze the terms for signature"),
    "sign": gettext_lazy("Sign"),
    "plan_milestone": gettext_lazy("Plan a milestone"),
    "reach_milestone": gettext_lazy("Milestone reached"),
    "hand_in": gettext_lazy("Hand in a paper, drawing or photo"),
    "call": gettext_lazy("Call for acceptance"),
    "pass": gettext_lazy("Accept the works"),
    "rectify": gettext_lazy("Ask for rectification"),
    "record_payment": gettext_lazy("Record the payment"),
    "finish": gettext_lazy("Finish the project"),
    "cancel": gettext_lazy("Cancel the works"),
}


def party_of(project: Project, membership: Membership | None) -> ProjectParty | None:
    """The row of the person's organisation, if it is or was a party. Queries once."""
    if not membership or membership.ended_at:
        return None
    return project.parties.filter(organisation=membership.organisation_id).first()


def _stands(project: Project, membership: Membership, who: str, party: ProjectParty | None) -> bool:
    organisation = membership.organisation
    if who == BUREAU:
        return is_bureau_staff(membership) and organisation.region.covers(project.region)
    if who == CLOCK or organisation.is_bureau:
        return False
    is_lead = organisation.pk == project.lead_id
    if who == LEAD or is_lead:
        return is_lead and who in (LEAD, EITHER)
    if who == OUTSIDER:
        return organisation.is_verified and (party is None or party.state != ProjectParty.State.TAKEN)
    return party is not None and (
        party.state == ProjectParty.State.TAKEN
        or (party.state in ("invited", "asked") and project.state in (State.PUBLISHED, State.CLOSED))
    )


def refusal(project: Project, membership: Membership | None, verb: str) -> Refused | None:
    """Why the person may not take the step now; None: they may. Queries up to three times."""
    return _refusal(project, membership, verb, party_of(project, membership))


def _refusal(project: Project, membership: Membership | None, verb: str, own: ProjectParty | None) -> Refused | None:
    move = TRANSITIONS[project.state].get(verb)
    if move is None:
        return Refused(
            _("That is not possible while the works are “%(state)s”.") % {"state": project.get_state_display()},
            code="state",
        )
    if not membership or membership.ended_at or not _stands(project, membership, move.who, own):
        return NotPermitted(_("This step is for others to take."))
    if not membership.has_role(*move.roles):
        return NotPermitted(_("Your role in the organisation does not allow this step."))
    return why_not_signed(project, membership) if verb == "sign" else _not_now(project, verb)


def owing(project: Project) -> dict[int, int]:
    """{organisation: fen it still owes the lead of its share}, without those that owe nothing. Queries once."""
    rows = project.entries.order_by().values_list("organisation").annotate(fen=Sum("fen"))
    return {organisation: fen for organisation, fen in rows if fen > 0}


def _not_now(project: Project, verb: str) -> Refused | None:
    if verb in ("reserve", "sign_off", "ask_changes") and not project.is_gated:
        return Refused(_("Only subways, tunnels and bridges reserve space and power."), code="not_gated")
    if verb in ("sign_off", "ask_changes") and project.gate not in WITH_BUREAU:
        return Refused(_("There is no reservation to answer now."), code="gate")
    if verb == "reserve" and project.gate in WITH_BUREAU:
        return Refused(_("The reservation is with the bureau: wait for its answer."), code="gate")
    if verb == "agree" and project.is_gated and project.gate != Project.Gate.SIGNED_OFF:
        return Refused(
            _("First the bureau signs off the space and power reserved for communications."), code="gate"
        )  # fmt: skip
    if verb == "agree" and project.parties.filter(state=ProjectParty.State.ASKED).exists():
        return Refused(_("Answer those who ask to join first."), code="asked")
    if verb == "finish" and owing(project):
        return Refused(_("Shares are still owed: record the payments first."), code="owed")
    if verb == "agree" and not project.parties.filter(state=ProjectParty.State.TAKEN).exists():
        return Refused(_("Nobody has joined: there is nothing to agree with others."), code="alone")
    return None


def allowed(project: Project, membership: Membership | None, own: ProjectParty | None) -> list[str]:
    """The verbs the person may take now, in the order of LABELS. own: as party_of gives it."""
    moves = TRANSITIONS[project.state]
    return [verb for verb in LABELS if verb in moves and _refusal(project, membership, verb, own) is None]
