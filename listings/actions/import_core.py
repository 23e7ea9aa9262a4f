"""What every act on an import stands on: the lock, the right, the state, the work between two answers."""

from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from listings.imports import limits, staging, targets
from listings.imports.collecting import rare_collections
from listings.models import ImportJob

State = ImportJob.State
LOCK_TIMEOUT_MS = 3_000  # a person waits that long at most
OPEN = (State.UPLOADED, State.READING, State.MAPPING, State.PLACING, State.CHECKING, State.READY)
ANSWERABLE = (State.MAPPING, State.PLACING, State.READY)


def lock(job: ImportJob) -> ImportJob:
    """The job, fresh, its row locked until the transaction ends. Raises Refused("busy") while it is being stored."""
    rows = ImportJob.objects.select_for_update(of=("self",), no_key=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_TIMEOUT_MS}ms"])
    try:
        return rows.select_related("organisation__region", "demand_list__bureau", "demand_list__region").get(pk=job.pk)
    except OperationalError as error:
        sentence = _("This import is being stored at this moment. Try again when it is done.")
        raise Refused(sentence, code="busy") from error


def refusal(job: ImportJob, membership: Membership | None) -> Refused | None:
    """Why this person may not carry the import on; None: one may. No queries beyond the membership's."""
    if not membership or membership.organisation_id != job.organisation_id:
        return NotPermitted(_("This import belongs to another organisation."))
    return targets.get(job.target).refusal(job, membership)


def held(job: ImportJob, membership: Membership, states: tuple[str, ...]) -> ImportJob:
    row = lock(job)
    if denied := refusal(row, membership):
        raise denied
    if row.state not in states:
        raise Refused(
            _("The import is “%(state)s” now: that step is not open.") % {"state": row.get_state_display()},
            code="wrong_state",
        )
    return row


def work(pk: int) -> None:
    """Carries the job to the person's next answer, whatever step it is at. Harmless when there is nothing to do."""
    with rare_collections():
        _work(pk)


def _work(pk: int) -> None:
    state = ImportJob.objects.filter(pk=pk).values_list("state", flat=True).first()
    if state in (State.UPLOADED, State.READING):
        staging.read(pk)
        if ImportJob.objects.filter(pk=pk, state=State.CHECKING).exists():  # our own template, without places
            staging.check(pk)
    elif state == State.CHECKING:
        staging.check(pk)
    elif state == State.STORING:
        from listings.actions.import_store import store

        store(pk)


def advance_if_small(job: ImportJob) -> None:
    """Works on a small job at once; the task enqueued beside it then finds nothing to do."""
    is_small = job.row_count < limits.INLINE_MAX_ROWS if job.row_count else job.file.size <= limits.INLINE_MAX_BYTES
    if is_small and not transaction.get_connection().needs_rollback:
        work(job.pk)


def enqueue(job: ImportJob) -> None:
    from listings.tasks import work_on_import

    work_on_import.enqueue(job.pk)


def totals(job: ImportJob) -> dict[str, Any]:
    return {name: job.counts.get(name, 0) for name in ("create", "update", "same", "error")}


def tell(verb: str, job: ImportJob, by: User | None, *, after: dict[str, Any]) -> None:
    record(f"import.{verb}", job, by=by, organisation=job.organisation, after=after)
