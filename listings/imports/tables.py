"""A file as a table: which sheet, which row is the header, and the rows below it, one after the other."""

import csv
import io
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from listings.imports import headers, limits, sandbox, upload
from listings.imports.findings import FileRefused

GEOMETRY = "__geometry__"  # the raw key that holds a feature's geometry, WKB in hex
DELIMITERS = ",;\t|"
PEEK_ROWS = 40

csv.field_size_limit(limits.CELL_MAX_CHARS)


@dataclass
class Table:
    """columns: names as read, made unique. rows: (number as a person counts, cells by column).

    detected: encoding, delimiter, sheet, sheets, header_rows, title (what stands above the header), crs, layer.
    """

    columns: list[str]
    rows: Iterator[tuple[int, dict[str, Any]]]
    detected: dict[str, Any] = field(default_factory=dict)
    expected: int = 0  # rows, as far as the file tells beforehand; for the bar


@contextmanager
def open_table(path: Path, form: str, words: headers.Words, sheet: str = "") -> Iterator[Table]:
    """The table in the file. words: the headers we know, by which the right sheet and row are found.

    Raises FileRefused, here or while the rows are read.
    """
    folder = Path(tempfile.mkdtemp(prefix="import-"))
    try:
        if form == "csv":
            yield _csv(path, words)
        elif form == "xlsx":
            shutil.copyfile(path, folder / "data.xlsx")
            yield _xlsx(folder, words, sheet)
        else:
            yield _spatial(path, folder, form, sheet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- Text ---------------------------------------------------------------------------------------


def decode(data: bytes) -> tuple[str, str]:
    """(text, encoding): UTF-8 strictly, UTF-16 by its mark, else GB18030. Raises FileRefused for anything else."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        attempts = ["utf-16"]
    else:
        attempts = ["utf-8-sig", "gb18030"]
    for encoding in attempts:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            raise FileRefused("not_text")
        return text, encoding
    raise FileRefused("encoding_unknown")


def delimiter_of(text: str) -> str:
    """The sign that parts most rows of the beginning into the same number of cells."""
    lines = text[:200_000].splitlines()[:60]
    best, best_score = ",", 0.0
    for sign in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=sign) if any(cell.strip() for cell in row)]
        if not widths:
            continue
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        score = (widths.count(usual) / len(widths)) * min(usual, 12) if usual > 1 else 0
        if score > best_score:
            best, best_score = sign, score
    return best


def _csv(path: Path, words: headers.Words) -> Table:
    text, encoding = decode(path.read_bytes())
    if not text.strip():
        raise FileRefused("empty_file")
    sign = delimiter_of(text)
    grid = enumerate(_records(text, sign), 1)
    detected = {"encoding": encoding, "delimiter": sign}
    table = _under_header(grid, words, detected, merges=[])
    table.expected = text.count("\n")
    return table


def _records(text: str, sign: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    except csv.Error as error:
        raise FileRefused("csv_broken", detail=str(error)[:120]) from error


# --- Spreadsheets -------------------------------------------------------------------------------


def _xlsx(folder: Path, words: headers.Words, wanted: str) -> Table:
    sheets = next(sandbox.read("xlsx-peek", folder, "data.xlsx"))["meta"]["sheets"]
    readable = [s for s in sheets if "rows" in s and any(any(c not in (None, "") for c in row) for row in s["rows"])]
    if not readable:
        broken = next((s for s in sheets if "refused" in s), None)
        if broken:
            raise FileRefused(broken["refused"], **broken["params"])
        raise FileRefused("no_rows")
    ranked = sorted(readable, key=lambda s: headers.sheet_score(s["rows"], s["height"], words), reverse=True)
    sheet = next((s for s in readable if s["name"] == wanted), ranked[0])
    lines = sandbox.read("xlsx", folder, "data.xlsx", sheet["name"])
    next(lines)
    grid = ((line["n"], line["v"]) for line in lines)
    detected = {"sheet": sheet["name"], "sheets": [s["name"] for s in readable]}
    table = _under_header(grid, words, detected, merges=sheet["merges"])
    table.expected = sheet["height"]
    return table


def _under_header(grid, words: headers.Words, detected: dict, *, merges: list) -> Table:
    first = list(itertools.islice(grid, PEEK_ROWS))
    found = headers.find(first, words, merges)
    if found is None:
        raise FileRefused("no_header")
    columns = found.columns
    if len(columns) > limits.COLUMNS_MAX:
        raise FileRefused("too_many_columns", max=limits.COLUMNS_MAX, found=len(columns))
    detected |= {"header_rows": found.numbers, "title": found.title[:500]}
    rest = itertools.chain(first[found.rows_used :], grid)
    names = headers.unique(columns)
    return Table([name for name in names if name], _named(rest, names), detected)


def _named(grid, names: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows as {column: cell}; empty ones and repeated headers are passed over."""
    count = 0
    for number, cells in grid:
        row = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell not in (None, "")}
        if not row or not any(str(cell).strip() for cell in row.values()):
            continue
        if sum(str(cell).strip() == name for name, cell in row.items()) > len(row) / 2:
            continue  # the header again, as printed at the top of a page
        if len(cells) > len(names) and any(str(cell or "").strip() for cell in cells[len(names) :]):
            row["__overflow__"] = len(cells) - len(names)
        for cell in row.values():
            if isinstance(cell, str) and len(cell) > limits.CELL_MAX_CHARS:
                raise FileRefused("cell_too_long", max=limits.CELL_MAX_CHARS)
        count += 1
        if count > limits.ROWS_MAX:
            raise FileRefused("too_many_rows", max=limits.ROWS_MAX, found=f"> {limits.ROWS_MAX}")
        yield number, row


# --- Spatial files ------------------------------------------------------------------------------


def _spatial(path: Path, folder: Path, form: str, wanted: str) -> Table:
    detected: dict[str, Any] = {}
    sheet = wanted
    if form == "shp":
        stem, stems = upload.unpack_shapes(path, folder, wanted)
        detected |= {"sheet": stem, "sheets": stems}
        name, sheet = "data.shp", ""
    elif form == "kmz":
        upload.unpack_kml(path, folder)
        form, name = "kml", "data.kml"
    else:
        name = f"data.{form}"
        shutil.copyfile(path, folder / name)
    lines = sandbox.read(form, folder, name, sheet)
    meta = next(lines)["meta"]
    if form == "gpkg":
        detected |= {"sheet": meta["layer"], "sheets": [layer["name"] for layer in meta["layers"]]}
    # GeoJSON and KML say WGS84 by their own definition, whatever was written into them.
    detected |= {
        "crs": meta["crs"],
        "is_crs_by_format": form in ("geojson", "kml") and meta["crs"] in ("", "EPSG:4326"),
    }
    if "encoding" in meta:
        detected |= {"encoding": meta["encoding"], "is_encoding_declared": meta["is_encoding_declared"]}
    names = headers.unique(meta["columns"])
    rows = _features(lines, names)
    first = next(rows, None)
    if first is None:
        raise FileRefused("no_features")
    expected = sum(layer["rows"] for layer in meta["layers"])
    return Table([*names, GEOMETRY], itertools.chain([first], rows), detected, expected)


def _features(lines, names: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for line in lines:
        row = {name: cell for name, cell in zip(names, line["v"], strict=True) if cell not in (None, "")}
        if line["g"]:
            row[GEOMETRY] = line["g"]
        yield line["n"], row
