"""Takes the pictures of README and guides in headless Chromium, as the demonstration's people see the pages.

Called by script/pictures. Writes docs/pictures/<name>.png and prints one line a picture.
"""

import os
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
PASSWORD = "gongjian-demo-2026"  # of the demonstration's people: agreements/demo/cast.py
FLAGS = ["--use-angle=swiftshader", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DESKTOP, PHONE, TALL = {"width": 1280, "height": 820}, {"width": 390, "height": 780}, {"width": 1280, "height": 1100}

# name, person (None: a visitor), address or the link to follow, window
SHOTS = [
    ("home", None, "/", DESKTOP),
    ("map", "dave", "/map/?region=440100", DESKTOP),
    ("map-phone", "dave", "/map/", PHONE),
    ("work", "dave", "/work/", DESKTOP),
    ("list", None, "/lists/440000-2026h2-1/", DESKTOP),
    ("run", "carol", "run", DESKTOP),
    ("desk", "carol", "/cms/desk/", DESKTOP),
    ("lines", "carol", "lines", DESKTOP),
    ("call", "dave", "call", DESKTOP),
    ("notice", None, "notice", DESKTOP),
    ("objection", "zhao", "objection", DESKTOP),
    ("case", "alice", "case", DESKTOP),
    ("agreement", "dora", "agreement", DESKTOP),
    ("resource", "dave", "resource", DESKTOP),
    ("import", "alice", "/imports/new/", DESKTOP),
    ("inbox", "dave", "/messages/", DESKTOP),
    ("talk", "dave", "talk", TALL),
    ("talk-phone", "alice", "talk-offline", PHONE),
    ("told", "dave", "/notifications/settings/", DESKTOP),
]


def sign_in(page: Page, address: str, person: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.fill("main [name=login]", f"{person}@demo.gongjian.example")
    page.fill("main [name=password]", PASSWORD)
    page.press("main [name=password]", "Enter")
    page.wait_for_load_state("networkidle")


def follow(page: Page, pattern: str) -> None:
    """Goes where the first link of the page leads whose address ends so."""
    hrefs = page.locator("main a[href]").evaluate_all("links => links.map(link => link.href)")
    page.goto(next(href for href in hrefs if re.search(pattern, href)))


def open_shot(page: Page, address: str, where: str) -> None:
    """Goes to an address, or to a page that is found from another (ids differ between worlds)."""
    if where.startswith("/"):
        page.goto(address + where)
    elif where == "run":
        page.goto(f"{address}/cms/desk/")
        page.locator("a[href*='/cms/demand-lists/inspect/']", has_text="2026年下半年").first.click()
        page.locator("a[href*='/matching/runs/']").first.click()
    elif where == "lines":
        page.goto(f"{address}/cms/demand-lists/")
        page.locator("main a[href*='/cms/demand-lists/inspect/']", has_text="2026年下半年").first.click()
        page.locator("main a[href*='/cms/demand-lines/?demand_list=']").first.click()
    elif where == "call":
        page.goto(f"{address}/calls/")
        page.locator("main a[href*='/calls/']").first.click()
    elif where == "notice":
        page.goto(f"{address}/lists/?state=notice")
        page.locator("main a[href*='/lists/330000']").first.click()
    elif where == "objection":
        page.goto(f"{address}/cms/desk/objections/")
        page.locator("main a[href*='/cms/desk/objections/']:not([href$='objections/'])").first.click()
    elif where == "resource":
        page.goto(f"{address}/map/?kind=tower&region=440100")
        page.wait_for_load_state("networkidle")
        page.locator("main a[href*='/resources/']:visible").first.click()
    elif where == "case":
        page.goto(f"{address}/requests/?state=negotiating")
        follow(page, r"/requests/\d+/$")
    elif where == "agreement":
        page.goto(f"{address}/agreements/?state=signed")
        follow(page, r"/agreements/\d+/$")
    elif where in ("talk", "talk-offline"):
        page.goto(f"{address}/messages/?kind=agreements.sharerequest")
        page.locator(".gj-inbox-title").first.click()
        page.wait_for_load_state("networkidle")
        if where == "talk-offline":
            page.context.set_offline(True)
            page.fill("[data-send] [name=body]", "隧道里没有信号，先记下：二层平台可用。")
            page.locator("[data-send] button[type=submit]").click()
            page.wait_for_timeout(1_500)
            page.locator("[data-scroll]").evaluate("element => { element.scrollTop = element.scrollHeight }")
            return
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(4_000 if page.locator(".maplibregl-map, [data-map-view], #map").count() else 600)


def main(address: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False, args=FLAGS)
        for name, person, where, window in SHOTS:
            context = browser.new_context(viewport=window, locale="zh-CN")
            page = context.new_page()
            if person:
                sign_in(page, address, person)
            open_shot(page, address, where)
            page.screenshot(path=PICTURES / f"{name}.png")
            sys.stdout.write(f"docs/pictures/{name}.png\n")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
