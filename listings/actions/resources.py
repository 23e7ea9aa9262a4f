"""Write resources down: one path for forms and files. See listings/rows.py for what a row is.

For imports: CleanRow, row_from_values() (flat parsed values → CleanRow), check_rows() (the report, stores nothing)
and store_resources() (all rows in one transaction, by the same checks).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.gis.geos import GEOSGeometry
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record
from accounts.models import Event, Membership, Organisation, User
from listings import resource_copies
from listings.actions.parts import replace_parts
from listings.checks import CREATE, SAME, UPDATE, Checked, check_rows, stored
from listings.constraint_words import sentence_of
from listings.differences import changes
from listings.kinds.parts import Parts, check_bores, check_chambers, pools_from_bores
from listings.kinds.pools import PoolData
from listings.kinds.registry import SPECS
from listings.models import CapacityPool, ImportJob, Reservation, Resource
from listings.permissions import may_edit, require_editor, require_keeper
from listings.places import geos, line_length_m
from listings.problems import Invalid, Problem, error
from listings.region_lookup import Outlines
from listings.resource_copies import POOL_FIELDS
from listings.rows import CleanRow, row_from_values

__all__ = ["Checked", "CleanRow", "check_rows", "row_from_values", "save_for_owner", "save_resource", "store_resources"]

CHUNK = 5_000
COPY_FROM = 50  # so many new ones at once go by COPY


@transaction.atomic
def save_resource(
    *,
    by: User | None,
    membership: Membership,
    resource: Resource | None,
    data: Mapping[str, Any],
    facts: Mapping[str, Any],
    pools: Sequence[PoolData] | None,
    place: GEOSGeometry | None,
    kind: str = "",
    owner_code: str = "",
    parts: Parts | None = None,
    seen_at: dt.datetime | None = None,
) -> Resource:
    """Creates a draft (resource=None; kind and owner_code given) or changes a resource in any state but retired.

    data, facts, pools and place as in CleanRow: what is not named stays as it is.
    parts: bores, chambers and carrying lines; bores without any pools give the capacity too.
    seen_at: when the record the person looked at was last changed; None: not checked. Refused ("stale") where somebody
    else changed it since.
    Gives it with .problems: the warnings that did not stand in the way. Raises NotPermitted to all but the
    editors of owner and manager, Invalid (with .problems by field) when a check fails. Locks resource, then pools.
    """
    owner = resource.owner if resource else membership.organisation
    if resource is None:
        require_editor(membership, owner)
    else:
        require_keeper(membership, resource)
        data = _by_manager(resource, membership, data, owner_code)
    kind = resource.kind if resource else kind
    owner_code = owner_code.strip() or (resource.owner_code if resource else "")
    parts = parts or Parts()
    if parts.bores and not pools and pools is not None:
        pools = pools_from_bores(parts.bores)
    row = CleanRow(kind, owner_code, data, facts, None if pools is None else list(pools), place)
    existing: dict[str, Resource] = {}
    if resource is not None:
        fresh = next(iter(stored(owner, [resource.owner_code], lock=True).values()))
        if seen_at is not None and fresh.updated_at != seen_at:
            raise Refused(
                _("Somebody changed this record after you opened it. What you typed is below: compare and save again."),
                code="stale",
            )
        existing = {row.owner_code: fresh}
    taken = Resource.objects.filter(owner=owner, owner_code=row.owner_code)
    if taken.exclude(pk=resource.pk if resource else None).exists():
        twice = error(
            "owner_code", "code_taken", _("You have a resource with this code already."), _("Use another code.")
        )
        row = replace(row, problems=(twice,))
    (item,) = check_rows([row], owner=owner, existing=existing)
    item.problems += _check_parts(item, parts)
    if item.has_errors:
        raise Invalid(item.problems)
    _store([item], owner=owner, by=by, job=None)
    saved = Resource.objects.get(owner=owner, owner_code=row.owner_code)
    _store_parts(saved, parts, membership, by)
    saved.problems = item.problems  # type: ignore[attr-defined]  # warnings ride along for the page
    return saved


@transaction.atomic
def save_for_owner(*, owner: Organisation, row: CleanRow, by: User | None) -> Resource:
    """Writes one resource of another's down: a draft, or the stored one with its code changed.

    Called by an action that has checked who may. Raises Invalid or Refused as save_resource does.
    """
    (item,) = check_rows([row], owner=owner, existing=stored(owner, [row.owner_code], lock=True))
    if item.has_errors:
        raise Invalid(item.problems)
    _store([item], owner=owner, by=by, job=None)
    return Resource.objects.get(owner=owner, owner_code=row.owner_code)


OWNERS_OWN = ("manager", "user", "grade", "disclosure", "sector")  # what the manager's editors leave as it is


def _by_manager(
    resource: Resource, membership: Membership, data: Mapping[str, Any], owner_code: str
) -> Mapping[str, Any]:
    """data as given by the owner's people; from the manager's without what only the owner says."""
    if may_edit(membership, resource.owner):
        return data
    if owner_code.strip() not in ("", resource.owner_code):
        raise NotPermitted(_("Only the owner changes its own code."))
    for name in OWNERS_OWN:
        if name in data and data[name] != getattr(resource, name):
            raise NotPermitted(_("Who owns, manages and uses it, and who may see it, is for the owner to say."))
    return {name: value for name, value in data.items() if name not in OWNERS_OWN}


def _check_parts(item: Checked, parts: Parts) -> list[Problem]:
    old = item.existing
    length_m = line_length_m(item.place) if item.place is not None else old.length_m if old else None
    spec = SPECS[item.row.kind]
    facts = {name: getattr(old.facts, name) for name in spec.fields} if old else {}
    facts |= item.facts
    problems = check_bores(parts.bores, facts, length_m) if parts.bores else []
    if parts.chambers:
        problems += check_chambers(parts.chambers, float(facts.get("surveyed_length_m") or length_m or 0))
    return problems


def _store_parts(resource: Resource, parts: Parts, membership: Membership, by: User | None) -> None:
    """Bores, chambers and carriers, with one event for what changed in them."""
    try:
        with transaction.atomic():
            changed = replace_parts(resource, parts, membership)
            _check_rules()
    except IntegrityError as failure:
        raise Refused(sentence_of(failure), code="constraint") from failure
    if changed:
        before = {name: pair[0] for name, pair in changed.items()}
        after = {name: pair[1] for name, pair in changed.items()}
        record("resource.update", resource, by=by, organisation=resource.owner, before=before, after=after)


@transaction.atomic
def store_resources(
    *,
    by: User | None,
    membership: Membership,
    rows: Iterable[CleanRow],
    job: ImportJob | None,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Stores all rows or none, in chunks inside one transaction; gives {"create", "update", "same"} with their counts.

    Rows whose code the owner has already change that resource; the others become drafts. Raises NotPermitted,
    and Invalid naming the first bad row: an import hands in only rows its report found good.
    on_progress: called with the number of rows done after each chunk; what it raises takes everything back.
    """
    owner = membership.organisation
    require_editor(membership, owner)
    counts = {CREATE: 0, UPDATE: 0, SAME: 0}
    seen: set[str] = set()
    outlines, done = Outlines(), 0
    for chunk in _chunks(rows):
        existing = stored(owner, {row.owner_code for row in chunk}, lock=True)
        quick = outlines if len(chunk) >= COPY_FROM else None
        items = check_rows(chunk, owner=owner, existing=existing, seen=seen, outlines=quick)
        bad = next((item for item in items if item.has_errors), None)
        if bad is not None:
            where = error("", "row", _("Row %(number)d:") % {"number": bad.row.number})
            raise Invalid([where, *bad.problems])
        _store(items, owner=owner, by=by, job=job)
        for item in items:
            counts[item.verdict] += 1
        done += len(chunk)
        if on_progress:
            on_progress(done)
    return counts


