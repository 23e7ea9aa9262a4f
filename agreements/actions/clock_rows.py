"""The clock rows of a case: started, stopped, gone on with. The caller saves the request."""

import datetime as dt

from django.utils import timezone

from accounts import workdays
from accounts.clocks import deadline_after
from accounts.rules import rule
from agreements import states
from agreements.models import Agreement, CaseClock, ShareRequest

Outcome = CaseClock.Outcome
BY_CALENDAR = ("clock.use", "clock.exit_notice", states.TERM)  # days as they come, not working days


def start_clock(request: ShareRequest, key: str, *, at: dt.datetime | None = None) -> dt.datetime:
    """Ends the running clock as met and starts another; gives when it runs out. The caller saves due_at."""
    at = at or timezone.now()
    stop_clock(request, Outcome.MET, at=at)
    if key == states.TERM:
        days = max(0, (_last_day(request) - timezone.localdate(at)).days)
    else:
        days = rule(key, request.resource.region, on=timezone.localdate(at)).whole
    return _start(request, key, days, at)


def _last_day(request: ShareRequest) -> dt.date:
    """The last day of the agreed period."""
    ends_on = Agreement.objects.values_list("ends_on", flat=True).get(request=request)
    return ends_on or request.ends_on


def _start(request: ShareRequest, key: str, days: int, at: dt.datetime) -> dt.datetime:
    due_at = count_out(request, key, days, at)
    CaseClock.objects.create(request=request, rule=key, state=request.state, started_at=at, days=days, due_at=due_at)
    request.due_at = due_at
    return due_at


def count_out(request: ShareRequest, key: str, days: int, at: dt.datetime) -> dt.datetime:
    """When a clock started at that moment runs out: after so many working days by the calendar of the resource's
    region, or calendar days for BY_CALENDAR; a notice never outlasts the agreed period."""
    if key not in BY_CALENDAR:
        return deadline_after(at, days, request.resource.region)
    last = timezone.localdate(at) + dt.timedelta(days=days)
    if key == "clock.exit_notice":
        last = max(min(last, _last_day(request)), timezone.localdate(at))
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time.min)
    return timezone.make_aware(end) - dt.timedelta(seconds=1)


def stop_clock(
    request: ShareRequest, outcome: str, *, at: dt.datetime | None = None, cause: str = ""
) -> CaseClock | None:
    """Ends the running clock; gives it, with the working days it had left."""
    clock = CaseClock.objects.select_for_update(no_key=True).filter(request=request, outcome=Outcome.RUNNING).first()
    if clock is None:
        return None
    clock.outcome, clock.ended_at, clock.cause = outcome, at or timezone.now(), cause[:500]
    ended, due = timezone.localdate(clock.ended_at), timezone.localdate(clock.due_at)
    left = (due - ended).days if clock.rule in BY_CALENDAR else workdays.workdays_between(ended, due)
    clock.left_days = max(0, min(left, clock.days))  # a clock started after the cut-off counts from the next day
    clock.save(update_fields=["outcome", "ended_at", "cause", "left_days"])
    return clock


def continue_clock(request: ShareRequest, at: dt.datetime) -> None:
    """After a hold-up the clock that was stopped goes on with the working days it had left, one at least."""
    stopped = request.clocks.filter(outcome=Outcome.STOPPED).order_by("-pk").first()
    stop_clock(request, Outcome.MET, at=at)
    if stopped is None:
        key = next(m.starts_clock for m in states.TRANSITIONS[request.state].values() if m.starts_clock)
        start_clock(request, key or "clock.hold", at=at)
        return
    _start(request, stopped.rule, max(1, stopped.left_days or 0), at)
