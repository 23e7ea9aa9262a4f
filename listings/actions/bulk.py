"""One act on many of an owner's resources: looked over, confirmed, done in chunks, taken back as a whole.

Each row is judged by the rule that judges a single one (checks.check_rows(), lifecycle.why_not_move()); what was found
good is then written by one statement per chunk, and only to rows that nobody changed since they were judged.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Membership, Organisation
from accounts.permissions import NOT_VERIFIED
from listings import selection
from listings.actions.lifecycle import why_not_move
from listings.bulk_changes import COLUMNS, before_and_after, row_for
from listings.checks import check_rows
from listings.kinds.registry import SPECS
from listings.models import BulkJob, BulkRow, CapacityPool, Resource
from listings.permissions import may_edit, require_editor
from listings.states import TRANSITIONS

State, Verb, Verdict = BulkJob.State, BulkJob.Verb, BulkRow.Verdict
CHUNK = 1_000
INLINE_ROWS = 2_000  # done while the person waits
DEAD_S = 120
FORGET_DAYS = 7  # looked over and never confirmed
LANGUAGES = ("zh-hans", "en")
CHANGED_SINCE = gettext_noop("Somebody changed it after it was looked over.")
USED_SINCE = gettext_noop("It was changed, reserved or asked for since.")


def refusal(job: BulkJob, membership: Membership | None) -> Refused | None:
    """Why this person may not carry the job on; None: one may. No queries beyond the membership's."""
    if not membership or membership.organisation_id != job.organisation_id or membership.ended_at:
        return NotPermitted(_("These are another organisation's resources."))
    if not may_edit(membership, job.organisation):
        return NotPermitted(_("Your role reads resources; an editor or administrator of the owner changes them."))
    return None


# --- The person's answers -----------------------------------------------------------------------


def start(*, membership: Membership, verb: str, query: str, changes: dict[str, Any]) -> BulkJob:
    """Looks over what the filter (or the ticked rows) mean: nothing is changed. Small ones are ready at once.

    Raises NotPermitted to all but the owner's editors, Refused where nothing is chosen or nothing would change.
    """
    require_editor(membership, membership.organisation)
    if verb == Verb.PUBLISH and not membership.organisation.is_verified:
        raise Refused(NOT_VERIFIED, code="not_verified")
    if verb == Verb.EDIT and not changes:
        raise Refused(_("Choose at least one value to change."), code="nothing")
    count = selection.own_rows(membership, QueryDict(query)).count()
    if not count:
        raise Refused(_("Tick at least one resource first."), code="none")
    with transaction.atomic():
        job = BulkJob.objects.create(
            organisation=membership.organisation, membership=membership, created_by=membership.user, verb=verb,
            query=query, changes=changes, row_count=count,
        )  # fmt: skip
        _enqueue(job)
    return _advanced(job)


def confirm(*, job: BulkJob, membership: Membership) -> BulkJob:
    """Does what was looked over, to every row found good. Small ones are done when this returns."""
    with transaction.atomic():
        row = _held(job, membership, State.READY)
        if row.verb == Verb.PUBLISH and not row.organisation.is_verified:
            raise Refused(NOT_VERIFIED, code="not_verified")
        if not row.rows.filter(verdict=Verdict.CHANGE).exists():
            raise Refused(_("There is nothing to do: no resource would change."), code="nothing")
        row.state, row.heartbeat_at, row.confirmed_at, row.done_count = State.STORING, None, timezone.now(), 0
        row.membership = membership
        row.save(update_fields=["state", "heartbeat_at", "confirmed_at", "done_count", "membership"])
        after = {"what": row.verb, "changes": row.changes, "rows": row.row_count}
        record("bulk.confirm", row, by=membership.user, organisation=row.organisation, after=after)
        _enqueue(row)
    return _advanced(row)


@transaction.atomic
def cancel(*, job: BulkJob, membership: Membership) -> BulkJob:
    """Gives up what is not done yet. What is done stays until it is taken back."""
    row = _held(job, membership, State.CHECKING, State.READY, State.STORING)
    row.is_cancel_asked = True
    if row.state == State.READY or (row.state == State.CHECKING and row.heartbeat_at is None):
        row.state = State.CANCELLED
        row.rows.all().delete()
    row.save(update_fields=["is_cancel_asked", "state"])
    return row


