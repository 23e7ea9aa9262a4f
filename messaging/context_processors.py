from django.db.models import F
from django.utils.functional import SimpleLazyObject

from .models import Notification, ReadMark, Thread


def unread(request):
    """Counts of the top bar: conversations with something new, unread notifications. One query each, when shown."""
    return {
        "unread_threads": SimpleLazyObject(lambda: unread_threads(request)),
        "unread_notifications": SimpleLazyObject(lambda: unread_notifications(request)),
    }


def unread_threads(request) -> int:
    """In how many of the organisation's conversations the person has not read the latest. Queries once."""
    membership = getattr(request, "membership", None)
    if not membership:
        return 0
    read = ReadMark.objects.filter(user=request.user, last_number__gte=F("thread__last_number"))
    return (
        Thread.objects.readable_by(membership).filter(last_number__gt=0).exclude(pk__in=read.values("thread")).count()
    )


def unread_notifications(request) -> int:
    """How many notifications the person has not read. Queries once."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return 0
    return Notification.objects.filter(user=user, read_at=None).count()
