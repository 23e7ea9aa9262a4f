"""Between which values a fact can lie: one table for the database's CHECKs and for the sentences. Pure.

Limits of the plausible (this portal's, not a standard's), wide enough for anything real: they catch a wrong unit.
"""

from collections.abc import Mapping
from decimal import Decimal

from django.db import models
from django.db.models import Q

Limits = Mapping[str, tuple[Decimal, Decimal]]


def _limits(**pairs: tuple[int, int]) -> Limits:
    return {name: (Decimal(low), Decimal(high)) for name, (low, high) in pairs.items()}


TOWER = _limits(
    wind_area_m2=(0, 1_000), load_kg=(0, 100_000), mains_v=(0, 1_200_000), spare_kva=(0, 100_000),
    line_kv=(0, 1_200), live_work_clearance_m=(0, 50),
)  # fmt: skip
DUCT = _limits(
    surveyed_length_m=(0, 500_000), cover_depth_m=(0, 100), inner_mm=(0, 5_000), outer_mm=(0, 6_000),
    cable_max_mm=(0, 5_000), blocked_at_m=(0, 500_000), face_rows=(1, 20), face_columns=(1, 40),
)  # fmt: skip
CABLE = _limits(sheath_km=(0, 50_000))
ROOM = _limits(
    area_m2=(0, 1_000_000), clear_height_m=(0, 50), floor_load_kn_per_m2=(0, 200), rack_count=(0, 100_000),
    rack_height_u=(1, 60), mains_spare_kva=(0, 1_000_000), battery_h=(0, 1_000), cooling_kw=(0, 100_000),
    entry_bore_count=(0, 10_000), odf_port_count=(0, 1_000_000),
)  # fmt: skip
RANGES: Mapping[str, Limits] = {"tower": TOWER, "duct": DUCT, "cable": CABLE, "room": ROOM}


def constraint(table: str) -> models.CheckConstraint:
    """CHECK <table>_in_range over all its limits; the sentence per field comes from listings/checks.py first."""
    condition = Q()
    for name, (low, high) in RANGES[table].items():
        condition &= Q(**{name: None}) | Q(**{f"{name}__gte": low, f"{name}__lte": high})
    return models.CheckConstraint(condition=condition, name=f"{table}_in_range")
