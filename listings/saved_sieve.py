"""Which changed resources come into question for a saved search: cheap, on columns, and never too few.

A sieve is kept with the search: {"wants": [[bits, [codes]], …], "boxes": [[west, south, east, north], …]}, boxes in
millionths of a degree. What passes is asked about properly (listings/search.py); what does not cannot fit.
"""

import zlib
from collections.abc import Iterable, Mapping
from math import cos, radians
from typing import Any

import numpy as np
import shapely

from listings.search_index import wire
from listings.search_index.read import BLUR_REACH, DEFAULT_RADIUS_M
from listings.search_index.rows import ROW_SQL, ROW_TYPES
from listings.search_index.shapes import MICRO
from listings.search_index.wants import Want, wants
from listings.search_keys import LAYOUT

METRES_OF_DEGREE = 110_000  # of latitude, rather too few: a box may be too large, never too small


def sieve_of(criteria: Mapping[str, Any], *, today) -> dict:
    """The sieve of a search's criteria (BrowseForm.criteria). Queries once where there is a route.

    Left out are the year, whose words move with the calendar, and free units on a day, which the facets do not tell.
    """
    found = wants(criteria, today=today)
    found.pop("year", None)
    if "available_on" in criteria:
        found.pop("free", None)
    return {
        "wants": [[want.bits, list(want.codes)] for want in found.values()],
        "boxes": [_micro(*box) for box in _boxes(criteria)],
    }


def _boxes(criteria: Mapping[str, Any]) -> Iterable[tuple[float, float, float, float]]:
    for name in ("bbox", "area"):
        if name in criteria:
            yield criteria[name].extent
    if near := criteria.get("near"):
        yield _wider(near.extent, criteria.get("radius_m") or DEFAULT_RADIUS_M)
    if route := criteria.get("route"):
        yield tuple(shapely.bounds(route.outer).tolist())


def _wider(box: tuple[float, float, float, float], metres: float) -> tuple[float, float, float, float]:
    west, south, east, north = box
    up = metres / METRES_OF_DEGREE
    aside = up / max(0.05, cos(radians(min(89.0, max(abs(south), abs(north)) + up))))
    return west - aside, south - up, east + aside, north + up


def _micro(west: float, south: float, east: float, north: float) -> list[int]:
    """Outwards by as much as an exact place may lie outside of what a class of readers is shown."""
    low, high = (int(edge * MICRO) - BLUR_REACH for edge in (west, south)), (
        int(edge * MICRO) + BLUR_REACH for edge in (east, north)
    )  # fmt: skip
    return [*low, *high]


def changed_rows(ids: list[int]) -> dict[str, np.ndarray]:
    """What the tally says of these resources, published ones only, as columns. Queries once."""
    sql = f"SELECT {ROW_SQL}, t.owner_id FROM listings_tally t WHERE t.resource_id = ANY(%s) AND t.facets > 0"
    return wire.columns(sql, (ids,), **ROW_TYPES, owners="int8")


def passing(sieve: Mapping[str, Any], rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """Which of the rows (of changed_rows) come into question: an array of bool."""
    keep = LAYOUT["standing"].of(rows["facets"]) > 0
    for bits, codes in sieve.get("wants", ()):
        keep &= Want(bits, tuple(codes)).meets(rows["facets"])
    for west, south, east, north in sieve.get("boxes", ()):
        keep &= (np.minimum(rows["ow"], rows["vw"]) <= east) & (np.maximum(rows["oe"], rows["ve"]) >= west)
        keep &= (np.minimum(rows["os"], rows["vs"]) <= north) & (np.maximum(rows["on"], rows["vn"]) >= south)
    return keep


def packed(ids: Iterable[int]) -> bytes:
    """Keys as bytes, about two to a key."""
    keys = np.array(sorted(ids), np.int64)
    return zlib.compress(np.diff(keys, prepend=np.int64(0)).astype("<i8").tobytes())


def unpacked(data: bytes | memoryview) -> np.ndarray:
    """The keys in rising order."""
    return np.cumsum(np.frombuffer(zlib.decompress(bytes(data)), "<i8"))
