"""How old the facts about a resource are, against the region's rule. Pure."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Freshness:
    """facts_on None: never dated. stale_since: the day from which the facts count as stale, if that has come."""

    facts_on: dt.date | None
    stale_since: dt.date | None

    @property
    def is_stale(self) -> bool:
        return self.facts_on is None or self.stale_since is not None


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day of the month so many months later, or the month's last."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    for number in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month, number)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def months_earlier(day: dt.date, months: int) -> dt.date:
    return months_later(day, -months)


def freshness(facts_on: dt.date | None, *, stale_months: int, today: dt.date) -> Freshness:
    """Whether the facts are older than the rule freshness.stale_months allows."""
    if facts_on is None:
        return Freshness(None, None)
    stale_on = months_later(facts_on, stale_months)
    return Freshness(facts_on, stale_on if stale_on <= today else None)
