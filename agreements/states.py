"""Who may take which step of a case now, and who owes the next one. The dict itself: agreements/transitions.py.

Actions and buttons ask the same two functions (refusal, allowed); docs/states.md is printed from the dict
(manage.py states_diagram), and tests hold it total.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership
from accounts.models.organisations import Role
from accounts.permissions import is_bureau_staff
from agreements.approvals.steps import why_not_signed
from agreements.legs import why_not_signed_yet
from agreements.models import Agreement, Offer, ShareRequest

from .chain import renewed_by
from .transitions import (
    BOTH,
    CORE,
    EXPIRE,
    INITIAL,
    LABELS,
    MEDIATING_ROLES,
    NEGOTIATING_ROLES,
    OWN_ACTIONS,
    OWNERS,
    SIGNING_ROLES,
    TERM,
    TRANSITIONS,
    Cause,
    Side,
    Transition,
)  # fmt: skip

__all__ = [
    "BOTH", "CORE", "EXPIRE", "INITIAL", "LABELS", "MEDIATING_ROLES", "NEGOTIATING_ROLES", "OWNERS", "OWN_ACTIONS",
    "SIGNING_ROLES", "TERM", "TRANSITIONS", "Cause", "Move", "Side", "Transition", "accepted_sides", "acts_as",
    "allowed", "day_after", "notice_side", "open_offer", "refusal", "side_of", "side_of_organisation", "signed_sides",
    "transition",
    "waiting_for", "why_base_gone",
]  # fmt: skip

State = ShareRequest.State

_OWNER_OWES = (
    State.SUBMITTED, State.ACCEPTED, State.SURVEYING, State.ASSESSED, State.SIGNED, State.MAKE_READY, State.INSPECTING,
)  # fmt: skip
_NOT_YET: dict[str, str | Promise] = {
    "accept": gettext_lazy("There is no offer yet."),
    "sign": gettext_lazy("Signing opens when both sides have agreed on terms."),
}
_IN_STATE: dict[tuple[str, str], str | Promise] = {
    (State.AGREED, "offer"): gettext_lazy("The terms are agreed; they can be signed or left, not changed."),
    (State.AGREED, "accept"): gettext_lazy("The terms are agreed already."),
    (State.INCOMPLETE, "offer"): gettext_lazy("The applicant hands in what is missing first."),
    (State.INCOMPLETE, "refuse"): gettext_lazy("The applicant hands in what is missing first."),
    (State.MEDIATED, "offer"): gettext_lazy("Both sides answer the bureau's proposal first."),
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


def acts_as(request: ShareRequest, membership: Membership | None) -> Side | None:
    """Like side_of, and the bureau for people of a bureau that the case lies with or may come before."""
    side = side_of(request, membership)
    if side or not is_bureau_staff(membership) or membership is None:
        return side
    region = membership.organisation.region
    covers = region.covers(request.resource.region_id) or region.covers(request.requester.region_id)
    return Side.BUREAU if covers else None


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


def accepted_sides(request: ShareRequest) -> set[Side]:
    """The sides that have accepted the bureau's latest proposal. Queries unless steps are prefetched."""
    sides: set[Side] = set()
    for step in sorted(request.steps.all(), key=lambda step: step.number):
        if step.verb == "propose":
            sides = set()
        elif step.verb == "accept_proposal" and step.organisation_id:
            sides.add(side_of_organisation(request, step.organisation_id))
    return sides


def notice_side(request: ShareRequest) -> Side | None:
    """The side that gave the latest notice; None where nobody has. Queries unless steps are prefetched."""
    given = [step for step in request.steps.all() if step.verb == "give_notice" and step.organisation_id]
    latest = max(given, key=lambda step: step.number, default=None)
    return side_of_organisation(request, latest.organisation_id) if latest and latest.organisation_id else None


def waiting_for(request: ShareRequest) -> set[Side]:
    """The sides that owe the next step now; none once it has ended."""
    if request.state in _OWNER_OWES:
        return {Side.OWNER}
    if request.state in (State.INCOMPLETE, State.BUILDING, State.RECTIFYING):
        return {Side.REQUESTER}
    if request.state == State.ON_HOLD:
        return {side_of_organisation(request, request.paused_by_id)}  # type: ignore[arg-type]  # the database holds it
    if request.state == State.ESCALATED:
        return {Side.BUREAU}
    if request.state == State.MEDIATED:
        return set(BOTH) - accepted_sides(request)
    if request.state == State.NEGOTIATING:
        offer = open_offer(request)
        made_by = side_of_organisation(request, offer.organisation_id) if offer else Side.REQUESTER
        return {Side.OWNER if made_by == Side.REQUESTER else Side.REQUESTER}
    if request.state == State.AGREED and why_not_signed_yet(request):
        return set()  # other legs of the joint request
    if request.state == State.AGREED:
        return set(BOTH) - signed_sides(request)
    return set()


def transition(state: str, verb: str) -> Transition | None:
    """The way out of the state by this verb; None where there is none."""
    return TRANSITIONS[state].get(verb)


