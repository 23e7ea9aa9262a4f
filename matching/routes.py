"""Routes for lines that ask for a connection A–B, over the cables and ducts of all owners."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import shapely
from django.db import connection
from pyproj import Transformer

from accounts.rules import rule

from . import wire
from .candidates import MODES, SECTORS, Lines
from .core.network import GAP, SEGMENT, Network, Terms, build
from .core.problem import BoolArray, FloatArray, IntArray
from .core.routing import Asked, Path, Router, alternatives, disjoint_pair, route_all
from .near import KINDS, PLACE

OTHERS = 2  # ways that differ, kept beside the chosen one
OTHERS_FOR = 200  # lines for which they are looked for; for more the run would take too long
MARGIN_DEG = 0.3  # about 30 km round the lines
SURFACES = ("footway", "carriageway", "verge", "pole_line")

SUPPLY = f"""
SELECT r.id, r.owner_id, sum(p.free)::float8, coalesce(avg(p.price_fen_per_unit_year), 'NaN')::float8,
       r.lifecycle <> 'in_service', r.disclosure = 'exact', coalesce(r.length_m, 0),
       coalesce(array_position(%(sectors)s, r.sector::text), 0),
       coalesce((SELECT bit_or(1 << array_position(%(modes)s, s::text)) FROM unnest(r.sharing_modes) s), 0)::int
  FROM listings_resource r JOIN listings_capacitypool p ON p.resource_id = r.id AND p.unit = %(unit)s
 WHERE r.kind = %(kind)s AND r.state = 'published' AND r.disclosure <> 'existence' AND ST_Dimension({PLACE}) = 1
   AND {PLACE} && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
   AND (r.lifecycle = 'in_service' OR r.lifecycle IN ('planned', 'under_construction') AND r.available_from IS NOT NULL
        AND coalesce(r.join_until, 'infinity') >= %(today)s)
   AND r.condition <> 'poor'
 GROUP BY r.id ORDER BY r.id
"""
SUPPLY_COLUMNS = {
    "id": "i8", "owner": "i8", "free": "f8", "price_fen": "f8", "is_planned": "b", "is_exact": "b", "length_m": "f8",
    "sector": "i4", "modes": "i4",
}  # fmt: skip
SHAPES = f"""
SELECT r.id, ST_AsBinary(ST_LineMerge(ST_Force2D({PLACE}))) FROM listings_resource r WHERE r.id = ANY (%s) ORDER BY r.id
"""
ENDS = """
SELECT l.id, ST_X(ST_StartPoint(l.place)), ST_Y(ST_StartPoint(l.place)), ST_X(ST_EndPoint(l.place)),
       ST_Y(ST_EndPoint(l.place))
  FROM listings_demandline l WHERE l.id = ANY (%(lines)s) ORDER BY l.id
"""


@dataclass
class Way:
    """One route: legs as kept, its course as WKT in EPSG:4326, and its figures."""

    role: str
    rank: int
    wkt: str
    length_m: float
    gap_m: float
    build_fen: int
    cost_fen: int
    transfers: int
    legs: list[dict[str, Any]]


@dataclass
class Routed:
    """line: index in the run. ways: the chosen first; empty where there is none. reason: why there is none."""

    line: int
    ways: list[Way] = field(default_factory=list)
    reason: dict[str, Any] = field(default_factory=dict)


def terms_of(region: str, surface: str = "footway") -> Terms:
    """The region's rules for networks; surface: what gaps are dug in (one of SURFACES)."""
    fen = {name: float(rule(f"build.{name}_yuan_per_m", region).value) * 100 for name in (surface,)}
    return Terms(
        tolerance_m=float(rule("route.snap_m", region).value),
        gap_max_m=float(rule("route.gap_max_m", region).value),
        gap_fen_per_m=fen[surface],
        gap_life_years=float(rule("build.life_years", region).value),
        transfer_fen_per_year=float(rule("route.transfer_yuan_per_year", region).value) * 100,
    )


def find(
    lines: Lines, wanted: IntArray, *, region: str, today: date, surface: str, taken: dict[int, float]
) -> list[Routed]:
    """Routes for the lines of the run at these indexes. taken: resource id → units the run gives to others already.

    Capacity is shared over all of them, by priority. Queries four times per kind of line.
    """
    result: list[Routed] = []
    for kind, unit in (("cable", "core"), ("duct", "bore")):
        at = wanted[lines.kind[wanted] == KINDS.index(kind)]
        if len(at):
            result += _of_kind(lines, at, kind, unit, terms_of(region, surface), today, taken)
    return sorted(result, key=lambda routed: routed.line)


