"""How many messages one person may send in a minute."""

import datetime as dt

from django.conf import settings
from django.db.models import Count, IntegerField, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import User

from .models import Message

WINDOW = dt.timedelta(seconds=60)


class TooMany(Refused):
    """Too many messages within the window. Nothing is stored; the same can be sent again later."""

    retry_after_seconds = 15


def sent_lately(user: User) -> Coalesce:
    """For annotate(): how many messages the person sent within the window."""
    rows = Message.objects.filter(author=user, created_at__gt=timezone.now() - WINDOW).order_by()
    counted = rows.exclude(kind=Message.Kind.EVENT).values("author").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))


def check(count: int) -> None:
    """Raises TooMany where the count has reached the cap (settings.MESSAGES_PER_MINUTE)."""
    if count >= settings.MESSAGES_PER_MINUTE:
        raise TooMany(
            _("You have sent %(count)d messages within a minute, which is the limit. Wait a moment, then send again.")
            % {"count": count},
            code="too_fast",
        )
