"""Search, route, typed names, tiles and counts as somebody who may not know a place."""

import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import connection
from django.http import QueryDict
from django.urls import reverse

from listings import disclosure
from listings.forms.browse import BrowseForm
from listings.found import Found
from listings.models import Resource
from listings.results import Results
from listings.routes import Route
from listings.search_index import fold
from listings.selection import map_rows
from tests.listings import mvt
from tests.listings.test_disclosure_outputs import places_in_one_cell
from tests.world import make_resource


@pytest.fixture
def folded(monkeypatch):
    monkeypatch.setattr(fold, "PLACE_FROM", 1)


@pytest.mark.parametrize("who", ["visitor", "uma", "dave", "alice"])
def test_the_rule_written_in_sql_is_the_rule(world, who):
    reader = None if who == "visitor" else world.as_[who]
    for level in ("exact", "blurred"):
        for owner in (world.power, world.operator):
            make_resource(owner, disclosure=level, place=Point(113.3371, 23.1314, srid=4326))
    sql, params = disclosure.shown_place_sql(reader)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT r.id, ST_AsText({sql}) FROM listings_resource r", params)
        by_hand = dict(cursor.fetchall())
    for row in Resource.objects.visible_to(reader):
        assert by_hand[row.pk] == row.shown_place.wkt.replace("POINT (", "POINT("), (who, row.disclosure)


def answers(place, world, probes) -> list[tuple]:
    Resource.objects.all().delete()
    make_resource(world.power, place=place, disclosure="blurred")
    fold.fold()
    return [(found.total, found.counts.kind, found.extent()) for found in (Found(None, probe) for probe in probes)]


def test_routes_circles_and_polygons_tell_no_more_than_the_cell(world, folded):
    """Wherever in its cell the thing really stands, totals, facet counts and extents are the same; from blocks too."""
    first, second = places_in_one_cell()
    probes = []
    for n in range(12):
        lon, lat = 113.326 + n * 0.0013, 23.128 + n * 0.0012
        line = LineString((lon, 23.10), (lon, 23.16), srid=4326)
        spot = Point(lon, lat, srid=4326)
        probes += [{"route": Route(line, 60)}, {"near": spot, "radius_m": 90}, {"area": spot.buffer(0.0007)}]
    here, there = answers(first, world, probes), answers(second, world, probes)
    assert here == there
    assert 0 < sum(total for total, *_ in here) < len(probes)
    owner = world.as_["alice"]
    assert [Found(owner, {"near": place, "radius_m": 10}).total for place in (first, second)] == [0, 1]


