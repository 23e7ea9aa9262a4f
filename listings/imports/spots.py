"""The place of each row: read from whatever columns give it, carried over to WGS84, and its slips named. No queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from listings.imports import coordinates, systems, values
from listings.imports.findings import Finding, error, info, warning
from listings.imports.options import Options
from listings.imports.tables import GEOMETRY
from listings.places import CHINA_BOX

NULL_DEG = 1e-6
FAR_KM_MIN = 500.0
DIGITS = 7  # of a degree: 1 cm


@dataclass
class Spot:
    """raw: the geometry in the file's own numbers. place: in WGS84, None where a finding says why."""

    raw: shapely.Geometry | None = None
    place: shapely.Geometry | None = None
    findings: list[Finding] = field(default_factory=list)
    is_exchanged: bool = False  # a hemisphere letter says that latitude stands in longitude's column

    @property
    def is_bad(self) -> bool:
        return any(finding.is_error for finding in self.findings)


def read(rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, str], *, lat_first: bool = False) -> list[Spot]:
    """The raw geometry of each row, by the first way the mapping gives: geometry, WKT, one cell, two, or two ends."""
    for name, reader in (("geometry", _from_wkb), ("wkt", _from_wkt)):
        if name in mapping:
            return [reader(row, mapping[name]) for row in rows]
    if "longitude" in mapping and "latitude" in mapping:
        return [_from_two(row, mapping["longitude"], mapping["latitude"]) for row in rows]
    if "coordinates" in mapping:
        return [_from_pair(row, mapping["coordinates"], lat_first) for row in rows]
    ends = ("start_longitude", "start_latitude", "end_longitude", "end_latitude")
    if all(name in mapping for name in ends):
        return [_from_ends(row, [mapping[name] for name in ends]) for row in rows]
    return [Spot() for _row in rows]


def _from_wkb(row: Mapping[str, Any], column: str) -> Spot:
    text = row.get(GEOMETRY if column == GEOMETRY else column)
    if not text:
        return Spot(findings=[error("place", "geometry_missing")])
    try:
        geometry = shapely.from_wkb(bytes.fromhex(text))
    except (shapely.errors.GEOSException, ValueError, TypeError) as problem:
        return Spot(findings=[error("place", "geometry_broken", detail=str(problem)[:80])])
    if geometry.is_empty:
        return Spot(findings=[error("place", "geometry_missing")])
    return Spot(raw=geometry)


def _from_wkt(row: Mapping[str, Any], column: str) -> Spot:
    cell = row.get(column)
    if values.missing_reason(cell) is not None:
        return Spot(findings=[error("wkt", "geometry_missing")])
    geometry = coordinates.geometry(cell)
    if geometry is None or geometry.is_empty:
        code = "geometry_cut" if coordinates.cut_off(cell) else "wkt_unreadable"
        return Spot(findings=[error("wkt", code, value=str(cell)[:40])])
    return Spot(raw=geometry)


def _from_two(row: Mapping[str, Any], x_column: str, y_column: str) -> Spot:
    spot = Spot()
    x = _one(spot, row.get(x_column), "longitude", ("N", "S"))
    y = _one(spot, row.get(y_column), "latitude", ("E", "W"))
    if x is not None and y is not None:
        spot.raw = shapely.Point(x, y)
    return spot


def _one(spot: Spot, cell: Any, axis: str, wrong_letters: tuple[str, str]) -> float | None:
    if values.missing_reason(cell) is not None:
        spot.findings.append(error(axis, "coordinate_missing", axis_word=axis))
        return None
    value, letter = coordinates.one(cell)
    if value is None:
        spot.findings.append(error(axis, "coordinate_unreadable", axis_word=axis, value=str(cell)[:40]))
    elif letter in wrong_letters:
        spot.is_exchanged = True
    return value


def _from_pair(row: Mapping[str, Any], column: str, lat_first: bool) -> Spot:
    cell = row.get(column)
    if values.missing_reason(cell) is not None:
        return Spot(findings=[error("coordinates", "geometry_missing")])
    found = coordinates.pair(cell)
    if found is None:
        return Spot(findings=[error("coordinates", "pair_unreadable", value=str(cell)[:40])])
    first, second, is_known = found
    return Spot(raw=shapely.Point(second, first) if lat_first and not is_known else shapely.Point(first, second))


def _from_ends(row: Mapping[str, Any], columns: Sequence[str]) -> Spot:
    spot = Spot()
    numbers = []
    for column, axis in zip(columns, ("longitude", "latitude") * 2, strict=True):
        numbers.append(_one(spot, row.get(column), axis, ("N", "S") if axis == "longitude" else ("E", "W")))
    if all(number is not None for number in numbers):
        spot.raw = shapely.LineString([numbers[:2], numbers[2:]])
    return spot


