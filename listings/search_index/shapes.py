"""Inside, outside or unsure: areas against many small boxes at once. Boxes in millionths of a degree, WGS84.

A point is a box of no size. "Unsure" is a line that may or may not cross the edge, or a place so near to it that only
PostGIS shall decide; callers ask it about those.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import shapely
from pyproj import Geod

OUT, IN, UNSURE = 0, 1, 2
MICRO = 1e6
EARTH_M = 6_371_008.8
# A sphere's distances differ from the ellipsoid's by up to 0.56 %; the band in between is computed exactly.
SPHERE_BAND = 0.006
GEOD = Geod(ellps="WGS84")

Edges = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class Shape(Protocol):
    def test(self, edges: Edges) -> np.ndarray:
        """OUT, IN or UNSURE for each box."""


class Box:
    def __init__(self, west: float, south: float, east: float, north: float):
        self.west, self.south, self.east, self.north = (v * MICRO for v in (west, south, east, north))

    def test(self, edges: Edges) -> np.ndarray:
        west, south, east, north = edges
        out = (east < self.west) | (west > self.east) | (north < self.south) | (south > self.north)
        within = (west >= self.west) & (east <= self.east) & (south >= self.south) & (north <= self.north)
        return np.where(out, OUT, np.where(within, IN, UNSURE)).astype(np.int8)


class Area:
    """A polygon in degrees."""

    def __init__(self, polygon: shapely.Geometry):
        self.polygon = polygon
        shapely.prepare(polygon)
        self.bounds = Box(*shapely.bounds(polygon))

    def test(self, edges: Edges) -> np.ndarray:
        found = self.bounds.test(edges)
        near = np.flatnonzero(found != OUT)
        if len(near):
            found[near] = self._near([edge[near] / MICRO for edge in edges])
        return found

    def _near(self, edges: list[np.ndarray]) -> np.ndarray:
        west, south, east, north = edges
        found = np.empty(len(west), np.int8)
        is_point = (west == east) & (south == north)
        found[is_point] = shapely.intersects_xy(self.polygon, west[is_point], south[is_point])
        if not is_point.all():
            boxes = shapely.box(west[~is_point], south[~is_point], east[~is_point], north[~is_point])
            touched, held = shapely.intersects(self.polygon, boxes), shapely.contains(self.polygon, boxes)
            found[~is_point] = np.where(held, IN, np.where(touched, UNSURE, OUT))
        return found


class Corridor:
    """Everything certainly within a distance of a line (inner) and possibly so (outer), as polygons in degrees."""

    def __init__(self, inner: shapely.Geometry, outer: shapely.Geometry):
        self.inner, self.outer = Area(inner), Area(outer)

    def test(self, edges: Edges) -> np.ndarray:
        found = self.outer.test(edges)
        maybe = np.flatnonzero(found != OUT)
        if len(maybe):
            sure = self.inner.test(tuple(edge[maybe] for edge in edges))  # type: ignore[arg-type]
            found[maybe] = np.where(sure == IN, IN, UNSURE)
        return found


class Circle:
    def __init__(self, lon: float, lat: float, radius_m: float):
        self.lon, self.lat, self.radius_m = lon, lat, radius_m

    def test(self, edges: Edges) -> np.ndarray:
        west, south, east, north = (edge / MICRO for edge in edges)
        nearest = sphere_m(self.lon, self.lat, np.clip(self.lon, west, east), np.clip(self.lat, south, north))
        found = np.where(nearest > self.radius_m * (1 + SPHERE_BAND), OUT, UNSURE).astype(np.int8)
        near = np.flatnonzero(found)
        west, south, east, north = west[near], south[near], east[near], north[near]
        corners = [sphere_m(self.lon, self.lat, x, y) for x in (west, east) for y in (south, north)]
        found[near[np.maximum.reduce(corners) < self.radius_m * (1 - SPHERE_BAND)]] = IN if len(near) else OUT
        points = near[(west == east) & (south == north)]
        points = points[found[points] == UNSURE]
        if len(points):
            exact = geodesic_m(self.lon, self.lat, edges[0][points] / MICRO, edges[1][points] / MICRO)
            found[points] = np.where(exact <= self.radius_m, IN, OUT)
        return found


class All:
    """Inside every one of several shapes."""

    def __init__(self, shapes: list[Shape]):
        self.shapes = shapes

    def test(self, edges: Edges) -> np.ndarray:
        found = np.full(len(edges[0]), IN, np.int8)
        for shape in self.shapes:
            tested = shape.test(edges)
            found = np.where((found == OUT) | (tested == OUT), OUT, np.maximum(found, tested)).astype(np.int8)
        return found


def reach_of(shape: Shape | None) -> tuple[float, float, float, float] | None:
    """West, south, east, north (millionths of a degree) outside of which everything is OUT; None: not known."""
    if isinstance(shape, Corridor):
        return reach_of(shape.outer)
    if isinstance(shape, Area):
        return reach_of(shape.bounds)
    if isinstance(shape, All):
        return next((reach for part in shape.shapes if (reach := reach_of(part))), None)
    return (shape.west, shape.south, shape.east, shape.north) if isinstance(shape, Box) else None


def sphere_m(lon: float, lat: float, lons: np.ndarray, lats: np.ndarray) -> np.ndarray:
    """Great-circle metres (haversine)."""
    p, q = np.radians(lat), np.radians(lats)
    h = np.sin((q - p) / 2) ** 2 + np.cos(p) * np.cos(q) * np.sin(np.radians(lons - lon) / 2) ** 2
    return 2 * EARTH_M * np.arcsin(np.sqrt(np.clip(h, 0, 1)))


def geodesic_m(lon: float, lat: float, lons: np.ndarray, lats: np.ndarray) -> np.ndarray:
    """Metres on the WGS84 ellipsoid, as PostGIS's geography measures them."""
    count = len(lons)
    return GEOD.inv(np.full(count, lon), np.full(count, lat), lons, lats)[2]


def shape_of(criteria: Mapping[str, Any], *, default_radius_m: float) -> Shape | None:
    """The area the criteria name (bbox, area, near with radius_m, route with within_m); None: everywhere."""
    found: list[Shape] = []
    if box := criteria.get("bbox"):
        found.append(Box(*box.extent))
    if area := criteria.get("area"):
        found.append(Area(shapely.from_wkb(bytes(area.wkb))))
    if near := criteria.get("near"):
        found.append(Circle(near.x, near.y, criteria.get("radius_m") or default_radius_m))
    if route := criteria.get("route"):
        found.append(Corridor(route.inner, route.outer))
    if not found:
        return None
    return found[0] if len(found) == 1 else All(found)
