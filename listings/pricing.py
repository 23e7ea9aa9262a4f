"""What units of a pool cost in a year. Pure. Ducts and cables are priced per unit and kilometre (domain, section 6)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from listings.models.capacity import Unit
from listings.wording import money_text, plain_number, quantity_text, yearly_text

PER_KM = (Unit.BORE, Unit.CORE)


def billed_km(unit: str, length_m: float | None) -> Decimal:
    """The kilometres a price is multiplied with, to 10 m: the line's length for bores and cores, else 1."""
    if unit not in PER_KM:
        return Decimal(1)
    return (Decimal(str(length_m or 0)) / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)


def yearly_fen(unit: str, quantity: Decimal, price_fen: int | None, length_m: float | None) -> int | None:
    """Price of `quantity` units for a year in fen: quantity × km × price; None: to be negotiated."""
    if price_fen is None:
        return None
    exact = Decimal(quantity) * billed_km(unit, length_m) * price_fen
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@dataclass(frozen=True)
class Example:
    """A price worked through: "2 bores × 1.24 km × ¥300 = ¥744 a year"."""

    formula: str
    result: str

    def __str__(self) -> str:
        return f"{self.formula} = {self.result}" if self.formula else self.result


def unit_price_text(unit: str, price_fen: int) -> str:
    """30000, "bore" → "¥300 per bore-km and year"."""
    words = {
        Unit.POSITION: _("%(price)s per position and year"),
        Unit.BORE: _("%(price)s per bore-km and year"),
        Unit.CORE: _("%(price)s per core-km and year"),
        Unit.RACK_U: _("%(price)s per U and year"),
        Unit.KW: _("%(price)s per kW and year"),
    }
    return words[Unit(unit)] % {"price": money_text(price_fen)}


def worked_example(unit: str, price_fen: int | None, length_m: float | None, *, quantity: Decimal) -> Example:
    """The yearly price of `quantity` units with its formula; free and to-be-negotiated have no formula."""
    total = yearly_fen(unit, quantity, price_fen, length_m)
    if not price_fen:
        return Example("", yearly_text(total))
    factors = [quantity_text(quantity, unit)]
    if unit in PER_KM:
        factors.append(f"{plain_number(billed_km(unit, length_m))} km")
    factors.append(unit_price_text(unit, price_fen))
    return Example(" × ".join(factors), yearly_text(total))
