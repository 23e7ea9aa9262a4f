"""Deadlines: a region's rule and the working-day calendar put together.

A changed calendar recounts every open clock: each room registers how its own are recounted (recounts()), and
accounts.actions.calendar calls them in the transaction that changes the day.
"""

import datetime as dt
from collections.abc import Callable

from django.utils import timezone

from . import workdays
from .models import CalendarDay, Region
from .rules import rule

# (region whose calendar changed, why in words) → how many clocks moved
Recount = Callable[[Region, str], int]
RECOUNTS: list[Recount] = []


def recounts(function: Recount) -> Recount:
    """Registers a function that recounts a room's open clocks in a region; once, however often it is imported."""
    if function not in RECOUNTS:
        RECOUNTS.append(function)
    return function


def deadline_for(key: str, region: Region | str | None, *, at: dt.datetime | None = None) -> dt.datetime:
    """When the clock `key` ("clock.…" of rules.DEFAULTS) runs out if it starts at `at` (default now). Three queries."""
    at = at or timezone.now()
    on = timezone.localdate(at)
    return deadline_after(at, rule(key, region, on=on).whole, region)


def deadline_after(at: dt.datetime, working_days: int, region: Region | str | None) -> dt.datetime:
    """The last moment of a period of so many working days begun at `at` in the region. Queries twice."""
    cutoff = rule("filing.cutoff_minutes", region, on=timezone.localdate(at)).whole
    return workdays.deadline(at, working_days, cutoff, own_days(region))


def own_days(region: Region | str | None) -> dict[dt.date, bool]:
    """The days set for the region over the package's calendar. Queries once."""
    return CalendarDay.objects.holding_in(region).as_calendar()


def workdays_left(due_at: dt.datetime, region: Region | str | None) -> int:
    """Working days from today up to the due day by the region's own calendar; negative once it lies behind."""
    return workdays.workdays_between(timezone.localdate(), timezone.localdate(due_at), own_days(region))
