"""The public pages of demand lists: who sees which list, filters, downloads, objections, steady query counts."""

import csv as csv_module
import io
import json

import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.urls import line_url, list_url
from listings.models import DemandLine, Objection
from tests.world import make_line, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def public_list(site, world):
    """Lists by state, made as published by Chen after Carol submitted."""

    def make(state="in_force", **fields):
        return make_list(world.bureau, state=state, submitted_by=world.carol, published_by=world.chen, **fields)

    return make


def body(response) -> str:
    return b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()


@pytest.mark.parametrize("state", ["notice", "in_force", "closed"])
def test_public_states_are_read_by_anyone(public_list, client, state):
    row = public_list(state, title_zh="广州铁塔需求")
    make_line(row, title="天河体育中心")
    for rest in ("", "csv/", "geojson/", "1/"):
        response = client.get(list_url(row, rest))
        assert response.status_code == 200, rest
    assert "天河体育中心" in body(client.get(list_url(row)))
    assert "广州铁塔需求" in body(client.get("/lists/"))


@pytest.mark.parametrize("state", ["draft", "submitted"])
def test_unpublished_lists_are_404_to_all_on_every_address(public_list, client, client_as, state):
    row = public_list(state, title_zh="还没公布")
    make_line(row)
    for reader in (client, client_as("dave"), client_as("zhao"), client_as("carol")):
        for rest in ("", "csv/", "geojson/", "1/"):
            assert reader.get(list_url(row, rest)).status_code == 404, rest
        assert reader.post(list_url(row, "objections/"), {"text": "x"}).status_code == 404
        assert "还没公布" not in body(reader.get("/lists/"))


def test_index_filters_by_state_region_batch_and_text(public_list, client, world):
    public_list("in_force", title_zh="甲清单", region=world.regions["440100"])
    public_list("notice", title_zh="乙清单", region=world.regions["440300"])

    def shown(query):
        page = body(client.get(f"/lists/?{query}"))
        return [name for name in ("甲清单", "乙清单") if name in page]

    assert shown("") == ["甲清单", "乙清单"]
    assert shown("state=notice") == ["乙清单"]
    assert shown("region=440100") == ["甲清单"]
    assert shown("text=乙") == ["乙清单"]
    assert shown("batch=2027H1") == ["甲清单", "乙清单"]  # no such batch is offered: the filter counts as not given
    assert shown("state=draft") == ["甲清单", "乙清单"]
    assert shown("text=没有") == []


def test_detail_filters_sorts_and_pages(public_list, client, world):
    row = public_list()
    make_line(row, world.operator, title="天河", quantity=1)
    make_line(row, title="白云", kind="duct", quantity=9)
    page = client.get(list_url(row), {"kind": "duct"})
    assert [line.number for line in page.context["rows"]] == [2]
    assert page.context["geojson_url"].endswith("?kind=duct")
    assert [line.number for line in client.get(list_url(row), {"sort": "quantity"}).context["rows"]] == [2, 1]
    assert [line.number for line in client.get(list_url(row), {"text": "南方通信"}).context["rows"]] == [1]
    assert client.get(list_url(row), {"page": "99", "sort": "x", "kind": "x"}).status_code == 200


def test_detail_of_a_thousand_lines_costs_as_much_as_of_ten(public_list, client, world):
    row = public_list()
    lines = [
        DemandLine(
            demand_list=row, number=n, title=f"第{n}处", kind="tower", quantity=1, place=Point(113.3, 23.1, srid=4326),
            applicant=world.operator,
        )
        for n in range(1, 1_001)
    ]  # fmt: skip
    DemandLine.objects.bulk_create(lines[:10])
    client.get(list_url(row))  # warms Wagtail's own caches

    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(list_url(row)).status_code == 200
        return len(queries)

    few = count()
    DemandLine.objects.bulk_create(lines[10:])
    assert few <= count() <= few + 1 <= 20  # one more for all beyond a page, whatever their number


def test_index_query_count_does_not_grow(public_list, client):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/lists/").status_code == 200
        return len(queries)

    public_list()
    client.get("/lists/")
    few = count()
    for _n in range(15):
        public_list()
    assert few <= count() <= few + 1 <= 20  # one more for all beyond a page, whatever their number


def test_csv_carries_all_lines_and_no_formula(public_list, client, world):
    row = public_list()
    make_line(row, title='=HYPERLINK("http://evil")', notes="+1", applicant_code="@x", kind="room", quantity=12)
    make_line(row, world.operator)
    response = client.get(list_url(row, "csv/"))
    text = body(response)
    assert text.startswith("\ufeff")
    assert row.reference in response["Content-Disposition"]
    _header, first, second = csv_module.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert first[1] == '\'=HYPERLINK("http://evil")'
    assert not [cell for cell in first if cell.startswith(("=", "+", "@"))]
    assert second[7] == world.operator.name_zh
    assert second[-1].startswith("POINT(113.331 23.131)") or second[-1].startswith("POINT (113.331 23.131)")


