"""The capacity behind a request: held with it, moved with its terms, released with its end.

A request's row is locked before pools, pools before a demand list: everybody takes them in that order.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import User
from agreements.keys import attempt_key
from agreements.models import Bundle, Offer, RequestItem, ShareRequest
from agreements.periods import last_day
from listings.actions import capacity
from listings.models import Reservation

GRACE = dt.timedelta(days=7)  # a hold outlives the clock that moves its case on, also while no worker runs


def lock_request(request: ShareRequest) -> ShareRequest:
    """The request, fresh, its row locked until the transaction ends; of a leg the joint request's row before it.

    Only what never changes is joined: rows joined to a locked one are as they were when the wait began, so the
    agreement and its signatures are read after the lock.
    """
    if request.bundle_id:
        Bundle.objects.select_for_update(of=("self",), no_key=True).get(pk=request.bundle_id)
    return (
        ShareRequest.objects.select_for_update(of=("self",), no_key=True)
        .select_related("bundle", "requester__region", "owner__region", "resource__region")
        .defer("resource__place", "resource__shown_cell")
        .get(pk=request.pk)
    )


def items_of(request: ShareRequest) -> list[RequestItem]:
    """The request's items with their holds and pools."""
    return list(request.items.select_related("reservation", "pool").order_by("pool_id"))


def held(items: list[RequestItem]) -> dict[int, Decimal]:
    """{pool id: units kept now}."""
    return {
        item.pool_id: item.reservation.quantity
        for item in items
        if item.reservation and item.reservation.state in Reservation.ACTIVE
    }


def reservations_of(items: list[RequestItem]) -> list[Reservation]:
    return [item.reservation for item in items if item.reservation]


def base_of(request: ShareRequest) -> dict[int, Decimal]:
    """{pool id: units} that the agreement under amendment keeps already, so that only what is more is held; nothing for
    every other request. Queries once."""
    if not request.is_amendment:
        return {}
    items = RequestItem.objects.filter(request__agreement=request.amends_id).select_related("reservation")
    return held(list(items))


def beyond(quantities: Mapping[int, Decimal], base: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """What of the quantities the base does not keep already."""
    more = {pool_id: quantity - base.get(pool_id, Decimal(0)) for pool_id, quantity in quantities.items()}
    return {pool_id: quantity for pool_id, quantity in more.items() if quantity > 0}


def move_hold(
    request: ShareRequest,
    items: list[RequestItem],
    *,
    quantities: Mapping[int, Decimal],
    starts_on: dt.date,
    months: int,
    expires_at: dt.datetime,
    by: User | None,
    attempt: str,
) -> None:
    """Makes the hold keep these quantities over this period instead, in one step, and points the items at it; of an
    amendment only what its agreement does not keep already.

    Raises Refused when another has taken the capacity in the new period. attempt tells one move of this request
    from another, so that the same move twice holds once.
    """
    capacity.release(reservations=reservations_of(items), by=by, reason=attempt)
    made = capacity.hold(
        quantities=beyond(quantities, base_of(request)),
        organisation=request.requester,
        by=by,
        starts_on=starts_on,
        ends_on=last_day(starts_on, months),
        expires_at=expires_at,
        key=attempt_key("request", request.pk, attempt),
    )
    by_pool = {reservation.pool_id: reservation for reservation in made}
    for item in items:
        if item.pool_id in by_pool:
            item.reservation = by_pool[item.pool_id]
            item.save(update_fields=["reservation"])
        elif item.reservation:
            item.reservation.refresh_from_db()  # let go above: held() must not count it


def agreed(offer: Offer) -> dict[int, Decimal]:
    """{pool id: units} of the offer."""
    return {int(pool_id): Decimal(quantity) for pool_id, quantity in offer.quantities.items()}


def require_kept(request: ShareRequest, items: list[RequestItem], quantities: Mapping[int, Decimal]) -> None:
    """Raises Refused("not_kept") where what was agreed on is not what is kept for it now."""
    if held(items) != beyond(quantities, base_of(request)):
        raise Refused(_("The capacity agreed on is not held for this case any more."), code="not_kept")


def keep_hold(request: ShareRequest, items: list[RequestItem], *, by: User | None, attempt: str) -> None:
    """The hold lasts until the case's clock and a while longer. One that lapsed meanwhile is taken anew, or Refused."""
    if request.due_at is None:
        return
    until = request.due_at + GRACE
    wanted = beyond({item.pool_id: item.quantity for item in items}, base_of(request))
    if set(held(items)) >= set(wanted):
        active = [r for r in reservations_of(items) if r.state == Reservation.State.HELD]
        capacity.extend(reservations=active, expires_at=until, by=by)
        return
    move_hold(
        request,
        items,
        quantities={item.pool_id: item.quantity for item in items},
        starts_on=request.starts_on,
        months=request.months,
        expires_at=until,
        by=by,
        attempt=attempt,
    )


def covers(items: list[RequestItem], starts_on: dt.date, ends_on: dt.date) -> bool:
    """Whether the period lies within the one held."""
    return all(
        r.starts_on <= starts_on and (r.ends_on is None or r.ends_on >= ends_on)
        for r in reservations_of(items)
        if r.state in Reservation.ACTIVE
    )
