"""Vector tiles: addresses, caching, grouping, step with the list. What they disclose: test_disclosure_outputs."""

import pytest
from django.contrib.gis.geos import LineString, Point
from django.core.cache import cache
from django.http import QueryDict
from django.urls import reverse

from accounts.models import Region
from listings import tiles
from listings.models import Resource
from tests.listings import mvt
from tests.world import make_resource

LON, LAT = 113.3371, 23.1314


def get(client, z, lon=LON, lat=LAT, query=""):
    response = client.get(reverse("tile_resources", args=mvt.address(lon, lat, z)) + query)
    assert response.status_code == 200
    return mvt.decode(response.content)


def put(world, count, *, spread=0.0, **fields):
    return [
        make_resource(world.power, place=Point(LON + n * spread, LAT, srid=4326), **fields) for n in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["tile_resources", "tile_regions"])
@pytest.mark.parametrize("address", [(17, 0, 0), (0, 1, 0), (3, 8, 0), (3, 0, 8), (99, 1, 1), (5, 2**40, 1)])
def test_an_address_off_the_pyramid_is_404(client, world, name, address):
    assert client.get(reverse(name, args=address)).status_code == 404


def test_a_tile_is_private_and_asked_again_each_time(client, client_as, world):
    put(world, 1)
    address = reverse("tile_resources", args=mvt.address(LON, LAT, 10))
    response = client.get(address)
    assert response["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert response["Cache-Control"] == "private, no-cache"
    assert "Cookie" in response["Vary"]
    again = client.get(address, headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    other = client_as("alice").get(address, headers={"If-None-Match": response["ETag"]})
    assert other.status_code == 200  # sees the exact place: other bytes


@pytest.mark.parametrize("who", ["visitor", "dave"])
@pytest.mark.parametrize("z", [3, 8, 14])
def test_a_tile_costs_few_queries(client, client_as, world, django_assert_max_num_queries, who, z):
    put(world, 5, spread=0.01)
    browser = client if who == "visitor" else client_as(who)
    with django_assert_max_num_queries(8 if who == "visitor" else 13):  # session, person, membership, grants
        get(browser, z)


def test_far_out_groups_count_by_kind(client, world):
    put(world, 3, spread=0.01)
    used_up = [{"unit": "rack_u", "total": 42, "in_use": 42}, {"unit": "kw", "total": 5}]
    make_resource(world.power, "room", place=Point(LON, LAT, srid=4326), pools=used_up)
    [group] = get(client, 5)["groups"]
    counts = {key: group.properties[key] for key in ("count", "tower", "duct", "cable", "room", "open")}
    assert counts == {"count": 4, "tower": 3, "duct": 0, "cable": 0, "room": 1, "open": 3}


def test_every_level_counts_everything_once(client, world):
    """The four tiles below a tile hold together what it holds."""
    for n in range(40):
        make_resource(world.power, place=Point(113.0 + n * 0.037, 22.6 + n * 0.021, srid=4326), pools=[])
    line = LineString((113.1, 22.7), (114.2, 23.4), srid=4326)
    make_resource(world.power, "cable", place=line, pools=[])
    for z in (0, 4, 6, 7, 8, 9):
        x_values = {mvt.address(lon, 23, z)[1] for lon in (112.9, 113.5, 114.0, 114.6)}
        y_values = {mvt.address(113, lat, z)[2] for lat in (22.5, 22.9, 23.2, 23.5)}
        total = 0
        for x in range(min(x_values), max(x_values) + 1):
            for y in range(min(y_values), max(y_values) + 1):
                layers = mvt.decode(client.get(reverse("tile_resources", args=[z, x, y])).content)
                total += len(layers.get("resources", []))
                total += sum(group.properties["count"] for group in layers.get("groups", []))
        assert total == 41, z


def test_near_by_each_has_its_symbol_with_name_and_no_more(client, world):
    [resource] = put(world, 1, disclosure="blurred", name="北塔")
    [feature] = get(client, 12)["resources"]
    assert feature.pk == resource.pk
    assert feature.properties == {
        "kind": "tower", "name": "北塔", "tone": "free", "is_blurred": True, "stacked": 1, "free": 3, "total": 3,
    }  # fmt: skip


def test_several_in_one_cell_fan_out(client, world):
    placed = put(world, 5, disclosure="blurred")
    features = get(client, 13)["resources"]
    assert {f.pk for f in features} == {r.pk for r in placed}
    assert len({tuple(f.points[0]) for f in features}) == 5
    assert {f.properties["stacked"] for f in features} == {5}


def test_too_many_in_one_cell_become_a_group_that_says_so(client, world):
    put(world, 9, disclosure="blurred")
    layers = get(client, 14)
    [group] = layers["groups"]
    assert group.properties["count"] == 9
    assert group.properties["is_stack"] is True
    assert "resources" not in layers


def test_a_crowded_tile_is_grouped(client, world, monkeypatch):
    put(world, 30, spread=0.0007)
    monkeypatch.setattr(tiles, "CROWDED", 10)
    layers = get(client_as_owner(client, world), 9)
    together = sum(g.properties["count"] for g in layers.get("groups", [])) + len(layers.get("resources", []))
    assert together == 30
    assert len(layers["groups"]) < 5


def client_as_owner(client, world):
    client.force_login(world.alice, backend="accounts.backends.PasswordBackend")
    return client


def test_blurred_cells_are_outlined_close_up(client, world):
    put(world, 2, disclosure="blurred")
    assert "cells" not in get(client, 10)
    [cell] = get(client, 13)["cells"]
    assert cell.properties == {"count": 2}


def test_lines_are_drawn_and_far_out_only_the_long_ones(client, world):
    make_resource(world.power, "duct", place=LineString((113.33, 23.13), (113.36, 23.15), srid=4326))
    make_resource(world.power, "cable", place=LineString((113.33, 23.13), (116.4, 39.9), srid=4326))
    assert len(get(client, 12)["shapes"]) == 2
    assert len(get(client, 5)["shapes"]) == 1


@pytest.mark.parametrize(
    "query",
    ["", "?kind=room", "?q=塔", "?sector=telecom", "?free=1", "?height=35-50&kind=tower", "?owner=0&region=440000",
     "?area=POLYGON((113.3 23.1,113.4 23.1,113.4 23.2,113.3 23.1))", "?near=113.33,23.13&radius_m=3000"],
)  # fmt: skip
def test_map_and_list_are_in_step(client, world, query):
    make_resource(world.power, name="塔 A")
    make_resource(world.operator, name="塔 B", pools=[], place=Point(113.36, 23.12, srid=4326))
    make_resource(world.evil, "room", name="房 C", place=Point(113.38, 23.17, srid=4326))
    text = client.get(reverse("resource_results") + query).content.decode()
    in_list = {r.pk for r in Resource.objects.all() if f'id="row-{r.pk}"' in text}
    on_map = {f.pk for f in get(client, 8, query=query).get("resources", [])}
    assert on_map == in_list


def test_a_box_is_no_filter_of_the_map(client, world):
    put(world, 1)
    assert get(client, 12, query="?bbox=1,1,2,2")["resources"]


def test_what_a_query_means_is_worked_out_once_where_it_means_the_same_for_all(world, monkeypatch):
    from listings.forms import browse

    made, form = [], browse.BrowseForm
    monkeypatch.setattr(browse, "BrowseForm", lambda *args, **named: made.append(args) or form(*args, **named))
    browse._plain.cache_clear()
    for asked, times in (("kind=tower&kind=room&free=2", 1), ("region=440100", 2), ("q=塔", 2), ("along=5", 2)):
        made.clear()
        for _ in range(2):
            criteria = browse.criteria_of(QueryDict(asked), reader=None)
        assert len(made) == times, asked
        assert criteria == form(QueryDict(asked), reader=None).criteria
    browse._plain.cache_clear()


# --- Divisions --------------------------------------------------------------------------------


def regions(client, z, lon=LON, lat=LAT):
    address = mvt.address(lon, lat, z)
    cache.delete(tiles.region_key(*address))
    return mvt.decode(client.get(reverse("tile_regions", args=address)).content)


@pytest.mark.parametrize(("z", "levels"), [(4, {1}), (6, {1, 2}), (9, {2, 3}), (11, {3})])
def test_boundaries_by_zoom(client, world, z, levels):
    found = regions(client, z)["regions"]
    assert {f.properties["level"] for f in found} == levels


def test_labels_carry_both_names(client, world):
    labels = [f.properties for f in regions(client, 7, 113.5, 23.2)["labels"]]
    assert {"code": "440100", "name_zh": "广州市", "name_en": "Guangzhou", "level": 2} in labels


def test_divisions_are_public_and_kept_for_a_day(client, world, django_assert_num_queries):
    address = reverse("tile_regions", args=mvt.address(LON, LAT, 6))
    cache.delete(tiles.region_key(*mvt.address(LON, LAT, 6)))
    first = client.get(address)
    assert first["Cache-Control"] == "public, max-age=86400"
    assert "Cookie" not in first.get("Vary", "")
    with django_assert_num_queries(1):  # how many divisions there are
        assert client.get(address).content == first.content
    assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_more_divisions_make_new_tiles(client, world):
    before = regions(client, 9)["regions"]
    tianhe = world.regions["440106"]
    Region.objects.create(code="440105", level=3, parent_id="440100", name_zh="海珠区", polygon=tianhe.polygon)
    cache.delete(tiles.region_key(*mvt.address(LON, LAT, 9)))  # of an earlier run
    after = client.get(reverse("tile_regions", args=mvt.address(LON, LAT, 9))).content
    assert len(mvt.decode(after)["regions"]) == len(before) + 1
