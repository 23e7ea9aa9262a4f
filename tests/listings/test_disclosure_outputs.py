"""Every page, partial, suggestion and tile as somebody who may not know the place: nothing in them tells it."""

import pytest
from django.contrib.gis.geos import LineString, Point, Polygon
from django.db import connection
from django.urls import reverse

from listings.models import Resource
from tests.listings import mvt
from tests.world import make_resource

LON, LAT = 113.337123, 23.131456
EXACT = Point(LON, LAT, srid=4326)
TRACES = ["113.337", "23.131", "SECRET-77", "秘密路77号"]
WHO = ["visitor", "uma", "dave"]


@pytest.fixture
def hidden(world):
    """Blurred to everybody but Pearl Power; the name alone is public."""
    return make_resource(
        world.power, place=EXACT, disclosure="blurred", name="北塔", owner_code="SECRET-77", address="天河区秘密路77号"
    )


@pytest.fixture
def get_as(client, client_as):
    def get(name, address, **headers):
        return (client if name == "visitor" else client_as(name)).get(address, **headers)

    return get


def pages(resource) -> list[str]:
    home, results, suggest = reverse("resource_map"), reverse("resource_results"), reverse("resource_suggest")
    box = "113.2,23.0,113.5,23.3"
    return [
        home,
        f"{home}?bbox={box}&sort=distance",
        f"{home}?near={LON:.2f},{LAT:.2f}&radius_m=5000&sort=distance",
        f"{home}?q=北塔",
        f"{results}?bbox={box}",
        f"{results}?sort=price&kind=tower&region=440106",
        f"{suggest}?q=北塔",
        reverse("resource_detail", args=[resource.pk]),
    ]


@pytest.mark.parametrize("who", WHO)
def test_no_page_carries_a_trace_of_the_place(get_as, hidden, who):
    for address in pages(hidden):
        response = get_as(who, address)
        assert response.status_code == 200, address
        text = response.content.decode()
        assert "北塔" in text, address
        assert [trace for trace in TRACES if trace in text] == [], address


def test_the_owner_does_find_them(get_as, hidden):
    """The control of the test above: the traces are what the pages would show."""
    text = get_as("alice", reverse("resource_map")).content.decode()
    assert f'data-lon="{LON}"' in text
    assert f'data-lat="{LAT}"' in text


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("q", ["SECRET-77", "秘密路", "秘密", "secret"])
def test_code_and_address_are_not_searched(get_as, hidden, who, q):
    assert "北塔" not in get_as(who, f"{reverse('resource_results')}?q={q}").content.decode()
    assert "北塔" not in get_as(who, f"{reverse('resource_suggest')}?q={q}").content.decode()


def test_code_and_address_are_found_by_those_who_may_know_them(get_as, hidden):
    for q in ("SECRET-77", "秘密路"):
        assert "北塔" in get_as("alice", f"{reverse('resource_results')}?q={q}").content.decode()


def tile(get_as, who, z, query=""):
    address = mvt.address(LON, LAT, z)
    response = get_as(who, reverse("tile_resources", args=address) + query)
    assert response.status_code == 200
    return mvt.decode(response.content), address


@pytest.mark.parametrize("who", WHO)
def test_no_tile_carries_the_place(get_as, hidden, who):
    cell = Resource.objects.visible_to(None).get().shown_place
    for z in (0, 4, 7, 8, 10, 12, 14, 16):
        layers, address = tile(get_as, who, z)
        for layer, features in layers.items():
            for feature in features:
                assert not {"place", "owner_code", "address"} & set(feature.properties)
                for vertex in feature.points:
                    if layer == "cells":
                        continue
                    shown = mvt.degrees(vertex, *address)
                    assert mvt.metres_apart(shown, (cell.x, cell.y)) < 60_000_000 / 2**z / 500, (z, layer)


def test_the_owners_tile_does_carry_it(get_as, hidden):
    layers, address = tile(get_as, "alice", 14)
    [feature] = layers["resources"]
    assert feature.pk == hidden.pk
    assert feature.properties["is_blurred"] is False
    assert mvt.metres_apart(mvt.degrees(feature.points[0], *address), (LON, LAT)) < 2


def test_a_blurred_line_shows_cells_in_tiles(get_as, world):
    line = LineString((113.301, 23.111), (113.339, 23.134), (113.371, 23.152), srid=4326)
    make_resource(world.power, "duct", place=line, disclosure="blurred")
    layers, address = tile(get_as, "visitor", 14)
    for feature in layers.get("shapes", []) + layers.get("resources", []):
        for vertex in feature.points:
            for true in line.coords:
                assert mvt.metres_apart(mvt.degrees(vertex, *address), true) > 50


