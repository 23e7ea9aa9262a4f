"""What stands near a line: by the index or over all supply the same pairs, and metres as PostGIS measures them."""

import random

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import LineString, MultiLineString, Point, Polygon
from django.db import connection
from django.utils import timezone
from pyproj import Geod

from matching import candidates, near
from matching.core import metres
from tests.matching.slow_rules import metres_between
from tests.world import make_line, make_list, make_resource

HERE = (113.330, 23.130)
GEOD = Geod(ellps="WGS84")


def test_metres_between_points_are_those_of_the_geodesic():
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(-180, 180, 4000), rng.uniform(-89.9, 89.9, 4000)
    off = 10.0 ** rng.uniform(-6, 1.2, (2, 4000)) * rng.choice([-1, 1], (2, 4000))
    to_lon, to_lat = (lon + off[0] + 180) % 360 - 180, np.clip(lat + off[1], -90, 90)
    found = metres.between(lon, lat, to_lon, to_lat)
    assert np.abs(found - GEOD.inv(lon, lat, to_lon, to_lat)[2]).max() < 0.01
    assert np.isnan(metres.between(*np.full((4, 1), np.nan))).all()


def test_metres_to_courses_are_those_of_the_database(db):
    rng = random.Random(2)
    shapes = []
    for number in range(40):
        spread = (0.0001, 0.01, 2.0)[number % 3]
        parts = [
            [(HERE[0] + rng.uniform(-spread, spread), HERE[1] + rng.uniform(-spread, spread)) for _ in range(4)]
            for _ in range(2)
        ]
        shapes.append(shapely.MultiLineString(parts) if number % 2 else shapely.LineString(parts[0]))
    course = np.repeat(np.arange(len(shapes)), 5)
    lon = np.array([HERE[0] + rng.uniform(-0.05, 0.05) for _ in course])
    lat = np.array([HERE[1] + rng.uniform(-0.05, 0.05) for _ in course])
    found = metres.to_courses(lon, lat, course, metres.courses_of(np.array(shapes, dtype=object)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_Distance(ST_GeomFromText(w, 4326)::geography, ST_SetSRID(ST_Point(x, y), 4326)::geography)"
            " FROM unnest(%s::text[], %s::float8[], %s::float8[]) WITH ORDINALITY AS a (w, x, y, n) ORDER BY n",
            [[shapes[k].wkt for k in course], lon.tolist(), lat.tolist()],
        )
        expected = np.array([row[0] for row in cursor.fetchall()])
    assert (np.abs(found - expected) < 0.05 + 2e-5 * expected).all()  # far off, PostGIS looks for the spot on a sphere


@pytest.fixture
def mixed(world):
    """Points, lines, cells and an area; lines at places, as connections and as an area."""
    rng = random.Random(3)

    def at(spread=0.01):
        return (HERE[0] + rng.uniform(-spread, spread), HERE[1] + rng.uniform(-spread, spread))

    for number in range(30):
        kind = ("tower", "duct", "cable", "room")[number % 4]
        place = Point(at(), srid=4326)
        if kind in ("duct", "cable"):
            place = LineString(at(), at(), at(), srid=4326)
            if number % 5 == 0:
                place = MultiLineString(LineString(at(), at()), LineString(at(), at()), srid=4326)
        make_resource(
            world.power, kind, place=place, disclosure=("exact", "exact", "blurred", "existence")[number // 8]
        )
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    for number in range(24):
        kind = ("tower", "duct", "cable", "room")[number % 4]
        place = Point(at(), srid=4326)
        if kind == "cable" or number % 8 == 1:
            place = LineString(at(), at(), srid=4326)
        elif number % 7 == 0:
            place = Polygon.from_bbox((*HERE, HERE[0] + 0.002, HERE[1] + 0.001))
            place.srid = 4326
        make_line(demand_list, world.operator, kind=kind, place=place, tolerance_m=rng.choice([300, 900, 2000]))
    return demand_list


def found_in(demand_list):
    today = timezone.localdate()
    lines = candidates.read_lines(demand_list.pk, radius_m=500, today=today)
    found = candidates.find(lines, today=today)
    return lines, {
        (int(line), int(resource)): metres
        for line, resource, metres in zip(
            found.pairs.line, found.resource_ids, found.pairs.distance_m.tolist(), strict=True
        )
    }


def test_both_ways_find_what_the_database_measures_within_the_limit(world, mixed, monkeypatch):
    monkeypatch.setattr(near, "SWEEP_FROM", 1e9)
    lines, by_index = found_in(mixed)
    monkeypatch.setattr(near, "SWEEP_FROM", 0)
    assert found_in(mixed)[1] == by_index
    expected = {}
    for number, pk in enumerate(lines.id.tolist()):
        line = mixed.lines.get(pk=pk)
        for resource in line_supply(line):
            apart = farther(line, resource)
            if apart <= line.tolerance_m:
                expected[number, resource.pk] = apart
    assert expected.keys() == by_index.keys()
    assert len(expected) > 20
    assert all(abs(expected[pair] - by_index[pair]) < 0.05 for pair in expected)


def line_supply(line):
    from listings.models import Resource

    return Resource.objects.filter(kind=line.kind, state="published").exclude(disclosure="existence")


def farther(line, resource):
    """Metres from the line's place, of a connection from the farther of its ends; by PostGIS."""
    if line.place.dims != 1:
        return metres_between(line, resource)
    ends = [Point(line.place.coords[i], srid=4326) for i in (0, -1)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(ST_Distance((CASE disclosure WHEN 'exact' THEN place ELSE shown_cell END)::geography,"
            " e::geography)) FROM listings_resource, unnest(%s::geometry[]) e WHERE id = %s",
            [[end.hexewkb.decode() for end in ends], resource.pk],
        )
        return cursor.fetchone()[0]


@pytest.mark.parametrize("sweep_from", [0, 1e9])
def test_in_a_crowd_only_the_nearest_are_looked_at(world, monkeypatch, sweep_from):
    monkeypatch.setattr(near, "SWEEP_FROM", sweep_from)
    monkeypatch.setattr(near, "CROWD", 3)
    monkeypatch.setattr(near, "PER_LINE", 2)
    towers = [
        make_resource(world.power, place=Point(HERE[0], HERE[1] + n * 0.0001, srid=4326)).pk for n in range(6)
    ]  # fmt: skip
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    make_line(demand_list, world.operator, place=Point(*HERE, srid=4326), tolerance_m=300)
    lone = Point(HERE[0] + 1, HERE[1], srid=4326)
    far = make_resource(world.power, place=lone)
    make_line(demand_list, world.operator, place=lone, tolerance_m=300)
    assert sorted(found_in(demand_list)[1]) == [(0, towers[0]), (0, towers[1]), (1, far.pk)]
