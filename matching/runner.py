"""Carries a run out: candidates → criteria → allocation → reasons → stored results, in stages one can watch."""

import logging
import time
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.events import record

from . import storing
from .computing import Found, compute
from .models import MatchRun

log = logging.getLogger(__name__)

STALE_AFTER = timedelta(minutes=3)  # a run that long without a heartbeat lost its worker


class Cancelled(Exception):
    """Somebody asked the run to stop."""


class Progress:
    """Writes stage and share to the run's row, at most a few times a second, and stops when asked to."""

    def __init__(self, run: MatchRun):
        self.run = run
        self.written_at = 0.0
        self.stage = ""

    def __call__(self, stage: str, pct: float) -> None:
        now = time.monotonic()
        if stage == self.stage and now - self.written_at < 0.3:
            return
        self.written_at, self.stage = now, stage
        MatchRun.objects.filter(pk=self.run.pk).update(
            stage=stage, progress_pct=min(100, int(pct)), heartbeat_at=timezone.now()
        )
        if MatchRun.objects.filter(pk=self.run.pk, is_cancel_asked=True).exists():
            raise Cancelled


def claim(run_id: int) -> MatchRun | None:
    """Takes a waiting run, or one whose worker died, for this worker; None when another has it. One statement."""
    stale = timezone.now() - STALE_AFTER
    waiting = MatchRun.objects.filter(pk=run_id, state=MatchRun.State.QUEUED)
    orphaned = MatchRun.objects.filter(pk=run_id, state=MatchRun.State.RUNNING, heartbeat_at__lt=stale)
    now = timezone.now()
    taken = (waiting | orphaned).update(
        state=MatchRun.State.RUNNING, started_at=now, heartbeat_at=now, stage="candidates", progress_pct=0
    )
    return MatchRun.objects.select_related("demand_list__bureau").get(pk=run_id) if taken else None


def execute(run_id: int) -> None:
    """Runs a queued run to its end: done, cancelled, or failed with a sentence. Does nothing if it is taken."""
    run = claim(run_id)
    if run is None:
        return
    try:
        _carry_out(run)
    except Cancelled:
        _end(run, MatchRun.State.CANCELLED)
    except Exception:
        log.exception("match run %s failed", run_id)
        _end(
            run,
            MatchRun.State.FAILED,
            failure=_("The run stopped by a fault of ours; it has been logged. Start it again."),
        )


def _end(run: MatchRun, state: str, **fields: Any) -> None:
    MatchRun.objects.filter(pk=run.pk).update(state=state, finished_at=timezone.now(), **fields)


def _carry_out(run: MatchRun) -> None:
    began = time.monotonic()
    tell = Progress(run)
    found = compute(run.demand_list_id, run.parameters, today=timezone.localdate(), tell=tell)
    tell("storing", 92)
    _store(run, found, began)


@transaction.atomic
def _store(run: MatchRun, found: Found, began: float) -> None:
    """All results of a run, or none: also when a dead worker's half is started over."""
    locked = MatchRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if locked.is_cancel_asked:
        raise Cancelled
    run.results.all().delete()
    run.proposals.all().delete()
    storing.store(run, found)
    figures = found.figures() | {"seconds": round(time.monotonic() - began, 2)}
    MatchRun.objects.filter(pk=run.pk).update(
        state=MatchRun.State.DONE, stage="done", progress_pct=100, figures=figures, finished_at=timezone.now()
    )
    kept = {name: value for name, value in figures.items() if not isinstance(value, list | dict)}
    record("run.finish", run, by=None, organisation=run.demand_list.bureau, after=kept)
