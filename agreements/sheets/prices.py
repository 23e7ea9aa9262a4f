"""The price of an offer by each scheme, with its working, and what every other scheme would give. No queries but rules.

Inputs are what people type, as text: yuan, years, percent, numbers. A working is JSON, frozen with the version: the
formula, every figure with its unit, rounding, tax and indexation, so that anybody can work it through again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Region
from accounts.rules import rule
from agreements.clauses import UNIT_NAMES, Text
from listings.models import CapacityPool, Resource
from listings.money import apportion, schemes
from listings.money.fen import to_fen
from listings.pricing import PER_KM, billed_km, yearly_fen

from .models import Scheme

TAX_MAX_PCT, YUAN_MAX = Decimal(50), Decimal(10) ** 11
METHODS = ("pro_rata", "stand_alone", "shapley")
INDEXES = ("none", "cpi")

# Words of documents, frozen with them: both languages side by side (as agreements/clauses.py).
SCHEME_WORDS = {
    "agreed": Text("协议价", "Agreed sum"),
    "free": Text("免费开放", "Free opening"),
    "tariff": Text("按单位年费率", "Rate per unit and year"),
    "cost": Text("成本定价", "Cost-based"),
    "joint": Text("共同建设分摊", "Joint build, cost apportioned"),
    "swap": Text("纤芯置换", "Core swap"),
    "published": Text("按公布价", "At the published price"),
}
FORMULA_WORDS = {
    "tariff": "Σ p × q × L",
    "cost": "(C ÷ n + m) × (1 + u) × (1 − d) + s + e",
    "joint": "S ÷ n",
    "swap": "Σ q × L",
}
INPUT_WORDS = {
    "build": Text("建设成本 C", "Cost of building C"),
    "life": Text("折旧年限 n", "Years written off n"),
    "maintenance": Text("年维护费 m", "Maintenance a year m"),
    "markup": Text("加成率 u", "Mark-up u"),
    "tenants": Text("共享家数", "Tenants"),
    "discount": Text("共享折扣 d", "Sharing discount d"),
    "site": Text("场地费 s", "Site s"),
    "power": Text("电力引入费 e", "Power lead-in e"),
    "common": Text("共用部分造价", "Common part"),
    "owner_part": Text("产权单位专用部分造价", "Owner's own part"),
    "applicant_part": Text("申请单位专用部分造价", "Applicant's own part"),
    "owner_units": Text("产权单位占用数量", "Units of the owner"),
    "applicant_units": Text("申请单位占用数量", "Units of the applicant"),
    "share": Text("申请单位分摊额 S", "Applicant's share S"),
    "owner_share": Text("产权单位分摊额", "Owner's share"),
    "core_km": Text("置换芯公里", "Core-kilometres swapped"),
}
METHOD_WORDS = {
    "pro_rata": Text("按占用数量", "pro rata to units taken"),
    "stand_alone": Text("按独立建设成本比例", "in proportion to stand-alone cost"),
    "shapley": Text("沙普利值（共用部分均分）", "Shapley value (common part shared equally)"),
}
INDEX_WORDS = {
    "none": Text("期内价格不变", "the price stays as it is over the period"),
    "cpi": Text(
        "每满一年按国家统计局公布的居民消费价格指数调整 P × I₁ ÷ I₀，调幅不超过 ±{cap}%",
        "adjusted after each full year by the consumer price index of the National Bureau of Statistics, P × I₁ ÷ I₀, "
        "by at most ±{cap} %",
    ),
}
ROUNDING_WORDS = Text("最后一次四舍五入到分", "rounded half up to the fen, once, at the end")


@dataclass(frozen=True)
class Basis:
    """What a price is worked out for: the resource, its pools with the quantities offered, and the period in months."""

    resource: Resource
    pools: Sequence[CapacityPool]
    quantities: Mapping[int, Decimal]
    months: int

    @property
    def region(self) -> Region:
        return self.resource.region

    @property
    def taken(self) -> list[tuple[CapacityPool, Decimal]]:
        return [(pool, self.quantities[pool.pk]) for pool in self.pools if self.quantities.get(pool.pk)]

    @property
    def core_km(self) -> Decimal:
        """Cores × kilometres, to 0.01."""
        sums = [q * billed_km(pool.unit, self.resource.length_m) for pool, q in self.taken if pool.unit == "core"]
        return sum(sums, Decimal(0)).quantize(Decimal("0.01"))


def figure(inputs: Mapping[str, str], name: str, default: str = "0") -> Decimal:
    """An input as a number. Raises Refused for what is none, negative or beyond all measure."""
    text = str(inputs.get(name) or default).replace(",", "").strip()
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0 or value > YUAN_MAX:
        word = INPUT_WORDS[name].zh if name in INPUT_WORDS else name
        raise Refused(_("%(field)s: a number of 0 or more is needed.") % {"field": word}, code="figure")
    return value


def work_out(scheme: str, inputs: Mapping[str, str], basis: Basis, *, agreed_fen: int = 0) -> dict[str, Any]:
    """The working of a scheme for the basis: {"scheme", "formula", "inputs", "fen_per_year", "tax", "index",
    "side_by_side"}. agreed_fen: the sum of scheme "agreed". Raises Refused for inputs that make no price."""
    net, rows, note = _net(scheme, inputs, basis, agreed_fen)
    tax_pct = figure(inputs, "tax_pct", str(default_figures(basis.region)["tax_pct"]))
    if tax_pct > TAX_MAX_PCT:
        raise Refused(_("The tax rate is at most %(max)s %%.") % {"max": TAX_MAX_PCT}, code="tax")
    is_net = inputs.get("is_net") == "1"
    if is_net:
        gross, tax = schemes.with_tax(net, tax_pct)
    else:
        without, tax = schemes.without_tax(net, tax_pct)
        gross, net = net, without
    return {
        "scheme": scheme, "formula": FORMULA_WORDS.get(scheme, ""), "inputs": rows, "note": note,
        "fen_per_year": gross, "tax": {"pct": plain(tax_pct), "net_fen": net, "tax_fen": tax, "is_added": is_net},
        "index": _index(inputs), "side_by_side": side_by_side(inputs, basis, agreed_fen),
    }  # fmt: skip


def side_by_side(inputs: Mapping[str, str], basis: Basis, agreed_fen: int = 0) -> list[dict[str, Any]]:
    """What each scheme would give for the same quantities with the inputs there are: {"scheme", "fen_per_year"}; None
    where the inputs do not say. Before tax is added."""
    rows: list[dict[str, Any]] = []
    published = [yearly_fen(p.unit, q, p.price_fen_per_unit_year, basis.resource.length_m) for p, q in basis.taken]
    known = None if any(fen is None for fen in published) else sum(fen or 0 for fen in published)
    for scheme in ("published", *Scheme.values):
        fen: int | None
        if scheme == "published":
            fen = known
        elif scheme == "agreed":
            fen = agreed_fen or None
        elif not is_filled(scheme, inputs, basis):
            fen = None
        else:
            try:
                fen = _net(scheme, inputs, basis, agreed_fen)[0]
            except Refused:
                fen = None
        rows.append({"scheme": scheme, "fen_per_year": fen})
    return rows


def is_filled(scheme: str, inputs: Mapping[str, str], basis: Basis) -> bool:
    """Whether the inputs say enough for the scheme to be compared."""
    if scheme == "tariff":
        return any(inputs.get(f"rate_{pool.pk}") for pool, _quantity in basis.taken)
    if scheme == "swap":
        return basis.core_km > 0
    return bool({"cost": inputs.get("build"), "joint": inputs.get("common")}.get(scheme, True))


def default_figures(region: Region) -> dict[str, Decimal]:
    """What the forms start from, as the region's rules say (accounts/rules.py, with source)."""
    return {
        name: rule(f"money.{name}", region).value
        for name in ("tax_pct", "markup_pct", "discount_two_pct", "discount_three_pct", "anchor_pct", "index_cap_pct")
    }


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _row(name: str, value: Decimal, unit: str, words: Text | None = None) -> dict[str, Any]:
    return {"code": name, "name": (words or INPUT_WORDS[name]).as_json(), "value": plain(value), "unit": unit}


