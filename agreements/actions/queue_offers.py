"""Serving the queue behind full pools: who came first is offered first, and an offer not taken up goes to the next."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.clocks import deadline_for
from accounts.errors import Refused
from accounts.events import record
from accounts.models import Organisation, User
from agreements import notices
from agreements.models import QueuePlace
from agreements.periods import last_day
from listings.actions import capacity
from listings.models import CapacityPool, Reservation, Resource
from messaging import actions as messaging

from .holds import GRACE

State = QueuePlace.State


def lock_line(resource_id: int) -> list[QueuePlace]:
    """The active places of one resource in their order, locked after all pools of it."""
    capacity.lock_pools(CapacityPool.objects.filter(resource=resource_id).order_by("pk").values_list("pk", flat=True))
    rows = QueuePlace.objects.select_for_update(of=("self",), no_key=True).active().filter(resource=resource_id)
    return list(rows.select_related("organisation", "resource__region", "resource__owner").order_by("pk"))


@transaction.atomic
def serve(*, resource_id: int, now: dt.datetime | None = None) -> int:
    """Offers what is free to those in line, in their order; gives how many offers. Idempotent.

    Who cannot be served keeps those behind from the same pools: large needs are not starved by small ones.
    """
    if not QueuePlace.objects.filter(resource=resource_id, state=State.WAITING).exists():
        return 0
    places = lock_line(resource_id)
    capacity.expire_due(pool_ids=[pool for place in places for pool in place.asked])
    kept: set[int] = set()
    count = 0
    for place in places:
        if place.state != State.WAITING or place.resource.state != Resource.State.PUBLISHED:
            continue
        if kept.isdisjoint(place.asked) and _offer(place, now or timezone.now()):
            count += 1
        else:
            kept |= set(place.asked)
    return count


def _offer(place: QueuePlace, now: dt.datetime) -> bool:
    until = deadline_for("clock.queue_offer", place.resource.region, at=now)
    starts_on = max(place.starts_on, timezone.localdate(now))
    try:
        with transaction.atomic():
            capacity.hold(
                quantities=place.asked, organisation=place.organisation, by=None, starts_on=starts_on,
                ends_on=last_day(starts_on, place.months), expires_at=until + GRACE, key=place.hold_key,
            )  # fmt: skip
    except Refused:  # not that much is free
        return False
    place.state, place.offer_until, place.starts_on = State.OFFERED, until, starts_on
    place.save(update_fields=["state", "offer_until", "starts_on"])
    record("queue.offer", place, by=None, organisation=place.organisation, after={"until": until.isoformat()})
    tell(place, "offer", to=place.organisation)
    return True


def let_go(place: QueuePlace, state: str, *, by: User | None, organisation: Organisation | None) -> None:
    """Ends a locked place and gives back what its offer kept."""
    kept = list(Reservation.objects.filter(idempotency_key=place.hold_key).order_by("pk"))
    capacity.release(reservations=kept, by=by, reason=f"queue.{state}")
    before = {"state": place.state}
    place.state, place.ended_at = state, timezone.now()
    place.save(update_fields=["state", "ended_at", "request"])
    record(f"queue.{state}", place, by=by, organisation=organisation, before=before, after={"state": state})


def pass_due(*, now: dt.datetime | None = None) -> int:
    """Ends offers whose clock has run out and offers what they kept to the next; gives how many ended. Idempotent."""
    moment = now or timezone.now()
    due = QueuePlace.objects.filter(state=State.OFFERED, offer_until__lte=moment).order_by("pk")
    return sum(_pass(place, moment) for place in due)


@transaction.atomic
def _pass(place: QueuePlace, now: dt.datetime) -> bool:
    fresh = next((one for one in lock_line(place.resource_id) if one.pk == place.pk), None)
    if fresh is None or fresh.state != State.OFFERED or not fresh.offer_until or fresh.offer_until > now:
        return False
    let_go(fresh, State.PASSED, by=None, organisation=None)
    tell(fresh, "pass", to=fresh.organisation)
    serve(resource_id=place.resource_id, now=now)
    return True


def serve_all(*, now: dt.datetime | None = None) -> int:
    """Serves every queue behind which something is free; gives how many offers. A busy one waits for the next time."""
    rows = QueuePlace.objects.filter(state=State.WAITING, resource__pools__free__gt=0)
    count = 0
    for resource_id in rows.order_by("resource_id").values_list("resource_id", flat=True).distinct():
        try:
            count += serve(resource_id=resource_id, now=now)
        except Refused:
            continue
    return count


def serve_soon(resource_id: int) -> None:
    """Serves the queue, if there is one, as soon as this transaction is done; the sweep does it otherwise."""
    if QueuePlace.objects.filter(resource=resource_id, state=State.WAITING).exists():
        transaction.on_commit(lambda: serve(resource_id=resource_id), robust=True)


def stand_aside(resource: Resource, pool_ids: Iterable[int]) -> None:
    """Before a request holds: those in line come first. Raises Refused("queue") when somebody still waits."""
    if not QueuePlace.objects.waiting_on(resource.pk, pool_ids).exists():
        return
    serve(resource_id=resource.pk)
    waiting = QueuePlace.objects.waiting_on(resource.pk, pool_ids).count()
    if waiting:
        said = ngettext(
            "%(count)d organisation waits in the queue for this capacity: join the queue.",
            "%(count)d organisations wait in the queue for this capacity: join the queue.",
            waiting,
        )
        raise Refused(said % {"count": waiting}, code="queue")


def tell(place: QueuePlace, code: str, *, to: Organisation) -> None:
    """A notice about a place; no quantity and no price."""
    messaging.notify(
        organisation=to, roles=list(notices.NEGOTIATORS), code=f"notice.queue.{code}",
        payload={
            "resource": place.resource.name, "organisation": place.organisation.name_zh,
            "organisation_en": place.organisation.name_en,
        },  # fmt: skip
        url=notices.neutral_list("queue_list"), key=f"queue:{place.pk}:{code}",
    )  # fmt: skip
