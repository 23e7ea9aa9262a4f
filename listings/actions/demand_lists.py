"""Demand lists: make, review by a second person, notice, in force, close. One action per verb.

The list's row is locked first by every action that changes the list or its lines, so that numbers stay
dense and nothing is written into a list that another person publishes at that moment.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.clocks import deadline_after
from accounts.errors import Refused
from accounts.events import record, snapshot
from accounts.models import Membership, Organisation, Region
from accounts.rules import rule
from listings import demand_notices as notices
from listings import demand_permissions as permissions
from listings import list_states
from listings.models import CoSigner, DemandList, LineCorrection

HEAD_FIELDS = ["region", "title_zh", "title_en", "batch", "summary_zh", "summary_en"]


def lock_list(demand_list: DemandList) -> DemandList:
    """The list, fresh, its row locked until the transaction ends."""
    return (
        DemandList.objects.select_for_update(of=("self",), no_key=True)
        .select_related("bureau__region", "region")
        .get(pk=demand_list.pk)
    )


def next_reference(region: Region, batch: str) -> str:
    """ "440000-2026h2-3": the region's next number in the batch. Locks the region's row against doubles."""
    Region.objects.select_for_update(no_key=True).get(pk=region.pk)
    prefix = f"{region.pk}-{batch.lower()}-"
    taken = DemandList.objects.filter(reference__startswith=prefix).order_by("pk").values_list("reference", flat=True)
    numbers = [int(tail) for reference in taken if (tail := reference.removeprefix(prefix)).isdecimal()]
    return f"{prefix}{max(numbers, default=0) + 1}"


@transaction.atomic
def create_list(
    *,
    membership: Membership,
    region: Region,
    title_zh: str,
    batch: str,
    title_en: str = "",
    summary_zh: str = "",
    summary_en: str = "",
    co_signers: Iterable[Organisation] = (),
    previous: DemandList | None = None,
    is_demo: bool = False,
) -> DemandList:
    """A new draft for the person's bureau. Raises NotPermitted without the curator's role, Refused outside the
    bureau's jurisdiction, ValidationError for wrong fields. Gives the reference.

    co_signers: bureaus of other regions that share the list and sign it off before its notice.
    """
    if refusal := permissions.create_refusal(membership, region):
        raise refusal
    made = DemandList(
        bureau=membership.organisation,
        region=region,
        title_zh=title_zh,
        title_en=title_en,
        batch=batch,
        summary_zh=summary_zh,
        summary_en=summary_en,
        created_by=membership.user,
        previous=previous,
        is_demo=is_demo,
    )
    made.full_clean(exclude=["reference"])
    made.reference = next_reference(region, batch)
    made.save(force_insert=True)
    names = _set_co_signers(made, co_signers)
    _tell(made, "create", membership, after=snapshot(made, ["reference", *HEAD_FIELDS]) | {"co_signers": names})
    return made


def _set_co_signers(row: DemandList, bureaus: Iterable[Organisation]) -> list[str]:
    """Makes these the co-signing bureaus; gives their names. Refused for what is no other verified bureau."""
    wanted = sorted(bureaus, key=lambda bureau: bureau.pk)
    if any(not bureau.is_bureau or not bureau.is_verified or bureau.pk == row.bureau_id for bureau in wanted):
        raise Refused(_("Only other verified bureaus co-sign a list."), code="no_bureau")
    row.co_signers.exclude(bureau__in=wanted).delete()
    for bureau in wanted:
        CoSigner.objects.get_or_create(demand_list=row, bureau=bureau)
    return [bureau.name_zh for bureau in wanted]


@transaction.atomic
def edit_list(*, demand_list: DemandList, membership: Membership, **fields: Any) -> DemandList:
    """Changes the head of a draft (HEAD_FIELDS, co_signers). The reference stays, also when the batch changes.

    Raises Refused when the list is no longer a draft, when the new region lies outside the jurisdiction, or when
    lines lie outside it.
    """
    row = lock_list(demand_list)
    if refusal := permissions.edit_refusal(membership, row):
        raise refusal
    before = snapshot(row, HEAD_FIELDS) | {"co_signers": _co_signer_names(row)}
    for name in HEAD_FIELDS:
        if name in fields:
            setattr(row, name, fields[name])
    if refusal := permissions.create_refusal(membership, row.region):
        raise refusal
    row.full_clean(exclude=["created_by"])
    if "co_signers" in fields:
        _set_co_signers(row, fields["co_signers"])
    if row.region_id != before["region"] and row.region.polygon:
        outside = row.lines.exclude(place__coveredby=row.region.polygon).count()
        if outside:
            raise Refused(
                _("%(count)d lines lie outside %(region)s: move or delete them first.")
                % {"count": outside, "region": row.region.name},
                code="lines_outside",
            )
    after = snapshot(row, HEAD_FIELDS) | {"co_signers": _co_signer_names(row)}
    if after != before:
        row.save(update_fields=HEAD_FIELDS)
        _tell(row, "edit", membership, before=before, after=after)
    return row


def _co_signer_names(row: DemandList) -> list[str]:
    return list(row.co_signers.order_by("pk").values_list("bureau__name_zh", flat=True))


@transaction.atomic
def discard(*, demand_list: DemandList, membership: Membership) -> None:
    """A draft made by mistake goes, with its lines, files and runs; the event log keeps what it was.

    Raises as edit_list, and Refused where operators have handed lines in: those are not the bureau's to throw away.
    """
    row = lock_list(demand_list)
    if refusal := permissions.edit_refusal(membership, row):
        raise refusal
    if count := row.lines.filter(handed_in_by__isnull=False).count():
        raise Refused(
            ngettext(
                "%(n)d line was handed in by an operator: a list that holds such lines is not discarded.",
                "%(n)d lines were handed in by operators: a list that holds such lines is not discarded.",
                count,
            )
            % {"n": count},
            code="handed_in",
        )
    record(
        "list.discard", row, by=membership.user, organisation=row.bureau,
        before={"reference": row.reference, "title_zh": row.title_zh, "lines": row.lines.count()},
    )  # fmt: skip
    row.delete()


@transaction.atomic
def submit(*, demand_list: DemandList, membership: Membership) -> DemandList:
    """Hands the draft to a second person for review. Refused while the list has no lines."""
    row = _moving(demand_list, "submit", membership)
    if not row.lines.exists():
        raise Refused(_("The list has no lines yet: add at least one before submitting."), code="no_lines")
    return _move(row, "submit", membership, submitted_by=membership.user, submitted_at=timezone.now())


@transaction.atomic
def co_sign(*, demand_list: DemandList, membership: Membership) -> CoSigner:
    """A co-signing bureau's publisher signs the submitted list off; the lead bureau publishes once all have."""
    row = lock_list(demand_list)
    if refusal := permissions.co_sign_refusal(row, membership):
        raise refusal
    mark = row.co_signers.select_for_update(of=("self",)).get(bureau=membership.organisation)
    mark.signed_by, mark.signed_at = membership.user, timezone.now()
    mark.save(update_fields=["signed_by", "signed_at"])
    _tell(row, "co_sign", membership, after={"bureau": membership.organisation.name_zh})
    notices.tell_co_signed(row, membership.organisation)
    return mark


