"""What the import pages show, put together from jobs and rows. Queries only where said."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from django.db import connection
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import Region
from listings.imports import columns, form_words, guessing, headers, money, spots, systems, targets, values
from listings.imports import progress as storing
from listings.imports.findings import FileRefused, worded
from listings.imports.options import Options
from listings.imports.report import label_of, labels
from listings.imports.sentences import REASONS
from listings.imports.tables import GEOMETRY
from listings.kinds.part_columns import PART_KINDS
from listings.kinds.registry import SPECS
from listings.kinds.spec import ColumnSpec
from listings.models import ImportJob
from listings.models.resources import Kind

State = ImportJob.State
BUSY = (State.UPLOADED, State.READING, State.CHECKING, State.STORING)
STEP_OF = {
    State.UPLOADED: 1,
    State.READING: 1,
    State.MAPPING: 2,
    State.PLACING: 3,
    State.CHECKING: 4,
    State.READY: 4,
    State.STORING: 4,
    State.DONE: 4,
    State.FAILED: 1,
    State.CANCELLED: 1,
    State.UNDONE: 4,
}
COLOURS = 4  # candidates drawn on the map
SHOWN_POINTS = 300
WORDS_MAX = 30


def steps(job: ImportJob | None, now: int) -> list[dict[str, Any]]:
    """The four steps with where one is and where one can go back to."""
    reached = STEP_OF[State(job.state)] if job else 1
    names = [
        ("import_new", _("File")),
        ("import_mapping", _("Columns")),
        ("import_place", _("Place check")),
        ("import_report", _("Report")),
    ]
    if job is not None and not targets.has_place(job):
        del names[2]
        now = min(now, 3)
    can_go = job is not None and job.state in (State.MAPPING, State.PLACING, State.READY)
    return [
        {
            "number": i,
            "label": label,
            "url_name": name if can_go and 1 < i <= reached and i != now else "",
            "state": "current" if i == now else "done" if i < max(reached, now) else "todo",
        }
        for i, (name, label) in enumerate(names, 1)
    ]


def progress(job: ImportJob) -> dict[str, Any]:
    """pct, stage and count for the bar."""
    words = {
        State.UPLOADED: _("Waiting for its turn"),
        State.READING: _("Reading the file"),
        State.CHECKING: _("Checking the rows"),
        State.STORING: _("Storing the rows"),
    }
    done, total = job.done_count, 0
    if job.state == State.READING:
        total = max(job.detected.get("expected_rows", 0), done)
    elif job.state == State.CHECKING:
        total = job.row_count
    elif job.state == State.STORING:
        done, total = storing.told(job.pk), job.counts.get("create", 0) + job.counts.get("update", 0)
    pct = round(100 * done / total) if total else 0
    count = ""
    if total:
        count = _("%(done)s of %(total)s rows") % {"done": number_format(done), "total": number_format(total)}
    stage = words.get(job.state, "")
    if job.state == State.STORING and storing.is_cancel_asked(job.pk):
        stage = _("Stopping: nothing will be stored")
    return {"pct": min(pct, 99), "stage": stage, "count_text": count}


def refusal_of(job: ImportJob) -> str:
    """Why the file was refused, in the reader's language."""
    told = job.detected.get("refusal")
    if told:
        words = worded({"level": "error", "column": "", **told})
        return f"{words['message']} {words['fix']}".strip()
    return job.refusal


def file_facts(job: ImportJob) -> list[tuple[str, str]]:
    """What was found out about the file: (label, value)."""
    found = job.detected
    delimiter = {",": ",", ";": ";", "\t": _("tab"), "|": "|"}.get(found.get("delimiter", ""), "")
    facts = [
        (_("Rows"), number_format(job.row_count, force_grouping=True)),
        (_("Format"), job.format.upper()),
        (
            _("Encoding"),
            {"gb18030": "GB18030 (GBK)", "utf-8-sig": "UTF-8"}.get(
                found.get("encoding", ""), found.get("encoding", "")
            ),
        ),
        (_("Separator"), delimiter),
        (_("Sheet or layer"), str(found.get("sheet", ""))),
        (_("Header in row"), ", ".join(map(str, found.get("header_rows", [])))),
        (_("Coordinate system of the file"), found.get("crs", "")),
    ]
    return [(label, value) for label, value in facts if value]


