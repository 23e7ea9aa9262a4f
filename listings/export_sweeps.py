"""Clocks of files out and of acts on many: dead work is taken up again, files go when their time is up."""

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from accounts.jobs import every
from listings.actions import bulk, exports
from listings.models import ExportJob

LATE_S = 60  # waiting this long: its task was lost with its worker
AT_ONCE = 5


@every(seconds=30)
def take_up_exports() -> int:
    """Goes on with files whose worker has gone silent. Gives how many; live ones are passed by."""
    now = timezone.now()
    waiting = Q(state=ExportJob.State.WAITING, created_at__lt=now - dt.timedelta(seconds=LATE_S))
    silent = Q(state=ExportJob.State.WORKING, heartbeat_at__lt=now - dt.timedelta(seconds=exports.DEAD_S))
    ids = list(
        ExportJob.objects.filter(waiting | silent, organisation__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)[:AT_ONCE]
    )
    for pk in ids:
        exports.write(pk)
    return len(ids)


@every(seconds=600)
def expire_exports() -> int:
    """Takes files away that nobody may fetch any longer."""
    return exports.expire_due()


@every(seconds=30)
def take_up_bulk() -> int:
    """Goes on with acts on many resources whose worker has gone silent; forgets those nobody confirmed."""
    return bulk.take_up()
