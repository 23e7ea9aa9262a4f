"""Steps written down: a row of the case's story and an audit event, in the transaction that takes the step."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from accounts.events import record
from accounts.models import Organisation, User
from agreements import mediation
from agreements.models import CaseStep, ShareRequest


def add_step(
    request: ShareRequest,
    verb: str,
    *,
    by: User | None,
    organisation: Organisation | None,
    before: str,
    note: str = "",
    data: dict[str, Any] | None = None,
    key: UUID | None = None,
    at: dt.datetime | None = None,
    after: dict[str, Any] | None = None,
) -> CaseStep:
    """The next row of a locked request's story, its event, and its place in the talk with the bureau.

    Numbers are dense under the request's lock.
    """
    latest = request.steps.aggregate(latest=Max("number"))["latest"] or 0
    step = CaseStep(
        request=request, number=latest + 1, verb=verb, state=request.state, organisation=organisation, by=by,
        note=note, data=data or {}, key=key, made_at=at or timezone.now(),
    )  # fmt: skip
    step.full_clean(exclude=["by", "organisation", "key"], validate_unique=False, validate_constraints=False)
    step.save(force_insert=True)
    due_at = request.due_at.isoformat() if request.due_at else None
    record(
        f"request.{verb}",
        request,
        by=by,
        organisation=organisation,
        before={"state": before},
        after={"state": request.state, "due_at": due_at} | (after or {}),
        reason=note[:500],
    )
    mediation.follow(step, before=before)
    return step
