"""Chinese words with one character off find the names that were meant, wherever in the name they stand."""

import pytest
from django.urls import reverse

from listings.search_index.text import near_patterns
from tests.listings.test_browse_page import row_keys
from tests.world import make_resource


@pytest.fixture
def road(world):
    make_resource(world.power, name="珠江新城一号站")
    make_resource(world.power, name="100%_天河大道", disclosure="existence")
    return make_resource(world.power, name="广州天河大道北基站")


@pytest.mark.parametrize(
    "typed",
    [
        "天河大到",
        "天何大道",
        "填河大道",
        "天河道",
        "天河的大道",
        "天大河道",
        "天河大道南",
        "天河大道百基站",
        "广州田河大道北基站",
    ],
)
def test_one_character_off_still_finds_and_says_so(client, road, typed):
    page = client.get(reverse("resource_map"), {"q": typed})
    assert row_keys(page) == [road.pk], typed
    assert "gj-list-note" in page.content.decode()


@pytest.mark.parametrize("typed", ["河源小路", "天上大风", "%%%%", "天_道%", "大道东西南北中"])
def test_what_is_more_than_one_off_finds_nothing(client, road, typed):
    assert row_keys(client.get(reverse("resource_map"), {"q": typed})) == []


def test_what_is_written_right_is_no_guess(client, road):
    page = client.get(reverse("resource_map"), {"q": "天河大道"})
    assert row_keys(page) == [road.pk]
    assert "gj-list-note" not in page.content.decode()


def test_patterns_escape_what_like_reads_otherwise():
    assert all(
        r"\%" in pattern and r"\_" in pattern for _pieces, pattern in near_patterns("天河%_大道") if len(pattern) > 9
    )
    assert near_patterns("天河大")
    assert all(len(piece) >= 2 for pieces, _pattern in near_patterns("天河大道") for piece in pieces)
