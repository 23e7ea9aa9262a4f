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
        height_top_m=pool.height_top_m, bore_mm=pool.bore_mm, pk=pool.pk,
        price_fen_per_unit_year=pool.price_fen_per_unit_year,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """A value as JSON keeps it; decimals without trailing zeros, so that 35 and 35.0 are the same."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, dict):
        return sorted(f"{key}: {reason}" for key, reason in value.items())
    if isinstance(value, models.Model):
        return value.pk
    return value if isinstance(value, (str, int, bool, list, type(None))) else str(value)


def changes(item: Any) -> dict[str, tuple[Any, Any]]:
    """name → (before, after) for everything the row would change; "pools" and "place" among the names."""
    old = item.existing
    changed: dict[str, tuple[Any, Any]] = {}
    assert old is not None  # a row without a stored resource has no changes but is one
    for name, value in item.values.items():
        is_party = name in ("manager", "user")
        before = getattr(old, f"{name}_id") if is_party else getattr(old, name)
        after = (value.pk if value else None) if is_party else value
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


def pool_words(pools: Sequence[PoolData]) -> list[str]:
    """Pools as an event keeps them: one line each in a stable order, "position P1 35 m: 3, in use 0, ¥12000/year"."""
    lines = []
    for pool in pools:
        size = f"{_plain(pool.height_m)} m" if pool.height_m is not None else ""
        size += f" to {_plain(pool.height_top_m)} m" if pool.height_top_m is not None else ""
        size += f"{_plain(pool.bore_mm)} mm" if pool.bore_mm is not None else ""
        fen = pool.price_fen_per_unit_year
        price = "" if fen is None else f", ¥{_plain(Decimal(fen) / 100)}/year"
        name = " ".join(filter(None, [pool.unit, pool.label, size]))
        lines.append(f"{name}: {_plain(pool.total)}, in use {_plain(pool.in_use)}{price}")
    return sorted(lines)
