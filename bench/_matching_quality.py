"""The allocation's quality under scarcity: random problems from seeds, and real places with capacities from a seed."""

import csv
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pyproj import Transformer
from scipy.spatial import cKDTree

from matching.core.allocation import allocate, greedy
from matching.core.problem import Problem

TIME_LIMIT_S = 60.0  # what a run gives itself (matching.computing)
SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"))


def random_problem(seed: int) -> Problem:
    """40 to 200 lines over scarce pools of two units each, three to five options a line; a third asks units alone."""
    rng = np.random.default_rng(seed)
    lines, pools, options = int(rng.integers(40, 200)), int(rng.integers(12, 50)), int(rng.integers(3, 6))
    line = np.repeat(np.arange(lines), options)
    pool = rng.integers(0, pools, len(line))
    option = np.arange(len(line))
    is_unit = seed % 3 == 2
    quantity = np.repeat(np.ones(lines) if is_unit else rng.integers(1, 4, lines), options)
    power = np.repeat(rng.integers(1, 7, lines) / 2, options)
    is_powered = np.repeat(rng.random(lines) < (0.0 if is_unit else 0.5), options)
    return Problem.of_uses(
        line_count=lines, line=line, score=rng.random(len(line)),
        use_option=np.r_[option, option[is_powered]], use_pool=np.r_[pool, pools + pool[is_powered]],
        use_amount=np.r_[quantity, power[is_powered]].astype(float),
        capacity=np.r_[rng.integers(1, 6, pools), rng.integers(1, 8, pools)].astype(float),
    )  # fmt: skip


def placed_problem(need: np.ndarray, supply: np.ndarray, *, radius_m: float, seed: int, room: tuple[int, int],
                   ask: tuple[int, int]) -> Problem:  # fmt: skip
    """Needs over supply within a radius; both (n, 2) longitude, latitude. What is asked and free is drawn from the seed
    between the bounds given; every other need asks for power too."""
    rng = np.random.default_rng(seed)
    lon, lat = need.mean(axis=0)
    plane = Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lat_0={lat} +lon_0={lon} +datum=WGS84", always_xy=True)
    asked, given = (np.stack(plane.transform(p[:, 0], p[:, 1]), axis=1) for p in (need, supply))
    near = cKDTree(given).query_ball_point(asked, radius_m)
    line = np.repeat(np.arange(len(asked)), [len(found) for found in near])
    pool = np.concatenate([np.sort(found) for found in near]).astype(int) if len(line) else np.zeros(0, int)
    apart = np.hypot(*(asked[line] - given[pool]).T)
    quantity, power = rng.integers(ask[0], ask[1] + 1, len(asked)), rng.integers(1, 6, len(asked))
    option, is_powered = np.arange(len(line)), line % 2 == 0
    return Problem.of_uses(
        line_count=len(asked), line=line, score=1 - apart / radius_m, use_option=np.r_[option, option[is_powered]],
        use_pool=np.r_[pool, len(given) + pool[is_powered]],
        use_amount=np.r_[quantity[line], power[line][is_powered]].astype(float),
        capacity=np.r_[rng.integers(room[0], room[1] + 1, len(given)), rng.integers(4, 16, len(given))].astype(float),
    )  # fmt: skip


def _csv(name: str, lon: str, lat: str, keep=lambda row: True) -> np.ndarray:
    with (SHARED / name).open(encoding="utf-8-sig", newline="") as file:
        return np.array([[float(r[lon]), float(r[lat])] for r in csv.DictReader(file) if r[lat] and keep(r)])


def _points(name: str, keep=lambda properties: True) -> np.ndarray:
    features = json.loads((SHARED / name).read_text(encoding="utf-8"))["features"]
    return np.array([f["geometry"]["coordinates"][:2] for f in features if keep(f["properties"])])


