"""Joint requests: made in one piece, gone on with in parts, a leg replaced, or withdrawn as a whole."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import workdays
from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.rules import rule
from agreements import legs, notices, states
from agreements.legs import LEGS_MAX
from agreements.models import Bundle, ShareRequest
from listings.actions import capacity
from listings.models import CapacityPool, DemandLine, Resource

from .ends import end
from .holds import lock_request
from .legs import leg_lives, lock_bundle, lock_legs, open_signing, tell_legs
from .requests import lock_pair, request_space
from .signing import conclude_signed

State = ShareRequest.State
Mode = Bundle.Mode


@transaction.atomic
def request_together(
    *,
    by: User,
    membership: Membership,
    resources: Sequence[Resource],
    quantities: Mapping[int, Decimal],
    starts_on: dt.date,
    months: int,
    purpose: str,
    key: UUID,
    mode: str = Mode.PARTS,
    line: DemandLine | None = None,
    is_demo: bool = False,
) -> list[ShareRequest]:
    """One request per resource in which something is asked, of one owner or several, all held or none. Several are the
    legs of a joint request of that mode.

    The same key again gives the requests made the first time. Raises what request_space() raises, the resource's name
    before the sentence; and Refused when nothing is asked or of more than LEGS_MAX. Locks the pairs of organisations in
    the order of the owners' ids, then all pools in id order.
    """
    wanted = _by_resource(quantities)
    chosen = sorted((r for r in resources if r.pk in wanted), key=lambda r: r.pk)
    if not chosen or len(wanted) != len(chosen):
        raise Refused(_("Say how much you ask for: all quantities are zero."), code="zero")
    if len(chosen) > LEGS_MAX:
        raise Refused(_("At most %(max)d resources are asked for together.") % {"max": LEGS_MAX}, code="too_many")
    for owner_id in sorted({resource.owner_id for resource in chosen}):
        lock_pair(membership.organisation_id, owner_id)
    made_before = ShareRequest.objects.filter(group_key=key, requester=membership.organisation).order_by("resource_id")
    if made := list(made_before):
        return made
    whole = CapacityPool.objects.filter(resource__in=wanted).order_by("pk").values_list("pk", flat=True)
    capacity.lock_pools(whole)  # all at once, in id order: requests that overlap wait, they do not deadlock
    bundle = None
    if len(chosen) > 1:
        bundle = _open(by, membership, chosen, Mode(mode), purpose, key, is_demo)
    pools = {pool.pk: pool for pool in CapacityPool.objects.filter(resource__in=wanted).order_by("pk")}
    named = _naming(line, chosen)
    return [
        _ask(
            resource, by=by, membership=membership, quantities=wanted[resource.pk], starts_on=starts_on, months=months,
            purpose=purpose, key=uuid5(key, str(resource.pk)), group_key=key, line=line if resource in named else None,
            beside={pools[pk]: units for r in wanted if r != resource.pk for pk, units in wanted[r].items()},
            bundle=bundle, is_demo=is_demo,
        )
        for resource in chosen
    ]  # fmt: skip


def _naming(line: DemandLine | None, chosen: Sequence[Resource]) -> list[Resource]:
    """The resources whose requests name the line: those of its kind; of a whole site's need the first, at one site."""
    if line is None:
        return []
    if line.room_u and (None in {r.site_id for r in chosen} or len({r.site_id for r in chosen}) > 1):
        raise Refused(_("What answers a need of a whole site stands at one site."), code="sites")
    found = [resource for resource in chosen if resource.kind == line.kind]
    if not found:
        raise Refused(_("The demand line asks for another kind of resource."), code="other_kind")
    return found[:1] if line.room_u else found


def _by_resource(quantities: Mapping[int, Decimal]) -> dict[int, dict[int, Decimal]]:
    """{resource id: {pool id: units}} of what is asked."""
    asked = {pool_id: quantity for pool_id, quantity in quantities.items() if quantity}
    wanted: dict[int, dict[int, Decimal]] = {}
    for pool_id, resource_id in CapacityPool.objects.filter(pk__in=asked).order_by("pk").values_list("pk", "resource"):
        wanted.setdefault(resource_id, {})[pool_id] = asked[pool_id]
    return wanted


