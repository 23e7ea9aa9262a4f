"""Two browsers converse, one as narrow as a phone, through a restart of the server and a cut line: each sees
everything once and in the same order."""

import re

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import expect

from messaging import actions
from messaging.models import Message
from messaging.relay import relay_once
from tests import papers
from tests import world as make
from tests.live import serving

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
SOON = 20_000


@pytest.fixture
def world(transactional_db):
    return make.build()


@pytest.fixture
def thread(world):
    tower = make.make_resource(world.power)
    return actions.open_thread(subject=tower, title="Tower T-1", organisations=[world.power, world.operator])


@pytest.fixture
def sign_in(browser, browser_context_args, world):
    """sign_in("dave", address) → a page of a browser that is signed in as Dave."""
    contexts = []

    def enter(name, address, **options):
        client = Client()
        client.force_login(world.user(name), backend="accounts.backends.PasswordBackend")
        context = browser.new_context(**{**browser_context_args, **options})
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        return page

    yield enter
    for context in contexts:
        context.close()
    connections.close_all()


def say(page, text):
    page.fill("[data-send] [name=body]", text)
    page.locator("[data-send] button[type=submit]").click()


def is_live(page):
    expect(page.locator("[data-thread][data-live=on]")).to_be_visible(timeout=SOON)


def sees(page, text):
    """What the server has given a number, not what still waits."""
    expect(page.locator(".gj-message[data-number]", has_text=text)).to_have_count(1, timeout=SOON)


def bodies(page):
    return [text.strip() for text in page.locator(".gj-message[data-number] .gj-message-body").all_inner_texts()]


def test_nothing_is_lost_or_doubled_through_restart_and_cut_line(world, thread, sign_in, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    server = serving()
    address = server.__enter__()
    port = int(address.rsplit(":", 1)[1])
    dave, alice = sign_in("dave", address), sign_in("alice", address, **PHONE)
    for page in (dave, alice):
        page.goto(f"{address}/en/messages/{thread.pk}/")
        is_live(page)
    say(dave, "one, to begin with")
    sees(alice, "one, to begin with")
    expect(dave.locator("[data-receipt][data-state=read]").first).to_contain_text("Pearl Power", timeout=SOON)

    # Alice drives through a tunnel; Dave goes on.
    alice.context.set_offline(True)
    say(alice, "two, typed in the tunnel")
    expect(alice.locator(".gj-message-pending")).to_contain_text("goes out when the line is back", timeout=SOON)
    say(dave, "three, unheard at first")
    sees(dave, "three, unheard at first")

    # The server is restarted under both of them.
    server.__exit__(None, None, None)
    expect(dave.locator("[data-thread][data-live=off]")).to_be_visible(timeout=SOON)
    say(dave, "four, while nobody answered")
    expect(dave.locator(".gj-message-pending").last).to_contain_text("goes out when the line is back", timeout=SOON)
    server = serving(port)
    server.__enter__()
    try:
        alice.context.set_offline(False)
        for page in (dave, alice):
            for text in ("two, typed", "three, unheard", "four, while"):
                sees(page, text)
            is_live(page)
            expect(page.locator(".gj-message-pending")).to_have_count(0, timeout=SOON)
        _left_waiting_goes_out_from_another_page(address, thread, alice, dave)
        stored = list(Message.objects.filter(thread=thread).order_by("number").values_list("number", "body"))
        assert [number for number, _ in stored] == [1, 2, 3, 4, 5]
        for page in (dave, alice):
            assert bodies(page) == [body for _, body in stored]
        _nothing_sticks_out(alice)
    finally:
        server.__exit__(None, None, None)


def _left_waiting_goes_out_from_another_page(address, thread, alice, dave):
    """Typed without a line, the page closed: it goes out when any page is opened with one."""
    alice.context.set_offline(True)
    say(alice, "five, left behind")
    expect(alice.locator(".gj-message-pending")).to_contain_text("goes out", timeout=SOON)
    alice.context.set_offline(False)
    alice.goto(f"{address}/en/notifications/")
    sees(dave, "five, left behind")
    alice.goto(f"{address}/en/messages/{thread.pk}/")
    sees(alice, "five, left behind")
    is_live(alice)


def _nothing_sticks_out(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_names_files_changes_and_places(world, thread, sign_in, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with serving() as address:
        dave, alice = sign_in("dave", address), sign_in("alice", address)
        for page in (dave, alice):
            page.goto(f"{address}/en/messages/{thread.pk}/")
            is_live(page)
        expect(alice.locator(".gj-party-here")).to_have_text("Southern Telecom", timeout=SOON)
        dave.locator("[data-send] [name=body]").press_sequentially("@Ver")
        expect(dave.locator("[data-mentions] li")).to_have_count(1)
        expect(alice.locator("[data-typing]")).to_contain_text("is writing", timeout=SOON)
        dave.keyboard.press("Enter")
        dave.set_input_files(
            "[data-send] [type=file]", {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": papers.pdf()}
        )
        dave.select_option("[data-send] [name=topic]", "question")
        say(dave, dave.input_value("[data-send] [name=body]") + "which side?")
        sees(alice, "@Vera which side?")
        expect(alice.locator(".gj-message-question .gj-message-file")).to_contain_text("plan.pdf")
        relay_once()

        # What the server does not take comes back into the box.
        dave.set_input_files("[data-send] [type=file]", {"name": "x.exe", "mimeType": "a/b", "buffer": b"MZ"})
        say(dave, "with a programme")
        expect(dave.locator("[data-error]")).to_contain_text("x.exe cannot be sent", timeout=SOON)
        assert dave.input_value("[data-send] [name=body]") == "with a programme"
        dave.get_by_role("button", name="Remove: x.exe").click()
        dave.fill("[data-send] [name=body]", "")

        own = dave.locator(".gj-message-own").first
        own.locator(".gj-message-acts summary").click()
        own.locator("[data-correct]").click()
        say(dave, "the north side?")
        sees(alice, "the north side?")
        expect(alice.locator(".gj-message-was")).to_have_count(1)
        own = dave.locator(".gj-message-own").first
        expect(own).to_contain_text("the north side?", timeout=SOON)
        own.locator(".gj-message-acts summary").click()
        own.get_by_role("button", name="Take back").click()
        dave.locator("dialog[open]").get_by_role("button", name="Take back").click()
        sees(alice, "This message was taken back.")

        alice.click("[data-place]")
        alice.get_by_label("Longitude (°E)").fill("113.33")
        alice.get_by_label("Latitude (°N)").fill("23.13")
        alice.get_by_label("Latitude (°N)").press("Tab")
        alice.click("[data-place-take]")
        say(alice, "meet here")
        expect(dave.locator(".gj-message-place")).to_contain_text("113.330000, 23.130000", timeout=SOON)
        dave.locator(".gj-message-place").click()
        expect(dave.locator("#thread-map")).to_be_visible()
        expect(dave.locator(".gj-place-list")).to_contain_text(re.compile("Alice"))
