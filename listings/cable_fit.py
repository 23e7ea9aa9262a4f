"""Which cable can be pulled into a bore: the inner diameter, the share a cable may fill, and what the owner allows."""

import math
from collections.abc import Iterable
from decimal import Decimal

from listings.models import Bore, CapacityPool


def largest_cables_mm(
    pool: CapacityPool, bores: Iterable[Bore], inner_mm: Decimal | None, fill_pct: Decimal
) -> list[float] | float | None:
    """The thickest cable each free bore of the pool takes (mm, thickest first): d ≤ D·√fill, and at most what the owner
    allows. One number where the duct lists no bores and all are alike; None: no diameter is known.

    bores: all of the duct; inner_mm: what the duct says where the pool says nothing; fill_pct: the rule duct.fill_pct.
    """
    part = math.sqrt(float(fill_pct) / 100)
    rows = list(bores)
    if not rows:
        inner = pool.bore_mm if pool.bore_mm is not None else inner_mm
        return None if inner is None else _tenths(float(inner) * part)
    parents = {bore.parent_id for bore in rows}
    fit = []
    for bore in rows:
        is_empty = not bore.cable_count and not bore.occupancy_pct and bore.blocked_at_m is None
        if bore.pk in parents or not is_empty or bore.inner_mm is None or bore.inner_mm != pool.bore_mm:
            continue
        most = float(bore.inner_mm) * part
        fit.append(_tenths(most if bore.cable_max_mm is None else min(most, float(bore.cable_max_mm))))
    return sorted(fit, reverse=True)


def _tenths(mm: float) -> float:
    """Down to the tenth of a millimetre in which cables are named."""
    return math.floor(mm * 10 + 1e-6) / 10
