"""The lines of a demand list: written while it is a draft, withdrawn with a reason later, fulfilled by agreements."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, Organisation, User
from listings import copying, list_states
from listings import demand_permissions as permissions
from listings.demand_rules import FIELDS, Jurisdiction, check_line
from listings.demand_shots import acting, as_json
from listings.models import DemandLine, DemandList

from .demand_lists import lock_list

BATCH_ROWS = 1_000  # rows per INSERT


def writable(demand_list: DemandList, membership: Membership) -> DemandList:
    """The list, locked, if this person may write its lines now; raises the refusal otherwise."""
    row = lock_list(demand_list)
    if refusal := permissions.edit_refusal(membership, row):
        raise refusal
    acting(membership.user)
    return row


def next_number(demand_list: DemandList) -> int:
    """One more than the highest; under the list's row lock."""
    last = demand_list.lines.order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


def fill(line: DemandLine, fields: Mapping[str, Any]) -> None:
    """Sets the fields on the line. TypeError for a name that is none of demand_rules.FIELDS."""
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"not fields of a demand line: {sorted(unknown)}")
    for name, value in fields.items():
        setattr(line, name, value)


@transaction.atomic
def add_line(*, demand_list: DemandList, membership: Membership, **fields: Any) -> DemandLine:
    """A new line at the end of a draft. fields: listings.demand_rules.FIELDS.

    Raises ValidationError with a sentence per field, NotPermitted or Refused as the list's rules say.
    """
    row = writable(demand_list, membership)
    line = DemandLine(demand_list=row, number=next_number(row))
    fill(line, fields)
    check_line(line, Jurisdiction.of(row))
    line.full_clean()
    line.save(force_insert=True)
    record("line.add", line, by=membership.user, organisation=membership.organisation, after=as_json(line))
    return line


@transaction.atomic
def edit_line(
    *, line: DemandLine, membership: Membership, seen_at: dt.datetime | None = None, **fields: Any
) -> DemandLine:
    """Changes a line of a draft. seen_at: when the line the person looked at was last changed; None: not checked.

    Raises Refused("stale") when somebody else changed the line since, else as add_line.
    """
    row = writable(line.demand_list, membership)
    fresh = DemandLine.objects.select_for_update(of=("self",), no_key=True).get(pk=line.pk, demand_list=row)
    if seen_at is not None and fresh.updated_at != seen_at:
        raise Refused(
            _("Somebody else changed this line after you opened it. Nothing of yours is lost: compare and save again."),
            code="stale",
        )
    before = as_json(fresh)
    fill(fresh, fields)
    fresh.demand_list = row
    check_line(fresh, Jurisdiction.of(row))
    fresh.full_clean()
    after = as_json(fresh)
    if after != before:
        fresh.save(update_fields=[*FIELDS, "updated_at"])
        record("line.edit", fresh, by=membership.user, organisation=membership.organisation, before=before, after=after)
    return fresh


@transaction.atomic
def add_lines(
    *, demand_list: DemandList, membership: Membership, rows: Sequence[Mapping[str, Any]]
) -> list[DemandLine]:
    """Many lines at once (a file): all of them or none, numbered on in the order given. One event for the lot.

    Raises ValidationError("row N: …") for the first wrong row; a file's report comes from demand_rules.check_line
    beforehand. A fixed number of queries: the rows go by COPY.
    """
    row = writable(demand_list, membership)
    lines = insert_lines(row, rows)
    if lines:
        tell_bulk("add_lines", row, membership, lines)
    return lines


@transaction.atomic
def edit_lines(
    *, demand_list: DemandList, membership: Membership, changes: Mapping[int, Mapping[str, Any]]
) -> list[DemandLine]:
    """Changes many lines of a draft at once ({line id: fields}), all or none. One event for the lot."""
    row = writable(demand_list, membership)
    lines = update_lines(row, row.lines.all(), changes)
    if lines:
        tell_bulk("edit_lines", row, membership, lines)
    return lines


