"""Metres on WGS 84, for millions of pairs at once: between points, and from points to courses.

Near by, the formula of the mean latitude (dx = N·cos φₘ·Δλ, dy = M·Δφ with the radii of curvature at φₘ; Rapp,
*Geometric Geodesy* I, 1991) is within millimetres of the geodesic; farther, and towards the poles, it is Karney's.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Geod

from .problem import FloatArray, IntArray

GEOD = Geod(ellps="WGS84")
A_M = 6_378_137.0
E2 = GEOD.es
NEARBY_M = 5_000.0
STEEP_DEG = 75.0
PIECE_M = 500.0  # a great circle leaves the straight line of degrees by 5 mm over this length, at 45°
CHUNK = 1_000_000  # pieces looked at together


def between(lon: FloatArray, lat: FloatArray, to_lon: FloatArray, to_lat: FloatArray) -> FloatArray:
    """(n,) metres along the geodesic; degrees in. NaN where a place is not known."""
    mean = np.radians((lat + to_lat) / 2)
    along, up = _radii(mean)
    result: FloatArray = np.hypot(along * _turn(to_lon - lon), up * np.radians(to_lat - lat))
    far = np.flatnonzero((result > NEARBY_M) | (np.abs(mean) > np.radians(STEEP_DEG)))
    if len(far):
        result[far] = GEOD.inv(lon[far], lat[far], to_lon[far], to_lat[far])[2]
    return result


def _radii(lat_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Metres per radian of longitude and of latitude."""
    w = 1 - E2 * np.sin(lat_rad) ** 2
    root = np.sqrt(w)
    return A_M * np.cos(lat_rad) / root, A_M * (1 - E2) / (w * root)


def _turn(degrees: FloatArray) -> FloatArray:
    """Radians of the shorter way round."""
    return np.radians((degrees + 180.0) % 360.0 - 180.0)


@dataclass(frozen=True)
class Courses:
    """n courses as straight pieces in degrees: those of course k are first[k] … first[k + 1]."""

    first: IntArray
    lon: FloatArray
    lat: FloatArray
    to_lon: FloatArray
    to_lat: FloatArray


def courses_of(lines: np.ndarray) -> Courses:
    """(n,) line strings or multi line strings as courses; long pieces are cut along their great circle."""
    parts, of_line = shapely.get_parts(lines, return_index=True)
    at, of_part = shapely.get_coordinates(parts, return_index=True)
    joined = np.flatnonzero(of_part[1:] == of_part[:-1])
    line = of_line[of_part[joined]].astype(np.int64)
    low, high = at[joined], at[joined + 1]
    pieces = np.maximum(1, np.ceil(between(low[:, 0], low[:, 1], high[:, 0], high[:, 1]) / PIECE_M)).astype(np.int64)
    if (pieces > 1).any():
        row = np.repeat(np.arange(len(line)), pieces)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        share = nth / pieces[row], (nth + 1) / pieces[row]
        line, (low, high) = line[row], (_on_circle(low[row], high[row], part) for part in share)
    first = np.searchsorted(line, np.arange(len(lines) + 1))
    return Courses(first, low[:, 0], low[:, 1], high[:, 0], high[:, 1])


def _on_circle(low: FloatArray, high: FloatArray, share: FloatArray) -> FloatArray:
    """(n, 2) the place a share of the way from low to high along the great circle; the ends as they are."""
    a, b = _vectors(low), _vectors(high)
    angle = np.arcsin(np.clip(np.linalg.norm(b - a, axis=1) / 2, 0, 1)) * 2
    sine = np.maximum(np.sin(angle), 1e-300)
    v = a * (np.sin((1 - share) * angle) / sine)[:, None] + b * (np.sin(share * angle) / sine)[:, None]
    found = np.degrees(np.column_stack([np.arctan2(v[:, 1], v[:, 0]), np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1]))]))
    found = np.where((share == 0)[:, None], low, found)
    result: FloatArray = np.where((share == 1)[:, None], high, found)
    return result


def _vectors(at: FloatArray) -> FloatArray:
    lon, lat = np.radians(at[:, 0]), np.radians(at[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def to_courses(lon: FloatArray, lat: FloatArray, course: IntArray, courses: Courses) -> FloatArray:
    """(n,) metres from each point to the nearest place of its course; inf where a course has no piece."""
    result = np.full(len(lon), np.inf)
    pieces = np.cumsum(courses.first[course + 1] - courses.first[course])
    start = 0
    while start < len(lon):
        before = int(pieces[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(pieces, before + CHUNK, side="right")))
        part = slice(start, stop)
        result[part] = _to_courses(lon[part], lat[part], course[part], courses)
        start = stop
    return result


def _to_courses(lon: FloatArray, lat: FloatArray, course: IntArray, courses: Courses) -> FloatArray:
    count = courses.first[course + 1] - courses.first[course]
    row = np.repeat(np.arange(len(lon)), count)
    begins = np.cumsum(count) - count
    piece = np.repeat(courses.first[course] - begins, count) + np.arange(len(row))
    along, up = (metres[row] for metres in _radii(np.radians(lat)))
    x, y = along * _turn(courses.lon[piece] - lon[row]), up * np.radians(courses.lat[piece] - lat[row])
    dx = along * _turn(courses.to_lon[piece] - courses.lon[piece])
    dy = up * np.radians(courses.to_lat[piece] - courses.lat[piece])
    share = np.clip(-(x * dx + y * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0, 1)
    apart = (x + share * dx) ** 2 + (y + share * dy) ** 2
    has = np.flatnonzero(count)
    result = np.full(len(lon), np.inf)
    if len(has):
        least = np.minimum.reduceat(apart, begins[has])
        hit = np.flatnonzero(apart == np.repeat(least, count[has]))
        hit = hit[np.unique(row[hit], return_index=True)[1]]
        at, part = piece[hit], share[hit]
        result[has] = between(
            lon[has], lat[has], courses.lon[at] + part * (courses.to_lon[at] - courses.lon[at]),
            courses.lat[at] + part * (courses.to_lat[at] - courses.lat[at]),
        )  # fmt: skip
    return result
