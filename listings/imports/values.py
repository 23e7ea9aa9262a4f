"""One cell as a value of a column's type, or the finding that says why it is none. Pure."""

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from listings.imports import form_words, money
from listings.imports.findings import Finding, error, info, warning
from listings.imports.headers import fold
from listings.kinds.spec import MISSING_WORDS, ColumnSpec

TEXT_MAX_CHARS = 2_000
# Full width and half width are the same code.
CODES = ("owner_code", "applicant_code", "region", "label", "parent", "code", "carrier", "bore")
_MISSING = {fold_word: reason for reason, words in MISSING_WORDS.items() for fold_word in words}
NUMBER = re.compile(r"^([-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:e[-+]?\d+)?)\s*(.*)$", re.I)
SPLIT = re.compile(r"[/;；、,，|\s]+")
DATE_PARTS = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2}))?\s*[日月]?(?:[ T]\d{1,2}:\d{2}.*)?$")
DATE_COMPACT = re.compile(r"^(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])$")
DATE_FOREIGN = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T].*)?$")
CHINESE_SCALES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
CHINESE_DIGITS = dict(zip("零一二三四五六七八九", range(10), strict=True)) | {"〇": 0, "两": 2, "十": 10}
CHINESE = re.compile(r"(?:[零〇一二两三四五六七八九十百万]|千(?![克瓦伏米]))+(?:点[零〇一二三四五六七八九]+)?")
EXCEL_EPOCH = dt.date(1899, 12, 30)

# unit as written (folded) → {unit wanted: factor}. "" stands for a count.
_LENGTH_M = {"m": 1, "米": 1, "公尺": 1, "metre": 1, "metres": 1, "meter": 1, "meters": 1, "km": 1000, "公里": 1000,
             "千米": 1000, "cm": Decimal("0.01"),
             "厘米": Decimal("0.01"), "mm": Decimal("0.001"), "毫米": Decimal("0.001"),
             "ft": Decimal("0.3048"), "皮长公里": 1000, "沟公里": 1000}  # fmt: skip
_COUNTS = (
    "个",
    "根",
    "副",
    "架",
    "位",
    "座",
    "条",
    "孔",
    "芯",
    "u",
    "台",
    "组",
    "层",
    "cores",
    "core",
    "pcs",
    "户",
    "处",
    "端口",
)


def _scales() -> dict[str, dict[str, Decimal]]:
    table: dict[str, dict[str, Decimal]] = {}

    def add(word: str, unit: str, factor: Any) -> None:
        table.setdefault(word, {})[unit] = Decimal(str(factor))

    for word, metres in _LENGTH_M.items():
        for unit, size in (("m", 1), ("km", 1000), ("mm", Decimal("0.001"))):
            add(word, unit, Decimal(metres) / Decimal(size))
    for unit, sizes in {
        "kg": {"kg": 1, "公斤": 1, "千克": 1, "t": 1000, "吨": 1000, "克": "0.001"},
        "kVA": {"kva": 1, "千伏安": 1, "va": "0.001", "伏安": "0.001", "mva": 1000},
        "kW": {"kw": 1, "千瓦": 1, "w": "0.001", "瓦": "0.001", "mw": 1000},
        "kV": {"kv": 1, "千伏": 1, "v": "0.001"},
        "V": {"v": 1, "伏": 1, "kv": 1000, "千伏": 1000},
        "m²": {"m2": 1, "平方米": 1, "平米": 1, "sqm": 1, "㎡": 1},
        "%": {"%": 1, "％": 1},
        "h": {"h": 1, "小时": 1, "hours": 1, "min": Decimal(1) / 60, "分钟": Decimal(1) / 60},
        "dB/km": {"dbkm": 1, "db": 1},
        "kN/m²": {"knm2": 1, "kn": 1},
        "U": {"u": 1},
    }.items():
        for word, factor in sizes.items():
            add(word, unit, factor)
    for word in _COUNTS:
        add(word, "", 1)
    return table


SCALES = _scales()


