"""What the quantities of a request cost a year at the owner's published prices. No queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from listings.models import CapacityPool, Resource
from listings.pricing import PER_KM, Example, billed_km, worked_example, yearly_fen


@dataclass(frozen=True)
class PriceLine:
    """One pool's share. km: None where the unit is not priced by length; fen: None where it is to be negotiated."""

    pool: CapacityPool
    quantity: Decimal
    km: Decimal | None
    fen: int | None
    example: Example | None  # the formula in the reader's language; None with fen None


@dataclass(frozen=True)
class WorkedPrice:
    lines: list[PriceLine]
    fen_per_year: int | None  # None: at least one part is to be negotiated

    @property
    def is_free(self) -> bool:
        return self.fen_per_year == 0


def worked_price(resource: Resource, quantities: Mapping[int, Decimal], pools: list[CapacityPool]) -> WorkedPrice:
    """Σ of listings.pricing over the pools; quantities of 0 are left out."""
    lines = []
    for pool in pools:
        quantity = quantities.get(pool.pk) or Decimal(0)
        if quantity > 0:
            lines.append(_line(resource, pool, quantity))
    sums = [line.fen for line in lines]
    total = None if any(fen is None for fen in sums) else sum(fen for fen in sums if fen is not None)
    return WorkedPrice(lines, total)


def _line(resource: Resource, pool: CapacityPool, quantity: Decimal) -> PriceLine:
    price, length_m = pool.price_fen_per_unit_year, resource.length_m
    km = billed_km(pool.unit, length_m) if pool.unit in PER_KM else None
    if price is None or (km == 0 and price):  # a length nobody knows prices nothing
        return PriceLine(pool, quantity, km, None, None)
    example = worked_example(pool.unit, price, length_m, quantity=quantity)
    return PriceLine(pool, quantity, km, yearly_fen(pool.unit, quantity, price, length_m), example)
