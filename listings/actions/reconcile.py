"""Nightly: what each pool says is taken against its reservations, summed anew."""

import logging
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, connection, transaction

from accounts.errors import Refused
from accounts.events import record

from .capacity import lock_pools

log = logging.getLogger(__name__)

# Pools whose count differs from the sum, and whether a reservation that ended before today explains it: the count is
# "from today on", and nothing writes to a pool because a day has passed.
DIFFERENT = """
SELECT p.id, p.taken, pool_peak(p.id),
       p.taken > pool_peak(p.id) AND EXISTS (SELECT FROM listings_reservation r WHERE r.pool_id = p.id
         AND r.state IN ('held', 'confirmed') AND r.ends_on < portal_today())
  FROM listings_capacitypool p
 WHERE (p.taken <> 0 OR EXISTS (SELECT FROM listings_reservation r
         WHERE r.pool_id = p.id AND r.state IN ('held', 'confirmed'))) AND p.taken <> pool_peak(p.id)
 ORDER BY p.id
"""


@dataclass(frozen=True)
class Difference:
    """taken: what the pool said; peak: what its reservations sum to. is_drift: no day that has passed explains it."""

    pool_id: int
    taken: Decimal
    peak: Decimal
    is_drift: bool
    is_mended: bool


def differences() -> list[tuple[int, Decimal, Decimal, bool]]:
    """(pool, taken, peak, is explained by days that have passed) of every pool that differs. Locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENT)
        return list(cursor.fetchall())


def reconcile() -> list[Difference]:
    """Counts every pool that differs anew, each in its own transaction under its lock; gives what was found.

    Drift is recorded and logged as an error: it must not happen. Where the true sum does not fit the total, the pool
    stays as it is and is reported each night until a person mends it. Idempotent.
    """
    found = [one for pool_id, *_rest in differences() if (one := _mend(pool_id))]
    for one in found:
        if one.is_drift:
            log.error("pool %d said %s taken, its reservations sum to %s", one.pool_id, one.taken, one.peak)
    return found


def _mend(pool_id: int) -> Difference | None:
    try:
        with transaction.atomic():
            pool = lock_pools([pool_id])[pool_id]
            now = next((row for row in differences() if row[0] == pool_id), None)
            if now is None:
                return None
            _pool, taken, peak, is_explained = now
            with connection.cursor() as cursor:
                cursor.execute("UPDATE listings_capacitypool SET taken = %s WHERE id = %s", [peak, pool_id])
            if not is_explained:
                before, after = {"taken": str(taken)}, {"taken": str(peak)}
                record("pool.reconcile", pool, by=None, before=before, after=after)
            return Difference(pool_id, taken, peak, not is_explained, is_mended=True)
    except Refused:  # busy: the next night looks again
        return None
    except IntegrityError:  # pool_never_oversold
        return Difference(pool_id, taken, peak, is_drift=True, is_mended=False)
