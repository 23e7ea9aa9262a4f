"""What is handed out about an import: the report's rows, as JSON and as a workbook to mend."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import openpyxl
import shapely
from django.db.models import QuerySet
from django.utils.translation import get_language, gettext
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill

from listings.imports import columns, targets
from listings.imports.findings import worded
from listings.imports.tables import GEOMETRY
from listings.kinds.spec import ColumnSpec
from listings.models import ImportJob, ImportRow

NAMES = ("name", "title", "label", "code", "carrier")  # what a row of the report is called by, beside its code
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


def workbook_cell(
    sheet: Any, value: Any, *, font: Font | None = None, fill: PatternFill | None = None
) -> WriteOnlyCell:
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
    sheet.append([workbook_cell(sheet, head, font=HEAD) for head in [*heads, gettext("Row"), gettext("Problems")]])
    words = labels(job)
    for row in rows.iterator(chunk_size=1_000):
        reasons = "\n".join(
            f"{problem['label']}: {problem['message']} {problem['fix']}".strip() for problem in told(row, words)
        )
        cells = [workbook_cell(sheet, shown(row.raw.get(name), name)) for name in names]
        sheet.append([*cells, row.number, workbook_cell(sheet, reasons, fill=GRAVE)])
    book.save(out)
