"""An .xlsx written straight into its ZIP: sheets whose rows come as ready XML, an unlimited number of them."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _

ROWS_MOST = 1_048_576  # of one sheet, header included (Excel's limit)
BYTES_MOST = 1_800_000_000  # of one sheet unpacked: above 2 GiB the ZIP needs a form that Excel offers to repair
NAME_MOST = 31
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Cell styles by number: 0 plain, 1 a day as 2026-03-31, 2 bold for headers.
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/>'
    '</fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _cells(values: Sequence[str], style: int = 0) -> str:
    return "".join(
        f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'
        for value in values
    )


class Workbook:
    """begin() a sheet, row() its rows, close() with the facts about the file, which become the last sheet."""

    def __init__(self, path: Path):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self.names: list[str] = []
        self.sheet: IO[bytes] | None = None
        self.buffer = bytearray()
        self.title, self.headers = "", [""]
        self.rows = self.bytes = self.part = 0

    def begin(self, title: str, headers: Sequence[str]) -> None:
        self.title, self.headers, self.part = title, list(headers), 0
        self._open()

    def _open(self) -> None:
        self._end()
        self.part += 1
        suffix = f" {self.part}" if self.part > 1 else ""
        self._start(self.title[: NAME_MOST - len(suffix)] + suffix, freeze=True)
        columns = f'<cols><col min="1" max="{len(self.headers)}" width="16" customWidth="1"/></cols>'
        self._put(f"{columns}<sheetData><row>{_cells(self.headers, 2)}</row>".encode())
        self.rows = 1

    def _start(self, name: str, *, freeze: bool) -> None:
        for sign in r"[]:*?/\ "[:-1]:
            name = name.replace(sign, "-")
        self.names.append(name)
        self.sheet = self.zip.open(f"xl/worksheets/sheet{len(self.names)}.xml", "w")
        pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' if freeze else ""
        views = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        self.bytes = 0
        self._put(f'{HEAD}<worksheet xmlns="{MAIN}">{views}'.encode())

    def row(self, xml: bytes) -> None:
        if self.rows >= ROWS_MOST or self.bytes > BYTES_MOST:
            self._open()
        self._put(xml)
        self.rows += 1

    def _put(self, data: bytes) -> None:
        self.bytes += len(data)
        self.buffer += data
        if len(self.buffer) > 1 << 18:
            self._flush()

    def _flush(self) -> None:
        if self.sheet is not None and self.buffer:
            self.sheet.write(self.buffer)
        self.buffer = bytearray()

    def _end(self) -> None:
        if self.sheet is not None:
            self._put(b"</sheetData></worksheet>")
            self._flush()
            self.sheet.close()
            self.sheet = None

    def close(self, about: Sequence[tuple[str, str]]) -> None:
        self._end()
        self._start(_("About this file"), freeze=False)
        widths = "".join(f'<col min="{i}" max="{i}" width="{w}" customWidth="1"/>' for i, w in ((1, 26), (2, 100)))
        columns = f"<cols>{widths}</cols>"
        rows = "".join(f"<row>{_cells([name], 2)}{_cells([value])}</row>" for name, value in about)
        self._put(f"{columns}<sheetData>{rows}".encode())
        self._end()
        self._parts()
        self.zip.close()

    def _parts(self) -> None:
        numbers = range(1, len(self.names) + 1)
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{SHEET_TYPE}.worksheet+xml"/>'
            for i in numbers
        )
        sheets = "".join(
            f'<sheet name="{escape(name, {chr(34): "&quot;"})}" sheetId="{i}" r:id="rId{i}"/>'
            for i, name in enumerate(self.names, 1)
        )
        links = "".join(
            f'<Relationship Id="rId{i}" Type="{REL}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in numbers
        )
        styles = len(self.names) + 1
        parts = {
            "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{SHEET_TYPE}.styles+xml"/>{overrides}</Types>',
            "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>{sheets}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{links}'
            f'<Relationship Id="rId{styles}" Type="{REL}/styles" Target="styles.xml"/></Relationships>',
            "xl/styles.xml": STYLES,
        }
        for name, text in parts.items():
            self.zip.writestr(name, text)
