"""What works keep for communications, as rows of listings. Figures of the gate in, rows out; one query for a place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.gis.db.models import GeometryField
from django.contrib.gis.db.models.functions import GeoFunc
from django.contrib.gis.geos import GEOSGeometry, LineString, MultiLineString, Point
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.rules import rule
from agreements.models import Project, ProjectParty, ProjectResource
from listings.kinds.pools import PoolData
from listings.kinds.room import RACK_U
from listings.models import CapacityPool, Kind, Resource
from listings.places import line_length_m
from listings.rows import CleanRow

Sort = ProjectResource.Sort
KINDS = {Sort.BORES: Kind.DUCT, Sort.ROOM: Kind.ROOM, Sort.POSITIONS: Kind.TOWER}
LETTERS = {Sort.BORES: "B", Sort.ROOM: "R", Sort.POSITIONS: "A"}
NAMES = {Sort.BORES: "通信管孔", Sort.ROOM: "通信机房", Sort.POSITIONS: "天线位置"}
COUNTED_IN = {Project.Unit.BORES: "bore", Project.Unit.POSITIONS: "position"}  # unit of works: unit of pools
FEN = Decimal("0.01")


@dataclass(frozen=True)
class Reserved:
    """What is reserved of one sort. totals: {unit of pool: units}; counted: what of them those taking part take.

    What the lead itself takes is none of it: space is reserved for others' communications.
    """

    sort: str
    totals: dict[str, Decimal]
    counted: dict[str, Decimal]


def stated(project: Project, parties: Sequence[ProjectParty]) -> list[Reserved]:
    """What the project reserves, by sort. parties: those taking part beside the lead."""
    found: list[Reserved] = []
    if project.reserved_bores:
        found.append(Reserved(Sort.BORES, {"bore": Decimal(project.reserved_bores)}, _taken(project, parties, "bore")))
    if project.reserved_room_m2:
        totals = {"rack_u": rack_units(project), "kw": usable_kw(project, project.reserved_kva or Decimal(0))}
        taken_kva = sum((party.power_kva or Decimal(0) for party in parties), Decimal(0))
        found.append(Reserved(Sort.ROOM, totals, {"kw": usable_kw(project, taken_kva)}))
    if project.reserved_positions:
        totals = {"position": Decimal(project.reserved_positions)}
        found.append(Reserved(Sort.POSITIONS, totals, _taken(project, parties, "position")))
    return found


def _taken(project: Project, parties: Sequence[ProjectParty], unit: str) -> dict[str, Decimal]:
    if COUNTED_IN.get(Project.Unit(project.unit)) != unit:
        return {}
    return {unit: sum((party.units for party in parties), Decimal(0))}


def rack_units(project: Project) -> Decimal:
    """Whole racks that the floor takes (rule works.room_m2_per_rack), 42 U each."""
    per_rack = max(rule("works.room_m2_per_rack", project.region).value, FEN)
    return (project.reserved_room_m2 or Decimal(0)) // per_rack * RACK_U


def usable_kw(project: Project, kva: Decimal) -> Decimal:
    """kVA × power factor (rule works.power_factor_pct), to 0.01 kW."""
    return (kva * rule("works.power_factor_pct", project.region).value / 100).quantize(FEN)


def row(project: Project, reserved: Reserved, code: str, old: ProjectResource | None) -> CleanRow:
    """The row to be stored. old: the resource that stands for it now, None where there is none."""
    data: dict[str, Any] = {
        "name": f"{project.title[:140]} · {NAMES[Sort(reserved.sort)]}",
        "project_type": project.kind,
        "project_name": project.title,
        "join_until": project.join_until,
        "available_from": project.ends_on,
        "facts_on": timezone.localdate(),
        "source": f"工程预留 reserved by works P{project.pk:06d}",
    }
    if old is None:
        data |= {"lifecycle": Resource.Lifecycle.PLANNED, "survey_method": "drawing"}
        data["disclosure"] = Resource._meta.get_field("disclosure").default
    if old is None and project.disclosure != Project.Disclosure.PARTIES:
        data["disclosure"] = "exact"  # members read the place of the works themselves
    elif project.disclosure == Project.Disclosure.PARTIES:
        data["disclosure"] = "existence"
    data |= {"reserved_kva": None, "reserved_area_m2": None} | _carried(project, reserved.sort)
    pools = pools_of(reserved, old)
    facts = _facts(project, reserved)
    return CleanRow(KINDS[Sort(reserved.sort)], code, data, facts, pools, place_of(project, reserved.sort))


def _carried(project: Project, sort: str) -> dict[str, Decimal | None]:
    """The power stands with one of them, or it would be there twice: the room, else the positions, else the bores."""
    holder = (
        Sort.ROOM if project.reserved_room_m2 else Sort.POSITIONS if project.reserved_positions else Sort.BORES
    )  # fmt: skip
    kept: dict[str, Decimal | None] = {"reserved_kva": project.reserved_kva} if sort == holder else {}
    return kept | ({"reserved_area_m2": project.reserved_room_m2} if sort == Sort.ROOM else {})


def _facts(project: Project, reserved: Reserved) -> dict[str, Any]:
    if reserved.sort == Sort.ROOM:
        racks = int(reserved.totals["rack_u"] // RACK_U)
        return {
            "area_m2": project.reserved_room_m2, "mains_spare_kva": project.reserved_kva, "rack_count": racks,
            "rack_height_u": RACK_U,
        }  # fmt: skip
    if reserved.sort == Sort.POSITIONS and not project.reserved_room_m2:
        return {"spare_kva": project.reserved_kva}
    return {}


def pools_of(reserved: Reserved, old: ProjectResource | None) -> list[PoolData]:
    """The pools with the reserved totals; prices and what the owner itself entered as in use stay."""
    there = {pool.unit: pool for pool in old.resource.pools.order_by("-pk")} if old else {}
    before: Mapping[str, str] = old.counted if old else {}
    return [_pool(unit, total, reserved, there.get(unit), before) for unit, total in reserved.totals.items()]


def _pool(
    unit: str, total: Decimal, reserved: Reserved, pool: CapacityPool | None, before: Mapping[str, str]
) -> PoolData:  # fmt: skip
    now = reserved.counted.get(unit, Decimal(0))
    if pool is None:
        return PoolData(unit, total, in_use=now)
    own = max(pool.in_use - Decimal(before.get(unit, "0")), Decimal(0))
    return PoolData(
        unit, total, in_use=own + now, label=pool.label, height_m=pool.height_m, height_top_m=pool.height_top_m,
        bore_mm=pool.bore_mm, price_fen_per_unit_year=pool.price_fen_per_unit_year, pk=pool.pk,
    )  # fmt: skip


class LongestLine(GeoFunc):
    """The line between the two points of a geometry that lie furthest apart (PostGIS)."""

    function = "ST_LongestLine"
    geom_param_pos = (0, 1)
    output_field = GeometryField(srid=4326)


def axis(project: Project) -> LineString:
    """The line along which the works run: as drawn, the longest of several, or an area's longest extent.

    Raises Refused where the works are a point. Queries once for an area.
    """
    place = project.place
    if isinstance(place, LineString):
        return place
    if isinstance(place, MultiLineString):
        return max(place, key=line_length_m)
    found = Project.objects.filter(pk=project.pk).values_list(LongestLine("place", "place"), flat=True).get()
    if found is None or not found.length:
        raise Refused(
            _("Bores run along a line, and these works are drawn as a point: draw their line first."), code="no_line"
        )
    return found


def place_of(project: Project, sort: str) -> GEOSGeometry:
    """Where the resource lies: bores along the works, rooms and positions at their middle until they are surveyed."""
    place = project.place
    if sort == Sort.BORES:
        return axis(project)
    if isinstance(place, Point):
        return place
    if isinstance(place, LineString | MultiLineString):
        return axis(project).interpolate_normalized(0.5)
    return place.point_on_surface
