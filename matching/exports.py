"""A run as xlsx, GeoPackage and JSON, as far as the reader may see it: names and places through visible_to()."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.gis.db.models.functions import AsWKB, Centroid
from django.http import HttpResponse
from django.utils.translation import gettext as _
from openpyxl import Workbook
from pyogrio.raw import write as write_layer
from shapely import from_wkb, get_coordinates, linestrings, points, to_wkb

from accounts.models import Membership
from listings.demand_exports import FEN_PER_YUAN, safe_cell
from listings.models import Resource

from . import presenters
from .models import MatchRun

CHUNK = 2_000
FORMATS = ("xlsx", "gpkg", "json")


def _rows(run: MatchRun, membership: Membership | None) -> Iterator[Any]:
    results = run.results.select_related("line__applicant").order_by("line__number")
    results = results.annotate(point=AsWKB(Centroid("line__place")))
    batch = []
    for result in results.iterator(chunk_size=CHUNK):
        batch.append(result)
        if len(batch) == CHUNK:
            yield from presenters.attach(batch, membership)
            batch = []
    yield from presenters.attach(batch, membership)


def _columns(result: Any) -> dict[str, Any]:
    resource = result.shown["resource"]
    return {
        "number": result.line.number,
        "title": result.line.title,
        "kind": result.line.kind,
        "applicant": result.line.who,
        "verdict": result.verdict,
        "why": result.shown["sentence"],
        "resource": resource.name if resource else "",
        "owner": resource.owner.name if resource else "",
        "distance_m": result.distance_m,
        "score": result.score,
        "cost_yuan_per_year": None if result.cost_fen_per_year is None else result.cost_fen_per_year / FEN_PER_YUAN,
    }


def as_download(run: MatchRun, membership: Membership | None, file_format: str) -> HttpResponse:
    """The whole run as a file. file_format: one of FORMATS."""
    name = f"{run.demand_list.reference}-run{run.number}.{file_format}"
    content, kind = {"xlsx": _xlsx, "gpkg": _gpkg, "json": _json}[file_format](run, membership)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type=kind, headers=headers)


def _json(run: MatchRun, membership: Membership | None) -> tuple[str, str]:
    lines = [
        _columns(result) | {"reasons": result.reasons, "alternatives": result.alternatives}
        for result in _rows(run, membership)
    ]
    body = {"list": run.demand_list.reference, "run": run.number, "parameters": run.parameters, "figures": run.figures}
    return json.dumps(body | {"lines": lines}, ensure_ascii=False), "application/json"


def _xlsx(run: MatchRun, membership: Membership | None) -> tuple[bytes, str]:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Lines"))
    sheet.append(
        [
            _("number"),
            _("title"),
            _("kind"),
            _("applicant"),
            _("verdict"),
            _("why"),
            _("resource"),
            _("owner"),
            _("distance (m)"),
            _("score"),
            _("cost per year (¥)"),
        ]  # fmt: skip
    )
    for result in _rows(run, membership):
        cells = _columns(result) | {
            "kind": result.line.get_kind_display(), "verdict": result.get_verdict_display(),
        }  # fmt: skip
        sheet.append([safe_cell(str(v) if not isinstance(v, int | float | None) else v) for v in cells.values()])
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        book.save(file.name)
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Path(file.name).read_bytes(), kind


def _gpkg(run: MatchRun, membership: Membership | None) -> tuple[bytes, str]:
    """Layers "lines" (a point each) and "links" (from a line to what serves it, as the reader is shown it)."""
    rows = list(_rows(run, membership))
    wanted = {result.resource_id for result in rows if result.resource_id}
    supply = {
        pk: (x, y)
        for pk, x, y in (
            (r.pk, *r.middle.coords)
            for r in Resource.objects.visible_to(membership)
            .filter(pk__in=wanted)
            .annotate(middle=Centroid("shown_place"))
        )
    }
    at = [get_coordinates(from_wkb(bytes(result.point)))[0].tolist() for result in rows]
    columns = [_columns(result) for result in rows]
    linked = [i for i, result in enumerate(rows) if result.resource_id in supply]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.gpkg"
        _write(path, "lines", points(np.array(at)) if at else points(np.zeros((0, 2))), columns)
        ends = [[at[i], supply[rows[i].resource_id]] for i in linked]
        if ends:
            _write(path, "links", linestrings(np.array(ends)), [columns[i] for i in linked], append=True)
        return path.read_bytes(), "application/geopackage+sqlite3"


def _write(path: Path, layer: str, shapes: Any, rows: list[dict[str, Any]], *, append: bool = False) -> None:
    names = list(rows[0]) if rows else ["number"]
    data = []
    for name in names:
        values = [row[name] for row in rows]
        if name in ("distance_m", "score", "cost_yuan_per_year"):
            data.append(np.array([np.nan if v is None else v for v in values], dtype=float))
        elif name == "number":
            data.append(np.array(values, dtype=np.int64))
        else:
            data.append(np.array([str(v) for v in values], dtype=object))
    write_layer(
        str(path), geometry=to_wkb(shapes), field_data=data, fields=names, layer=layer, driver="GPKG",
        geometry_type="Point" if layer == "lines" else "LineString", crs="EPSG:4326", append=append,
    )  # fmt: skip
