"""Small facts every page shows, remembered by this process for a short while instead of asked for again."""

import time
from collections.abc import Callable, Hashable
from typing import Any

from django.db import connection

SECONDS = 30.0  # a new page of the CMS shows in the bar of every process after that long
_kept: dict[Hashable, tuple[float, Any]] = {}


def remembered(key: Hashable, make: Callable[[], Any]) -> Any:
    """What make() gave at most SECONDS ago for the key, in this database. Keys are few and fixed: nothing is dropped.

    For facts that are the same for every reader and may be told late; never for anything about a person or a place.
    """
    full_key = (connection.settings_dict["NAME"], key)
    now = time.monotonic()
    until, value = _kept.get(full_key, (0.0, None))
    if until <= now:
        value = make()
        _kept[full_key] = (now + SECONDS, value)
    return value


def forget() -> None:
    """Everything is asked for again: for tests, whose worlds come and go."""
    _kept.clear()