# --- Columns ------------------------------------------------------------------------------------


@dataclass
class FieldRow:
    """One field of the columns page."""

    field: str
    label: str
    unit: str
    is_required: bool
    column: str
    samples: list[str]
    constant: str
    choices: list[tuple[str, str]]
    unknown: list[dict[str, Any]]  # {"text", "count", "value", "name"}: words of the file that mean none of the choices
    is_open: bool  # filled by the file, or needed
    note: str  # a word of warning about the column chosen
    is_place: bool  # a coordinate or the code: the same for all rows makes no sense


def field_rows(job: ImportJob) -> list[FieldRow]:
    """The fields a file can fill, mapped ones and required ones first. One query per mapped choice column."""
    options = Options.of(job.options)
    samples = {column["name"]: column["samples"] for column in job.columns}
    rows = []
    for spec in columns.specs_with_place(targets.get(job.target).specs(job.kind)):
        if spec.field == "geometry" and GEOMETRY not in samples:
            continue
        column = job.mapping.get(spec.field, "")
        constant = options.constants.get(spec.field, "")
        is_choice = spec.type in ("choice", "choices")
        choices = [(value, form_words.shown(spec, value)) for value in spec.choices] if is_choice else []
        unknown = _unknown_words(job, spec, column, options) if choices and column else []
        shown = [_("geometry")] if column == GEOMETRY else _converted(spec, column, samples.get(column, []))
        rows.append(
            FieldRow(
                spec.field,
                label_of(spec),
                spec.unit,
                spec.required,
                column,
                shown,
                constant,
                choices,
                unknown,
                bool(column or constant or spec.required),
                _note(spec, column, job.mapping),
                spec.field in columns.PLACE_FIELDS or spec.field in columns.CODE_FIELDS,
            )
        )
    return rows


def _converted(spec: ColumnSpec, column: str, samples: list[str]) -> list[str]:
    """The first cells of a column; a price of another period, or in other words, with what it is taken for."""
    if not money.is_price(spec):
        return samples
    taken = [values.parse(cell, spec, header=column)[0] if values.missing_reason(cell) is None else None
             for cell in samples]  # fmt: skip
    pairs = zip(samples, taken, strict=True)
    return [cell if value in (None, cell) else f"{cell} → {value} {spec.unit}" for cell, value in pairs]


def _note(spec: ColumnSpec, column: str, mapping: dict[str, str]) -> str:
    """What is weak about the column an own code is taken from."""
    if spec.field not in columns.CODE_FIELDS or not column:
        return ""
    if headers.fold(column) in columns.RUNNING_NUMBERS:
        return _("A running number: the next export may count differently, and would then change other entries.")
    if columns.name_score(column, spec) < columns.SURE and column in (mapping.get("name"), mapping.get("title")):
        return _("The name stands in for the code: an entry renamed later comes in as a new one.")
    return ""


