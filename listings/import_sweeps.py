"""Clocks of imports: dead jobs are taken up again, abandoned ones forgotten."""

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from accounts.jobs import every
from listings.actions import imports
from listings.imports import limits
from listings.models import ImportJob

BUSY = [ImportJob.State.UPLOADED, ImportJob.State.READING, ImportJob.State.CHECKING, ImportJob.State.STORING]
STORED_LATE_S = 60  # confirmed this long ago and still not stored: its task was lost with its worker


@every(seconds=30)
def take_up_imports() -> int:
    """Goes on with imports whose worker has gone silent. Gives how many; live ones are passed by."""
    now = timezone.now()
    silent = Q(heartbeat_at__lt=now - dt.timedelta(seconds=limits.HEARTBEAT_DEAD_S))
    never = Q(heartbeat_at=None, created_at__lt=now - dt.timedelta(seconds=STORED_LATE_S))
    storing = Q(state=ImportJob.State.STORING, confirmed_at__lt=now - dt.timedelta(seconds=STORED_LATE_S))
    dead = ImportJob.objects.filter(state__in=BUSY).filter(silent | never | storing).order_by("pk")
    ids = list(dead.values_list("pk", flat=True)[:10])
    for pk in ids:
        imports.work(pk)
    return len(ids)


@every(seconds=3600)
def forget_imports() -> int:
    """Cancels imports that nobody went on with for limits.ABANDONED_DAYS; their rows and files go."""
    before = timezone.now() - dt.timedelta(days=limits.ABANDONED_DAYS)
    old = ImportJob.objects.filter(state__in=imports.OPEN, created_at__lt=before).order_by("pk")
    for job in old[:100]:
        imports.forget(job=job)
    return len(old[:100])
