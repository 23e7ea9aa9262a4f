"""What is handed out about an import: the report's rows, as JSON and as a workbook to mend; templates to fill."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import openpyxl
import shapely
from django.db.models import QuerySet
from django.utils.translation import get_language, gettext
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from listings.imports import columns, targets
from listings.imports.findings import worded
from listings.imports.tables import GEOMETRY
from listings.kinds.spec import ColumnSpec
from listings.models import ImportJob, ImportRow

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CELL_MAX = 32_000  # a workbook's cell holds 32,767 characters


def label_of(spec: ColumnSpec) -> str:
    """The column's name in the reader's language."""
    return spec.label_en if (get_language() or "").startswith("en") else spec.label_zh


def labels(job: ImportJob) -> dict[str, str]:
    """{field: what to call it in this report}: the file's own header where one is mapped, else the field's label."""
    # A file refused before its kind was told has no columns to name.
    is_told = job.kind or job.target != ImportJob.Target.RESOURCES
    specs = columns.specs_with_place(targets.get(job.target).specs(job.kind)) if is_told else []
    found = {spec.field: job.mapping.get(spec.field) or label_of(spec) for spec in specs}
    found |= {field: label_of(spec) for spec in specs if (field := spec.field) and found[field] == GEOMETRY}
    return found | {"place": gettext("Place"), "": gettext("Whole row"), "kind": gettext("Kind")}


def told(row: ImportRow, names: Mapping[str, str]) -> list[dict[str, str]]:
    """The row's findings in words, gravest first, each with the name of its column."""
    order = {"error": 0, "warning": 1, "info": 2}
    found = sorted((worded(problem) for problem in row.problems), key=lambda p: order[p["level"]])
    return [problem | {"label": names.get(problem["column"], problem["column"])} for problem in found]


def shown(cell: Any, column: str) -> Any:
    """A raw cell for a person: geometry as WKT, the rest as it is."""
    if column != GEOMETRY or not cell:
        return cell
    return shapely.to_wkt(shapely.from_wkb(bytes.fromhex(cell)), rounding_precision=7)


def raw_columns(job: ImportJob) -> list[str]:
    return [column["name"] for column in job.columns]


def as_json(job: ImportJob, rows: QuerySet[ImportRow]) -> Iterator[str]:
    """The report as one JSON document, streamed row by row."""
    head = {
        "file": job.file_name,
        "sha256": job.file_sha256,
        "state": job.state,
        "kind": job.kind,
        "coordinate_system": job.crs,
        "rows": job.row_count,
        "counts": {k: v for k, v in job.counts.items() if k != "by_code"},
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "report": ['
    names = labels(job)
    comma = ""
    for row in rows.iterator(chunk_size=1_000):
        raw = {name: shown(cell, name) for name, cell in row.raw.items()}
        problems = [{k: p[k] for k in ("level", "column", "label", "code", "message", "fix")} for p in told(row, names)]
        yield comma + json.dumps(
            {"row": row.number, "verdict": row.verdict, "problems": problems, "raw": raw}, ensure_ascii=False
        )
        comma = ","
    yield "]}"


def safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers, also those kept as text, stay what they are."""
    if not isinstance(value, str):
        return value
    value = "".join(c for c in value[:CELL_MAX] if c >= " " or c in "\n\t")
    if value.startswith(FORMULA_STARTS):
        try:
            float(value.replace(",", ""))
        except ValueError:
            return "'" + value
    return value


def _cell(sheet: Any, value: Any, *, font: Font | None = None, fill: PatternFill | None = None) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=safe(value))
    if isinstance(value, str):
        cell.data_type = "s"  # never "f", whatever it begins with
    if font:
        cell.font = font
    if fill:
        cell.fill = fill
    return cell


HEAD = Font(bold=True)
GRAVE = PatternFill("solid", fgColor="FFF4E5")


def as_workbook(job: ImportJob, rows: QuerySet[ImportRow], out: BinaryIO) -> None:
    """The bad rows as they were read, with the reasons behind: mended, the sheet can be sent in again as it is."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(gettext("Rows to mend"))
    names = raw_columns(job)
    heads = ["WKT" if name == GEOMETRY else name for name in names]
    sheet.append([_cell(sheet, head, font=HEAD) for head in [*heads, gettext("Row"), gettext("Problems")]])
    words = labels(job)
    for row in rows.iterator(chunk_size=1_000):
        reasons = "\n".join(
            f"{problem['label']}: {problem['message']} {problem['fix']}".strip() for problem in told(row, words)
        )
        cells = [_cell(sheet, shown(row.raw.get(name), name)) for name in names]
        sheet.append([*cells, row.number, _cell(sheet, reasons, fill=GRAVE)])
    book.save(out)


# --- Templates ----------------------------------------------------------------------------------


def template_workbook(target_name: str, kind: str, out: BinaryIO) -> None:
    """An empty table of the kind: header, one example row, and a sheet that explains every column."""
    specs = [spec for spec in targets.get(target_name).specs(kind) if spec.field != "wkt" or target_name == "demand"]
    book = openpyxl.Workbook(write_only=True)
    table = book.create_sheet(gettext("Data"))
    for i, _spec in enumerate(specs, 1):
        table.column_dimensions[get_column_letter(i)].width = 18
    table.append([_cell(table, _head(spec), font=HEAD) for spec in specs])
    table.append([_cell(table, _example(spec)) for spec in specs])
    notes = book.create_sheet(gettext("Notes"))
    for letter, width in zip("ABCDE", (24, 10, 12, 60, 24), strict=True):
        notes.column_dimensions[letter].width = width
    titles = (gettext("Column"), gettext("Unit"), gettext("Required"), gettext("Accepted values"), gettext("Example"))
    notes.append([_cell(notes, title, font=HEAD) for title in titles])
    for spec in specs:
        accepted = " / ".join((names[0] if names else value) for value, names in spec.choices.items())
        required = gettext("yes") if spec.required else ""
        notes.append([_cell(notes, v) for v in (label_of(spec), spec.unit, required, accepted, _example(spec))])
    notes.append([])
    for line in (
        gettext("Delete the example row before sending the file."),
        gettext(
            "Coordinates may be WGS84, CGCS2000, GCJ-02 or BD-09: you confirm which on a map before anything is stored."
        ),
        gettext("The same code in a later file changes that entry instead of making a second one."),
    ):
        notes.append([_cell(notes, line)])
    book.save(out)


def _head(spec: ColumnSpec) -> str:
    unit = f"({spec.unit})" if spec.unit and "(" not in label_of(spec) else ""
    return f"{label_of(spec)}{unit}{'*' if spec.required else ''}"


def _example(spec: ColumnSpec) -> str:
    """The spec's own example, else something of the right form."""
    if spec.example:
        return spec.example
    if spec.choices:
        value, names = next(iter(spec.choices.items()))
        return names[0] if names else value
    return {"date": "2026-03-31"}.get(spec.type, "")