def _unknown_words(job: ImportJob, spec: Any, column: str, options: Options) -> list[dict[str, Any]]:
    """The commonest texts of a choice column that are not exactly its words, with what was said or guessed of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT raw->>%s AS text, count(*) FROM listings_importrow WHERE job_id = %s AND raw ? %s"
            " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 200",
            [column, job.pk, column],
        )
        found = cursor.fetchall()
    chosen = options.words.get(spec.field, {})
    unknown: dict[str, dict[str, Any]] = {}
    for text, count in found:
        plain = values.plain(text)
        guess, how, _near = values.choice(text, spec, {})
        if values.missing_reason(text) is None and how and plain not in unknown:
            name = f"word-{spec.field}-{len(unknown)}"
            unknown[plain] = {"text": plain, "count": count, "value": chosen.get(plain, guess or ""), "name": name}
    return list(unknown.values())[:WORDS_MAX]


def kind_choices() -> list[tuple[str, str]]:
    """What a file of an owner can hold: the kinds of resources, and parts of them."""
    parts = [(kind.name, str(kind.label)) for kind in PART_KINDS.values()]
    return [*((value, str(label)) for value, label in Kind.choices), *parts]


def template_links() -> list[tuple[str, str, str]]:
    """(kind, label, icon) of every table an owner can fill."""
    icons = {kind: spec.icon for kind, spec in SPECS.items()} | {kind.name: kind.icon for kind in PART_KINDS.values()}
    return [(kind, label, icons[kind]) for kind, label in kind_choices()]


# --- The place check ----------------------------------------------------------------------------


@dataclass
class Reading:
    """One candidate system as the page shows it."""

    key: str
    label: str
    pct: int
    reasons: list[str]
    inside_pct: int
    shift_m: int | None  # median distance to the likeliest reading
    samples: list[str]
    is_checked: bool
    features: list[dict[str, Any]]


def key_of(code: str, is_swapped: bool) -> str:
    return f"{code}~swapped" if is_swapped else code


def readings(job: ImportJob, extra: str = "") -> tuple[list[Reading], int, str]:
    """(candidates, share of the sample outside China in %, refusal). extra: a system the person asked to try."""
    rows, found = guessing.sample_spots(job)
    try:
        candidates = guessing.guess_system(job, rows, found)
    except FileRefused as refusal:
        return [], 0, str(refusal)
    if extra and extra not in [candidate.code for candidate in candidates if not candidate.is_swapped]:
        candidates.append(systems.Candidate(extra, confidence=0.0, reasons=["chosen"]))
    remembered = job.crs or job.detected.get("remembered_crs", "")
    options = Options.of(job.options)
    wanted = extra or (key_of(job.crs, options.is_swapped) if job.crs else "")
    names = [
        str(row.raw.get(job.mapping.get("name") or job.mapping.get("title") or "", "")) or f"#{row.number}"
        for row in rows
    ]
    list_ = []
    first: np.ndarray | None = None
    for candidate in candidates[: COLOURS + 2]:
        features, coordinates = _placed(found, names, candidate)
        if first is None:
            first = coordinates
        key = key_of(candidate.code, candidate.is_swapped)
        sure = candidate is candidates[0] and candidate.confidence >= systems.PRESELECT and not wanted
        list_.append(
            Reading(
                key=key,
                label=_reading_label(candidate),
                pct=round(100 * candidate.confidence),
                reasons=_reasons(candidate, remembered),
                inside_pct=round(100 * candidate.inside_share),
                shift_m=_shift_m(first, coordinates),
                samples=_samples(features),
                is_checked=key == wanted
                or sure
                or (not wanted and remembered == candidate.code and not candidate.is_swapped),
                features=features,
            )
        )
    outside = _outside_pct(first)
    return list_, outside, ""


def _reasons(candidate: systems.Candidate, remembered: str) -> list[str]:
    told = [str(REASONS[code]) for code in candidate.reasons]
    if remembered == candidate.code and not candidate.is_swapped:
        told.insert(0, str(REASONS["remembered"]))
    if candidate.declared_share is not None:
        pct = round(100 * candidate.declared_share)
        told.append(_("%(pct)s %% of the rows that name their division lie in it") % {"pct": pct})
    return told


def outline(region: Region) -> dict[str, Any] | None:
    """The region's outline for the map, thinned out; None without one or for the whole nation. Queries once."""
    if region.level == Region.Level.NATION:
        return None
    tolerance_deg = {1: 0.02, 2: 0.005}.get(region.level, 0.001)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_AsGeoJSON(ST_SimplifyPreserveTopology(polygon, %s), 4) FROM accounts_region WHERE code = %s",
            [tolerance_deg, region.pk],
        )
        row = cursor.fetchone()
    return {"type": "Feature", "properties": {}, "geometry": json.loads(row[0])} if row and row[0] else None


