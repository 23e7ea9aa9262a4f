"""One resource as data, on its way in from a form or a file. Pure: no queries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from listings.kinds.pools import PoolData
from listings.kinds.registry import SPECS
from listings.models import Resource
from listings.places import Place
from listings.problems import Problem

# Fields of Resource a form or file may set; everything else is decided by actions.
DATA_FIELDS = (
    "name",
    "sector",
    "manager",
    "user",
    "address",
    "lifecycle",
    "available_from",
    "available_until",
    "ownership_mode",
    "condition",
    "occupancy",
    "accuracy",
    "survey_method",
    "quality",
    "grade",
    "disclosure",
    "sharing_modes",
    "access_hours",
    "access_permit",
    "access_safety",
    "access_contact",
    "access_note",
    "price_note",
    "source",
    "source_srid",
    "facts_on",
    "project_type",
    "project_name",
    "reserved_area_m2",
    "reserved_kva",
    "join_until",
    "missing",
    "provenance",
    "is_demo",
)


@dataclass(frozen=True)
class CleanRow:
    """One resource to be stored: parsed values of the right Python types, not yet checked against the rules.

    data: Resource fields (DATA_FIELDS) by name; only the named ones are changed on an update. Beside them
      words looked up or compared: "region" (declared, code or name), "owner_name", "manager_name", "user_name".
    facts: fields of the kind's own table; only the named ones are changed.
    pools: the whole set of pools; None leaves an existing resource's pools alone.
    place: geometry in SRID 4326; None leaves an existing place alone.
    number: the row's number as a person counts it in the file; 0 from a form.
    problems: what was found while the row was put together.
    is_abroad: the owner says the place lies outside China; it is then kept under the owner's own region.
    """

    kind: str
    owner_code: str
    data: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    pools: list[PoolData] | None = None
    place: Place | None = None
    number: int = 0
    problems: tuple[Problem, ...] = ()
    is_abroad: bool = False


DECLARED = ("region", "owner_name", "manager_name", "user_name")


def _typed(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value


@lru_cache(maxsize=8)
def _fields(kind: str) -> tuple[str, ...]:
    return SPECS[kind].fields


def row_from_values(
    kind: str,
    values: Mapping[str, Any],
    *,
    number: int,
    place: Place | None,
    source_srid: str = "EPSG:4326",
    missing: Mapping[str, str] | None = None,
) -> CleanRow:
    """A row from flat values keyed by ColumnSpec.field, parsed by its type; None and absent alike mean "not given".

    missing: fact field → unknown | unpopulated | withheld, for cells that said why (spec.MISSING_WORDS).
    """
    spec, fields = SPECS[kind], _fields(kind)
    given = {name: _typed(value) for name, value in values.items() if value is not None and value != ""}
    pools, problems = spec.pools_from_values(given)
    facts = {name: given[name] for name in fields if name in given}
    if spec.assume:
        more, said = spec.assume(given, pools)
        facts, problems = {**more, **facts}, [*problems, *said]
    data = {name: given[name] for name in (*DATA_FIELDS, *DECLARED) if name in given}
    data["source_srid"] = source_srid
    if missing:
        data["missing"] = {name: reason for name, reason in missing.items() if name in fields}
    return CleanRow(
        kind=kind,
        owner_code=str(given.get("owner_code", "")).strip(),
        data=data,
        facts=facts,
        pools=pools or None,
        place=place,
        number=number,
        problems=tuple(problems),
    )


def defaults_of(kind: str) -> dict[str, Any]:
    """What a new resource of the kind is taken to be where nothing is said: the usual sharing mode first."""
    return {"sharing_modes": list(SPECS[kind].sharing_modes[:1]), "source_srid": "EPSG:4326"}


def blank(row: CleanRow) -> Resource:
    """An unsaved Resource with the row's kind and code (for checks and creation)."""
    return Resource(kind=row.kind, owner_code=row.owner_code)
