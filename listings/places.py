"""Is this a place at all, and one of ours? Names the usual mistakes. Pure: regions are looked up in checks.py."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.gis.geos import GEOSGeometry, Point, WKBReader, WKBWriter
from django.utils.translation import gettext_lazy as _

from listings.kinds.spec import KindSpec
from listings.problems import Problem, error, warning

CHINA_BOX = (73.0, 3.0, 136.0, 54.0)  # west, south, east, north in degrees, the South China Sea included
EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
NULL_ISLAND_DEG = 1e-6
LENGTH_TOLERANCE = 0.2  # a surveyed length that differs by more is worth a look


@dataclass(frozen=True)
class Spot:
    lon: float
    lat: float

    @property
    def is_in_china_box(self) -> bool:
        west, south, east, north = CHINA_BOX
        return west <= self.lon <= east and south <= self.lat <= north

    @property
    def swapped(self) -> "Spot":
        return Spot(self.lat, self.lon)


class LonLat:
    """A point in WGS84 as two numbers: stands in for a GEOSGeometry wherever rows are checked, at a tenth of its cost.

    A file of 100,000 points is judged without making one geometry; geos() makes one where the database wants it.
    """

    __slots__ = ("lon", "lat")
    geom_type, srid, empty, hasz = "Point", 4326, False, False

    def __init__(self, lon: float, lat: float):
        self.lon, self.lat = lon, lat

    @property
    def coords(self) -> tuple[float, float]:
        return self.lon, self.lat

    @property
    def wkt(self) -> str:
        return f"POINT ({self.lon!r} {self.lat!r})"

    def equals_exact(self, other: "Place", tolerance: float = 0.0) -> bool:
        """Whether the other is the same point, give or take."""
        there = other.coords
        if other.geom_type != "Point":
            return False
        return abs(there[0] - self.lon) <= tolerance and abs(there[1] - self.lat) <= tolerance

    def geos(self) -> Point:
        return Point(self.lon, self.lat, srid=4326)


Place = GEOSGeometry | LonLat


def geos(place: Place) -> GEOSGeometry:
    """The place as the database takes it."""
    return place.geos() if isinstance(place, LonLat) else place


def flat(place: Place) -> Place:
    """The geometry without heights, in SRID 4326 (taken as such where it names none)."""
    if isinstance(place, LonLat):
        return place
    if place.hasz:
        place = WKBReader().read(WKBWriter(dim=2).write(place))
    if place.srid != 4326:
        place = place.clone()
        place.srid = 4326
    return place


def spots(place: Place) -> Iterator[Spot]:
    """Every vertex."""

    def walk(coords) -> Iterator[Spot]:
        if coords and isinstance(coords[0], (int, float)):
            yield Spot(coords[0], coords[1])
        else:
            for part in coords:
                yield from walk(part)

    yield from walk(place.coords)


def telling_spots(place: Place) -> list[Spot]:
    """The spots that decide the region: the point itself, or the line's start, middle and end."""
    if isinstance(place, LonLat):
        return [Spot(place.lon, place.lat)]
    every = list(spots(place))
    if len(every) == 1:
        return every
    return [every[0], every[len(every) // 2], every[-1]]


def distance_m(a: Spot, b: Spot) -> float:
    """Great-circle distance (haversine), good to 0.5 %."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(half))


def line_length_m(place: Place) -> float:
    """Length along the vertices, part by part; 0 for a point."""
    parts = place.coords if place.geom_type == "MultiLineString" else [place.coords]
    if place.geom_type == "Point":
        return 0.0
    total = 0.0
    for part in parts:
        corner = [Spot(c[0], c[1]) for c in part]
        total += sum(distance_m(a, b) for a, b in zip(corner, corner[1:], strict=False))
    return total


def check_place(place: Place, spec: KindSpec) -> list[Problem]:
    """Wrong type, 0/0, not degrees, swapped: the first that holds, since it explains the others."""
    accepted = ("LineString", "MultiLineString") if spec.is_line else ("Point",)
    if place.empty:
        return [error("place", "place_missing", _("The place is empty."), _("Give coordinates or draw it on the map."))]
    if place.geom_type not in accepted:
        message = (
            _("This kind is a line; the place given is not.")
            if spec.is_line
            else _("This kind is a point; the place given is not.")
        )
        return [error("place", "place_type", message, _("Choose the kind that fits, or give the other geometry."))]
    every = list(spots(place))
    if any(not (math.isfinite(s.lon) and math.isfinite(s.lat)) for s in every):
        return [error("place", "place_not_a_number", _("A coordinate is not a number."), _("Correct the coordinates."))]
    if any(abs(s.lon) < NULL_ISLAND_DEG and abs(s.lat) < NULL_ISLAND_DEG for s in every):
        return [
            error(
                "place",
                "zero_zero",
                _("The coordinates are 0/0: that is where systems put places they do not know."),
                _("Give the real longitude and latitude."),
            )
        ]
    if any(abs(s.lon) > 180 or abs(s.lat) > 90 for s in every):
        return (
            [_swapped(every[0])]
            if all(s.swapped.is_in_china_box for s in every)
            else [
                error(
                    "place",
                    "not_degrees",
                    _("The coordinates are not degrees of longitude and latitude."),
                    _("Choose the coordinate system the file is in; metres are projected coordinates."),
                )
            ]
        )
    if spec.is_line and line_length_m(place) == 0:
        return [
            error(
                "place", "line_without_length", _("The line has no length."), _("Give at least two different points.")
            )
        ]
    return []


def _swapped(spot: Spot) -> Problem:
    return error(
        "place",
        "swapped",
        _("Longitude and latitude look swapped: %(lon)s / %(lat)s.")
        % {"lon": round(spot.lon, 5), "lat": round(spot.lat, 5)},
        _("Exchange the two: in China longitude lies between 73 and 136, latitude between 3 and 54."),
    )


def outside(place: Place) -> Problem:
    """What to say of a place that lies in no region."""
    first = next(spots(place))
    if not first.is_in_china_box and first.swapped.is_in_china_box:
        return _swapped(first)
    return error(
        "place",
        "outside_china",
        _("%(lon)s / %(lat)s lies in no administrative division of China.")
        % {"lon": round(first.lon, 5), "lat": round(first.lat, 5)},
        _("Check the coordinates and the coordinate system. For places elsewhere choose a region that has no outline."),
    )


def check_length(place: Place, *, stated_m: float | None, field: str) -> list[Problem]:
    """A stated length far from the drawn one is worth a look."""
    drawn_m = line_length_m(place)
    if not stated_m or not drawn_m or abs(stated_m - drawn_m) <= LENGTH_TOLERANCE * max(stated_m, drawn_m):
        return []
    return [
        warning(
            field,
            "length_differs",
            _("The length stated (%(stated)s m) and the line drawn (%(drawn)s m) differ by more than 20 %%.")
            % {"stated": round(stated_m), "drawn": round(drawn_m)},
            _("Check the unit of the length and the ends of the line."),
        )
    ]
