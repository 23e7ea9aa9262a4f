"""The work on a job between two answers of the person: read the file, propose, judge every row. Resumable.

Each step claims the job by its heartbeat and keeps it up: a job whose heartbeat stops is taken up by another worker,
which starts the step again. Nothing here touches resources or demand lines.
"""

import datetime as dt
import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg2.extras import Json, execute_values

from listings.imports import columns, coordinates, guessing, headers, limits, spots, tables, targets, values
from listings.imports.findings import FileRefused, error, info, sentence, warning
from listings.imports.options import Options
from listings.imports.targets import Draft
from listings.kinds.spec import ColumnSpec
from listings.models import ImportJob, ImportMapping, ImportRow

SAMPLES = 60  # cells per column kept for proposals
SHOWN_SAMPLES = 3
RETRIES_MAX = 3
TOTAL = re.compile(r"^(合计|小计|总计|共计|汇总|total|sum|subtotal)[:：]?$", re.I)


class Lost(Exception):
    """The job was cancelled, or another worker has it."""


class Claim:
    """A job held by its heartbeat: beat() raises Lost once somebody else has written it or asked to cancel."""

    def __init__(self, job: ImportJob, stamp: dt.datetime):
        self.job, self.stamp = job, stamp

    @classmethod
    def take(cls, pk: int, *states: str) -> "Claim | None":
        """The job, when it is in one of the states and nobody works on it; else None."""
        now = timezone.now()
        dead = now - dt.timedelta(seconds=limits.HEARTBEAT_DEAD_S)
        idle = Q(heartbeat_at=None) | Q(heartbeat_at__lt=dead)
        if not ImportJob.objects.filter(idle, pk=pk, state__in=states).update(heartbeat_at=now):
            return None
        return cls(ImportJob.objects.select_related("organisation__region", "demand_list__region").get(pk=pk), now)

    def beat(self, **fields: Any) -> None:
        """Writes progress under the claim."""
        now = timezone.now()
        mine = ImportJob.objects.filter(pk=self.job.pk, heartbeat_at=self.stamp, is_cancel_asked=False)
        if not mine.update(heartbeat_at=now, **fields):
            raise Lost
        self.stamp = now
        for name, value in fields.items():
            setattr(self.job, name, value)

    def finish(self, state: str, **fields: Any) -> None:
        """Writes the result and lets go."""
        mine = ImportJob.objects.filter(pk=self.job.pk, heartbeat_at=self.stamp)
        if not mine.update(state=state, heartbeat_at=None, **fields):
            raise Lost

    def refuse(self, refusal: FileRefused) -> None:
        """The file cannot be taken; the sentence is kept as code and parameters, to be worded for each reader."""
        self.job.rows.all().delete()
        text = " ".join(filter(None, sentence(refusal.code, refusal.params)))[:500]
        detected = {**self.job.detected, "refusal": refusal.as_json()}
        self.finish(ImportJob.State.FAILED, refusal=text, detected=detected)


def count_attempt(job: ImportJob) -> None:
    """Raises FileRefused once a step has been begun several times without an end (it kills its worker)."""
    attempts = job.detected.get("attempts", 0) + 1
    if attempts > RETRIES_MAX:
        raise FileRefused("broke_off")
    job.detected = {**job.detected, "attempts": attempts}


# --- Step 1: read -------------------------------------------------------------------------------


def read(pk: int) -> None:
    """UPLOADED or READING → MAPPING, with rows, columns and a proposed mapping; FAILED with a sentence."""
    claim = Claim.take(pk, ImportJob.State.UPLOADED, ImportJob.State.READING)
    if claim is None:
        return
    job = claim.job
    try:
        count_attempt(job)
        claim.beat(state=ImportJob.State.READING, done_count=0, row_count=0, detected=job.detected)
        job.rows.all().delete()
        _read(claim)
    except FileRefused as refusal:
        claim.refuse(refusal)
    except FileNotFoundError:
        claim.refuse(FileRefused("gone"))
    except Lost:
        return


def _read(claim: Claim) -> None:
    job = claim.job
    target = targets.get(job.target)
    options = Options.of(job.options)
    words = headers.words_of(columns.specs_with_place([spec for kind in target.kinds() for spec in target.specs(kind)]))
    count, samples = 0, {}
    with tables.open_table(Path(job.file.path), job.format, words, options.sheet) as table:
        for chunk in _chunks(table.rows, limits.CHUNK_ROWS):
            ImportRow.objects.bulk_create(
                [ImportRow(job=job, number=number, raw=raw) for number, raw in chunk], batch_size=limits.CHUNK_ROWS
            )
            for _number, raw in chunk if count < SAMPLES * 20 else ():
                for name, cell in raw.items():
                    held = samples.setdefault(name, [])
                    if len(held) < SAMPLES:
                        held.append(cell)
            count += len(chunk)
            claim.beat(row_count=count, done_count=count)
        if not count:
            raise FileRefused("no_rows")
        listed = [
            {
                "name": name,
                "samples": [str(cell)[:60] for cell in dict.fromkeys(map(str, samples.get(name, [])))][:SHOWN_SAMPLES],
            }
            for name in table.columns
        ]
        detected = {**job.detected, **table.detected, "attempts": 0}
    kind, mapping, note = propose(job, [column["name"] for column in listed], samples)
    claim.finish(
        ImportJob.State.MAPPING,
        columns=listed,
        detected=detected | note,
        kind=kind,
        mapping=mapping,
        row_count=count,
        done_count=count,
    )


