"""How rows become files. A writer names the SQL that makes one line per row and takes those lines as COPY sends them.

Nothing is kept: a line is written and forgotten, so a file of a million rows costs no more memory than one of ten.
"""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, ClassVar, Protocol

from listings.exports.columns import Column
from listings.exports.geopackage import GeoPackageWriter
from listings.exports.workbook import Workbook

FORMULA_STARTS = "=+-@\t\r＝＋－＠"
DECIMALS = 9  # of a degree in GeoJSON: 0.1 mm, finer than the import's own tolerance of 1e-8
CELL_MOST = 32_000  # a workbook's cell holds 32,767 characters
COMPRESSION = 1  # text of few words: level 6 takes five times as long for a fifth less
# Characters no text of ours holds; COPY then quotes and escapes nothing and a line arrives as it was made.
RAW = "FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01'"


class Writer(Protocol):
    """Opened over a path; begin() a kind, take() its lines, close() with the facts about the file."""

    for_people: ClassVar[bool]
    suffix: ClassVar[str]
    media_type: ClassVar[str]
    copy_options: ClassVar[str]

    def line_sql(self, columns: Sequence[Column]) -> str:
        """The SELECT list that makes a line of id, shape and the columns by their keys (why_<key>: why missing)."""

    def begin(self, kind: str, title: str, columns: Sequence[Column]) -> None: ...

    def write(self, line: bytes) -> int:
        """Takes one line, newline included, as cursor.copy_expert() hands it over."""

    def close(self, about: Sequence[tuple[str, str]]) -> None: ...


def safe_sql(name: str) -> str:
    """A text no spreadsheet takes for a formula: an apostrophe before it, unless it is a number (−5.2 stays)."""
    starts = ", ".join(str(ord(c)) for c in FORMULA_STARTS)
    return (
        f"CASE WHEN ascii({name}) IN ({starts}) AND {name} !~ '^[+-]?[0-9][0-9,.]*$'"
        f" THEN '''' || {name} ELSE {name} END"
    )