@transaction.atomic
def delete_draft_lines(*, demand_list: DemandList, membership: Membership, line_ids: Iterable[int]) -> int:
    """Takes lines out of a draft; those behind move up, so that numbers stay dense. Gives how many went."""
    row = writable(demand_list, membership)
    gone = list(row.lines.filter(pk__in=list(line_ids)).order_by("number"))
    if not gone:
        return 0
    record(
        "list.delete_lines",
        row,
        by=membership.user,
        organisation=membership.organisation,
        before={"count": len(gone), "lines": [as_json(line) | {"number": line.number} for line in gone[:200]]},
    )
    row.lines.filter(pk__in=[line.pk for line in gone]).delete()
    close_ranks(row)
    return len(gone)


def delete_draft_line(*, line: DemandLine, membership: Membership) -> None:
    """Takes one line out of a draft. Raises as delete_draft_lines."""
    delete_draft_lines(demand_list=line.demand_list, membership=membership, line_ids=[line.pk])


def close_ranks(row: DemandList) -> None:
    """Renumbers 1…n. Two steps, because UNIQUE(list, number) is checked row by row."""
    rest = list(row.lines.order_by("number").values_list("pk", "number"))
    moved = [(pk, position) for position, (pk, number) in enumerate(rest, start=1) if number != position]
    if not moved:
        return
    shift = rest[-1][1]
    for offset in (shift, 0):
        DemandLine.objects.bulk_update(
            [DemandLine(pk=pk, number=position + offset) for pk, position in moved], ["number"], batch_size=BATCH_ROWS
        )


@transaction.atomic
def withdraw_line(*, line: DemandLine, membership: Membership, reason: str) -> DemandLine:
    """Takes a published need back, with a reason; it stays on the list, struck through. A correction nobody has let
    in yet lapses with it."""
    row = lock_list(line.demand_list)
    fresh = lock_line(line)
    fresh.demand_list = row
    if refusal := permissions.withdraw_refusal(fresh, membership):
        raise refusal
    if not reason.strip():
        raise Refused(_("Give a reason."), code="no_reason")
    fresh.corrections.filter(state="proposed").update(state="refused", answered_at=timezone.now())
    return _move(fresh, "withdraw", by=membership.user, organisation=membership.organisation, reason=reason)


@transaction.atomic
def mark_requested(*, line: DemandLine, by: User | None = None, organisation: Organisation | None = None) -> DemandLine:
    """A request for the line is under way. Idempotent.

    Refused for a withdrawn or fulfilled line, or a list not in force.
    """
    row = lock_list(line.demand_list)
    fresh = lock_line(line)
    if row.state != DemandList.State.IN_FORCE:
        raise Refused(_("The demand list is not in force: requests on its lines are closed."), code="wrong_state")
    if fresh.state == DemandLine.State.REQUESTED:
        return fresh
    return _move(fresh, "mark_requested", by=by, organisation=organisation)


@transaction.atomic
def reopen(
    *, line: DemandLine, by: User | None = None, organisation: Organisation | None = None, reason: str = ""
) -> DemandLine:
    """The last request on the line ended without an agreement, or its agreement before operation: it is open again.

    Idempotent; a withdrawn line stays withdrawn.
    """
    lock_list(line.demand_list)
    fresh = lock_line(line)
    if list_states.line_move(fresh.state, "reopen") is None:
        return fresh
    return _move(fresh, "reopen", by=by, organisation=organisation, reason=reason)


@transaction.atomic
def fulfil(
    *, line: DemandLine, by: User | None = None, organisation: Organisation | None = None, reason: str = ""
) -> DemandLine:
    """An agreement about the line is signed, also after the list has closed. Idempotent; Refused if withdrawn."""
    lock_list(line.demand_list)
    fresh = lock_line(line)
    if fresh.state == DemandLine.State.FULFILLED:
        return fresh
    return _move(fresh, "fulfil", by=by, organisation=organisation, reason=reason)


