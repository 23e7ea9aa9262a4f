"""What happens before and when the clock of a case runs out: a warning, then what the states say."""

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import workdays
from accounts.errors import Refused
from accounts.rules import DEFAULTS, rule
from agreements import notices, states
from agreements.legs import waits_for_others
from agreements.models import CaseClock, ShareRequest

from .clock_rows import continue_clock, start_clock, stop_clock
from .ends import end
from .holds import items_of, keep_hold, lock_request
from .legs import await_others
from .records import add_step

Outcome = CaseClock.Outcome
WARN_BY = {"clock.use": "warning.use", "clock.exit_notice": "warning.use", states.TERM: "warning.term"}
CHAIN_MAX = 20  # clocks that ran out one after the other while no worker ran


def expire_due(*, now: dt.datetime | None = None) -> int:
    """Does what follows for every request whose clock has run out, each in its own transaction; gives how many.

    Idempotent. After downtime the clocks that ran out one after the other are caught up in turn, each started when
    the one before it ran out. A request another transaction moves at this moment is looked at after that one.
    """
    moment = now or timezone.now()
    due = ShareRequest.objects.due(moment).order_by("due_at", "pk")
    count = 0
    for request in due:
        chain = 0
        while chain < CHAIN_MAX and _run_out(request, moment):
            chain += 1
        count += chain > 0
    return count


@transaction.atomic
def _run_out(request: ShareRequest, now: dt.datetime) -> bool:
    fresh = lock_request(request)
    if fresh.due_at is None or fresh.due_at > now:
        return False
    if fresh.state == ShareRequest.State.AGREED and waits_for_others(fresh):
        await_others(fresh)
        return True
    verb = next(v for v, move in states.TRANSITIONS[fresh.state].items() if move.cause == states.Cause.CLOCK)
    if states.TRANSITIONS[fresh.state][verb].to in ShareRequest.ENDED:
        end(fresh, verb, by=None, organisation=None)
        return True
    try:
        with transaction.atomic():
            _move_on(fresh, verb)
    except Refused:  # the hold had lapsed and others have the capacity: nothing is left to talk about
        fresh = lock_request(request)
        end(fresh, "expire", by=None, organisation=None)
    return True


def _move_on(request: ShareRequest, verb: str) -> None:
    at = request.due_at or timezone.now()
    move = states.TRANSITIONS[request.state][verb]
    before = request.state
    stop_clock(request, Outcome.RUN_OUT, at=at)
    if move.goes_back:
        request.state, request.resume_state, request.paused_by = request.resume_state, "", None
        continue_clock(request, at)
    else:
        request.state = move.to
        start_clock(request, move.starts_clock or "clock.hold", at=at)
    request.is_escalated |= move.to == ShareRequest.State.ESCALATED
    request.save(update_fields=["state", "due_at", "resume_state", "paused_by", "is_escalated"])
    if request.is_open:
        keep_hold(request, items_of(request), by=None, attempt=f"{verb} {at.isoformat()}")
    add_step(request, verb, by=None, organisation=None, before=before, at=at)
    notices.tell_step(request, verb, by=None, organisation=None)


def warn_due(*, now: dt.datetime | None = None) -> int:
    """Warns who owes the next step (both where nobody does), once per clock, as many working days before it runs out
    as clock.warning says, or as many days as WARN_BY names; gives how many clocks."""
    moment = now or timezone.now()
    running = CaseClock.objects.filter(outcome=Outcome.RUNNING, warned_at=None, due_at__gt=moment)
    far = max(DEFAULTS[key].value for key in WARN_BY.values()) * 2
    near = Q(due_at__lte=moment + dt.timedelta(days=21)) | Q(
        rule__in=WARN_BY, due_at__lte=moment + dt.timedelta(days=int(far))
    )
    count = 0
    is_near = _Nearness(moment)
    rows = running.filter(near).select_related("request__resource__region").order_by("due_at", "pk")
    rows = rows.defer("request__resource__place", "request__resource__shown_cell")
    for clock in rows.iterator(chunk_size=500):
        if is_near(clock):
            count += _warn(clock, moment)
    return count


class _Nearness:
    """Whether a clock runs out soon at that moment; each rule and each count of days is asked for once a sweep."""

    def __init__(self, moment: dt.datetime):
        self.moment, self.today = moment, timezone.localdate(moment)
        self.days: dict[tuple[str, str], int] = {}
        self.left: dict[tuple[str, dt.date], int] = {}

    def __call__(self, clock: CaseClock) -> bool:
        region = clock.request.resource.region
        key = WARN_BY.get(clock.rule, "clock.warning")
        if (region.code, key) not in self.days:
            self.days[region.code, key] = rule(key, region).whole
        if clock.rule in WARN_BY:
            return clock.due_at - self.moment <= dt.timedelta(days=self.days[region.code, key])
        last = timezone.localdate(clock.due_at)
        if (region.code, last) not in self.left:
            self.left[region.code, last] = workdays.workdays_between(self.today, last)
        return self.left[region.code, last] <= self.days[region.code, key]


@transaction.atomic
def _warn(clock: CaseClock, now: dt.datetime) -> bool:
    fresh = CaseClock.objects.select_for_update(no_key=True).get(pk=clock.pk)
    if fresh.warned_at or fresh.outcome != Outcome.RUNNING:
        return False
    fresh.warned_at = now
    fresh.save(update_fields=["warned_at"])
    notices.warn(clock.request, key=f"warn:{clock.pk}")
    return True
