"""The map page, its partial and the suggestions through HTTP."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.gis.geos import LineString, Point
from django.urls import reverse

from tests.world import make_resource


def row_keys(response) -> list[int]:
    return [int(key) for key in re.findall(r'id="row-(\d+)"', response.content.decode())]


@pytest.fixture
def many(world):
    return [make_resource(world.power, name=f"塔 {n:02}") for n in range(60)]


def test_page_and_partial_hold_the_same_list(client, many):
    page = client.get(reverse("resource_map"), {"sort": "newest"})
    partial = client.get(reverse("resource_results"), {"sort": "newest"})
    swapped = client.get(reverse("resource_map"), {"sort": "newest"}, headers={"HX-Request": "true"})
    assert row_keys(page) == row_keys(partial) == row_keys(swapped)
    assert len(row_keys(page)) == 25
    assert b"<html" in page.content
    assert b"<html" not in partial.content
    assert b"<html" not in swapped.content


def test_going_back_gets_the_whole_page(client, many):
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert b"<html" in client.get(reverse("resource_map"), headers=headers).content


def test_pages_hold_everything_once(client, many):
    keys = [key for n in (1, 2, 3) for key in row_keys(client.get(reverse("resource_map"), {"page": n}))]
    assert sorted(keys) == sorted(r.pk for r in many)


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", "1.5", ""])
def test_a_page_that_is_not_there_is_the_nearest(client, many, number):
    response = client.get(reverse("resource_map"), {"page": number})
    assert response.status_code == 200
    assert row_keys(response)


def test_the_state_is_carried_by_links_and_fields(client, many):
    text = client.get(reverse("resource_map"), {"kind": "tower", "q": "塔", "bbox": "113,23,114,24"}).content.decode()
    assert "kind=tower&amp;kind=duct" in text  # one more kind
    assert '<input type="hidden" name="kind" value="tower">' in text
    assert '<input type="hidden" name="bbox" value="113,23,114,24">' in text
    assert 'data-tile-query="?kind=tower&amp;q=%E5%A1%94"' in text  # the box is no filter of the tiles
    assert 'data-extent="113.00000,23.00000,114.00000,24.00000"' in text


class Links(HTMLParser):
    """[(address, whether htmx puts its answer where the list stands)]."""

    def __init__(self, text):
        super().__init__()
        self.boosts, self.found = [("", False)], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        boost = said["hx-boost"] == "true" if "hx-boost" in said else self.boosts[-1][1]
        if tag == "a":
            self.found.append((said.get("href", ""), boost))
        if tag not in ("input", "br", "img", "hr", "meta", "link"):
            self.boosts.append((tag, boost))

    def handle_startendtag(self, tag, attrs):
        """Parts of a symbol: nothing stands in them."""

    def handle_endtag(self, tag):
        while len(self.boosts) > 1 and self.boosts.pop()[0] != tag:
            pass


def test_only_links_to_the_list_itself_are_put_in_its_place(client_as, many):
    """A resource's page once opened inside the list."""
    text = client_as("dave").get(reverse("resource_results"), {"kind": "tower", "page": 2}).content.decode()
    links = Links(text).found
    map_ = reverse("resource_map")
    assert {boost for href, boost in links if "/resources/" in href} == {False}
    assert any(boost for _href, boost in links)
    for href, boost in links:
        assert not boost or href.startswith(("?", map_)), href


def test_nothing_found_says_what_to_do(client, many):
    response = client.get(reverse("resource_map"), {"q": "没有这样的"})
    assert row_keys(response) == []
    assert "gj-empty" in response.content.decode()


def test_an_empty_portal_is_a_page_too(client, world):
    assert client.get(reverse("resource_map")).status_code == 200


def test_nearest_first_without_a_place_says_what_is_missing(client, many):
    assert "gj-list-note" in client.get(reverse("resource_map"), {"sort": "distance"}).content.decode()
    near = {"sort": "distance", "near": "113.33, 23.13"}
    assert "gj-list-note" not in client.get(reverse("resource_map"), near).content.decode()


def test_what_one_reader_sees_is_kept_by_no_cache(client, many):
    response = client.get(reverse("resource_map"))
    assert response["Cache-Control"] == "private, no-store"
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("name", ["resource_map", "resource_results", "resource_suggest"])
def test_reading_only(client, world, name):
    assert client.post(reverse(name)).status_code == 405


@pytest.mark.parametrize("who", ["visitor", "dave", "alice"])
def test_the_number_of_queries_does_not_grow_with_rows(client, client_as, world, django_assert_max_num_queries, who):
    browser = client if who == "visitor" else client_as(who)
    address = reverse("resource_map") + "?q=塔&region=440000&kind=tower&sort=distance&near=113.3,23.1&radius_m=90000"
    line = LineString((113.30, 23.10), (113.33, 23.13), srid=4326)
    for count in (1, 30):
        for n in range(count):
            make_resource(world.power, name=f"塔 {count}-{n}", place=Point(113.3 + n / 1000, 23.13, srid=4326))
            make_resource(world.operator, "duct", name=f"管 {count}-{n}", place=line)
        with django_assert_max_num_queries(26):
            assert browser.get(address).status_code == 200
        with django_assert_max_num_queries(20):
            assert browser.get(reverse("resource_results")).status_code == 200
        with django_assert_max_num_queries(9):
            assert browser.get(reverse("resource_suggest"), {"q": "塔 "}).status_code == 200


# --- Suggestions ------------------------------------------------------------------------------


def suggestions(client, q) -> str:
    response = client.get(reverse("resource_suggest"), {"q": q})
    assert response.status_code == 200
    return response.content.decode()


def test_suggestions_offer_names_owners_and_regions(client, world):
    tower = make_resource(world.power, name="明珠塔")
    text = suggestions(client, "明珠")
    assert reverse("resource_detail", args=[tower.pk]) in text
    assert f"?owner={world.power.pk}" in text
    assert "?region=440106" in suggestions(client, "天河")
    assert text.count('role="option"') == 2


def test_one_character_is_too_little(client, world):
    make_resource(world.power, name="塔")
    assert 'role="option"' not in suggestions(client, "塔")


def test_suggestions_know_what_the_reader_may_read(client, client_as, world):
    make_resource(world.power, name="密塔一号", disclosure="existence")
    make_resource(world.evil, name="密塔草稿", state="draft")
    assert "密塔" not in suggestions(client, "密塔")
    assert "密塔" not in suggestions(client_as("dave"), "密塔")
    assert "密塔一号" in suggestions(client_as("alice"), "密塔")
    assert "旁观" not in suggestions(client, "旁观")  # an owner of nothing that is listed


def test_suggestions_are_escaped(client, world):
    make_resource(world.power, name="<script>alert(1)</script>")
    assert "<script>" not in suggestions(client, "alert")


def test_a_search_of_no_results_is_an_answer_of_the_features_too(client, many):
    answer = client.get(reverse("resource_features"), {"q": "没有这样的"}).json()
    assert (answer["features"], answer["numberMatched"]) == ([], 0)
