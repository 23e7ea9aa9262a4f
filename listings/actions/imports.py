"""A file's way in: upload, confirm the columns, confirm the place, read the report, store; cancel or undo.

Each answer of the person is one action here; the work between two answers is listings.imports.staging's, done by the
worker (small files at once, by the same code).
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, User
from listings.imports import columns, guessing, limits, spots, staging, systems, targets, upload
from listings.imports.findings import FileRefused
from listings.imports.options import Options
from listings.models import DemandList, ImportJob, ImportMapping, ImportRow

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


def _held(job: ImportJob, membership: Membership, states: tuple[str, ...]) -> ImportJob:
    row = lock(job)
    if denied := refusal(row, membership):
        raise denied
    if row.state not in states:
        raise Refused(
            _("The import is “%(state)s” now: that step is not open.") % {"state": row.get_state_display()},
            code="wrong_state",
        )
    return row


# --- Upload -------------------------------------------------------------------------------------


def upload_file(
    *, membership: Membership, file: "UploadedFile[Any]", kind: str = "", demand_list: DemandList | None = None
) -> tuple[ImportJob, bool]:
    """(job, is_new). The same file again while its import is open gives that import.

    kind: "" lets the headers tell. Raises FileRefused with one sentence for a file that cannot be taken.
    Small files are read before this returns; others by the worker.
    """
    name = upload.tidy_name(file.name or "")
    form = upload.format_of(file, name, file.size or 0)
    digest = hashlib.sha256()
    for block in upload.chunks(file):
        digest.update(block)
    job, is_new = _create(membership, file, name, form, digest.hexdigest(), kind, demand_list)
    if is_new:
        advance_if_small(job)
        job.refresh_from_db()
    return job, is_new


@transaction.atomic
def _create(
    membership: Membership,
    file: "UploadedFile[Any]",
    name: str,
    form: str,
    sha256: str,
    kind: str,
    demand_list: DemandList | None,
) -> tuple[ImportJob, bool]:
    target = ImportJob.Target.DEMAND if demand_list else ImportJob.Target.RESOURCES
    job = ImportJob(
        organisation=membership.organisation,
        target=target,
        demand_list=demand_list,
        file_name=name,
        file_sha256=sha256,
        format=form,
        kind=kind,
        created_by=membership.user,
    )
    if denied := refusal(job, membership):
        raise denied
    open_one = (
        ImportJob.objects.filter(
            organisation=membership.organisation,
            target=target,
            demand_list=demand_list,
            file_sha256=sha256,
            state__in=OPEN,
        )
        .order_by("-pk")
        .first()
    )
    if open_one:
        return open_one, False
    job.file.save(f"{sha256[:16]}.{form}", file, save=False)
    job.save(force_insert=True)
    _tell("upload", job, membership.user, after={"file": name, "sha256": sha256, "target": str(target)})
    _enqueue(job)
    return job, True


# --- The person's answers -----------------------------------------------------------------------


@transaction.atomic
def choose_sheet(*, job: ImportJob, membership: Membership, sheet: str = "", kind: str = "") -> ImportJob:
    """Reads the file again: another sheet or layer, or as another kind of resource."""
    row = _held(job, membership, ANSWERABLE)
    options = Options.of(row.options)
    if sheet and sheet not in row.detected.get("sheets", []):
        raise Refused(_("The file has no such sheet."), code="no_sheet")
    if kind and kind not in targets.get(row.target).kinds():
        raise Refused(_("There is no such kind."), code="no_kind")
    row.options = (Options(sheet=sheet) if sheet else Options(sheet=options.sheet)).as_json()
    row.kind = kind or row.kind
    row.state = State.UPLOADED
    row.save(update_fields=["options", "kind", "state"])
    _enqueue(row)
    return row


@transaction.atomic
def set_columns(
    *,
    job: ImportJob,
    membership: Membership,
    mapping: Mapping[str, str],
    constants: Mapping[str, str] | None = None,
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> ImportJob:
    """Confirms which column is which field (mapping {field: column}), values for all rows, and what words mean.

    Raises Refused when a place or the own code is not named, or a column is not in the file.
    """
    row = _held(job, membership, ANSWERABLE)
    target = targets.get(row.target)
    specs = {spec.field: spec for spec in columns.specs_with_place(target.specs(row.kind))}
    names = {column["name"] for column in row.columns}
    chosen = {field: column for field, column in mapping.items() if column}
    if unknown := [field for field, column in chosen.items() if field not in specs or column not in names]:
        raise Refused(_("There is no such column: %(names)s.") % {"names": ", ".join(unknown)}, code="no_column")
    _require(row, chosen)
    options = Options.of(row.options)
    options.constants = {
        f: v.strip()[:200] for f, v in (constants or {}).items() if f in specs and v.strip() and f not in chosen
    }
    options.words = {
        f: {text: value for text, value in pairs.items() if value in specs[f].choices}
        for f, pairs in (words or {}).items()
        if f in specs
    }
    stand_ins = [field for field in ("owner_code", "name", "applicant_code", "title") if _stands_in(field, chosen)]
    row.mapping, row.options, row.state = chosen, options.as_json(), State.PLACING
    row.detected = {**row.detected, "stand_ins": stand_ins}
    row.save(update_fields=["mapping", "options", "state", "detected"])
    return row


def _require(job: ImportJob, chosen: Mapping[str, str]) -> None:
    code = "owner_code" if job.target == "resources" else "applicant_code"
    if code not in chosen:
        raise Refused(
            _("Say which column holds your own code: it is how the same file again changes nothing twice."),
            code="no_code",
        )
    ways = (
        {"geometry"},
        {"wkt"},
        {"coordinates"},
        {"longitude", "latitude"},
        {"start_longitude", "start_latitude", "end_longitude", "end_latitude"},
    )
    if not any(way <= set(chosen) for way in ways):
        raise Refused(
            _("Say which columns hold the place: longitude and latitude, both in one cell, or a geometry (WKT)."),
            code="no_place",
        )


def _stands_in(field: str, chosen: Mapping[str, str]) -> bool:
    """Whether the field shares its column with the other of code and name, that column being the other's."""
    pairs = {"owner_code": "name", "name": "owner_code", "applicant_code": "title", "title": "applicant_code"}
    other = pairs[field]
    if field not in chosen or chosen.get(other) != chosen[field]:
        return False
    return field in ("name", "title")


