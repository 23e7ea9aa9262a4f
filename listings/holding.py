"""The two statements by which capacity is kept and given back (SQL functions capacity_hold and capacity_move): many ask
for the same pools at the same moment, and a pool's row stays locked for as long as its transaction lasts.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.utils import timezone

from accounts import prepared
from accounts.models import Organisation, User

from .models import Reservation
from .models.capacity import Unit

COLUMNS = (
    "id", "pool_id", "organisation_id", "quantity", "starts_on", "ends_on", "state", "expires_at", "idempotency_key",
    "created_by_id", "created_at",
)  # fmt: skip
HOLD = f"""
SELECT {", ".join(COLUMNS)} FROM capacity_hold(%(pools)s, %(amounts)s, %(organisation)s, %(person)s, %(first)s,
  %(last)s, %(until)s, %(attempt)s, %(wait_ms)s, %(reservation_type)s, %(units)s, %(words)s, %(until_text)s, %(now)s)
"""
MOVE = """
SELECT capacity_move(%(ids)s, %(known)s, %(target)s, %(is_strict)s, %(what)s, %(person)s, %(why)s, %(wait_ms)s,
  %(reservation_type)s, %(units)s, %(words)s)
"""
TYPES = {
    "pools": "bigint[]", "amounts": "text[]", "organisation": "bigint", "person": "bigint", "first": "date",
    "last": "date", "until": "timestamptz", "attempt": "uuid", "wait_ms": "int", "reservation_type": "int",
    "units": "text[]", "words": "text[]", "until_text": "text", "now": "timestamptz",
    "ids": "bigint[]", "known": "text[]", "target": "text",
    "is_strict": "boolean", "what": "text", "why": "text",
}  # fmt: skip


def in_one_transaction() -> AbstractContextManager[Any]:
    """Inside a transaction a savepoint; outside, the statement is a transaction itself: one trip, not three."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def _common(by: User | None, wait_ms: int) -> dict[str, Any]:
    return {
        "person": by.pk if by else None, "wait_ms": wait_ms, "units": Unit.values,
        "reservation_type": ContentType.objects.get_for_model(Reservation).pk,
        "words": [str(label) for label in Unit.labels],
    }  # fmt: skip


def hold(
    quantities: Mapping[int, Decimal],
    *,
    organisation: Organisation,
    by: User | None,
    starts_on: dt.date,
    ends_on: dt.date | None,
    expires_at: dt.datetime,
    key: UUID,
    wait_ms: int,
) -> list[Reservation]:
    """The holds made, or those the key made before, by pool; none where holds on these pools have run out and must be
    expired first. Locks the pools. Raises IntegrityError (pool_never_oversold), OperationalError after wait_ms.
    """
    asked = sorted(quantities.items())
    values = {
        **_common(by, wait_ms), "pools": [pool for pool, _ in asked], "amounts": [str(units) for _, units in asked],
        "organisation": organisation.pk, "first": starts_on, "last": ends_on, "until": expires_at, "attempt": str(key),
        "until_text": expires_at.isoformat(), "now": timezone.now(),
    }  # fmt: skip
    with in_one_transaction(), connection.cursor() as cursor:
        prepared.execute(cursor, HOLD, values, TYPES)
        return [Reservation.from_db("default", COLUMNS, row) for row in cursor.fetchall()]


def move(
    ids: Iterable[int],
    *,
    known: Sequence[str],
    to: str,
    verb: str,
    by: User | None,
    reason: str = "",
    is_strict: bool = False,
    wait_ms: int,
) -> list[int] | None:
    """Brings those of the reservations that are in a known state into another; gives their ids.

    is_strict: gives None, and moves nothing, where one is in none of the states. Locks the pools, then the rows.
    """
    values = {
        **_common(by, wait_ms), "ids": sorted(ids), "known": list(known), "target": to, "is_strict": is_strict,
        "what": verb, "why": reason[:500],
    }  # fmt: skip
    with in_one_transaction(), connection.cursor() as cursor:
        prepared.execute(cursor, MOVE, values, TYPES)
        moved: list[int] | None = cursor.fetchone()[0]
    return moved
