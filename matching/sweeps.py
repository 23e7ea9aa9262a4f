"""Runs whose worker died, or whose task was lost, are taken up again."""

from datetime import timedelta

from django.utils import timezone

from accounts.jobs import every

from . import news, runner
from .models import MatchRun


@every(seconds=10)
def tell_of_new_supply() -> int:
    """Tells applicants and owners of lines that newly published supply would serve; gives how many were told."""
    return news.tell_of_new_supply()


@every(seconds=60)
def take_up_orphaned_runs() -> int:
    """Starts over the runs that wait or run without a sign of life; gives how many. Idempotent: runs are claimed."""
    stale = timezone.now() - runner.STALE_AFTER
    waiting = MatchRun.objects.filter(state=MatchRun.State.QUEUED, created_at__lt=timezone.now() - timedelta(minutes=1))
    orphaned = MatchRun.objects.filter(state=MatchRun.State.RUNNING, heartbeat_at__lt=stale)
    ids = list((waiting | orphaned).order_by("pk").values_list("pk", flat=True))
    for run_id in ids:
        runner.execute(run_id)
    return len(ids)
