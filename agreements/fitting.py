"""Whether a resource and what is asked of it meet a demand line: place, quantity, power, height, bore, dates.

The criteria and their wording are those of matching; distances come from the place as the reader is shown it, less what
that place may be off by: a cell which may hold a fitting place passes, and a refusal tells no more than the map does.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership
from accounts.rules import rule
from agreements.periods import last_day
from listings.build_check import BLUR_M
from listings.cable_fit import largest_cables_mm
from listings.disclosure import shown_place_sql
from listings.models import CapacityPool, DemandLine, Kind, Resource, Unit
from listings.wording import quantity_text
from matching.models import Allocation, MatchResult, Route
from matching.wording import UNIT_OF_KIND, criterion_text

Reason = dict[str, Any]

DISTANCES = """
SELECT l.id, greatest(0, greatest(
         ST_Distance(shown.place::geography,
           (CASE WHEN ST_Dimension(l.place) = 1 THEN ST_StartPoint(l.place) ELSE l.place END)::geography),
         coalesce(ST_Distance(shown.place::geography,
           (CASE WHEN ST_Dimension(l.place) = 1 THEN ST_EndPoint(l.place) END)::geography), 0))
         - CASE WHEN shown.is_exact THEN 0 ELSE %s END)
  FROM listings_demandline l,
       (SELECT s.place, s.place = s.true_place AS is_exact
          FROM (SELECT {shown} AS place, r.place AS true_place FROM listings_resource r WHERE r.id = %s) AS s) AS shown
 WHERE l.id = ANY(%s)
"""


@dataclass(frozen=True)
class Ask:
    """What is asked or agreed: units per pool, and the period. beside: the same of the site's other resources."""

    quantities: Mapping[CapacityPool, Decimal]
    starts_on: dt.date
    months: int
    beside: Mapping[CapacityPool, Decimal] = field(default_factory=dict)


def distances_m(lines: Iterable[DemandLine], resource: Resource, membership: Membership) -> dict[int, float]:
    """{line id: the fewest geodesic metres it can be off, by the place this reader is shown}; of A–B to the far one."""
    shown, params = shown_place_sql(membership)
    with connection.cursor() as cursor:
        cursor.execute(DISTANCES.format(shown=shown), [BLUR_M, *params, resource.pk, [line.pk for line in lines]])
        return {int(pk): float(metres) for pk, metres in cursor.fetchall() if metres is not None}


def from_match(lines: Iterable[DemandLine], resource: Resource) -> set[int]:
    """The lines whose place is settled by a run: it gave them this resource as a leg of a route, or, where the line
    names no distance, within the run's own radius."""
    ids = [line.pk for line in lines]
    legs = Route.objects.filter(result__line__in=ids, legs__contains=[{"resource": resource.pk}])
    met = MatchResult.objects.filter(line__in=ids, line__tolerance_m=None, verdict="met", resource=resource)
    return {*legs.order_by().values_list("result__line", flat=True), *met.order_by().values_list("line", flat=True)}


def misfits(line: DemandLine, resource: Resource, membership: Membership, ask: Ask) -> list[Reason]:
    """The criteria of the line that do not hold, in matching's form; [] where the ask meets it. Queries four times."""
    found = [] if from_match([line], resource) else _distance(line, distances_m([line], resource, membership))
    return [*found, *shortfalls(line, resource, ask)]


def shortfalls(line: DemandLine, resource: Resource, ask: Ask) -> list[Reason]:
    """What of the line an ask, or what was agreed at last, leaves unmet besides the place."""
    asked = {pool: quantity for pool, quantity in ask.quantities.items() if quantity > 0}
    found = [reason for pool in asked if pool.unit != Unit.KW for reason in _pool(line, pool, resource, asked[pool])]
    units = sum((quantity for pool, quantity in asked.items() if pool.unit != Unit.KW), Decimal(0))
    if units < line.quantity:
        found.append(_reason("quantity", line.quantity, units))
    if line.room_u:
        found += _site(line, ask.beside)
    elif line.power_kw:
        found += _power(line, resource, asked)
    return found + _dates(line, ask)


def why_not(reasons: Iterable[Reason], kind: str) -> str:
    """The failed criteria in words, what was found before what was asked."""
    words = []
    for reason in reasons:
        text = (
            _asked_text(reason, kind) if reason["criterion"] in ("quantity", "room") else criterion_text(reason, kind)
        )
        if text not in words:
            words.append(text)
    return "; ".join(words)


def _asked_text(reason: Reason, kind: str) -> str:
    unit = UNIT_OF_KIND["room" if reason["criterion"] == "room" else kind]
    return _("%(found)s in the request, %(asked)s in the line") % {
        "found": quantity_text(reason["found"], unit),
        "asked": quantity_text(reason["asked"], unit),
    }


def fitting(lines: Iterable[DemandLine], resource: Resource, membership: Membership) -> list[tuple[DemandLine, float]]:
    """The lines this resource can meet, with their distance (m), nearest first. What is free now is the action's
    business: here its whole capacity counts."""
    rows = list(lines)
    if not rows:
        return []
    pools = list(resource.pools.order_by("pk"))
    far, settled = distances_m(rows, resource, membership), from_match(rows, resource)
    kept = []
    for line in rows:
        if line.pk not in settled and _distance(line, far):
            continue
        fits = {
            pool: pool.total
            for pool in pools
            if pool.unit == Unit.KW or not _pool(line, pool, resource, Decimal(line.quantity))
        }
        start = max(timezone.localdate(), resource.available_from or timezone.localdate())
        if not shortfalls(line, resource, Ask(fits, start, line.months)):
            kept.append((line, far.get(line.pk, 0.0)))
    return sorted(kept, key=lambda pair: (pair[1], pair[0].demand_list_id, pair[0].number))


