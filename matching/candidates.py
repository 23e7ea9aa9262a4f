"""Candidates, set-based: a few queries over the whole list, never a query per line.

The place of a resource is the one any verified organisation is shown (listings.disclosure.matching_place): exact where
the owner says so, else the cell. First the pairs of a line and a resource near it are found (near.py), then what is to
be known of every resource among them is read once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection

from accounts.models.organisations import Sector
from listings.models.resources import SharingMode
from matching import bores, near, site_rooms, wire
from matching.core.problem import Pairs
from matching.core.slices import Slices, slices_of
from matching.near import PLACE
from matching.site_rooms import AtSite

UNITS = {"tower": "position", "duct": "bore", "cable": "core", "room": "rack_u"}
REACH_FACTOR = 4  # beyond the limit we still look, for the nearest relaxation to tell
REACH_LEAST_M = 3_000.0
SECTORS = [str(value) for value in Sector.values]
MODES = [str(value) for value in SharingMode.values]

# Reads: %(list)s, %(radius)s (m, where a line names no tolerance), %(today)s, %(sectors)s, %(modes)s, %(only)s.
DUPLICATES = """
SELECT count(*) FROM listings_demandline WHERE demand_list_id = %(list)s AND state = 'open' AND duplicate_of_id IS NOT NULL
"""
LINES = """
SELECT l.id, l.number, l.priority::int, coalesce(l.applicant_id, 0),
       array_position(ARRAY['tower', 'duct', 'cable', 'room'], l.kind::text) - 1,
       coalesce(l.tolerance_m, %(radius)s)::float8, l.quantity::float8, coalesce(l.power_kw, 'NaN')::float8,
       coalesce(l.room_u::float8, 'NaN'), coalesce(l.height_min_m, 'NaN')::float8, coalesce(l.height_max_m, 'NaN')::float8,
       coalesce(l.bore_mm, 'NaN')::float8, coalesce(l.cable_mm, 'NaN')::float8, coalesce(l.ceiling_fen_per_year::float8, 'NaN'),
       (coalesce(l.needed_by, %(today)s::date) - date '1970-01-01'),
       ((coalesce(l.needed_by, %(today)s::date) + make_interval(months => l.months))::date - date '1970-01-01'),
       coalesce((SELECT bit_or(1 << array_position(%(sectors)s, s::text)) FROM unnest(l.sectors) s), 0)::int,
       coalesce((SELECT bit_or(1 << array_position(%(modes)s, s::text)) FROM unnest(l.sharing_modes) s), 0)::int,
       ST_X(ST_Centroid(l.place)), ST_Y(ST_Centroid(l.place)), ST_Dimension(l.place) = 1, ST_Dimension(l.place) = 2,
       ST_XMin(start.at), ST_YMin(start.at), ST_XMax(start.at), ST_YMax(start.at),
       coalesce(ST_X(start.other), 'NaN'), coalesce(ST_Y(start.other), 'NaN')
  FROM listings_demandline l CROSS JOIN LATERAL (
    SELECT CASE WHEN ST_Dimension(l.place) = 1 THEN ST_StartPoint(ST_GeometryN(l.place, 1)) ELSE l.place END AS at,
           CASE WHEN ST_Dimension(l.place) = 1 THEN ST_EndPoint(ST_GeometryN(l.place, ST_NumGeometries(l.place))) END AS other
  ) AS start
 WHERE l.demand_list_id = %(list)s AND l.state = 'open' AND l.duplicate_of_id IS NULL
   AND (%(only)s::bigint[] IS NULL OR l.id = ANY (%(only)s))
 ORDER BY l.number
