"""What an acceptance of works found, taken over into the record of the resource."""

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
    row = fresh.facts
    given = {name: value for name, value in facts.items() if value is not None and name in MEASURED[fresh.kind]}
    before = {name: _text(getattr(row, name)) for name in given}
    for name, value in given.items():
        setattr(row, name, value)
        fresh.provenance[name] = {"source": source, "on": on.isoformat()}
        fresh.missing.pop(name, None)
    fresh.facts_on = max(on, fresh.facts_on or on)
    fresh.quality = Resource.Quality.VALID
    if fresh.lifecycle in (Resource.Lifecycle.PLANNED, Resource.Lifecycle.UNDER_CONSTRUCTION):
        before["lifecycle"] = fresh.lifecycle
        fresh.lifecycle, fresh.join_until = Resource.Lifecycle.IN_SERVICE, None
    try:
        row.clean_fields(exclude=[field.name for field in row._meta.fields if field.name not in given])
    except ValidationError as problem:
        raise Refused(_("As built: %(why)s") % {"why": " ".join(problem.messages)}, code="as_built") from problem
    if given:
        row.save(update_fields=list(given))
    fresh.save(update_fields=["provenance", "missing", "facts_on", "quality", "lifecycle", "join_until", "updated_at"])
    after = {name: _text(value) for name, value in given.items()}
    record(
        "resource.as_built", fresh, by=by, organisation=fresh.owner, before=before,
        after=after | {"facts_on": fresh.facts_on.isoformat(), "source": source, "lifecycle": fresh.lifecycle},
    )  # fmt: skip
    return after


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date) else "" if value is None else str(value)