def real_cases() -> Iterator[tuple[str, Problem]]:
    """Seven cases on real places (SHARED_DATA); nothing where the folder is absent."""
    if not SHARED.is_dir():
        return
    schools = _csv("demand_itu_ibiza/points-of-interest.csv", "lon", "lat")
    sites = _csv("demand_itu_ibiza/cell-sites.csv", "lon", "lat")
    yield (
        "Ibiza: 100 schools over 100 cell sites, 4 km",
        placed_problem(schools, sites, radius_m=4_000, seed=1, room=(1, 2), ask=(1, 2)),
    )
    kiosks = _csv("municipal_linknyc/LinkNYC_Locations.csv", "Longitude", "Latitude")
    yield (
        "New York: every other kiosk asks its neighbours, 300 m",
        placed_problem(kiosks[::2], kiosks[1::2], radius_m=300, seed=2, room=(1, 3), ask=(1, 3)),
    )
    helsinki = "osm_helsinki/helsinki_infra_points.geojson"
    poles = _points(helsinki, lambda p: p["class"].split("=")[-1] in ("street_lamp", "pole"))
    others = _points(helsinki, lambda p: p["class"].split("=")[-1] not in ("street_lamp", "pole"))
    yield (
        "Helsinki: manholes and cabinets over lamps and poles, 80 m",
        placed_problem(others, poles, radius_m=80, seed=3, room=(1, 2), ask=(1, 2)),
    )
    loads = _points("municipal_schutterwald/lv_schutterwald_load.geojson")
    buses = _points("municipal_schutterwald/lv_schutterwald_bus.geojson")
    yield (
        "Schutterwald: 2,757 loads over every tenth node, 150 m",
        placed_problem(loads, buses[::10], radius_m=150, seed=4, room=(4, 12), ask=(1, 4)),
    )
    verizon = "Cellco Partnership"
    towers = "telecom_towers_us_pa/towers.csv"
    yield "Pennsylvania: one licensee over the others' towers, 15 km", placed_problem(
        _csv(towers, "longitude", "latitude", lambda r: r["license"] == verizon),
        _csv(towers, "longitude", "latitude", lambda r: r["license"] != verizon),
        radius_m=15_000, seed=5, room=(1, 2), ask=(1, 2),
    )  # fmt: skip
    airports = _csv("transport_airports/airports_subset.csv", "lon", "lat")
    known = json.loads((SHARED / "coords/gcoord_china_cities.json").read_text(encoding="utf-8"))
    cities = np.array([city["coords"]["WGS84"] for city in known])
    yield (
        "China: 168 cities over airports, 120 km",
        placed_problem(cities, airports, radius_m=120_000, seed=6, room=(1, 3), ask=(1, 3)),
    )
    yield (
        "Schutterwald: loads over gas junctions' places, crowded, 60 m",
        placed_problem(loads[::3], loads[1::9], radius_m=60, seed=7, room=(1, 4), ask=(1, 3)),
    )


def measure(count: int, say) -> dict[str, float]:
    """{"worst_gap", "cases", "real", "below_greedy", "seconds"} over count random problems and the real cases."""
    worst, below, real, won, began = 0.0, 0, 0, 0, time.monotonic()

    def one(problem: Problem) -> tuple[float, int, int, int]:
        nonlocal worst, below, won
        solution, other = allocate(problem, time_limit_s=TIME_LIMIT_S), greedy(problem)
        if (problem.used(solution.choice[solution.choice >= 0]) > problem.capacity).any():
            raise SystemExit("a pool was given out beyond its capacity")
        worst, below = max(worst, solution.gap), below + (solution.served < other.served)
        won += solution.served > other.served
        return solution.gap, solution.served, solution.served_bound, other.served

    for seed in range(count):
        one(random_problem(seed))
    for name, problem in real_cases():
        real += 1
        gap, served, bound, by_greedy = one(problem)
        say(f"  {name}: {problem.line_count} lines, {served} served (bound {bound}, greedy {by_greedy}), gap {gap:.2%}")
    return {
        "worst_gap": worst, "cases": count, "real": real, "below_greedy": below, "above_greedy": won,
        "seconds": time.monotonic() - began,
    }  # fmt: skip