def _reading_label(candidate: systems.Candidate) -> str:
    label = systems.label(candidate.code)
    return _("%(system)s, the two columns exchanged") % {"system": label} if candidate.is_swapped else label


def _placed(found: list[spots.Spot], names: list[str], candidate: systems.Candidate) -> tuple[list[dict], np.ndarray]:
    """GeoJSON features of the sample under one reading, and the first coordinate of each (NaN where it has none)."""
    firsts = np.full((len(found), 2), np.nan)
    live = [i for i, spot in enumerate(found) if spot.raw is not None]
    if not live:
        return [], firsts
    moved = shapely.transform(  # all at once: a call for each place would cost half a second
        shapely.force_2d(np.array([found[i].raw for i in live], dtype=object)),
        lambda xy: np.column_stack(systems.to_wgs84(candidate.code, *(xy[:, ::-1] if candidate.is_swapped else xy).T)),
    )
    shown, labels = [], []
    for i, geometry in zip(live, moved, strict=True):
        xy = shapely.get_coordinates(geometry)
        if not len(xy) or not np.isfinite(xy).all() or np.abs(xy[:, 0]).max() > 180 or np.abs(xy[:, 1]).max() > 90:
            continue
        firsts[i] = xy[0]
        if len(shown) < SHOWN_POINTS:
            shown.append(shapely.simplify(geometry, 0.0005) if len(xy) > 50 else geometry)
            labels.append(names[i][:80])
    texts = shapely.to_geojson(shapely.set_precision(np.array(shown, dtype=object), 1e-6)) if shown else []
    features = [
        {"type": "Feature", "properties": {"label": label}, "geometry": json.loads(text)}
        for label, text in zip(labels, texts, strict=True)
    ]
    return features, firsts


def _shift_m(first: np.ndarray, here: np.ndarray) -> int | None:
    both = np.isfinite(first[:, 0]) & np.isfinite(here[:, 0])
    if first is here or not both.any():
        return None
    return round(float(np.median(systems.metres_between(first[both, 0], first[both, 1], here[both, 0], here[both, 1]))))


def _samples(features: list[dict[str, Any]]) -> list[str]:
    """Three places in numbers, for who cannot see the map."""
    texts = []
    for feature in features[:3]:
        spot = feature["geometry"]["coordinates"]
        while isinstance(spot[0], list):
            spot = spot[0]
        texts.append(f"{feature['properties']['label']}: {spot[0]:.5f}, {spot[1]:.5f}")
    return texts


def _outside_pct(firsts: np.ndarray | None) -> int:
    if firsts is None or not len(firsts):
        return 0
    found = firsts[np.isfinite(firsts[:, 0])]
    return round(100 * (1 - systems._share_in_china(found[:, 0], found[:, 1]))) if len(found) else 0


# --- The report ---------------------------------------------------------------------------------


def summary(job: ImportJob) -> list[dict[str, Any]]:
    """What was found, by kind of finding and column, each with one example in words; gravest first."""
    names = labels(job)
    order = {"error": 0, "warning": 1, "info": 2}
    rows = [
        {
            **worded(row),
            "count": row["count"],
            "label": names.get(row["column"], row["column"]),
            "level_label": level_label(row["level"]),
        }
        for row in job.counts.get("by_code", [])
    ]
    return sorted(rows, key=lambda row: (order[row["level"]], -row["count"]))


def level_label(level: str) -> str:
    return {"error": _("Error"), "warning": _("Warning"), "info": _("Note")}[level]