def near_enough(lines: list[DemandLine], resource: Resource, membership: Membership) -> list[tuple[DemandLine, float]]:
    """The lines whose place this resource is near enough to, with their distance (m), nearest first."""
    if not lines:
        return []
    far, settled = distances_m(lines, resource, membership), from_match(lines, resource)
    kept = [(line, far.get(line.pk, 0.0)) for line in lines if line.pk in settled or not _distance(line, far)]
    return sorted(kept, key=lambda pair: (pair[1], pair[0].demand_list_id, pair[0].number))


def given_pools(line: DemandLine, pools: Iterable[CapacityPool]) -> set[int]:
    """Of these pools, the ones a run gave the line."""
    given = Allocation.objects.filter(result__line=line, pool__in=[pool.pk for pool in pools])
    return set(given.order_by("-result__run").values_list("pool", flat=True))


def _reason(criterion: str, asked: Any, found: Any, **more: Any) -> Reason:
    numbers = {"asked": None if asked is None else float(asked), "found": None if found is None else float(found)}
    return {"criterion": criterion, "ok": False, **numbers, **more}


def _distance(line: DemandLine, far: Mapping[int, float]) -> list[Reason]:
    limit = line.tolerance_m
    if limit is None:
        limit = rule("match.radius_m", line.demand_list.region_id).value
    metres = far.get(line.pk)
    return [_reason("distance", limit, metres)] if metres is None or metres > limit else []


def _pool(line: DemandLine, pool: CapacityPool, resource: Resource, units: Decimal) -> list[Reason]:
    found = []
    own = getattr(resource, "tower", None) if resource.kind == Kind.TOWER else None
    low = pool.height_m if pool.height_m is not None else getattr(own, "height_m", None)
    top = pool.height_top_m if pool.height_top_m is not None else low
    if line.height_min_m is not None and (top is None or top < line.height_min_m):
        found.append(_reason("height", line.height_min_m, top, asked_max=line.height_max_m))
    elif line.height_max_m is not None and (low is None or low > line.height_max_m):
        found.append(_reason("height", line.height_min_m, low, asked_max=line.height_max_m))
    if line.bore_mm is not None:
        duct = getattr(resource, "duct", None) if resource.kind == Kind.DUCT else None
        bore = pool.bore_mm if pool.bore_mm is not None else getattr(duct, "inner_mm", None)
        if bore is None or bore < line.bore_mm:
            found.append(_reason("bore", line.bore_mm, bore))
    return found + (_cable(line, pool, resource, units) if line.cable_mm is not None else [])


def _cable(line: DemandLine, pool: CapacityPool, resource: Resource, units: Decimal) -> list[Reason]:
    """Whether as many free bores as are asked for take the cable. Queries once per resource, and once for the rule."""
    prefetch_related_objects([resource], "bores")
    duct = getattr(resource, "duct", None) if resource.kind == Kind.DUCT else None
    fill = rule("duct.fill_pct", line.demand_list.region_id)
    most = largest_cables_mm(pool, resource.bores.all(), getattr(duct, "inner_mm", None), fill.value)
    if isinstance(most, list):
        most = most[int(units) - 1] if units <= len(most) else 0.0
    if most is None or most < float(line.cable_mm or 0):
        return [_reason("cable", line.cable_mm, most)]
    return []


def _power(line: DemandLine, resource: Resource, asked: Mapping[CapacityPool, Decimal]) -> list[Reason]:
    if resource.kind == Kind.ROOM:
        kw: Decimal | None = sum((q for pool, q in asked.items() if pool.unit == Unit.KW), Decimal(0))
    elif resource.kind == Kind.TOWER:
        kw = resource.tower.spare_kva
    else:
        kw = None
    return [_reason("power", line.power_kw, kw)] if kw is None or kw < (line.power_kw or 0) else []


def _site(line: DemandLine, beside: Mapping[CapacityPool, Decimal]) -> list[Reason]:
    """Rack units and power in one room of the site: that of which the most units are asked."""
    rooms: dict[int, dict[str, Decimal]] = {}
    for pool, quantity in beside.items():
        if quantity > 0 and pool.unit in (Unit.RACK_U, Unit.KW):
            rooms.setdefault(pool.resource_id, {})[pool.unit] = quantity
    best = max(rooms, key=lambda pk: rooms[pk].get(Unit.RACK_U, Decimal(0)), default=None)
    units = rooms[best].get(Unit.RACK_U, Decimal(0)) if best is not None else Decimal(0)
    found = [_reason("room", line.room_u, units)] if units < (line.room_u or 0) else []
    if not line.power_kw:
        return found
    kw = rooms[best].get(Unit.KW, Decimal(0)) if best is not None else Decimal(0)
    return found + ([_reason("power", line.power_kw, kw)] if kw < line.power_kw else [])


def _dates(line: DemandLine, ask: Ask) -> list[Reason]:
    """Late where it begins after the day needed (or today, once that is past), short where it ends early."""
    late = 0
    if line.needed_by:
        late = (ask.starts_on - max(line.needed_by, timezone.localdate())).days
    short = (last_day(ask.starts_on, line.months) - last_day(ask.starts_on, ask.months)).days
    return [_reason("dates", None, max(late, short))] if max(late, short) > 0 else []