"""
# x, y: the middle. west … north: the box of the place, of a route of its first end; end_x, end_y: its other end.
LINE_COLUMNS = {
    "id": "i8", "number": "i4", "priority": "i4", "applicant": "i8", "kind": "i4", "limit_m": "f8", "quantity": "f8",
    "power_kw": "f8", "room_u": "f8", "height_min_m": "f8", "height_max_m": "f8", "bore_mm": "f8", "cable_mm": "f8",
    "ceiling_fen": "f8",
    "starts": "i4", "ends": "i4", "sectors": "i4", "modes": "i4", "x": "f8", "y": "f8", "is_route": "b", "is_area": "b",
    "west": "f8", "south": "f8", "east": "f8", "north": "f8", "end_x": "f8", "end_y": "f8",
}  # fmt: skip

MODE_BITS = " + ".join(
    f"CASE WHEN '{mode}' = ANY (r.sharing_modes) THEN {1 << number} ELSE 0 END"
    for number, mode in enumerate(MODES, start=1)
)
OFFERS = f"""
SELECT r.id, CASE WHEN ST_Dimension({PLACE}) = 0 THEN ST_X({PLACE}) ELSE 'NaN' END,
       CASE WHEN ST_Dimension({PLACE}) = 0 THEN ST_Y({PLACE}) ELSE 'NaN' END, p.id, coalesce(power.id, 0),
       array_position(ARRAY['tower', 'duct', 'cable', 'room'], r.kind::text) - 1,
       r.owner_id, array_position(%(sectors)s, r.sector::text),
       {MODE_BITS},
       (p.total - p.in_use)::float8, p.total::float8, p.taken > 0,
       coalesce(power.total - power.in_use, t.spare_kva, 'NaN')::float8, coalesce(power.taken > 0, false),
       coalesce(p.height_top_m, p.height_m, t.height_m, 'NaN')::float8, coalesce(p.height_m, t.height_m, 'NaN')::float8,
       coalesce(p.bore_mm, d.inner_mm, 'NaN')::float8,
       coalesce((p.price_fen_per_unit_year * CASE WHEN p.unit IN ('bore', 'core') THEN r.length_m / 1000 ELSE 1 END)::float8, 'NaN'),
       CASE WHEN r.kind = 'room' THEN coalesce(power.price_fen_per_unit_year::float8, 'NaN') ELSE 0 END,
       CASE WHEN r.lifecycle = 'in_service' THEN true WHEN r.lifecycle IN ('planned', 'under_construction')
            THEN r.available_from IS NOT NULL AND coalesce(r.join_until, 'infinity') >= %(today)s ELSE false END,
       r.lifecycle = 'in_service',
       r.condition <> 'poor' AND coalesce(t.reinforcement, '') <> 'not_allowed' AND coalesce(t.load_used_pct, 0) < 100,
       coalesce(t.is_papers_complete, true),
       coalesce(r.available_from - date '1970-01-01', -99999)::int,
       least(coalesce(r.available_until - date '1970-01-01', 999999), coalesce(m.tenure_ends_on - date '1970-01-01', 999999))::int
  FROM unnest(%(resources)s::bigint[]) AS wanted (id)
  JOIN listings_resource r ON r.id = wanted.id
  JOIN listings_capacitypool p ON p.resource_id = r.id AND p.unit = CASE r.kind
       WHEN 'tower' THEN 'position' WHEN 'duct' THEN 'bore' WHEN 'cable' THEN 'core' ELSE 'rack_u' END
  LEFT JOIN listings_capacitypool power ON power.resource_id = CASE WHEN r.kind = 'room' THEN r.id END AND power.unit = 'kw'
  LEFT JOIN listings_tower t ON t.resource_id = CASE WHEN r.kind = 'tower' THEN r.id END
  LEFT JOIN listings_duct d ON d.resource_id = CASE WHEN r.kind = 'duct' THEN r.id END
  LEFT JOIN listings_room m ON m.resource_id = CASE WHEN r.kind = 'room' THEN r.id END
"""
OFFER_COLUMNS = {
    "resource": "i8", "x": "f8", "y": "f8", "pool": "i8", "power_pool": "i8", "kind": "i4", "owner": "i8", "sector": "i4", "modes": "i4",
    "room": "f8", "total": "f8", "is_taken": "b", "kw_room": "f8", "is_kw_taken": "b", "height_m": "f8",
    "height_low_m": "f8", "bore_mm": "f8", "price_fen": "f8", "kw_price_fen": "f8", "is_lifecycle_fit": "b", "is_in_service": "b",
    "is_condition_fit": "b", "is_papers_fit": "b", "from": "i4", "until": "i4",
}  # fmt: skip

RESERVED = """
SELECT v.pool_id, (v.starts_on - date '1970-01-01'), coalesce(v.ends_on - date '1970-01-01', 999999), v.quantity::float8
  FROM listings_reservation v
 WHERE v.state IN ('held', 'confirmed') AND v.pool_id = ANY (%(pools)s) AND coalesce(v.ends_on, 'infinity') >= %(today)s
