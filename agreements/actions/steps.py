"""The steps of a case that carry no terms: filing, survey, verdict, hold-up, the bureau's part, and the works."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clocks import deadline_for
from accounts.errors import Refused
from accounts.models import Membership, User
from accounts.rules import rule
from agreements import notices, states
from agreements.findings import clean_found
from agreements.models import CaseClock, CaseStep, Offer, ShareRequest
from agreements.step_inputs import clean_inputs
from agreements.works import check_milestone
from listings.actions import demand
from messaging.actions import reopen, thread_about

from .clock_rows import continue_clock, start_clock, stop_clock
from .ends import end
from .holds import items_of, keep_hold, lock_request
from .legs import leg_lives
from .records import add_step

State = ShareRequest.State
NOTE_MAX = 2_000


@transaction.atomic
def take_step(
    *,
    request: ShareRequest,
    verb: str,
    by: User,
    membership: Membership,
    note: str = "",
    data: Mapping[str, Any] | None = None,
    key: UUID | None = None,
) -> ShareRequest:
    """Takes a step of states.TRANSITIONS that has no action of its own; the same key twice is once.

    data: what agreements.step_inputs asks for the verb. Raises NotPermitted or Refused as states.refusal says,
    Refused("no_reason") without the note a step needs, and what clean_inputs finds wrong. Locks the request's row.
    """
    if verb in states.OWN_ACTIONS:
        raise ValueError(f"{verb} has an action of its own")
    fresh = lock_request(request)
    if key and CaseStep.objects.filter(key=key, request=fresh).exists():
        return fresh
    if problem := states.refusal(fresh, membership, verb):
        raise problem
    move = states.TRANSITIONS[fresh.state][verb]
    note = note.strip()[:NOTE_MAX]
    if move.needs_reason and not note:
        raise Refused(_("This step needs a few words: the other side reads them."), code="no_reason")
    given = clean_inputs(verb, data or {})
    if verb == "report_findings":
        given |= clean_found(fresh.resource.kind, (data or {}).get("found") or {})
    check_milestone(fresh, verb, given)
    if verb == "contest":
        _check_contest(fresh)
    if verb == "hold_up":
        _check_hold_ups(fresh, membership)
    if move.to in ShareRequest.ENDED:
        return end(fresh, verb, by=by, organisation=membership.organisation, note=note, key=key)
    return _move(fresh, verb, move, by=by, membership=membership, note=note, data=given, key=key)


def _move(
    request: ShareRequest,
    verb: str,
    move: states.Transition,
    *,
    by: User,
    membership: Membership,
    note: str,
    data: dict[str, Any],
    key: UUID | None,
) -> ShareRequest:
    now = timezone.now()
    before = request.state
    if before == State.NEGOTIATING and move.to in (State.ESCALATED, State.ON_HOLD):
        _set_offers_aside(request, by, now, keep=move.to == State.ON_HOLD)
    if verb == "hold_up":
        stop_clock(request, CaseClock.Outcome.STOPPED, at=now, cause=note)
        request.resume_state, request.paused_by = before, membership.organisation
    if verb == "contest":
        _open_again(request, by)
    if move.goes_back:
        request.state, request.resume_state, request.paused_by = request.resume_state, "", None
        continue_clock(request, now)
    else:
        request.state = move.to
        if not move.keeps_clock:
            start_clock(request, move.starts_clock or "clock.hold", at=now)
    request.is_escalated |= move.to == State.ESCALATED
    request.full_clean(validate_unique=False)
    request.save(update_fields=[
        "state", "due_at", "resume_state", "paused_by", "is_escalated", "closed_at", "refusal_code",
    ])  # fmt: skip
    if verb == "contest":
        leg_lives(request)
    if request.is_open:
        keep_hold(request, items_of(request), by=by, attempt=f"{verb} {now.isoformat()}")
    organisation = membership.organisation
    add_step(request, verb, by=by, organisation=organisation, before=before, note=note, data=data, key=key, at=now)
    notices.tell_step(request, verb, by=by, organisation=organisation, note=note)
    if verb == "accept_proposal" and states.accepted_sides(request) == set(states.BOTH):
        _settle(request, now)
    return request


def _settle(request: ShareRequest, now: dt.datetime) -> None:
    """Both sides have accepted the bureau's proposal: the owner puts it into an offer."""
    move = states.TRANSITIONS[request.state]["settle"]
    before, request.state = request.state, move.to
    start_clock(request, move.starts_clock or "clock.offer", at=now)
    request.save(update_fields=["state", "due_at"])
    keep_hold(request, items_of(request), by=None, attempt=f"settle {now.isoformat()}")
    add_step(request, "settle", by=None, organisation=None, before=before, at=now)
    notices.tell_step(request, "settle", by=None, organisation=None)


def _set_offers_aside(request: ShareRequest, by: User, now: dt.datetime, *, keep: bool) -> None:
    """Before the bureau the open offer lapses; while on hold it stands, and stays open as long as the case."""
    for offer in request.offers.select_for_update(no_key=True).filter(state=Offer.State.OPEN).order_by("pk"):
        if keep:
            continue
        offer.state, offer.answered_by, offer.answered_at = Offer.State.LAPSED, by, now
        offer.save(update_fields=["state", "answered_by", "answered_at"])


def _check_contest(request: ShareRequest) -> None:
    """A refusal can be contested for as long as the region's clock says."""
    last = deadline_for("clock.contest", request.resource.region, at=request.closed_at)
    if timezone.now() > last:
        raise Refused(_("The time to contest this refusal has passed. Make a new request."), code="too_late")
    if request.bundle is not None and (request.bundle.closed_at or hasattr(request, "replaced_by")):
        raise Refused(_("The joint request went on without this leg: it cannot be contested."), code="leg_replaced")


def _check_hold_ups(request: ShareRequest, membership: Membership) -> None:
    cap = rule("cap.hold_ups", request.resource.region)
    if request.steps.filter(verb="hold_up", organisation=membership.organisation).count() >= cap.whole:
        raise Refused(
            _("Your side has put this request on hold %(cap)d times already, as often as is allowed (%(source)s).")
            % {"cap": cap.whole, "source": cap.source},
            code="cap",
        )


def _open_again(request: ShareRequest, by: User) -> None:
    """A contested refusal: the case is open again, with its conversation and its line."""
    request.closed_at, request.refusal_code = None, ""
    if request.line is not None:
        demand.mark_requested(line=request.line, by=by, organisation=request.requester)
    if thread := thread_about(request):
        reopen(thread=thread)
