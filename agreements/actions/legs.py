"""What a leg's steps mean for the rest of its joint request. Called inside an action's transaction, the joint
request's row locked (holds.lock_request takes it first)."""

import datetime as dt

from django.utils import timezone

from accounts.clocks import deadline_for
from accounts.events import record
from accounts.models import Organisation, User
from agreements import legs, notices, states
from agreements.models import Bundle, CaseClock, ShareRequest
from listings.actions import capacity
from listings.models import CapacityPool, Reservation

from .clock_rows import start_clock, stop_clock
from .holds import GRACE, items_of, lock_request, reservations_of
from .records import add_step

State = ShareRequest.State


def lock_bundle(bundle_id: int) -> Bundle:
    """The joint request, fresh, its row locked: every step of any of its legs waits for that row."""
    rows = Bundle.objects.select_for_update(of=("self",), no_key=True).select_related("requester__region")
    return rows.get(pk=bundle_id)


def lock_legs(bundle: Bundle) -> list[ShareRequest]:
    """The legs that count, their rows locked in id order, with their agreements; and the pools of those still open."""
    for pk in list(legs.counting(bundle).values_list("pk", flat=True)):
        lock_request(ShareRequest(pk=pk))
    rows = legs.counting(bundle).select_related("requester__region", "owner__region", "resource__region", "agreement")
    found = list(rows.defer("resource__place", "resource__shown_cell"))
    pools = CapacityPool.objects.filter(request_items__request__in=[leg.pk for leg in found if leg.is_open])
    capacity.lock_pools(pools.order_by("pk").values_list("pk", flat=True).distinct())
    return found


def leg_ended(request: ShareRequest, *, by: User | None, organisation: Organisation | None) -> None:
    """A leg ended before signature: where all or nothing holds, the applicant is asked how to go on, with a clock."""
    if request.bundle_id is None:
        return
    bundle = lock_bundle(request.bundle_id)
    if not bundle.is_whole or bundle.closed_at:
        return
    if not any(leg.is_open for leg in legs.counting(bundle)):
        if bundle.decide_by:
            _save_decision(bundle, None)
        return
    if bundle.decide_by is None:
        _save_decision(bundle, deadline_for("clock.legs", request.resource.region))
    after = {"leg": request.code, "decide_by": bundle.decide_by.isoformat() if bundle.decide_by else None}
    record("bundle.leg_failed", bundle, by=by, organisation=organisation, after=after)
    tell_legs(bundle, "bundle.leg_failed", by=by, organisation=None, ended=request, until=_day(bundle.decide_by))


def _day(moment: dt.datetime | None) -> str:
    return timezone.localdate(moment).isoformat() if moment else ""


def _save_decision(bundle: Bundle, decide_by: dt.datetime | None) -> None:
    bundle.decide_by, bundle.warned_at = decide_by, None
    bundle.full_clean(validate_unique=False)
    bundle.save(update_fields=["decide_by", "warned_at"])


def leg_lives(request: ShareRequest) -> None:
    """A failed leg lives again, or another took its place: where none is left failed, the clock stops."""
    if request.bundle_id is None:
        return
    bundle = lock_bundle(request.bundle_id)
    if bundle.decide_by and not legs.any_failed(legs.counting(bundle)):
        _save_decision(bundle, None)


def leg_accepted(request: ShareRequest) -> None:
    """Terms agreed on a leg: where it waits for others its hold outlives its clock; with the last one signing opens
    for all, each with a whole clock."""
    if request.bundle_id is None:
        return
    bundle = lock_bundle(request.bundle_id)
    if not bundle.is_whole:
        return
    rows = list(legs.counting(bundle))
    if all(legs.is_accepted(leg) for leg in rows):
        open_signing(lock_legs(bundle))
    else:
        _hold_on(request)


def open_signing(rows: list[ShareRequest]) -> None:
    """The clock of signing anew for every agreed leg."""
    now = timezone.now()
    for leg in rows:
        if leg.state == State.AGREED:
            _stay(leg, "open_signing", at=now)


def await_others(request: ShareRequest) -> None:
    """The clock of signing ran out while other legs are not settled: it begins anew, nothing ends."""
    now = timezone.now()
    stop_clock(request, CaseClock.Outcome.RUN_OUT, at=request.due_at or now)
    _stay(request, "await_legs", at=now)


def _stay(leg: ShareRequest, verb: str, *, at: dt.datetime) -> None:
    move = states.TRANSITIONS[leg.state][verb]
    start_clock(leg, move.starts_clock or "clock.signing", at=at)
    leg.save(update_fields=["due_at"])
    _hold_on(leg)
    add_step(leg, verb, by=None, organisation=None, before=leg.state, at=at)
    notices.tell_step(leg, verb, by=None, organisation=None)


def _hold_on(leg: ShareRequest) -> None:
    """What is held stays so until the leg's clock and a while longer."""
    if leg.due_at is None:
        return
    kept = [r for r in reservations_of(items_of(leg)) if r.state == Reservation.State.HELD]
    capacity.extend(reservations=kept, expires_at=leg.due_at + GRACE, by=None)


def tell_legs(
    bundle: Bundle,
    code: str,
    *,
    by: User | None,
    organisation: Organisation | None,
    ended: ShareRequest | None = None,
    **payload: str,
) -> None:
    """Says it in every open leg's conversation and to each party once: no name, place or price of another's leg.

    ended: the leg it is about, whose own parties know. organisation: who did it, not told.
    """
    told: set[int] = {organisation.pk} if organisation else set()
    rows = ShareRequest.objects.filter(bundle=bundle).select_related("owner", "requester").order_by("pk")
    key = f"{code}:{timezone.now().isoformat()}"
    for leg in rows:
        if not leg.is_open:
            continue
        notices.tell_thread(leg, code, by=by, organisation=organisation, bundle=bundle.code, **payload)
        if leg.owner_id not in told:
            told.add(leg.owner_id)
            notices.notify_bundle(bundle, code, organisation=leg.owner, key=key)
    if bundle.requester_id not in told:
        notices.notify_bundle(bundle, code, organisation=bundle.requester, key=key)
