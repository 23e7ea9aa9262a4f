"""During a public notice: objections and their decisions, corrections by two persons, and the clock that follows."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clocks import deadline_after, deadline_for, recounts
from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, Region
from accounts.rules import rule
from listings import demand_notices as notices
from listings import demand_permissions as permissions
from listings.demand_rules import FIELDS, Jurisdiction, check_line
from listings.demand_shots import acting, as_json, from_json
from listings.models import DemandLine, DemandList, LineCorrection, Objection
from listings.objection_talk import close_talk, open_talk

from .demand_lines import lock_line, withdraw_line
from .demand_lists import bring_into_force, lock_list

# --- Objections -------------------------------------------------------------------------------


@transaction.atomic
def make_objection(
    *, demand_list: DemandList, membership: Membership, text: str, line: DemandLine | None = None
) -> Objection:
    """An organisation objects to the list or one of its lines during the notice; the bureau is told.

    Raises NotPermitted for visitors and unverified organisations, Refused after the notice or without words.
    """
    row = lock_list(demand_list)
    if refusal := permissions.objection_refusal(row, membership):
        raise refusal
    if line is not None and line.demand_list_id != row.pk:
        raise Refused(_("This line is not on the list."), code="other_list")
    if line is not None and lock_line(line).state == DemandLine.State.WITHDRAWN:
        raise Refused(_("This line has been withdrawn: there is nothing left to object to."), code="withdrawn")
    text = text.strip()
    if not text:
        raise Refused(_("Say what you object to, and why."), code="empty")
    objection = Objection(
        demand_list=row, line=line, organisation=membership.organisation, made_by=membership.user, text=text,
        decide_by=deadline_for("clock.objection_decision", row.region),
    )  # fmt: skip
    objection.full_clean()
    objection.save(force_insert=True)
    record(
        "objection.make",
        objection,
        by=membership.user,
        organisation=membership.organisation,
        after={"list": row.reference, "line": line.number if line else None},
    )
    open_talk(objection, membership.user)
    notices.tell_objection(objection)
    return objection


@transaction.atomic
def decide_objection(
    *, objection: Objection, membership: Membership, outcome: str, decision: str, withdraw: bool = False
) -> Objection:
    """The bureau decides with a reason, and the objector is answered. withdraw: the line goes, by this decision.

    Where this was the last one of a notice that has ended, the list comes into force at once.
    Raises NotPermitted without the role, Refused once decided, without a reason or with a wrong outcome.
    """
    row = lock_list(objection.demand_list)
    fresh = Objection.objects.select_for_update(of=("self",), no_key=True).select_related("line").get(pk=objection.pk)
    fresh.demand_list = row
    if refusal := permissions.decide_refusal(fresh, membership):
        raise refusal
    if outcome not in Objection.Outcome.values:
        raise Refused(_("Say whether the objection is upheld or dismissed."), code="no_outcome")
    if not decision.strip():
        raise Refused(_("Give a reason."), code="no_reason")
    if withdraw and (fresh.line is None or outcome == Objection.Outcome.DISMISSED):
        raise Refused(_("Only an objection to a line that is upheld withdraws the line."), code="no_line")
    if withdraw and fresh.line:
        withdraw_line(line=fresh.line, membership=membership, reason=decision.strip())
    fresh.outcome, fresh.decision = outcome, decision.strip()
    fresh.decided_by, fresh.decided_at = membership.user, timezone.now()
    fresh.full_clean()
    fresh.save(update_fields=["outcome", "decision", "decided_by", "decided_at"])
    record(
        "objection.decide", fresh, by=membership.user, organisation=row.bureau, reason=fresh.decision,
        after={"list": row.reference, "outcome": outcome, "withdrawn": withdraw},
    )  # fmt: skip
    close_talk(fresh, membership.user)
    notices.tell_decision(fresh)
    bring_into_force(demand_list=row)
    return fresh


# --- Corrections ------------------------------------------------------------------------------


@transaction.atomic
def propose_correction(*, line: DemandLine, membership: Membership, reason: str, **fields: Any) -> LineCorrection:
    """A curator words how a line under notice should read; nothing changes until a second person lets it in.

    Raises ValidationError as edit_line, Refused outside the notice, without a reason or where nothing differs.
    """
    row = lock_list(line.demand_list)
    fresh = lock_line(line)
    fresh.demand_list = row
    if refusal := permissions.correct_refusal(fresh, membership):
        raise refusal
    if not reason.strip():
        raise Refused(_("Give a reason."), code="no_reason")
    before = as_json(fresh)
    for name, value in fields.items():
        setattr(fresh, name, value)
    check_line(fresh, Jurisdiction.of(row))
    after = as_json(fresh)
    changed = {name: after[name] for name in FIELDS if after[name] != before[name]}
    if not changed:
        raise Refused(_("Nothing differs from the line as it stands."), code="same")
    made = LineCorrection(line=fresh, fields=changed, reason=reason.strip(), proposed_by=membership.user)
    made.full_clean()
    made.save(force_insert=True)
    record(
        "line.propose_correction", fresh, by=membership.user, organisation=row.bureau, reason=made.reason,
        before={name: before[name] for name in changed}, after=changed,
    )  # fmt: skip
    notices.tell_correction_proposed(made)
    return made


@transaction.atomic
def apply_correction(*, correction: LineCorrection, membership: Membership) -> LineCorrection:
    """The second person lets the correction in: the line changes, and the notice begins anew or runs longer by rule."""
    row, fresh = _answering(correction, membership)
    line = lock_line(fresh.line)
    line.demand_list = row
    fresh.before = as_json(line, fresh.fields)
    for name, value in from_json(fresh.fields).items():
        setattr(line, name, value)
    check_line(line, Jurisdiction.of(row))
    line.full_clean()
    line.save(update_fields=[*FIELDS, "updated_at"])
    _answer(fresh, membership, LineCorrection.State.APPLIED)
    record(
        "line.correct", line, by=membership.user, organisation=row.bureau, before=fresh.before, after=fresh.fields,
        reason=fresh.reason,
    )  # fmt: skip
    _prolong(row, membership, fresh.reason)
    return fresh


@transaction.atomic
def refuse_correction(*, correction: LineCorrection, membership: Membership, reason: str) -> LineCorrection:
    """The second person does not let the correction in: the line stays as it is."""
    _row, fresh = _answering(correction, membership)
    if not reason.strip():
        raise Refused(_("Give a reason."), code="no_reason")
    _answer(fresh, membership, LineCorrection.State.REFUSED)
    record("line.refuse_correction", fresh.line, by=membership.user, organisation=membership.organisation,
           after=fresh.fields, reason=reason.strip())  # fmt: skip
    return fresh


def _answering(correction: LineCorrection, membership: Membership) -> tuple[DemandList, LineCorrection]:
    row = lock_list(correction.line.demand_list)
    fresh = LineCorrection.objects.select_for_update(of=("self",), no_key=True).get(pk=correction.pk)
    fresh.line.demand_list = row
    if refusal := permissions.answer_correction_refusal(fresh, membership):
        raise refusal
    acting(membership.user)
    return row, fresh


def _answer(fresh: LineCorrection, membership: Membership, state: str) -> None:
    fresh.state, fresh.answered_by, fresh.answered_at = state, membership.user, timezone.now()
    fresh.save(update_fields=["state", "before", "answered_by", "answered_at"])


def notice_after_correction(row: DemandList, now: dt.datetime) -> tuple[int, dt.datetime, bool]:
    """(working days, the notice's new end, does it begin anew) by the region's rules. Queries for the rules.

    Anew: the whole objection clock from now. Else at least notice.correction_days are left from now; an end that
    lies later stays.
    """
    on = timezone.localdate(now)
    if rule("notice.correction_restarts", row.region, on=on).whole:
        days = rule("clock.objection", row.region, on=on).whole
        return days, deadline_after(now, days, row.region), True
    days = rule("notice.correction_days", row.region, on=on).whole
    return days, deadline_after(now, days, row.region), False


def _prolong(row: DemandList, membership: Membership, reason: str) -> None:
    now = timezone.now()
    days, ends_at, is_anew = notice_after_correction(row, now)
    if not is_anew and row.notice_ends_at and ends_at <= row.notice_ends_at:
        return
    before = row.notice_ends_at
    row.notice_from, row.notice_days, row.notice_ends_at = now, days, ends_at
    row.save(update_fields=["notice_from", "notice_days", "notice_ends_at"])
    record(
        "list.restart_notice" if is_anew else "list.extend_notice", row, by=membership.user, organisation=row.bureau,
        before={"notice_ends_at": before.isoformat() if before else None},
        after={"notice_ends_at": ends_at.isoformat()}, reason=reason,
    )  # fmt: skip
    notices.tell_clock_moved(row, reason)


# --- The calendar changed ---------------------------------------------------------------------


@recounts
def recount_notices(region: Region, why: str) -> int:
    """Counts the open notices and objections of the region anew; says so to who waits. Gives how many moved."""
    lists = DemandList.objects.filter(state="notice", region__code__startswith=region.prefix, notice_days__isnull=False)
    moved = 0
    for pk in lists.order_by("pk").values_list("pk", flat=True):
        row = lock_list(DemandList(pk=pk))
        moved += _recount_list(row, why) + sum(_recount_objection(o, row, why) for o in row.objections.undecided())
    return moved


def _recount_list(row: DemandList, why: str) -> bool:
    if row.state != DemandList.State.NOTICE or not row.notice_from or row.notice_days is None or row.is_notice_over:
        return False
    ends_at = deadline_after(row.notice_from, row.notice_days, row.region)
    if ends_at == row.notice_ends_at:
        return False
    before = row.notice_ends_at
    row.notice_ends_at = ends_at
    row.save(update_fields=["notice_ends_at"])
    record(
        "list.recount_clock", row, by=None, organisation=row.bureau, reason=why,
        before={"notice_ends_at": before.isoformat() if before else None},
        after={"notice_ends_at": ends_at.isoformat()},
    )  # fmt: skip
    notices.tell_clock_moved(row, why)
    return True


def _recount_objection(objection: Objection, row: DemandList, why: str) -> bool:
    decide_by = deadline_for("clock.objection_decision", row.region, at=objection.created_at)
    if objection.decide_by is None or decide_by == objection.decide_by:
        return False
    before, objection.decide_by = objection.decide_by, decide_by
    objection.save(update_fields=["decide_by"])
    record("objection.recount_clock", objection, by=None, organisation=row.bureau, reason=why,
           before={"decide_by": before.isoformat()}, after={"decide_by": decide_by.isoformat()})  # fmt: skip
    return True
