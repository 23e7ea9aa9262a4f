"""Is something there already? What stands or is planned within the region's rule of planned works, per reader.

Source of the rules: provincial methods (w), as accounts/rules.py names them: a tower within same_site.settled_m or
same_site.elsewhere_m of another is the same site; a line within same_route.m and in the same direction the same route.
Reads through visible_to() alone: what a reader is not shown cannot be told from what is not there.
"""

import datetime as dt
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import override

from accounts.models import Membership, Region
from accounts.rules import Rule, rule
from listings import disclosure
from listings.models import DemandLine, DemandList, Kind, Resource

BLUR_M = 800  # a blurred place is off by up to about this (docs/adr/0007)
MOST = 100  # of resources, and of lines, on one certificate
READ_MOST = 4 * MOST  # looked at for them: what merely crosses a route, or is too far for its cell, falls out
LENGTH_MAX_KM = 200
SHARED_BY: dict[str, tuple[str, ...]] = {  # what could be shared instead of building the kind anew
    Kind.TOWER: (Kind.TOWER,),
    Kind.ROOM: (Kind.ROOM,),
    Kind.DUCT: (Kind.DUCT,),
    Kind.CABLE: (Kind.CABLE, Kind.DUCT),
}


@dataclass
class Findings:
    """What the check found: verdict, the rules it went by, what is near, what others need there, and the data's state.

    verdict: "found" (something lies within the rule), "possible" (a blurred place may), "none".
    """

    verdict: str
    checked_at: str
    reader: dict[str, str]  # {"zh", "en"} of the organisation, "" for a visitor
    rules: list[dict[str, Any]]
    resources: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    owners: list[dict[str, Any]] = field(default_factory=list)  # whom to ask first
    is_cut: bool = False  # more resources lie within the rule than a certificate names: the nearest are named
    data: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return dict(self.__dict__)

    @property
    def sha256(self) -> str:
        text = json.dumps(self.as_json(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def region_of(place: GEOSGeometry) -> Region | None:
    """The smallest division the middle of the place lies in. Queries once."""
    return Region.objects.containing(place.centroid).defer("polygon").first()


def rules_for(place: GEOSGeometry, region: Region | None, is_settled: bool) -> list[Rule]:
    """The rules that hold for a point or a route there; the first is the distance. Queries for each."""
    if place.geom_type == "Point":
        keys = ["same_site.settled_m" if is_settled else "same_site.elsewhere_m", "same_site.barred_years"]
    else:
        keys = ["same_route.m", "same_route.direction_degrees", "same_site.barred_years"]
    return [rule(key, region) for key in keys]


def check(
    *, place: GEOSGeometry, kind: str, is_settled: bool, reader: Membership | None, now: dt.datetime | None = None
) -> Findings:
    """Everything near as this reader may see it. A fixed number of queries. place: a point or a route, SRID 4326."""
    now = now or timezone.now()
    region = region_of(place)
    rules = rules_for(place, region, is_settled)
    distance_m = float(rules[0].value)
    degrees = float(rules[1].value) if place.geom_type != "Point" else None
    resources, is_cut = _resources(place, kind, reader, distance_m, degrees)
    lines = _lines(place, kind, distance_m)
    is_found = any(not row["is_possible"] for row in resources)
    name = {"zh": reader.organisation.name_zh, "en": reader.organisation.name_en} if reader else {"zh": "", "en": ""}
    return Findings(
        verdict="found" if is_found else "possible" if resources else "none",
        checked_at=now.isoformat(timespec="seconds"),
        reader=name,
        rules=[_worded(item) for item in rules],
        resources=resources,
        lines=lines,
        owners=_owners(resources),
        is_cut=is_cut,
        data=_data(reader, region, kind),
    )


def _worded(item: Rule) -> dict[str, Any]:
    """The rule with its words in both languages, as the certificate keeps them."""
    told: dict[str, Any] = {"key": item.key, "value": f"{item.value:f}", "is_example": item.is_example}
    for language, code in (("zh", "zh-hans"), ("en", "en")):
        with override(code):
            told[language] = {"label": str(item.label), "unit": str(item.unit), "source": str(item.source)}
    return told


def ring(place: GEOSGeometry, metres: float) -> GEOSGeometry:
    """All that lies within so many metres of the place (SRID 4326). Queries once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_AsEWKB(ST_Buffer(ST_GeomFromEWKB(%s)::geography, %s)::geometry)", [place.ewkb, metres]
        )
        return GEOSGeometry(cursor.fetchone()[0])


def _distances(place: GEOSGeometry, others: Sequence[GEOSGeometry]) -> list[float]:
    """Metres over the ellipsoid from the place to each. Queries once, if there are any."""
    if not others:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_Distance(ST_GeomFromEWKB(o.shape)::geography, ST_GeomFromEWKB(%s)::geography) "
            "FROM unnest(%s::bytea[]) WITH ORDINALITY AS o(shape, n) ORDER BY o.n",
            [place.ewkb, [bytes(other.ewkb) for other in others]],
        )
        return [row[0] for row in cursor.fetchall()]


def _bearing(line: GEOSGeometry) -> float | None:
    """The direction from its first to its last point, 0–180° (a way and its way back are one); None for a point."""
    if line.geom_type == "MultiLineString":
        line = max(line, key=lambda part: part.length)
    if line.geom_type != "LineString":
        return None
    (x1, y1), (x2, y2) = line[0][:2], line[-1][:2]
    return math.degrees(math.atan2((x2 - x1) * math.cos(math.radians((y1 + y2) / 2)), y2 - y1)) % 180


def _is_same_direction(place: GEOSGeometry, other: GEOSGeometry, ring: GEOSGeometry, degrees: float) -> bool:
    """Whether the part of the other inside the ring runs as the route does, give or take so many degrees."""
    mine, theirs = _bearing(place), _bearing(other.intersection(ring))
    if mine is None or theirs is None:
        return True  # a blurred cell has no direction: it may
    apart = abs(mine - theirs)
    return min(apart, 180 - apart) <= degrees


def _resources(
    place: GEOSGeometry, kind: str, reader: Membership | None, distance_m: float, degrees: float | None
) -> tuple[list[dict[str, Any]], bool]:
    """(the nearest MOST, exact places first; whether there may be more)."""
    around = ring(place, distance_m + BLUR_M)
    rows = list(
        Resource.objects.visible_to(reader)
        .published()
        .filter(disclosure.shown_within(reader, around), kind__in=SHARED_BY[kind])
        .select_related("owner", "region")
        .defer("region__polygon")
        .order_by("-is_exact", disclosure.MetresFrom("shown_place", place), "pk")[:READ_MOST]
    )
    found = []
    for row, metres in zip(rows, _distances(place, [row.shown_place for row in rows]), strict=True):
        if metres > distance_m + (0 if row.is_exact else BLUR_M):
            continue
        if degrees is not None and not _is_same_direction(place, row.shown_place, around, degrees):
            continue
        found.append(
            {
                "id": row.pk, "code": row.code, "name": row.name, "kind": row.kind, "lifecycle": row.lifecycle,
                "owner": {"id": row.owner_id, "zh": row.owner.name_zh, "en": row.owner.name_en},
                "region": {"zh": row.region.name_zh, "en": row.region.name_en},
                "distance_m": round(metres) if row.is_exact else round(metres, -2), "is_blurred": not row.is_exact,
                "is_possible": not row.is_exact,
            }
        )  # fmt: skip
    is_cut = len(found) > MOST or len(rows) == READ_MOST
    return sorted(found, key=lambda item: (item["is_possible"], item["distance_m"]))[:MOST], is_cut


def _lines(place: GEOSGeometry, kind: str, distance_m: float) -> list[dict[str, Any]]:
    """What others need there by public lists: with them one builds jointly, before alone."""
    rows = list(
        DemandLine.objects.filter(
            demand_list__state__in=[DemandList.State.NOTICE, DemandList.State.IN_FORCE],
            state__in=[DemandLine.State.OPEN, DemandLine.State.REQUESTED],
            kind=kind,
            place__intersects=ring(place, distance_m),
        )
        .select_related("demand_list", "applicant")
        .order_by(disclosure.MetresFrom("place", place), "pk")[:MOST]
    )
    return sorted(
        (
            {
                "list": row.demand_list.reference, "number": row.number, "title": row.title,
                "who": {"zh": row.applicant.name_zh, "en": row.applicant.name_en}
                if row.applicant else {"zh": row.applicant_name, "en": row.applicant_name},
                "distance_m": round(metres),
            }
            for row, metres in zip(rows, _distances(place, [row.place for row in rows]), strict=True)
        ),
        key=lambda item: item["distance_m"],
    )  # fmt: skip


def _owners(resources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whom to ask before building, nearest first, with how many resources of theirs are near."""
    owners: dict[int, dict[str, Any]] = {}
    for row in resources:
        owner = owners.setdefault(row["owner"]["id"], {**row["owner"], "count": 0, "codes": []})
        owner["count"] += 1
        owner["codes"].append(row["code"])
    return list(owners.values())


def _data(reader: Membership | None, region: Region | None, kind: str) -> dict[str, Any]:
    """Which data were asked: how many resources this reader sees, how many are counted only, the latest change."""
    seen = Resource.objects.visible_to(reader).published().filter(kind__in=SHARED_BY[kind])
    total = seen.order_by().aggregate(latest=Max("updated_at"))
    near = seen.filter(region__code__startswith=region.code[:4]) if region else seen
    hidden = Resource.objects.filter(disclosure.counted_for(reader), kind__in=SHARED_BY[kind])
    if region:
        hidden = hidden.filter(region__code__startswith=region.code[:4])
    return {
        "seen": seen.count(),
        "seen_in_city": near.count(),
        "counted_only_in_city": hidden.count(),
        "latest_change": total["latest"].isoformat(timespec="seconds") if total["latest"] else "",
        "region": {"code": region.code, "zh": region.name_zh, "en": region.name_en} if region else None,
    }
