"""The life of a request as one dict of transitions: where to, by whom or what, in turn or not, with which clock."""

from dataclasses import dataclass, replace
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models.organisations import Role
from agreements.models import ShareRequest

State = ShareRequest.State


class Side(StrEnum):
    """The two parties of a request, and the bureau where it was brought before it."""

    REQUESTER = "requester"
    OWNER = "owner"
    BUREAU = "bureau"


class Cause(StrEnum):
    """What moves a request on where no person does."""

    CLOCK = "clock"
    LAST_SIGNATURE = "last_signature"
    BOTH_ACCEPTED = "both_accepted"
    LEGS = "other_legs"  # of the joint request the case is a leg of
    AMENDED = "signed_amendment"  # of another case: the agreement this one amends gives way to it


TERM = "term"  # the clock of an agreement in operation: until the last day of its period
NEGOTIATING_ROLES = (Role.ADMIN, Role.NEGOTIATOR)
SIGNING_ROLES = (Role.SIGNATORY,)
MEDIATING_ROLES = (Role.ADMIN, Role.MEDIATOR)
BOTH = (Side.REQUESTER, Side.OWNER)


@dataclass(frozen=True)
class Transition:
    """One way out of a state: where to, which sides and roles of them, or which cause (then nobody by hand).

    keeps_clock: the running clock goes on. goes_back: to the state the hold-up began in (`to` is the first of them).
    """

    to: str
    sides: tuple[Side, ...] = ()
    roles: tuple[str, ...] = NEGOTIATING_ROLES
    cause: Cause | None = None
    is_answer: bool = False  # only the side that owes the next step
    needs_reason: bool = False
    starts_clock: str | None = None  # a key of accounts.rules.DEFAULTS, or TERM
    keeps_clock: bool = False
    goes_back: bool = False


_OWNER, _REQUESTER, _BUREAU = (Side.OWNER,), (Side.REQUESTER,), (Side.BUREAU,)
INITIAL = ("request", Transition(State.SUBMITTED, _REQUESTER, starts_clock="clock.completeness"))

_WITHDRAW = Transition(State.WITHDRAWN, _REQUESTER)
_REFUSE = Transition(State.REFUSED, _OWNER, needs_reason=True)
_EXPIRE = EXPIRE = Transition(State.EXPIRED, cause=Cause.CLOCK)
_FIRST_OFFER = Transition(State.NEGOTIATING, _OWNER, is_answer=True, starts_clock="clock.offer_validity")
_OFFER = Transition(State.NEGOTIATING, BOTH, is_answer=True, starts_clock="clock.offer_validity")
_ASSESS = Transition(State.ASSESSED, _OWNER, is_answer=True, starts_clock="clock.offer")
_ESCALATE = Transition(State.ESCALATED, BOTH, needs_reason=True, starts_clock="clock.mediation")
_LATE = Transition(State.ESCALATED, cause=Cause.CLOCK, starts_clock="clock.mediation")
_FALL = Transition(State.WITHDRAWN, cause=Cause.LEGS)  # all or nothing, and the applicant did not decide in time
_HOLD_UP = Transition(State.ON_HOLD, BOTH, needs_reason=True, starts_clock="clock.on_hold")
_RESUME = {"to": State.SUBMITTED, "goes_back": True}
_DECIDE = {
    "decide_for": Transition(State.ASSESSED, _BUREAU, MEDIATING_ROLES, needs_reason=True, starts_clock="clock.offer"),
    "decide_against": Transition(State.DECIDED, _BUREAU, MEDIATING_ROLES, needs_reason=True),
}
_PLAN = {
    "plan_milestone": Transition("", BOTH, keeps_clock=True),
    "reach_milestone": Transition("", BOTH, keeps_clock=True),
}
_CALL = Transition(State.INSPECTING, _REQUESTER, starts_clock="clock.acceptance")
_BEGIN_WORKS = Transition(State.BUILDING, BOTH, starts_clock="clock.build")
_PROGRESS = Transition("", BOTH, needs_reason=True, keeps_clock=True)
_GIVE_UP = Transition(State.FINISHED, _REQUESTER, needs_reason=True)
_LAPSE = Transition(State.LAPSED, cause=Cause.CLOCK)


def _stay(state: str, moves: dict[str, Transition]) -> dict[str, Transition]:
    """Steps that leave the case where it is."""
    return {verb: replace(move, to=state) for verb, move in moves.items()}


