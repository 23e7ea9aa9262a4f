"""The map of resources as a person sees it: map and list tied both ways, one state in the address."""

import re

import pytest
from django.contrib.gis.geos import Point
from playwright.sync_api import expect

from tests import world as world_module
from tests.world import make_resource


@pytest.fixture
def supply(transactional_db):
    world = world_module.build()
    tower = make_resource(world.power, name="北塔", disclosure="blurred", place=Point(113.337, 23.131, srid=4326))
    room = make_resource(world.operator, "room", name="南房", place=Point(113.42, 23.05, srid=4326))
    return tower, room


def open_map(page, address):
    page.goto(address)
    expect(page.locator("#gj-canvas")).to_have_attribute("data-ready", "ready", timeout=30_000)


def middle_of_map(page):
    box = page.locator("#gj-canvas").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_symbol_and_row_are_tied_both_ways(page, address, supply):
    tower, _room = supply
    open_map(page, f"{address}/map/?kind=tower")  # one result: the map shows it in its middle
    page.mouse.move(0, 0)
    x, y = middle_of_map(page)
    row = page.locator(f"#row-{tower.pk}")

    def point_at_symbol():
        page.mouse.move(x + 60, y + 60)
        page.mouse.move(x, y)
        expect(row).to_have_class(re.compile("is-tied"), timeout=1_000)

    retry(point_at_symbol)
    card = page.locator(".gj-card")
    expect(card).to_contain_text("北塔")
    expect(card).to_contain_text("1 km")  # says that the place is blurred
    page.mouse.click(x, y)
    page.locator(".gj-card a").click()
    expect(page).to_have_url(re.compile(rf"/resources/{tower.pk}/$"))
    page.go_back()
    page.locator(f"#row-{tower.pk} a").click()
    expect(page).to_have_url(re.compile(rf"/resources/{tower.pk}/$"))
    expect(page.locator(".gj-explore")).to_have_count(0)  # a page of its own, not one inside the list


def retry(act, times=20):
    """Tiles come when they come: the same act again until it does what it should."""
    for left in reversed(range(times)):
        try:
            return act()
        except AssertionError:
            if not left:
                raise
    return None


def test_the_address_carries_the_state(page, address, supply):
    tower, room = supply
    open_map(page, f"{address}/map/")
    page.locator("#chip-kind-room").click()
    expect(page).to_have_url(re.compile(r"\?kind=room$"))
    expect(page.locator(f"#row-{tower.pk}")).to_have_count(0)
    expect(page.locator("#chip-kind-room")).to_be_focused()
    page.locator("#gj-follow").check()
    expect(page).to_have_url(re.compile("bbox="))
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?kind=room$"), timeout=20_000)  # each step back has arrived before the next
    page.go_back()
    expect(page.locator(f"#row-{tower.pk}")).to_be_visible(timeout=20_000)
    page.goto(f"{address}/map/?kind=room")
    expect(page.locator(f"#row-{room.pk}")).to_be_visible()
    expect(page.locator(f"#row-{tower.pk}")).to_have_count(0)


def test_suggestions_by_keyboard(page, address, supply):
    page.goto(f"{address}/map/")
    page.locator("#map-q").press_sequentially("天河")
    expect(page.locator("[role=option]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#map-q")).to_have_attribute("aria-activedescendant", "suggestion-1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("region=440106"))


def test_on_a_phone_the_list_comes_first_and_the_map_is_one_tap_away(page, address, supply):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{address}/map/")
    expect(page.locator(".gj-found-row")).to_have_count(2)
    expect(page.locator("#gj-canvas")).to_be_hidden()
    page.locator("button[data-view=map]").click()
    expect(page.locator("#gj-canvas")).to_have_attribute("data-ready", "ready", timeout=30_000)
    expect(page.locator(".gj-found-row").first).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_the_list_does_everything(browser, address, supply):
    tower, room = supply
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/map/")
    page.locator("#map-q").fill("南房")
    page.locator("#gj-find button[type=submit]").first.click()
    expect(page.locator(f"#row-{room.pk}")).to_be_visible()
    expect(page.locator(f"#row-{tower.pk}")).to_have_count(0)
    expect(page.locator("#gj-canvas")).not_to_be_empty()
    context.close()
