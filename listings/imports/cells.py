"""A column's cells as values. Each different cell is read once: a file says the same words in row after row. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from listings.imports import values
from listings.imports.findings import Finding
from listings.imports.targets import typed
from listings.kinds.spec import MISSING_WORDS, ColumnSpec

REMEMBERED = 20_000  # different cells per column; names and addresses are mostly met once
MISSING_MAX_CHARS = max(len(word) for words in MISSING_WORDS.values() for word in words)
EMPTY_SIGNS = "-—–_/\\.· \t\u3000\ufeff\u200b"


@dataclass(frozen=True)
class Cell:
    """What one cell says. value: plain JSON, None where it gives none; typed: the same as the actions take it.

    missing: the reason where the cell gives one instead of a value ("" else).
    """

    value: Any = None
    typed: Any = None
    missing: str = ""
    findings: tuple[Finding, ...] = ()


BLANK = Cell()


class ColumnReader:
    """Reads the cells of one field. hint: what the header says of the unit. words: what a person said words mean.

    constant: the text that stands in for cells without a value ("": none does).
    """

    def __init__(self, spec: ColumnSpec, column: str, *, hint: str, words: Mapping[str, str], constant: str):
        self.spec, self.column, self.hint, self.words = spec, column, hint, words
        self.known: dict[Any, Cell] = {}
        self.is_text = spec.type == "text"
        self.is_code = spec.field in values.CODES
        self.instead = self._parse(constant, "", "") if constant else BLANK

    def read(self, cell: Any) -> Cell:
        if cell is None:
            return self.instead
        kind = cell.__class__
        if self.is_text and kind is str and self._is_plain(cell):
            text = cell.strip(" \t\r\n\ufeff\u200b\u3000")
            return Cell(text, text)
        mark = cell if kind is str else (kind, cell)
        found = self.known.get(mark)
        if found is None:
            found = self._read(cell)
            if len(self.known) < REMEMBERED:
                self.known[mark] = found
        return found

    def _is_plain(self, cell: str) -> bool:
        """Whether the text can be nothing but itself: too long for a word that means "missing"."""
        is_long = MISSING_MAX_CHARS < len(cell) <= values.TEXT_MAX_CHARS
        return is_long and cell[0] not in EMPTY_SIGNS and (cell.isascii() or not self.is_code)

    def _read(self, cell: Any) -> Cell:
        reason = values.missing_reason(cell)
        if reason is None:
            return self._parse(cell, self.hint, self.column)
        if self.instead is not BLANK:
            return self.instead
        return Cell(missing=reason) if str(cell).strip() else BLANK

    def _parse(self, cell: Any, hint: str, header: str) -> Cell:
        value, findings = values.parse(cell, self.spec, header_hint=hint, chosen=self.words, header=header)
        if value is None or value == "":
            return Cell(findings=tuple(findings))
        return Cell(value, typed(value, self.spec), findings=tuple(findings))
