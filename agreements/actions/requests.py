"""Ask for units of a resource and hold them; take the request back; refuse it."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.rules import rule
from agreements import notices, states
from agreements.fitting import Ask, misfits, why_not
from agreements.models import Bundle, RequestItem, ShareRequest
from agreements.periods import last_day
from agreements.permissions import request_refusal
from agreements.quantities import check_period, check_quantities
from listings.actions import capacity, demand
from listings.models import CapacityPool, DemandLine, DemandList, Reservation, Resource
from listings.wording import quantity_text
from messaging.actions import open_thread

from .clock_rows import start_clock
from .ends import end
from .holds import GRACE, lock_request
from .queue_offers import stand_aside

State = ShareRequest.State


@transaction.atomic
def request_space(
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
    group_key: UUID | None = None,
    beside: Mapping[CapacityPool, Decimal] | None = None,
    bundle: Bundle | None = None,
    replaces: ShareRequest | None = None,
    is_demo: bool = False,
    is_next_in_line: bool = False,
) -> ShareRequest:
    """Asks for units of a resource's pools ({pool id: quantity}) and holds them at once, until the clock of the hold.

    The same key again gives the request made the first time. Raises NotPermitted, or Refused with what is
    wrong: see the checks. Locks the pair of organisations, then pools, then the line's list. is_next_in_line: takes up
    the offer of a queue; everybody else stands behind those who wait there. beside: what is asked together with it at
    the same site, for a line that asks for a whole site.
    """
    lock_pair(membership.organisation_id, resource.owner_id)
    made = ShareRequest.objects.filter(idempotency_key=key).first()
    if made:
        return _own(made, membership)
    fresh = visible(resource, membership)
    if problem := request_refusal(membership, fresh):
        raise problem
    asked = {pool_id: quantity for pool_id, quantity in quantities.items() if quantity}
    pools = {pool.pk: pool for pool in fresh.pools.order_by("pk")}
    check_quantities(fresh, pools, asked)
    check_period(fresh, starts_on, months)
    ask = Ask({pools[pk]: asked[pk] for pk in asked}, starts_on, months, beside or {})
    check_line(line, fresh, membership, ask)
    _check_cap(fresh, membership)
    if not is_next_in_line:
        stand_aside(fresh, asked)
    now = timezone.now()
    due_at = deadline_for("clock.completeness", fresh.region, at=now)
    request = ShareRequest(
        requester=membership.organisation,
        owner=fresh.owner,
        resource=fresh,
        line=line,
        purpose=purpose.strip(),
        starts_on=starts_on,
        months=months,
        state=State.SUBMITTED,
        due_at=due_at,
        submitted_at=now,
        idempotency_key=key,
        group_key=group_key,
        bundle=bundle,
        replaces=replaces,
        created_by=by,
        is_demo=is_demo,
    )
    request.full_clean()
    request.save(force_insert=True)
    start_clock(request, "clock.completeness", at=now)
    _hold(request, asked, due_at, by=by)
    if line is not None:
        demand.mark_requested(line=line, by=by, organisation=membership.organisation)
    _tell_made(request, by)
    return request


def lock_pair(requester_id: int, owner_id: int) -> None:
    """One request at a time from one organisation to one owner, so that the cap holds and a key makes one request."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [requester_id % 2**31, owner_id % 2**31])


def _own(made: ShareRequest, membership: Membership) -> ShareRequest:
    if made.requester_id != membership.organisation_id:
        raise Refused(_("This form was sent before by another organisation. Open it anew."), code="foreign_key")
    return made


def visible(resource: Resource, membership: Membership) -> Resource:
    """The resource as this reader may read it; Refused as not open where they may not."""
    fresh = Resource.objects.visible_to(membership).select_related("owner", "region").filter(pk=resource.pk).first()
    if fresh is None:
        raise Refused(_("This resource is not open to requests now."), code="not_published")
    return fresh


def check_line(line: DemandLine | None, resource: Resource, membership: Membership, ask: Ask) -> None:
    """Raises NotPermitted or Refused where the ask cannot answer the line: whose it is, states, criteria."""
    if line is None:
        return
    if line.applicant_id != membership.organisation_id:
        raise NotPermitted(_("This demand line is another applicant's."), code="foreign_line")
    if line.kind != resource.kind:
        raise Refused(_("The demand line asks for another kind of resource."), code="other_kind")
    if line.demand_list.state != DemandList.State.IN_FORCE:
        raise Refused(_("The demand list is not in force: requests on its lines are closed."), code="list_not_in_force")
    if line.state not in (DemandLine.State.OPEN, DemandLine.State.REQUESTED):
        raise Refused(
            _("The demand line is already “%(state)s”.") % {"state": line.get_state_display()}, code="line_done"
        )
    if reasons := misfits(line, resource, membership, ask):
        raise Refused(
            _("This does not meet demand line %(number)d: %(why)s.")
            % {"number": line.number, "why": why_not(reasons, line.kind)},
            code="misfit",
        )


def _check_cap(resource: Resource, membership: Membership) -> None:
    cap = rule("cap.open_holds", resource.region)
    running = ShareRequest.objects.open().filter(requester=membership.organisation, owner_id=resource.owner_id).count()
    if running >= cap.whole:
        raise Refused(
            _("Your organisation has %(count)d open requests with this owner; %(cap)d are allowed (%(source)s).")
            % {"count": running, "cap": cap.whole, "source": cap.source},
            code="cap",
        )


