"""Hold, confirm and release units of capacity. Pools are locked once, ids sorted, before anything is summed."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Organisation, User
from listings.models import CapacityPool, Reservation
from listings.wording import quantity_text

LOCK_TIMEOUT_MS = 3_000  # a person waits that long at most before "busy, try again"


def lock_pools(pool_ids: Iterable[int]) -> dict[int, CapacityPool]:
    """The pools by id, their rows locked in id order until the transaction ends.

    Raises Refused("busy") when another transaction keeps one locked for longer than LOCK_TIMEOUT_MS.
    """
    ids = sorted(set(pool_ids))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_TIMEOUT_MS}ms"])
    try:
        # NO KEY: foreign keys of other rows to a pool must not wait for us.
        rows = CapacityPool.objects.select_for_update(of=("self",), no_key=True).select_related("resource")
        rows = rows.defer("resource__place", "resource__shown_cell").filter(pk__in=ids).order_by("pk")
        return {pool.pk: pool for pool in rows}
    except OperationalError as error:
        raise Refused(
            _("Others are reserving here at this moment. Try again in a few seconds."), code="busy"
        ) from error


@transaction.atomic
def hold(
    *,
    quantities: Mapping[int, Decimal],
    organisation: Organisation,
    by: User | None,
    starts_on: dt.date,
    ends_on: dt.date | None,
    expires_at: dt.datetime,
    key: UUID,
) -> list[Reservation]:
    """Holds units of one or more pools ({pool id: quantity}) until expires_at: all of them or none.

    The same key again returns the holds it made the first time. Raises Refused, saying what is free,
    when a pool has not that much left over the period, Refused("busy") on a lock timeout, and Refused("other_key") for
    a key that held something else: other pools, units or days, or for another organisation.
    """
    pools = lock_pools(quantities)
    made = list(Reservation.objects.filter(idempotency_key=key).order_by("pool_id"))
    if made:
        _require_same(made, quantities, organisation, starts_on, ends_on)
        return made
    expire_due(pool_ids=list(pools))
    reservations = []
    for pool_id, quantity in sorted(quantities.items()):
        pool = pools[pool_id]
        reservation = Reservation(
            pool=pool,
            organisation=organisation,
            quantity=quantity,
            starts_on=starts_on,
            ends_on=ends_on,
            expires_at=expires_at,
            idempotency_key=key,
            created_by=by,
        )
        # pool and organisation are rows just read: asking for them again would double the queries of a hold
        reservation.full_clean(
            exclude=["pool", "organisation", "created_by"], validate_unique=False, validate_constraints=False
        )
        try:
            with transaction.atomic():
                reservation.save(force_insert=True)
        except IntegrityError as error:
            if "pool_never_oversold" not in str(error):
                raise
            pool.refresh_from_db()
            raise Refused(
                _("%(pool)s: %(asked)s asked, %(free)s free.")
                % {
                    "pool": pool.label or pool.get_unit_display(),
                    "asked": quantity_text(quantity, pool.unit),
                    "free": quantity_text(pool.free, pool.unit),
                },
                code="no_space",
            ) from error
        record(
            "reservation.hold",
            reservation,
            by=by,
            organisation=organisation,
            after={"pool": pool_id, "quantity": str(quantity), "expires_at": expires_at.isoformat()},
        )
        reservations.append(reservation)
    return reservations


def _require_same(
    made: list[Reservation],
    quantities: Mapping[int, Decimal],
    organisation: Organisation,
    starts_on: dt.date,
    ends_on: dt.date | None,
) -> None:
    is_same = {row.pool_id: row.quantity for row in made} == dict(quantities) and all(
        (row.organisation_id, row.starts_on, row.ends_on) == (organisation.pk, starts_on, ends_on) for row in made
    )
    if not is_same:
        raise Refused(_("This form was used for something else already: open it anew."), code="other_key")


def _move(reservations: list[Reservation], to: str, *, by: User | None, verb: str, reason: str = "") -> None:
    for reservation in sorted(reservations, key=lambda r: r.pk):
        before = {"state": reservation.state}
        reservation.state = to
        reservation.save(update_fields=["state"])
        record(
            verb,
            reservation,
            by=by,
            organisation=reservation.organisation,
            before=before,
            after={"state": to},
            reason=reason,
        )


def _locked(reservation_ids: Iterable[int]) -> list[Reservation]:
    """The reservations, their pools locked first and then their own rows, both in id order."""
    ids = list(reservation_ids)
    lock_pools(Reservation.objects.filter(pk__in=ids).order_by("pool_id").values_list("pool_id", flat=True))
    return list(
        Reservation.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__in=ids)
        .select_related("organisation", "pool__resource")
        .defer("pool__resource__place", "pool__resource__shown_cell")
        .order_by("pk")
    )


@transaction.atomic
def confirm(*, reservations: Iterable[Reservation], by: User | None) -> None:
    """Turns holds into confirmed reservations (by signature). Raises Refused when one is no longer held."""
    rows = _locked(r.pk for r in reservations)
    if any(row.state != Reservation.State.HELD for row in rows):
        raise Refused(_("The hold on this capacity has ended. Make a new request."), code="hold_ended")
    _move(rows, Reservation.State.CONFIRMED, by=by, verb="reservation.confirm")


@transaction.atomic
def release(*, reservations: Iterable[Reservation], by: User | None, reason: str = "") -> None:
    """Gives held or confirmed units back. Those already released or expired stay as they are."""
    rows = [row for row in _locked(r.pk for r in reservations) if row.state in Reservation.ACTIVE]
    _move(rows, Reservation.State.RELEASED, by=by, verb="reservation.release", reason=reason)


@transaction.atomic
def extend(*, reservations: Iterable[Reservation], expires_at: dt.datetime, by: User | None) -> None:
    """Moves the end of holds later, never earlier. Raises Refused when one is no longer held."""
    rows = _locked(r.pk for r in reservations)
    if any(row.state != Reservation.State.HELD for row in rows):
        raise Refused(_("The hold on this capacity has ended. Make a new request."), code="hold_ended")
    for row in rows:
        if row.expires_at is None or row.expires_at < expires_at:
            row.expires_at = expires_at
            row.save(update_fields=["expires_at"])


@transaction.atomic
def expire_due(*, now: dt.datetime | None = None, pool_ids: list[int] | None = None) -> int:
    """Expires holds whose clock has run out (of the pools named, or of all); gives how many. Idempotent."""
    due = Reservation.objects.due(now or timezone.now())
    if pool_ids is not None:
        due = due.filter(pool_id__in=pool_ids)
    ids = list(due.order_by("pk").values_list("pk", flat=True))
    if not ids:
        return 0
    rows = [row for row in _locked(ids) if row.state == Reservation.State.HELD]
    _move(rows, Reservation.State.EXPIRED, by=None, verb="reservation.expire")
    return len(rows)