def propose(
    job: ImportJob, names: Sequence[str], samples: dict[str, list[Any]]
) -> tuple[str, dict[str, str], dict[str, Any]]:
    """(kind, mapping, {"is_remembered", "stand_ins"}): what was confirmed for these headers last, else the best."""
    target = targets.get(job.target)
    kinds = [job.kind] if job.kind or job.target == "demand" else list(target.kinds())
    best: tuple[float, str, columns.Proposal] | None = None
    for kind in kinds:
        found = columns.propose(columns.specs_with_place(target.specs(kind)), names, samples)
        score = sum(found.scores.values()) + _geometry_fits(samples, target.geometry(kind))
        if best is None or score > best[0]:
            best = (score, kind, found)
    assert best is not None
    _score, kind, found = best
    remembered = ImportMapping.objects.filter(
        organisation=job.organisation, header_hash=columns.header_hash(names, target=job.target, kind=kind)
    ).first()
    if remembered and set(remembered.mapping.values()) <= set(names):
        return kind, remembered.mapping, {"is_remembered": True, "remembered_crs": remembered.crs, "stand_ins": []}
    return kind, found.mapping, {"is_remembered": False, "stand_ins": found.stand_ins}


def _geometry_fits(samples: dict[str, list[Any]], is_line: bool | None) -> float:
    """Lines in the file speak for the kinds that are lines, points for the others."""
    found = [shapely.from_wkb(bytes.fromhex(cell)) for cell in samples.get(tables.GEOMETRY, [])[:5]]
    found += [g for cells in samples.values() for cell in cells[:3] if (g := _wkt(cell)) is not None][:5]
    if not found or is_line is None:
        return 0.0
    lines = sum("Line" in geometry.geom_type for geometry in found) > len(found) / 2
    return 3.0 if lines == is_line else -3.0


def _wkt(cell: Any) -> shapely.Geometry | None:
    return coordinates.geometry(cell) if isinstance(cell, str) and len(cell) < 100_000 else None


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


# --- Step 4: judge every row --------------------------------------------------------------------


def check(pk: int) -> None:
    """CHECKING → READY, with a verdict and findings for every row; FAILED with a sentence."""
    claim = Claim.take(pk, ImportJob.State.CHECKING)
    if claim is None:
        return
    try:
        count_attempt(claim.job)
        claim.beat(done_count=0, detected=claim.job.detected)
        counts = _check(claim)
        claim.finish(ImportJob.State.READY, counts=counts, detected={**claim.job.detected, "attempts": 0})
    except FileRefused as refusal:
        claim.refuse(refusal)
    except Lost:
        return


def _check(claim: Claim) -> dict[str, Any]:
    job = claim.job
    checker = Checker(job)
    counts: Counter[str] = Counter()
    by_code: Counter[tuple[str, str, str]] = Counter()
    samples: dict[tuple[str, str, str], dict[str, Any]] = {}
    last = -1
    while chunk := list(ImportRow.objects.filter(job=job, number__gt=last).order_by("number")[: limits.CHUNK_ROWS]):
        last = chunk[-1].number
        drafts = checker.check(chunk)
        _write(chunk, drafts)
        for draft in drafts:
            counts[draft.verdict] += 1
            counts.update({finding.level for finding in draft.findings} - {"error"})
            for finding in draft.findings:
                key = (finding.level, finding.code, finding.column)
                by_code[key] += 1
                samples.setdefault(key, finding.as_json())
        claim.beat(done_count=job.done_count + len(chunk))
    told = [samples[key] | {"count": count} for key, count in by_code.most_common(60)]
    return {
        **{name: counts[name] for name in ("create", "update", "same", "error", "warning", "info")},
        "by_code": told,
    }


def _write(rows: Sequence[ImportRow], drafts: Sequence[Draft]) -> None:
    """Verdicts and findings of a chunk in one UPDATE: bulk_update would build a CASE per column and row."""
    data = []
    for row, draft in zip(rows, drafts, strict=True):
        cleaned = dict(draft.values)
        if draft.missing:
            cleaned["missing"] = draft.missing
        if draft.place is not None:
            cleaned["place"] = (
                draft.place.wkt if draft.place.geom_type != "Point" else f"POINT ({draft.place.x!r} {draft.place.y!r})"
            )
        data.append((row.pk, Json(cleaned), draft.verdict, Json([finding.as_json() for finding in draft.findings])))
    with transaction.atomic(), connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            "UPDATE listings_importrow r SET cleaned = v.cleaned, verdict = v.verdict, problems = v.problems"
            " FROM (VALUES %s) AS v(id, cleaned, verdict, problems) WHERE r.id = v.id",
            data,
            template="(%s::bigint, %s::jsonb, %s, %s::jsonb)",
            page_size=len(data),
        )


