"""What several applicants could build together, out of what a run left unmet or had to route through gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection
from pyproj import Transformer

from accounts.rules import rule
from listings.money.apportion import Part, compare

from .candidates import PLACE, Lines
from .core.cobuild import towers
from .core.problem import FloatArray, IntArray
from .models import MatchRun, Proposal, ProposalParty
from .routes import Routed

FEN = 100
CONFLICTS_MOST = 5
TOWER_RULES = (
    "build.tower_yuan", "build.share_radius_m", "build.tower_tenants", "build.tower_steel_kg", "carbon.steel_kg_per_kg",
    "same_site.settled_m",
)  # fmt: skip
TRENCH_RULES = (
    "build.trench_steel_kg_per_m", "carbon.trench_kg_per_m", "carbon.steel_kg_per_kg",
)  # fmt: skip

EXISTING = f"""
SELECT asked.n, found.id, found.distance_m
  FROM unnest(%(x)s::float8[], %(y)s::float8[]) WITH ORDINALITY AS asked (x, y, n)
 CROSS JOIN LATERAL (
    SELECT r.id, ST_Distance({PLACE}::geography,
                             ST_SetSRID(ST_MakePoint(asked.x, asked.y), 4326)::geography) AS distance_m
      FROM listings_resource r
     WHERE r.kind = 'tower' AND r.state = 'published' AND r.disclosure <> 'existence'
       AND {PLACE} && ST_Expand(ST_SetSRID(ST_MakePoint(asked.x, asked.y), 4326),
                                %(reach)s / (111320 * cos(radians(asked.y))), %(reach)s / 110574.0)
     ORDER BY {PLACE} <-> ST_SetSRID(ST_MakePoint(asked.x, asked.y), 4326) LIMIT {CONFLICTS_MOST}
  ) AS found WHERE found.distance_m <= %(reach)s ORDER BY asked.n, found.distance_m
