"""Criteria, order and facet counts, at the queryset and the form."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.gis.geos import Point, Polygon
from django.core.cache import cache
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from accounts.models import Region
from listings import search
from listings.forms.browse import BrowseForm
from listings.found import count_facets
from listings.models import CapacityPool, Resource, Tally
from listings.results import Results
from tests.listings.supply import hold
from tests.world import make_resource


def visible(membership=None):
    return Resource.objects.visible_to(membership).published()


def found(membership=None, **criteria) -> set[str]:
    return {r.name for r in visible(membership).search(**criteria)}


def results(query: str, membership=None) -> Results:
    data = QueryDict(query)
    return Results(reader=membership, query=data, form=BrowseForm(data))


def box(*edges) -> Polygon:
    polygon = Polygon.from_bbox(edges)
    polygon.srid = 4326
    return polygon


@pytest.fixture
def supply(world):
    """Five resources that differ in everything one can search by."""
    make_resource(
        world.power, name="白云山铁塔", place=Point(113.30, 23.18, srid=4326), facts={"height_m": Decimal(45)},
        pools=[{"unit": "position", "label": "P1", "total": 3, "in_use": 1, "price_fen_per_unit_year": 900_000}],
    )  # fmt: skip
    make_resource(
        world.operator, name="Harbour mast", region="440300", place=Point(114.05, 22.54, srid=4326),
        facts={"height_m": Decimal(20)},
        pools=[{"unit": "position", "label": "P1", "total": 2, "in_use": 2, "price_fen_per_unit_year": 100_000}],
    )  # fmt: skip
    make_resource(
        world.power, "duct", name="中山大道管道", place=Point(113.36, 23.12, srid=4326),
        pools=[{"unit": "bore", "total": 6, "price_fen_per_unit_year": 0}],
    )  # fmt: skip
    make_resource(
        world.evil, "room", name="西湖机房", region="330100", place=Point(120.15, 30.25, srid=4326),
        available_from=dt.date(2030, 1, 1),
    )  # fmt: skip
    make_resource(
        world.operator, "cable", name="广深光缆", region="440100", place=Point(113.6, 23.0, srid=4326),
        available_until=dt.date(2027, 6, 30),
        pools=[{"unit": "core", "total": 48, "in_use": 40}],
    )  # fmt: skip
    return world


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        ({"kind": ["tower"]}, {"白云山铁塔", "Harbour mast"}),
        ({"kind": ["duct", "room"]}, {"中山大道管道", "西湖机房"}),
        ({"sector": ["power"]}, {"白云山铁塔", "中山大道管道"}),
        ({"sector": ["transport", "telecom"]}, {"西湖机房", "Harbour mast", "广深光缆"}),
        ({"free": 1}, {"白云山铁塔", "中山大道管道", "西湖机房", "广深光缆"}),
        ({"free": 7}, {"西湖机房", "广深光缆"}),
        ({"height": ["35-50"]}, {"白云山铁塔"}),
        ({"height": ["15-25", "35-50"]}, {"白云山铁塔", "Harbour mast"}),
        ({"q": "铁塔"}, {"白云山铁塔"}),
        ({"q": "白云山"}, {"白云山铁塔"}),
        ({"q": "harbour MAST"}, {"Harbour mast"}),
        ({"q": "明珠"}, {"白云山铁塔", "中山大道管道"}),  # the owner's name
        ({"q": "southern telecom"}, {"Harbour mast", "广深光缆"}),
        ({"q": "浙江"}, {"西湖机房"}),  # the region's name, and what lies below it
        ({"q": "Guangdong"}, {"白云山铁塔", "Harbour mast", "中山大道管道", "广深光缆"}),
        ({"q": "明珠 管道"}, {"中山大道管道"}),
        ({"q": "管道 没有"}, set()),
        ({"q": "50%"}, set()),
        ({"available_on": dt.date(2026, 12, 1)}, {"白云山铁塔", "Harbour mast", "中山大道管道", "广深光缆"}),
        ({"available_on": dt.date(2031, 1, 1)}, {"白云山铁塔", "Harbour mast", "中山大道管道", "西湖机房"}),
        ({"bbox": box(113.2, 23.0, 113.5, 23.3)}, {"白云山铁塔", "中山大道管道"}),
        ({"area": Polygon(((113, 22), (115, 22), (114, 22.9), (113, 22)), srid=4326)}, {"Harbour mast"}),
        ({"near": Point(113.36, 23.12, srid=4326), "radius_m": 3000}, {"中山大道管道"}),
        ({"near": Point(113.36, 23.12, srid=4326), "radius_m": 200_000}, {
            "白云山铁塔", "Harbour mast", "中山大道管道", "广深光缆"}),
    ],
)  # fmt: skip
def test_criteria(supply, criteria, names):
    assert found(**criteria) == names
    assert found(supply.as_["dave"], **criteria) == names


def test_a_region_holds_what_lies_below_it(supply):
    by_code = {code: found(region=Region.objects.get(pk=code)) for code in ("440000", "440100", "440106", "330000")}
    assert by_code["440000"] == {"白云山铁塔", "Harbour mast", "中山大道管道", "广深光缆"}
    assert by_code["440100"] == {"白云山铁塔", "中山大道管道", "广深光缆"}
    assert by_code["440106"] == {"白云山铁塔", "中山大道管道"}
    assert by_code["330000"] == {"西湖机房"}


def test_the_public_code_finds_its_resource(supply):
    resource = Resource.objects.get(name="西湖机房")
    assert found(q=resource.code) == {"西湖机房"}
    assert found(q="T" + resource.code[1:]) == set()


def test_one_owner(supply):
    assert found(owner=supply.evil.pk) == {"西湖机房"}


def test_own_drafts_are_no_part_of_the_map(supply):
    make_resource(supply.power, name="draft", state="draft")
    assert "draft" not in found(supply.as_["alice"])


@pytest.mark.parametrize(
    ("sort", "first"),
    [("price", "中山大道管道"), ("free", "西湖机房"), ("newest", "广深光缆"), ("distance", "广深光缆")],
)
def test_orders(supply, sort, first):
    assert visible().search(sort=sort)[0].name == first


def test_price_to_be_negotiated_stands_last(supply):
    assert [r.name for r in visible().search(sort="price")][-1] == "广深光缆"


def test_relevance_puts_the_name_itself_first(world):
    for name in ("x pole", "pole x", "pole"):
        make_resource(world.power, name=name)
    assert [r.name for r in visible().search(q="pole")] == ["pole", "pole x", "x pole"]


@pytest.mark.parametrize("sort", search.SORTS)
def test_pages_never_overlap_however_equal_the_rows(world, sort):
    moment = timezone.now()
    keys = {make_resource(world.power, name="same").pk for _ in range(9)}
    Resource.objects.update(published_at=moment)
    rows = visible().search(sort=sort, q="same", near=Point(113.3, 23.1, srid=4326), radius_m=50_000)
    pages = [row.pk for at in range(0, 9, 2) for row in rows[at : at + 2]]
    assert len(pages) == 9
    assert set(pages) == keys


# --- Facets -----------------------------------------------------------------------------------


def test_each_facet_leaves_its_own_choice_open(supply):
    counts = count_facets(None, {"kind": ["tower"], "sector": ["power"]})
    assert counts.total == 1
    assert counts.kind == {"tower": 1, "duct": 1}  # of the power sector
    assert counts.sector == {"power": 1, "telecom": 1}  # of the towers
    assert counts.region == {"44": 1}
    assert counts.free == {"partly": 1}
    assert counts.height == {"35-50": 1}


@pytest.mark.parametrize(
    "query",
    ["", "kind=tower", "kind=tower&kind=duct&free=1", "region=440000&height=35-50", "q=明珠&sector=power",
     "bbox=113,22,115,24&kind=cable"],
)  # fmt: skip
def test_every_count_is_what_choosing_it_brings(supply, query):
    page = results(query)
    assert page.total == len(page.page.object_list)
    for choice in [
        *page.kinds,
        *page.sectors,
        *{n: c for n, _t, c in page.drawer_facets}["height"],
        *page.regions,
    ]:
        if choice.is_chosen:
            continue
        chosen = results(choice.href.removeprefix("?"))
        already = {
            "kind": page.kinds,
            "sector": page.sectors,
            "height": {n: c for n, _t, c in page.drawer_facets}["height"],
        }
        several = sum(c.count for choices in already.values() if choice in choices for c in choices if c.is_chosen)
        assert chosen.total == choice.count + several, choice


def test_facets_cost_few_queries_however_many_there_are(supply, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        count_facets(None, {"kind": ["tower"], "height": ["35-50"], "free": 1})


def test_counts_are_the_readers_own(supply):
    make_resource(supply.power, disclosure="existence")
    assert count_facets(None, {}).total == 5
    alice = supply.as_["alice"]
    assert count_facets(alice, {}).total == 6


def test_existence_only_is_counted_by_region(supply):
    for kind in ("tower", "tower", "duct"):
        make_resource(supply.power, kind, disclosure="existence")
    page = results("region=440000&kind=tower").undisclosed
    assert page["total"] == 2
    assert [(part.region.code, part.count) for part in page["regions"]] == [("440100", 2)]
    assert results("region=330000").undisclosed["total"] == 0
    assert results("", supply.as_["alice"]).undisclosed["total"] == 0  # its owner sees them in the list


# --- The form ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "bbox=foo", "bbox=1,2,3", "bbox=nan,1,2,3", "bbox=5,5,1,1", "bbox=-999,0,0,1", "bbox=1e400,0,1,1",
        "near=23,113", "near=x", "near=200,10", "near=113", "region=999999", "region=44", "region=' OR 1=1",
        "free=0", "free=-3", "free=abc", "free=99999999999999999999", "kind=castle", "sector=army", "height=99",
        "available_on=2026-02-31", "owner=-1", "owner=99999999999999999999", "sort=random", "radius_m=-1",
        "area=POLYGON((0 0,1 1", "area=POINT(1 1)", "area={}", "area={\"type\":\"Polygon\"}", "area=" + "[" * 9000,
        "area=POLYGON((0 0,10 10,10 0,0 10,0 0))", "area=POLYGON EMPTY", "area=POLYGON((0 0,400 0,400 9,0 0))",
        "area={\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,\"a\"],[1,1],[0,0]]]}", "area=" + "x" * 30_000,
        "area={\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1]]]}", "q=" + "x" * 200,
    ],
)  # fmt: skip
def test_a_mistake_is_answered_in_words_and_the_rest_still_counts(supply, client, query):
    data = QueryDict(query)
    form = BrowseForm(data)
    assert not form.is_valid()
    assert form.criteria == {}
    for errors in form.errors.values():
        assert all(len(str(error)) > 4 for error in errors)
    state = {name: data.getlist(name) for name in data} | {"height": ["15-25", *data.getlist("height")]}
    response = client.get("/map/", state)
    assert response.status_code == 200
    assert "gj-errors" in response.content.decode()
    if "height" not in data:
        assert "Harbour mast" in response.content.decode()
        assert "中山大道管道" not in response.content.decode()


@pytest.mark.parametrize("q", ["\x00", "a\x00b", "%", "_", "\\", "'", '"', "铁", "🗼", "() & | !", " "])
def test_odd_texts_are_just_texts(supply, client, q):
    assert client.get("/map/", {"q": q}).status_code == 200
    assert client.get("/map/suggest/", {"q": q}).status_code == 200


@pytest.mark.parametrize(
    "area",
    ["POLYGON((113 23,114 23,114 24,113 23))", "polygon((113 23,114 23,114 24,113 23))",
     '{"type":"Polygon","coordinates":[[[113,23],[114,23],[114,24],[113,23]]]}',
     '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[113,23],[114,23],[114,24],[113,23]]]}}',
     "MULTIPOLYGON(((113 23,114 23,114 24,113 23)))"],
)  # fmt: skip
def test_an_area_comes_as_wkt_or_geojson(supply, area):
    query = QueryDict(mutable=True)
    query["area"] = area
    assert BrowseForm(query).criteria["area"].extent == (113, 23, 114, 24)


def test_an_area_of_too_many_corners_is_refused():
    corners = ",".join(f"{113 + n * 1e-4:.4f} {23 + n * n * 1e-7:.7f}" for n in range(600))
    query = QueryDict(mutable=True)
    query["area"] = f"POLYGON(({corners},113 23))"
    assert "area" in BrowseForm(query).errors


# --- The tally the database keeps ---------------------------------------------------------------


def test_the_tally_follows_every_change_of_pools(world):
    resource = make_resource(world.power, pools=[])

    def tally():
        row = Tally.objects.get(pk=resource.pk)
        return row.total_units, row.free_units, row.tone, row.price_fen

    assert tally() == (0, 0, "full", None)
    pool = CapacityPool.objects.create(
        resource=resource, unit="position", label="A", total=3, price_fen_per_unit_year=9
    )
    assert tally() == (3, 3, "free", 9)
    CapacityPool.objects.create(resource=resource, unit="position", label="B", total=2, in_use=2)
    assert tally() == (5, 3, "partly", 9)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE listings_capacitypool SET in_use = 3 WHERE id = %s", [pool.pk])
    assert tally() == (5, 0, "full", 9)
    pool.delete()
    assert tally() == (2, 0, "full", None)
    resource.delete()
    assert not Tally.objects.filter(pk=resource.pk).exists()


def test_one_statement_tallies_all_its_rows(world):
    """Bulk stores: each resource gets its own sums, from one statement over many."""
    resources = [make_resource(world.power, pools=[]) for _ in range(3)]
    pools = [CapacityPool(resource=r, unit="position", label="A", total=n) for n, r in enumerate(resources, start=1)]
    pools = CapacityPool.objects.bulk_create(pools)
    assert [Tally.objects.get(pk=r.pk).free_units for r in resources] == [1, 2, 3]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE listings_capacitypool SET in_use = total")
        assert [Tally.objects.get(pk=r.pk).tone for r in resources] == ["full"] * 3
        cursor.execute("UPDATE listings_capacitypool SET resource_id = %s, in_use = 0, label = 'B' WHERE id = %s",
                       [resources[2].pk, pools[0].pk])  # fmt: skip
        assert [Tally.objects.get(pk=r.pk).free_units for r in resources] == [0, 0, 1]
        cursor.execute("UPDATE listings_tower SET height_m = 10 * resource_id / resource_id + height_m")
        assert {Tally.objects.get(pk=r.pk).height_m for r in resources} == {50}


def test_a_hold_counts_in_the_tally_at_once(world):
    resource = make_resource(world.power)
    hold(resource.pools.get(), world.operator, 3)
    assert Tally.objects.get(pk=resource.pk).tone == "full"


def test_a_room_without_power_left_is_full(world):
    pools = [{"unit": "rack_u", "total": 84}, {"unit": "kw", "total": 10, "in_use": 10}]
    room = make_resource(world.power, "room", pools=pools)
    assert (room.tally.free_units, room.tally.free_kw, room.tally.tone) == (84, 0, "full")
    assert room.name not in found(free=1)


def test_height_is_the_structures_else_the_highest_platforms(world):
    tower = make_resource(world.power, facts={"height_m": Decimal(52)})
    assert Tally.objects.get(pk=tower.pk).height_m == 52
    tower.tower.height_m = None
    tower.tower.save()
    assert Tally.objects.get(pk=tower.pk).height_m == 35  # world's platform P1


def test_live_figures(supply):
    make_resource(supply.power, disclosure="existence")
    make_resource(supply.power, state="draft")
    cache.delete(search.figures_key())
    figures = search.live_figures()
    assert figures["total"] == 6
    assert figures["by_kind"] == {"tower": 3, "duct": 1, "cable": 1, "room": 1}
    assert figures["by_sector"]["municipal"] == 0
    assert search.live_figures() == figures
    cache.delete(search.figures_key())
