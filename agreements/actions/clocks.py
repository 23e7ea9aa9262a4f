"""What the clock does: requests whose time has run out end, and what they held is free again."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from agreements.models import ShareRequest

from .ends import end
from .holds import lock_request


def expire_due(*, now: dt.datetime | None = None) -> int:
    """Ends every open request whose clock has run out, each in its own transaction; gives how many.

    Idempotent, and catches up after downtime. A request another transaction moves at this moment is looked at
    after that one, under the lock.
    """
    moment = now or timezone.now()
    due = ShareRequest.objects.due(moment).order_by("due_at", "pk")
    return sum(_expire(request, moment) for request in due)


@transaction.atomic
def _expire(request: ShareRequest, now: dt.datetime) -> bool:
    fresh = lock_request(request)
    if not fresh.is_open or fresh.due_at is None or fresh.due_at > now:
        return False
    end(fresh, "expire", by=None, organisation=None)
    return True