def test_csv_speaks_the_readers_language(public_list, client):
    row = public_list()
    make_line(row)
    assert "Tower / pole" in body(client.get(f"/en/lists/{row.reference}/csv/"))


def test_geojson_is_valid_filtered_and_exact(public_list, client):
    row = public_list()
    make_line(row, place=Point(113.331234, 23.131234, srid=4326))
    make_line(row, kind="cable", place=LineString((113.3, 23.1), (113.4, 23.2), srid=4326))
    features = json.loads(body(client.get(list_url(row, "geojson/"))))["features"]
    assert [feature["geometry"]["type"] for feature in features] == ["Point", "LineString"]
    assert features[0]["geometry"]["coordinates"] == [113.331234, 23.131234]
    assert features[0]["properties"]["url"] == line_url(row.lines.get(number=1))
    only = json.loads(body(client.get(list_url(row, "geojson/"), {"kind": "cable"})))["features"]
    assert [feature["properties"]["number"] for feature in only] == [2]
    assert "attachment" in client.get(list_url(row, "geojson/"), {"download": "1"})["Content-Disposition"]


def test_geojson_and_csv_cost_no_query_per_line(public_list, client, world):
    row = public_list()
    for _n in range(30):
        make_line(row, world.operator)
    for rest in ("csv/", "geojson/"):
        with CaptureQueriesContext(connection) as queries:
            body(client.get(list_url(row, rest)))
        assert len(queries) <= 14, rest


def test_line_page_links_applicants_and_bureau_to_matches(public_list, client, client_as, world):
    row = public_list()
    make_line(row, world.operator)
    for reader, sees in (
        (client, False),
        (client_as("dave"), True),
        (client_as("carol"), True),
        (client_as("eve"), False),
    ):
        page = reader.get(list_url(row, "1/"))
        assert page.status_code == 200
        assert bool(page.context["matches_url"]) == sees
    assert client.get(list_url(row, "2/")).status_code == 404


# --- Objections -------------------------------------------------------------------------------


def test_objection_through_the_page(public_list, client_as, world):
    row = public_list("notice")
    make_line(row)
    client = client_as("eve")
    assert "objection_form" in client.get(list_url(row)).context
    response = client.post(list_url(row, "objections/"), {"line": "1", "text": "已有可用铁塔"})
    assert response.status_code == 302
    assert response["Location"] == list_url(row)
    assert Objection.objects.get().organisation == world.evil


@pytest.mark.parametrize(
    ("data", "words"),
    [({"text": ""}, "text"), ({"text": "x", "line": "7"}, "line"), ({"text": "x", "line": "-1"}, "line")],
)
def test_a_wrong_objection_is_told_in_the_form(public_list, client_as, data, words):
    row = public_list("notice")
    response = client_as("eve").post(list_url(row, "objections/"), data)
    assert response.status_code == 422
    assert words in response.context["objection_form"].errors
    assert not Objection.objects.exists()


def test_objections_are_refused_to_the_unverified_and_after_the_notice(public_list, client_as):
    noticed, in_force = public_list("notice"), public_list("in_force")
    assert client_as("uma").post(list_url(noticed, "objections/"), {"text": "x"}).status_code == 422
    assert client_as("eve").post(list_url(in_force, "objections/"), {"text": "x"}).status_code == 422
    assert not Objection.objects.exists()


def test_a_visitor_is_led_to_the_login_to_object_and_get_is_refused(public_list, client):
    row = public_list("notice")
    response = client.post(list_url(row, "objections/"), {"text": "x"})
    assert response.status_code == 302
    assert "login" in response["Location"]
    assert client.get(list_url(row, "objections/")).status_code == 405


def test_objecting_needs_the_csrf_token(public_list, world):
    from django.test import Client

    row = public_list("notice")
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.eve, backend="accounts.backends.PasswordBackend")
    assert client.post(list_url(row, "objections/"), {"text": "x"}).status_code == 403


# --- Home -------------------------------------------------------------------------------------


def test_home_shows_latest_public_lists_only(public_list, client):
    public_list("in_force", title_zh="公开清单")
    public_list("draft", title_zh="草稿清单")
    page = body(client.get("/"))
    assert "公开清单" in page
    assert "草稿清单" not in page


def test_home_costs_the_same_with_more_lists(public_list, client):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/").status_code == 200
        return len(queries)

    public_list()
    client.get("/")
    few = count()
    for _n in range(10):
        public_list()
    assert count() == few <= 16
