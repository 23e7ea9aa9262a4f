"""The place check: a sample of a job's places, and which coordinate systems they can be in. Queries; stores nothing."""

from collections.abc import Sequence

import numpy as np
import shapely

from listings.imports import columns, coordinates, limits, spots, systems, targets, values
from listings.imports.region_names import RegionNames, prefix_of
from listings.models import ImportJob, ImportRow
from listings.places import Spot as LonLat
from listings.region_lookup import regions_at


def sample_spots(job: ImportJob, count: int = limits.PREVIEW_ROWS) -> tuple[list[ImportRow], list[spots.Spot]]:
    """Up to `count` rows spread over the file, with their raw geometry. Queries once."""
    step = max(1, job.row_count // count)
    rows = ImportRow.objects.filter(job=job).order_by("number")
    if step > 1:
        rows = rows.extra(where=["id %% %s = 0"], params=[step])  # ids are dense within a job
    found = list(rows.only("number", "raw")[:count])
    return found, read_spots(job, found)


def read_spots(job: ImportJob, rows: Sequence[ImportRow]) -> list[spots.Spot]:
    raws = [row.raw for row in rows]
    lat_first = "coordinates" in job.mapping and spots.is_lat_first(raws, job.mapping["coordinates"])
    return spots.read(raws, job.mapping, lat_first=lat_first)


def guess_system(job: ImportJob, rows: Sequence[ImportRow], found: Sequence[spots.Spot]) -> list[systems.Candidate]:
    """The likely coordinate systems of the job's file, from a sample. Queries some times. Raises FileRefused."""
    live = [(row, spot) for row, spot in zip(rows, found, strict=True) if spot.raw is not None]
    xy = np.array([shapely.get_coordinates(spot.raw)[0] for _row, spot in live]) if live else np.zeros((0, 2))
    prefix = job.organisation.region.prefix

    def inside(lon: np.ndarray, lat: np.ndarray) -> float:
        pick = np.linspace(0, len(lon) - 1, min(60, len(lon))).astype(int)
        asked = [LonLat(float(lon[i]), float(lat[i])) for i in pick if np.isfinite(lon[i]) and abs(lat[i]) <= 90]
        return sum(bool(code and code.startswith(prefix)) for code in regions_at(asked)) / max(1, len(pick))

    def where(lon: np.ndarray, lat: np.ndarray) -> list[str | None]:
        good = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90)
        codes = iter(regions_at([LonLat(float(a), float(b)) for a, b in zip(lon[good], lat[good], strict=True)]))
        return [next(codes) if ok else None for ok in good]

    words = [job.detected.get("title", ""), str(job.detected.get("sheet", "")), job.file_name]
    words += [column for name, column in job.mapping.items() if name in columns.PLACE_FIELDS]
    return systems.candidates(
        systems.Evidence(
            xy[:, 0],
            xy[:, 1],
            words=" ".join(words).replace("_", " "),
            file_crs=job.detected.get("crs", "") or _ewkt_system(job, rows),
            is_by_format=bool(job.detected.get("is_crs_by_format")),
            inside=inside,
            known=_known(job, live),
            declared=_declared(job, live),
            where=where,
        )
    )


def _ewkt_system(job: ImportJob, rows: Sequence[ImportRow]) -> str:
    """The system that EWKT cells name ("SRID=4547;POINT…"); "" where they name none, or several."""
    column = job.mapping.get("wkt")
    found = {coordinates.srid_of(row.raw.get(column)) for row in rows} if column else set()
    numbers = found - {0}
    return f"EPSG:{numbers.pop()}" if len(numbers) == 1 else ""


def _declared(job: ImportJob, live: Sequence[tuple[ImportRow, spots.Spot]]) -> list[tuple[int, str]]:
    """(index, code prefix) of the rows whose division column, address or name tells their division; at most 60."""
    names = RegionNames()
    told = []
    for field in ("region", "address", "name", "title"):
        column = job.mapping.get(field)
        if not column:
            continue
        for i, (row, _spot) in enumerate(live):
            text = values.plain(row.raw.get(column))
            code = names.code_of(text) if field == "region" else names.code_at_start(text)
            if code and code != "100000":
                told.append((i, prefix_of(code)))
        if len(told) >= systems.DECLARED_MIN:
            step = max(1, len(told) // 60)
            return told[::step][:60]
    return []


def _known(job: ImportJob, live: Sequence[tuple[ImportRow, spots.Spot]]) -> list[tuple[int, float, float]]:
    code = "owner_code" if job.target == "resources" else "applicant_code"
    column = job.mapping.get(code)
    codes = [values.plain(row.raw.get(column)) if column else "" for row, _spot in live]
    places = targets.get(job.target).known_places(job, codes) if any(codes) else {}
    known = []
    for i, text in enumerate(codes):
        if text in places and places[text].geom_type == "Point":
            known.append((i, places[text].x, places[text].y))
    return known
