"""What a place's shape gives away: lines that cross themselves or run too far, points rounded to a km. Pure."""

from decimal import Decimal

import shapely

from listings.imports.findings import Finding, warning
from listings.places import LonLat, Place, line_length_m

LINE_MAX_KM = {"duct": 100, "cable": 3_000}  # longest single sections in use; a longer one is a wrong place or unit
ROUNDED_DIGITS = 2  # of a degree: about 1 km


def of_place(place: Place | None, kind: str, *, is_degrees: bool) -> list[Finding]:
    """Findings about the shape alone. is_degrees: the file gave degrees, whose digits tell how exact they are."""
    if place is None:
        return []
    if isinstance(place, LonLat):
        if is_degrees and _is_rounded(place.lon) and _is_rounded(place.lat):
            return [warning("place", "rounded", digits=ROUNDED_DIGITS)]
        return []
    if place.geom_type not in ("LineString", "MultiLineString"):
        return []
    found = []
    line = shapely.from_wkb(bytes(place.wkb))
    if not line.is_simple:
        found.append(warning("place", "line_crosses_itself"))
    km = line_length_m(place) / 1000
    if km > LINE_MAX_KM.get(kind, 1_000):
        found.append(warning("place", "line_too_long", km=round(km), max=LINE_MAX_KM.get(kind, 1_000)))
    return found


def _is_rounded(degrees: float) -> bool:
    return -Decimal(repr(degrees)).normalize().as_tuple().exponent <= ROUNDED_DIGITS  # type: ignore[operator]
