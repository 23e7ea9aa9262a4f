"""What the last signature under an amendment does to capacity and to the agreement it amends."""

from django.utils import timezone

from accounts.models import User
from agreements.keys import attempt_key
from agreements.models import Agreement, RequestItem, ShareRequest
from listings.actions import capacity

from .ends import end
from .holds import GRACE, agreed, items_of, lock_request, reservations_of


def take_over(request: ShareRequest, agreement: Agreement, items: list[RequestItem], *, by: User) -> None:
    """The amended agreement gives way: its units and those held beyond them become one reservation of what is agreed
    now, and what is no longer wanted is free. In the caller's transaction, both cases locked, older first."""
    assert request.amends is not None  # the database holds it
    base = lock_request(request.amends.request)
    before = [*reservations_of(items_of(base)), *reservations_of(items)]
    capacity.release(reservations=before, by=by, reason=agreement.reference)
    made = capacity.hold(
        quantities=agreed(agreement.offer),
        organisation=request.requester,
        by=by,
        starts_on=agreement.offer.starts_on,
        ends_on=agreement.offer.ends_on,
        expires_at=timezone.now() + GRACE,
        key=attempt_key("request", request.pk, "take over"),
    )
    capacity.confirm(reservations=made, by=by)
    by_pool = {reservation.pool_id: reservation for reservation in made}
    for item in items:
        item.reservation = by_pool.get(item.pool_id, item.reservation)
        item.save(update_fields=["reservation"])
    end(base, "supersede", by=None, organisation=None, note=agreement.reference)
