"""Join the queue behind full capacity, leave it, take up its offer."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.rules import rule
from agreements.fitting import Ask
from agreements.keys import attempt_key
from agreements.models import QueuePlace, ShareRequest
from agreements.permissions import request_refusal
from agreements.quantities import check_period, check_quantities
from agreements.states import NEGOTIATING_ROLES
from listings.actions.capacity import lock_pools, release
from listings.models import CapacityPool, DemandLine, Reservation, Resource
from listings.wording import quantity_text

from .offers import as_text
from .queue_offers import State, let_go, lock_line, serve, tell
from .requests import check_line, lock_pair, request_space, visible


@transaction.atomic
def join_queue(
    *,
    by: User,
    membership: Membership,
    resource: Resource,
    quantities: Mapping[int, Decimal],
    starts_on: dt.date,
    months: int,
    purpose: str,
    line: DemandLine | None = None,
    key: UUID,
) -> QueuePlace:
    """A place at the end of the line for units that are not free now. The same key again gives the same place.

    Raises what request_space() raises, and Refused("free") when the units can be requested at once, ("in_queue") for
    a second place, ("cap") above cap.queue_places, ("too_much") for more than there is. Locks the pair, then pools.
    """
    lock_pair(membership.organisation_id, resource.owner_id)
    made = QueuePlace.objects.filter(key=key, organisation=membership.organisation).first()
    if made:
        return made
    fresh = visible(resource, membership)
    if problem := request_refusal(membership, fresh):
        raise problem
    asked = {pool_id: quantity for pool_id, quantity in quantities.items() if quantity}
    pools = lock_pools(CapacityPool.objects.filter(resource=fresh).order_by("pk").values_list("pk", flat=True))
    check_quantities(fresh, pools, asked)
    check_period(fresh, starts_on, months)
    check_line(line, fresh, membership, Ask({pools[pk]: asked[pk] for pk in asked}, starts_on, months))
    _check_place(fresh, membership, {pools[pk]: quantity for pk, quantity in asked.items()})
    place = QueuePlace(
        resource=fresh, organisation=membership.organisation, line=line, quantities=as_text(asked),
        starts_on=starts_on, months=months, purpose=purpose.strip(), key=key, joined_by=by, joined_at=timezone.now(),
    )  # fmt: skip
    place.full_clean()
    place.save(force_insert=True)
    record("queue.join", place, by=by, organisation=membership.organisation, after={"quantities": place.quantities})
    tell(place, "join", to=fresh.owner)
    return place


def _check_place(resource: Resource, membership: Membership, asked: Mapping[CapacityPool, Decimal]) -> None:
    for pool, quantity in asked.items():
        if quantity > pool.total:
            raise Refused(
                _("%(pool)s: %(asked)s asked, there are only %(total)s: waiting does not help.")
                % {
                    "pool": pool.label or pool.get_unit_display(),
                    "asked": quantity_text(quantity, pool.unit),
                    "total": quantity_text(pool.total, pool.unit),
                },
                code="too_much",
            )
    own = QueuePlace.objects.active().filter(organisation=membership.organisation)
    if own.filter(resource=resource).exists():
        raise Refused(_("Your organisation is in this queue already."), code="in_queue")
    cap = rule("cap.queue_places", resource.region)
    if own.count() >= cap.whole:
        raise Refused(
            _("Your organisation waits in %(cap)d queues, as many as are allowed (%(source)s).")
            % {"cap": cap.whole, "source": cap.source},
            code="cap",
        )
    waiting = QueuePlace.objects.waiting_on(resource.pk, [pool.pk for pool in asked]).exists()
    if not waiting and all(pool.free >= quantity for pool, quantity in asked.items()):
        raise Refused(_("What you ask for is free: request it, there is no need to wait."), code="free")


def _own(place: QueuePlace, membership: Membership) -> QueuePlace:
    """The place, fresh, its line locked. Raises NotPermitted to others and without the role, Refused once ended."""
    if place.organisation_id != membership.organisation_id or not membership.has_role(*NEGOTIATING_ROLES):
        raise NotPermitted(_("Places in a queue are kept by the negotiators of the organisation that waits."))
    fresh = next((one for one in lock_line(place.resource_id) if one.pk == place.pk), None)
    if fresh is None:
        raise Refused(_("This place in the queue has ended."), code="ended")
    return fresh


@transaction.atomic
def leave_queue(*, place: QueuePlace, by: User, membership: Membership) -> QueuePlace:
    """Gives up a place, or the offer it has; what was kept goes to the next in line."""
    fresh = _own(place, membership)
    let_go(fresh, State.LEFT, by=by, organisation=membership.organisation)
    serve(resource_id=fresh.resource_id)
    return fresh


@transaction.atomic
def take_place(*, place: QueuePlace, by: User, membership: Membership) -> ShareRequest:
    """Takes up the offer: what it kept becomes a request with a hold, without a moment in which others could have it.

    Twice gives the same request. Raises Refused("no_offer") while one waits, ("expired") when the offer ran out.
    """
    lock_pair(membership.organisation_id, place.resource.owner_id)
    made = ShareRequest.objects.filter(queue_place=place, requester=membership.organisation).first()
    if made:
        return made
    fresh = _own(place, membership)
    if fresh.state != State.OFFERED or fresh.offer_until is None:
        raise Refused(_("There is no offer yet: you are told when your turn comes."), code="no_offer")
    if fresh.offer_until <= timezone.now():
        raise Refused(_("The offer has run out; it goes to the next in the queue."), code="expired")
    kept = list(Reservation.objects.filter(idempotency_key=fresh.hold_key).order_by("pk"))
    release(reservations=kept, by=by, reason="queue.taken")
    request = request_space(
        by=by, membership=membership, resource=fresh.resource, quantities=fresh.asked,
        starts_on=max(fresh.starts_on, timezone.localdate()), months=fresh.months, purpose=fresh.purpose,
        line=fresh.line, key=attempt_key("queue", fresh.pk, "request"), is_next_in_line=True,
    )  # fmt: skip
    fresh.request = request
    let_go(fresh, State.TAKEN, by=by, organisation=membership.organisation)
    return request