def places_in_one_cell() -> list[Point]:
    """Opposite corners of one cell, over a kilometre apart."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_XMin(c), ST_YMin(c), ST_XMax(c), ST_YMax(c) FROM gj_cell(%s, %s) AS c", [113.333, 23.135]
        )
        west, south, east, north = cursor.fetchone()
    return [Point(west + 1e-4, south + 1e-4, srid=4326), Point(east - 1e-4, north - 1e-4, srid=4326)]


def answers(place, world, probes) -> list[int]:
    Resource.objects.all().delete()
    make_resource(world.power, place=place, disclosure="blurred")
    rows = Resource.objects.visible_to(None).published()
    return [rows.search(**probe).count() for probe in probes]


def test_moving_circles_and_boxes_tell_no_more_than_the_cell(world):
    """Wherever in its cell the thing really stands, every question gets the same answer."""
    first, second = places_in_one_cell()
    step = 0.0012
    spots = [(113.328 + step * n, 23.128 + step * m) for n in range(10) for m in range(10)]
    probes = [{"near": Point(*spot, srid=4326), "radius_m": 90} for spot in spots]
    for lon, lat in spots[::3]:
        box = Polygon.from_bbox((lon, lat, lon + step, lat + step))
        box.srid = 4326
        probes += [{"bbox": box}, {"area": box}]
    here, there = answers(first, world, probes), answers(second, world, probes)
    assert here == there
    assert 0 < sum(here) < len(probes)


def test_as_the_owner_the_circles_do_find_the_place(world):
    """The control: the probes above would find an exact place."""
    place, _other = places_in_one_cell()
    make_resource(world.power, place=place, disclosure="blurred")
    rows = Resource.objects.visible_to(world.as_["alice"]).published()
    assert rows.search(near=place, radius_m=10).count() == 1
    assert Resource.objects.visible_to(None).search(near=place, radius_m=10).count() == 0


def test_distance_and_order_come_from_the_place_as_shown(world):
    near_corner, far_corner = places_in_one_cell()
    origin = near_corner
    next_cell = Point(far_corner.x + 3e-4, near_corner.y, srid=4326)  # over the eastern edge
    far_in_near_cell = make_resource(world.power, place=far_corner, disclosure="blurred")
    near_in_far_cell = make_resource(world.power, place=next_cell, disclosure="blurred")
    search = {"near": origin, "radius_m": 20_000, "sort": "distance"}
    shown = list(Resource.objects.visible_to(None).search(**search))
    true = list(Resource.objects.visible_to(world.as_["alice"]).search(**search))
    assert [r.pk for r in shown] == [far_in_near_cell.pk, near_in_far_cell.pk]
    assert [r.pk for r in true] == [near_in_far_cell.pk, far_in_near_cell.pk]
    for row in shown:
        cell = row.shown_place
        assert row.distance_m == pytest.approx(mvt.metres_apart((origin.x, origin.y), (cell.x, cell.y)), rel=0.006)


def test_existence_only_is_counted_and_nowhere_else(get_as, world):
    resource = make_resource(world.power, place=EXACT, disclosure="existence", name="只知其有")
    for who in WHO:
        text = get_as(who, reverse("resource_map") + "?region=440100").content.decode()
        assert "只知其有" not in text
        assert "gj-undisclosed" in text
        assert "只知其有" not in get_as(who, reverse("resource_suggest") + "?q=只知").content.decode()
        assert tile(get_as, who, 12)[0] == {}
        assert get_as(who, reverse("resource_detail", args=[resource.pk])).status_code == 404


@pytest.mark.parametrize("query", ["q=只知", "height=35-50", "free=1", "owner=1", "available_on=2027-01-01"])
def test_the_count_answers_no_finer_question(get_as, world, query):
    make_resource(world.power, place=EXACT, disclosure="existence", name="只知其有")
    assert "gj-undisclosed" not in get_as("visitor", f"{reverse('resource_results')}?{query}").content.decode()


def test_the_count_does_not_follow_a_box(get_as, world):
    make_resource(world.power, place=EXACT, disclosure="existence")
    for box in ("113.2,23.0,113.5,23.3", "73,18,74,19"):
        assert "gj-undisclosed" in get_as("visitor", f"{reverse('resource_results')}?bbox={box}").content.decode()
