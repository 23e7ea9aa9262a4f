"""Deadlines: a region's rule and the working-day calendar put together."""

import datetime as dt

from django.utils import timezone

from . import workdays
from .models import Region
from .rules import rule


def deadline_for(key: str, region: Region | str | None, *, at: dt.datetime | None = None) -> dt.datetime:
    """When the clock `key` ("clock.…" of rules.DEFAULTS) runs out if it starts at `at` (default now). Queries twice."""
    at = at or timezone.now()
    on = timezone.localdate(at)
    return workdays.deadline(at, rule(key, region, on=on).whole, rule("filing.cutoff_minutes", region, on=on).whole)