def check_share(request: ShareRequest, asked: Mapping[int, Decimal]) -> None:
    """cap.pool_percent: how much of one pool an organisation may keep, in whatever periods."""
    cap = rule("cap.pool_percent", request.resource.region)
    if cap.value >= 100:
        return
    pools = capacity.lock_pools(asked)
    for pool_id, quantity in sorted(asked.items()):
        active = Reservation.objects.active().filter(pool=pool_id, organisation=request.requester)
        has = active.aggregate(units=Sum("quantity"))["units"] or Decimal(0)
        if (has + quantity) * 100 > pools[pool_id].total * cap.value:
            raise Refused(
                _("One organisation keeps at most %(cap)s %% of %(pool)s (%(source)s); yours would keep %(units)s.")
                % {
                    "cap": f"{cap.value.normalize():f}",
                    "pool": pools[pool_id].label or pools[pool_id].get_unit_display(),
                    "source": cap.source,
                    "units": quantity_text(has + quantity, pools[pool_id].unit),
                },
                code="share",
            )


def _hold(request: ShareRequest, asked: Mapping[int, Decimal], until: dt.datetime, *, by: User) -> None:
    check_share(request, asked)
    made = capacity.hold(
        quantities=asked,
        organisation=request.requester,
        by=by,
        starts_on=request.starts_on,
        ends_on=last_day(request.starts_on, request.months),
        expires_at=until + GRACE,
        key=request.idempotency_key,
    )
    for reservation in made:
        item = RequestItem(
            request=request, pool=reservation.pool, quantity=asked[reservation.pool_id], reservation=reservation
        )
        item.full_clean()
        item.save(force_insert=True)


def _tell_made(request: ShareRequest, by: User) -> None:
    record(
        "request.make",
        request,
        by=by,
        organisation=request.requester,
        after={
            "state": request.state,
            "resource": request.resource_id,
            "line": request.line_id,
            "items": {str(item.pool_id): str(item.quantity) for item in request.items.order_by("pool_id")},
            "due_at": request.due_at.isoformat() if request.due_at else None,
        },
    )
    open_thread(
        subject=request,
        title=f"{request.code} · {request.resource.name}",
        organisations=[request.requester, request.owner],
    )
    notices.tell_thread(
        request, "request.make", by=by, organisation=request.requester, request=request.code, purpose=request.purpose
    )
    notices.notify(
        request,
        "request.make",
        organisation=request.owner,
        roles=notices.NEGOTIATORS,
        key="make",
        by=request.requester,
    )


@transaction.atomic
def withdraw(*, request: ShareRequest, by: User, membership: Membership, note: str = "") -> ShareRequest:
    """The applicant takes the request back; what was held is free again. Twice is once.

    Raises NotPermitted to others, Refused when it has ended otherwise or one's own side has signed.
    """
    fresh = lock_request(request)
    if fresh.state == State.WITHDRAWN and fresh.requester_id == membership.organisation_id:
        return fresh
    if problem := states.refusal(fresh, membership, "withdraw"):
        raise problem
    return end(fresh, "withdraw", by=by, organisation=membership.organisation, note=note)


NOTE_NEEDED = {
    ShareRequest.Refusal.OWN_NEED,  # domain, section 5: own future need must be shown
    ShareRequest.Refusal.ALTERNATIVE,  # and an alternative must be named
}


@transaction.atomic
def refuse(
    *,
    request: ShareRequest,
    by: User,
    membership: Membership,
    code: str,
    note: str = "",
    needed_from: dt.date | None = None,
    alternative: Resource | None = None,
) -> ShareRequest:
    """The owner refuses, with a reason of ShareRequest.Refusal; what was held is free again. Twice is once.

    needed_from: the day of one's own future need; alternative: a published resource of the kind. Raises NotPermitted
    to others, Refused without a known reason, without the evidence it takes, or when the request has ended otherwise
    or one's own side has signed.
    """
    fresh = lock_request(request)
    if fresh.state == State.REFUSED and fresh.owner_id == membership.organisation_id:
        return fresh
    if problem := states.refusal(fresh, membership, "refuse"):
        raise problem
    if code not in ShareRequest.Refusal.values:
        raise Refused(_("A refusal needs a reason."), code="no_reason")
    if code in NOTE_NEEDED and not note.strip():
        raise Refused(_("For this reason write a note: show the need, or name the alternative."), code="note_needed")
    data = _evidence(fresh, code, needed_from, alternative)
    fresh.refusal_code = code
    return end(fresh, "refuse", by=by, organisation=membership.organisation, note=note, data=data)


def _evidence(
    request: ShareRequest, code: str, needed_from: dt.date | None, alternative: Resource | None
) -> dict[str, Any]:
    """What the reason is shown by, as the step keeps it."""
    if code == ShareRequest.Refusal.OWN_NEED:
        if needed_from is None or not timezone.localdate() <= needed_from <= request.ends_on:
            raise Refused(
                _("Name the day from which you need it yourself: one before the period asked for ends."),
                code="need_without_date",
            )
        return {"needed_from": needed_from.isoformat()}
    if code == ShareRequest.Refusal.ALTERNATIVE:
        is_other = alternative is not None and alternative.pk != request.resource_id
        if not alternative or not is_other or alternative.kind != request.resource.kind:
            raise Refused(_("Name another resource of the same kind as the alternative."), code="no_alternative")
        if alternative.state != Resource.State.PUBLISHED:
            raise Refused(_("The alternative must be open to requests."), code="no_alternative")
        return {"alternative": f"{alternative.name} (#{alternative.pk})"}
    return {}
