"""What an acceptance or a joint survey found, taken over into the record of the resource."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import User
from listings.kinds.registry import SPECS
from listings.models import Kind, Resource

# Facts of a kind that works of others change, or an acceptance measures.
MEASURED: dict[str, tuple[str, ...]] = {
    Kind.TOWER: ("load_used_pct",),
    Kind.DUCT: ("mandrel_tested_on",),
    Kind.CABLE: ("attenuation_db_per_km",),
    Kind.ROOM: ("odf_port_count",),
}


# Facts of a kind that people see and measure at a joint survey.
FOUND: dict[str, tuple[str, ...]] = {
    Kind.TOWER: ("height_m", "load_used_pct", "load_kg", "spare_kva"),
    Kind.DUCT: ("cover_depth_m", "inner_mm", "cable_max_mm", "blocked_at_m"),
    Kind.CABLE: ("attenuation_db_per_km",),
    Kind.ROOM: ("clear_height_m", "rack_count", "mains_spare_kva", "entry_bore_count"),
}


def found_fields(kind: str) -> list[Any]:
    """The model fields of FOUND for a kind."""
    return [SPECS[kind].model._meta.get_field(name) for name in FOUND[kind]]


def measured_fields(kind: str) -> list[Any]:
    """The model fields of MEASURED for a kind."""
    return [SPECS[kind].model._meta.get_field(name) for name in MEASURED[kind]]


@transaction.atomic
def take_over_as_built(
    *, resource: Resource, facts: Mapping[str, Any], on: dt.date, source: str, by: User | None
) -> dict[str, str]:
    """Writes measured facts with their source and date, and that what is there has been seen on the day.

    Called by the action that accepts works, which has checked who may. facts: {name of MEASURED: value}; None is left
    out. A planned resource is in service from then on. Gives {name: value as text}. Raises Refused for a wrong value.
    """
    fresh = Resource.objects.select_for_update(no_key=True).get(pk=resource.pk)
    before, after = _written(fresh, MEASURED[fresh.kind], facts, on, source)
    fresh.facts_on = max(on, fresh.facts_on or on)
    fresh.quality = Resource.Quality.VALID
    if fresh.lifecycle in (Resource.Lifecycle.PLANNED, Resource.Lifecycle.UNDER_CONSTRUCTION):
        before["lifecycle"] = fresh.lifecycle
        fresh.lifecycle, fresh.join_until = Resource.Lifecycle.IN_SERVICE, None
    fresh.save(update_fields=["provenance", "missing", "facts_on", "quality", "lifecycle", "join_until", "updated_at"])
    record(
        "resource.as_built", fresh, by=by, organisation=fresh.owner, before=before,
        after=after | {"facts_on": fresh.facts_on.isoformat(), "source": source, "lifecycle": fresh.lifecycle},
    )  # fmt: skip
    return after


@transaction.atomic
def take_over_found(
    *, resource: Resource, facts: Mapping[str, Any], on: dt.date, source: str, by: User | None
) -> dict[str, str]:
    """Writes what a joint survey found other than recorded, with its source and the day of the survey.

    Called by the action that knows who may. facts: {name of FOUND: value}. Gives {name: value as text}. Raises Refused
    for a wrong value.
    """
    fresh = Resource.objects.select_for_update(no_key=True).get(pk=resource.pk)
    before, after = _written(fresh, FOUND[fresh.kind], facts, on, source)
    fresh.facts_on = max(on, fresh.facts_on or on)
    fresh.save(update_fields=["provenance", "missing", "facts_on", "updated_at"])
    record(
        "resource.as_found", fresh, by=by, organisation=fresh.owner, before=before,
        after=after | {"facts_on": fresh.facts_on.isoformat(), "source": source},
    )  # fmt: skip
    return after


def _written(
    fresh: Resource, names: tuple[str, ...], facts: Mapping[str, Any], on: dt.date, source: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Sets and saves the facts named; (before, after) as text. The caller saves the resource itself."""
    row = fresh.facts
    given = {name: value for name, value in facts.items() if value is not None and name in names}
    before = {name: _text(getattr(row, name)) for name in given}
    for name, value in given.items():
        setattr(row, name, value)
        fresh.provenance[name] = {"source": source, "on": on.isoformat()}
        fresh.missing.pop(name, None)
    try:
        row.clean_fields(exclude=[field.name for field in row._meta.fields if field.name not in given])
    except ValidationError as problem:
        raise Refused(_("As built: %(why)s") % {"why": " ".join(problem.messages)}, code="as_built") from problem
    if given:
        row.save(update_fields=list(given))
    return before, {name: _text(value) for name, value in given.items()}


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date) else "" if value is None else str(value)
