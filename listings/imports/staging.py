"""The work on a job between two answers of the person: read the file, propose, judge every row. Resumable.

Each step claims the job by its heartbeat and keeps it up: a job whose heartbeat stops is taken up by another worker,
which starts the step again. Nothing here touches resources or demand lines.
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg2.extras import Json, execute_values

from listings.copying import Table, copy
from listings.imports import columns, coordinates, headers, limits, tables, targets, templates
from listings.imports.checking import Checker
from listings.imports.findings import FileRefused, sentence
from listings.imports.options import Options
from listings.imports.targets import Draft
from listings.kinds.part_columns import PART_KINDS
from listings.models import ImportJob, ImportMapping, ImportRow

SAMPLES = 60  # cells per column kept for proposals
SHOWN_SAMPLES = 3
RETRIES_MAX = 3


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
    specs = [spec for kind in target.kinds() for spec in target.specs(kind)]
    if job.demand_list_id is None:  # a file nobody said anything of may hold parts
        specs += [spec for kind in PART_KINDS.values() for spec in kind.columns]
    words = headers.words_of(columns.specs_with_place(specs))
    count, samples, staged = 0, {}, Table(ImportRow, job=job.pk)
    with tables.open_table(Path(job.file.path), job.format, words, options.sheet) as table:
        claim.beat(detected={**job.detected, "expected_rows": table.expected})
        for chunk in _chunks(table.rows, limits.CHUNK_ROWS):
            copy(staged.name, staged.columns, (staged.line({"number": number, "raw": raw}) for number, raw in chunk))
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
    if kind in PART_KINDS:
        job.target = ImportJob.Target.PARTS
    after = ImportJob.State.PLACING if targets.has_place(job) else ImportJob.State.CHECKING
    claim.finish(
        after if note.get("is_template") else ImportJob.State.MAPPING,
        target=job.target,
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
    """(kind, mapping, what there is to say of it): our template's own, what was confirmed for these headers last, else
    the best by names and values."""
    target = targets.get(job.target)
    for kind in PART_KINDS if job.target == "resources" and not job.kind else ():
        if templates.is_template(names, "parts", kind):
            return kind, templates.mapping_of(names, "parts", kind), {"is_template": True, "stand_ins": []}
    for kind in [job.kind] if job.kind or job.target != "resources" else target.kinds():
        if templates.is_template(names, job.target, kind):
            return kind, templates.mapping_of(names, job.target, kind), {"is_template": True, "stand_ins": []}
    kinds = [job.kind] if job.kind or job.target != "resources" else list(target.kinds())
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
    tally = Tally()
    said = Q(problems=[]) & Q(verdict=ImportRow.Verdict.CREATE)
    ImportRow.objects.filter(job=job).exclude(said).update(problems=[], verdict=ImportRow.Verdict.CREATE)
    last = -1
    rows = ImportRow.objects.filter(job=job).order_by("number").only("number", "raw")
    while chunk := list(rows.filter(number__gt=last)[: limits.CHUNK_ROWS]):
        last = chunk[-1].number
        drafts = checker.check(chunk)
        _write(chunk, drafts)
        tally.add(drafts)
        claim.beat(done_count=job.done_count + len(chunk))
    return tally.as_json()


class Tally:
    """Counts verdicts and findings, and keeps one example of each kind of finding."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.by_code: Counter[tuple[str, str, str]] = Counter()
        self.samples: dict[tuple[str, str, str], dict[str, Any]] = {}

    def add(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            self.counts[draft.verdict] += 1
            if not draft.findings:
                continue
            self.counts.update({finding.level for finding in draft.findings} - {"error"})
            for finding in draft.findings:
                key = (finding.level, finding.code, finding.column)
                self.by_code[key] += 1
                if key not in self.samples:
                    self.samples[key] = finding.as_json()

    def as_json(self) -> dict[str, Any]:
        told = [self.samples[key] | {"count": count} for key, count in self.by_code.most_common(60)]
        names = ("create", "update", "same", "error", "skip", "warning", "info")
        return {**{name: self.counts[name] for name in names}, "by_code": told}


def _write(rows: Sequence[ImportRow], drafts: Sequence[Draft]) -> None:
    """Verdicts and findings of a chunk in one UPDATE; a new row of which nothing is said stays as it is."""
    data = [
        (row.pk, draft.verdict, Json([finding.as_json() for finding in draft.findings]))
        for row, draft in zip(rows, drafts, strict=True)
        if draft.findings or draft.verdict != ImportRow.Verdict.CREATE
    ]
    if not data:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            "UPDATE listings_importrow r SET verdict = v.verdict, problems = v.problems"
            " FROM (VALUES %s) AS v(id, verdict, problems) WHERE r.id = v.id",
            data,
            template="(%s::bigint, %s, %s::jsonb)",
            page_size=len(data),
        )


def write_results(results: Mapping[int, Mapping[str, Any]]) -> None:
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
