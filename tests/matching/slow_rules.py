"""What a run gave out, held against the rules of the field one by one: slowly, and without a line of matching/."""

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from django.db import connection

from listings.models import Bore, DemandLine, Resource

UNITS = {"tower": "position", "duct": "bore", "cable": "core", "room": "rack_u"}


def wrongs(run) -> Iterator[str]:
    """A word for every rule that an allocation of the run breaks."""
    used: dict[object, list[tuple[dt.date, dt.date, float]]] = defaultdict(list)
    seen = set()
    for result in run.results.filter(verdict="met").select_related("line", "resource").order_by("pk"):
        line, resource = result.line, result.resource
        if line.pk in seen:
            yield "twice"
        seen.add(line.pk)
        given = {a.pool.unit: a for a in result.allocations.select_related("pool")}
        units = given.get(UNITS[line.kind])
        if units is None or units.pool.resource_id != resource.pk or units.quantity != line.quantity:
            yield "units"
            continue
        start = line.needed_by or dt.date.today()
        end = months_later(start, line.months)
        yield from _of_the_resource(line, resource, start, end)
        yield from _of_the_pool(line, resource, units.pool, given.get("rack_u"))
        used[units.pool].append((start, end, float(line.quantity)))
        if line.room_u:
            yield from _of_the_site(line, resource, given, start, end)
            if "rack_u" in given:
                used[given["rack_u"].pool].append((start, end, float(line.room_u)))
            if line.power_kw and "kw" in given:
                used[given["kw"].pool].append((start, end, float(line.power_kw)))
        elif line.power_kw and resource.kind == "room":
            if "kw" not in given or given["kw"].quantity != line.power_kw:
                yield "power"
            else:
                used[given["kw"].pool].append((start, end, float(line.power_kw)))
        elif line.power_kw and resource.kind != "tower":
            yield "power"
        elif line.power_kw:
            used[resource].append((start, end, float(line.power_kw)))
    for pool, needs in used.items():
        yield from _overfull(pool, needs)


def _of_the_resource(line: DemandLine, resource: Resource, start: dt.date, end: dt.date) -> Iterator[str]:
    if resource.kind != line.kind or resource.state != "published" or resource.disclosure == "existence":
        yield "kind"
    if metres_between(line, resource) > line.tolerance_m + 0.01:
        yield "distance"
    if line.sectors and resource.sector not in line.sectors:
        yield "sector"
    if line.sharing_modes and resource.sharing_modes and not set(line.sharing_modes) & set(resource.sharing_modes):
        yield "sharing_mode"
    if resource.owner_id == line.applicant_id:
        yield "own"
    if resource.lifecycle != "in_service" and not (resource.lifecycle == "planned" and resource.available_from):
        yield "lifecycle"
    if resource.condition == "poor":
        yield "condition"
    if resource.kind == "tower":
        if resource.tower.reinforcement == "not_allowed" or (resource.tower.load_used_pct or 0) >= 100:
            yield "load"
        if resource.tower.is_papers_complete is False:
            yield "papers"
    if resource.available_from and resource.available_from > start:
        yield "dates"
    if resource.available_until and resource.available_until < end:
        yield "dates"


def _of_the_site(line: DemandLine, tower: Resource, given, start: dt.date, end: dt.date) -> Iterator[str]:
    if "rack_u" not in given or given["rack_u"].quantity != line.room_u:
        yield "room"
        return
    room = given["rack_u"].pool.resource
    if room.site_id is None or room.site_id != tower.site_id or room.state != "published" or room.condition == "poor":
        yield "site"
    if line.sharing_modes and room.sharing_modes and not set(line.sharing_modes) & set(room.sharing_modes):
        yield "sharing_mode"
    if room.disclosure != tower.disclosure or room.lifecycle != "in_service":
        yield "site"
    if (room.available_from and room.available_from > start) or (room.available_until and room.available_until < end):
        yield "dates"
    if line.power_kw and ("kw" not in given or given["kw"].quantity != line.power_kw):
        yield "power"
    if "kw" in given and given["kw"].pool.resource_id != room.pk:
        yield "power"


def _of_the_pool(line: DemandLine, resource: Resource, pool, in_room=None) -> Iterator[str]:
    low, high = pool.height_m, pool.height_top_m or pool.height_m
    if line.height_min_m and (high is None or high < line.height_min_m):
        yield "height"
    if line.height_max_m and (low is None or low > line.height_max_m):
        yield "height"
    if line.bore_mm and (pool.bore_mm is None or pool.bore_mm < line.bore_mm):
        yield "bore"
    if line.cable_mm and not _takes_cables(line, resource, pool):
        yield "cable"
    if line.ceiling_fen_per_year is not None and pool.price_fen_per_unit_year is not None:
        per_unit = pool.price_fen_per_unit_year
        if pool.unit in ("bore", "core"):
            resource.refresh_from_db()
            per_unit *= float(resource.length_m) / 1000
        cost = per_unit * line.quantity
        if resource.kind == "room" and line.power_kw:
            cost += float(line.power_kw) * resource.pools.get(unit="kw").price_fen_per_unit_year
        if in_room and resource.kind == "tower" and in_room.pool.price_fen_per_unit_year:
            cost += in_room.pool.price_fen_per_unit_year * line.room_u
        if in_room and resource.kind == "tower" and line.power_kw:
            cost += float(line.power_kw) * in_room.pool.resource.pools.get(unit="kw").price_fen_per_unit_year
        if cost > line.ceiling_fen_per_year + 1:
            yield "price"


def _takes_cables(line: DemandLine, duct: Resource, pool) -> bool:
    """Whether as many bores of the pool as are asked for are empty and wide enough: 53 % of the cross-section."""

    def is_wide(inner_mm, most_mm=None) -> bool:
        cable = float(line.cable_mm)
        return cable**2 <= 0.53 * float(inner_mm) ** 2 and (most_mm is None or cable <= most_mm)

    rows = list(Bore.objects.filter(duct=duct))
    if not rows:
        return is_wide(pool.bore_mm or duct.duct.inner_mm)
    empty = [
        b for b in rows
        if not b.cable_count and b.blocked_at_m is None and b.inner_mm == pool.bore_mm
    ]  # fmt: skip
    return sum(is_wide(b.inner_mm, b.cable_max_mm) for b in empty) >= line.quantity


def _overfull(pool, needs: list[tuple[dt.date, dt.date, float]]) -> Iterator[str]:
    """Day by day: what the owner uses, what is reserved and what the run gave out against what there is."""
    if isinstance(pool, Resource):
        room, reserved = float(pool.tower.spare_kva or 0), []
    else:
        pool.refresh_from_db()
        room = float(pool.total - pool.in_use)
        reserved = [
            (r.starts_on, r.ends_on or dt.date.max, float(r.quantity))
            for r in pool.reservations.filter(state__in=["held", "confirmed"])
        ]
    for day in {day for start, end, _ in [*needs, *reserved] for day in (start, end)}:
        asked_for = any(start <= day <= end for start, end, _ in needs)
        if asked_for and sum(q for start, end, q in [*needs, *reserved] if start <= day <= end) > room + 1e-6:
            yield "capacity"
            return


def metres_between(line: DemandLine, resource: Resource) -> float:
    """By PostGIS, from the place that verified organisations are shown."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_Distance(l.place::geography, (CASE r.disclosure WHEN 'exact' THEN r.place ELSE r.shown_cell END)"
            "::geography) FROM listings_demandline l, listings_resource r WHERE l.id = %s AND r.id = %s",
            [line.pk, resource.pk],
        )
        return float(cursor.fetchone()[0])


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day of the month, or the month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
