"""Tiles written in the process: what they keep of a block is never older than the block, nor another reader's."""

import datetime as dt

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import LineString, Point
from django.urls import reverse
from django.utils import timezone

from listings import mvt as writer
from listings.models import DisclosureGrant, Resource, SearchDirty, Tally
from listings.search_index import drawn, fold, kept
from tests.listings import mvt
from tests.world import make_resource

LON, LAT = 113.3371, 23.1314


@pytest.fixture
def folded(world, monkeypatch):
    """A tower, a duct and a blurred tower of the power company, in one block."""
    monkeypatch.setattr(fold, "PLACE_FROM", 1)
    kept.forget()
    drawn.forget()
    made = [
        make_resource(world.power, name="北塔", disclosure="exact", place=Point(LON, LAT, srid=4326)),
        make_resource(world.power, "duct", name="管道", disclosure="exact",
                      place=LineString((LON, LAT), (LON + 0.01, LAT + 0.004), (LON + 0.02, LAT + 0.01), srid=4326)),
        make_resource(world.power, name="南塔", disclosure="blurred", place=Point(LON + 0.004, LAT, srid=4326)),
    ]  # fmt: skip
    fold.fold()
    assert not Tally.objects.filter(resource__in=made, slot=None).exists()
    return made


def tile(browser, z=12):
    response = browser.get(reverse("tile_resources", args=mvt.address(LON, LAT, z)))
    assert response.status_code == 200
    return mvt.decode(response.content)


def named(layers):
    return {f.pk: f.properties["name"] for f in layers["resources"]}


def test_a_tile_asked_again_reads_no_resource(client, folded, django_assert_num_queries):
    before = tile(client)
    assert set(named(before)) == {r.pk for r in folded}
    with django_assert_num_queries(2):  # the layout of the blocks, and whether a fold came between
        again = tile(client)
    assert again == before


@pytest.mark.parametrize("is_folded", [False, True])
@pytest.mark.parametrize("who", ["visitor", "dave"])
def test_a_change_is_drawn_at_once(client, client_as, world, folded, is_folded, who):
    browser = client if who == "visitor" else client_as(who)
    tower, duct, south = folded
    tile(browser)
    course = LineString((LON, LAT), (LON + 0.01, LAT + 0.009), (LON + 0.02, LAT + 0.01), srid=4326)
    changes = [
        (tower, {"name": "东塔"}, lambda layers: named(layers)[tower.pk] == "东塔"),
        (duct, {"place": course}, lambda layers: who == "visitor" or len(corners(layers, duct)[0]) == 3),
        (south, {"disclosure": "existence"}, lambda layers: south.pk not in named(layers)),
        (tower, {"state": "suspended"}, lambda layers: tower.pk not in named(layers)),
    ]
    for resource, change, is_drawn in changes:
        was = corners(tile(browser), duct)
        Resource.objects.filter(pk=resource.pk).update(**change)
        assert SearchDirty.objects.exists()
        if is_folded:
            assert fold.fold() > 0
        now = tile(browser)
        assert is_drawn(now), change
        if "place" in change and who == "dave":  # the same box, another course within it
            assert corners(now, duct) != was


def corners(layers, resource):
    return [f.points for f in layers["shapes"] if f.pk == resource.pk]


def test_saving_nothing_new_marks_nothing(folded):
    Resource.objects.filter(pk=folded[0].pk).update(name=folded[0].name, address="别处")
    assert not SearchDirty.objects.exists()


def test_what_one_reader_may_see_is_not_kept_for_another(client, client_as, world, folded):
    """Owner, then somebody with a grant, then a verified organisation, then a visitor: each as if alone."""
    south = folded[2]
    people = {"alice": client_as("alice"), "dave": client_as("dave"), "visitor": client}

    def seen(who, *, alone):
        if alone:
            drawn.forget()
            kept.forget()
        [symbol] = [f for f in tile(people[who], 14).get("resources", []) if f.pk == south.pk]
        return symbol.points, symbol.properties["is_blurred"]

    by_themselves = {who: seen(who, alone=True) for who in people}
    assert by_themselves["alice"] != by_themselves["dave"]
    for order in (["alice", "dave", "visitor"], ["visitor", "dave", "alice"]):
        drawn.forget()
        assert {who: seen(who, alone=False) for who in order} == by_themselves


