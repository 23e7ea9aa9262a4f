"""Lines of a demand list as CSV and GeoJSON. Streams; a few queries however many lines."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON, AsWKT
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from listings.demand_links import list_path
from listings.models import DemandLine, Kind
from listings.models.capacity import Unit
from listings.wording import quantity_text

CHUNK = 2_000
COORDINATE_DECIMALS = 6  # about 0.1 m
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

UNIT_OF_KIND: dict[str, Unit] = {
    Kind.TOWER: Unit.POSITION,
    Kind.DUCT: Unit.BORE,
    Kind.CABLE: Unit.CORE,
    Kind.ROOM: Unit.RACK_U,
}


def asked_text(kind: str, quantity: int, power_kw: Any = None) -> str:
    """What a line asks, in words: "2 bores", "12 U · 3 kW"."""
    text = quantity_text(quantity, UNIT_OF_KIND[kind])
    return f"{text} · {quantity_text(power_kw, Unit.KW)}" if power_kw else text


def safe_cell(value: Any) -> Any:
    """The value so that no spreadsheet takes it for a formula: an apostrophe before =, +, -, @, tab and return."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


class _Echo:
    def write(self, value: str) -> str:
        return value


def lines_csv(lines: QuerySet[DemandLine], file_name: str) -> StreamingHttpResponse:
    """The lines as CSV with a byte-order mark (spreadsheets then read UTF-8), places as WKT in EPSG:4326."""
    return StreamingHttpResponse(
        _csv_rows(lines, get_language() or "en"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _csv_rows(lines: QuerySet[DemandLine], language: str) -> Iterator[str]:
    writer = csv.writer(_Echo())
    with override(language):  # the stream is read after the view has returned
        header = [
            _("number"), _("title"), _("kind"), _("quantity"), _("unit"), _("power (kW)"), _("applicant"),
            _("applicant's own code"), _("height from (m)"), _("height to (m)"), _("inner diameter at least (mm)"),
            _("tolerance (m)"), _("needed by"), _("for (months)"), _("priority"), _("budget ceiling per year (¥)"),
            _("state"), _("notes"), _("place (WKT, EPSG:4326)"),
        ]  # fmt: skip
        yield "\ufeff" + writer.writerow(header)
        rows = lines.select_related("applicant").annotate(wkt=AsWKT("place")).defer("place")
        for line in rows.iterator(chunk_size=CHUNK):
            ceiling = None if line.ceiling_fen_per_year is None else line.ceiling_fen_per_year / 100
            cells = [
                line.number, line.title, line.get_kind_display(), line.quantity, UNIT_OF_KIND[line.kind].label,
                line.power_kw, line.who, line.applicant_code, line.height_min_m, line.height_max_m, line.bore_mm,
                line.tolerance_m, line.needed_by, line.months, line.get_priority_display(), ceiling,
                line.get_state_display(), line.notes, line.wkt,
            ]  # fmt: skip
            yield writer.writerow([safe_cell(str(cell)) if cell is not None else "" for cell in cells])


def lines_geojson(lines: QuerySet[DemandLine], reference: str, *, as_download: bool = False) -> StreamingHttpResponse:
    """The lines as a FeatureCollection (RFC 7946, WGS84). Properties label, url, kind, tone are what the map reads."""
    headers = {"Content-Disposition": f'attachment; filename="{reference}.geojson"'} if as_download else {}
    return StreamingHttpResponse(
        _features(lines, reference, get_language() or "en"), content_type="application/geo+json", headers=headers
    )


def _features(lines: QuerySet[DemandLine], reference: str, language: str) -> Iterator[str]:
    rows = lines.annotate(shape=AsGeoJSON("place", precision=COORDINATE_DECIMALS)).values_list(
        "number", "title", "kind", "quantity", "power_kw", "state", "shape"
    )
    with override(language):
        base = list_path(reference)
        yield '{"type":"FeatureCollection","features":['
        glue = ""
        for number, title, kind, quantity, power_kw, state, shape in rows.iterator(chunk_size=CHUNK):
            properties = {
                "number": number,
                "label": f"{number} · {title} ({asked_text(kind, quantity, power_kw)})",
                "url": f"{base}{number}/",
                "kind": kind,
                "quantity": quantity,
                "state": state,
                "tone": "free" if state == "fulfilled" else "demand",
                "is_blurred": False,
            }
            told = json.dumps(properties, ensure_ascii=False)
            yield f'{glue}{{"type":"Feature","geometry":{shape},"properties":{told}}}'
            glue = ","
        yield "]}"
