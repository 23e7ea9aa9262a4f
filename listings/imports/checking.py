"""Rows read and judged, chunk after chunk: cells to values, numbers to places, then what the target has to say."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry

from listings.imports import cells, columns, guessing, headers, limits, points, spots, targets
from listings.imports.findings import ERROR, Finding, error, info, warning
from listings.imports.options import Options
from listings.imports.targets import Draft
from listings.models import ImportJob, ImportRow
from listings.places import LonLat, Place

TOTAL = re.compile(r"^(合计|小计|总计|共计|汇总|total|sum|subtotal)[:：]?$", re.I)


class Checker:
    """Reads and judges chunk after chunk of one job; remembers codes and places of the rows before."""

    def __init__(self, job: ImportJob):
        self.job = job
        self.target = targets.get(job.target)
        self.options = Options.of(job.options)
        given = job.mapping.keys() | self.options.constants.keys()
        self.readers = [
            cells.ColumnReader(
                spec,
                job.mapping.get(spec.field, ""),
                hint=headers.hint(job.mapping.get(spec.field, "")),
                words=self.options.words.get(spec.field, {}),
                constant=self.options.constants.get(spec.field, ""),
            )
            for spec in self.target.specs(job.kind)
            if spec.field in given and spec.field not in columns.PLACE_FIELDS
        ]
        self.judge = self.target.judge(job)
        self.code = "owner_code" if job.target in ("resources", "parts") else "applicant_code"
        self.has_place = targets.has_place(job)
        self.stand_ins = [(n, "own code" if n == self.code else "name") for n in job.detected.get("stand_ins", ())]
        self.used = sorted(set(job.mapping.values()))
        self.codes: dict[str, tuple[int, int]] = {}
        self.places: dict[tuple[float, float], int] = {}

    def check(self, rows: Sequence[ImportRow]) -> list[Draft]:
        """The rows as drafts with their verdicts and findings."""
        drafts = self.read(rows)
        self.judge.judge(drafts)
        for row, draft in zip(rows, drafts, strict=True):
            if any(finding.code == "total_row" for finding in draft.findings):
                draft.findings, draft.verdict = [info("", "total_row")], "skip"  # nothing else of it matters
            else:
                self._hold_twice(row, draft)
        return drafts

    def drafts(self, rows: Iterable[ImportRow]) -> Iterator[tuple[ImportRow, Draft]]:
        """The rows as drafts, unjudged: what store() takes."""
        iterator = iter(rows)
        while chunk := list(islice(iterator, limits.CHUNK_ROWS)):
            yield from zip(chunk, self.read(chunk), strict=True)

    def read(self, rows: Sequence[ImportRow]) -> list[Draft]:
        """The rows' values and places, and what is wrong with their writing."""
        if not self.has_place:
            return [self._draft(row, None, None) for row in rows]
        raws = [row.raw for row in rows]
        places: list[Place | None] = list(
            points.plain_points(raws, self.job.mapping, crs=self.job.crs, options=self.options)
        )
        left = [i for i, place in enumerate(places) if place is None]
        found = guessing.read_spots(self.job, [rows[i] for i in left]) if left else []
        spots.place(found, crs=self.job.crs, options=self.options, is_line=self.target.geometry(self.job.kind))
        remarkable = dict(zip(left, found, strict=True))
        drafts = []
        for i, (row, place) in enumerate(zip(rows, places, strict=True)):
            spot = remarkable.get(i)
            drafts.append(self._draft(row, place, spot))
        return drafts

    def _draft(self, row: ImportRow, place: Place | None, spot: spots.Spot | None) -> Draft:
        draft = Draft(row.number, {}, place=place)
        raw = row.raw
        if spot is not None:
            draft.findings += spot.findings
            draft.place = as_place(spot.place)
            if spot.raw is None and any(TOTAL.match(str(cell).strip()) for cell in raw.values()):
                draft.findings = [Finding(ERROR, "", "total_row")]  # bad while it is judged; a note in the report
        if overflow := raw.get("__overflow__"):
            draft.findings.append(error("", "row_overflow", count=overflow))
        values, typed = draft.values, draft.typed
        for reader in self.readers:
            cell = reader.read(raw.get(reader.column))
            name = reader.spec.field
            if cell.value is not None:
                values[name], typed[name] = cell.value, cell.typed
            elif cell.missing:
                draft.missing[name] = cell.missing
            if cell.findings:
                draft.findings += cell.findings
        for name, word in self.stand_ins:
            if name in values:
                draft.findings.append(info(name, "name_from_other", label_word=word, value=str(values[name])[:60]))
        return draft

    def _hold_twice(self, row: ImportRow, draft: Draft) -> None:
        """The same code or the same place in an earlier row of the file."""
        code = str(draft.values.get(self.code, "")).strip()
        if self.job.target == "parts":
            part = [str(draft.values.get(spec.field, "")) for spec in self.target.specs(self.job.kind)[:2]]
            code = code and "\x1f".join(part)
        elif self.job.target != "resources":
            code = code and f"{draft.values.get('applicant_name', '')}\x1f{code}"
        if code:
            mark = hash(tuple([_hashable(row.raw.get(name)) for name in self.used]))
            number, before = self.codes.setdefault(code, (draft.number, mark))
            if number != draft.number:
                draft.findings.append(
                    error("", "same_row_again", number=number)
                    if before == mark
                    else error(self.code, "code_twice_in_file", code=code.split("\x1f")[-1], number=number)
                )
                draft.verdict = "error"
                return
        if isinstance(draft.place, LonLat):
            key = (round(draft.place.lon, 6), round(draft.place.lat, 6))
            number = self.places.setdefault(key, draft.number)
            if number != draft.number:
                draft.findings.append(warning("place", "same_place_twice", number=number))


def _hashable(cell: Any) -> Any:
    return cell if cell.__class__ in (str, int, float, bool, type(None)) else str(cell)


def as_place(geometry: shapely.Geometry | None) -> Place | None:
    """A geometry in WGS84 as the checks take it."""
    if geometry is None:
        return None
    if geometry.geom_type == "Point" and not geometry.is_empty:
        return LonLat(geometry.x, geometry.y)
    return GEOSGeometry(memoryview(shapely.to_wkb(geometry)), srid=4326)