"""


@dataclass(frozen=True)
class Lines:
    """The lines of a run, by number; what was asked, as arrays of one length. duplicates: open lines marked as another's
    duplicate, which are left out: the need counts once."""

    columns: wire.Arrays
    duplicates: int = 0
    fill_share: float = 1.0  # of a bore's cross-section, where a line says how thick its cable is

    def __len__(self) -> int:
        return len(self.columns["id"])

    def __getattr__(self, name: str) -> np.ndarray:
        try:
            return self.__dict__["columns"][name]
        except KeyError as error:
            raise AttributeError(name) from error


@dataclass(frozen=True)
class Candidates:
    """Pairs as arrays, with the keys that lead back to rows.

    pool_keys: per pool the id of a CapacityPool, or −resource id for the spare kVA of a tower, which is a fact and not
    a pool. resource_ids, room_ids (−1: none), available_from: per pair.
    slices: what each pool has left in which period.
    """

    pairs: Pairs
    resource_ids: np.ndarray
    room_ids: np.ndarray
    available_from: np.ndarray
    pool_keys: np.ndarray
    slices: Slices


def read_lines(list_id: int, *, radius_m: float, today: date, only: list[int] | None = None) -> Lines:
    """The open lines of a list (only: among these ids)."""
    params: dict[str, Any] = {
        "list": list_id, "radius": radius_m, "today": today, "sectors": SECTORS, "modes": MODES, "only": only,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(DUPLICATES, params)
        duplicates = int(cursor.fetchone()[0])
    columns = wire.fetch(LINES, params, LINE_COLUMNS)
    has_cables = not np.isnan(columns["cable_mm"]).all()
    return Lines(columns, duplicates, bores.fill_share(list_id, today) if has_cables else 1.0)


def find(
    lines: Lines,
    *,
    today: date,
    beyond: list[int] | None = None,
    response_days: dict[int, float] | None = None,
    without: list[int] | None = None,
    tell: Callable[[float], None] = lambda share: None,
) -> Candidates:
    """Pairs of lines and pools within each line's limit; beyond (line ids): of these, the nearest farther out as well.

    without: resources to leave out. Queries twice per kind that is asked for, and six times more at most.
    """
    is_beyond = beyond is not None
    rows = np.arange(len(lines)) if beyond is None else np.flatnonzero(np.isin(lines.id, beyond))
    reach_m = np.maximum(lines.limit_m * REACH_FACTOR, REACH_LEAST_M) if is_beyond else lines.limit_m
    line, resource = near.pairs(
        lines.columns, rows, reach_m[rows], is_beyond=is_beyond, tell=lambda share: tell(share * 0.5)
    )
    if without:
        keep = ~np.isin(resource, without)
        line, resource = line[keep], resource[keep]
    offers = _offers(np.unique(resource), today)
    tell(0.8)
    known, first = np.unique(offers["resource"], return_index=True)
    place = np.searchsorted(known, resource)
    keep = known[np.minimum(place, len(known) - 1)] == resource if len(known) else np.zeros(len(place), dtype=bool)
    line, place = line[keep], place[keep]
    distance = near.distances(lines.columns, line, place, known, offers["x"][first], offers["y"][first])
    keep = distance <= reach_m[line]
    line, place, distance = line[keep], place[keep], distance[keep]
    order = np.lexsort((place, distance, line))
    found = {"line": line[order], "resource": known[place[order]], "distance_m": distance[order]}
    tell(0.9)
    return _candidates(lines, found, offers, today, response_days or {}, without or [], tell)


def _offers(wanted: np.ndarray, today: date) -> wire.Arrays:
    """What is to be known of these resources, a row per pool, by resource and pool."""
    params = {"resources": wanted.tolist(), "sectors": SECTORS, "today": today}
    read = wire.fetch(OFFERS, params, OFFER_COLUMNS)
    order = np.lexsort((read["pool"], read["resource"]))
    return {name: values[order] for name, values in read.items()}


def _candidates(
    lines: Lines,
    near: wire.Arrays,
    offers: wire.Arrays,
    today: date,
    response_days: dict[int, float],
    without: list[int],
    tell: Callable[[float], None],
) -> Candidates:
    """near: line (index), resource (id) and distance_m, in the order of the pairs; offers: of _offers."""
    resource = near["resource"]
    first = np.searchsorted(offers["resource"], resource, side="left")
    count = np.searchsorted(offers["resource"], resource, side="right") - first
    pair = np.repeat(np.arange(len(resource)), count)
    offer = np.repeat(first - np.r_[0, np.cumsum(count)[:-1]], count) + np.arange(count.sum()) if len(count) else count
    pair, offer, site = _at_sites(lines, near, pair, offer, today, without)
    line, distance = near["line"][pair], near["distance_m"][pair]
    o, asked = _Taken(offers, offer), _Taken(lines.columns, line)
    is_powered = ~np.isnan(asked["power_kw"])
    slices, pool, power_pool, room_pool, keys = _slices(offers, offer, is_powered, site, today)
    opens, closes = np.maximum(o["from"], site.of("from", -99999)), np.minimum(o["until"], site.of("until", 999999))
    power_price = np.where(o["kind"] == 3, o["kw_price_fen"], site.of("kw_price_fen", 0))
    price = o["price_fen"] * asked["quantity"]
    price = price + np.where(is_powered, power_price * np.nan_to_num(asked["power_kw"]), 0.0)
    price = price + np.where(site.has, site.of("price_fen", 0) * np.nan_to_num(asked["room_u"]), 0.0)
    response = np.array([response_days.get(int(owner), np.nan) for owner in offers["owner"]])
    pairs = Pairs(
        line=line,
        pool=pool,
        power_pool=power_pool,
        room_pool=room_pool,
        distance_m=distance,
        limit_m=asked["limit_m"],
        quantity_asked=asked["quantity"],
        quantity_free=slices.least_free(pool, asked["starts"], asked["ends"]),
        quantity_total=o["total"],
        room_asked=asked["room_u"],
        room_free=_free(slices, room_pool, asked),
        kw_asked=asked["power_kw"],
        kw_free=_free(slices, power_pool, asked),
        height_m=o["height_m"],
        height_low_m=o["height_low_m"],
        height_min_m=asked["height_min_m"],
        height_max_m=asked["height_max_m"],
        bore_mm=o["bore_mm"],
        bore_asked_mm=asked["bore_mm"],
        cable_mm=_cables(lines, o, asked),
        cable_asked_mm=asked["cable_mm"],
        cost_fen=price,
        ceiling_fen=asked["ceiling_fen"],
        response_days=response[offer] if len(offers["owner"]) else np.zeros(0),
        is_sector_accepted=(asked["sectors"] == 0) | ((asked["sectors"] >> o["sector"]) & 1).astype(bool),
        is_mode_accepted=((asked["modes"] == 0) | (o["modes"] == 0) | ((asked["modes"] & o["modes"]) > 0))
        & site.modes_accepted(asked["modes"]),
        is_own=(o["owner"] == asked["applicant"]) & (asked["applicant"] > 0),
        is_lifecycle_fit=o["is_lifecycle_fit"],
        is_in_service=o["is_in_service"],
        is_condition_fit=o["is_condition_fit"],
        is_papers_fit=o["is_papers_fit"],
        days_late=np.maximum(0, np.maximum(opens - asked["starts"], asked["ends"] - closes)).astype(float),
    )
    tell(1.0)
    return Candidates(
        pairs, o["resource"], site.of("resource", -1).astype(np.int64), opens.astype(np.int64), keys, slices
    )


def _at_sites(
    lines: Lines, near: wire.Arrays, pair: np.ndarray, offer: np.ndarray, today: date, without: list[int]
) -> tuple[np.ndarray, np.ndarray, AtSite]:
    """(pair, offer, room of each): a tower's pools once per room of its site where the line asks for one."""
    is_asked = ~np.isnan(lines.room_u[near["line"][pair]])
    if not is_asked.any():
        return pair, offer, AtSite(site_rooms.none(), np.full(len(pair), -1, dtype=np.int64))
    towers = np.unique(near["resource"][pair[is_asked]])
    rooms = site_rooms.read(towers, modes=MODES, today=today, without=without)
    row, site = site_rooms.with_rooms(rooms, near["resource"][pair], is_asked)
    return pair[row], offer[row], site


