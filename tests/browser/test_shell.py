"""The frame in a real browser: by keyboard, on a phone, without scripts, without WebGL, under the strict CSP."""

import json

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect

from tests import world as named_world

PHONE = {"width": 360, "height": 740}
NO_WEBGL = "HTMLCanvasElement.prototype.getContext = () => null"


@pytest.fixture
def visit(address, new_person):
    """visit(path, as_="bob", …) → (page, problems): signed in, what the console complains of in problems."""
    world = named_world.build()

    def go(path, *, as_=None, before="", **options):
        page = new_person(**options)
        problems = []
        page.on("console", lambda line: line.type == "error" and problems.append(line.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        if before:
            page.add_init_script(before)
        if as_:
            client = Client()
            client.force_login(world.user(as_), backend="accounts.backends.PasswordBackend")
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": address}])
        page.goto(address + path)
        return page, problems

    return go


def test_the_menu_works_by_keyboard(visit):
    page, problems = visit("/en/work/", as_="carol")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    menu = page.locator("details[data-menu]").last
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("link", name="Profile and security")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("link").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Profile and security")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    assert problems == []


def test_the_bar_folds_on_a_phone(visit):
    page, problems = visit("/en/work/", as_="bob", viewport=PHONE)
    links = page.get_by_role("navigation", name="Main")
    expect(links).to_be_hidden()
    fold = page.get_by_role("button", name="Menu")
    fold.click()
    expect(links).to_be_visible()
    page.keyboard.press("Escape")
    expect(links).to_be_hidden()
    expect(fold).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert problems == []


def test_without_scripts_the_bar_stands_open_and_a_place_is_typed(visit):
    page, _ = visit("/en/resources/new/tower/", as_="alice", viewport=PHONE, java_script_enabled=False)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(page.locator("[data-geo-widget] textarea")).to_be_visible()
    expect(page.locator("[data-geo-drawing]")).to_be_hidden()


def test_light_and_dark_are_chosen_and_remembered(visit):
    page, problems = visit("/en/accounts/login/", color_scheme="light")
    html = page.locator("html")
    expect(html).to_have_attribute("data-bs-theme", "light")
    page.get_by_role("button", name="Light or dark").click()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    assert problems == []


def test_a_place_is_typed_pasted_and_drawn(visit):
    page, problems = visit("/en/resources/new/tower/", as_="alice")
    widget = page.locator("[data-geo-widget]")
    expect(widget).to_have_attribute("data-state", "ready")
    text = widget.locator("textarea")

    def stored():
        return json.loads(text.input_value())["coordinates"]

    widget.get_by_label("Longitude (°E)").fill("113.33")
    widget.get_by_label("Latitude (°N)").fill("23.13")
    widget.get_by_label("Latitude (°N)").blur()
    assert stored() == [113.33, 23.13]

    widget.get_by_label("Longitude (°E)").fill("114.05, 22.54")  # both, pasted into one field
    widget.get_by_label("Longitude (°E)").blur()
    expect(widget.get_by_label("Latitude (°N)")).to_have_value("22.54")
    assert stored() == [114.05, 22.54]

    canvas = widget.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.click(box["x"] + 200, box["y"] + 150)
    expect(widget.get_by_label("Latitude (°N)")).not_to_have_value("22.54")
    lon, lat = stored()
    assert 70 < lon < 140
    assert 3 < lat < 55

    widget.get_by_role("button", name="Clear").click()
    expect(text).to_have_value("")
    expect(widget.get_by_label("Longitude (°E)")).to_have_value("")
    assert problems == []


def test_without_webgl_a_sentence_says_so_and_the_numbers_remain(visit):
    page, problems = visit("/en/resources/new/tower/", as_="alice", before=NO_WEBGL)
    widget = page.locator("[data-geo-widget]")
    expect(widget).to_have_attribute("data-state", "no-map")
    expect(widget.get_by_text("This browser shows no map")).to_be_visible()
    widget.get_by_label("Longitude (°E)").fill("113.33")
    widget.get_by_label("Latitude (°N)").fill("23.13")
    widget.get_by_label("Latitude (°N)").blur()
    assert json.loads(widget.locator("textarea").input_value())["coordinates"] == [113.33, 23.13]
    assert problems == []


def test_what_cannot_be_undone_asks_first(visit):
    page, problems = visit("/en/accounts/login/")
    page.evaluate(
        """() => {
          const form = document.createElement('form')
          form.innerHTML = '<button type="submit" data-confirm="Retire it? Its holds end.">Retire</button>'
          form.id = 'sample'
          form.addEventListener('submit', event => {
            event.preventDefault()
            form.dataset.times = 1 + Number(form.dataset.times || 0)
          })
          document.querySelector('main').append(form)
        }"""
    )
    button = page.get_by_role("button", name="Retire")
    dialog = page.get_by_role("dialog")
    button.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Retire it? Its holds end.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    assert page.locator("#sample").get_attribute("data-times") is None

    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Retire")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#sample")).to_have_attribute("data-times", "1")
    assert problems == []
