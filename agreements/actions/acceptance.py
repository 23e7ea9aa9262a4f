"""Acceptance of works by the checklist in force, and the papers that go with them."""

import datetime as dt
from collections.abc import Mapping
from typing import IO, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from agreements import notices, states
from agreements.inspection import checked_paper, checklist_in_force, find, keep_paper, missing_sorts
from agreements.models import Acceptance, Agreement, CaseDocument, ShareRequest
from listings.actions.as_built import take_over_as_built
from listings.models import Standard

from .clock_rows import start_clock
from .holds import lock_request
from .records import add_step


def checklist_for(request: ShareRequest, on: dt.date | None = None) -> Standard | None:
    """The acceptance checklist of the resource's kind in force on the day: one that names the kind before one for all,
    the newest first; None where the library has none. Queries twice."""
    return checklist_in_force(request.resource.kind, on)


def missing_papers(request: ShareRequest) -> list[str]:
    """What of NEEDED nobody has handed in, in words."""
    return missing_sorts(request.documents.values_list("sort", flat=True))


@transaction.atomic
def record_acceptance(
    *,
    request: ShareRequest,
    by: User,
    membership: Membership,
    checklist: Standard,
    results: Mapping[int, tuple[str, str]],
    as_built: Mapping[str, Any],
    note: str,
    key: UUID,
) -> Acceptance:
    """The owner's inspection: passed where every point that must pass does, else to be rectified. The same key is once.

    results: {number of the point: ("pass", "fail" or "na", what was measured)}, one for every point. Passing takes a
    completion drawing and a photo, writes what was measured into the resource and starts the price. Raises NotPermitted
    or Refused as states.refusal says, Refused for points left out, another checklist than the one in force, failed
    points without a note, and missing papers.
    """
    fresh = lock_request(request)
    made = Acceptance.objects.filter(key=key, request=fresh).first()
    if made:
        return made
    if problem := states.refusal(fresh, membership, "pass_works"):
        raise problem
    now = timezone.now()
    current = checklist_for(fresh, timezone.localdate(now))
    found = find(current=current, checklist=checklist, results=results, note=note, papers=missing_papers(fresh))
    acceptance = Acceptance(
        request=fresh, number=fresh.acceptances.count() + 1, checklist=found.checklist, points=found.points,
        note=found.note, verdict=Acceptance.Verdict.PASSED if found.is_passed else Acceptance.Verdict.RECTIFY,
        organisation=membership.organisation, made_by=by, made_at=now, key=key,
    )  # fmt: skip
    if found.is_passed:
        acceptance.as_built = _take_over(fresh, as_built, now, by)
    acceptance.full_clean()
    acceptance.save(force_insert=True)
    record("acceptance.record", acceptance, by=by, organisation=membership.organisation,
           after={"verdict": acceptance.verdict, "checklist": acceptance.checklist["code"]})  # fmt: skip
    _move(fresh, acceptance, by, membership, now)
    return acceptance


def _take_over(request: ShareRequest, as_built: Mapping[str, Any], now: dt.datetime, by: User) -> dict[str, str]:
    """The resource as built, and the price from today on (not before the agreed first day)."""
    agreement = Agreement.objects.select_for_update(no_key=True).select_related("offer").get(request=request)
    today = timezone.localdate(now)
    agreement.price_from = max(today, agreement.offer.starts_on)
    agreement.save(update_fields=["price_from"])
    source = f"验收 acceptance {agreement.reference}"
    return take_over_as_built(resource=request.resource, facts=as_built, on=today, source=source, by=by)


def _move(request: ShareRequest, acceptance: Acceptance, by: User, membership: Membership, now: dt.datetime) -> None:
    verb = "pass_works" if acceptance.verdict == Acceptance.Verdict.PASSED else "ask_rectify"
    move = states.TRANSITIONS[request.state][verb]
    before, request.state = request.state, move.to
    start_clock(request, move.starts_clock or "clock.rectification", at=now)
    request.save(update_fields=["state", "due_at"])
    organisation = membership.organisation
    data = {"acceptance": acceptance.number}
    add_step(
        request, verb, by=by, organisation=organisation, before=before, note=acceptance.note, data=data,
        key=acceptance.key, at=now,
    )  # fmt: skip
    notices.tell_step(request, verb, by=by, organisation=organisation, note=acceptance.note)


def add_case_document(
    *,
    request: ShareRequest,
    by: User,
    membership: Membership,
    sort: str,
    file: IO[bytes],
    name: str,
    size_bytes: int,
    title: str = "",
) -> CaseDocument:
    """A paper, drawing or photo of the works, by either party while the agreement is in force. Photos are re-encoded.

    Raises NotPermitted to others, Refused with a sentence for what cannot be taken.
    """
    _require_works(ShareRequest.objects.get(pk=request.pk), membership)
    extension, data = checked_paper(sort, file, name, size_bytes)  # takes its time: before anything is locked
    return _attach(
        request, by=by, membership=membership, sort=sort, extension=extension, data=data, name=name, title=title
    )


def _require_works(request: ShareRequest, membership: Membership) -> None:
    if states.side_of(request, membership) is None or not membership.has_role(*states.NEGOTIATING_ROLES):
        raise NotPermitted(_("Documents of the works are added by the two parties' negotiators."))
    if not request.is_in_force:
        raise Refused(_("Documents of the works belong to an agreement in force."), code="wrong_state")


@transaction.atomic
def _attach(
    request: ShareRequest,
    *,
    by: User,
    membership: Membership,
    sort: str,
    extension: str,
    data: bytes,
    name: str,
    title: str,
) -> CaseDocument:
    fresh = lock_request(request)
    _require_works(fresh, membership)
    made = CaseDocument(request=fresh, sort=sort, title=title)
    return keep_paper(
        made, there=fresh.documents.all(), extension=extension, data=data, name=name, by=by, membership=membership,
        verb="case_document.add", subject={"request": fresh.pk},
    )  # fmt: skip
