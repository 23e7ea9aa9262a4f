"""Runs over real places: each verdict is checked against distances and capacities worked out by themselves."""

import csv
import json

import pytest
from django.contrib.gis.geos import LineString, MultiLineString, Point
from django.db.models import Sum
from pyproj import Geod

from accounts.models import RegionRule
from matching.models import Allocation, Route
from tests.imports.conftest import shared_data  # noqa: F401  the fixture
from tests.matching.test_run import run_now
from tests.world import make_line, make_list, make_resource

pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]
GEOD = Geod(ellps="WGS84")


@pytest.fixture
def demand_list(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def metres(a, b):
    return GEOD.inv(a.x, a.y, b.x, b.y)[2]


def check_points(run, *, radius_m):
    """Every allocation lies within the radius and nothing is given out twice; unmet lines have nothing free near."""
    met = list(run.results.filter(verdict="met").select_related("line", "resource"))
    for result in met:
        apart = metres(result.line.place, result.resource.place)
        assert apart <= radius_m + 0.1
        assert result.distance_m == pytest.approx(apart, abs=0.1)
    given = Allocation.objects.filter(result__run=run).values("pool", "pool__total").annotate(sum=Sum("quantity"))
    assert all(row["sum"] <= row["pool__total"] for row in given)
    full = {row["pool"] for row in given if row["sum"] == row["pool__total"]}
    towers = {r.pk: r for r in {result.resource for result in met}}
    for result in run.results.filter(verdict="unmet").select_related("line"):
        near = [t for t in towers.values() if metres(result.line.place, t.place) <= radius_m]
        assert all(set(t.pools.values_list("pk", flat=True)) <= full for t in near), "a free position in reach was left"
    return len(met)


def points_over_sites(world, demand_list, need, supply, *, radius_m, positions):
    for n, place in enumerate(supply):
        pool = {"unit": "position", "label": "P1", "height_m": 20, "total": positions(n), "price_fen_per_unit_year": 1}
        make_resource(world.power, place=place, pools=[pool])
    for n, place in enumerate(need):
        make_line(demand_list, world.operator if n % 2 else world.evil, place=place, tolerance_m=radius_m)
    run = run_now(world, demand_list)
    assert run.figures["is_proven"]
    return run, check_points(run, radius_m=radius_m)


def test_ibiza_schools_over_cell_sites(world, demand_list, shared_data):  # noqa: F811
    """Two positions in three on each of 100 sites, 100 schools, 4 km: most are served, and provably no more can be."""
    folder = shared_data / "demand_itu_ibiza"
    schools, sites = (
        [Point(float(r["lon"]), float(r["lat"]), srid=4326) for r in rows(folder / name)]
        for name in ("points-of-interest.csv", "cell-sites.csv")
    )
    run, met = points_over_sites(
        world, demand_list, schools, sites, radius_m=4_000, positions=lambda n: 1 + (n % 3 == 0)
    )
    assert (run.figures["lines"], met) == (len(schools), run.figures["served_bound"])
    assert met > 80


def test_helsinki_cabinets_over_lamps(world, demand_list, shared_data):  # noqa: F811
    features = json.loads((shared_data / "osm_helsinki" / "helsinki_infra_points.geojson").read_text())["features"]
    lamps = [f for f in features if f["properties"]["class"].endswith("=street_lamp")][:150]
    others = [f for f in features if not f["properties"]["class"].endswith(("=street_lamp", "=pole"))][:120]
    spots = [[Point(*f["geometry"]["coordinates"][:2], srid=4326) for f in group] for group in (others, lamps)]
    _run, met = points_over_sites(world, demand_list, *spots, radius_m=150, positions=lambda n: 1)
    assert met > 10


def test_new_york_kiosks_ask_their_neighbours(world, demand_list, shared_data):  # noqa: F811
    kiosks = rows(shared_data / "municipal_linknyc" / "LinkNYC_Locations.csv")
    places = [Point(float(r["Longitude"]), float(r["Latitude"]), srid=4326) for r in kiosks if r["Borough"] == "Bronx"]
    _run, met = points_over_sites(
        world, demand_list, places[0:160:2], places[1:160:2], radius_m=250, positions=lambda n: 1
    )
    assert met > 20


@pytest.fixture
def ivory(world, demand_list, shared_data):  # noqa: F811
    """Côte d'Ivoire: operational fibre as supply of two owners, planned links asked for end to end."""
    features = json.loads((shared_data / "telecom_fibre_watra" / "CIV_lines.geojson").read_text())["features"]
    planned, owners = [], [world.power, world.operator]
    names = sorted({f["properties"]["operator_name"] for f in features if f["geometry"]})
    nodes = []
    for feature in features:
        if not feature["geometry"]:
            continue
        parts = feature["geometry"]["coordinates"]
        parts = parts if feature["geometry"]["type"] == "MultiLineString" else [parts]
        lines = [LineString([c[:2] for c in part], srid=4326) for part in parts if len(part) > 1]
        if feature["properties"]["status"] == "Planned":
            planned.append(max(lines, key=lambda line: line.length))
        else:
            owner = owners[names.index(feature["properties"]["operator_name"]) % 2]
            place = lines[0] if len(lines) == 1 else MultiLineString(lines, srid=4326)
            make_resource(owner, "cable", place=place, pools=[{"unit": "core", "total": 24}])
            nodes += [c for line in lines for c in line.coords]
    for line in planned:
        ends = LineString(line.coords[0], line.coords[-1], srid=4326)
        make_line(demand_list, world.evil, kind="cable", quantity=2, place=ends, tolerance_m=2_000)
    return nodes


def test_watra_planned_links_lead_where_there_is_no_fibre_and_the_run_says_so(world, demand_list, ivory):
    """By the usual rules every one is refused; each has in truth an end farther from all fibre than may be built."""
    run = run_now(world, demand_list)
    assert run.figures["unmet"] == run.figures["lines"] > 30
    for result in run.results.select_related("line"):
        why = result.reasons[0]["route"]
        assert why["binding"] == "no_network"
        apart = [min(GEOD.inv(x, y, u, v)[2] for u, v in ivory) for x, y in result.line.place.coords]
        assert max(apart) > why["limit_m"]


@pytest.mark.slow
def test_watra_planned_links_over_operational_networks_where_far_gaps_may_be_built(world, demand_list, ivory):
    """Each route found runs from end to end, and is as long as its legs; its gaps are what is said to be built."""
    RegionRule.objects.create(
        region=demand_list.region, key="route.gap_max_m", value=60_000, source="test", valid_from="2026-01-01"
    )
    run = run_now(world, demand_list)
    routes = list(Route.objects.filter(result__run=run, role="chosen").select_related("result__line"))
    assert len(routes) == run.figures["met_by_route"] > 10
    for route in routes:
        a, b = (Point(*c) for c in route.result.line.place.coords)
        first, last = (Point(*route.path.coords[i][:2]) for i in (0, -1))
        assert max(metres(a, first), metres(b, last)) < 1
        assert route.length_m == pytest.approx(sum(leg.get("length_m", 0) for leg in route.legs), rel=0.01)
        assert route.length_m >= metres(a, b) * 0.97  # lengths are measured in one plane over the whole country
        built = sum(leg["length_m"] for leg in route.legs if leg["kind"] == "build")
        assert route.gap_m == pytest.approx(built, rel=0.01, abs=2)
