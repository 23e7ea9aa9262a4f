"""What is free when, as SQL function pool_calendar says it, laid out as bars for the page."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from listings.models import CapacityPool

SHOWN_DAYS_MIN = 365
WIDTH, HEIGHT = 600, 80  # drawing units


@dataclass(frozen=True)
class Span:
    """From starts_on to ends_on (both included; None: without end) so much is taken here, so much free."""

    starts_on: dt.date
    ends_on: dt.date | None
    taken: Decimal
    free: Decimal
    x: float = 0
    width: float = 0
    y: float = 0
    height: float = 0


@dataclass(frozen=True)
class Calendar:
    pool: CapacityPool
    spans: list[Span]
    last_day: dt.date  # how far the drawing reaches
    marks: list[tuple[float, dt.date]]  # where a new year begins

    @property
    def changes(self) -> bool:
        """Whether there is anything to show beside the number of today."""
        return len(self.spans) > 1


def calendars(pools: Sequence[CapacityPool], *, since: dt.date) -> list[Calendar]:
    """One per pool, in their order. Queries once."""
    steps: dict[int, list[tuple]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.id, k.starts_on, k.ends_on, k.taken, k.free FROM listings_capacitypool p, "
            "LATERAL pool_calendar(p.id, %s) AS k WHERE p.id = ANY(%s) ORDER BY p.id, k.starts_on",
            [since, [pool.pk for pool in pools]],
        )
        for pool_id, *step in cursor.fetchall():
            steps.setdefault(pool_id, []).append(tuple(step))
    return [_laid_out(pool, steps.get(pool.pk, []), since) for pool in pools]


def next_free_on(pool: CapacityPool, wanted: Decimal, *, since: dt.date, days: int | None = None) -> dt.date | None:
    """The first day from which `wanted` units are free for so many days (None: without end); None: never. Queries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pool_next_free(%s, %s, %s, %s)", [pool.pk, wanted, since, days])
        return cursor.fetchone()[0]


def _laid_out(pool: CapacityPool, steps: Sequence[tuple], since: dt.date) -> Calendar:
    last_change = max((step[0] for step in steps), default=since)
    days = max(SHOWN_DAYS_MIN, int((last_change - since).days * 1.25))
    last_day = since + dt.timedelta(days=days)
    most = float(pool.total) or 1.0
    spans = []
    for starts_on, ends_on, taken, free in steps:
        x = (starts_on - since).days / days * WIDTH
        end = ((ends_on - since).days + 1) / days * WIDTH if ends_on else WIDTH
        height = max(0.0, float(free)) / most * HEIGHT
        spans.append(
            Span(starts_on, ends_on, taken, free, *(round(n, 1) for n in (x, end - x, HEIGHT - height, height)))
        )
    years = [dt.date(year, 1, 1) for year in range(since.year + 1, last_day.year + 1)]
    marks = [(round((day - since).days / days * WIDTH, 1), day) for day in years if day <= last_day]
    return Calendar(pool, spans, last_day, marks)
