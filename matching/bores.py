"""The largest cable that can be pulled into a duct's free bores, for lines that say how thick theirs is.

One query over all ducts in reach, and only where a line asks. listings.cable_fit is the same rule for one resource.
"""

import math
from datetime import date

import numpy as np

from accounts.rules import rule
from listings.models import DemandList

from . import wire
from .core.problem import FloatArray, IntArray

# Bores of a pool are those of its inner diameter: empty, not blocked and without sub-ducts of their own. A duct that
# lists no bores has as many alike as its pool counts.
BORES = """
SELECT p.id, floor(least(b.inner_mm * %(part)s, b.cable_max_mm) * 10 + 1e-6)::float8 / 10, false
  FROM unnest(%(ducts)s::bigint[]) AS wanted (id)
  JOIN listings_capacitypool p ON p.resource_id = wanted.id AND p.unit = 'bore'
  JOIN listings_bore b ON b.duct_id = wanted.id AND b.inner_mm = p.bore_mm AND b.blocked_at_m IS NULL
       AND b.cable_count = 0 AND coalesce(b.occupancy_pct, 0) = 0
 WHERE NOT EXISTS (SELECT 1 FROM listings_bore s WHERE s.parent_id = b.id)
UNION ALL
SELECT p.id, 0::float8, false
  FROM unnest(%(ducts)s::bigint[]) AS wanted (id)
  JOIN listings_capacitypool p ON p.resource_id = wanted.id AND p.unit = 'bore'
 WHERE EXISTS (SELECT 1 FROM listings_bore b WHERE b.duct_id = wanted.id)
UNION ALL
SELECT p.id, floor(coalesce(p.bore_mm, d.inner_mm) * %(part)s * 10 + 1e-6)::float8 / 10, true
  FROM unnest(%(ducts)s::bigint[]) AS wanted (id)
  JOIN listings_capacitypool p ON p.resource_id = wanted.id AND p.unit = 'bore'
  JOIN listings_duct d ON d.resource_id = wanted.id
 WHERE coalesce(p.bore_mm, d.inner_mm) IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM listings_bore b WHERE b.duct_id = wanted.id)
 ORDER BY 1, 2 DESC
"""
COLUMNS = {"pool": "i8", "cable_mm": "f8", "is_alike": "b"}


def fill_share(list_id: int, today: date) -> float:
    """The share (0..1) of a bore's cross-section a cable may fill, by the rule of the list's region. Two queries."""
    region = DemandList.objects.values_list("region", flat=True).get(pk=list_id)
    return float(rule("duct.fill_pct", region, on=today).value) / 100


def largest_cables(ducts: IntArray, pool: IntArray, bores: FloatArray, *, fill: float) -> FloatArray:
    """(pairs,): the thickest cable (mm) that as many free bores of the pool as are asked for take; 0 where there are
    not that many, NaN where no diameter is known. pool: ids; fill: share of the cross-section, so d ≤ D·√fill, counted
    in whole tenths of a millimetre."""
    found = wire.fetch(BORES, {"ducts": ducts.tolist(), "part": math.sqrt(fill)}, COLUMNS)
    first = np.searchsorted(found["pool"], pool, side="left")
    count = np.searchsorted(found["pool"], pool, side="right") - first
    if not len(found["pool"]):
        return np.full(len(pool), np.nan)
    is_alike = found["is_alike"][np.minimum(first, len(found["pool"]) - 1)] & (count > 0)
    nth = np.where(is_alike, 0, bores.astype(np.int64) - 1)
    row = np.minimum(first + nth, len(found["pool"]) - 1)
    result: FloatArray = np.where(count > nth, found["cable_mm"][row], np.where(count > 0, 0.0, np.nan))
    return result