def undo(*, job: BulkJob, membership: Membership) -> BulkJob:
    """Takes back all that was done, whether the job came to its end or was cancelled on the way.

    Rows that somebody changed since keep what they have and are named. Small ones are done when this returns.
    """
    with transaction.atomic():
        row = _held(job, membership, State.DONE, State.CANCELLED)
        if not row.rows.filter(verdict=Verdict.DONE).exists():
            raise Refused(_("There is nothing to take back."), code="nothing")
        row.state, row.heartbeat_at, row.done_count = State.UNDOING, None, 0
        row.is_cancel_asked, row.membership = False, membership
        row.save(update_fields=["state", "heartbeat_at", "done_count", "is_cancel_asked", "membership"])
        _enqueue(row)
    return _advanced(row)


def _held(job: BulkJob, membership: Membership, *states: str) -> BulkJob:
    rows = BulkJob.objects.select_for_update(of=("self",), no_key=True).select_related("organisation")
    row = rows.get(pk=job.pk)
    if denied := refusal(row, membership):
        raise denied
    if row.state not in states:
        raise Refused(
            _("It is “%(state)s” now: that step is not open.") % {"state": row.get_state_display()}, code="wrong_state"
        )
    return row


def _enqueue(job: BulkJob) -> None:
    from listings.tasks import work_on_bulk

    work_on_bulk.enqueue(job.pk)


def _advanced(job: BulkJob) -> BulkJob:
    if job.row_count <= INLINE_ROWS:
        work(job.pk)
    job.refresh_from_db()
    return job


# --- The work -----------------------------------------------------------------------------------


def work(pk: int) -> None:
    """Carries the job to the person's next answer, chunk by chunk. Harmless when there is nothing to do."""
    now = timezone.now()
    idle = Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - dt.timedelta(seconds=DEAD_S))
    if not BulkJob.objects.filter(idle, pk=pk, state__in=BulkJob.BUSY).update(heartbeat_at=now):
        return
    job = BulkJob.objects.select_related("organisation__region", "membership__user").get(pk=pk)
    steps: dict[str, Callable[[BulkJob], bool]] = {
        State.CHECKING: _check_chunk, State.STORING: _store_chunk, State.UNDOING: _undo_chunk,
    }  # fmt: skip
    step = steps[job.state]
    while True:
        with transaction.atomic():
            job = BulkJob.objects.select_for_update(of=("self",), no_key=True).select_related(
                "organisation__region", "membership__user"
            ).get(pk=pk)  # fmt: skip
            if job.is_cancel_asked:
                _end(job, State.CANCELLED)
                return
            if not step(job):
                _end(job, ENDS[State(job.state)])
                return
            job.heartbeat_at = timezone.now()
            job.save(update_fields=["heartbeat_at", "done_count"])


ENDS = {State.CHECKING: State.READY, State.STORING: State.DONE, State.UNDOING: State.UNDONE}


def _end(job: BulkJob, state: str) -> None:
    was, job.state, job.heartbeat_at, job.is_cancel_asked = job.state, state, None, False
    fields = ["state", "heartbeat_at", "done_count", "is_cancel_asked"]
    if was == State.CHECKING and state == State.CANCELLED:
        job.rows.all().delete()
    if was == State.STORING:
        job.finished_at = timezone.now()
        fields.append("finished_at")
    if was == State.UNDOING:
        job.undone_at = timezone.now()
        fields.append("undone_at")
    job.save(update_fields=fields)
    if was in (State.STORING, State.UNDOING):
        verdicts = dict(job.rows.order_by().values_list("verdict").annotate(n=models.Count("pk")))
        verb = "bulk.finish" if was == State.STORING else "bulk.undo"
        record(
            verb, job, by=job.membership.user, organisation=job.organisation, after={"what": job.verb, "rows": verdicts}
        )