def _of_kind(
    lines: Lines, at: IntArray, kind: str, unit: str, terms: Terms, today: date, taken: dict[int, float]
) -> list[Routed]:
    ends = wire.fetch(
        ENDS, {"lines": lines.id[at].tolist()}, {"id": "i8", **dict.fromkeys(("ax", "ay", "bx", "by"), "f8")}
    )
    order = np.searchsorted(ends["id"], lines.id[at])
    degrees = np.stack([ends[name][order] for name in ("ax", "ay", "bx", "by")], axis=1)
    xs, ys = degrees[:, [0, 2]], degrees[:, [1, 3]]
    box = {
        "west": float(xs.min()) - MARGIN_DEG, "east": float(xs.max()) + MARGIN_DEG,
        "south": float(ys.min()) - MARGIN_DEG, "north": float(ys.max()) + MARGIN_DEG,
    }  # fmt: skip
    supply = wire.fetch(
        SUPPLY, {"kind": kind, "unit": unit, "today": today, "sectors": SECTORS, "modes": MODES, **box}, SUPPLY_COLUMNS
    )
    plane = Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lat_0={ys.mean()} +lon_0={xs.mean()} +datum=WGS84", always_xy=True
    )
    network, source_of = _network(supply, plane, terms, taken)
    start = np.stack(plane.transform(degrees[:, 0], degrees[:, 1]), axis=1)
    end = np.stack(plane.transform(degrees[:, 2], degrees[:, 3]), axis=1)
    router = Router(network, terms)
    closed = [_closed(network, supply, source_of, lines, int(i)) for i in at]
    units = lines.quantity[at]
    chosen = route_all(router, Asked(start, end, units, lines.priority[at]), closed=closed)
    tell = _Teller(network, supply, source_of, plane, terms)
    result = []
    for k, path in sorted(enumerate(chosen), key=lambda item: item[1] is None):
        routed = Routed(int(at[k]))
        if path is None:
            routed.reason = _why_not(router, start[k], end[k], float(units[k]), closed[k], tell)
        else:
            routed.ways.append(tell(path, "chosen", 0, float(units[k]), start[k], end[k]))
            if len(at) <= OTHERS_FOR:
                routed.ways += _others(router, path, start[k], end[k], float(units[k]), closed[k], tell)
        result.append(routed)
    return result


def _network(
    supply: wire.Arrays, plane: Transformer, terms: Terms, taken: dict[int, float]
) -> tuple[Network, IntArray]:
    """(the network; index into supply of each of its lines)."""
    with connection.cursor() as cursor:
        cursor.execute(SHAPES, [supply["id"].tolist()])
        shapes = [shapely.from_wkb(bytes(row[1])) for row in cursor.fetchall()]
    parts: list[shapely.LineString] = []
    owner_of: list[int] = []
    for index, shape in enumerate(shapes):
        for part in getattr(shape, "geoms", [shape]):
            parts.append(shapely.transform(part, lambda c: np.stack(plane.transform(c[:, 0], c[:, 1]), axis=1)))
            owner_of.append(index)
    of = np.array(owner_of, dtype=np.int64)
    gone = np.array([taken.get(pk, 0.0) for pk in supply["id"].tolist()])
    network = build(
        parts, owner=supply["owner"][of], capacity=np.maximum(0.0, supply["free"] - gone)[of],
        price_fen_per_unit_km=supply["price_fen"][of], is_planned=supply["is_planned"][of],
        may_join=supply["is_exact"][of], terms=terms,
    )  # fmt: skip
    return network, of


def _closed(network: Network, supply: wire.Arrays, of: IntArray, lines: Lines, line: int) -> BoolArray | None:
    """Edges whose sector or sharing mode the line does not accept; None: it accepts all."""
    sectors, modes = int(lines.sectors[line]), int(lines.modes[line])
    if not sectors and not modes:
        return None
    row = of[np.maximum(network.source, 0)]
    is_line = network.source >= 0
    shut: BoolArray = np.zeros(len(is_line), dtype=bool)
    if sectors:
        shut |= is_line & (((sectors >> supply["sector"][row]) & 1) == 0)
    if modes:
        shut |= is_line & (supply["modes"][row] != 0) & ((supply["modes"][row] & modes) == 0)
    return shut


def _others(
    router: Router,
    path: Path,
    start: FloatArray,
    end: FloatArray,
    units: float,
    closed: BoolArray | None,
    tell: "_Teller",
) -> list[Way]:
    ways = []
    found = alternatives(router, start, end, units, OTHERS, closed=closed)
    for rank, other in enumerate(p for p in found if set(p.edges.tolist()) != set(path.edges.tolist())):
        ways.append(tell(other, "other", rank, units, start, end))
    pair = disjoint_pair(router, start, end, units, closed=closed)
    for rank, one in enumerate(pair or ()):
        ways.append(tell(one, "protection", rank, units, start, end))
    return ways


