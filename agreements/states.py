"""The life of a request: one dict of transitions, with who owes the next step in each state.

Actions and buttons ask the same two functions (refusal, allowed); docs/states.md is printed from the dict
(manage.py states_diagram), and tests hold it total.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership
from accounts.models.organisations import Role
from agreements.models import Offer, ShareRequest

State = ShareRequest.State


class Side(StrEnum):
    """The two parties of a request."""

    REQUESTER = "requester"
    OWNER = "owner"


class Cause(StrEnum):
    """What moves a request on where no person does."""

    CLOCK = "clock"
    LAST_SIGNATURE = "last_signature"


NEGOTIATING_ROLES = (Role.ADMIN, Role.NEGOTIATOR)
SIGNING_ROLES = (Role.SIGNATORY,)
BOTH = (Side.REQUESTER, Side.OWNER)


@dataclass(frozen=True)
class Transition:
    """One way out of a state: where to, which sides and roles of them, or which cause (then nobody by hand)."""

    to: str
    sides: tuple[Side, ...] = ()
    roles: tuple[str, ...] = NEGOTIATING_ROLES
    cause: Cause | None = None
    is_answer: bool = False  # only the side that owes the next step
    needs_reason: bool = False
    starts_clock: str | None = None  # a key of accounts.rules.DEFAULTS


INITIAL = ("request", Transition(State.SUBMITTED, (Side.REQUESTER,), starts_clock="clock.hold"))

_WITHDRAW = Transition(State.WITHDRAWN, (Side.REQUESTER,))
_REFUSE = Transition(State.REFUSED, (Side.OWNER,), needs_reason=True)
_EXPIRE = Transition(State.EXPIRED, cause=Cause.CLOCK)
_OFFER = Transition(State.NEGOTIATING, BOTH, is_answer=True, starts_clock="clock.offer_validity")

TRANSITIONS: dict[str, dict[str, Transition]] = {
    State.SUBMITTED: {
        "offer": Transition(State.NEGOTIATING, (Side.OWNER,), is_answer=True, starts_clock="clock.offer_validity"),
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "expire": _EXPIRE,
    },
    State.NEGOTIATING: {
        "offer": _OFFER,
        "accept": Transition(State.AGREED, BOTH, is_answer=True, starts_clock="clock.signing"),
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "expire": _EXPIRE,
    },
    State.AGREED: {
        "sign": Transition(State.AGREED, BOTH, SIGNING_ROLES, is_answer=True),
        "conclude": Transition(State.SIGNED, cause=Cause.LAST_SIGNATURE),
        "refuse": _REFUSE,
        "withdraw": _WITHDRAW,
        "expire": _EXPIRE,
    },
    State.SIGNED: {},
    State.REFUSED: {},
    State.WITHDRAWN: {},
    State.EXPIRED: {},
}

# Who owes the next step, as the diagram says it; waiting_for() gives it for one request.
OWNERS: dict[str, str] = {
    State.SUBMITTED: "owner",
    State.NEGOTIATING: "the side that did not make the open offer",
    State.AGREED: "each side that has not signed",
    State.SIGNED: "",
    State.REFUSED: "",
    State.WITHDRAWN: "",
    State.EXPIRED: "",
}

LABELS: dict[str, str | Promise] = {
    "offer": gettext_lazy("Make an offer"),
    "accept": gettext_lazy("Accept the offer"),
    "sign": gettext_lazy("Sign"),
    "refuse": gettext_lazy("Refuse"),
    "withdraw": gettext_lazy("Withdraw"),
}

_NOT_YET: dict[tuple[str, str], str | Promise] = {
    (State.SUBMITTED, "accept"): gettext_lazy("There is no offer yet."),
    (State.SUBMITTED, "sign"): gettext_lazy("Signing opens when both sides have agreed on terms."),
    (State.NEGOTIATING, "sign"): gettext_lazy("Signing opens when both sides have agreed on terms."),
    (State.AGREED, "offer"): gettext_lazy("The terms are agreed; they can be signed or left, not changed."),
    (State.AGREED, "accept"): gettext_lazy("The terms are agreed already."),
}


@dataclass(frozen=True)
class Move:
    """A step as the case page shows it: open (reason is empty), or not, and why."""

    verb: str
    label: str
    reason: str
    transition: Transition | None

    @property
    def is_open(self) -> bool:
        return not self.reason


def side_of(request: ShareRequest, membership: Membership | None) -> Side | None:
    """Which party the person acts for; None for everybody else, bureaus too."""
    if not membership or membership.ended_at:
        return None
    if membership.organisation_id == request.requester_id:
        return Side.REQUESTER
    return Side.OWNER if membership.organisation_id == request.owner_id else None


def side_of_organisation(request: ShareRequest, organisation_id: int) -> Side:
    return Side.REQUESTER if organisation_id == request.requester_id else Side.OWNER


def open_offer(request: ShareRequest) -> Offer | None:
    """The offer that waits for an answer. Queries unless offers are prefetched."""
    return next((offer for offer in request.offers.all() if offer.state == Offer.State.OPEN), None)


def signed_sides(request: ShareRequest) -> set[Side]:
    """The sides that have signed. Queries unless agreement and signatures are fetched."""
    agreement = getattr(request, "agreement", None)
    if agreement is None:
        return set()
    return {side_of_organisation(request, signature.organisation_id) for signature in agreement.signatures.all()}


def waiting_for(request: ShareRequest) -> set[Side]:
    """The sides that owe the next step now; none once it has ended."""
    if request.state == State.SUBMITTED:
        return {Side.OWNER}
    if request.state == State.NEGOTIATING:
        offer = open_offer(request)
        made_by = side_of_organisation(request, offer.organisation_id) if offer else Side.REQUESTER
        return {Side.OWNER if made_by == Side.REQUESTER else Side.REQUESTER}
    if request.state == State.AGREED:
        return set(BOTH) - signed_sides(request)
    return set()


def transition(state: str, verb: str) -> Transition | None:
    """The way out of the state by this verb; None where there is none."""
    return TRANSITIONS[state].get(verb)


def refusal(request: ShareRequest, membership: Membership | None, verb: str) -> Refused | None:
    """Why this person may not do that now; None: they may. Asked by actions under the lock and by the page."""
    side = side_of(request, membership)
    if side is None or membership is None:
        return NotPermitted(_("Only the two parties act here; you read this case."))
    move = transition(request.state, verb)
    if move is None or move.cause:
        return Refused(_why_not_now(request, verb), code="wrong_state")
    if side not in move.sides:
        return NotPermitted(_wrong_side(verb))
    if not membership.has_role(*move.roles):
        return NotPermitted(_("This takes the role: %(roles)s.") % {"roles": _role_names(move.roles)})
    if move.is_answer and not membership.organisation.is_verified:
        return NotPermitted(_("Your organisation is not verified: offers and signatures wait for that."))
    if request.due_at and request.due_at <= timezone.now():
        return Refused(_("The clock of this request has run out; what was held is released."), code="expired")
    return _not_ones_turn(request, side, verb, move)


def _why_not_now(request: ShareRequest, verb: str) -> str:
    if not request.is_open:
        return _("The request has ended: %(state)s.") % {"state": request.get_state_display()}
    return str(_NOT_YET.get((request.state, verb), _("That step is not open now.")))


def _wrong_side(verb: str) -> str:
    if verb == "withdraw":
        return _("Only the applicant withdraws a request; the owner refuses it.")
    if verb == "refuse":
        return _("Only the owner refuses a request; the applicant withdraws it.")
    return _("The owner makes the first offer.")


def _role_names(roles: Iterable[str]) -> str:
    return " / ".join(str(Role(role).label) for role in roles)


def _not_ones_turn(request: ShareRequest, side: Side, verb: str, move: Transition) -> Refused | None:
    if move.is_answer and side not in waiting_for(request):
        sentence = (
            _("Your side has signed; the other side's signature is awaited.")
            if verb == "sign"
            else _("Your offer stands: the other side answers next.")
        )
        return Refused(sentence, code="not_your_turn")
    if verb in ("withdraw", "refuse") and request.state == State.AGREED and side in signed_sides(request):
        return Refused(_("Your side has signed and is bound until the clock for signing ends."), code="signed")
    return None


def allowed(request: ShareRequest, membership: Membership | None) -> list[Move]:
    """Every step a party can take in the life of a request: open now, or why not. Empty once it has ended.

    The verb that is never one's own (an owner withdraws nothing) is left out.
    """
    if not request.is_open:
        return []
    side = side_of(request, membership)
    foreign = {Side.REQUESTER: "refuse", Side.OWNER: "withdraw"}.get(side) if side else None
    moves = []
    for verb, label in LABELS.items():
        if verb == foreign:
            continue
        problem = refusal(request, membership, verb)
        reason = str(problem.message) if problem else ""
        moves.append(Move(verb, str(label), reason, transition(request.state, verb)))
    return moves
