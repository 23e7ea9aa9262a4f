"""Hold, confirm and release units of capacity. Pools are locked once, ids sorted, before anything is summed."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Organisation, User
from listings import holding
from listings.models import CapacityPool, Reservation
from listings.wording import quantity_text

State = Reservation.State
LOCK_NOT_AVAILABLE = "55P03"  # of PostgreSQL: lock_timeout ran out
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
        raise _busy(error) from error


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
    a key that held something else: other pools, units or days, or for another organisation. One transaction, one
    statement (listings/holding.py).
    """
    for pool_id, quantity in quantities.items():
        asked = Reservation(
            pool_id=pool_id, organisation=organisation, quantity=quantity, starts_on=starts_on, ends_on=ends_on,
            expires_at=expires_at, idempotency_key=key, created_by=by,
        )  # fmt: skip
        # pool and organisation are foreign keys the database itself checks
        asked.full_clean(
            exclude=["pool", "organisation", "created_by"], validate_unique=False, validate_constraints=False
        )
    if not quantities:
        return []
    while True:
        try:
            made = holding.hold(
                quantities, organisation=organisation, by=by, starts_on=starts_on, ends_on=ends_on,
                expires_at=expires_at, key=key, wait_ms=LOCK_TIMEOUT_MS,
            )  # fmt: skip
        except OperationalError as error:
            raise _busy(error) from error
        except IntegrityError as error:
            if "pool_never_oversold" not in str(error):
                raise
            raise _not_that_much(quantities) from error
        if made:
            _require_same(made, quantities, organisation, starts_on, ends_on)
            return made
        expire_due(pool_ids=list(quantities))  # holds that ran out make room first


def _busy(error: OperationalError) -> Exception:
    """Refused("busy") for a lock that was not given in time; the error itself where the database is away."""
    if getattr(error.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE:
        return error
    return Refused(_("Others are reserving here at this moment. Try again in a few seconds."), code="busy")


def _not_that_much(quantities: Mapping[int, Decimal]) -> Refused:
    """Which pool has not enough, and what it has free."""
    pools = list(CapacityPool.objects.filter(pk__in=quantities).order_by("pk"))
    pool = next((one for one in pools if one.free < quantities[one.pk]), pools[0])
    return Refused(
        _("%(pool)s: %(asked)s asked, %(free)s free.")
        % {
            "pool": pool.label or pool.get_unit_display(),
            "asked": quantity_text(quantities[pool.pk], pool.unit),
            "free": quantity_text(pool.free, pool.unit),
        },
        code="no_space",
    )


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


def _move(reservations: Iterable[Reservation], known: Sequence[str], to: str, **rest: Any) -> list[int] | None:
    """holding.move() of these; Refused("busy") where others keep a pool locked."""
    try:
        return holding.move((r.pk for r in reservations), known=known, to=to, wait_ms=LOCK_TIMEOUT_MS, **rest)
    except OperationalError as error:
        raise _busy(error) from error


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


def confirm(*, reservations: Iterable[Reservation], by: User | None) -> None:
    """Turns holds into confirmed reservations (by signature). Raises Refused when one is no longer held."""
    moved = _move(reservations, [State.HELD], State.CONFIRMED, by=by, verb="reservation.confirm", is_strict=True)
    if moved is None:
        raise Refused(_("The hold on this capacity has ended. Make a new request."), code="hold_ended")


def release(*, reservations: Iterable[Reservation], by: User | None, reason: str = "") -> None:
    """Gives held or confirmed units back. Those already released or expired stay as they are."""
    _move(reservations, Reservation.ACTIVE, State.RELEASED, by=by, verb="reservation.release", reason=reason)


@transaction.atomic
def extend(*, reservations: Iterable[Reservation], expires_at: dt.datetime, by: User | None) -> None:
    """Moves the end of holds later, never earlier. Raises Refused when one is no longer held."""
    rows = _locked(r.pk for r in reservations)
    if any(row.state != State.HELD for row in rows):
        raise Refused(_("The hold on this capacity has ended. Make a new request."), code="hold_ended")
    for row in rows:
        if row.expires_at is None or row.expires_at < expires_at:
            row.expires_at = expires_at
            row.save(update_fields=["expires_at"])


def expire_due(*, now: dt.datetime | None = None, pool_ids: list[int] | None = None) -> int:
    """Expires holds whose clock has run out (of the pools named, or of all); gives how many. Idempotent."""
    due = Reservation.objects.due(now or timezone.now())
    if pool_ids is not None:
        due = due.filter(pool_id__in=pool_ids)
    rows = list(due.order_by("pk").only("pk"))
    if not rows:
        return 0
    return len(_move(rows, [State.HELD], State.EXPIRED, by=None, verb="reservation.expire") or [])