TRANSITIONS: dict[str, dict[str, Transition]] = {
    State.SUBMITTED: {
        "accept_filing": Transition(State.ACCEPTED, _OWNER, is_answer=True, starts_clock="clock.survey"),
        "ask_supplement": Transition(
            State.INCOMPLETE, _OWNER, is_answer=True, needs_reason=True, starts_clock="clock.resubmission"
        ),
        "assess": _ASSESS,
        "offer": _FIRST_OFFER,
        "hold_up": _HOLD_UP,
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "deem_complete": Transition(State.ACCEPTED, cause=Cause.CLOCK, starts_clock="clock.survey"),
    },
    State.INCOMPLETE: {
        "supplement": Transition(
            State.SUBMITTED, _REQUESTER, is_answer=True, needs_reason=True, starts_clock="clock.completeness"
        ),
        "hold_up": _HOLD_UP,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "expire": _EXPIRE,
    },
    State.ACCEPTED: {
        "appoint_survey": Transition(State.SURVEYING, _OWNER, is_answer=True, keeps_clock=True),
        "assess": _ASSESS,
        "offer": _FIRST_OFFER,
        "hold_up": _HOLD_UP,
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "escalate_late": _LATE,
    },
    State.SURVEYING: {
        "appoint_survey": Transition(State.SURVEYING, _OWNER, keeps_clock=True),
        "report_findings": Transition(State.SURVEYING, BOTH, needs_reason=True, keeps_clock=True),
        "assess": _ASSESS,
        "offer": _FIRST_OFFER,
        "hold_up": _HOLD_UP,
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "escalate_late": _LATE,
    },
    State.ASSESSED: {
        "offer": _FIRST_OFFER,
        "hold_up": _HOLD_UP,
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "escalate_late": _LATE,
    },
    State.NEGOTIATING: {
        "offer": _OFFER,
        "accept": Transition(State.AGREED, BOTH, is_answer=True, starts_clock="clock.signing"),
        "escalate": _ESCALATE,
        "hold_up": _HOLD_UP,
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "expire": _EXPIRE,
    },
    State.AGREED: {
        "sign": Transition(State.AGREED, BOTH, SIGNING_ROLES, is_answer=True, keeps_clock=True),
        "await_legs": Transition(State.AGREED, cause=Cause.LEGS, starts_clock="clock.signing"),
        "open_signing": Transition(State.AGREED, cause=Cause.LEGS, starts_clock="clock.signing"),
        "conclude": Transition(State.SIGNED, cause=Cause.LAST_SIGNATURE, starts_clock="clock.use"),
        "conclude_change": Transition(State.OPERATING, cause=Cause.LAST_SIGNATURE, starts_clock=TERM),
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "expire": _EXPIRE,
    },
    State.ON_HOLD: {
        "resume": Transition(sides=BOTH, is_answer=True, **_RESUME),
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "resume_late": Transition(cause=Cause.CLOCK, **_RESUME),
    },
    State.ESCALATED: {
        "state_case": Transition(State.ESCALATED, BOTH, needs_reason=True, keeps_clock=True),
        "offer": Transition(State.NEGOTIATING, _OWNER, starts_clock="clock.offer_validity"),
        "propose": Transition(
            State.MEDIATED, _BUREAU, MEDIATING_ROLES, is_answer=True, needs_reason=True, starts_clock="clock.proposal"
        ),
        **_DECIDE,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "remind_bureau": Transition(State.ESCALATED, cause=Cause.CLOCK, starts_clock="clock.mediation"),
    },
    State.MEDIATED: {
        "accept_proposal": Transition(State.MEDIATED, BOTH, is_answer=True, keeps_clock=True),
        "settle": Transition(State.ASSESSED, cause=Cause.BOTH_ACCEPTED, starts_clock="clock.offer"),
        "decline_proposal": Transition(
            State.ESCALATED, BOTH, is_answer=True, needs_reason=True, starts_clock="clock.mediation"
        ),
        **_DECIDE,
        "withdraw": _WITHDRAW,
        "fall": _FALL,
        "proposal_lapses": Transition(State.ESCALATED, cause=Cause.CLOCK, starts_clock="clock.mediation"),
    },
    State.SIGNED: {
        "begin_make_ready": Transition(State.MAKE_READY, _OWNER, is_answer=True, keeps_clock=True),
        "begin_works": _BEGIN_WORKS,
        "call_acceptance": _CALL,  # nothing was to be built
        "give_up": _GIVE_UP,
        "lapse_unused": _LAPSE,
    },
    State.MAKE_READY: {
        **_stay(State.MAKE_READY, _PLAN),
        "begin_works": _BEGIN_WORKS,
        "call_acceptance": _CALL,
        "give_up": _GIVE_UP,
        "lapse_unused": _LAPSE,
    },
    State.BUILDING: {
        **_stay(State.BUILDING, _PLAN | {"report_progress": _PROGRESS}),
        "call_acceptance": replace(_CALL, is_answer=True),
        "give_up": _GIVE_UP,
        "remind_works": Transition(State.BUILDING, cause=Cause.CLOCK, starts_clock="clock.build"),
    },
    State.INSPECTING: {
        "pass_works": Transition(State.OPERATING, _OWNER, is_answer=True, starts_clock=TERM),
        "ask_rectify": Transition(
            State.RECTIFYING, _OWNER, is_answer=True, needs_reason=True, starts_clock="clock.rectification"
        ),
        "remind_acceptance": Transition(State.INSPECTING, cause=Cause.CLOCK, starts_clock="clock.acceptance"),
    },
    State.RECTIFYING: {
        **_stay(State.RECTIFYING, {"report_progress": _PROGRESS}),
        "call_acceptance": replace(_CALL, is_answer=True),
        "give_up": _GIVE_UP,
        "remind_rectify": Transition(State.RECTIFYING, cause=Cause.CLOCK, starts_clock="clock.rectification"),
    },
    State.OPERATING: {
        "give_notice": Transition(State.LEAVING, BOTH, needs_reason=True, starts_clock="clock.exit_notice"),
        "supersede": Transition(State.FINISHED, cause=Cause.AMENDED),
        "term_ends": Transition(State.FINISHED, cause=Cause.CLOCK),
    },
    State.LEAVING: {
        "take_back_notice": Transition(State.OPERATING, BOTH, starts_clock=TERM),
        "notice_ends": Transition(State.FINISHED, cause=Cause.CLOCK),
    },
    State.REFUSED: {
        "contest": Transition(State.ESCALATED, _REQUESTER, needs_reason=True, starts_clock="clock.mediation")
    },
    State.WITHDRAWN: {},
    State.EXPIRED: {},
    State.DECIDED: {},
    State.LAPSED: {},
    State.FINISHED: {},
}

