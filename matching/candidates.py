"""Candidates out of PostGIS, in one set-based query over the whole list; never a query per line.

The place of a resource is the one any verified organisation is shown (listings.disclosure.matching_place):
exact where the owner says so, else the cell. The SQL below says it twice, once per branch, so that both use
their geography index.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection

from accounts.rules import rule
from listings.models import DemandList
from matching.core.problem import Pairs

REACH_FACTOR = 4  # beyond the limit we still look, for the nearest relaxation to tell
REACH_LEAST_M = 3_000.0
PER_LINE = 200  # nearest pools kept per line

# Reads: %(list)s, %(radius)s (m, where a line names no tolerance), %(reach_factor)s, %(reach_least)s,
# %(per_line)s, %(today)s. A route (line string) asks for both its ends: the farther one counts.
CANDIDATES = """
WITH asked AS (
  SELECT l.*, coalesce(l.tolerance_m, %(radius)s)::float8 AS limit_m,
         greatest(coalesce(l.tolerance_m, %(radius)s) * %(reach_factor)s, %(reach_least)s)::float8 AS reach_m,
         CASE WHEN ST_Dimension(l.place) = 1 THEN ST_StartPoint(l.place)::geography ELSE l.place::geography END AS end_a,
         CASE WHEN ST_Dimension(l.place) = 1 THEN ST_EndPoint(l.place)::geography ELSE l.place::geography END AS end_b
    FROM listings_demandline l
   WHERE l.demand_list_id = %(list)s AND l.state = 'open'
), near AS (
  SELECT a.id AS line_id, found.*
    FROM asked a CROSS JOIN LATERAL (
      SELECT place_found.resource_id, place_found.distance_m FROM (
        SELECT r.id AS resource_id,
               greatest(ST_Distance(r.place::geography, a.end_a), ST_Distance(r.place::geography, a.end_b)) AS distance_m
          FROM listings_resource r
         WHERE r.kind = a.kind AND r.state = 'published' AND r.disclosure = 'exact'
           AND ST_DWithin(r.place::geography, a.end_a, a.reach_m)
        UNION ALL
        SELECT r.id,
               greatest(ST_Distance(r.shown_cell::geography, a.end_a), ST_Distance(r.shown_cell::geography, a.end_b))
          FROM listings_resource r
         WHERE r.kind = a.kind AND r.state = 'published' AND r.disclosure = 'blurred'
           AND ST_DWithin(r.shown_cell::geography, a.end_a, a.reach_m)
      ) AS place_found
      WHERE place_found.distance_m <= a.reach_m
      ORDER BY place_found.distance_m, place_found.resource_id LIMIT %(per_line)s
    ) AS found
)
SELECT a.id, a.number, a.priority, r.id, p.id, power.id, near.distance_m, a.limit_m,
       a.quantity::float8, p.free::float8, a.power_kw::float8,
       CASE WHEN a.power_kw IS NULL THEN NULL WHEN r.kind = 'room' THEN power.free::float8 ELSE t.spare_kva::float8 END,
       coalesce(p.height_m, t.height_m)::float8, a.height_min_m::float8, a.height_max_m::float8,
       coalesce(p.bore_mm, d.inner_mm)::float8, a.bore_mm::float8,
       p.price_fen_per_unit_year * a.quantity::float8 * CASE WHEN p.unit IN ('bore', 'core') THEN r.length_m / 1000 ELSE 1 END
         + CASE WHEN a.power_kw IS NULL OR r.kind <> 'room' THEN 0 ELSE power.price_fen_per_unit_year * a.power_kw::float8 END,
       a.ceiling_fen_per_year::float8,
       cardinality(a.sectors) = 0 OR r.sector = ANY (a.sectors),
       cardinality(a.sharing_modes) = 0 OR cardinality(r.sharing_modes) = 0 OR r.sharing_modes && a.sharing_modes,
       r.owner_id = a.applicant_id,
       CASE r.lifecycle WHEN 'in_service' THEN true
            WHEN 'planned' THEN r.available_from IS NOT NULL
            WHEN 'under_construction' THEN r.available_from IS NOT NULL ELSE false END,
       r.lifecycle = 'in_service',
       r.condition <> 'poor' AND coalesce(t.reinforcement, '') <> 'not_allowed',
       greatest(0, r.available_from - coalesce(a.needed_by, %(today)s),
                (coalesce(a.needed_by, %(today)s) + make_interval(months => a.months))::date - r.available_until),
       p.total::float8, r.kind
  FROM near
  JOIN asked a ON a.id = near.line_id
  JOIN listings_resource r ON r.id = near.resource_id
  JOIN listings_capacitypool p ON p.resource_id = r.id AND p.unit = CASE r.kind
       WHEN 'tower' THEN 'position' WHEN 'duct' THEN 'bore' WHEN 'cable' THEN 'core' ELSE 'rack_u' END
  LEFT JOIN listings_capacitypool power ON r.kind = 'room' AND power.resource_id = r.id AND power.unit = 'kw'
  LEFT JOIN listings_tower t ON t.resource_id = r.id
  LEFT JOIN listings_duct d ON d.resource_id = r.id
 ORDER BY a.number, near.distance_m, r.id, p.id