def test_ten_thousand_reads_of_a_blurred_place_are_one_point(world):
    resource = make_resource(world.power, place=Point(113.3371, 23.1314, srid=4326), disclosure="blurred")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT shown), count(*) FROM (SELECT ST_AsEWKT(gj_blur(ST_SetSRID(ST_MakePoint("
            " 113.3371 + 0 * n, 23.1314), 4326))) AS shown FROM generate_series(1, 10000) AS n) AS reads"
        )
        assert cursor.fetchone() == (1, 10_000)
    shown = {str(Resource.objects.visible_to(None).get().shown_place.coords) for _ in range(50)}
    assert len(shown) == 1
    assert str(resource.place.coords) not in shown


def test_a_typed_name_never_brings_what_is_only_counted(client, world):
    make_resource(world.power, disclosure="existence", name="只知其有天台塔")
    make_resource(world.power, disclosure="blurred", name="公开的天台塔")
    for q in ("只", "只知", "只知其有天台塔", "只知其有天合塔"):
        text = client.get(reverse("resource_results"), {"q": q}).content.decode()
        assert "只知其有" not in text.replace(f'value="{q}"', "").replace(f"“{q}”", "").replace(q, "")
        assert Found(None, {"q": q}).ids(0, 5) in ([], [Resource.objects.get(disclosure="blurred").pk])


def test_mistyped_names_are_found_by_likeness(client, world):
    tower = make_resource(world.power, name="中山大道东路灯杆")
    for q in ("中山大到东路灯杆", "中山大道东路灯干"):
        found = Found(None, {"q": q})
        assert found.ids(0, 5) == [tower.pk]
        assert found.is_similar
    assert "names like them" in client.get(reverse("resource_results"), {"q": "中山大到东路灯杆"}).content.decode()


@pytest.mark.parametrize("q", ["塔", "大道", "东", "珠江新城"])
def test_one_and_two_characters_find_names(world, q):
    made = make_resource(world.power, name="珠江新城大道东塔")
    make_resource(world.power, name="别处的杆")
    assert Found(None, {"q": q}).ids(0, 5) == [made.pk]


def test_codes_are_found_from_their_beginning_by_those_who_may(world):
    resource = make_resource(world.power, owner_code="GZ-7701", disclosure="blurred", name="北塔")
    alice = world.as_["alice"]
    assert Found(alice, {"q": "gz-77"}).ids(0, 5) == [resource.pk]
    assert Found(alice, {"q": "7701"}).total == 0
    assert Found(world.as_["dave"], {"q": "gz-77"}).total == 0
    assert Found(None, {"q": resource.code}).ids(0, 5) == [resource.pk]


def test_more_names_than_are_looked_at_are_said_to_be(client, world, monkeypatch):
    from listings.search_index import text

    monkeypatch.setattr(text, "MOST", 3)
    for n in range(6):
        make_resource(world.power, name=f"塔 {n}")
    assert Found(None, {"q": "塔"}).is_capped
    assert Found(None, {"q": "塔"}).total == 3
    assert "20,000" in client.get(reverse("resource_results"), {"q": "塔"}).content.decode()


def test_a_cable_is_followed_as_it_is_shown(client, client_as, world):
    line = LineString((113.30, 23.10), (113.36, 23.16), srid=4326)
    cable = make_resource(world.power, "cable", place=line, disclosure="exact")
    near = make_resource(world.power, place=Point(113.33, 23.1301, srid=4326), name="近塔")
    make_resource(world.power, place=Point(113.40, 23.10, srid=4326), name="远塔")
    text = client_as("dave").get(reverse("resource_results"), {"along": cable.pk, "within_m": 300}).content.decode()
    assert near.name in text
    assert "远塔" not in text
    hidden = make_resource(world.power, "cable", place=line, disclosure="existence")
    answer = client.get(reverse("resource_results"), {"along": hidden.pk}).content.decode()
    assert "no such cable" in answer


def test_a_file_follows_the_cable_as_the_page_does(world):
    line = LineString((113.30, 23.10), (113.36, 23.16), srid=4326)
    cable = make_resource(world.power, "cable", place=line, disclosure="blurred", state="published")
    owner = world.as_["alice"]
    near = make_resource(world.power, place=Point(113.33, 23.1301, srid=4326))
    asked = QueryDict(f"along={cable.pk}&within_m=300&kind=tower")
    page = Results(reader=owner, query=asked, form=BrowseForm(asked, reader=owner))
    assert [row.pk for row in map_rows(owner, asked)] == page.found.ids(0, 5) == [near.pk]


@pytest.mark.parametrize("route", ["LINESTRING(0 0", "POINT(1 1)", "{}", "[1]", "LINESTRING(1 1,1 1)", "x" * 30_000])
def test_a_route_that_is_none_is_answered_in_words(client, world, route):
    response = client.get(reverse("resource_results"), {"route": route})
    assert response.status_code == 200
    assert "gj-errors" in response.content.decode()


def test_far_tiles_place_nothing_more_exactly_than_its_cell(client, world, folded):
    """One thing alone in its block and square: its symbol stands at the cell's middle, whatever the zoom."""
    make_resource(world.power, place=Point(113.337123, 23.131456, srid=4326), disclosure="blurred", name="北塔")
    fold.fold()
    cell = Resource.objects.visible_to(None).get().shown_place
    for z in (3, 6, 7):
        address = mvt.address(113.337, 23.131, z)
        layers = mvt.decode(client.get(reverse("tile_resources", args=address) + "?kind=tower").content)
        [feature] = layers.get("resources", []) + layers.get("groups", [])
        shown = mvt.degrees(feature.points[0], *address)
        assert mvt.metres_apart(shown, (cell.x, cell.y)) < 60_000_000 / 2**z / 500


def test_the_geojson_says_what_the_page_says(client, client_as, world):
    blurred = make_resource(world.power, place=Point(113.337123, 23.131456, srid=4326), disclosure="blurred")
    exact = make_resource(world.power, place=Point(113.337123, 23.131456, srid=4326), disclosure="exact")
    for who, may in ((client, set()), (client_as("dave"), {exact.pk}), (client_as("alice"), {exact.pk, blurred.pk})):
        answer = who.get(reverse("resource_features"), {"kind": "tower", "sort": "price"}).json()
        assert answer["numberMatched"] == 2
        assert answer["facets"]["kind"] == {"tower": 2}
        assert {f["id"] for f in answer["features"] if f["geometry"]["coordinates"] == [113.337123, 23.131456]} == may
        assert {f["id"] for f in answer["features"] if not f["properties"]["is_blurred"]} == may
