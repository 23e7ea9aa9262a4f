"""The short way for the places of most rows: many points at once, where nothing is to be said of them. No queries.

What has anything remarkable about it (letters, degrees and minutes, zero, exchanged, far away, a line) is left to
spots.py, row by row, which says what. Both ways give the same place: tests hold them against each other.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from listings.imports import spots, systems
from listings.imports.options import Options
from listings.imports.tables import GEOMETRY
from listings.places import CHINA_BOX, LonLat

DECIMAL = re.compile(r"[-+]?\d{1,9}(?:\.\d{1,15})?", re.ASCII)


def plain_points(
    rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, str], *, crs: str, options: Options
) -> list[LonLat | None]:
    """The place of each row that is a plain point with nothing to be said of it; None: ask spots.py."""
    x, y = _numbers(rows, mapping)
    found: list[LonLat | None] = [None] * len(rows)
    if not np.isfinite(x).any():
        return found
    if options.is_swapped:
        x, y = y, x
    usable = np.isfinite(x) & np.isfinite(y)
    if systems.is_degrees(crs):
        usable &= _plain_degrees(x, y, options)
    at = np.flatnonzero(usable)
    lon, lat = systems.to_wgs84(crs, x[at], y[at])
    good = np.isfinite(lon) & np.isfinite(lat)
    with np.errstate(invalid="ignore"):
        good &= (np.abs(lon) <= 360) & (np.abs(lat) <= 360)
    if len(options.middle) == 3:
        km = systems.metres_between(options.middle[0], options.middle[1], lon, lat) / 1000
        good &= km <= max(spots.FAR_KM_MIN, 5 * options.middle[2])
    for i, a, b in zip(at[good].tolist(), lon[good].tolist(), lat[good].tolist(), strict=True):
        found[i] = LonLat(a, b)
    return found


def _plain_degrees(x: np.ndarray, y: np.ndarray, options: Options) -> np.ndarray:
    if options.is_abroad:
        return (np.abs(x) <= 180) & (np.abs(y) <= 90)
    west, south, east, north = CHINA_BOX
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def _numbers(rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the rows that give them plainly; NaN for the others."""
    nothing = np.full(len(rows), np.nan)
    if mapping.get("geometry") == GEOMETRY:
        return _of_geometry([row.get(GEOMETRY) for row in rows])
    if {"geometry", "wkt"} & mapping.keys() or not {"longitude", "latitude"} <= mapping.keys():
        return nothing, nothing
    across, up = mapping["longitude"], mapping["latitude"]
    pairs = [(_number(row.get(across)), _number(row.get(up))) for row in rows]
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _number(cell: Any) -> float:
    if cell.__class__ is str:
        return float(cell) if DECIMAL.fullmatch(cell) else np.nan
    return float(cell) if cell.__class__ in (int, float) else np.nan


def _of_geometry(cells: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    raw = np.array([bytes.fromhex(cell) if isinstance(cell, str) else None for cell in cells], dtype=object)
    found = shapely.from_wkb(raw, on_invalid="ignore")
    is_point = (shapely.get_type_id(found) == 0) & ~shapely.is_empty(found)
    x, y = shapely.get_x(found), shapely.get_y(found)
    return np.where(is_point, x, np.nan), np.where(is_point, y, np.nan)
