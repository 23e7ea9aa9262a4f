"""What sharing costs by each scheme of the field (domain, section 6): a yearly sum in fen with its working.

A Working says the formula, every input with its unit, how it was rounded and on what tax basis, so that a person can
work it through again. Words for the codes are the business of pages and documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from .fen import PRECISION, to_fen

ROUNDING = "half_up_once"  # code: rounded half up to the fen, once, at the end


@dataclass(frozen=True)
class Input:
    """One figure that went in: code of what it is, value, unit ("fen", "year", "%", "bore-km", "" for a number)."""

    code: str
    value: Decimal
    unit: str = ""


@dataclass(frozen=True)
class Working:
    """fen_per_year: the result, with tax or without as is_tax_included says. formula: in signs, for all languages."""

    scheme: str  # "free", "tariff", "cost_based"
    formula: str
    inputs: tuple[Input, ...]
    fen_per_year: int
    is_tax_included: bool = True
    rounding: str = ROUNDING


@dataclass(frozen=True)
class CostPart:
    """Something built: what it cost in fen and over how many years it is written off."""

    code: str
    cost_fen: int
    life_years: Decimal


@dataclass(frozen=True)
class CostBasis:
    """What a cost-based price is worked out from. Shares in percent. Sums in fen per year.

    The percentages are the practice of the tower company since 2018 as far as secondary sources tell: examples.
    """

    parts: Sequence[CostPart]
    maintenance_fen: int
    markup_pct: Decimal = Decimal(10)
    tenants: int = 1  # with the one that is priced
    is_anchor: bool = False
    site_fen: int = 0
    power_lead_in_fen: int = 0
    discount_pct_by_tenants: dict[int, Decimal] = field(
        default_factory=lambda: {2: Decimal(30), 3: Decimal(40)}
    )  # the highest count not above `tenants` holds
    anchor_discount_pct: Decimal = Decimal(5)


def free() -> Working:
    """Free opening (免费开放)."""
    return Working("free", "0", (), 0)


def tariff(price_fen: Decimal, quantity: Decimal, length_km: Decimal = Decimal(1)) -> Working:
    """A fixed rate per unit-year: p × q × L (L is 1 where length does not count). Raises ValueError below 0."""
    _not_negative(price_fen=price_fen, quantity=quantity, length_km=length_km)
    with localcontext(prec=PRECISION):
        fen = to_fen(price_fen * quantity * length_km)
    inputs = (Input("price", price_fen, "fen"), Input("quantity", quantity), Input("length", length_km, "km"))
    return Working("tariff", "p × q × L", inputs, fen)


def cost_based(basis: CostBasis) -> Working:
    """(Σ(C ÷ n) + m) × (1 + u) × (1 − d) + s + e, a year.

    C cost and n life of each part, m maintenance, u mark-up, d sharing discount (with the anchor's further points
    added), s site, e power lead-in. Raises ValueError for a negative sum, a life of 0, fewer than one tenant, or
    discounts of over 100 %.
    """
    discount = sharing_discount_pct(basis)
    sums = {f"cost.{part.code}": Decimal(part.cost_fen) for part in basis.parts}
    sums |= {"maintenance": Decimal(basis.maintenance_fen), "mark-up": basis.markup_pct}
    sums |= {"what the discounts leave": 100 - discount}
    _not_negative(**sums, site=Decimal(basis.site_fen), **{"power lead-in": Decimal(basis.power_lead_in_fen)})
    if any(part.life_years <= 0 for part in basis.parts):
        raise ValueError("a part's life is more than 0 years")
    with localcontext(prec=PRECISION):
        written_off = sum((part.cost_fen / part.life_years for part in basis.parts), Decimal(0))
        base = (written_off + basis.maintenance_fen) * (100 + basis.markup_pct) * (100 - discount) / 10_000
        fen = to_fen(base + basis.site_fen + basis.power_lead_in_fen)
    inputs = [Input(f"cost.{part.code}", Decimal(part.cost_fen), "fen") for part in basis.parts]
    inputs += [Input(f"life.{part.code}", part.life_years, "year") for part in basis.parts]
    inputs += [
        Input("maintenance", Decimal(basis.maintenance_fen), "fen"),
        Input("markup", basis.markup_pct, "%"),
        Input("tenants", Decimal(basis.tenants)),
        Input("discount", discount, "%"),
        Input("site", Decimal(basis.site_fen), "fen"),
        Input("power_lead_in", Decimal(basis.power_lead_in_fen), "fen"),
    ]
    return Working("cost_based", "(Σ(C ÷ n) + m) × (1 + u) × (1 − d) + s + e", tuple(inputs), fen)


def sharing_discount_pct(basis: CostBasis) -> Decimal:
    """The discount for the number of tenants, and the anchor's further points where there are two at least."""
    if basis.tenants < 1:
        raise ValueError("there is one tenant at least: the one that is priced")
    reached = [count for count in basis.discount_pct_by_tenants if count <= basis.tenants]
    discount = basis.discount_pct_by_tenants[max(reached)] if reached else Decimal(0)
    return discount + basis.anchor_discount_pct if basis.is_anchor and reached else discount


def with_tax(net_fen: int, rate_pct: Decimal) -> tuple[int, int]:
    """(gross, tax) in fen for a net sum: tax = net × rate, rounded half up; gross = net + tax exactly."""
    _not_negative(net=Decimal(net_fen), rate=rate_pct)
    tax = to_fen(Decimal(net_fen) * rate_pct / 100)
    return net_fen + tax, tax


def without_tax(gross_fen: int, rate_pct: Decimal) -> tuple[int, int]:
    """(net, tax) in fen contained in a gross sum: net = gross ÷ (1 + rate), rounded half up; tax is the rest."""
    _not_negative(gross=Decimal(gross_fen), rate=rate_pct)
    with localcontext(prec=PRECISION):
        net = to_fen(Decimal(gross_fen) * 100 / (100 + rate_pct))
    return net, gross_fen - net


def over_period(fen_per_year: int, months: int) -> int:
    """The sum over a period, pro rata to the month: year × months ÷ 12, rounded half up."""
    return to_fen(Decimal(fen_per_year) * months / 12)


def indexed(fen_per_year: int, index_before: Decimal, index_now: Decimal, cap_pct: Decimal | None = None) -> int:
    """The price after indexation: p × I₁ ÷ I₀, changed by at most cap_pct either way. Raises ValueError for an index
    of 0 or less."""
    if index_before <= 0 or index_now <= 0:
        raise ValueError("an index is above 0")
    with localcontext(prec=PRECISION):
        factor = index_now / index_before
        if cap_pct is not None:
            cap = cap_pct / 100
            factor = min(max(factor, 1 - cap), 1 + cap)
        return to_fen(Decimal(fen_per_year) * factor)


def _not_negative(**figures: Decimal) -> None:
    wrong = [name for name, value in figures.items() if not value.is_finite() or value < 0]
    if wrong:
        raise ValueError(f"must be 0 or more: {', '.join(wrong)}")
