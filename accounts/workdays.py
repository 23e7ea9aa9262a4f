"""Working days by the Chinese calendar, holidays and make-up workdays included. Pure: no queries.

Source: the State Council's yearly notices, as carried by the package chinesecalendar. Years it does
not know yet fall back to Monday–Friday, and `is_known_year` says so. Days that a bureau has set since
(accounts.models.CalendarDay) come in as `own`: {day: is it a working day}.
"""

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

import chinese_calendar
from django.utils import timezone

ONE_DAY = dt.timedelta(days=1)
Own = Mapping[dt.date, bool]
NONE: Own = {}


def is_workday(day: dt.date, own: Own = NONE) -> bool:
    """Whether offices work on the day; make-up Saturdays and Sundays count, and what the bureau has set goes first."""
    return own[day] if day in own else _is_workday(day)


@lru_cache(maxsize=4096)
def _is_workday(day: dt.date) -> bool:
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        return day.weekday() < 5


@lru_cache(maxsize=64)
def is_known_year(year: int) -> bool:
    """Whether the holidays of the year have been decreed and are in the calendar."""
    try:
        chinese_calendar.is_workday(dt.date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def add_workdays(start: dt.date, count: int, own: Own = NONE) -> dt.date:
    """The last day of a period of `count` working days that begins on the day after `start`.

    count=0 gives start itself. ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("count must not be negative")
    day = start
    while count:
        day += ONE_DAY
        count -= is_workday(day, own)
    return day


def workdays_between(start: dt.date, end: dt.date, own: Own = NONE) -> int:
    """How many working days lie after start up to and including end; negative when end is earlier."""
    if end < start:
        return -workdays_between(end, start, own)
    days = (start + ONE_DAY * i for i in range(1, (end - start).days + 1))
    return sum(is_workday(day, own) for day in days)


def filing_day(at: dt.datetime, cutoff_minutes: int, own: Own = NONE) -> dt.date:
    """The day a filing counts as made: today, or after the cut-off or on a day off the next working day."""
    local = timezone.localtime(at)
    day = local.date()
    if is_workday(day, own) and local.hour * 60 + local.minute < cutoff_minutes:
        return day
    return add_workdays(day, 1, own)


def deadline(at: dt.datetime, working_days: int, cutoff_minutes: int, own: Own = NONE) -> dt.datetime:
    """The last moment of a clock of `working_days` started by a filing at `at`: the end of its last day."""
    last = add_workdays(filing_day(at, cutoff_minutes, own), working_days, own)
    return timezone.make_aware(dt.datetime.combine(last + ONE_DAY, dt.time.min)) - dt.timedelta(seconds=1)
