"""Working-day arithmetic against the real holidays and make-up days of 2024–2026 (package chinesecalendar)."""

import datetime as dt

import chinese_calendar
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import workdays

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2026, 12, 31)
TABLE = {FIRST + dt.timedelta(days=n): None for n in range((LAST - FIRST).days + 1)}
TABLE = {day: chinese_calendar.is_workday(day) for day in TABLE}
days = st.dates(FIRST, dt.date(2026, 6, 30))
counts = st.integers(0, 60)


@pytest.mark.parametrize(
    ("day", "is_workday"),
    [
        ("2024-02-04", True), ("2024-02-10", False), ("2024-02-18", True), ("2024-04-07", True), ("2024-04-28", True),
        ("2024-05-11", True), ("2024-09-14", True), ("2024-09-29", True), ("2024-10-12", True), ("2024-10-07", False),
        ("2025-01-26", True), ("2025-02-08", True), ("2025-04-27", True), ("2025-09-28", True), ("2025-10-11", True),
        ("2025-01-28", False), ("2025-10-08", False), ("2025-06-02", False),
        ("2026-01-04", True), ("2026-02-14", True), ("2026-02-28", True), ("2026-05-09", True), ("2026-09-20", True),
        ("2026-10-10", True), ("2026-02-23", False), ("2026-10-07", False), ("2026-01-01", False),
    ],
)  # fmt: skip
def test_holidays_and_make_up_days_as_the_state_council_set_them(day, is_workday):
    assert workdays.is_workday(dt.date.fromisoformat(day)) is is_workday


def test_every_day_of_three_years_is_the_tables():
    assert {day: workdays.is_workday(day) for day in TABLE} == TABLE
    assert sum(TABLE.values()) > 740  # about 250 a year


@given(days, counts)
def test_a_period_ends_on_a_working_day_and_holds_as_many_as_it_says(start, count):
    end = workdays.add_workdays(start, count)
    held = [start + dt.timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(TABLE[day] for day in held) == count
    assert count == 0 or TABLE[end]
    assert workdays.workdays_between(start, end) == count


@given(days, counts, counts)
def test_periods_add_up_and_grow(start, first, second):
    middle = workdays.add_workdays(start, first)
    assert workdays.add_workdays(middle, second) == workdays.add_workdays(start, first + second)
    assert workdays.add_workdays(start, first + 1) > middle


@given(days, days)
def test_between_is_antisymmetric(one, other):
    assert workdays.workdays_between(one, other) == -workdays.workdays_between(other, one)


@given(days, counts, st.dictionaries(days, st.booleans(), max_size=20))
def test_days_a_bureau_set_go_before_the_table(start, count, own):
    end = workdays.add_workdays(start, count, own)
    held = [start + dt.timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(own.get(day, TABLE[day]) for day in held) == count


@given(days, st.integers(0, 23 * 60 + 59), st.integers(1, 30))
def test_a_filing_after_the_cut_off_counts_as_the_next_working_day(day, minute, count):
    moment = dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
    at = timezone.make_aware(moment)
    cutoff = 16 * 60 + 30
    filed = workdays.filing_day(at, cutoff)
    assert (filed == day) == (TABLE[day] and minute < cutoff)
    assert TABLE[filed]
    due = timezone.localtime(workdays.deadline(at, count, cutoff))
    assert due.date() == workdays.add_workdays(filed, count)
    assert (due.hour, due.minute, due.second) == (23, 59, 59)
