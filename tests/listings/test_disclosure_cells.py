"""The stable cell: SQL functions gj_cell, gj_cell_centre and gj_blur."""

import random

import pytest
from django.contrib.gis.geos import GEOSGeometry, LineString, MultiLineString, Point, Polygon
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.listings.mvt import metres_apart

pytestmark = pytest.mark.django_db

LONGITUDES = st.floats(-180, 180, allow_nan=False)
LATITUDES = st.floats(-88.9, 88.9, allow_nan=False)
SHARES = st.floats(0.001, 0.999)
quickly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ask(sql: str, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()


def blur(place: GEOSGeometry) -> GEOSGeometry:
    return GEOSGeometry(ask("SELECT gj_blur(%s::geometry)", place.ewkt)[0])


def cell(lon: float, lat: float) -> tuple[float, float, float, float]:
    sql = "SELECT ST_XMin(c), ST_YMin(c), ST_XMax(c), ST_YMax(c) FROM gj_cell(%s, %s) AS c"
    return ask(sql, lon, lat)


def point(lon, lat) -> Point:
    return Point(lon, lat, srid=4326)


@quickly
@given(LONGITUDES, LATITUDES, SHARES, SHARES)
def test_two_points_of_one_cell_give_the_same_answer(lon, lat, share_x, share_y):
    west, south, east, north = cell(lon, lat)
    other = point(west + share_x * (east - west), south + share_y * (north - south))
    middle = point((west + east) / 2, (south + north) / 2)
    assert blur(other).equals_exact(blur(middle))


@quickly
@given(LONGITUDES, LATITUDES)
def test_a_cell_is_at_least_a_kilometre_both_ways(lon, lat):
    sql = """
      SELECT least(ST_Distance(ST_Point(ST_XMin(c), ST_YMin(c), 4326)::geography,
                               ST_Point(ST_XMax(c), ST_YMin(c), 4326)::geography),
                   ST_Distance(ST_Point(ST_XMin(c), ST_YMax(c), 4326)::geography,
                               ST_Point(ST_XMax(c), ST_YMax(c), 4326)::geography)),
             ST_Distance(ST_Point(ST_XMin(c), ST_YMin(c), 4326)::geography,
                         ST_Point(ST_XMin(c), ST_YMax(c), 4326)::geography)
        FROM gj_cell(%s, %s) AS c"""
    width_m, height_m = ask(sql, lon, lat)
    assert width_m >= 1000
    assert height_m >= 1000


@quickly
@given(LONGITUDES, LATITUDES)
def test_the_centre_is_near_and_on_the_globe(lon, lat):
    centre = blur(point(lon, lat))
    assert metres_apart((lon, lat), (centre.x, centre.y)) < 1000
    assert -180 <= centre.x <= 180
    assert -90 <= centre.y <= 90


@quickly
@given(LONGITUDES, LATITUDES)
def test_blurring_what_is_blurred_changes_nothing(lon, lat):
    centre = blur(point(lon, lat))
    assert blur(centre).equals_exact(centre)


@pytest.mark.parametrize("lat", [0, 23.135, -45.5, 66.66, 88.5])
def test_the_antimeridian_is_one_line_and_leaves_no_narrow_cell(lat):
    assert blur(point(180, lat)).equals_exact(blur(point(-180, lat)))
    west, _south, east, _north = cell(179.99999, lat)
    assert east == pytest.approx(180)
    assert metres_apart((west, lat), (east, lat)) >= 995  # a sphere here, the ellipsoid there


@pytest.mark.parametrize("lat", [89, 89.7, 90, -89, -90])
def test_a_polar_cap_is_one_cell(lat):
    assert blur(point(10, lat)).equals_exact(blur(point(-170, lat)))


def test_reading_ten_thousand_times_gives_one_place():
    sql = (
        "SELECT count(DISTINCT ST_AsText(gj_blur(ST_Point(113.33712, 23.13145, 4326)))) FROM generate_series(1, 10000)"
    )
    assert ask(sql) == (1,)


def test_a_line_keeps_its_course_and_none_of_its_vertices():
    vertices = [(113.0031, 23.0017), (113.0831, 23.0217), (113.1231, 23.1017)]
    blurred = blur(LineString(vertices, srid=4326))
    assert blurred.geom_type == "LineString"
    for shown in blurred.coords:
        centre = blur(point(*shown))
        assert centre.coords == pytest.approx(shown)
        assert shown not in vertices
    assert metres_apart(vertices[0], blurred.coords[0]) < 1000
    assert metres_apart(vertices[-1], blurred.coords[-1]) < 1000


def test_a_line_depends_on_its_cells_alone():
    """Moving every vertex inside its cell changes nothing, whatever the vertices."""
    dice = random.Random(3)
    course = [(113 + 0.013 * n + dice.random() * 0.02, 23 + 0.009 * n) for n in range(30)]
    moved = []
    for lon, lat in course:
        west, south, east, north = cell(lon, lat)
        moved.append(
            (west + dice.uniform(0.05, 0.95) * (east - west), south + dice.uniform(0.05, 0.95) * (north - south))
        )
    assert blur(LineString(course, srid=4326)).equals_exact(blur(LineString(moved, srid=4326)))


def test_a_long_straight_line_does_not_tell_its_course_by_the_steps_it_takes():
    straight = [(113 + 0.9137 * n / 400, 23 + 0.2731 * n / 400) for n in range(401)]
    assert len(blur(LineString(straight, srid=4326)).coords) <= 3


@pytest.mark.parametrize(
    "place",
    [
        LineString((113.331, 23.131), (113.3312, 23.1312), srid=4326),
        MultiLineString(LineString((113.331, 23.131), (113.3312, 23.1312)), srid=4326),
        Polygon(((113.331, 23.131), (113.3315, 23.131), (113.3315, 23.1315), (113.331, 23.131)), srid=4326),
        GEOSGeometry("SRID=4326;POINT Z (113.3311 23.1311 77)"),
    ],
)
def test_what_fits_one_cell_becomes_its_centre(place):
    assert blur(place).equals_exact(blur(point(113.3311, 23.1311)))


def test_a_ring_that_comes_back_stays_a_line_of_cells():
    loop = LineString([(113.0, 23.0), (113.2, 23.0), (113.2, 23.2), (113.0, 23.2), (113.0, 23.0)], srid=4326)
    blurred = blur(loop)
    assert blurred.geom_type == "LineString"
    assert len(blurred.coords) == 5