def _net(
    scheme: str, inputs: Mapping[str, str], basis: Basis, agreed_fen: int
) -> tuple[int, list[dict[str, Any]], dict[str, str] | None]:
    """(fen a year as the figures say, before tax is added; the inputs; a remark in both languages)."""
    if scheme == "tariff":
        return _tariff(inputs, basis)
    if scheme == "cost":
        return _cost(inputs, basis)
    if scheme == "joint":
        return _joint(inputs)
    if scheme == "swap":
        if basis.core_km <= 0:
            raise Refused(_("A core swap is for fibre cores of a known length."), code="swap")
        return 0, [_row("core_km", basis.core_km, "km")], None
    return (0 if scheme == "free" else agreed_fen), [], None


def _tariff(inputs: Mapping[str, str], basis: Basis) -> tuple[int, list[dict[str, Any]], None]:
    total, rows = 0, []
    for pool, quantity in basis.taken:
        rate = figure(inputs, f"rate_{pool.pk}")
        km = billed_km(pool.unit, basis.resource.length_m) if pool.unit in PER_KM else Decimal(1)
        worked = schemes.tariff(rate * 100, quantity, km)
        total += worked.fen_per_year
        name, label = UNIT_NAMES[pool.unit], f" {pool.label}" if pool.label else ""
        words = Text(f"{name.zh}{label}：费率 p", f"{name.en}{label}: rate p")
        rows.append(_row("rate", rate, "yuan", words))
        rows.append(_row("quantity", quantity, "", Text(f"{name.zh}{label}：数量 q", f"{name.en}{label}: quantity q")))
        if pool.unit in PER_KM:
            rows.append(_row("length", km, "km", Text("长度 L", "Length L")))
    return total, rows, None


