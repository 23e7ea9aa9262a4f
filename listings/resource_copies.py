"""New resources with their facts, pools and events, written by COPY: for files of many rows. By checked rows only.

The same rows as one by one through the models (tests hold the two against each other); called inside the action's
transaction, behind the same checks.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from accounts.models import Event, Organisation, User
from listings.checks import Checked
from listings.copying import Table, copy, next_ids
from listings.differences import pool_words
from listings.kinds.registry import SPECS
from listings.models import CapacityPool, ImportJob, Resource

POOL_FIELDS = ["unit", "label", "height_m", "height_top_m", "bore_mm", "total", "in_use", "price_fen_per_unit_year"]


def told(item: Checked) -> dict[str, Any]:
    """What the event of a creation says."""
    assert item.place is not None  # checked rows have one
    words: dict[str, Any] = {"kind": item.row.kind, "owner_code": item.row.owner_code, "name": item.values["name"]}
    return words | {"place": item.place.wkt, "pools": pool_words(item.pools or [])}


def create(items: Sequence[Checked], *, owner: Organisation, by: User | None, job: ImportJob | None) -> None:
    """Writes the items as drafts of the owner, in their order. Raises IntegrityError as any INSERT does."""
    now = timezone.now()
    ids = next_ids(Resource, len(items))
    resources = Table(
        Resource, with_key=True, owner=owner.pk, created_by=by.pk if by else None, import_job=job.pk if job else None,
        created_at=now, updated_at=now,
    )  # fmt: skip
    lines = (
        resources.line(
            item.values
            | {
                "id": pk,
                "kind": item.row.kind,
                "owner_code": item.row.owner_code,
                "place": item.place,
                "region": item.region_id,
            }
        )
        for pk, item in zip(ids, items, strict=True)
    )
    copy(resources.name, resources.columns, lines)
    for kind, spec in SPECS.items():
        facts = Table(spec.model)
        of_kind = [(pk, item) for pk, item in zip(ids, items, strict=True) if item.row.kind == kind]
        if of_kind:
            copy(facts.name, facts.columns, (facts.line({**item.facts, "resource": pk}) for pk, item in of_kind))
    pools = Table(CapacityPool)
    copy(
        pools.name,
        pools.columns,
        (
            pools.line({"resource": pk, **{name: getattr(pool, name) for name in POOL_FIELDS}})
            for pk, item in zip(ids, items, strict=True)
            for pool in item.pools or ()
        ),
    )
    _tell(ids, items, owner, by, job, now)


def _tell(
    ids: Sequence[int],
    items: Sequence[Checked],
    owner: Organisation,
    by: User | None,
    job: ImportJob | None,
    now: Any,
) -> None:
    """One event row per resource, as accounts.events.record() writes them."""
    events = Table(
        Event,
        at=now,
        verb="resource.create",
        subject_type=ContentType.objects.get_for_model(Resource).pk,
        actor=by.pk if by else None,
        organisation=owner.pk,
        reason=str(job)[:500] if job else "",
    )
    copy(
        events.name,
        events.columns,
        (
            events.line({"subject_id": str(pk), "subject_label": str(item.values["name"])[:200], "after": told(item)})
            for pk, item in zip(ids, items, strict=True)
        ),
    )
