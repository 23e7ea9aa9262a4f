"""What works of several parties leave behind, as rows of listings: each party's share as it was built. No queries but
for the axis of an area."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import Point
from django.utils import timezone

from accounts.models import Organisation
from agreements.models import Project
from listings.kinds.pools import PoolData
from listings.kinds.registry import SPECS
from listings.models import Kind, Resource
from listings.models.resources import ProjectType
from listings.rows import CleanRow

from .planned import axis, place_of

KINDS = {
    Project.Unit.BORES: Kind.DUCT, Project.Unit.CORES: Kind.CABLE, Project.Unit.POSITIONS: Kind.TOWER,
    Project.Unit.KVA: Kind.ROOM,
}  # fmt: skip
POOL_UNITS = {Kind.DUCT: "bore", Kind.CABLE: "core", Kind.TOWER: "position"}
NAMES = {Kind.DUCT: "建成管孔", Kind.CABLE: "建成纤芯", Kind.TOWER: "建成天线位置"}


def kind_of(project: Project) -> str:
    """The kind of resource the works build, by what they are counted in: its checklist is the one of the works."""
    return str(KINDS[Project.Unit(project.unit)])


def makes_shares(project: Project) -> bool:
    """Whether acceptance makes resources of the parties' shares: not where space was reserved for all, power alone is
    shared, or a line of bores or cores was drawn as a point."""
    if project.is_gated or kind_of(project) not in POOL_UNITS:
        return False
    return kind_of(project) == Kind.TOWER or not isinstance(project.place, Point)


def rows(project: Project, shares: Iterable[tuple[Organisation, Decimal]]) -> list[tuple[Organisation, CleanRow]]:
    """(owner, row) to be stored. shares: (party, units), the lead first.

    Bores and cores are each party's own; a tower is one thing, so it is the lead's with a pool for each party. All is
    in use by its owner until it says otherwise.
    """
    kind, parties = kind_of(project), list(shares)
    if kind == Kind.TOWER:
        pools = [
            PoolData("position", units, in_use=units, label=party.name_zh[:70]) for party, units in parties if units
        ]
        return [(project.lead, _row(project, kind, pools))]
    unit = POOL_UNITS[Kind(kind)]
    return [(party, _row(project, kind, [PoolData(unit, units, in_use=units)])) for party, units in parties if units]


def _row(project: Project, kind: str, pools: list[PoolData]) -> CleanRow:
    is_named = project.kind in ProjectType.values
    data: dict[str, Any] = {
        "name": f"{project.title[:140]} · {NAMES[Kind(kind)]}",
        "lifecycle": Resource.Lifecycle.IN_SERVICE,
        "quality": Resource.Quality.VALID,
        "project_type": project.kind if is_named else ProjectType.OTHER,
        "project_name": project.title,
        "facts_on": timezone.localdate(),
        "source": f"验收 acceptance {project.reference}",
    }
    facts: dict[str, Any] = {}
    if kind == Kind.DUCT and project.method == Project.Method.OPEN_CUT:
        facts["laying"] = "trench"
    place = place_of(project, "positions") if kind == Kind.TOWER else axis(project)
    return CleanRow(kind, f"GJ-P{project.pk:06d}-S", data, facts, pools, place)


def facts_from(kind: str, said: Mapping[str, str]) -> dict[str, Any]:
    """Facts of an inspection's as_built as values again."""
    meta = SPECS[kind].model._meta
    return {name: meta.get_field(name).to_python(text) for name, text in said.items()}
