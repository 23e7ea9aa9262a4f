"""Acceptance of works by the checklist in force, and the papers that go with them."""

import datetime as dt
import hashlib
import os
from collections.abc import Mapping
from typing import IO, Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.pictures import FULL_PX, open_checked, rewritten
from agreements import notices, states
from agreements.models import Acceptance, Agreement, CaseDocument, ShareRequest
from listings.actions.as_built import take_over_as_built
from listings.actions.documents import cleaned
from listings.models import Standard

from .clock_rows import start_clock
from .holds import lock_request
from .records import add_step

DOCUMENTS_MAX = 60  # per case
RESULTS = ("pass", "fail", "na")
Sort = CaseDocument.Sort
NEEDED = (Sort.DRAWING, Sort.PHOTO)  # before works can pass


def checklist_for(request: ShareRequest, on: dt.date | None = None) -> Standard | None:
    """The acceptance checklist of the resource's kind in force on the day: one that names the kind before one for all,
    the newest first; None where the library has none. Queries twice."""
    rows = Standard.objects.valid_on(on).for_kind(request.resource.kind).filter(type=Standard.Type.ACCEPTANCE)
    found = rows.filter(items__isnull=False).distinct().order_by("-valid_from", "-pk").prefetch_related("items")
    return max(found, key=lambda row: bool(row.kinds), default=None)


def missing_papers(request: ShareRequest) -> list[str]:
    """What of NEEDED nobody has handed in, in words."""
    there = set(request.documents.values_list("sort", flat=True))
    return [str(Sort(sort).label) for sort in NEEDED if sort not in there]


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
    if current is None or current.pk != checklist.pk:
        raise Refused(_("Another checklist is in force now. Open the page again."), code="other_checklist")
    points = [_point(item, results.get(item.number)) for item in current.items.all()]
    is_passed = not any(point["result"] == "fail" and point["is_required"] for point in points)
    note = note.strip()[:2_000]
    if is_passed and (papers := missing_papers(fresh)):
        raise Refused(_("Before works can pass, hand in: %(papers)s.") % {"papers": ", ".join(papers)}, code="papers")
    if not is_passed and not note:
        raise Refused(_("Say what is to be rectified: the other side reads it."), code="no_reason")
    acceptance = Acceptance(
        request=fresh, number=fresh.acceptances.count() + 1, checklist=_frozen(current), points=points, note=note,
        verdict=Acceptance.Verdict.PASSED if is_passed else Acceptance.Verdict.RECTIFY,
        organisation=membership.organisation, made_by=by, made_at=now, key=key,
    )  # fmt: skip
    if is_passed:
        acceptance.as_built = _take_over(fresh, as_built, now, by)
    acceptance.full_clean()
    acceptance.save(force_insert=True)
    record("acceptance.record", acceptance, by=by, organisation=membership.organisation,
           after={"verdict": acceptance.verdict, "checklist": acceptance.checklist["code"]})  # fmt: skip
    _move(fresh, acceptance, by, membership, now)
    return acceptance


def _point(item: Any, given: tuple[str, str] | None) -> dict[str, Any]:
    result, measured = given or ("", "")
    if result not in RESULTS:
        raise Refused(_("Point %(number)d has no result.") % {"number": item.number}, code="point")
    if result == "na" and item.is_required:
        raise Refused(
            _("Point %(number)d must pass: it cannot be left out.") % {"number": item.number}, code="point_required"
        )
    return {
        "number": item.number, "text_zh": item.text_zh, "text_en": item.text_en, "clause": item.clause,
        "is_required": item.is_required, "result": result, "measured": measured.strip()[:200],
    }  # fmt: skip


def _frozen(checklist: Standard) -> dict[str, Any]:
    names = ("code", "version", "title_zh", "title_en")
    return {"id": checklist.pk, **{name: getattr(checklist, name) for name in names}}


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
    extension, data = _checked(sort, file, name, size_bytes)  # takes its time: before anything is locked
    stem = os.path.splitext(os.path.basename(name))[0]
    return _attach(
        request, by=by, membership=membership, sort=sort, extension=extension, data=data, title=title.strip() or stem
    )


def _require_works(request: ShareRequest, membership: Membership) -> None:
    if states.side_of(request, membership) is None or not membership.has_role(*states.NEGOTIATING_ROLES):
        raise NotPermitted(_("Documents of the works are added by the two parties' negotiators."))
    if not request.is_in_force:
        raise Refused(_("Documents of the works belong to an agreement in force."), code="wrong_state")


@transaction.atomic
def _attach(
    request: ShareRequest, *, by: User, membership: Membership, sort: str, extension: str, data: bytes, title: str
) -> CaseDocument:
    fresh = lock_request(request)
    _require_works(fresh, membership)
    if fresh.documents.count() >= DOCUMENTS_MAX:
        raise Refused(_("This case has %(max)d documents, as many as it takes.") % {"max": DOCUMENTS_MAX}, code="many")
    digest = hashlib.sha256(data).hexdigest()
    if fresh.documents.filter(sha256=digest).exists():
        raise Refused(_("This document is attached already."), code="twice")
    document = CaseDocument(
        request=fresh, sort=sort, title=title[:160], extension=extension, size_bytes=len(data),
        sha256=digest, organisation=membership.organisation, added_by=by, added_at=timezone.now(),
    )  # fmt: skip
    document.file.save(f"{fresh.pk}.{extension}", ContentFile(data), save=False)
    path, storage = str(document.file.name), document.file.storage
    try:
        document.full_clean()
        document.save(force_insert=True)
        record("case_document.add", document, by=by, organisation=membership.organisation,
               after={"request": fresh.pk, "sort": sort, "sha256": digest})  # fmt: skip
    except BaseException:
        storage.delete(path)  # the row is rolled back; the file must not stay behind
        raise
    return document


def _checked(sort: str, file: IO[bytes], name: str, size_bytes: int) -> tuple[str, bytes]:
    """(extension, bytes to keep)."""
    if sort not in Sort.values:
        raise Refused(_("Say what it is: a paper, a drawing or a photo."), code="sort")
    if sort == Sort.PHOTO:
        return "jpg", rewritten(open_checked(file, size_bytes), FULL_PX)
    return cleaned(file, name, size_bytes)