def is_lat_first(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether "a, b" means latitude first: by ranges, by the header, else as Chinese files do (longitude first)."""
    found = [pair for row in rows if (pair := coordinates.pair(row.get(column)))]
    first, second = np.array([p[0] for p in found]), np.array([p[1] for p in found])
    west, south, east, north = CHINA_BOX
    if len(found):
        if np.mean(np.abs(first) > 90) > 0.5:
            return False
        if np.mean(np.abs(second) > 90) > 0.5:
            return True
    return column.lower().replace(" ", "").find("lat") in (0, 1) or "纬经" in column


def place(spots: Sequence[Spot], *, crs: str, options: Options, is_line: bool | None) -> None:
    """Gives each spot with raw numbers its place in WGS84, or the finding that says why not. is_line None: either."""
    is_degrees = systems.is_degrees(crs)
    for spot in spots:
        if spot.raw is not None and not spot.is_bad:
            spot.raw = _one_thing(spot, is_line)
    live = [spot for spot in spots if spot.raw is not None and not spot.is_bad]
    if options.is_swapped:
        for spot in live:
            spot.raw, spot.is_exchanged = _exchanged(spot.raw), False
    if is_degrees:
        for spot in live:
            _hold_degrees(spot, options)
    live = [spot for spot in live if not spot.is_bad]
    if not live:
        return
    geometries = np.array([spot.raw for spot in live], dtype=object)
    moved = shapely.transform(geometries, lambda xy: np.column_stack(systems.to_wgs84(crs, xy[:, 0], xy[:, 1])))
    for spot, geometry in zip(live, moved, strict=True):
        ends = np.array(geometry.bounds)
        if not np.isfinite(ends).all() or np.abs(ends).max() > 360:
            x, y = shapely.get_coordinates(spot.raw)[0]
            spot.findings.append(error("place", "not_in_system", x=f"{x:g}", y=f"{y:g}", system=crs))
            continue
        spot.place = geometry
        _hold_neighbours(spot, options)


def _exchanged(geometry: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(geometry, lambda xy: xy[:, ::-1])


def _one_thing(spot: Spot, is_line: bool | None) -> shapely.Geometry | None:
    """A collection of one as that one; the pieces of a line joined where their ends meet."""
    geometry = shapely.force_2d(spot.raw)
    parts = shapely.get_parts(geometry) if geometry.geom_type.startswith(("Multi", "Geom")) else [geometry]
    if len(parts) == 1:
        return parts[0]
    if geometry.geom_type == "MultiPoint":
        spot.findings.append(error("place", "several_points"))
        return None
    if geometry.geom_type == "MultiLineString" and is_line is not False:
        return shapely.line_merge(geometry)
    return geometry


def _in_china(x: float, y: float) -> bool:
    west, south, east, north = CHINA_BOX
    return west <= x <= east and south <= y <= north


def _hold_degrees(spot: Spot, options: Options) -> None:
    """Names what is wrong with numbers that should be degrees: zero, exchanged, a lost point."""
    xy = shapely.get_coordinates(spot.raw)
    x, y = float(xy[0][0]), float(xy[0][1])
    zero_x, zero_y = abs(x) < NULL_DEG, abs(y) < NULL_DEG
    if zero_x != zero_y and not options.is_abroad:
        spot.findings.append(error("place", "half_zero", lon=x, lat=y))
        return
    if spot.is_exchanged or (not _in_china(x, y) and _in_china(y, x) and not options.is_abroad):
        if options.swap_rows:
            spot.raw = _exchanged(spot.raw)
            spot.findings.append(info("place", "swapped_back"))
        else:
            spot.findings.append(error("place", "swapped", lon=round(x, 6), lat=round(y, 6)))
        return
    middle = options.middle or [105.0, 35.0]
    for axis, value, limit, low, high, around in (
        ("longitude", x, 180, CHINA_BOX[0], CHINA_BOX[2], middle[0]),
        ("latitude", y, 90, CHINA_BOX[1], CHINA_BOX[3], middle[1]),
    ):
        if abs(value) > limit:
            near = [value / 10**k for k in range(1, 12) if low <= value / 10**k <= high]
            if near and value == int(value):
                best = min(near, key=lambda v: abs(v - around))
                spot.findings.append(
                    error(axis, "decimal_lost", axis_word=axis, value=f"{value:.0f}", near=f"{best:.7g}")
                )
            else:
                spot.findings.append(error("place", "not_in_system", x=f"{x:g}", y=f"{y:g}", system="WGS84"))
            return


def _hold_neighbours(spot: Spot, options: Options) -> None:
    if len(options.middle) < 3:
        return
    lon, lat, radius_km = options.middle
    there = shapely.get_coordinates(spot.place)[0]
    km = float(systems.metres_between(lon, lat, there[0], there[1])) / 1000
    if km > max(FAR_KM_MIN, 5 * radius_km):
        spot.findings.append(warning("place", "far_from_rest", km=round(km)))


def middle_of(places: Sequence[shapely.Geometry]) -> list[float]:
    """[longitude, latitude, km]: the median place and the distance within which 95 % of them lie; [] for too few."""
    if len(places) < 10:
        return []
    xy = np.array([shapely.get_coordinates(geometry)[0] for geometry in places])
    lon, lat = np.median(xy, axis=0)
    km = systems.metres_between(lon, lat, xy[:, 0], xy[:, 1]) / 1000
    return [float(lon), float(lat), float(np.percentile(km, 95))]