# Who owes the next step, as the diagram says it; waiting_for() gives it for one request.
OWNERS: dict[str, str] = {
    State.SUBMITTED: "owner",
    State.INCOMPLETE: "requester",
    State.ACCEPTED: "owner",
    State.SURVEYING: "owner",
    State.ASSESSED: "owner",
    State.NEGOTIATING: "the side that did not make the open offer",
    State.AGREED: "each side that has not signed",
    State.SIGNED: "owner",
    State.MAKE_READY: "owner",
    State.BUILDING: "requester",
    State.INSPECTING: "owner",
    State.RECTIFYING: "requester",
    State.OPERATING: "",
    State.LEAVING: "",
    State.REFUSED: "",
    State.WITHDRAWN: "",
    State.EXPIRED: "",
    State.ON_HOLD: "the side that held it up",
    State.ESCALATED: "bureau",
    State.MEDIATED: "each side that has not answered the proposal",
    State.DECIDED: "",
    State.LAPSED: "",
    State.FINISHED: "",
}

# Every verb of a person, in the order a page shows them.
LABELS: dict[str, str | Promise] = {
    "accept_filing": gettext_lazy("Accept for examination"),
    "ask_supplement": gettext_lazy("Ask for what is missing"),
    "supplement": gettext_lazy("Hand in what was missing"),
    "appoint_survey": gettext_lazy("Appoint the joint survey"),
    "report_findings": gettext_lazy("Report what was found"),
    "assess": gettext_lazy("Give the technical verdict"),
    "offer": gettext_lazy("Make an offer"),
    "accept": gettext_lazy("Accept the offer"),
    "sign": gettext_lazy("Sign"),
    "state_case": gettext_lazy("State your case to the bureau"),
    "propose": gettext_lazy("Propose a settlement"),
    "accept_proposal": gettext_lazy("Accept the bureau's proposal"),
    "decline_proposal": gettext_lazy("Decline the bureau's proposal"),
    "decide_for": gettext_lazy("Decide: to be shared"),
    "decide_against": gettext_lazy("Decide: not to be shared"),
    "escalate": gettext_lazy("Bring before the bureau"),
    "contest": gettext_lazy("Contest the refusal before the bureau"),
    "hold_up": gettext_lazy("Put on hold"),
    "resume": gettext_lazy("Go on"),
    "refuse": gettext_lazy("Refuse"),
    "withdraw": gettext_lazy("Withdraw"),
    "begin_make_ready": gettext_lazy("Begin make-ready"),
    "plan_milestone": gettext_lazy("Plan a milestone"),
    "reach_milestone": gettext_lazy("Report a milestone reached"),
    "begin_works": gettext_lazy("Begin the works"),
    "report_progress": gettext_lazy("Report progress"),
    "call_acceptance": gettext_lazy("Call for acceptance"),
    "pass_works": gettext_lazy("Accept the works"),
    "ask_rectify": gettext_lazy("Ask for rectification"),
    "give_up": gettext_lazy("Give up before operation"),
    "give_notice": gettext_lazy("Give notice"),
    "take_back_notice": gettext_lazy("Take the notice back"),
}
# Shown closed with the reason in every open state, so that people see what is to come.
CORE = ("offer", "accept", "sign", "refuse", "withdraw")
# Taken by an action of their own; all others by agreements.actions.take_step().
OWN_ACTIONS = ("offer", "accept", "sign", "refuse", "withdraw", "pass_works", "ask_rectify")
