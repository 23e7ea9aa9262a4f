"""A cell that names a price: its currency, its period and what it is asked for. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_noop as _

from listings.imports.headers import BRACKETS, fold
from listings.kinds.spec import ColumnSpec

# (times a year, its name in English: worded in the reader's language when shown): words for it. 365 days: no leap day.
PERIODS: Mapping[tuple[int, str], tuple[str, ...]] = {
    (1, _("year")): ("年", "年度", "year", "years", "yr", "a", "pa", "annum", "annual", "annually", "yearly"),
    (2, _("half-year")): ("半年", "halfyear"),
    (4, _("quarter")): ("季", "季度", "quarter", "qtr", "quarterly"),
    (12, _("month")): ("月", "个月", "month", "months", "mo", "mth", "monthly", "pm"),
    (365, _("day")): ("日", "天", "day", "days", "daily"),
}
_PERIOD = {word: period for period, words in PERIODS.items() for word in words}
YUAN = {"元": 1, "圆": 1, "块": 1, "yuan": 1, "rmb": 1, "cny": 1, "¥": 1, "人民币": 1, "万元": 10_000, "万": 10_000,
        "千元": 1_000}  # fmt: skip
# What a unit of the column is also called: nothing else may stand behind the stroke.
BASES = {
    "天线位": ("天线位", "位", "个", "副", "挂点", "抱杆", "挂位", "天线", "position", "positions", "antenna", "mount"),
    "孔公里": ("孔公里", "管孔公里", "borekm"),
    "芯公里": ("芯公里", "纤芯公里", "corekm", "fibrekm", "fiberkm"),
    "U": ("u", "机位u"),
    "kW": ("kw", "千瓦"),
}
IGNORED = ("含税", "不含税", "税前", "税后", "整", "正", "per", "and", "each")
NEGOTIABLE = frozenset(
    fold(word)
    for word in ("面议", "面谈", "协商", "可协商", "双方协商", "协商确定", "另议", "待议", "议价", "可议", "价格面议",
                 "待协商", "另行协商",
                 "negotiable", "to be negotiated", "by agreement", "on request", "price on request", "poa", "tbn")
)  # fmt: skip
NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[-+]?\d{1,2})?", re.I)
WORD = re.compile(r"万元|千元|人民币|[¥元圆块万]|[^\s/·.,;、*×()\[\]:=每¥元圆块万]+")
# "月租金", "年费", "包月", "按季收费", "monthly rent": a header's own word for the period.
HEADER_PERIOD = re.compile(
    r"(半年|年|季度?|月|日|天)度?(?:均)?(?:租|费|单价|价|使用费|服务费|收费)|[按包每/](半年|年|季度?|个?月|日|天)"
    r"|\b(annual(?:ly)?|yearly|quarterly|monthly|daily)\b|(?:/|\bper\s+|\ba\s+)(year|quarter|month|day|yr|mo)\b"
)


@dataclass(frozen=True)
class Said:
    """What stands beside a number. period: (times a year, English name), None: unsaid. unread: the word not known."""

    factor: int = 1
    period: tuple[int, str] | None = None
    unread: str = ""


def is_price(spec: ColumnSpec) -> bool:
    """Whether the column holds yuan a year."""
    return spec.unit.startswith("元/") and spec.unit.endswith("年")


def is_negotiable(text: str) -> bool:
    return fold(text) in NEGOTIABLE


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("￥", "¥")


def said(text: str, spec: ColumnSpec) -> Said:
    """The words beside a number, read one by one: "元/天线位·月" → a month's price for a position."""
    factor, period, unread = 1, None, ""
    rest = _folded(text).replace("p.a", "pa").replace("p.m", "pm")
    rest = re.sub(r"(bore|core|fibre|fiber)-?\s*km", r"\1km", rest).replace("half-year", "halfyear")
    inner = next((part for part in spec.unit.split("/")[1].split("·") if part != "年"), "")
    bases = {fold(inner), *BASES.get(inner, ())} - {""}
    for word in WORD.findall(rest):
        if word in YUAN:
            factor = max(factor, YUAN[word])
        elif (found := _PERIOD.get(word)) and period in (None, found):
            period = found
        elif word not in bases and word not in IGNORED:
            unread = unread or word
    return Said(factor, period, unread)


def of_header(column: str, spec: ColumnSpec) -> Said:
    """What a column's header says of its prices: "月租金", "租金(元/月)": a month's. Ours say nothing new."""
    if not column or fold(column) in {fold(name) for name in spec.names}:
        return Said()
    text = _folded(column)
    inside = " ".join(
        part for part in BRACKETS.findall(text) if any(word in part for word in ("元", "yuan", "/", "每"))
    )
    if tail := re.search(r"[/ ]([万千]元)(?:/(\w+))?$", text):  # "年租金/万元"
        inside = f"{inside} {' '.join(filter(None, tail.groups()))}"
    found = said(inside, spec) if inside else Said()
    if found.period is None and (match := HEADER_PERIOD.search(text)):
        word = next(group for group in match.groups() if group)
        found = Said(found.factor, _PERIOD[word], found.unread)
    return found


def read(text: str, spec: ColumnSpec, header: Said) -> tuple[Decimal | None, Said, str]:
    """(yuan a year, what was said of it, code of what is wrong). text: a folded cell, digits Arabic.

    The cell's own words come before the header's; what neither says is yuan a year.
    """
    numbers = list(NUMBER.finditer(text))
    if len(numbers) != 1:
        return None, Said(), "number_unreadable"
    before, after = text[: numbers[0].start()], text[numbers[0].end() :]
    if before.rstrip().endswith(("-", "+", "−")):
        before, sign = before.rstrip()[:-1], -1 if not before.rstrip().endswith("+") else 1
    else:
        sign = 1
    here = said(f"{before} {after}", spec)
    whole = Said(
        factor=here.factor if any(word in text.casefold() for word in YUAN) else header.factor,
        period=here.period or header.period,
        unread=here.unread or header.unread,
    )
    if whole.unread:
        return None, whole, "price_basis_unknown"
    times = whole.period[0] if whole.period else 1
    return sign * Decimal(numbers[0].group().replace(",", "")) * whole.factor * times, whole, ""
