"""Where made-up resources stand: counties weighted by people, towns inside them. Deterministic for a seed."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely

from accounts.models import Region

# Inhabitants of the provinces in 10,000, Seventh National Census (2020), rounded; how supply is spread over provinces.
PEOPLE_10K = {
    "11": 2189, "12": 1387, "13": 7461, "14": 3492, "15": 2405, "21": 4259, "22": 2407, "23": 3185, "31": 2487,
    "32": 8475, "33": 6457, "34": 6103, "35": 4154, "36": 4519, "37": 10153, "41": 9937, "42": 5775, "43": 6644,
    "44": 12601, "45": 5013, "46": 1008, "50": 3205, "51": 8367, "52": 3856, "53": 4721, "54": 365, "61": 3953,
    "62": 2502, "63": 592, "64": 720, "65": 2585, "71": 2356, "81": 747, "82": 68,
}  # fmt: skip
# Districts of cities hold more than the country around them; example weights, no source.
WEIGHT_BY_ENDING = {"区": 3.0, "市": 2.0, "县": 1.2}
TOWNS_MOST = 12
TOWN_SPREAD_DEGREES = 0.035
RURAL_SHARE = 0.15


@dataclass(frozen=True)
class County:
    code: str
    name: str
    name_en: str
    city: str
    polygon: shapely.Geometry
    weight: float


@cache
def counties() -> list[County]:
    """The counties with a polygon, by code. Queries once."""
    rows = Region.objects.filter(level=Region.Level.COUNTY, polygon__isnull=False).select_related("parent")
    found = []
    for r in rows.defer("parent__polygon").order_by("code"):
        weight = WEIGHT_BY_ENDING.get(r.name_zh[-1], 0.8)
        polygon = shapely.from_wkb(bytes(r.polygon.wkb))
        shapely.prepare(polygon)
        found.append(County(r.code, r.name_zh, r.name_en or r.name_zh, r.parent.name_zh, polygon, weight))
    in_province: dict[str, float] = {}
    for c in found:
        in_province[c.code[:2]] = in_province.get(c.code[:2], 0) + c.weight
    return [
        County(
            c.code, c.name, c.name_en, c.city, c.polygon,
            PEOPLE_10K.get(c.code[:2], 100) * c.weight / in_province[c.code[:2]],
        )
        for c in found
    ]  # fmt: skip


def shares(count: int, seed: int) -> list[int]:
    """How many of `count` each county gets."""
    weights = np.array([c.weight for c in counties()])
    return np.random.default_rng([seed, 0]).multinomial(count, weights / weights.sum()).tolist()


def positions(county: County, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 2) longitudes and latitudes inside the county: most of them around its towns."""
    west, south, east, north = shapely.bounds(county.polygon)
    towns = _inside(county, int(rng.integers(2, TOWNS_MOST + 1)), rng, np.array([west, south]), np.array([east, north]))
    popularity = rng.pareto(1.2, len(towns)) + 0.2
    picked = rng.choice(len(towns), size=count, p=popularity / popularity.sum())
    spread = np.minimum(TOWN_SPREAD_DEGREES, max(east - west, north - south) / 8)
    found = towns[picked] + rng.normal(0, spread, (count, 2)) * rng.gamma(1.0, 0.8, (count, 1))
    is_rural = rng.random(count) < RURAL_SHARE
    found[is_rural] = rng.uniform([west, south], [east, north], (int(is_rural.sum()), 2))
    outside = ~shapely.contains_xy(county.polygon, found[:, 0], found[:, 1])
    found[outside] = towns[picked[outside]] + rng.normal(0, spread / 12, (int(outside.sum()), 2))
    outside = ~shapely.contains_xy(county.polygon, found[:, 0], found[:, 1])
    found[outside] = towns[picked[outside]]
    return np.round(found, 6)


def _inside(county: County, count: int, rng: np.random.Generator, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    drawn = rng.uniform(low, high, (count * 20, 2))
    drawn = drawn[shapely.contains_xy(county.polygon, drawn[:, 0], drawn[:, 1])][:count]
    if len(drawn):
        return drawn
    middle = shapely.point_on_surface(county.polygon)
    return np.array([[middle.x, middle.y]])


def paths(starts: np.ndarray, length_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One line per start: a walk of 2 to 7 corners that keeps its heading roughly. An array of geometries."""
    count = len(starts)
    corners = rng.integers(2, 8, count)
    heading = rng.uniform(0, 2 * np.pi, count)
    rows = np.repeat(np.arange(count), corners)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(corners) - corners, corners)
    step = np.where(nth == 0, 0, (length_m / (corners - 1) / 111_320)[rows])
    angle = heading[rows] + rng.normal(0, 0.35, len(rows))
    dx = step * np.cos(angle) / np.cos(np.radians(starts[rows, 1]))
    dy = step * np.sin(angle)

    def summed(moves: np.ndarray) -> np.ndarray:
        total = np.cumsum(moves)
        firsts = np.cumsum(corners) - corners
        return total - np.repeat(total[firsts], corners)

    lon = np.clip(starts[rows, 0] + summed(dx), 73.5, 135.0)
    lat = np.clip(starts[rows, 1] + summed(dy), 3.5, 53.5)
    return shapely.linestrings(np.round(np.column_stack([lon, lat]), 6), indices=rows)