def _check_chunk(job: BulkJob) -> bool:
    """Judges the next rows after the last one judged; False when there are none left."""
    last = job.rows.aggregate(last=models.Max("resource_id"))["last"] or 0
    chosen = selection.own_rows(job.membership, QueryDict(job.query)).filter(pk__gt=last)
    ids = list(chosen.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    if not ids:
        job.row_count = job.rows.count()
        job.save(update_fields=["row_count"])
        return False
    pools = models.Prefetch("pools", CapacityPool.objects.order_by("pk"))
    rows = Resource.objects.filter(pk__in=ids).order_by("pk").select_related(*SPECS).prefetch_related(pools)
    judge = _judge_edit if job.verb == Verb.EDIT else _judge_move
    BulkRow.objects.bulk_create(judge(job, list(rows.defer("place", "shown_cell"))), batch_size=CHUNK)
    job.done_count += len(ids)
    return True


def _bulk_row(job: BulkJob, resource: Resource, reasons: Sequence[dict[str, str]], **fields: Any) -> BulkRow:
    label = f"{resource.owner_code} · {resource.name}"[:250]
    return BulkRow(
        job=job, resource=resource, label=label, reasons=list(reasons), seen_at=resource.updated_at, **fields
    )


def _in_each_language(sentences: Callable[[], list[list[str]]]) -> list[list[dict[str, str]]]:
    """For each row its sentences as {language: words}; asked once per language, since words are fixed when made."""
    told = []
    for language in LANGUAGES:
        with override(language):
            told.append(sentences())
    return [
        [dict(zip(LANGUAGES, both, strict=True)) for both in zip(*each, strict=True)]
        for each in zip(*told, strict=True)
    ]


def _judge_edit(job: BulkJob, resources: list[Resource]) -> list[BulkRow]:
    managers = {org.pk: org for org in Organisation.objects.filter(pk=job.changes.get("manager") or 0)}

    def checked(chosen: list[Resource]) -> list[Any]:
        existing = {resource.owner_code: resource for resource in chosen}
        rows = [row_for(resource, job.changes, managers) for resource in chosen]
        return check_rows(rows, owner=job.organisation, existing=existing, seen=set())

    items = checked(resources)
    bad = [resource for resource, item in zip(resources, items, strict=True) if item.has_errors]

    def sentences() -> list[list[str]]:
        return [
            [" ".join(filter(None, [str(p.message), str(p.fix)])) for p in item.problems if p.is_error]
            for item in checked(bad)
        ]

    reasons = dict(zip([r.pk for r in bad], _in_each_language(sentences) if bad else [], strict=True))
    made = []
    for resource, item in zip(resources, items, strict=True):
        if resource.pk in reasons:
            made.append(_bulk_row(job, resource, reasons[resource.pk], verdict=Verdict.REFUSED))
            continue
        before, after = before_and_after(resource, item.row)
        verdict = Verdict.CHANGE if after else Verdict.SAME
        made.append(_bulk_row(job, resource, [], verdict=verdict, before=before, after=after))
    return made


def _judge_move(job: BulkJob, resources: list[Resource]) -> list[BulkRow]:
    def sentences() -> list[list[str]]:
        whys = [why_not_move(resource, job.verb, list(resource.pools.all())) for resource in resources]
        return [[why] if why else [] for why in whys]

    target = TRANSITIONS[job.verb].target
    made = []
    for resource, reasons in zip(resources, _in_each_language(sentences), strict=True):
        if reasons:
            verdict = Verdict.SAME if resource.state == target else Verdict.REFUSED
            made.append(_bulk_row(job, resource, reasons, verdict=verdict))
            continue
        before: dict[str, Any] = {"state": resource.state}
        after: dict[str, Any] = {"state": target}
        if job.verb == Verb.PUBLISH:
            before["published_at"] = resource.published_at.isoformat() if resource.published_at else None
            after["published_at"] = "now"
        made.append(_bulk_row(job, resource, [], verdict=Verdict.CHANGE, before=before, after=after))
    return made


# --- Writing, set by set ------------------------------------------------------------------------


def _lock(ids: Iterable[int]) -> None:
    """The resources, then their pools, locked in id order until the transaction ends."""
    chosen = sorted(ids)
    list(Resource.objects.select_for_update(no_key=True).filter(pk__in=chosen).order_by("pk").values_list("pk"))
    pools = CapacityPool.objects.select_for_update(no_key=True).filter(resource__in=chosen)
    list(pools.order_by("pk").values_list("pk"))


def _assignments(side: str) -> str:
    """SET list: each column takes the row's JSON value where it has one, else stays."""
    parts = []
    for name, type_ in COLUMNS.items():
        value = f"(b.{side}->>'{name}')::{type_}"
        if type_ == "text[]":
            value = f"ARRAY(SELECT jsonb_array_elements_text(b.{side}->'{name}'))::varchar(16)[]"
        elif name == "published_at":
            value = f"CASE b.{side}->>'{name}' WHEN 'now' THEN %(now)s ELSE (b.{side}->>'{name}')::timestamptz END"
        parts.append(f"{name} = CASE WHEN b.{side} ? '{name}' THEN {value} ELSE r.{name} END")
    return ", ".join(parts)


def _write(rows: Sequence[BulkRow], side: str, seen: str, guard: str = "") -> set[int]:
    """Brings `side` (before or after) into the resources whose updated_at is still row.`seen`; gives the rows' ids.

    They get stored_at = the new updated_at. Rows are locked before.
    """
    params: dict[str, Any] = {"ids": [row.pk for row in rows], "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE listings_resource r SET {_assignments(side)}, updated_at = %(now)s FROM listings_bulkrow b"
            f" WHERE b.id = ANY(%(ids)s) AND r.id = b.resource_id AND r.updated_at = b.{seen} AND r.state <> 'retired'"
            f" {guard} RETURNING b.id",
            params,
        )
        done = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            "UPDATE listings_capacitypool p SET price_fen_per_unit_year = (x.value #>> '{}')::bigint"
            f" FROM listings_bulkrow b, jsonb_each(b.{side}->'prices') x"
            " WHERE b.id = ANY(%(ids)s) AND p.id = x.key::bigint AND p.resource_id = b.resource_id",
            {"ids": list(done)},
        )
    BulkRow.objects.filter(pk__in=done).update(stored_at=params["now"])
    return done


