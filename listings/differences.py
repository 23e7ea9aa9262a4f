"""What a row would change in the resource it finds, as an event keeps it. Pure once the resource is loaded."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import models

from listings.kinds.pools import PoolData
from listings.models import CapacityPool


def pool_data(pool: CapacityPool) -> PoolData:
    return PoolData(
        unit=pool.unit, total=pool.total, in_use=pool.in_use, label=pool.label, height_m=pool.height_m,
        bore_mm=pool.bore_mm, price_fen_per_unit_year=pool.price_fen_per_unit_year, pk=pool.pk,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return str(value.normalize()) if isinstance(value, Decimal) else value.pk if isinstance(value, models.Model) else (
        value if isinstance(value, (str, int, bool, list, dict, type(None))) else str(value)
    )  # fmt: skip


def changes(item: Any) -> dict[str, tuple[Any, Any]]:
    """name → (before, after) for everything the row would change; "pools" and "place" among the names."""
    old = item.existing
    changed: dict[str, tuple[Any, Any]] = {}
    assert old is not None  # a row without a stored resource has no changes but is one
    for name, value in item.values.items():
        before = old.manager_id if name == "manager" else getattr(old, name)
        after = (value.pk if value else None) if name == "manager" else value
        if before != after:
            changed[name] = (_plain(before), _plain(after))
    for name, value in item.facts.items():
        before = getattr(old.facts, name)
        if before != value:
            changed[name] = (_plain(before), _plain(value))
    if old.owner_code != item.row.owner_code:
        changed["owner_code"] = (old.owner_code, item.row.owner_code)
    if item.place is not None and not item.place.equals_exact(old.place, 1e-8):
        changed["place"] = (old.place.wkt, item.place.wkt)
        if item.region_id != old.region_id:
            changed["region"] = (old.region_id, item.region_id)
    if item.pools is not None:
        before_pools, after_pools = pool_words([pool_data(p) for p in old.pools.all()]), pool_words(item.pools)
        if before_pools != after_pools:
            changed["pools"] = (before_pools, after_pools)
    return changed


def pool_words(pools: Sequence[PoolData]) -> list[dict[str, Any]]:
    """Pools as an event keeps them, in a stable order."""
    rows = [
        {name: _plain(getattr(pool, name)) for name in
         ("unit", "label", "height_m", "bore_mm", "total", "in_use", "price_fen_per_unit_year")}
        for pool in pools
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row["unit"], row["label"]))