def test_a_grant_shows_the_exact_place_and_its_end_hides_it(client_as, world, folded):
    south, browser = folded[2], client_as("dave")
    before = tile(browser, 14)
    grant = DisclosureGrant.objects.create(
        resource=south, organisation=world.operator, purpose="x", state="granted", asked_by=world.dave,
        expires_at=timezone.now() + dt.timedelta(days=30),
    )  # fmt: skip
    during = tile(browser, 14)
    assert during != before
    grant.delete()
    assert tile(browser, 14) == before


# --- The writer -------------------------------------------------------------------------------


def layer(sort, geometries):
    made, count = writer.Layer("things", ("name", "count", "is_so")), len(geometries)
    said = [
        [writer.text("塔")] * count,
        [writer.number(n * 9_000) for n in range(count)],
        [None, *[writer.truth(True)] * (count - 1)],
    ]
    made.add([n * 100_000 for n in range(count)], said, sort, geometries)
    return mvt.decode(made.written())["things"]


def test_points_stand_in_one_tile_only():
    x, y = np.array([0, 4095.6, 4096, -1, 5]), np.array([4096, 0.2, 10, 10, 0])
    written = writer.points(x, y)
    assert [bool(geometry) for geometry in written] == [True, True, False, False, False]
    one, two = layer(writer.POINT, written)
    assert (one.points, two.points) == ([(0, 4096)], [(4096, 0)])
    assert (one.pk, two.pk) == (0, 100_000)
    assert one.properties == {"name": "塔", "count": 0}
    assert two.properties == {"name": "塔", "count": 9_000, "is_so": True}
    assert writer.Layer("nothing", ()).written() == b""


def test_lines_are_read_as_they_were_written():
    shapes = np.array(
        [
            shapely.from_wkt("LINESTRING (0 0, 10 5, 10 5, 4000 4100)"),
            shapely.from_wkt("LINESTRING (5 5, 5.2 5.1)"),  # shrinks to a point
            shapely.from_wkt("MULTILINESTRING ((-64 3, 8 9), (7 7, 7 7.1), (100 100, 90 4160, 3 3))"),
            shapely.from_wkt("GEOMETRYCOLLECTION EMPTY"),
        ]
    )
    written = writer.lines(shapes)
    assert [bool(geometry) for geometry in written] == [True, False, True, False]
    first, third = layer(writer.LINE, written)
    assert first.points == [(0, 0), (10, 5), (4000, 4100)]
    assert third.points == [(-64, 3), (8, 9), (100, 100), (90, 4160), (3, 3)]
    assert third.pk == 200_000
    assert third.properties == {"name": "塔", "count": 18_000, "is_so": True}
    assert writer.lines(np.array([], object)) == []


def test_areas_turn_the_way_the_format_asks_for():
    ring = shapely.from_wkt("POLYGON ((0 0, 0 100, 100 100, 100 0, 0 0), (20 20, 40 20, 40 40, 20 40, 20 20))")
    written = writer.areas([shapely.Polygon(), ring, shapely.from_wkt("POLYGON ((1 1, 1.2 1, 1.1 1.3, 1 1))")])
    assert [bool(geometry) for geometry in written] == [False, True, False]
    points = layer(writer.AREA, written)[0].points
    outer, inner = points[:4], points[4:]
    assert area(outer) == 10_000  # above zero with y pointing downwards, as the format's section 4.3.4.4 says
    assert area(inner) == -400
    assert set(outer) == {(0, 0), (0, 100), (100, 100), (100, 0)}


def area(points):
    return sum(
        (a[0] * b[1] - b[0] * a[1]) / 2 for a, b in zip(points, [*points[1:], points[0]], strict=True)
    )  # fmt: skip


def test_boxes_without_extent_are_left_out():
    written = writer.boxes(np.array([[0, 0, 10, 20], [5, 5, 5.1, 90], [-64, -64, 4160, 4160]]))
    assert [bool(geometry) for geometry in written] == [True, False, True]
    assert layer(writer.AREA, written)[0].points == [(0, 0), (10, 0), (10, 20), (0, 20)]
    assert area(layer(writer.AREA, written)[1].points) == 4224**2