def _open(
    by: User,
    membership: Membership,
    chosen: Sequence[Resource],
    mode: Bundle.Mode,
    purpose: str,
    key: UUID,
    is_demo: bool,
) -> Bundle:
    bundle = Bundle(
        requester=membership.organisation, mode=mode, purpose=purpose.strip(), key=key, created_by=by, is_demo=is_demo
    )
    bundle.full_clean()
    bundle.save(force_insert=True)
    after = {"mode": bundle.mode, "resources": [resource.pk for resource in chosen]}
    record("bundle.make", bundle, by=by, organisation=membership.organisation, after=after)
    return bundle


def _ask(resource: Resource, **asked: Any) -> ShareRequest:
    """One leg; what is refused names the resource."""
    try:
        return request_space(resource=resource, **asked)
    except Refused as refusal:
        raise type(refusal)(f"{resource.name}: {refusal.message}", code=refusal.code) from refusal


def bundle_refusal(bundle: Bundle, membership: Membership | None) -> Refused | None:
    """Why the person may not decide on the joint request; None: they may. Asked by actions and by the page."""
    if not membership or membership.ended_at or membership.organisation_id != bundle.requester_id:
        return NotPermitted(_("Only the applicant decides how a joint request goes on."))
    if not membership.has_role(*states.NEGOTIATING_ROLES):
        return NotPermitted(_("This takes the role negotiator or administrator."))
    if bundle.closed_at:
        return Refused(_("The joint request has been withdrawn as a whole."), code="closed")
    return None


def _checked(bundle: Bundle, membership: Membership) -> Bundle:
    fresh = lock_bundle(bundle.pk)
    if problem := bundle_refusal(fresh, membership):
        raise problem
    if fresh.decide_by and fresh.decide_by <= timezone.now():
        raise Refused(_("The clock of this step has run out; what follows happens within a minute."), code="expired")
    return fresh


@transaction.atomic
def go_on_partly(*, bundle: Bundle, by: User, membership: Membership) -> Bundle:
    """From all or nothing to each leg by itself; for good. Twice is once. What is signed by both sides takes effect,
    what is agreed can be signed. Raises NotPermitted to others, Refused once it was withdrawn."""
    fresh = lock_bundle(bundle.pk)
    if not fresh.is_whole and fresh.requester_id == membership.organisation_id:
        return fresh
    fresh = _checked(bundle, membership)
    rows = lock_legs(fresh)
    waiting = [leg for leg in rows if leg.state == State.AGREED and not legs.is_signed_by_both(leg)]
    was_closed = any(not legs.is_accepted(leg) for leg in rows)
    fresh.mode, fresh.decide_by = Mode.PARTS, None
    fresh.full_clean(validate_unique=False)
    fresh.save(update_fields=["mode", "decide_by"])
    organisation = membership.organisation
    record(
        "bundle.partly", fresh, by=by, organisation=organisation, before={"mode": "whole"}, after={"mode": fresh.mode}
    )
    tell_legs(fresh, "bundle.partly", by=by, organisation=organisation)
    for leg in rows:
        if leg.state == State.AGREED and legs.is_signed_by_both(leg):
            conclude_signed(leg, by=by)
    if was_closed:
        open_signing(waiting)
    return fresh


@transaction.atomic
def replace_leg(
    *,
    leg: ShareRequest,
    by: User,
    membership: Membership,
    resource: Resource,
    quantities: Mapping[int, Decimal],
    starts_on: dt.date,
    months: int,
    purpose: str,
    line: DemandLine | None = None,
    key: UUID,
) -> ShareRequest:
    """Another resource of the kind takes the place of a leg that failed: a request of its own, held at once.

    Raises what request_space() raises; Refused where the leg has not failed, was replaced, or is of another kind.
    """
    if leg.bundle is None:
        raise Refused(_("This request is not a leg of a joint request."), code="no_bundle")
    made = ShareRequest.objects.filter(idempotency_key=key, requester=membership.organisation).first()
    if made:
        return made
    bundle = _checked(leg.bundle, membership)
    old = lock_request(leg)
    if not legs.has_failed(old):
        raise Refused(_("Only a leg that failed is replaced."), code="not_failed")
    if ShareRequest.objects.filter(replaces=old).exists():
        raise Refused(_("This leg was replaced already."), code="replaced")
    if resource.kind != old.resource.kind:
        raise Refused(_("A leg is replaced by a resource of the same kind."), code="other_kind")
    request = request_space(
        by=by, membership=membership, resource=resource, quantities=quantities, starts_on=starts_on, months=months,
        purpose=purpose, line=line, key=key, bundle=bundle, replaces=old, is_demo=bundle.is_demo,
    )  # fmt: skip
    leg_lives(request)
    after = {"leg": old.code, "by": request.code}
    record("bundle.replace", bundle, by=by, organisation=membership.organisation, after=after)
    tell_legs(bundle, "bundle.replace", by=by, organisation=membership.organisation)
    return request