def _chunks(rows: Iterable[CleanRow]) -> Iterator[list[CleanRow]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _store(items: Sequence[Checked], *, owner: Organisation, by: User | None, job: ImportJob | None) -> None:
    """Writes checked rows and their events; the database's own constraints have the last word."""
    try:
        with transaction.atomic():
            events = _create([item for item in items if item.verdict == CREATE], owner, by, job)
            events += _update([item for item in items if item.verdict == UPDATE])
            _record(events, owner=owner, by=by, job=job)
            _check_rules()
    except IntegrityError as failure:
        raise Refused(sentence_of(failure), code="constraint") from failure


def _check_rules() -> None:
    """The rules over several rows now, while the refusal can still be worded; otherwise they wait for the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


Change = tuple[str, Resource, dict[str, Any] | None, dict[str, Any]]  # verb, subject, before, after


def is_copied(items: Sequence[Checked], job: ImportJob | None) -> bool:
    """Whether new rows go by COPY: all those of files, so that an import is one path, and any large number."""
    return job is not None or len(items) >= COPY_FROM


def _create(items: Sequence[Checked], owner: Organisation, by: User | None, job: ImportJob | None) -> list[Change]:
    if is_copied(items, job):
        resource_copies.create(items, owner=owner, by=by, job=job)
        return []
    resources = [
        Resource(
            kind=item.row.kind,
            owner=owner,
            owner_code=item.row.owner_code,
            place=geos(item.place) if item.place else None,
            region_id=item.region_id or "",  # checked rows have one; the database refuses none
            created_by=by,
            import_job=job,
            **item.values,
        )
        for item in items
    ]
    Resource.objects.bulk_create(resources, batch_size=CHUNK)
    pools: list[CapacityPool] = []
    facts: dict[str, list[models.Model]] = {kind: [] for kind in SPECS}
    for item, resource in zip(items, resources, strict=True):
        facts[resource.kind].append(SPECS[resource.kind].model(resource=resource, **item.facts))
        pools += [_pool(resource, data) for data in item.pools or []]
    for kind, rows in facts.items():
        SPECS[kind].model._default_manager.bulk_create(rows, batch_size=CHUNK)
    CapacityPool.objects.bulk_create(pools, batch_size=CHUNK)
    return [
        ("resource.create", resource, None, resource_copies.told(item))
        for item, resource in zip(items, resources, strict=True)
    ]


def _update(items: Sequence[Checked]) -> list[Change]:
    resources: list[Resource] = []
    facts: dict[str, list[models.Model]] = {}
    fields: set[str] = {"updated_at"}
    fact_fields: dict[str, set[str]] = {}
    events: list[Change] = []
    for item in items:
        resource = item.existing
        assert resource is not None  # verdict UPDATE says so
        changed = changes(item)
        before = {name: pair[0] for name, pair in changed.items()}
        after = {name: pair[1] for name, pair in changed.items()}
        for name, value in item.values.items():
            setattr(resource, name, value)
        if item.place is not None:
            resource.place, resource.region_id = geos(item.place), item.region_id or resource.region_id
        resource.owner_code, resource.updated_at = item.row.owner_code, timezone.now()
        fields |= changed.keys() & {f.name for f in Resource._meta.concrete_fields}
        resources.append(resource)
        for name, value in item.facts.items():
            setattr(resource.facts, name, value)
        if item.facts:
            facts.setdefault(resource.kind, []).append(resource.facts)
            fact_fields.setdefault(resource.kind, set()).update(item.facts)
        if "pools" in changed:
            _replace_pools(resource, item.pools or [])
        events.append(("resource.update", resource, before, after))
    if resources:
        Resource.objects.bulk_update(resources, sorted(fields), batch_size=200)
    for kind, rows in facts.items():
        SPECS[kind].model._default_manager.bulk_update(rows, sorted(fact_fields[kind]), batch_size=500)
    return events


def _pool(resource: Resource, data: PoolData) -> CapacityPool:
    return CapacityPool(resource=resource, **{name: getattr(data, name) for name in POOL_FIELDS})


def _replace_pools(resource: Resource, wanted: Sequence[PoolData]) -> None:
    """Pools as wanted: changed, added, taken away. Locks the resource's pools in id order first."""
    pools = {pool.pk: pool for pool in resource.pools.select_for_update(no_key=True).order_by("pk")}
    by_name = {(pool.unit, pool.label): pool for pool in pools.values()}
    kept: set[int] = set()
    for data in wanted:
        pool = pools.get(data.pk) if data.pk else by_name.get((data.unit, data.label))
        if pool is None:
            _pool(resource, data).save(force_insert=True)
            continue
        kept.add(pool.pk)
        for name in POOL_FIELDS:
            setattr(pool, name, getattr(data, name))
        pool.save(update_fields=POOL_FIELDS)
    gone = [pool for pk, pool in pools.items() if pk not in kept]
    reserved = Reservation.objects.filter(pool__in=gone).select_related("pool").order_by("pk").first()
    if reserved:
        label = reserved.pool.label or reserved.pool.get_unit_display()
        raise Refused(
            _("%(pool)s was reserved before and stays. Set its total to what is in use instead.") % {"pool": label},
            code="pool_reserved",
        )
    CapacityPool.objects.filter(pk__in=[pool.pk for pool in gone]).delete()


def _record(events: Sequence[Change], *, owner: Organisation, by: User | None, job: ImportJob | None) -> None:
    """One event row per resource, as accounts.events.record() writes them, many at once."""
    subject_type = ContentType.objects.get_for_model(Resource)
    Event.objects.bulk_create(
        [
            Event(
                verb=verb,
                subject_type=subject_type,
                subject_id=str(resource.pk),
                subject_label=str(resource)[:200],
                actor=by,
                organisation=owner,
                before=before,
                after=after,
                reason=str(job) if job else "",
            )
            for verb, resource, before, after in events
        ],
        batch_size=CHUNK,
    )
