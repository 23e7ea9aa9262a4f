"""Rooms at the sites of towers, for lines that ask for a room and power beside antenna positions.

One query over all towers in reach, and only where a line asks. A tower and a room count as one place only where a
reader is shown them together (listings.site_page.members_for): both exactly, or neither and none of the site exactly.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from . import wire
from .core.problem import BoolArray, FloatArray, IntArray

# Every published room counts both its U and its kW (a rule of the database): the power is the room's own.
ROOMS = """
SELECT r.id, m.id, p.id, (p.total - p.in_use)::float8, p.taken > 0, coalesce(p.price_fen_per_unit_year::float8, 'NaN'),
       power.id, (power.total - power.in_use)::float8, power.taken > 0,
       coalesce(power.price_fen_per_unit_year::float8, 'NaN'),
       coalesce((SELECT bit_or(1 << array_position(%(modes)s, x::text)) FROM unnest(m.sharing_modes) x), 0)::int,
       coalesce(m.available_from - date '1970-01-01', -99999)::int,
       least(coalesce(m.available_until - date '1970-01-01', 999999),
             coalesce(k.tenure_ends_on - date '1970-01-01', 999999))::int
  FROM unnest(%(towers)s::bigint[]) AS wanted (id)
  JOIN listings_resource r ON r.id = wanted.id AND r.kind = 'tower'
  JOIN listings_site s ON s.id = r.site_id
  JOIN listings_resource m ON m.site_id = s.id AND m.kind = 'room' AND m.owner_id = r.owner_id
       AND m.state = 'published' AND m.disclosure <> 'existence' AND m.condition <> 'poor'
       AND (m.disclosure = 'exact') = (r.disclosure = 'exact')
       AND (m.lifecycle = 'in_service' OR m.lifecycle IN ('planned', 'under_construction')
            AND m.available_from IS NOT NULL AND coalesce(m.join_until, 'infinity') >= %(today)s)
  JOIN listings_capacitypool p ON p.resource_id = m.id AND p.unit = 'rack_u'
  JOIN listings_capacitypool power ON power.resource_id = m.id AND power.unit = 'kw'
  LEFT JOIN listings_room k ON k.resource_id = m.id
 WHERE m.id <> ALL (%(without)s::bigint[])
   AND (r.disclosure = 'exact' OR NOT EXISTS (SELECT 1 FROM listings_resource o WHERE o.site_id = s.id
        AND o.state = 'published' AND o.disclosure = 'exact'))
 ORDER BY r.id, m.id
"""
COLUMNS = {
    "tower": "i8", "resource": "i8", "pool": "i8", "room": "f8", "is_taken": "b", "price_fen": "f8",
    "power_pool": "i8", "kw_room": "f8", "is_kw_taken": "b", "kw_price_fen": "f8", "modes": "i4", "from": "i4",
    "until": "i4",
}  # fmt: skip
DTYPES = {"i8": np.int64, "i4": np.int64, "f8": np.float64, "b": np.bool_}


def none() -> wire.Arrays:
    """No rooms at all."""
    return {name: np.zeros(0, dtype=DTYPES[code]) for name, code in COLUMNS.items()}


def read(towers: IntArray, *, modes: list[str], today: date, without: list[int]) -> wire.Arrays:
    """The rooms at these towers' sites, ordered by tower. One query."""
    if not len(towers):
        return none()
    params = {"towers": towers.tolist(), "modes": modes, "today": today, "without": without}
    return wire.fetch(ROOMS, params, COLUMNS)


@dataclass(frozen=True)
class AtSite:
    """Per pair: which room goes with it (index into rooms, −1: none asked for, or none there)."""

    rooms: wire.Arrays
    room: IntArray

    @property
    def has(self) -> BoolArray:
        return self.room >= 0

    def of(self, name: str, otherwise: float) -> FloatArray:
        """A column of the pairs' rooms; otherwise where a pair has none."""
        if not len(self.rooms[name]):
            return np.full(len(self.room), float(otherwise))
        values = self.rooms[name].astype(np.float64)
        return np.where(self.has, values[np.maximum(self.room, 0)], otherwise)

    def modes_accepted(self, asked: IntArray) -> BoolArray:
        """Whether the room is offered in a sharing mode the line accepts (bits; 0: all)."""
        offered = self.of("modes", 0).astype(np.int64)
        result: BoolArray = (asked == 0) | (offered == 0) | ((asked & offered) > 0)
        return result


def with_rooms(rooms: wire.Arrays, tower: IntArray, is_asked: BoolArray) -> tuple[IntArray, AtSite]:
    """(row of each pair, once per room of its tower's site where one is asked for; the room of each)."""
    first = np.searchsorted(rooms["tower"], tower, side="left")
    count = np.searchsorted(rooms["tower"], tower, side="right") - first
    has = is_asked & (count > 0)
    times = np.where(has, count, 1)
    row = np.repeat(np.arange(len(tower)), times)
    nth = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    return row, AtSite(rooms, np.where(has[row], first[row] + nth, -1))
