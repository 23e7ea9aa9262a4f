"""How many messages one person may send in a minute."""

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.errors import Refused

WINDOW = dt.timedelta(seconds=60)


class TooMany(Refused):
    """Too many messages within the window. Nothing is stored; the same can be sent again later."""

    retry_after_seconds = 15


def cap() -> int:
    """How many messages a person may send within the window (settings.MESSAGES_PER_MINUTE)."""
    return int(settings.MESSAGES_PER_MINUTE)


def check(count: int) -> None:
    """Raises TooMany where the count has reached the cap."""
    if count >= cap():
        raise TooMany(
            _("You have sent %(count)d messages within a minute, which is the limit. Wait a moment, then send again.")
            % {"count": count},
            code="too_fast",
        )
