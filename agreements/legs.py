"""The legs of a joint request as facts: which count, which were accepted, which failed, and what that holds up."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.errors import Refused

from .models import ENDED_STATES, Agreement, Bundle, ShareRequest

if TYPE_CHECKING:
    from django.db.models import QuerySet

LEGS_MAX = 30
State = ShareRequest.State


def counting(bundle: Bundle) -> "QuerySet[ShareRequest]":
    """The legs whose place no other has taken, in id order, with their agreements."""
    return ShareRequest.objects.filter(bundle=bundle).counting().select_related("agreement").order_by("pk")


def has_failed(leg: ShareRequest) -> bool:
    """Whether it ended before its agreement was signed by all. Needs the agreement fetched, or queries."""
    return leg.state in ENDED_STATES and not is_in_effect(leg)


def is_in_effect(leg: ShareRequest) -> bool:
    agreement = getattr(leg, "agreement", None)
    return agreement is not None and agreement.state == Agreement.State.SIGNED


def is_accepted(leg: ShareRequest) -> bool:
    """Whether its terms are agreed, or more."""
    return leg.state == State.AGREED or is_in_effect(leg)


def why_not_signed_yet(request: ShareRequest) -> Refused | None:
    """Why a leg cannot be signed though its own terms are agreed; None: it can. A request by itself asks no query."""
    if request.bundle is None or not request.bundle.is_whole:
        return None
    legs = list(counting(request.bundle))
    accepted = sum(is_accepted(leg) for leg in legs)
    if accepted == len(legs):
        return None
    return Refused(
        _("All or nothing: signing opens when every leg of %(bundle)s is accepted; %(accepted)d of %(count)d are.")
        % {"bundle": request.bundle.code, "accepted": accepted, "count": len(legs)},
        code="legs",
    )


def is_signed_by_both(leg: ShareRequest) -> bool:
    """Whether both parties' signatures stand under it. Queries once."""
    agreement = getattr(leg, "agreement", None)
    if agreement is None:
        return False
    signed = set(agreement.signatures.order_by("pk").values_list("organisation_id", flat=True))
    return signed >= {leg.requester_id, leg.owner_id}


def waits_for_others(request: ShareRequest) -> bool:
    """Whether an agreed leg's clock does not end it: others are not accepted yet, or it is signed and they are not."""
    if request.bundle is None or not request.bundle.is_whole or request.bundle.closed_at:
        return False
    return why_not_signed_yet(request) is not None or is_signed_by_both(request)


def any_failed(legs: Iterable[ShareRequest]) -> bool:
    return any(has_failed(leg) for leg in legs)