class Checker:
    """Cleans and judges chunk after chunk of one job; remembers codes and places of the rows before."""

    def __init__(self, job: ImportJob):
        self.job = job
        self.target = targets.get(job.target)
        self.options = Options.of(job.options)
        given = job.mapping.keys() | self.options.constants.keys()
        specs = self.target.specs(job.kind)
        self.specs = [spec for spec in specs if spec.field in given and spec.field not in columns.PLACE_FIELDS]
        self.hints = {spec.field: headers.hint(job.mapping.get(spec.field, "")) for spec in self.specs}
        self.judge = self.target.judge(job)
        self.code = "owner_code" if job.target == "resources" else "applicant_code"
        self.codes: dict[str, tuple[int, bytes]] = {}
        self.places: dict[tuple[float, float], tuple[int, str]] = {}

    def check(self, rows: Sequence[ImportRow]) -> list[Draft]:
        found = guessing.read_spots(self.job, rows)
        spots.place(found, crs=self.job.crs, options=self.options, is_line=self.target.geometry(self.job.kind))
        drafts = [self._draft(row, spot) for row, spot in zip(rows, found, strict=True)]
        self.judge.judge(drafts)
        for draft in drafts:
            self._hold_twice(draft)
        return drafts

    def _draft(self, row: ImportRow, spot: spots.Spot) -> Draft:
        draft = Draft(row.number, {}, findings=list(spot.findings))
        if overflow := row.raw.get("__overflow__"):
            draft.findings.append(error("", "row_overflow", count=overflow))
        if spot.raw is None and any(TOTAL.match(str(cell).strip()) for cell in row.raw.values()):
            draft.findings = [error("", "total_row")]
        for spec in self.specs:
            self._value(draft, row, spec)
        if spot.place is not None:
            draft.place = GEOSGeometry(memoryview(shapely.to_wkb(spot.place)), srid=4326)
        for name in self.job.detected.get("stand_ins", ()):
            if name in draft.values:
                word = "own code" if name == self.code else "name"
                draft.findings.append(
                    info(name, "name_from_other", label_word=word, value=str(draft.values[name])[:60])
                )
        return draft

    def _value(self, draft: Draft, row: ImportRow, spec: ColumnSpec) -> None:
        column = self.job.mapping.get(spec.field)
        cell = row.raw.get(column) if column else None
        reason = values.missing_reason(cell)
        hint = self.hints[spec.field]
        if reason is not None and self.options.constants.get(spec.field):
            cell, reason, hint = self.options.constants[spec.field], None, ""
        if reason is not None:
            if cell not in (None, "") and str(cell).strip():
                draft.missing[spec.field] = reason
            return
        value, findings = values.parse(cell, spec, header_hint=hint, chosen=self.options.words.get(spec.field))
        draft.findings += findings
        if value is not None and value != "":
            draft.values[spec.field] = value

    def _hold_twice(self, draft: Draft) -> None:
        """The same code or the same place in an earlier row of the file."""
        code = str(draft.values.get(self.code, "")).strip()
        if self.job.target == "demand":
            code = code and f"{draft.values.get('applicant_name', '')}\x1f{code}"
        point = draft.place if draft.place is not None and draft.place.geom_type == "Point" else None
        content = json.dumps([draft.values, draft.place.wkt if draft.place else ""], sort_keys=True, default=str)
        mark = hashlib.blake2b(content.encode(), digest_size=16).digest()
        if code and code in self.codes:
            number, before = self.codes[code]
            shown = code.split("\x1f")[-1]
            draft.findings.append(
                error("", "same_row_again", number=number)
                if before == mark
                else error(self.code, "code_twice_in_file", code=shown, number=number)
            )
            draft.verdict = "error"
            return
        if code:
            self.codes[code] = (draft.number, mark)
        if point is not None:
            key = (round(point.x, 6), round(point.y, 6))
            if key in self.places:
                draft.findings.append(warning("place", "same_place_twice", number=self.places[key][0]))
            else:
                self.places[key] = (draft.number, code)


def write_results(results: dict[int, dict[str, Any]]) -> None:
    """ImportRow.result of many rows in few statements."""
    pairs = [(pk, Json(result)) for pk, result in results.items()]
    if pairs:
        with connection.cursor() as cursor:
            execute_values(
                cursor.cursor,
                "UPDATE listings_importrow r SET result = v.result FROM (VALUES %s) AS v(id, result) WHERE r.id = v.id",
                pairs,
                template="(%s::bigint, %s::jsonb)",
                page_size=2_000,
            )
