"""What script/chaos capacity asks of a web process: hold and release through the product's own actions, and the
control that takes the locks out. Nothing here is part of the product's addresses."""

import datetime as dt
import json
import time
from decimal import Decimal
from uuid import UUID

PERIOD_DAYS = 365
# The database's own rule and the lock of its trigger, gone; the count is kept as it was read.
UNLOCKED = """
ALTER TABLE listings_capacitypool DROP CONSTRAINT pool_never_oversold;
DROP TRIGGER reservation_counts ON listings_reservation;
"""


def hold(quantities, organisation, by, key):
    """One attempt, as the request form makes it: over a period, until tomorrow."""
    from django.utils import timezone

    from listings.actions import capacity

    first = timezone.localdate() + dt.timedelta(days=10)
    return capacity.hold(
        quantities=quantities, organisation=organisation, by=by, starts_on=first,
        ends_on=first + dt.timedelta(days=PERIOD_DAYS), expires_at=timezone.now() + dt.timedelta(days=1), key=key,
    )  # fmt: skip


def add_views() -> None:
    from django.http import JsonResponse
    from django.urls import path

    from accounts.errors import Refused
    from listings.actions import capacity
    from listings.models import Reservation
    from sharing import urls

    def holds(request):
        if not request.user.is_authenticated or not request.membership:
            return JsonResponse({}, status=403)
        quantities = {int(pool): Decimal(units) for pool, units in json.loads(request.POST["quantities"]).items()}
        try:
            made = hold(quantities, request.membership.organisation, request.user, UUID(request.POST["key"]))
        except Refused as refusal:
            return JsonResponse({"code": refusal.code}, status=503 if refusal.code == "busy" else 409)
        return JsonResponse({"ids": [one.pk for one in made]}, status=201)

    def release(request):
        if not request.user.is_authenticated or not request.membership:
            return JsonResponse({}, status=403)
        rows = Reservation.objects.filter(
            idempotency_key=request.POST["key"], organisation=request.membership.organisation
        )
        try:
            capacity.release(reservations=list(rows.order_by("pk")), by=request.user)
        except Refused:
            return JsonResponse({}, status=503)
        return JsonResponse({}, status=200)

    urls.urlpatterns[:0] = [path("holds/", holds), path("holds/release/", release)]


def take_out_lock() -> None:
    """What is free is read, compared and written to as if nobody else were there."""
    from django.db import transaction
    from django.db.models import Sum

    from accounts.errors import Refused
    from listings.actions import capacity
    from listings.models import CapacityPool, Reservation

    @transaction.atomic
    def naive(*, quantities, organisation, by, starts_on, ends_on, expires_at, key):
        made = list(Reservation.objects.filter(idempotency_key=key).order_by("pool_id"))
        if made:
            return made
        for pool in CapacityPool.objects.filter(pk__in=quantities).order_by("pk"):
            taken = Reservation.objects.active().filter(pool=pool).aggregate(n=Sum("quantity"))["n"] or 0
            if pool.total - pool.in_use - taken < quantities[pool.pk]:
                raise Refused("full", code="no_space")
        time.sleep(0.1)  # the moment between reading and writing in which others read the same
        return [
            Reservation.objects.create(
                pool_id=pool_id, organisation=organisation, quantity=quantity, starts_on=starts_on, ends_on=ends_on,
                expires_at=expires_at, idempotency_key=key, created_by=by,
            )
            for pool_id, quantity in sorted(quantities.items())
        ]  # fmt: skip

    capacity.hold = naive
    capacity.lock_pools = lambda ids: {pool.pk: pool for pool in CapacityPool.objects.filter(pk__in=list(ids))}
