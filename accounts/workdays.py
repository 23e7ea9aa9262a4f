"""Working days by the Chinese calendar, holidays and make-up workdays included. Pure: no queries.

Source: the State Council's yearly notices, as carried by the package chinesecalendar. Years it does
not know yet fall back to Monday–Friday, and `is_known_year` says so.
"""

import datetime as dt
from functools import lru_cache

import chinese_calendar
from django.utils import timezone

ONE_DAY = dt.timedelta(days=1)


@lru_cache(maxsize=4096)
def is_workday(day: dt.date) -> bool:
    """Whether offices work on the day; make-up Saturdays and Sundays count."""
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


def add_workdays(start: dt.date, count: int) -> dt.date:
    """The last day of a period of `count` working days that begins on the day after `start`.

    count=0 gives start itself. ValueError for a negative count.
    """
    if count < 0:
        raise ValueError("count must not be negative")
    day = start
    while count:
        day += ONE_DAY
        count -= is_workday(day)
    return day


def workdays_between(start: dt.date, end: dt.date) -> int:
    """How many working days lie after start up to and including end; negative when end is earlier."""
    if end < start:
        return -workdays_between(end, start)
    days = (start + ONE_DAY * i for i in range(1, (end - start).days + 1))
    return sum(is_workday(day) for day in days)


def filing_day(at: dt.datetime, cutoff_minutes: int) -> dt.date:
    """The day a filing counts as made: today, or after the cut-off or on a day off the next working day."""
    local = timezone.localtime(at)
    day = local.date()
    if is_workday(day) and local.hour * 60 + local.minute < cutoff_minutes:
        return day
    return add_workdays(day, 1)


def deadline(at: dt.datetime, working_days: int, cutoff_minutes: int) -> dt.datetime:
    """The last moment of a clock of `working_days` started by a filing at `at`: the end of its last day."""
    last = add_workdays(filing_day(at, cutoff_minutes), working_days)
    return timezone.make_aware(dt.datetime.combine(last + ONE_DAY, dt.time.min)) - dt.timedelta(seconds=1)