class _Members:
    """One member per kind, in a ZIP; a single file where only one was asked for and the format can stand alone."""

    def __init__(self, path: Path):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION)
        self.member: IO[bytes] | None = None
        self.buffer = bytearray()

    def open(self, name: str) -> None:
        self.end()
        self.member = self.zip.open(name, "w", force_zip64=True)

    def put(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > 1 << 18:
            self.flush()

    def flush(self) -> None:
        if self.member is not None and self.buffer:
            self.member.write(self.buffer)
        self.buffer = bytearray()

    def end(self) -> None:
        self.flush()
        if self.member is not None:
            self.member.close()
            self.member = None

    def close(self) -> None:
        self.end()
        self.zip.close()


class CsvWriter:
    """CSV per kind with a byte-order mark (spreadsheets then read UTF-8), and about.txt, in a ZIP."""

    for_people = True
    suffix, media_type = "zip", "application/zip"
    copy_options = "FORMAT csv"

    def __init__(self, path: Path, srid: int):
        self.members = _Members(path)

    def line_sql(self, columns: Sequence[Column]) -> str:
        return ", ".join(self._cell(column) for column in columns)

    def _cell(self, column: Column) -> str:
        name = f'"{column.key}"'
        if column.type == "text":
            name = safe_sql(name)
        return f'coalesce(({name})::text, "why_{column.key}")' if column.missing else name

    def begin(self, kind: str, title: str, columns: Sequence[Column]) -> None:
        self.members.open(f"{kind}.csv")
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([column.header for column in columns])
        self.members.put(("\ufeff" + line.getvalue()).encode())

    def write(self, line: bytes) -> int:
        self.members.put(line)
        return len(line)

    def close(self, about: Sequence[tuple[str, str]]) -> None:
        self.members.open("about.txt")
        self.members.put(("\ufeff" + "".join(f"{name}: {value}\r\n" for name, value in about)).encode())
        self.members.close()


class GeoJsonWriter:
    """A FeatureCollection per kind in a ZIP. CGCS2000 is named in "crs", as programs other than RFC 7946's know it."""

    for_people = False
    suffix, media_type = "zip", "application/zip"
    copy_options = RAW

    def __init__(self, path: Path, srid: int):
        self.members, self.srid, self.is_first = _Members(path), srid, True
        self.is_open = False

    def line_sql(self, columns: Sequence[Column]) -> str:
        pairs = " || ".join(self._pair(column, i) for i, column in enumerate(columns))
        head = """',{"type":"Feature","id":' || id || ',"geometry":' || """
        shape = f"coalesce(ST_AsGeoJSON(shape, {DECIMALS}, 0), 'null')"
        return f"""{head}{shape} || ',"properties":{{' || {pairs} || '}}}}'"""

    def _pair(self, column: Column, position: int) -> str:
        """ "key":value as text; written out because row_to_json() takes five times as long."""
        name = f'"{column.key}"'
        value = f"""'"' || {name} || '"'""" if column.type in ("word", "date") else f"{name}::text"
        if column.type == "text":
            value = f"to_json({name})::text"
        return f"""'{"," if position else ""}"{column.key}":' || coalesce({value}, 'null')"""

    def begin(self, kind: str, title: str, columns: Sequence[Column]) -> None:
        self._end()
        self.members.open(f"{kind}.geojson")
        crs = ""
        if self.srid != 4326:
            named = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{self.srid}"}}
            crs = f'"crs":{json.dumps(named)},'
        self.members.put(f'{{"type":"FeatureCollection","name":"{kind}",{crs}"features":[\n'.encode())
        self.is_open = self.is_first = True

    def write(self, line: bytes) -> int:
        self.members.put(line[1:] if self.is_first else line)
        self.is_first = False
        return len(line)

    def _end(self) -> None:
        if self.is_open:
            self.members.put(b"]}\n")
            self.is_open = False

    def close(self, about: Sequence[tuple[str, str]]) -> None:
        self._end()
        self.members.open("about.json")
        self.members.put(json.dumps(dict(about), ensure_ascii=False, indent=1).encode())
        self.members.close()


class XlsxWriter:
    """A workbook with a sheet per kind (several where a sheet is full) and a sheet that says what the file is.

    The rows' XML is made by PostgreSQL; texts are inline strings, which no program takes for formulas.
    """

    for_people = True
    suffix, media_type = "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    copy_options = RAW
    # Forbidden in XML 1.0; tab, line feed and carriage return stay.
    CONTROLS = "".join(chr(i) for i in range(1, 32) if i not in (9, 10, 13))

    def __init__(self, path: Path, srid: int):
        self.book = Workbook(path)

    def line_sql(self, columns: Sequence[Column]) -> str:
        return "'<row>' || " + " || ".join(self._cell(column) for column in columns) + " || '</row>'"

    def _cell(self, column: Column) -> str:
        name, empty = f'"{column.key}"', "'<c/>'"
        if column.missing:
            empty = f"""coalesce({self._text(f'"why_{column.key}"')}, '<c/>')"""
        if column.type in ("number", "integer", "float"):
            return f"coalesce('<c><v>' || {name} || '</v></c>', {empty})"
        if column.type == "date":  # a serial number counted from 1899-12-30, style 1 shows it as a day
            return f"coalesce('<c s=\"1\"><v>' || ({name} - date '1899-12-30') || '</v></c>', {empty})"
        return f"coalesce({self._text(name if column.type == 'word' else self._clean(name))}, {empty})"

    def _text(self, sql: str) -> str:
        return f"('<c t=\"inlineStr\"><is><t xml:space=\"preserve\">' || {sql} || '</t></is></c>')"

    def _clean(self, name: str) -> str:
        """Escaped for XML; "_x0041_", which Excel would read as a character, is made literal."""
        controls = "E'" + "".join(f"\\x{ord(c):02x}" for c in self.CONTROLS) + "'"
        plain = f"left(translate({name}, {controls}, ''), {CELL_MOST})"
        coded = f"regexp_replace({plain}, '_x([0-9A-Fa-f]{{4}}_)', '_x005F_x\\1', 'g')"
        escaped = f"replace(replace(replace({coded}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"
        escaped = f"replace(replace({escaped}, E'\\n', '&#10;'), E'\\r', '&#13;')"
        odd = f"{name} ~ '[\\x01-\\x1f&<>]|_x' OR length({name}) > {CELL_MOST}"
        return f"CASE WHEN {odd} THEN {escaped} ELSE {name} END"

    def begin(self, kind: str, title: str, columns: Sequence[Column]) -> None:
        self.book.begin(title, [column.header for column in columns])

    def write(self, line: bytes) -> int:
        self.book.row(line)
        return len(line)

    def close(self, about: Sequence[tuple[str, str]]) -> None:
        self.book.close(about)


WRITERS: dict[str, Any] = {
    "csv": CsvWriter, "geojson": GeoJsonWriter, "xlsx": XlsxWriter, "gpkg": GeoPackageWriter,
}  # fmt: skip


def writer_for(format_: str, path: Path, srid: int) -> Any:
    return WRITERS[format_](path, srid)


def media_type_of(format_: str) -> str:
    return WRITERS[format_].media_type if format_ in WRITERS else "application/pdf"