def _tell(job: BulkJob, ids: set[int], verb: str, *, before: str, after: str) -> None:
    """One event per resource, as accounts.events.record() writes them, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_event (at, actor_id, organisation_id, verb, subject_type_id, subject_id,"
            " subject_label, before, after, reason)"
            f" SELECT now(), %s, %s, %s, %s, r.id::text, left(r.name, 200), b.{before}, b.{after}, %s"
            " FROM listings_bulkrow b JOIN listings_resource r ON r.id = b.resource_id WHERE b.id = ANY(%s)"
            " ORDER BY b.id",
            [job.membership.user_id, job.organisation_id, verb, ContentType.objects.get_for_model(Resource).pk,
             str(job)[:500], list(ids)],
        )  # fmt: skip


def _keep(rows: Sequence[BulkRow], done: set[int], sentence: str) -> None:
    told = {}
    for language in LANGUAGES:
        with override(language):
            told[language] = _(sentence)
    kept = [row.pk for row in rows if row.pk not in done]
    BulkRow.objects.filter(pk__in=kept).update(verdict=Verdict.KEPT, reasons=[told])


def _store_chunk(job: BulkJob) -> bool:
    rows = list(job.rows.filter(verdict=Verdict.CHANGE).order_by("pk")[:CHUNK])
    if not rows:
        return False
    _lock(row.resource_id for row in rows if row.resource_id)
    done = _write(rows, "after", "seen_at")
    BulkRow.objects.filter(pk__in=done).update(verdict=Verdict.DONE)
    verb = "resource.update" if job.verb == Verb.EDIT else f"resource.{job.verb}"
    _tell(job, done, verb, before="before", after="after")
    _keep(rows, done, CHANGED_SINCE)
    job.done_count += len(rows)
    return True


# A publication is taken back only where nobody leaned on it: what was reserved or asked for stays published.
UNUSED = (
    " AND NOT EXISTS (SELECT 1 FROM listings_reservation v JOIN listings_capacitypool p ON p.id = v.pool_id"
    " WHERE p.resource_id = r.id) AND NOT EXISTS (SELECT 1 FROM listings_disclosuregrant g WHERE g.resource_id = r.id)"
)


def _undo_chunk(job: BulkJob) -> bool:
    rows = list(job.rows.filter(verdict=Verdict.DONE).order_by("pk")[:CHUNK])
    if not rows:
        return False
    _lock(row.resource_id for row in rows if row.resource_id)
    done = _write(rows, "before", "stored_at", UNUSED if job.verb == Verb.PUBLISH else "")
    BulkRow.objects.filter(pk__in=done).update(verdict=Verdict.UNDONE)
    verbs = {Verb.PUBLISH: "resource.publish_undone", Verb.SUSPEND: "resource.resume"}
    _tell(job, done, verbs.get(Verb(job.verb), "resource.update"), before="after", after="before")
    _keep(rows, done, USED_SINCE)
    job.done_count += len(rows)
    return True


def take_up() -> int:
    """Goes on with jobs whose worker has gone silent, and forgets those nobody confirmed. Gives how many went on."""
    now = timezone.now()
    silent = Q(heartbeat_at__lt=now - dt.timedelta(seconds=DEAD_S))
    never = Q(heartbeat_at=None, created_at__lt=now - dt.timedelta(seconds=60))
    ids = list(
        BulkJob.objects.filter(silent | never, state__in=BulkJob.BUSY).order_by("pk").values_list("pk", flat=True)[:5]
    )
    for pk in ids:
        work(pk)
    old = BulkJob.objects.filter(state=State.READY, created_at__lt=now - dt.timedelta(days=FORGET_DAYS))
    for job in old.order_by("pk")[:50]:
        with transaction.atomic():
            job.rows.all().delete()
            BulkJob.objects.filter(pk=job.pk, state=State.READY).update(state=State.CANCELLED)
    return len(ids)
