"""Acceptance of works, one rule for single agreements and for works of several parties: the checklist in force, its
points, the papers that go with them."""

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from django.core.files.base import ContentFile
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.pictures import FULL_PX, open_checked, rewritten
from listings.actions.documents import cleaned
from listings.models import Standard

from .inspection_models import WorksPaper

P = TypeVar("P", bound=WorksPaper)
DOCUMENTS_MAX = 60  # per case, or per works
RESULTS = ("pass", "fail", "na")
Sort = WorksPaper.Sort
NEEDED = (Sort.DRAWING, Sort.PHOTO)  # before works can pass


@dataclass(frozen=True)
class Finding:
    """What an inspection found: the checklist and its points as they are frozen."""

    checklist: dict[str, Any]
    points: list[dict[str, Any]]
    is_passed: bool
    note: str


def checklist_in_force(kind: str, on: dt.date | None = None) -> Standard | None:
    """The acceptance checklist of a kind of resource in force on the day: one that names the kind before one for all,
    the newest first; None where the library has none. Queries twice."""
    rows = Standard.objects.valid_on(on).for_kind(kind).filter(type=Standard.Type.ACCEPTANCE)
    found = rows.filter(items__isnull=False).distinct().order_by("-valid_from", "-pk").prefetch_related("items")
    return max(found, key=lambda row: bool(row.kinds), default=None)


def missing_sorts(there: Iterable[str]) -> list[str]:
    """What of NEEDED nobody has handed in, in words."""
    given = set(there)
    return [str(Sort(sort).label) for sort in NEEDED if sort not in given]


def find(
    *, current: Standard | None, checklist: Standard, results: Mapping[int, tuple[str, str]], note: str,
    papers: list[str],
) -> Finding:  # fmt: skip
    """The verdict that follows from the points: passed where every point that must pass does.

    current: the checklist in force; papers: what is still missing. Raises Refused for another checklist, points left
    out, failed points without a note, and missing papers.
    """
    if current is None or current.pk != checklist.pk:
        raise Refused(_("Another checklist is in force now. Open the page again."), code="other_checklist")
    points = [_point(item, results.get(item.number)) for item in current.items.all()]
    is_passed = not any(point["result"] == "fail" and point["is_required"] for point in points)
    note = note.strip()[:2_000]
    if is_passed and papers:
        raise Refused(_("Before works can pass, hand in: %(papers)s.") % {"papers": ", ".join(papers)}, code="papers")
    if not is_passed and not note:
        raise Refused(_("Say what is to be rectified: the other side reads it."), code="no_reason")
    return Finding(_frozen(current), points, is_passed, note)


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


def checked_paper(sort: str, file: IO[bytes], name: str, size_bytes: int) -> tuple[str, bytes]:
    """(extension, bytes to keep): photos re-encoded, papers cleaned. Raises Refused for what cannot be taken."""
    if sort not in Sort.values:
        raise Refused(_("Say what it is: a paper, a drawing or a photo."), code="sort")
    if sort == Sort.PHOTO:
        return "jpg", rewritten(open_checked(file, size_bytes), FULL_PX)
    return cleaned(file, name, size_bytes)


def keep_paper(
    made: P, *, there: "models.QuerySet[P]", extension: str, data: bytes, name: str, by: User, membership: Membership,
    verb: str, subject: dict[str, Any],
) -> P:  # fmt: skip
    """Stores a paper that checked_paper() took, with its event. there: those of the same works, under its lock."""
    if there.count() >= DOCUMENTS_MAX:
        raise Refused(_("This case has %(max)d documents, as many as it takes.") % {"max": DOCUMENTS_MAX}, code="many")
    digest = hashlib.sha256(data).hexdigest()
    if there.filter(sha256=digest).exists():
        raise Refused(_("This document is attached already."), code="twice")
    made.title = (made.title.strip() or os.path.splitext(os.path.basename(name))[0])[:160]
    made.extension, made.size_bytes, made.sha256 = extension, len(data), digest
    made.organisation, made.added_by, made.added_at = membership.organisation, by, timezone.now()
    made.file.save(f"{'-'.join(str(key) for key in subject.values())}.{extension}", ContentFile(data), save=False)
    path, storage = str(made.file.name), made.file.storage
    try:
        made.full_clean()
        made.save(force_insert=True)
        record(verb, made, by=by, organisation=membership.organisation,
               after=subject | {"sort": made.sort, "sha256": digest})  # fmt: skip
    except BaseException:
        storage.delete(path)  # the row is rolled back; the file must not stay behind
        raise
    return made
