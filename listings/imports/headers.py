"""Which row names the columns, and what a name means once its decoration is taken off. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from listings.kinds.spec import ColumnSpec

BRACKETS = re.compile(r"[(\[【〔{<《](.*?)[)\]】〕}>》]")
PUNCTUATION = re.compile(r"[\s_\-—–·.,:;/\\|*#'\"“”‘’、。?!*]+")
NUMBER = re.compile(r"^[-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?%?$", re.I)
UNIT_TAIL = re.compile(
    r"(?:/|\s)?(平方米|米|公里|千米|毫米|厘米|公斤|千克|千瓦|千伏安|小时|m2|km|mm|cm|kva|kv|kw|kg|m|%|元)$", re.I
)
TITLE = re.compile(
    r"[:：]|\d{4}年|单位$|日期$|制表|填报"
)  # "填报单位：…": a line about the table, not a group of columns
GROUP_MAX_CHARS = 16
Words = frozenset[str]
REPORT_COLUMNS = ("问题", "Problems", "行号", "Row")  # what our own report of bad rows adds


def fold(text: Any) -> str:
    """One spelling for all ways to write the same: full width, case, spaces and marks taken out."""
    return PUNCTUATION.sub("", unicodedata.normalize("NFKC", str(text or "")).casefold())


def base(text: Any) -> str:
    """fold() without what stands in brackets or behind as a unit: "可挂载高度/m" → "可挂载高度"."""
    plain = BRACKETS.sub("", unicodedata.normalize("NFKC", str(text or ""))).strip()
    shorter = UNIT_TAIL.sub("", plain.rstrip("* "))
    return fold(shorter if shorter else plain)


def hint(text: Any) -> str:
    """What the brackets or the tail of a header say: a unit, a coordinate system; "" where nothing."""
    plain = unicodedata.normalize("NFKC", str(text or "")).strip()
    inside = " ".join(BRACKETS.findall(plain))
    tail = UNIT_TAIL.search(BRACKETS.sub("", plain).strip())
    return " ".join(filter(None, [inside, tail.group(1) if tail else ""])).strip()


def words_of(specs: Iterable[ColumnSpec]) -> Words:
    """All folded names of these columns."""
    return frozenset(fold(name) for spec in specs for name in spec.names) | frozenset(("序号", "备注", "no", "remarks"))


def unique(names: Sequence[Any]) -> list[str]:
    """Header cells as different names: blanks stay blank, the second 名称 becomes "名称 (2)"."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        text = " ".join(str(name or "").split())[:120]
        if text:
            seen[text] = seen.get(text, 0) + 1
            if seen[text] > 1:
                text = f"{text} ({seen[text]})"
        result.append(text)
    return result


@dataclass(frozen=True)
class Header:
    columns: list[str]
    numbers: list[int]  # the rows it stands in, as a person counts
    rows_used: int  # of those given to find()
    title: str  # what stands above


def _text_cells(cells: Sequence[Any]) -> list[str]:
    return [str(cell).strip() for cell in cells if cell not in (None, "") and str(cell).strip()]


def _is_known(cell: str, words: Words) -> bool:
    return fold(cell) in words or base(cell) in words


def _known(cells: Sequence[Any], words: Words) -> int:
    return sum(_is_known(cell, words) for cell in set(_text_cells(cells)))


def _has_numbers(cells: Sequence[Any]) -> bool:
    return any(not isinstance(cell, str) or NUMBER.match(cell) for cell in cells if cell not in (None, ""))


def _row_score(cells: Sequence[Any], words: Words) -> float:
    """How much a row looks like a header: names we know first, then many different texts and no numbers."""
    texts = _text_cells(cells)
    if len(texts) < 2 and not (texts and _is_known(texts[0], words)):
        return 0
    distinct = len(set(texts)) / len(texts)
    score = 3 * _known(cells, words) + distinct * min(len(texts), 20) * 0.3
    return score - (3 if _has_numbers(cells) else 0) - sum(len(text) > 40 for text in texts)


def find(rows: Sequence[tuple[int, Sequence[Any]]], words: Words, merges: Sequence = ()) -> Header | None:
    """The header among the first rows; None where nothing can be one. merges: ((row, col), (row, col)) each."""
    scored = [(score, -i) for i, (_n, cells) in enumerate(rows[:25]) if (score := _row_score(cells, words)) > 0]
    if not scored:
        return None
    at = -max(scored)[1]
    columns = list(rows[at][1])
    used = at + 1
    numbers = [rows[at][0]]
    if at + 1 < len(rows) and _is_second_row(columns, rows[at + 1][1], rows[at][0], words, merges):
        columns = _joined(columns, rows[at + 1][1])
        used += 1
        numbers.append(rows[at + 1][0])
    elif at > 0 and _is_second_row(rows[at - 1][1], columns, rows[at - 1][0], words, merges):
        columns = _joined(rows[at - 1][1], columns)
        numbers.insert(0, rows[at - 1][0])
    top = min(numbers)
    title = " ".join(text for number, cells in rows if number < top for text in dict.fromkeys(_text_cells(cells)))
    return Header(columns, numbers, used, title)


def _is_second_row(upper: Sequence, lower: Sequence, upper_number: int, words: Words, merges: Sequence) -> bool:
    """Whether `lower` refines `upper`: groups above (repeated by a merge, or blank beside), names we know below."""
    if _has_numbers(lower) or _has_numbers(upper):
        return False
    above = _text_cells(upper)
    if len(_text_cells(lower)) < 2 or len(above) < 2:  # one cell above is a title
        return False
    if any(TITLE.search(text) or len(text) > GROUP_MAX_CHARS for text in above):
        return False
    repeats = sum(1 for i, cell in enumerate(upper) if i and str(cell or "").strip() and cell == upper[i - 1])
    blanks = sum(
        1
        for i, cell in enumerate(lower)
        if str(cell or "").strip() and not str(upper[i] if i < len(upper) else "").strip()
    )
    across = any(top + 1 == upper_number and right > left for (top, left), (_bottom, right) in merges)
    refined = [c for i, c in enumerate(lower) if str(c or "").strip() and (i >= len(upper) or c != upper[i])]
    return (repeats > 0 or blanks > 0 or across) and any(_is_known(str(cell), words) for cell in refined)


def _joined(upper: Sequence, lower: Sequence) -> list[str]:
    """Two header rows as one: "坐标/经度" where both say something, the group carried over blanks beside it."""
    names, group = [], ""
    for i in range(max(len(upper), len(lower))):
        above = str(upper[i] if i < len(upper) and upper[i] is not None else "").strip()
        below = str(lower[i] if i < len(lower) and lower[i] is not None else "").strip()
        group = above or (group if below else "")
        names.append(f"{group}/{below}" if below and group and below != group else below or above)
    return names


def sheet_score(rows: Sequence[Sequence[Any]], height: int, words: Words) -> tuple[float, int]:
    """For choosing among sheets: the best header row in it, then the length. Notes sheets have neither."""
    best = max((_row_score(cells, words) for cells in rows[:25]), default=0)
    return (round(best, 1) if height > 1 else 0, height)
