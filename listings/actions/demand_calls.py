"""Calls: operators hand their needs in to a draft until a closing date; each sees its own only, until the notice."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership
from listings import demand_notices as notices
from listings import demand_permissions as permissions
from listings.demand_rules import FIELDS, Jurisdiction, check_line
from listings.demand_shots import acting, as_json
from listings.models import DemandLine, DemandList

from .demand_lines import close_ranks, fill, insert_lines, lock_line, next_number, tell_bulk, update_lines
from .demand_lists import lock_list

LINES_MAX = 10_000  # domain: section 4
OWN_FIELDS = tuple(name for name in FIELDS if name not in ("applicant", "applicant_name"))


@transaction.atomic
def open_call(*, demand_list: DemandList, membership: Membership, closes_at: dt.datetime, note: str = "") -> DemandList:
    """Opens the draft to operators until closes_at, or moves that date; verified enterprises of the region are told."""
    row = lock_list(demand_list)
    if refusal := permissions.edit_refusal(membership, row):
        raise refusal
    if closes_at <= timezone.now():
        raise Refused(_("The closing date lies behind."), code="past")
    was_open = row.is_call_open
    before = {"call_closes_at": row.call_closes_at.isoformat() if row.call_closes_at else None}
    row.call_closes_at, row.call_note = closes_at, note.strip()
    row.full_clean(exclude=["created_by"])
    row.save(update_fields=["call_closes_at", "call_note"])
    record("list.open_call", row, by=membership.user, organisation=row.bureau, before=before,
           after={"call_closes_at": closes_at.isoformat()})  # fmt: skip
    notices.tell_call(row, is_moved=was_open)
    return row


@transaction.atomic
def close_call(*, demand_list: DemandList, membership: Membership) -> DemandList:
    """Ends the call at once; what was handed in stays."""
    row = lock_list(demand_list)
    if refusal := permissions.edit_refusal(membership, row):
        raise refusal
    if not row.is_call_open:
        raise Refused(_("There is no open call."), code="no_call")
    row.call_closes_at = timezone.now()
    row.save(update_fields=["call_closes_at"])
    record("list.close_call", row, by=membership.user, organisation=row.bureau,
           after={"call_closes_at": row.call_closes_at.isoformat()})  # fmt: skip
    return row


@transaction.atomic
def hand_in(*, demand_list: DemandList, membership: Membership, **fields: Any) -> DemandLine:
    """An organisation's own line at the end of the draft; the applicant is the organisation itself.

    Raises NotPermitted, Refused("call_closed"), ValidationError with a sentence per field.
    """
    row = _open(demand_list, membership)
    if row.lines.count() >= LINES_MAX:
        raise Refused(_("A list holds at most %(max)d lines.") % {"max": LINES_MAX}, code="list_full")
    line = DemandLine(demand_list=row, number=next_number(row))
    _own(line, membership, fields, row)
    line.save(force_insert=True)
    record("line.hand_in", line, by=membership.user, organisation=membership.organisation, after=as_json(line))
    return line


@transaction.atomic
def change_handed_in(
    *, line: DemandLine, membership: Membership, seen_at: dt.datetime | None = None, **fields: Any
) -> DemandLine:
    """The author changes its own line while the call is open. Raises as hand_in, and Refused("stale")."""
    row, fresh = _own_line(line, membership)
    if seen_at is not None and fresh.updated_at != seen_at:
        raise Refused(
            _("Somebody else changed this line after you opened it. Nothing of yours is lost: compare and save again."),
            code="stale",
        )
    before = as_json(fresh)
    _own(fresh, membership, fields, row)
    after = as_json(fresh)
    if after != before:
        fresh.save(update_fields=[*FIELDS, "updated_at"])
        record("line.edit", fresh, by=membership.user, organisation=membership.organisation, before=before, after=after)
    return fresh


@transaction.atomic
def hand_in_lines(
    *, demand_list: DemandList, membership: Membership, rows: Sequence[Mapping[str, Any]]
) -> list[DemandLine]:
    """Many lines of one's own at once (a file), all or none; the applicant is the organisation itself. One event.

    Raises NotPermitted, Refused("call_closed"), Refused("list_full"), ValidationError("row N: …").
    """
    row = _open(demand_list, membership)
    if row.lines.count() + len(rows) > LINES_MAX:
        raise Refused(_("A list holds at most %(max)d lines.") % {"max": LINES_MAX}, code="list_full")
    own = membership.organisation
    lines = insert_lines(row, [_own_fields(fields) for fields in rows], applicant=own, handed_in_by=own)
    if lines:
        tell_bulk("hand_in_lines", row, membership, lines)
    return lines


@transaction.atomic
def change_handed_in_lines(
    *, demand_list: DemandList, membership: Membership, changes: Mapping[int, Mapping[str, Any]]
) -> list[DemandLine]:
    """Changes many of the organisation's own lines while the call is open ({line id: fields}), all or none."""
    row = _open(demand_list, membership)
    changes = {pk: _own_fields(fields) for pk, fields in changes.items()}
    lines = update_lines(row, row.lines.filter(handed_in_by=membership.organisation_id), changes)
    if lines:
        tell_bulk("edit_lines", row, membership, lines)
    return lines


@transaction.atomic
def take_back_lines(*, demand_list: DemandList, membership: Membership, line_ids: Iterable[int]) -> int:
    """Takes many of the organisation's own lines out again while the call is open; gives how many went."""
    row = _open(demand_list, membership)
    own = row.lines.filter(handed_in_by=membership.organisation_id, pk__in=list(line_ids)).order_by("number")
    gone = list(own)
    if gone:
        shots = [as_json(line) | {"number": line.number} for line in gone[:200]]
        record("list.take_back_lines", row, by=membership.user, organisation=membership.organisation,
               before={"count": len(gone), "lines": shots})  # fmt: skip
        own.delete()
        close_ranks(row)
    return len(gone)


@transaction.atomic
def take_back(*, line: DemandLine, membership: Membership) -> None:
    """The author takes its line out again while the call is open."""
    row, fresh = _own_line(line, membership)
    record("line.take_back", fresh, by=membership.user, organisation=membership.organisation, before=as_json(fresh))
    fresh.delete()
    close_ranks(row)


def _open(demand_list: DemandList, membership: Membership) -> DemandList:
    """The list, locked, if this person may hand in to its call now; raises the refusal otherwise."""
    row = lock_list(demand_list)
    if refusal := permissions.hand_in_refusal(row, membership):
        raise refusal
    acting(membership.user)
    return row


def _own_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in OWN_FIELDS}


def _own_line(line: DemandLine, membership: Membership) -> tuple[DemandList, DemandLine]:
    row = _open(line.demand_list, membership)
    fresh = lock_line(line)
    if fresh.handed_in_by_id != membership.organisation_id:
        raise Refused(_("This line was handed in by somebody else."), code="not_own")
    fresh.demand_list = row
    return row, fresh


def _own(line: DemandLine, membership: Membership, fields: dict[str, Any], row: DemandList) -> None:
    fill(line, _own_fields(fields))
    line.applicant, line.applicant_name = membership.organisation, ""
    line.handed_in_by = membership.organisation
    check_line(line, Jurisdiction.of(row))
    line.full_clean()
