"""What happens whenever a case ends, before or after signature. Called inside an action's transaction, locked."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.events import record
from accounts.models import Organisation, User
from agreements import notices, states
from agreements.models import Agreement, CaseClock, Offer, ShareRequest
from listings.actions import capacity, demand
from messaging.actions import close, thread_about

from .clock_rows import stop_clock
from .holds import items_of, reservations_of
from .legs import leg_ended
from .queue_offers import serve_soon
from .records import add_step
from .swaps import return_cores

UNUSED = ("lapse_unused", "give_up")  # signed, and never taken into operation: the need is as it was
CLOSING_NOTE_MAX = 500  # the case's own field; the whole note stands in its step


def end(
    request: ShareRequest,
    verb: str,
    *,
    by: User | None,
    organisation: Organisation | None,
    note: str = "",
    key: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> ShareRequest:
    """Moves a locked request to the end state of the verb and lets go what it kept."""
    move = states.TRANSITIONS[request.state].get(verb) or states.EXPIRE
    before, was_in_force = request.state, request.is_in_force
    now = timezone.now()
    outcome = CaseClock.Outcome.RUN_OUT if move.cause == states.Cause.CLOCK else CaseClock.Outcome.MET
    stop_clock(request, outcome, at=now)
    request.state, request.closed_at, request.due_at = move.to, now, None
    request.closing_note = note.strip()[:CLOSING_NOTE_MAX]
    request.resume_state, request.paused_by = "", None
    request.full_clean(validate_unique=False)
    request.save(update_fields=[
        "state", "closed_at", "due_at", "closing_note", "refusal_code", "resume_state", "paused_by",
    ])  # fmt: skip
    if was_in_force:
        _finish(request, by, now)
    else:
        _lapse(request, by)
    items = items_of(request)
    if move.cause == states.Cause.CLOCK and not was_in_force:
        capacity.expire_due(pool_ids=[item.pool_id for item in items])
    capacity.release(reservations=reservations_of(items), by=by, reason=f"request.{verb}")
    serve_soon(request.resource_id)
    if not was_in_force or verb in UNUSED:
        _reopen_line(request, by, organisation)
    add_step(
        request, verb, by=by, organisation=organisation, before=before, note=note.strip(), data=data, key=key, at=now,
        after={"refusal_code": request.refusal_code},
    )  # fmt: skip
    _tell_ended(request, verb, by, organisation)
    if not was_in_force:
        leg_ended(request, by=by, organisation=organisation)
    return request


def _lapse(request: ShareRequest, by: User | None) -> None:
    """Open offers lapse, an agreement nobody concluded is void."""
    now = timezone.now()
    for offer in request.offers.select_for_update(no_key=True).filter(state=Offer.State.OPEN).order_by("pk"):
        offer.state, offer.answered_by, offer.answered_at = Offer.State.LAPSED, by, now
        offer.save(update_fields=["state", "answered_by", "answered_at"])
    agreement = Agreement.objects.filter(request=request).first()
    if agreement:
        agreement.state = Agreement.State.VOID
        agreement.save(update_fields=["state"])
        record("agreement.void", agreement, by=by, before={"state": "signing"}, after={"state": "void"})


def _finish(request: ShareRequest, by: User | None, now: dt.datetime) -> None:
    """A signed agreement is no longer in force from today on; what was signed stays as it is."""
    agreement = Agreement.objects.select_for_update(no_key=True).get(request=request)
    agreement.ended_on = timezone.localdate(now)
    agreement.save(update_fields=["ended_on"])
    return_cores(request, agreement, by=by)
    record("agreement.finish", agreement, by=by, after={"ended_on": agreement.ended_on.isoformat()})


def _reopen_line(request: ShareRequest, by: User | None, organisation: Organisation | None) -> None:
    """The line is open again when no other request runs for it and no other agreement serves it."""
    if request.line is None:
        return
    others = ShareRequest.objects.filter(line=request.line_id).exclude(pk=request.pk)
    if not others.filter(state__in=[*ShareRequest.OPEN, *ShareRequest.IN_FORCE]).exists():
        demand.reopen(line=request.line, by=by, organisation=organisation, reason=request.code)


def _tell_ended(request: ShareRequest, verb: str, by: User | None, organisation: Organisation | None) -> None:
    code = f"request.refuse.{request.refusal_code}" if verb == "refuse" else f"request.{verb}"
    notices.tell_thread(request, code, by=by, organisation=organisation, note=request.closing_note)
    for side in (request.requester, request.owner):
        if organisation is None or side.pk != organisation.pk:
            notices.notify(
                request,
                f"request.{verb}",
                organisation=side,
                roles=notices.SIGNATORIES,
                key=verb,
                by=organisation,
            )
    if thread := thread_about(request):
        close(thread=thread)