@transaction.atomic
def fall_short(*, line: DemandLine, by: User | None = None, reason: str) -> DemandLine:
    """An agreement about the line is signed that gives less than it asks for: its state stays, the history says why."""
    lock_list(line.demand_list)
    fresh = lock_line(line)
    acting(by)
    record("line.fall_short", fresh, by=by, organisation=fresh.demand_list.bureau, reason=reason)
    return fresh


# --- Inside -----------------------------------------------------------------------------------


def lock_line(line: DemandLine) -> DemandLine:
    """The line, fresh, its row locked until the transaction ends; its list's row is locked before."""
    return (
        DemandLine.objects.select_for_update(of=("self",), no_key=True)
        .select_related("demand_list__bureau")
        .get(pk=line.pk)
    )


def _move(
    line: DemandLine, verb: str, *, by: User | None, organisation: Organisation | None, reason: str = ""
) -> DemandLine:
    move = list_states.line_move(line.state, verb)
    if move is None:
        raise Refused(_("The line is already “%(state)s”.") % {"state": line.get_state_display()}, code="wrong_state")
    acting(by)
    before = {"state": line.state}
    line.state = move.to
    line.save(update_fields=["state", "updated_at"])
    record(
        f"line.{verb}",
        line,
        by=by,
        organisation=organisation or line.demand_list.bureau,
        before=before,
        after={"state": line.state},
        reason=reason,
    )
    return line


def insert_lines(row: DemandList, rows: Sequence[Mapping[str, Any]], **fixed: Any) -> list[DemandLine]:
    """New lines at the end of the locked list, all or none; fixed: values all of them have. Raises as add_lines."""
    jurisdiction = Jurisdiction.of(row)
    number, now = next_number(row), timezone.now()
    lines = []
    for position, fields in enumerate(rows):
        line = DemandLine(demand_list=row, number=number + position, created_at=now, updated_at=now, **fixed)
        fill(line, fields)
        _check_row(line, jurisdiction, position + 1)
        lines.append(line)
    try:
        with transaction.atomic():
            copying.insert(lines)
    except IntegrityError as error:
        if "line_applicant_code_once" not in str(error):
            raise
        raise Refused(
            _("An applicant has two lines with the same code: each code may stand once on a list."), code="double_code"
        ) from error
    return lines


def update_lines(
    row: DemandList, among: QuerySet[DemandLine], changes: Mapping[int, Mapping[str, Any]]
) -> list[DemandLine]:
    """Changes those of the locked list's lines, all or none. Raises as edit_lines."""
    jurisdiction = Jurisdiction.of(row)
    lines = list(among.select_for_update(of=("self",), no_key=True).filter(pk__in=changes).order_by("pk"))
    if len(lines) != len(changes):
        raise Refused(_("Some of these lines are no longer on the list."), code="gone")
    now = timezone.now()
    for line in lines:
        line.demand_list = row
        fill(line, changes[line.pk])
        line.updated_at = now
        _check_row(line, jurisdiction, line.number)
    DemandLine.objects.bulk_update(lines, [*FIELDS, "updated_at"], batch_size=BATCH_ROWS)
    return lines


def _check_row(line: DemandLine, jurisdiction: Jurisdiction, position: int) -> None:
    try:
        check_line(line, jurisdiction)
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise ValidationError(
            _("Row %(row)d, %(field)s: %(problem)s")
            % {
                "row": position,
                "field": getattr(DemandLine._meta.get_field(field), "verbose_name", field)
                if field in FIELDS
                else field,
                "problem": sentences[0],
            }
        ) from error


def tell_bulk(verb: str, row: DemandList, membership: Membership, lines: Sequence[DemandLine]) -> None:
    numbers = [line.number for line in lines]
    record(
        f"list.{verb}",
        row,
        by=membership.user,
        organisation=membership.organisation,
        after={"count": len(lines), "first": min(numbers), "last": max(numbers)},
    )