def plain(cell: Any) -> str:
    """The cell as text: full width folded, outer space gone; a whole float without its ".0"."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        cell = int(cell)
    text = unicodedata.normalize("NFKC", str(cell)) if not isinstance(cell, (int, float)) else repr(cell)
    return text.strip().strip("\ufeff\u200b\u3000").strip()


def as_written(cell: Any) -> str:
    """The cell as text with its own characters: a name keeps its full-width brackets."""
    return str(cell).strip().strip("\ufeff\u200b\u3000").strip() if isinstance(cell, str) else plain(cell)


def missing_reason(cell: Any) -> str | None:
    """unknown, unpopulated or withheld for a cell that gives no value; None for one that does."""
    text = plain(cell)
    if not text:
        return "unpopulated"
    return _MISSING.get(text.casefold()) or ("unpopulated" if not text.strip("-—–_/\\.·") else None)


def _scale(word: str, unit: str) -> Decimal | None:
    """The factor from a unit as written to the one wanted; None where they do not go together."""
    return SCALES.get(fold(word), {}).get(unit)


def number(cell: Any, unit: str = "", header_hint: str = "") -> tuple[Decimal | None, str]:
    """(the number in the column's unit, "") or (None, code of what is wrong). "1.2km" for m → 1200."""
    if isinstance(cell, bool):
        return None, "number_unreadable"
    text = plain(cell)
    if text[:1] in CHINESE_DIGITS:
        text = _in_digits(text)
    match = NUMBER.match(text.replace("−", "-"))
    if not match or not match.group(1) or match.group(1) in "+-.":
        return None, "number_unreadable"
    try:
        value = Decimal(match.group(1).replace(",", ""))
    except InvalidOperation:
        return None, "number_unreadable"
    said = match.group(2).strip().rstrip("。.")
    if not said:
        factor = _scale(header_hint, unit) if header_hint else None
        return _scaled(value, factor) if factor is not None else value, ""
    factor = _scale(said, unit)
    return (
        (_scaled(value, factor), "")
        if factor is not None
        else (None, "unit_unknown" if fold(said) else "number_unreadable")
    )


def _in_digits(text: str) -> str:
    """A Chinese number at the start of a cell in digits, what follows as it is: "三十五米" → "35米"."""
    match = CHINESE.match(text)
    words = match.group(0) if match else ""
    if not words:
        return text
    whole, _point, rest = words.partition("点")
    if not any(sign in CHINESE_SCALES for sign in whole):
        if "两" in whole and len(whole) > 1:  # "两三个": two or three, never 23
            return text
        digits = "".join(str(CHINESE_DIGITS[sign]) for sign in whole)
    else:
        total, section, digit = 0, 0, 0
        for sign in whole:
            if sign in CHINESE_SCALES:
                scale = CHINESE_SCALES[sign]
                if scale == 10_000:
                    total, section = total + (section + digit) * scale, 0
                else:
                    section += (digit or 1) * scale
                digit = 0
            else:
                digit = CHINESE_DIGITS[sign]
        digits = str(total + section + digit)
    decimals = "".join(str(CHINESE_DIGITS.get(sign, "")) for sign in rest)
    return digits + (f".{decimals}" if decimals else "") + text[len(words) :]


def _scaled(value: Decimal, factor: Decimal) -> Decimal:
    return round(value * factor, 9).normalize() if factor != 1 else value


def date(cell: Any) -> tuple[dt.date | None, str]:
    """(the day, "") or (None, code). Chinese, ISO and Excel days; 07/13/2018 where only one reading is possible."""
    text = plain(cell)
    try:
        if match := DATE_PARTS.match(text):
            year, month, day = match.groups()
            return dt.date(int(year), int(month), int(day or 1)), ""
        if DATE_COMPACT.match(text):
            return dt.datetime.strptime(text, "%Y%m%d").date(), ""
        if match := DATE_FOREIGN.match(text):
            first, second, year = (int(part) for part in match.groups())
            if first <= 12 and second <= 12 and first != second:
                return None, "date_ambiguous"
            month, day = (first, second) if second > 12 else (second, first)
            return dt.date(year, month, day), ""
        if re.fullmatch(r"\d{5}(\.\d+)?", text) and 20_000 < float(text) < 80_000:
            return EXCEL_EPOCH + dt.timedelta(days=int(float(text))), ""
    except ValueError:
        return None, "date_unreadable"
    return None, "date_unreadable"


DENIALS_ZH = ("未", "不", "非", "无", "停", "拟", "待")
DENIALS_EN = frozenset(("not", "no", "non", "never", "former", "ex", "without"))
_WORDS: dict[int, tuple[ColumnSpec, dict[str, str]]] = {}  # by id(spec); the spec is kept, so that its id stays its own


def _words_of(spec: ColumnSpec) -> dict[str, str]:
    """Folded word → stored value; made once per column."""
    if id(spec) not in _WORDS:
        words = {fold(word): value for value, names in spec.choices.items() for word in (*names, value)}
        words = {fold(word): value for word, value in form_words.accepted(spec)} | words
        _WORDS[id(spec)] = (spec, words)
    return _WORDS[id(spec)][1]


def _guess(text: str, words: Mapping[str, str]) -> str | None:
    """The value whose longest word stands in the text as a word of its own; None for several, or in a denial.

    Never the other way round: COMMISSIONED stands in "decommissioned" and means the opposite.
    """
    plain_text = unicodedata.normalize("NFKC", text).casefold()
    tokens = {fold(token) for token in re.split(r"[^a-z0-9.]+", plain_text) if token}
    folded = fold(text)
    found = [word for word in words if len(word) >= 2 and (word in tokens if word.isascii() else word in folded)]
    if not found:
        return None
    longest = max(len(word) for word in found)
    best = {words[word] for word in found if len(word) == longest}
    rest = folded.replace(max(found, key=len), "")
    is_denied = any(sign in rest for sign in DENIALS_ZH) or bool(tokens & DENIALS_EN)
    return best.pop() if len(best) == 1 and not is_denied else None


def choice(cell: Any, spec: ColumnSpec, chosen: Mapping[str, str]) -> tuple[str | None, str, str]:
    """(stored value, how, nearest word). how: "" exact, "guessed" by a part, "unknown". chosen: what a person said."""
    text = plain(cell)
    if text in chosen:
        return chosen[text] or None, "", ""
    folded = fold(text)
    words = _words_of(spec)
    if folded in words:
        return words[folded], "", ""
    guessed = _guess(text, words)
    if guessed is not None:
        return guessed, "guessed", ""
    near = difflib.get_close_matches(folded, words, n=1, cutoff=0.5)
    if not near:
        return None, "unknown", ""
    value = words[near[0]]
    return None, "unknown", next((name for name in spec.choices[value] if fold(name) == near[0]), value)


def parse(
    cell: Any, spec: ColumnSpec, *, header_hint: str = "", chosen: Mapping[str, str] | None = None, header: str = ""
) -> tuple[Any, list[Finding]]:
    """(value or None, findings). Cells without a value give (None, []): ask missing_reason() before.

    Values are plain JSON: numbers and days as text, lists of them. header: the whole of it, for the period of a price.
    """
    shown = str(cell)[:60]
    if money.is_price(spec):
        return _price(cell, spec, header, shown)
    if spec.type in ("decimal", "integer"):
        value, wrong = number(cell, spec.unit, header_hint)
        if wrong:
            return None, [error(spec.field, wrong, value=shown, unit=spec.unit or "—")]
        if spec.type == "integer" and value != value.to_integral_value():  # type: ignore[union-attr]
            return None, [error(spec.field, "not_whole", value=shown)]
        return str(value), []
    if spec.type == "numbers":
        return _numbers(cell, spec, header_hint, shown)
    if spec.type == "date":
        day, wrong = date(cell)
        return (day.isoformat(), []) if day else (None, [error(spec.field, wrong, value=shown)])
    if spec.type in ("choice", "boolean"):
        return _choice(cell, spec, chosen or {}, shown)
    if spec.type == "choices":
        found, findings = [], []
        for part in filter(None, re.split(r"[/;；、,，|]+", plain(cell))):
            value, more = _choice(part, spec, chosen or {}, part)
            findings += more
            if value is not None and value not in found:
                found.append(value)
        return found, findings
    text = plain(cell) if spec.field in CODES else as_written(cell)
    if len(text) > TEXT_MAX_CHARS:
        return None, [error(spec.field, "text_too_long", max=TEXT_MAX_CHARS, found=len(text))]
    return text, []


def price(cell: Any, spec: ColumnSpec, header: str = "") -> tuple[Decimal | None, money.Said, str]:
    """(yuan a year, what was said of it, code of what is wrong). "1,200元/月" → 14400."""
    if isinstance(cell, bool):
        return None, money.Said(), "number_unreadable"
    text = plain(cell)
    start = next((i for i, sign in enumerate(text) if sign in CHINESE_DIGITS or sign.isdigit()), len(text))
    if text[start : start + 1] in CHINESE_DIGITS:
        text = text[:start] + _in_digits(text[start:])
    return money.read(text, spec, money.of_header(header, spec))


def _price(cell: Any, spec: ColumnSpec, header: str, shown: str) -> tuple[str | None, list[Finding]]:
    if money.is_negotiable(plain(cell)):
        return None, [info(spec.field, "price_negotiable", value=shown)]
    value, said, wrong = price(cell, spec, header)
    if wrong == "price_basis_unknown":
        return None, [error(spec.field, "price_basis_unknown", value=shown, word=said.unread, unit=spec.unit)]
    if value is None:
        return None, [error(spec.field, wrong, value=shown, unit=spec.unit)]
    times, name = said.period or (1, "year")
    result = f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
    if times == 1:
        return result, []
    return result, [
        info(spec.field, "price_per_period", value=shown, period_word=name, times=times, result=result, unit=spec.unit)
    ]


def _numbers(cell: Any, spec: ColumnSpec, header_hint: str, shown: str) -> tuple[list[str] | None, list[Finding]]:
    found = []
    joined = re.sub(r"(?<=\d)\s+(?=[^\W\d_]|[㎡%])", "", plain(cell))  # "2 个" is one number with its unit
    for part in filter(None, SPLIT.split(joined)):
        value, wrong = number(part, spec.unit, header_hint)
        if wrong:
            return None, [error(spec.field, wrong, value=shown, unit=spec.unit or "—")]
        found.append(str(value))
    return found or None, []


def _choice(cell: Any, spec: ColumnSpec, chosen: Mapping[str, str], shown: str) -> tuple[Any, list[Finding]]:
    value, how, near = choice(cell, spec, chosen)
    if how == "unknown":
        known = [form_words.english(spec, value) for value in list(spec.choices)[:12]]
        code = "choice_unknown_near" if near else "choice_unknown"
        return None, [error(spec.field, code, value=shown, near=near, known_words=known)]
    findings = (
        [warning(spec.field, "choice_guessed", value=shown, meant_word=form_words.english(spec, str(value)))]
        if how == "guessed"
        else []
    )
    if spec.type == "boolean" and value is not None:
        return value == "true", findings
    return value, findings