"""


@dataclass(frozen=True)
class Candidates:
    """All pairs of a list, as arrays, with the keys that lead back to rows.

    line_ids, priority: per line of the list that is to be matched, by number. pool_keys: per pool the id of a
    CapacityPool, or −resource id for the spare kVA of a tower, which is a fact and not a pool.
    resource_ids, unit: per pair.
    """

    line_ids: np.ndarray
    priority: np.ndarray
    pairs: Pairs
    resource_ids: np.ndarray
    pool_keys: np.ndarray
    capacity: np.ndarray


def _floats(values: Any) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def load(demand_list: DemandList, *, radius_m: float | None = None, today: date) -> Candidates:
    """Everything the core needs of a list, in two queries. radius_m None: the region's rule."""
    radius = radius_m if radius_m is not None else float(rule("match.radius_m", demand_list.region_id, on=today).value)
    lines = list(demand_list.lines.open().order_by("number").values_list("pk", "priority"))
    with connection.cursor() as cursor:
        cursor.execute(
            CANDIDATES,
            {
                "list": demand_list.pk, "radius": radius, "reach_factor": REACH_FACTOR, "reach_least": REACH_LEAST_M,
                "per_line": PER_LINE, "today": today,
            },
        )  # fmt: skip
        rows = cursor.fetchall()
    return _arrays(lines, rows)


def _arrays(lines: list[tuple[int, int]], rows: list[tuple[Any, ...]]) -> Candidates:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 28
    line_at = {pk: index for index, (pk, _) in enumerate(lines)}
    free, kw_free = _floats(columns[9]), _floats(columns[11])
    keys: dict[int, int] = {}
    capacity: list[float] = []

    def pool_index(key: int, room: float) -> int:
        if key not in keys:
            keys[key] = len(capacity)
            capacity.append(max(0.0, room))
        return keys[key]

    pool = [pool_index(key, room) for key, room in zip(columns[4], free, strict=True)]
    power_pool = [
        -1 if asked is None or np.isnan(room) else pool_index(key if key is not None else -resource, room)
        for asked, key, resource, room in zip(columns[10], columns[5], columns[3], kw_free, strict=True)
    ]
    flags = [np.array(columns[i], dtype=bool) for i in range(19, 25)]
    flags[2] = np.array([bool(v) for v in columns[21]], dtype=bool)  # own: NULL where the applicant is not registered
    pairs = Pairs(
        line=np.array([line_at[pk] for pk in columns[0]], dtype=np.int64),
        pool=np.array(pool, dtype=np.int64),
        power_pool=np.array(power_pool, dtype=np.int64),
        distance_m=_floats(columns[6]),
        limit_m=_floats(columns[7]),
        quantity_asked=_floats(columns[8]),
        quantity_free=free,
        kw_asked=_floats(columns[10]),
        kw_free=kw_free,
        height_m=_floats(columns[12]),
        height_min_m=_floats(columns[13]),
        height_max_m=_floats(columns[14]),
        bore_mm=_floats(columns[15]),
        bore_asked_mm=_floats(columns[16]),
        cost_fen=_floats(columns[17]),
        ceiling_fen=_floats(columns[18]),
        is_sector_accepted=flags[0],
        is_mode_accepted=flags[1],
        is_own=flags[2],
        is_lifecycle_fit=flags[3],
        is_in_service=flags[4],
        is_condition_fit=flags[5],
        days_late=_floats(columns[25]),
    )
    ordered = sorted(keys, key=keys.__getitem__)
    return Candidates(
        line_ids=np.array([pk for pk, _ in lines], dtype=np.int64),
        priority=np.array([priority for _, priority in lines], dtype=np.int64),
        pairs=pairs,
        resource_ids=np.array(columns[3], dtype=np.int64),
        pool_keys=np.array(ordered, dtype=np.int64),
        capacity=np.array(capacity, dtype=np.float64),
    )