def _cost(inputs: Mapping[str, str], basis: Basis) -> tuple[int, list[dict[str, Any]], dict[str, str] | None]:
    defaults = default_figures(basis.region)
    fen = {name: to_fen(figure(inputs, name) * 100) for name in ("build", "maintenance", "site", "power")}
    life, tenants = figure(inputs, "life", "10"), figure(inputs, "tenants", "2")
    markup = figure(inputs, "markup", str(defaults["markup_pct"]))
    if tenants < 1 or tenants != tenants.to_integral_value() or tenants > 99:
        raise Refused(_("The number of tenants is a whole number from 1."), code="tenants")
    is_anchor = inputs.get("is_anchor") == "1"
    cost = schemes.CostBasis(
        parts=[schemes.CostPart("build", fen["build"], life)], maintenance_fen=fen["maintenance"], markup_pct=markup,
        tenants=int(tenants), is_anchor=is_anchor, site_fen=fen["site"], power_lead_in_fen=fen["power"],
        discount_pct_by_tenants={2: defaults["discount_two_pct"], 3: defaults["discount_three_pct"]},
        anchor_discount_pct=defaults["anchor_pct"],
    )  # fmt: skip
    try:
        worked = schemes.cost_based(cost)
    except ValueError as error:
        raise Refused(_("These costs make no price: the years written off are more than 0."), code="cost") from error
    rows = [_row("build", Decimal(fen["build"]) / 100, "yuan"), _row("life", life, "year")]
    rows += [_row("maintenance", Decimal(fen["maintenance"]) / 100, "yuan"), _row("markup", markup, "%")]
    rows += [_row("tenants", tenants, ""), _row("discount", schemes.sharing_discount_pct(cost), "%")]
    rows += [_row(name, Decimal(fen[name]) / 100, "yuan") for name in ("site", "power") if fen[name]]
    note = Text("申请单位为锚定租户", "The applicant is the anchor tenant").as_json() if is_anchor else None
    return worked.fen_per_year, rows, note


def _joint(inputs: Mapping[str, str]) -> tuple[int, list[dict[str, Any]], dict[str, str]]:
    fen = {name: to_fen(figure(inputs, name) * 100) for name in ("common", "owner_part", "applicant_part")}
    units = [figure(inputs, "owner_units", "1"), figure(inputs, "applicant_units", "1")]
    life, method = figure(inputs, "joint_life", "10"), inputs.get("method") or "shapley"
    if life <= 0 or method not in METHODS or sum(units) <= 0 or not fen["common"]:
        raise Refused(
            _("A joint build needs the cost of the common part, units of somebody, and more than 0 years."),
            code="joint",
        )
    parts = [
        apportion.Part(fen["common"], frozenset({0, 1})),
        apportion.Part(fen["owner_part"], frozenset({0})),
        apportion.Part(fen["applicant_part"], frozenset({1})),
    ]
    owner, applicant = apportion.compare(2, parts, units)[method]
    rows = [_row(name, Decimal(fen[name]) / 100, "yuan") for name in ("common", "owner_part", "applicant_part")]
    rows += [_row("owner_units", units[0], ""), _row("applicant_units", units[1], "")]
    rows += [_row("owner_share", Decimal(owner) / 100, "yuan"), _row("share", Decimal(applicant) / 100, "yuan")]
    rows.append(_row("life", life, "year"))
    words = METHOD_WORDS[method]
    note = Text(f"分摊方法：{words.zh}", f"Apportioned {words.en}").as_json()
    return to_fen(Decimal(applicant) / life), rows, note


def _index(inputs: Mapping[str, str]) -> dict[str, str]:
    sort = inputs.get("index") or "none"
    if sort not in INDEXES:
        raise Refused(_("Choose one of the indexations named."), code="index")
    cap = figure(inputs, "index_cap_pct", "5")
    words = INDEX_WORDS[sort]
    return {"sort": sort, "zh": words.zh.format(cap=plain(cap)), "en": words.en.format(cap=plain(cap))}
