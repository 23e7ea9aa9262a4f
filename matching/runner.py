"""Carries a run out: candidates → criteria → allocation → reasons → stored results, in stages one can watch."""

import logging
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.events import record
from listings.models import CapacityPool

from . import candidates
from .core import reasons
from .core.allocation import allocate
from .core.criteria import margins, meets, scores, values
from .core.problem import Problem, Solution, Weights
from .models import Allocation, MatchResult, MatchRun

log = logging.getLogger(__name__)

ALTERNATIVES = 3  # other fitting resources kept per line
TIME_LIMIT_S = 60.0
STALE_AFTER = timedelta(minutes=3)  # a run that long without a heartbeat lost its worker


class Cancelled(Exception):
    """Somebody asked the run to stop."""


class Progress:
    """Writes stage and share to the run's row, at most a few times a second, and stops when asked to."""

    def __init__(self, run: MatchRun):
        self.run = run
        self.written_at = 0.0

    def __call__(self, stage: str, pct: float, *, is_forced: bool = False) -> None:
        now = time.monotonic()
        if not is_forced and now - self.written_at < 0.3:
            return
        self.written_at = now
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
    tell("candidates", 5, is_forced=True)
    found = candidates.load(run.demand_list, radius_m=run.parameters["radius_m"], today=timezone.localdate())
    tell("criteria", 35, is_forced=True)
    margin = margins(found.pairs)
    ok = meets(margin)
    weights = Weights(**run.parameters["weights"])
    score = scores(found.pairs, weights)
    possible = np.flatnonzero(ok.all(axis=0))
    worth = values(score, found.pairs.line, found.priority)
    problem = Problem(
        line_count=len(found.line_ids),
        line=found.pairs.line[possible],
        pool=found.pairs.pool[possible],
        quantity=found.pairs.quantity_asked[possible],
        power_pool=found.pairs.power_pool[possible],
        power=np.nan_to_num(found.pairs.kw_asked[possible]),
        value=worth[possible],
        capacity=found.capacity,
    )
    tell("allocation", 40, is_forced=True)
    solution = allocate(
        problem,
        seed=run.parameters["seed"],
        time_limit_s=TIME_LIMIT_S,
        on_progress=lambda share: tell("allocation", 40 + 40 * share),
    )
    tell("reasons", 82, is_forced=True)
    chosen = np.where(solution.choice >= 0, possible[np.maximum(solution.choice, 0)] if len(possible) else -1, -1)
    results, allocations = _results(run, found, margin, ok, score, chosen)
    tell("storing", 92, is_forced=True)
    _store(run, results, allocations, _figures(found, solution, chosen, len(possible), time.monotonic() - began))


def _results(
    run: MatchRun,
    found: candidates.Candidates,
    margin: np.ndarray,
    ok: np.ndarray,
    score: np.ndarray,
    chosen: np.ndarray,
) -> tuple[list[MatchResult], list[tuple[int, int, Decimal]]]:
    """One MatchResult per line, and (line index, pool id, quantity) for what is given to it."""
    pairs = found.pairs
    order = np.argsort(pairs.line, kind="stable")
    starts = np.searchsorted(pairs.line[order], np.arange(len(found.line_ids) + 1))
    results, given = [], []
    for index, line_id in enumerate(found.line_ids):
        members = order[starts[index] : starts[index + 1]]
        pair = int(chosen[index])
        result = MatchResult(run=run, line_id=int(line_id), verdict=MatchResult.Verdict.UNMET)
        if pair >= 0:
            result.verdict = MatchResult.Verdict.MET
            result.resource_id = int(found.resource_ids[pair])
            result.score = round(float(score[pair]), 4)
            result.distance_m = round(float(pairs.distance_m[pair]), 1)
            result.cost_fen_per_year = _whole(pairs.cost_fen[pair])
            result.reasons = reasons.of_pair(pairs, margin, pair)
            given.append((index, int(found.pool_keys[pairs.pool[pair]]), Decimal(str(pairs.quantity_asked[pair]))))
            power = int(pairs.power_pool[pair])
            if power >= 0 and found.pool_keys[power] > 0:
                given.append((index, int(found.pool_keys[power]), Decimal(str(pairs.kw_asked[pair]))))
        else:
            result.reasons = [_unmet(found, margin, ok, members)]
        result.alternatives = _alternatives(found, margin, ok, score, members, pair)
        results.append(result)
    return results, given


