"""Files out: start, write, cancel, forget. Small ones are written before the person's page comes back."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import connection, transaction
from django.db.models import Q, Sum
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, Organisation
from accounts.rules import rule
from listings import selection
from listings.exports import source
from listings.exports.make import Stopped, produce
from listings.models import ExportJob
from listings.wording import plain_number

State = ExportJob.State
INLINE_ROWS = 5_000  # written while the person waits: about half a second
DEAD_S = 120  # a heartbeat older than this: the worker is gone
ATTEMPTS_MAX = 3
FREE_BYTES_LEAST = 1 << 30  # kept free on the disk the files go to


def may_keep(membership: Membership | None) -> bool:
    """Whether files are kept for this reader: members of an organisation have a place for them, visitors have not."""
    return bool(membership) and membership.ended_at is None  # type: ignore[union-attr]


@transaction.atomic
def start(*, membership: Membership | None, format_: str, crs: str, scope: str, query: str, language: str) -> ExportJob:
    """A job for what the page lists now, counted and allowed; not yet written (see write_if_small()).

    Raises Refused where the file would be empty, larger than a visitor's may be, or over the day's cap.
    """
    reader = membership if may_keep(membership) else None
    if scope == ExportJob.Scope.OWN and reader is None:
        raise NotPermitted(_("Sign in for an organisation to take its resources out."))
    job = ExportJob(
        organisation=reader.organisation if reader else None,
        membership=reader,
        created_by=reader.user if reader else None,
        format=format_,
        crs=crs,
        scope=scope,
        query=query,
        language=language,
    )
    with override(language):
        asked = QueryDict(query)
        job.filter_text = (
            selection.own_filter_text(asked)
            if scope == ExportJob.Scope.OWN
            else selection.map_filter_text(reader, asked)
            if scope == ExportJob.Scope.MAP
            else ""
        )[:500]
    counts = source.count(job, reader)
    job.row_count, job.foreign_count, job.left_out_count = counts.total, counts.foreign, counts.left_out
    _check(job, reader, counts)
    job.full_clean(
        exclude=["file", "created_by", "membership", "organisation", "heartbeat_at", "finished_at", "expires_at"]
    )
    job.save(force_insert=True)
    return job


def _check(job: ExportJob, reader: Membership | None, counts: source.Counts) -> None:
    if not counts.total:
        if counts.left_out:
            raise Refused(
                _("All of it is important data of other owners, which is not handed out in files."), code="left_out"
            )
        raise Refused(_("There is nothing to take out: the filter finds no resource."), code="empty")
    region = reader.organisation.region_id if reader else None
    if reader is None or not reader.organisation.is_verified:
        most = rule("export.rows_unverified", region).whole
        if counts.foreign > most:
            raise Refused(
                _("Without a verified organisation one file holds at most %(most)s resources; these are %(count)s.")
                % {"most": plain_number(most), "count": plain_number(counts.foreign)},
                code="too_many",
            )
        return
    if not counts.foreign:
        return
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=reader.organisation_id)  # the sum holds
    most = rule("export.rows_per_day", region).whole
    since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    taken = (
        ExportJob.objects.filter(organisation=reader.organisation_id, created_at__gte=since)
        .exclude(state__in=[State.FAILED, State.CANCELLED])
        .aggregate(n=Sum("foreign_count"))["n"]
        or 0
    )
    if taken + counts.foreign > most:
        raise Refused(
            _(
                "Your organisation may take out %(most)s resources of other owners a day; %(taken)s are taken, "
                "%(count)s more are asked. Narrow the filter, or go on tomorrow."
            )
            % {"most": plain_number(most), "taken": plain_number(taken), "count": plain_number(counts.foreign)},
            code="day_cap",
        )


def write_if_small(job: ExportJob) -> ExportJob:
    """Writes a small file now, hands a larger one (and every PDF) to the worker."""
    from listings.tasks import write_export

    if job.row_count <= INLINE_ROWS and job.format != ExportJob.Format.SHEET:
        write(job.pk)
    else:
        with transaction.atomic():
            write_export.enqueue(job.pk)
    job.refresh_from_db()
    return job


def write_for_visitor(job: ExportJob) -> Path:
    """The file of a visitor in a folder of its own, which the caller removes; nothing of it is kept here."""
    folder = Path(tempfile.mkdtemp(prefix="gj-export-"))
    path = folder / "file"
    try:
        _counts, done = produce(job, None, path)
        _finish(job, done, size=path.stat().st_size)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return path


def _progress(job_id: int) -> tuple[Callable[[int], bool], Callable[[], None]]:
    """A connection of its own: the job's one is inside a COPY. Gives tell(done) and close()."""
    other = connection.copy()

    def tell(done: int) -> bool:
        with other.cursor() as cursor:
            cursor.execute(
                "UPDATE listings_exportjob SET done_count = %s, heartbeat_at = now() WHERE id = %s"
                " RETURNING is_cancel_asked OR state <> 'working'", [done, job_id],
            )  # fmt: skip
            row = cursor.fetchone()
        return row is None or not row[0]  # None: in a transaction not seen from here; go on

    return tell, other.close