def set_place(
    *,
    job: ImportJob,
    membership: Membership,
    crs: str,
    is_swapped: bool = False,
    is_abroad: bool = False,
    swap_rows: bool = False,
) -> ImportJob:
    """Confirms the coordinate system and has every row checked. Small files are checked before this returns.

    crs: "EPSG:n", GCJ-02 or BD-09. is_swapped: both columns exchanged in the whole file. is_abroad: places outside
    China are kept under the owner's region. swap_rows: exchange the rows named "swapped".
    """
    row = _set_place(job, membership, systems.check(crs), is_swapped, is_abroad, swap_rows)
    advance_if_small(row)
    row.refresh_from_db()
    return row


@transaction.atomic
def _set_place(
    job: ImportJob, membership: Membership, crs: str, is_swapped: bool, is_abroad: bool, swap_rows: bool
) -> ImportJob:
    row = _held(job, membership, (State.PLACING, State.READY))
    rows, found = guessing.sample_spots(row)
    options = Options.of(row.options)
    options.is_swapped, options.is_abroad, options.swap_rows, options.middle = is_swapped, is_abroad, swap_rows, []
    spots.place(found, crs=crs, options=options, is_line=targets.get(row.target).geometry(row.kind))
    options.middle = spots.middle_of([spot.place for spot in found if spot.place is not None])
    row.crs, row.options, row.state = crs, options.as_json(), State.CHECKING
    row.heartbeat_at, row.done_count, row.is_cancel_asked = None, 0, False
    row.save(update_fields=["crs", "options", "state", "heartbeat_at", "done_count", "is_cancel_asked"])
    _remember(row)
    _enqueue(row)
    return row


def swap_rows(*, job: ImportJob, membership: Membership) -> ImportJob:
    """Has the rows named "swapped" exchanged and everything checked again."""
    options = Options.of(job.options)
    return set_place(
        job=job,
        membership=membership,
        crs=job.crs,
        is_swapped=options.is_swapped,
        is_abroad=options.is_abroad,
        swap_rows=True,
    )


def _remember(job: ImportJob) -> None:
    names = [column["name"] for column in job.columns]
    ImportMapping.objects.update_or_create(
        organisation=job.organisation,
        header_hash=columns.header_hash(names, target=job.target, kind=job.kind),
        defaults={"mapping": job.mapping, "crs": job.crs},
    )


