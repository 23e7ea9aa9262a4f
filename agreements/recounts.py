"""A changed working-day calendar: the clocks of open requests are counted anew, and both sides are told."""

from accounts.clocks import recounts
from accounts.events import record
from accounts.models import Region
from listings.models import Reservation
from messaging.actions import notify

from .actions.clock_rows import BY_CALENDAR, count_out
from .actions.holds import GRACE
from .models import CaseClock, Offer, ShareRequest


@recounts
def recount_requests(region: Region, why: str) -> int:
    """Recounts the working-day clock of every case in the region; what it holds follows. Gives how many moved."""
    rows = (
        ShareRequest.objects.at_work()
        .filter(resource__region__code__startswith=region.prefix)
        .select_for_update(of=("self",), no_key=True)
        .select_related("resource__region")
        .defer("resource__place", "resource__shown_cell")
        .order_by("pk")
    )
    return sum(_recount(row, why) for row in rows)


def _recount(request: ShareRequest, why: str) -> bool:
    clock = CaseClock.objects.select_for_update(no_key=True).filter(request=request, outcome="running").first()
    if clock is None or request.due_at is None or clock.rule in BY_CALENDAR:
        return False
    due_at = count_out(request, clock.rule, clock.days, clock.started_at)
    if due_at == request.due_at:
        return False
    clock.due_at = due_at
    clock.save(update_fields=["due_at"])
    before, request.due_at = request.due_at, due_at
    request.save(update_fields=["due_at"])
    request.offers.filter(state=Offer.State.OPEN).update(valid_until=due_at)
    held = Reservation.objects.filter(request_item__request=request, state=Reservation.State.HELD)
    held.update(expires_at=due_at + GRACE)
    record("request.recount_clock", request, by=None, organisation=request.owner, reason=why,
           before={"due_at": before.isoformat()}, after={"due_at": due_at.isoformat()})  # fmt: skip
    for organisation in (request.requester, request.owner):
        notify(
            organisation=organisation,
            code="request.recount_clock",
            payload={"request": str(request), "until": f"{due_at:%Y-%m-%d}", "reason": why[:300]},
            url=f"/requests/{request.pk}/",
            key=f"request:{request.pk}:until:{due_at:%Y%m%d}",
        )
    return True
