"""Lines of a demand list as CSV and GeoJSON. Streams; a few queries however many lines."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON, AsWKT
from django.db.models import F, QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from listings.demand_links import list_path
from listings.models import DemandLine, Kind
from listings.models.capacity import Unit
from listings.wording import quantity_text

CHUNK = 2_000
COORDINATE_DECIMALS = 6  # about 0.1 m
FEN_PER_YUAN = 100
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

UNIT_OF_KIND: dict[str, Unit] = {
    Kind.TOWER: Unit.POSITION,
    Kind.DUCT: Unit.BORE,
    Kind.CABLE: Unit.CORE,
    Kind.ROOM: Unit.RACK_U,
}


def asked_text(kind: str, quantity: int, power_kw: Any = None, room_u: int | None = None) -> str:
    """What a line asks, in words: "2 bores", "12 U · 3 kW", "2 antenna positions · 10 U · 3 kW"."""
    parts = [quantity_text(quantity, UNIT_OF_KIND[kind])]
    parts += [quantity_text(room_u, Unit.RACK_U)] if room_u else []
    parts += [quantity_text(power_kw, Unit.KW)] if power_kw else []
    return " · ".join(parts)


def safe_cell(value: Any) -> Any:
    """The value so that no spreadsheet takes it for a formula: an apostrophe before =, +, -, @, tab and return."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


class _Asked(dict[tuple[str, int, Any, int | None], str]):
    """asked_text() by (kind, quantity, power_kw, room_u), worded once for each."""

    def __missing__(self, key: tuple[str, int, Any, int | None]) -> str:
        self[key] = asked_text(*key)
        return self[key]


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
            _("number"), _("title"), _("kind"), _("quantity"), _("unit"), _("room at the same site (U)"),
            _("power (kW)"), _("applicant"), _("applicant's own code"), _("height from (m)"), _("height to (m)"),
            _("inner diameter at least (mm)"), _("cable to be pulled (mm)"), _("tolerance (m)"), _("needed by"),
            _("for (months)"), _("priority"), _("budget ceiling per year (¥)"), _("state"), _("notes"),
            _("place (WKT, EPSG:4326)"),
        ]  # fmt: skip
        yield "\ufeff" + writer.writerow(header)
        # Labels once and plain tuples: a model and five translated labels for each of 10,000 lines take seconds.
        kinds = {value: str(label) for value, label in Kind.choices}
        units = {kind: str(unit.label) for kind, unit in UNIT_OF_KIND.items()}
        states = {value: str(label) for value, label in DemandLine.State.choices}
        priorities = {value: str(label) for value, label in DemandLine.Priority.choices}
        name_field = "applicant__name_en" if language.startswith("en") else "applicant__name_zh"
        rows = lines.annotate(wkt=AsWKT("place"), name=F(name_field)).values_list(
            "number", "title", "kind", "quantity", "room_u", "power_kw", "name", "applicant__name_zh", "applicant_name",
            "applicant_code", "height_min_m", "height_max_m", "bore_mm", "cable_mm", "tolerance_m", "needed_by",
            "months", "priority", "ceiling_fen_per_year", "state", "notes", "wkt",
        )  # fmt: skip
        for row in rows.iterator(chunk_size=CHUNK):
            number, title, kind, quantity, room_u, power_kw, name, name_zh, own_name, *facts = row
            code, low_m, high_m, bore_mm, cable_mm, tolerance_m, needed_by, months, *rest = facts
            priority, fen, state, notes, wkt = rest
            cells = [
                number, title, kinds[kind], quantity, units[kind], room_u, power_kw, name or name_zh or own_name, code,
                low_m, high_m, bore_mm, cable_mm, tolerance_m, needed_by, months, priorities[priority],
                None if fen is None else fen / FEN_PER_YUAN, states[state], notes, wkt,
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
        "number", "title", "kind", "quantity", "power_kw", "room_u", "state", "shape"
    )
    with override(language):
        base = list_path(reference)
        yield '{"type":"FeatureCollection","features":['
        glue = ""
        asked = _Asked()
        for number, title, kind, quantity, power_kw, room_u, state, shape in rows.iterator(chunk_size=CHUNK):
            properties = {
                "number": number,
                "label": f"{number} · {title} ({asked[kind, quantity, power_kw, room_u]})",
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