@transaction.atomic
def withdraw_together(*, bundle: Bundle, by: User, membership: Membership, note: str = "") -> Bundle:
    """The applicant withdraws every open leg; what was held is free again. Twice is once.

    Raises NotPermitted to others; Refused where a leg is in effect, or one's own side signed one and none has failed.
    """
    fresh = lock_bundle(bundle.pk)
    if fresh.closed_at and fresh.requester_id == membership.organisation_id:
        return fresh
    fresh = _checked(bundle, membership)
    rows = lock_legs(fresh)
    open_legs = [leg for leg in rows if leg.is_open]
    if not open_legs:
        raise Refused(_("No leg is open: there is nothing left to withdraw."), code="closed")
    if not legs.any_failed(rows) and any(states.Side.REQUESTER in states.signed_sides(leg) for leg in open_legs):
        raise Refused(_("Your side has signed and is bound until the clock for signing ends."), code="signed")
    organisation = membership.organisation
    _close(fresh)
    for leg in open_legs:
        end(leg, "withdraw", by=by, organisation=organisation, note=note)
    after = {"legs": [leg.code for leg in open_legs]}
    record("bundle.withdraw", fresh, by=by, organisation=organisation, after=after, reason=note[:500])
    return fresh


def _close(bundle: Bundle) -> None:
    bundle.decide_by, bundle.closed_at = None, timezone.now()
    bundle.full_clean(validate_unique=False)
    bundle.save(update_fields=["decide_by", "closed_at"])


def lapse_undecided(*, now: dt.datetime | None = None) -> int:
    """Withdraws every all-or-nothing joint request not decided on in time; gives how many. Idempotent."""
    moment = now or timezone.now()
    return sum(_lapse(bundle, moment) for bundle in Bundle.objects.due(moment).order_by("decide_by", "pk"))


@transaction.atomic
def _lapse(bundle: Bundle, now: dt.datetime) -> bool:
    fresh = lock_bundle(bundle.pk)
    if fresh.decide_by is None or fresh.decide_by > now:
        return False
    rows = [leg for leg in lock_legs(fresh) if leg.is_open]
    _close(fresh)
    for leg in rows:
        end(leg, "fall", by=None, organisation=None)
    record("bundle.lapse", fresh, by=None, after={"legs": [leg.code for leg in rows]})
    notices.notify_bundle(fresh, "bundle.lapse", organisation=fresh.requester, key="lapse")
    return True


def warn_undecided(*, now: dt.datetime | None = None) -> int:
    """Warns the applicant once, clock.warning working days before the time to decide runs out; gives how many."""
    moment = now or timezone.now()
    count = 0
    rows = Bundle.objects.filter(decide_by__gt=moment, warned_at=None).select_related("requester__region")
    for bundle in rows.order_by("decide_by", "pk"):
        left = workdays.workdays_between(timezone.localdate(moment), timezone.localdate(bundle.decide_by))
        if left <= rule("clock.warning", bundle.requester.region).whole:
            count += _warn(bundle, moment)
    return count


@transaction.atomic
def _warn(bundle: Bundle, now: dt.datetime) -> bool:
    fresh = lock_bundle(bundle.pk)
    if fresh.warned_at or fresh.decide_by is None:
        return False
    fresh.warned_at = now
    fresh.save(update_fields=["warned_at"])
    notices.notify_bundle(fresh, "bundle.warn", organisation=fresh.requester, key=f"warn:{fresh.decide_by}")
    return True