def _unmet(found: candidates.Candidates, margin: np.ndarray, ok: np.ndarray, members: np.ndarray) -> dict[str, Any]:
    """The reason of an unmet line, with pairs turned into resources and their own reasons."""
    reason = reasons.of_unmet(found.pairs, margin, ok, members)
    nearest = reason["nearest"]
    if nearest is not None:
        reason["nearest"] = _place_of(found, nearest) | {"reasons": reasons.of_pair(found.pairs, margin, nearest)}
    for step in reason["relaxations"]:
        step |= _place_of(found, step.pop("pair"))
    return reason


def _place_of(found: candidates.Candidates, pair: int) -> dict[str, Any]:
    return {
        "resource": int(found.resource_ids[pair]),
        "distance_m": round(float(found.pairs.distance_m[pair]), 1),
        "cost_fen_per_year": _whole(found.pairs.cost_fen[pair]),
    }


def _alternatives(
    found: candidates.Candidates,
    margin: np.ndarray,
    ok: np.ndarray,
    score: np.ndarray,
    members: np.ndarray,
    chosen: int,
) -> list[dict[str, Any]]:
    """The best other resources that meet every hard criterion."""
    taken = {int(found.resource_ids[chosen])} if chosen >= 0 else set()
    fitting = members[ok[:, members].all(axis=0)]
    best = []
    for pair in fitting[np.lexsort((fitting, -score[fitting]))]:
        resource = int(found.resource_ids[pair])
        if resource in taken:
            continue
        taken.add(resource)
        best.append(
            _place_of(found, int(pair))
            | {"score": round(float(score[pair]), 4), "reasons": reasons.of_pair(found.pairs, margin, int(pair))}
        )
        if len(best) == ALTERNATIVES:
            break
    return best


def _whole(value: float) -> int | None:
    return None if np.isnan(value) else int(round(value))


def _figures(
    found: candidates.Candidates, solution: Solution, chosen: np.ndarray, possible: int, seconds: float
) -> dict[str, Any]:
    met = chosen[chosen >= 0]
    cost = found.pairs.cost_fen[met]
    return {
        "lines": len(found.line_ids),
        "met": int(len(met)),
        "unmet": int(len(found.line_ids) - len(met)),
        "cost_fen_per_year": int(np.nansum(cost)),
        "to_be_negotiated": int(np.isnan(cost).sum()),
        "candidates": len(found.pairs),
        "possible": possible,
        "objective": round(solution.objective, 4),
        "bound": round(solution.bound, 4),
        "gap": round(solution.gap, 6),
        "gap_pct": round(solution.gap * 100, 2),
        "seconds": round(seconds, 2),
    }


@transaction.atomic
def _store(
    run: MatchRun, results: list[MatchResult], given: list[tuple[int, int, Decimal]], figures: dict[str, Any]
) -> None:
    """All results of a run, or none: also when a dead worker's half is started over."""
    locked = MatchRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if locked.is_cancel_asked:
        raise Cancelled
    run.results.all().delete()
    # A resource or pool deleted while the run went on is no longer there to point at.
    MatchResult.objects.bulk_create(results, batch_size=1000)
    alive = set(CapacityPool.objects.filter(pk__in={pool for _i, pool, _q in given}).values_list("pk", flat=True))
    Allocation.objects.bulk_create(
        [Allocation(result=results[i], pool_id=pool, quantity=q) for i, pool, q in given if pool in alive],
        batch_size=1000,
    )
    MatchRun.objects.filter(pk=run.pk).update(
        state=MatchRun.State.DONE, stage="done", progress_pct=100, figures=figures, finished_at=timezone.now()
    )
    record("run.finish", run, by=None, organisation=run.demand_list.bureau, after=figures)
