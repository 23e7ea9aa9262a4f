"""The end of an import: stored in one transaction, cancelled before, or taken back as a whole after."""

from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.errors import Refused
from accounts.models import Membership, User
from listings.actions.import_core import OPEN, State, advance_if_small, enqueue, held, lock, refusal, tell, totals
from listings.imports import limits, progress, staging, targets
from listings.imports.checking import Checker
from listings.models import ImportJob, ImportRow

NAMED = 10  # codes in a sentence
KEPT_NAMED = 200  # codes kept to be shown


def confirm(*, job: ImportJob, membership: Membership) -> ImportJob:
    """Stores every row the report found good, in one transaction. Small files are stored before this returns."""
    row = _confirm(job, membership)
    advance_if_small(row)
    row.refresh_from_db()
    return row


@transaction.atomic
def _confirm(job: ImportJob, membership: Membership) -> ImportJob:
    row = held(job, membership, (State.READY,))
    if not row.counts.get("create") and not row.counts.get("update"):
        raise Refused(_("There is nothing to store: no row is new or changed."), code="nothing")
    row.state, row.heartbeat_at, row.confirmed_at, row.done_count = State.STORING, None, timezone.now(), 0
    row.refusal = ""
    row.detected = {**row.detected, "confirmed_by": membership.pk}
    row.save(update_fields=["state", "heartbeat_at", "confirmed_at", "done_count", "refusal", "detected"])
    tell("confirm", row, membership.user, after={"counts": totals(row)})
    enqueue(row)
    return row


def store(pk: int) -> None:
    """STORING → DONE: the worker's part of confirm(), all rows or none. Back to READY, with the reason, when refused.

    The job's own row lock is the claim: a second worker passes by, and a killed one leaves nothing.
    """
    try:
        with transaction.atomic():
            row = (
                ImportJob.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
                .filter(pk=pk, state=State.STORING)
                .select_related("organisation__region", "demand_list__bureau", "demand_list__region")
                .first()
            )
            if row is None:
                return
            membership = Membership.objects.select_related("organisation__region", "user").get(
                pk=row.detected["confirmed_by"]
            )
            _store(row, membership)
    except Refused as reason:
        ImportJob.objects.filter(pk=pk, state=State.STORING).update(
            state=State.READY, refusal=str(reason)[:500], heartbeat_at=None
        )
    finally:
        progress.forget(pk)


def _store(job: ImportJob, membership: Membership) -> None:
    if denied := refusal(job, membership):
        raise denied
    good = ImportRow.objects.filter(job=job, verdict__in=["create", "update"]).order_by("number")
    rows = good.only("number", "raw", "verdict").iterator(chunk_size=limits.CHUNK_ROWS)
    target = targets.get(job.target)
    stored = target.store(job, Checker(job).drafts(rows), membership, partial(_on_progress, job.pk))
    staging.write_results(stored.results)
    job.state, job.done_count, job.heartbeat_at = State.DONE, stored.count, None
    job.save(update_fields=["state", "done_count", "heartbeat_at"])
    tell("store", job, membership.user, after={"counts": totals(job), "stored": stored.count})


def _on_progress(job_id: int, done: int) -> None:
    """Tells how far the storing is, and stops it where the person asked for that."""
    progress.tell(job_id, done)
    if progress.is_cancel_asked(job_id):
        raise Refused(_("The storing was stopped as you asked: nothing was stored."), code="stopped")


def cancel(*, job: ImportJob, membership: Membership) -> ImportJob:
    """Ends an import before it is stored; its rows and its file go. One that is being stored is stopped instead.

    Stopped, it stands at its report again with nothing stored. Raises Refused once it is stored.
    """
    if denied := refusal(job, membership):
        raise denied
    if ImportJob.objects.filter(pk=job.pk, state=State.STORING).exists():
        progress.ask_cancel(job.pk)
        return job
    return _cancel(job, membership)


@transaction.atomic
def _cancel(job: ImportJob, membership: Membership) -> ImportJob:
    row = lock(job)
    if denied := refusal(row, membership):
        raise denied
    if row.state == State.CANCELLED:
        return row
    if row.state not in (*OPEN, State.FAILED):
        raise Refused(_("The import has been stored: undo it instead."), code="wrong_state")
    return _end(row, membership.user)


@transaction.atomic
def forget(*, job: ImportJob) -> None:
    """By the clock: an import nobody went on with is cancelled."""
    row = lock(job)
    if row.state in OPEN:
        _end(row, None)


def _end(row: ImportJob, by: User | None) -> ImportJob:
    row.state, row.is_cancel_asked, row.heartbeat_at = State.CANCELLED, True, None
    row.save(update_fields=["state", "is_cancel_asked", "heartbeat_at"])
    row.rows.all().delete()
    tell("cancel", row, by, after={"state": State.CANCELLED})
    storage, name = row.file.storage, row.file.name
    transaction.on_commit(lambda: storage.delete(str(name)))
    return row


@transaction.atomic
def undo(*, job: ImportJob, membership: Membership, keep_changed: bool = False) -> ImportJob:
    """Takes a stored import back as a whole: what it made goes, what it changed gets its former values.

    What was changed, published, reserved or asked for since is named and nothing is undone; with keep_changed it stays
    as it is now and all the rest is undone. Raises Refused("changed_since") with .details, the codes.
    """
    row = held(job, membership, (State.DONE,))
    target = targets.get(row.target)
    changed = list(row.rows.exclude(result={}).order_by("number"))
    touched = dict(target.touched_since(row, changed))
    if touched and not keep_changed:
        raise ChangedSince(sorted(touched.values()))
    undone = target.undo(row, changed, membership, touched.keys())
    row.state = State.UNDONE
    row.detected = {**row.detected, "kept": sorted(touched.values())[:KEPT_NAMED], "kept_count": len(touched)}
    row.save(update_fields=["state", "detected"])
    tell("undo", row, membership.user, after={"undone": undone, "kept": len(touched)})
    return row


def touched_since(job: ImportJob) -> list[str]:
    """The codes of what was changed, published, reserved or deleted since the import stored it. Queries some times."""
    changed = list(job.rows.exclude(result={}).order_by("number"))
    return sorted(targets.get(job.target).touched_since(job, changed).values())


class ChangedSince(Refused):
    """Some of what an import made was changed since; codes names them."""

    def __init__(self, codes: list[str]):
        self.codes = codes
        named = ", ".join(codes[:NAMED]) + (" …" if len(codes) > NAMED else "")
        sentence = ngettext(
            "%(count)d of the entries was changed, published, reserved or deleted after the import: %(codes)s. "
            "Undo the others and keep it, or leave all as it is.",
            "%(count)d of the entries were changed, published, reserved or deleted after the import: %(codes)s. "
            "Undo the others and keep these, or leave all as it is.",
            len(codes),
        )
        super().__init__(sentence % {"count": len(codes), "codes": named}, code="changed_since")