@dataclass(frozen=True)
class _Taken:
    """Columns for millions of pairs, each made when it is asked for: all at once would take a gigabyte."""

    columns: wire.Arrays
    rows: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name][self.rows]


def _cables(lines: Lines, o: _Taken, asked: _Taken) -> np.ndarray:
    """The thickest cable each pair's pool takes, where one is asked for; else NaN."""
    result = np.full(len(o.rows), np.nan)
    at = np.flatnonzero(~np.isnan(asked["cable_mm"]))
    if len(at):
        ducts = np.unique(o["resource"][at])
        result[at] = bores.largest_cables(ducts, o["pool"][at], asked["quantity"][at], fill=lines.fill_share)
    return result


def _free(slices: Slices, pool: np.ndarray, asked: _Taken) -> np.ndarray:
    """What a pool has left over each pair's period; NaN where there is no pool."""
    if not (pool >= 0).any():
        return np.full(len(pool), np.nan)
    return np.where(pool >= 0, slices.least_free(pool, asked["starts"], asked["ends"]), np.nan)


def _slices(
    offers: wire.Arrays, offer: np.ndarray, is_powered: np.ndarray, site: AtSite, today: date
) -> tuple[Slices, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(slices; pool, power pool and room's pool per pair, −1 for none; key per pool): units first, then the others.

    A room that is asked for by itself and with a tower is one pool: what the one takes the other lacks.
    """
    count, rooms = len(offers["pool"]), site.rooms
    has_power = ~np.isnan(offers["kw_room"])
    power_key = np.where(offers["power_pool"] > 0, offers["power_pool"], -offers["resource"])
    more, first = np.unique(
        np.concatenate([power_key[has_power], rooms["pool"], rooms["power_pool"]]), return_index=True
    )
    first = first[~np.isin(more, offers["pool"])]
    more = more[~np.isin(more, offers["pool"])]

    def joined(of_offer: str, of_power: str, of_room: str, of_room_power: str) -> np.ndarray:
        rest = [offers[of_power][has_power], rooms[of_room], rooms[of_room_power]]
        return np.concatenate([offers[of_offer], np.concatenate(rest)[first]])

    keys = np.concatenate([offers["pool"], more])
    room = joined("room", "kw_room", "room", "kw_room")
    taken = joined("is_taken", "is_kw_taken", "is_taken", "is_kw_taken")
    order = np.argsort(keys, kind="stable")

    def at(wanted: np.ndarray) -> np.ndarray:
        return order[np.searchsorted(keys[order], wanted)].astype(np.int64) if len(wanted) else wanted.astype(np.int64)

    power_of_offer = np.full(count, -1, dtype=np.int64)
    power_of_offer[has_power] = at(power_key[has_power])
    reserved: wire.Arrays = {}
    if taken.any():
        reserved = wire.fetch(
            RESERVED, {"pools": keys[taken].tolist(), "today": today},
            {"pool": "i8", "starts": "i4", "ends": "i4", "quantity": "f8"},
        )  # fmt: skip
    pool = offer.astype(np.int64)
    power_pool, room_pool = np.full(len(pool), -1, dtype=np.int64), np.full(len(pool), -1, dtype=np.int64)
    alone = is_powered & ~site.has
    power_pool[alone] = power_of_offer[offer[alone]]
    power_pool[is_powered & site.has] = at(rooms["power_pool"])[site.room[is_powered & site.has]]
    room_pool[site.has] = at(rooms["pool"])[site.room[site.has]]
    return slices_of(keys, room, reserved), pool, power_pool, room_pool, keys


def response_days(today: date) -> dict[int, float]:
    """Owner id → median days from a request to the owner's first word in its conversation, over the last two years."""
    sql = """
    SELECT owner, percentile_cont(0.5) WITHIN GROUP (ORDER BY days)::float8 FROM (
      SELECT DISTINCT ON (q.id) a.organisation_id AS owner, extract(epoch FROM a.created_at - q.created_at) / 86400 AS days
        FROM messaging_message q JOIN messaging_message a ON a.thread_id = q.thread_id AND a.number > q.number
         AND a.organisation_id <> q.organisation_id
       WHERE q.event_code = 'request.make' AND q.created_at > %(today)s::date - 730 ORDER BY q.id, a.number
    ) AS answers GROUP BY owner
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {"today": today})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return {int(owner): float(days) for owner, days in rows}