"""


@dataclass
class Draft:
    """A proposal not stored yet. members: indexes of lines; parts: what is built, with the positions of its users."""

    kind: str
    wkt: str
    members: IntArray
    units: FloatArray
    parts: list[Part]
    height_m: float | None = None
    length_m: float | None = None
    steel_kg: float = 0.0
    carbon_kg: float = 0.0
    basis: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)


def propose(lines: Lines, unmet: IntArray, routed: Sequence[Routed], *, region: str, surface: str) -> list[Draft]:
    """Towers for unmet lines near one another, trenches for gaps several routes need; of two applicants or more.

    Queries the rules it uses and, once, the existing towers near the new ones.
    """
    return _towers(lines, unmet[(lines.kind[unmet] == 0) & ~lines.is_route[unmet]], region) + _trenches(
        lines, routed, region, surface
    )


def _who(lines: Lines, members: IntArray) -> int:
    """How many applicants; those not on the portal count one each."""
    known = lines.applicant[members]
    return len(np.unique(known[known > 0])) + int((known <= 0).sum())


def _basis(keys: Sequence[str], region: str) -> tuple[dict[str, float], list[dict[str, Any]]]:
    rules = {key: rule(key, region) for key in keys}
    return {key: float(r.value) for key, r in rules.items()}, [
        {"key": key, "value": float(r.value), "is_example": r.is_example} for key, r in rules.items()
    ]


def _towers(lines: Lines, at: IntArray, region: str) -> list[Draft]:
    if len(at) < 2:
        return []
    value, basis = _basis(TOWER_RULES, region)
    x, y = lines.x[at], lines.y[at]
    plane = Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lat_0={y.mean()} +lon_0={x.mean()} +datum=WGS84", always_xy=True
    )
    place = np.stack(plane.transform(x, y), axis=1)
    limit = min(value["build.share_radius_m"], float(np.min(lines.limit_m[at])) if len(at) else np.inf)
    found = towers(
        place,
        lines.quantity[at],
        lines.height_min_m[at],
        radius_m=max(limit, 1.0),
        tenants=value["build.tower_tenants"],
    )
    cost = round(value["build.tower_yuan"] * FEN)
    drafts = []
    for tower in found:
        members = at[tower.members]
        if len(members) < 2 or _who(lines, members) < 2:
            continue
        lon, lat = plane.transform(float(tower.place[0]), float(tower.place[1]), direction="INVERSE")
        steel = value["build.tower_steel_kg"] * (len(members) - 1)
        drafts.append(
            Draft(
                "tower",
                f"SRID=4326;POINT({lon:.6f} {lat:.6f})",
                members,
                lines.quantity[members],
                [Part(cost, frozenset(range(len(members))))],
                height_m=tower.height_m or None,
                steel_kg=steel,
                carbon_kg=steel * value["carbon.steel_kg_per_kg"],
                basis=basis,
            )  # fmt: skip
        )
    _note_conflicts(drafts, value["same_site.settled_m"])
    return drafts


def _note_conflicts(drafts: list[Draft], limit_m: float) -> None:
    """Existing towers within the same-site rule of a new one: there, sharing comes before building."""
    if not drafts:
        return
    points = [draft.wkt.split("(")[1].rstrip(")").split() for draft in drafts]
    with connection.cursor() as cursor:
        cursor.execute(
            EXISTING, {"x": [float(p[0]) for p in points], "y": [float(p[1]) for p in points], "reach": limit_m}
        )
        for number, resource, metres in cursor.fetchall():
            drafts[number - 1].conflicts.append(
                {"rule": "same_site", "resource": resource, "distance_m": round(metres, 1), "limit_m": limit_m}
            )


def _trenches(lines: Lines, routed: Sequence[Routed], region: str, surface: str) -> list[Draft]:
    """Gaps that the chosen routes of several lines need: each stretch is a part, shared by its users."""
    users: dict[tuple[Any, ...], set[int]] = {}
    legs: dict[tuple[Any, ...], dict[str, Any]] = {}
    for route in routed:
        for leg in route.ways[0].legs if route.ways else ():
            if leg.get("at"):
                key = tuple(sorted(map(tuple, leg["at"])))
                users.setdefault(key, set()).add(route.line)
                legs[key] = leg
    shared = [key for key, who in users.items() if len(who) > 1 and _who(lines, np.array(sorted(who))) > 1]
    if not shared:
        return []
    value, basis = _basis((f"build.{surface}_yuan_per_m", *TRENCH_RULES), region)
    groups: list[tuple[set[int], list[tuple[Any, ...]]]] = []
    for key in shared:
        touching = [group for group in groups if group[0] & users[key]]
        rest = [group for group in groups if not group[0] & users[key]]
        members = set(users[key]).union(*(group[0] for group in touching))
        groups = [*rest, (members, [key, *(k for group in touching for k in group[1])])]
    drafts = []
    for who, keys in groups:
        joined: IntArray = np.array(sorted(who), dtype=np.int64)
        seat = {line: position for position, line in enumerate(joined.tolist())}
        parts = [Part(int(legs[key]["build_fen"]), frozenset(seat[i] for i in users[key])) for key in sorted(keys)]
        again = sum(float(legs[key]["length_m"]) * (len(users[key]) - 1) for key in keys)  # metres not dug again
        steel = again * value["build.trench_steel_kg_per_m"]
        text = ", ".join("(" + ", ".join(f"{x} {y}" for x, y in key) + ")" for key in sorted(keys))
        drafts.append(
            Draft(
                "trench",
                f"SRID=4326;MULTILINESTRING({text})",
                joined,
                lines.quantity[joined],
                parts,
                length_m=round(sum(float(legs[key]["length_m"]) for key in keys), 1),
                steel_kg=steel,
                carbon_kg=steel * value["carbon.steel_kg_per_kg"] + again * value["carbon.trench_kg_per_m"],
                basis=basis,
            )  # fmt: skip
        )
    return drafts


def store(run: MatchRun, lines: Lines, drafts: Sequence[Draft]) -> int:
    """Writes the drafts as proposals of the run, numbered by what they save, most first; gives how many."""
    split = [compare(len(d.members), d.parts, [Decimal(str(u)) for u in d.units]) for d in drafts]
    cost = [sum(part.cost_fen for part in d.parts) for d in drafts]
    order = sorted(range(len(drafts)), key=lambda i: (cost[i] - sum(split[i]["alone"]), i))
    rows = [
        Proposal(
            run=run, number=number, kind=drafts[i].kind, place=drafts[i].wkt, height_m=drafts[i].height_m,
            length_m=drafts[i].length_m, cost_fen=cost[i], alone_fen=sum(split[i]["alone"]),
            steel_saved_kg=round(drafts[i].steel_kg, 1), carbon_saved_kg=round(drafts[i].carbon_kg, 1),
            basis=drafts[i].basis, conflicts=drafts[i].conflicts,
        )
        for number, i in enumerate(order, start=1)
    ]  # fmt: skip
    Proposal.objects.bulk_create(rows)
    ProposalParty.objects.bulk_create(
        ProposalParty(
            proposal=row, line_id=int(lines.id[line]), units=Decimal(str(drafts[i].units[seat])),
            alone_fen=split[i]["alone"][seat], pro_rata_fen=split[i]["pro_rata"][seat],
            stand_alone_fen=split[i]["stand_alone"][seat], shapley_fen=split[i]["shapley"][seat],
        )
        for row, i in zip(rows, order, strict=True)
        for seat, line in enumerate(drafts[i].members.tolist())
    )  # fmt: skip
    return len(rows)