def refusal(request: ShareRequest, membership: Membership | None, verb: str) -> Refused | None:
    """Why this person may not do that now; None: they may. Asked by actions under the lock and by the page."""
    side = acts_as(request, membership)
    move = transition(request.state, verb)
    if side is None or membership is None or (side == Side.BUREAU and not _is_for_bureau(verb)):
        return NotPermitted(_("Only the two parties act here; you read this case."))
    if move is None or move.cause:
        return Refused(_why_not_now(request, verb), code="wrong_state")
    if side not in move.sides:
        return NotPermitted(_wrong_side(verb))
    if not membership.has_role(*move.roles):
        return NotPermitted(_("This takes the role: %(roles)s.") % {"roles": _role_names(move.roles)})
    if (move.is_answer or side == Side.BUREAU) and not membership.organisation.is_verified:
        return NotPermitted(_("Your organisation is not verified: offers and signatures wait for that."))
    if request.due_at and request.due_at <= timezone.now():
        return Refused(_("The clock of this step has run out; what follows happens within a minute."), code="expired")
    return _not_ones_turn(request, side, verb, move, membership)


def _is_for_bureau(verb: str) -> bool:
    return any(Side.BUREAU in moves[verb].sides for moves in TRANSITIONS.values() if verb in moves)


def _why_not_now(request: ShareRequest, verb: str) -> str:
    if not request.is_open and not request.is_in_force:
        return _("The request has ended: %(state)s.") % {"state": request.get_state_display()}
    if words := _IN_STATE.get((request.state, verb)):
        return str(words)
    if request.state == State.ON_HOLD:
        return _("The request is on hold: it goes on first.")
    if verb in _NOT_YET and request.state != State.AGREED:
        return str(_NOT_YET[verb])
    return _("That step is not open now.")


def _wrong_side(verb: str) -> str:
    if verb == "withdraw":
        return _("Only the applicant withdraws a request; the owner refuses it.")
    if verb == "refuse":
        return _("Only the owner refuses a request; the applicant withdraws it.")
    if verb == "offer":
        return _("The owner makes the first offer.")
    if _is_for_bureau(verb):
        return _("Only the bureau takes this step.")
    return _("The other side takes this step.")


def _role_names(roles: Iterable[str]) -> str:
    return " / ".join(str(Role(role).label) for role in roles)


def _not_ones_turn(
    request: ShareRequest, side: Side, verb: str, move: Transition, membership: Membership
) -> Refused | None:
    if verb in ("offer", "accept", "sign") and (gone := why_base_gone(request)):
        return gone
    if verb == "sign" and (waiting := why_not_signed_yet(request)):
        return waiting
    if move.is_answer and side not in waiting_for(request):
        return Refused(_turn_words(request, verb), code="not_your_turn")
    if verb == "accept" and _is_disputed(request):
        return Refused(
            _("A clause of this version is in dispute: settle it in a counter-offer, then the whole can be accepted."),
            code="disputed",
        )
    if verb in ("withdraw", "refuse") and request.state == State.AGREED and side in signed_sides(request):
        return Refused(_("Your side has signed and is bound until the clock for signing ends."), code="signed")
    if verb == "sign" and (agreement := getattr(request, "agreement", None)):
        return why_not_signed(agreement.offer, membership)
    if verb == "take_back_notice" and side != notice_side(request):
        return Refused(_("The side that gave notice takes it back."), code="not_your_turn")
    return None


def day_after(agreement: Agreement) -> dt.date:
    """The first day after an agreement's period: that of its renewal."""
    return (agreement.ends_on or agreement.offer.ends_on) + dt.timedelta(days=1)


def why_base_gone(request: ShareRequest) -> Refused | None:
    """Why a change can go no further: its agreement is no longer in operation, or renewed by another; None: it can.
    Queries unless fetched, and once more for a renewal."""
    if request.amends is None:
        return None
    base = request.amends.request
    if not request.is_amendment and renewed_by(request.amends_id, request.pk):
        return Refused(_("This agreement has been renewed already."), code="renewed")
    if base.state == State.OPERATING or (base.state == State.FINISHED and not request.is_amendment):
        return None
    return Refused(
        _("Agreement %(reference)s is no longer in operation: %(state)s.")
        % {"reference": request.amends.reference, "state": base.get_state_display()},
        code="base_gone",
    )


def _is_disputed(request: ShareRequest) -> bool:
    """Whether the open offer's sheet has a clause in dispute. Queries unless offers and sheets are fetched."""
    sheet = getattr(open_offer(request), "sheet", None)
    return bool(sheet and sheet.disputed)


def _turn_words(request: ShareRequest, verb: str) -> str:
    if verb == "sign":
        return _("Your side has signed; the other side's signature is awaited.")
    if verb == "resume":
        return _("The side that put it on hold lets it go on, or the clock does.")
    if request.state == State.MEDIATED:
        return _("Your side has answered the proposal; the other side answers next.")
    return _("Your offer stands: the other side answers next.")


def allowed(request: ShareRequest, membership: Membership | None) -> list[Move]:
    """Every step this person's side can take from here: open now, or why not. Of one's own side only; nothing once
    the case has ended for good."""
    here = TRANSITIONS[request.state]
    side = acts_as(request, membership)
    if not any(not move.cause for move in here.values()):
        return []
    moves = []
    for verb, label in LABELS.items():
        if not _is_shown(request, here.get(verb), side, verb):
            continue
        problem = refusal(request, membership, verb)
        reason = str(problem.message) if problem else ""
        moves.append(Move(verb, str(label), reason, here.get(verb)))
    return moves


def _is_shown(request: ShareRequest, move: Transition | None, side: Side | None, verb: str) -> bool:
    """What one's side never does is left out; what opens later is shown where it is one of the main steps."""
    foreign = {Side.REQUESTER: "refuse", Side.OWNER: "withdraw"}.get(side) if side else None
    if verb == foreign:
        return False
    if move is None:
        return request.is_open and verb in CORE and side != Side.BUREAU
    return side is None or side in move.sides or (verb in CORE and side != Side.BUREAU)