@transaction.atomic
def publish(*, demand_list: DemandList, membership: Membership) -> DemandList:
    """Begins the public notice; the objection clock runs in working days by the region's rule.

    Raises NotPermitted for the person who submitted the list or who is no publisher (CHECK
    list_published_by_second_person holds the same), Refused in another state.
    """
    row = _moving(demand_list, "publish", membership)
    now = timezone.now()
    days = rule("clock.objection", row.region, on=timezone.localdate(now)).whole
    return _move(
        row,
        "publish",
        membership,
        published_by=membership.user,
        published_at=now,
        notice_from=now,
        notice_days=days,
        notice_ends_at=deadline_after(now, days, row.region),
    )


@transaction.atomic
def send_back(*, demand_list: DemandList, membership: Membership, reason: str) -> DemandList:
    """Returns a submitted list to its curators with a note; who submitted it may take it back so."""
    row = _moving(demand_list, "send_back", membership, reason)
    submitter = row.submitted_by
    row.co_signers.update(signed_by=None, signed_at=None)  # they sign what will be published
    row = _move(row, "send_back", membership, reason=reason, submitted_by=None, submitted_at=None)
    if submitter and submitter.pk != membership.user_id:
        notices.tell_sent_back(row, submitter, reason)
    return row


@transaction.atomic
def close(*, demand_list: DemandList, membership: Membership, reason: str) -> DemandList:
    """Ends a list under notice or in force, with a reason; it stays readable."""
    row = _moving(demand_list, "close", membership, reason)
    return _move(row, "close", membership, reason=reason, closed_at=timezone.now())


@transaction.atomic
def bring_into_force(*, demand_list: DemandList, now: dt.datetime | None = None) -> bool:
    """By the clock: a list whose notice has ended is in force from that very end, however late this runs.

    Objections still to be decided hold it; then it is in force from the last decision. Corrections nobody let in
    lapse. Idempotent: False when there was nothing to do. Locks the list's row.
    """
    row = lock_list(demand_list)
    now = now or timezone.now()
    if not list_states.move(row.state, "bring_into_force") or not row.notice_ends_at or row.notice_ends_at >= now:
        return False
    if row.objections.undecided().exists():
        return False
    last = row.objections.aggregate(last=Max("decided_at"))["last"]
    LineCorrection.objects.filter(line__demand_list=row, state="proposed").update(state="refused", answered_at=now)
    _move(row, "bring_into_force", None, in_force_at=max(row.notice_ends_at, last or row.notice_ends_at))
    return True


# --- Inside a move ----------------------------------------------------------------------------


def _moving(demand_list: DemandList, verb: str, membership: Membership, reason: str | None = None) -> DemandList:
    """The locked list, if the move is open to the person (and a reason given, where one is needed)."""
    row = lock_list(demand_list)
    if refusal := permissions.move_refusal(verb, row, membership):
        raise refusal
    if reason is not None and not reason.strip():
        raise Refused(_("Give a reason."), code="no_reason")
    return row


def _move(row: DemandList, verb: str, membership: Membership | None, *, reason: str = "", **fields: Any) -> DemandList:
    move = list_states.move(row.state, verb)
    if move is None:
        raise Refused(_("That step is not open."), code="wrong_state")
    names = ["state", *fields]
    before = snapshot(row, names)
    row.state = move.to
    for name, value in fields.items():
        setattr(row, name, value)
    row.full_clean(exclude=["created_by"])
    row.save(update_fields=names)
    _tell(row, verb, membership, before=before, after=snapshot(row, names), reason=reason)
    notices.tell_moved(row, verb)
    return row


def _tell(
    row: DemandList,
    verb: str,
    membership: Membership | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    record(
        f"list.{verb}",
        row,
        by=membership.user if membership else None,
        organisation=membership.organisation if membership else row.bureau,
        before=dict(before) if before else None,
        after=dict(after) if after else None,
        reason=reason,
    )
