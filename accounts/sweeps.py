"""The sweeps of this room."""

import datetime as dt

from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from accounts.models import Session

from . import worker
from .jobs import every

KEEP_SUCCESSFUL = dt.timedelta(days=7)  # how long finished tasks can be looked at
KEEP_FAILED = dt.timedelta(days=60)


@every(seconds=30)
def fail_tasks_of_dead_workers() -> int:
    """Tasks whose process was killed stop being "running"; see accounts.worker."""
    return worker.fail_tasks_of_dead_workers()


@every(seconds=6 * 60 * 60)
def forget_finished_tasks() -> int:
    """Drops the records of tasks that ended long ago."""
    now = timezone.now()
    tasks = DBTaskResult.objects
    done = tasks.filter(status=TaskResultStatus.SUCCESSFUL, finished_at__lt=now - KEEP_SUCCESSFUL).delete()[0]
    return done + tasks.filter(status=TaskResultStatus.FAILED, finished_at__lt=now - KEEP_FAILED).delete()[0]


@every(seconds=24 * 60 * 60)
def forget_expired_sessions() -> int:
    """Drops sessions nobody can use any more."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