def write(pk: int) -> None:
    """WAITING → DONE, or taken up again after a worker died: the file begins anew. Harmless when it is done."""
    now = timezone.now()
    idle = Q(state=State.WAITING) | Q(state=State.WORKING, heartbeat_at__lt=now - dt.timedelta(seconds=DEAD_S))
    job = ExportJob.objects.filter(idle, pk=pk, organisation__isnull=False).first()
    if job is None or not ExportJob.objects.filter(idle, pk=pk).update(
        state=State.WORKING, heartbeat_at=now, attempts=job.attempts + 1, done_count=0
    ):
        return
    job.refresh_from_db()
    try:
        _write(job)
    except Stopped:
        ExportJob.objects.filter(pk=pk, state=State.WORKING).update(state=State.CANCELLED, heartbeat_at=None)
    except Refused as reason:
        _fail(job, str(reason))
    except Exception:
        _fail(job, _("The file could not be written. The bureau's technicians find the cause in the log."))
        raise


def _fail(job: ExportJob, sentence: str) -> None:
    ExportJob.objects.filter(pk=job.pk).update(state=State.FAILED, refusal=sentence[:500], heartbeat_at=None)


def _write(job: ExportJob) -> None:
    with override(job.language):
        if job.attempts > ATTEMPTS_MAX:
            raise Refused(_("Writing this file was begun three times and never came to its end. Narrow the filter."))
        reader = Membership.objects.select_related("organisation__region", "user").filter(pk=job.membership_id).first()
        if reader is None or reader.ended_at is not None:
            raise Refused(_("Who asked for the file is no longer a member of the organisation."))
    tell, close = _progress(job.pk)
    root = Path(settings.PRIVATE_ROOT) / "exports"
    root.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(root).free < FREE_BYTES_LEAST:
        raise Refused(_("There is no room for the file at the moment. Try again later."))
    folder = Path(tempfile.mkdtemp(prefix="draft-", dir=root))
    try:
        path = folder / "file"
        suffix, done = _produced(job, reader, path, tell)
        name = f"exports/{timezone.now():%Y/%m}/{job.pk}.{suffix}"
        with path.open("rb") as content:
            stored = job.file.storage.save(name, File(content))
        job.file.name = stored
        _finish(job, done, size=path.stat().st_size)
    finally:
        close()
        shutil.rmtree(folder, ignore_errors=True)


def _produced(job: ExportJob, reader: Membership, path: Path, tell: Callable[[int], bool]) -> tuple[str, int]:
    if job.format == ExportJob.Format.SHEET:
        from listings.sheets import write_sheet

        return "pdf", write_sheet(job, reader, path)
    _counts, done = produce(job, reader, path, tell=tell)
    return suffix_of(job), done


def suffix_of(job: ExportJob) -> str:
    """The end of the file's name: several tables as CSV or GeoJSON come in a ZIP."""
    return {"csv": "zip", "geojson": "zip", "sheet": "pdf"}.get(job.format, job.format)


@transaction.atomic
def _finish(job: ExportJob, done: int, *, size: int) -> None:
    now = timezone.now()
    days = rule("export.days_kept", job.organisation.region_id if job.organisation else None).whole
    job.state, job.done_count, job.row_count, job.size_bytes = State.DONE, done, done, size
    job.foreign_count = min(job.foreign_count, done)
    job.finished_at, job.heartbeat_at = now, None
    job.expires_at = now + dt.timedelta(days=days) if job.organisation else now
    stamp = f"{timezone.localtime(job.created_at):%Y%m%d-%H%M}"
    job.file_name = f"gongjian-{job.scope}-{stamp}.{suffix_of(job)}"
    job.save(update_fields=[
        "state", "done_count", "row_count", "foreign_count", "size_bytes", "finished_at", "heartbeat_at", "expires_at",
        "file", "file_name",
    ])  # fmt: skip
    record(
        "export.write",
        job,
        by=job.created_by,
        organisation=job.organisation,
        after={
            "rows": done, "of_other_owners": job.foreign_count, "left_out": job.left_out_count, "format": job.format,
            "coordinate_system": job.crs, "list": job.scope, "filter": job.filter_text,
        },
    )  # fmt: skip


def _mine(job: ExportJob, membership: Membership) -> ExportJob:
    row = ExportJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
    if row.membership_id != membership.pk:
        raise NotPermitted(_("Only who asked for a file stops it or takes it away."))
    return row


@transaction.atomic
def cancel(*, job: ExportJob, membership: Membership) -> ExportJob:
    """Stops a file that is being written, or takes a finished one away before its time."""
    row = _mine(job, membership)
    if row.state == State.WAITING:
        row.state = State.CANCELLED
    elif row.state == State.WORKING:
        row.is_cancel_asked = True
    elif row.state == State.DONE:
        _drop_file(row)
    row.save(update_fields=["state", "is_cancel_asked", "file"])
    record("export.cancel", row, by=membership.user, organisation=row.organisation, after={"state": row.state})
    return row


def _drop_file(row: ExportJob) -> None:
    storage, name = row.file.storage, str(row.file.name)
    row.state, row.file = State.EXPIRED, ""
    transaction.on_commit(lambda: storage.delete(name) if name else None)


@transaction.atomic
def expire_due() -> int:
    """Takes files away whose time is up; gives how many."""
    due = ExportJob.objects.select_for_update(no_key=True, skip_locked=True).filter(
        state=State.DONE, expires_at__lte=timezone.now()
    )
    rows = list(due.order_by("pk")[:200])
    for row in rows:
        _drop_file(row)
        row.save(update_fields=["state", "file"])
    return len(rows)
