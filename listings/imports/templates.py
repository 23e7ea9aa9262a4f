"""Templates to download: one table per kind with an example row, and a sheet that explains every column."""

import csv
import io
from collections.abc import Collection, Sequence
from typing import Any, BinaryIO

import openpyxl
from django.utils.translation import gettext, override
from openpyxl.utils import get_column_letter

from listings.imports import form_words, targets
from listings.imports.report import HEAD, label_of, workbook_cell
from listings.kinds.spec import ColumnSpec

LANGUAGES = ("zh-hans", "en")
UNIT_EXAMPLES = {
    "m": "35", "mm": "100", "km": "1.2", "kg": "200", "kVA": "30", "kW": "5", "V": "380", "kV": "110", "%": "60",
    "m²": "40", "h": "4", "U": "42", "kN/m²": "6", "dB/km": "0.22",
}  # fmt: skip


def specs_of(target_name: str, kind: str) -> Sequence[ColumnSpec]:
    """The columns a template has: all of the kind's, the geometry as text only for lists of demand and for lines."""
    target = targets.get(target_name)
    has_wkt = target_name != "resources" or target.geometry(kind)
    return [spec for spec in target.specs(kind) if spec.field != "wkt" or has_wkt]


def heads(target_name: str, kind: str) -> list[str]:
    """The template's header in the reader's language."""
    return [_head(spec) for spec in specs_of(target_name, kind)]


def is_template(names: Collection[str], target_name: str, kind: str) -> bool:
    """Whether a file's columns are those of the template, in either language: then there is nothing to ask."""
    for language in LANGUAGES:
        with override(language):
            if set(heads(target_name, kind)) <= set(names):
                return True
    return False


def mapping_of(names: Collection[str], target_name: str, kind: str) -> dict[str, str]:
    """{field: column} of a file made from the template."""
    mapping: dict[str, str] = {}
    for language in LANGUAGES:
        with override(language):
            for spec in specs_of(target_name, kind):
                if (head := _head(spec)) in names:
                    mapping.setdefault(spec.field, head)
    return mapping


def workbook(target_name: str, kind: str, out: BinaryIO) -> None:
    """A table of the kind: header, one example row, and a sheet that explains every column."""
    specs = specs_of(target_name, kind)
    book = openpyxl.Workbook(write_only=True)
    table = book.create_sheet(gettext("Data"))
    for i, _spec in enumerate(specs, 1):
        table.column_dimensions[get_column_letter(i)].width = 18
    table.freeze_panes = "A2"
    table.append([workbook_cell(table, _head(spec), font=HEAD) for spec in specs])
    table.append([workbook_cell(table, _example(spec)) for spec in specs])
    _notes(book, target_name, specs)
    book.save(out)


def _notes(book: Any, target_name: str, specs: Sequence[ColumnSpec]) -> None:
    notes = book.create_sheet(gettext("Notes"))
    for letter, width in zip("ABCDE", (24, 10, 12, 60, 24), strict=True):
        notes.column_dimensions[letter].width = width
    titles = (gettext("Column"), gettext("Unit"), gettext("Required"), gettext("Accepted values"), gettext("Example"))
    notes.append([workbook_cell(notes, title, font=HEAD) for title in titles])
    for spec in specs:
        required = gettext("yes") if spec.required else ""
        cells = (label_of(spec), spec.unit, required, _accepted(spec), _example(spec))
        notes.append([workbook_cell(notes, cell) for cell in cells])
    notes.append([])
    for line in _advice(target_name):
        notes.append([workbook_cell(notes, line)])


def _advice(target_name: str) -> list[str]:
    first = gettext("Delete the example row before sending the file.")
    if target_name == "parts":
        return [
            first,
            gettext("Each row names a duct or cable you have stored already, by your own code."),
            gettext("A row adds a part or changes the one of that name; a file takes no parts away."),
            gettext("An empty cell leaves what is known as it is."),
            gettext("A cable is carried by a duct or pole, by its code; line:NAME means every pole of a line."),
        ]
    return [
        first,
        gettext(
            "Coordinates may be WGS84, CGCS2000, GCJ-02 or BD-09: you confirm which on a map before anything is stored."
        ),
        gettext("The same code in a later file changes that entry instead of making a second one."),
    ]


def text(target_name: str, kind: str) -> str:
    """The same table as CSV, for spreadsheets with a mark of UTF-8 in front."""
    specs = specs_of(target_name, kind)
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([_head(spec) for spec in specs])
    table.writerow([_example(spec) for spec in specs])
    return "\ufeff" + out.getvalue()


def _head(spec: ColumnSpec) -> str:
    unit = f"({spec.unit})" if spec.unit and "(" not in label_of(spec) else ""
    return f"{label_of(spec)}{unit}{'*' if spec.required else ''}"


def _accepted(spec: ColumnSpec) -> str:
    if spec.choices:
        return " / ".join(
            form_words.shown(spec, value) if spec.type != "boolean" else names[0]
            for value, names in spec.choices.items()
        )
    return {
        "decimal": gettext("a number, the unit may stand behind it"),
        "integer": gettext("a whole number"),
        "numbers": gettext("one number per platform, from the top, parted by /"),
        "date": gettext("a day, like 2026-03-31"),
        "longitude": gettext("degrees, decimal or 113°19′48″; or metres of a projected system"),
        "latitude": gettext("degrees, decimal or 113°19′48″; or metres of a projected system"),
        "wkt": gettext("a geometry as WKT"),
        "region": gettext("a six-digit division code or its name"),
    }.get(spec.type, "")


def _example(spec: ColumnSpec) -> str:
    """The spec's own example, else something of the right form."""
    if spec.example:
        return spec.example
    if spec.choices:
        value, names = next(iter(spec.choices.items()))
        return names[0] if spec.type == "boolean" else form_words.shown(spec, value)
    if spec.type in ("decimal", "integer"):
        return UNIT_EXAMPLES.get(spec.unit, "")
    return {"date": "2026-03-31"}.get(spec.type, "")
