"""Periods in whole months. Pure."""

import calendar
import datetime as dt


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month `months` later; the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_day(starts_on: dt.date, months: int) -> dt.date:
    """The last day of a period of `months` that begins on starts_on: 1 January for 12 months → 31 December."""
    return add_months(starts_on, months) - dt.timedelta(days=1)
