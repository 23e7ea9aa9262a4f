"""Deadlines: a region's rule and the working-day calendar put together.

A changed calendar recounts every open clock: each room registers how its own are recounted (recounts()), and
accounts.actions.calendar calls them in the transaction that changes the day.
"""

import datetime as dt
from collections.abc import Callable

from django.utils import timezone

from . import memory, workdays
from .models import CalendarDay, Region
from .models.regions import NATION_CODE
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


def shown_days(region: Region | str | None) -> dict[dt.date, bool]:
    """own_days(), remembered by this process: for what pages tell of a clock, never for setting one."""
    code = region.code if isinstance(region, Region) else region
    every = memory.remembered("calendar days", _all_days)
    above = [NATION_CODE, *([code[:2] + "0000", code[:4] + "00", code] if code else [])]
    return {day: is_workday for level in above for day, is_workday in every.get(level, {}).items()}


def _all_days() -> dict[str, dict[dt.date, bool]]:
    days: dict[str, dict[dt.date, bool]] = {}
    for region_id, day, is_workday in CalendarDay.objects.order_by("pk").values_list("region_id", "day", "is_workday"):
        days.setdefault(region_id, {})[day] = is_workday
    return days


def workdays_left(due_at: dt.datetime | dt.date, region: Region | str | None) -> int:
    """Working days from today up to the due day by the region's own calendar; negative once it lies behind."""
    due = timezone.localdate(due_at) if isinstance(due_at, dt.datetime) else due_at
    return workdays.workdays_between(timezone.localdate(), due, shown_days(region))
