"""What is free when. Pure: reservations in, days out; CapacityPool.free is the database's own answer for today on."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from listings.models import CapacityPool, Reservation

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Units taken from starts_on to ends_on, both days included; ends_on None: without end."""

    quantity: Decimal
    starts_on: dt.date
    ends_on: dt.date | None


def first_day_free(
    total: Decimal, in_use: Decimal, spans: Iterable[Span], *, wanted: Decimal, today: dt.date
) -> dt.date | None:
    """The first day from which `wanted` units are free without end; None when that day never comes.

    Only days after a span ends can be the answer, so each is tried once from the last back: O(n log n).
    """
    room = total - in_use - wanted
    if room < 0:
        return None
    steps: dict[dt.date, Decimal] = {}
    for span in spans:
        if span.ends_on is not None and span.ends_on < today:
            continue
        start = max(span.starts_on, today)
        steps[start] = steps.get(start, Decimal(0)) + span.quantity
        if span.ends_on is not None:
            after = span.ends_on + ONE_DAY
            steps[after] = steps.get(after, Decimal(0)) - span.quantity
    taken, levels = Decimal(0), []
    for day in sorted(steps):
        taken += steps[day]
        levels.append((day, taken))
    best = today
    for index, (_day, level) in enumerate(levels):
        if level > room:
            if index + 1 == len(levels):
                return None  # that many stay taken without end
            best = levels[index + 1][0]
    return best


@dataclass(frozen=True)
class PoolView:
    """A pool as a page shows it. held counts until a clock, confirmed by signature; both as of today's peak."""

    pool: CapacityPool
    held: Decimal
    confirmed: Decimal
    next_free_on: dt.date | None  # None: free now, or never without a release

    @property
    def is_full(self) -> bool:
        return self.pool.free <= 0


def pool_views(
    pools: Sequence[CapacityPool], active: Mapping[int, Sequence[Reservation]], *, today: dt.date
) -> list[PoolView]:
    """One view per pool; active: the pool's held and confirmed reservations by pool id."""
    views = []
    for pool in pools:
        reservations = active.get(pool.pk, ())
        held = sum((r.quantity for r in reservations if r.state == Reservation.State.HELD), Decimal(0))
        held = min(held, pool.taken)  # holds may follow one another: never show more than the peak
        next_free_on = None
        if pool.free < 1:
            spans = [Span(r.quantity, r.starts_on, r.ends_on) for r in reservations]
            next_free_on = first_day_free(pool.total, pool.in_use, spans, wanted=Decimal(1), today=today)
        views.append(PoolView(pool, held, pool.taken - held, next_free_on))
    return views


def views_of(pools: Sequence[CapacityPool], *, today: dt.date) -> list[PoolView]:
    """The same, with the reservations fetched. Queries once, whatever the number of pools."""
    active: dict[int, list[Reservation]] = {}
    ids = [pool.pk for pool in pools]
    for reservation in Reservation.objects.active().filter(pool_id__in=ids).order_by("pool_id", "starts_on", "pk"):
        active.setdefault(reservation.pool_id, []).append(reservation)
    return pool_views(pools, active, today=today)