# --- Confirm, cancel, undo ----------------------------------------------------------------------


def confirm(*, job: ImportJob, membership: Membership) -> ImportJob:
    """Stores every row the report found good, in one transaction. Small files are stored before this returns."""
    row = _confirm(job, membership)
    advance_if_small(row)
    row.refresh_from_db()
    return row


@transaction.atomic
def _confirm(job: ImportJob, membership: Membership) -> ImportJob:
    row = _held(job, membership, (State.READY,))
    if not row.counts.get("create") and not row.counts.get("update"):
        raise Refused(_("There is nothing to store: no row is new or changed."), code="nothing")
    row.state, row.heartbeat_at, row.confirmed_at, row.done_count = State.STORING, None, timezone.now(), 0
    row.refusal = ""
    row.detected = {**row.detected, "confirmed_by": membership.pk}
    row.save(update_fields=["state", "heartbeat_at", "confirmed_at", "done_count", "refusal", "detected"])
    _tell("confirm", row, membership.user, after={"counts": _totals(row)})
    _enqueue(row)
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


def _store(job: ImportJob, membership: Membership) -> None:
    if denied := refusal(job, membership):
        raise denied
    good = ImportRow.objects.filter(job=job, verdict__in=["create", "update"]).order_by("number")
    results = targets.get(job.target).store(job, good.iterator(chunk_size=limits.CHUNK_ROWS), membership)
    staging.write_results(results)
    job.state, job.done_count, job.heartbeat_at = State.DONE, len(results), None
    job.save(update_fields=["state", "done_count", "heartbeat_at"])
    _tell("store", job, membership.user, after={"counts": _totals(job), "stored": len(results)})


@transaction.atomic
def cancel(*, job: ImportJob, membership: Membership) -> ImportJob:
    """Ends an import before anything is stored; its rows and its file go."""
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
    _tell("cancel", row, by, after={"state": State.CANCELLED})
    storage, name = row.file.storage, row.file.name
    transaction.on_commit(lambda: storage.delete(str(name)))
    return row


@transaction.atomic
def undo(*, job: ImportJob, membership: Membership) -> ImportJob:
    """Takes a stored import back as a whole: what it made goes, what it changed gets its former values.

    Raises Refused when any of it was changed, published, reserved or asked for since.
    """
    row = _held(job, membership, (State.DONE,))
    stored = list(row.rows.exclude(result={}).order_by("number").defer("raw", "problems"))
    targets.get(row.target).undo(row, stored, membership)
    row.state = State.UNDONE
    row.save(update_fields=["state"])
    _tell("undo", row, membership.user, after={"rows": len(stored)})
    return row


# --- Inside -------------------------------------------------------------------------------------


def work(pk: int) -> None:
    """Carries the job to the person's next answer, whatever step it is at. Harmless when there is nothing to do."""
    state = ImportJob.objects.filter(pk=pk).values_list("state", flat=True).first()
    if state in (State.UPLOADED, State.READING):
        staging.read(pk)
    elif state == State.CHECKING:
        staging.check(pk)
    elif state == State.STORING:
        store(pk)


def advance_if_small(job: ImportJob) -> None:
    """Works on a small job at once; the task enqueued beside it then finds nothing to do."""
    is_small = job.row_count < limits.INLINE_MAX_ROWS if job.row_count else job.file.size <= limits.INLINE_MAX_BYTES
    if is_small and not transaction.get_connection().needs_rollback:
        work(job.pk)


def _enqueue(job: ImportJob) -> None:
    from listings.tasks import work_on_import

    work_on_import.enqueue(job.pk)


def _totals(job: ImportJob) -> dict[str, Any]:
    return {name: job.counts.get(name, 0) for name in ("create", "update", "same", "error")}


def _tell(verb: str, job: ImportJob, by: User | None, *, after: dict[str, Any]) -> None:
    record(f"import.{verb}", job, by=by, organisation=job.organisation, after=after)


__all__ = [
    "FileRefused",
    "cancel",
    "choose_sheet",
    "confirm",
    "forget",
    "set_columns",
    "set_place",
    "store",
    "swap_rows",
    "undo",
    "upload_file",
    "work",
]