def _why_not(
    router: Router, start: FloatArray, end: FloatArray, units: float, closed: BoolArray | None, tell: "_Teller"
) -> dict[str, Any]:
    """{"binding": "no_network" | "no_way" | "capacity", …}: capacity names the lines on the way that lack units."""
    if not len(router.doors(start)[0]) or not len(router.doors(end)[0]):
        return {"binding": "no_network", "limit_m": router.terms.gap_max_m}
    weight = router.network.fixed_fen + units * router.network.unit_fen
    if closed is not None:
        weight = np.where(closed, np.inf, weight)
    router.set_weights(weight)
    path = router.path(start, end)
    if path is None:
        return {"binding": "no_way"}
    return {"binding": "capacity", "asked": units, "lacking": tell.lacking(path, units)}


class _Teller:
    """Turns paths of a network into ways with legs."""

    def __init__(self, network: Network, supply: wire.Arrays, of: IntArray, plane: Transformer, terms: Terms):
        self.network, self.supply, self.of, self.plane, self.terms = network, supply, of, plane, terms
        self.room = supply["free"].copy()  # what is left as routes are told

    def lacking(self, path: Path, units: float) -> list[dict[str, Any]]:
        """Resources on the path with fewer units than asked."""
        rows = self.of[np.unique(self.network.source[path.edges][self.network.source[path.edges] >= 0])]
        free = self.room[rows]
        return [
            {"resource": int(self.supply["id"][i]), "found": float(left)}
            for i, left in zip(rows, free, strict=True)
            if left < units
        ][:20]

    def __call__(self, path: Path, role: str, rank: int, units: float, start: FloatArray, end: FloatArray) -> Way:
        network, points = self.network, [start]
        legs: list[dict[str, Any]] = []
        at = path.enter
        gap_m = path.access_m
        self._build(legs, path.access_m)
        fen = network.fixed_fen + units * network.unit_fen
        for e in path.edges.tolist():
            forward = int(network.a[e]) == at
            line = np.array(network.shape[e].coords)[:, :2]
            points += list(line if forward else line[::-1])
            at = int(network.b[e]) if forward else int(network.a[e])
            metres = float(network.length_m[e])
            if network.kind[e] == SEGMENT:
                self._segment(legs, int(self.of[network.source[e]]), metres, float(fen[e]), bool(network.is_planned[e]))
            elif network.kind[e] == GAP:
                gap_m += metres
                self._build(legs, metres, line)
        points.append(end)
        if role == "chosen":
            used = np.unique(self.of[network.source[path.edges][network.source[path.edges] >= 0]])
            self.room[used] -= units
        course = np.array(points)
        lon, lat = self.plane.transform(course[:, 0], course[:, 1], direction="INVERSE")
        text = ", ".join(f"{x:.6f} {y:.6f}" for x, y in zip(lon, lat, strict=True))
        length = path.access_m + float(network.length_m[path.edges].sum())
        return Way(
            role, rank, f"SRID=4326;LINESTRING({text})", round(length, 1), round(gap_m, 1),
            round(gap_m * self.terms.gap_fen_per_m), round(path.cost_fen), transfers_of(legs), legs,
        )  # fmt: skip

    def _segment(self, legs: list[dict[str, Any]], row: int, metres: float, fen: float, is_planned: bool) -> None:
        resource = int(self.supply["id"][row])
        if legs and legs[-1].get("resource") == resource:
            legs[-1]["length_m"] = round(legs[-1]["length_m"] + metres, 1)
            legs[-1]["fen"] = round(legs[-1]["fen"] + fen)
            return
        price = None if np.isnan(self.supply["price_fen"][row]) else round(fen)
        legs.append(
            {
                "kind": "segment",
                "resource": resource,
                "owner": int(self.supply["owner"][row]),
                "length_m": round(metres, 1),
                "fen": round(fen),
                "is_priced": price is not None,
                "is_planned": is_planned,
            }  # fmt: skip
        )

    def _build(self, legs: list[dict[str, Any]], metres: float, line: FloatArray | None = None) -> None:
        """line: the two ends of a gap, which routes share; None: the way from an asked end to the network."""
        if metres <= 0.5:
            return
        leg = {"kind": "build", "length_m": round(metres, 1), "build_fen": round(metres * self.terms.gap_fen_per_m)}
        if line is not None:
            lon, lat = self.plane.transform(line[:, 0], line[:, 1], direction="INVERSE")
            leg["at"] = [[round(x, 6), round(y, 6)] for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
        legs.append(leg)


def transfers_of(legs: Sequence[dict[str, Any]]) -> int:
    """How often a route goes from one owner's line to another's; what is dug between two lines of one owner is none."""
    owners = [leg["owner"] for leg in legs if leg["kind"] == "segment"]
    return sum(one != other for one, other in zip(owners, owners[1:], strict=False))


def owners_of(legs: Sequence[dict[str, Any]]) -> dict[int, list[int]]:
    """Owner id → resources of its legs, in order: what one request to each would name."""
    result: dict[int, list[int]] = {}
    for leg in legs:
        if leg["kind"] == "segment":
            result.setdefault(leg["owner"], []).append(leg["resource"])
    return result
