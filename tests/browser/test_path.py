"""The whole path in real browsers: from sign-up to a signed agreement whose PDF anybody can verify."""

import csv
import datetime as dt
import io
import re

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Event, Organisation
from agreements.models import Agreement
from listings import list_sweeps
from listings.models import DemandLine, DemandList, Resource
from matching.models import MatchRun
from tests import world as make

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a long enough password 7"


class Person:
    """Somebody at a browser of their own, reading English."""

    def __init__(self, page: Page, address: str, email: str):
        self.page, self.address, self.email = page, address, email

    def go(self, path: str):
        self.page.goto(f"{self.address}/en{path}")
        return self

    def press(self, label: str, *, confirm: bool = False):
        self.page.get_by_role("button", name=label, exact=True).first.click()
        if confirm:
            self.page.locator("dialog[open]").get_by_role("button", name=label).click()
        self.page.wait_for_load_state("load")

    def follow(self, label: str):
        self.page.get_by_role("link", name=label, exact=True).first.click()
        self.page.wait_for_load_state("load")

    def fill(self, **values):
        for name, value in values.items():
            self.page.fill(f"main [name={name}]", str(value))

    def sets_point(self, lon: float, lat: float):
        """By the two number fields beside the map, the map's equal."""
        self.page.get_by_label("Longitude (°E)").fill(str(lon))
        self.page.get_by_label("Latitude (°N)").fill(str(lat))
        self.page.get_by_label("Latitude (°N)").press("Tab")

    def sees(self, text):
        expect(self.page.locator("body")).to_contain_text(text)

    def signs_up(self, name: str):
        self.go("/accounts/signup/").fill_form(name)
        code = re.search(r"^\s*([0-9A-Z]{3,4}-?[0-9A-Z]{3,4})\s*$", mail.outbox[-1].body, re.MULTILINE)
        assert code, mail.outbox[-1].body
        self.page.fill("main [name=code]", code[1])
        self.page.press("main [name=code]", "Enter")
        self.page.wait_for_url("**/work/**")
        return self

    def fill_form(self, name: str):
        self.fill(name=name, email=self.email, password1=PASSWORD, password2=PASSWORD)
        self.page.press("main [name=password2]", "Enter")
        self.page.wait_for_selector("main [name=code]")

    def signs_in(self, password=make.PASSWORD):
        self.go("/accounts/login/").fill(login=self.email, password=password)
        self.page.press("main [name=password]", "Enter")
        self.page.wait_for_load_state("load")
        return self

    def sets_up(self, name_zh: str, sector: str, code: str, province="440000", city="440100"):
        self.go("/organisations/new/").fill(name_zh=name_zh, uscc=code)
        self.page.select_option("main [name=sector]", sector)
        self.page.select_option("main [name=region_province]", province)
        self.page.wait_for_selector("main [name=region_city]")
        self.page.select_option("main [name=region_city]", city)
        self.page.wait_for_load_state("load")
        self.press("Set up")
        self.go(f"/organisations/{Organisation.objects.get(name_zh=name_zh).pk}/")
        self.press("Hand in for verification")


@pytest.fixture
def cast(address, new_person):
    """The bureau is made by the portal's operators (a command, not a page); everybody else signs up."""
    make.make_regions()
    bureau = make.make_organisation(
        "Model Bureau", name_zh="示范管局（虚构）", region="440000", sector="telecom", is_bureau=True
    )
    make.make_user("Carol", bureau, "admin", "curator")
    make.make_user("Chen", bureau, "publisher")

    def person(email):
        return Person(new_person(), address, email)

    return person


def test_from_sign_up_to_verified_pdf(cast, address, new_person, tmp_path):
    alice, dave = cast("alice@power.example"), cast("dave@telecom.example")
    carol, chen = cast("carol@example.org"), cast("chen@example.org")

    # 1. Accounts
    alice.signs_up("Alice").sets_up("明珠供电（虚构）", "power", make.uscc(900_000_001))
    dave.signs_up("Dave").sets_up("南方通信（虚构）", "telecom", make.uscc(900_000_002))
    _alice_invites_bob(alice, cast)
    dave.go("/map/")
    carol.signs_in().go("/verification/")
    for _ in range(2):
        carol.press("Verify", confirm=True)
    carol.sees("Nobody is waiting")

    # 2. Supply: by form, with a photo, and by file
    _alice_adds_a_tower(alice, tmp_path)
    _alice_imports_a_file(alice, tmp_path)
    tower = Resource.objects.get(owner_code="T-100")
    assert tower.state == "published"
    assert Resource.objects.filter(owner_code__startswith="F-", state="published").count() == 3

    # 3. Browse: a visitor reads the cell, a verified organisation the exact place
    visitor = cast("nobody@example.org")
    visitor.go(f"/resources/{tower.pk}/").sees(tower.name)
    assert "113.3312" not in visitor.page.content()
    dave.go(f"/resources/{tower.pk}/")
    assert "113.3312" in dave.page.content()

    _from_demand_to_agreement(carol, chen, alice, dave, visitor, tower)


def _from_demand_to_agreement(carol, chen, alice, dave, visitor, tower):
    # 4. Demand, 5. match
    demand_list = _bureau_publishes_a_list(carol, chen)
    line = demand_list.lines.get()
    _bureau_matches(carol, demand_list, tower)

    # 6. Request from the match, 7. negotiate live, 8. agree
    dave.go("/matching/mine/").sees(tower.name)
    dave.follow("Request space")
    assert f"line={line.pk}" in dave.page.url
    dave.page.fill("main [name^=q_]", "1")
    dave.fill(purpose="5G coverage")
    dave.press("Request and hold")
    pool = tower.pools.get()
    assert (pool.taken, pool.free) == (1, pool.total - pool.in_use - 1)
    case_url = dave.page.url
    _negotiate(alice, dave, case_url)
    agreement = Agreement.objects.get()
    for person in (alice, dave):
        person.go(f"/agreements/{agreement.pk}/sign/").fill(password=PASSWORD)
        person.page.check("main [name=has_read]")
        person.press("Sign the agreement")
    dave.sees("Signed by all")
    line.refresh_from_db()
    assert line.state == DemandLine.State.FULFILLED
    _anybody_verifies(visitor, dave, agreement)
    carol.go(f"/lists/{demand_list.reference}/").sees("Fulfilled")
    assert Event.objects.filter(verb="agreement.conclude").exists()


def _alice_invites_bob(alice, cast):
    alice.go("/invitations/new/").fill(email="bob@power.example")
    alice.page.check("main [name=roles][value=editor]")
    alice.press("Send the invitation")
    link = re.search(r"https?://\S+/invitations/\S+/accept/", mail.outbox[-1].body)[0]
    bob = cast("bob@power.example").signs_up("Bob")
    bob.page.goto(link)
    bob.page.locator("main form button[type=submit]").last.click()
    bob.page.wait_for_load_state("load")
    alice.go("/organisation/members/").sees("bob@power.example")


def _alice_adds_a_tower(alice, tmp_path):
    alice.go("/resources/new/tower/").fill(name="珠江新城一号塔", owner_code="T-100")
    alice.sets_point(113.331234, 23.131234)
    alice.fill(height_m=40)
    alice.page.select_option("main [name=disclosure]", "exact")
    rows = alice.page.locator("main [data-row]").first
    rows.locator("[name$=height_m]").fill("35")
    rows.locator("[name$=total]").fill("3")
    rows.locator("[name$=price_yuan]").fill("9000")
    alice.press("Save draft")
    alice.sees("珠江新城一号塔")
    photo = tmp_path / "tower.jpg"
    from PIL import Image

    Image.new("RGB", (640, 480), "steelblue").save(photo)
    alice.page.set_input_files("main input[type=file]", photo)
    alice.press("Add photo")
    expect(alice.page.locator(".gj-photo img")).to_have_count(1)
    alice.press("Publish")
    alice.sees("Published")


def _alice_imports_a_file(alice, tmp_path):
    rows = io.StringIO()
    table = csv.writer(rows)
    table.writerow(["资源编号", "资源名称", "经度", "纬度", "塔高(米)", "天线位总数"])
    for i in range(3):
        table.writerow([f"F-{i}", f"天河{i}号塔", f"113.34{i}1", "23.1401", "30米", "2"])
    table.writerow(["F-9", "没有坐标的塔", "", "", "30", "2"])
    file = tmp_path / "铁塔.csv"
    file.write_bytes(rows.getvalue().encode("gb18030"))
    alice.go("/imports/new/")
    alice.page.set_input_files("main input[type=file]", file)
    if alice.page.locator("main select[name=kind]").count():
        alice.page.select_option("main select[name=kind]", "tower")
    _walk_the_import(alice)
    alice.go("/resources/?state=draft")
    expect(alice.page.locator("main")).to_contain_text("天河0号塔")
    assert not Resource.objects.filter(owner_code="F-9").exists()
    for i in range(3):
        resource = Resource.objects.get(owner_code=f"F-{i}")
        alice.go(f"/resources/{resource.pk}/")
        alice.press("Publish")


def _walk_the_import(alice):
    """File → columns → place check → report → stored; the page waits for the worker by itself."""
    page = alice.page
    alice.press("Upload and read")
    expect(page.get_by_role("button", name="Go on to the place check")).to_be_visible(timeout=60_000)
    alice.press("Go on to the place check")
    confirm = page.get_by_role("button", name="Confirm and check every row")
    expect(confirm).to_be_visible(timeout=60_000)
    assert not Resource.objects.filter(owner_code__startswith="F-").exists(), "stored before the report was confirmed"
    page.locator("[name=reading][value='EPSG:4326'], [name=reading][value^='4326']").first.check()
    confirm.click()
    store = page.locator("form[action*='/confirm/'] button")
    expect(store).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text("4")  # the row without a place is named by its number
    assert not Resource.objects.filter(owner_code__startswith="F-").exists(), "stored before the report was confirmed"
    store.click()
    if page.locator("dialog[open]").count():
        page.locator("dialog[open] button").last.click()
    expect(page.locator("main")).to_contain_text("Stored", timeout=60_000)


def _bureau_publishes_a_list(carol, chen) -> DemandList:
    carol.go("/cms/demand-lists/new/")
    carol.page.fill("[name=title_zh]", "二〇二六年下半年需求清单")
    carol.page.fill("[name=title_en]", "Demand list 2026 H2")
    carol.page.select_option("[name=batch]", "2026H2")
    if carol.page.locator("select[name=region]").count():
        carol.page.select_option("select[name=region]", "440000")
    carol.page.locator("form button[type=submit]").last.click()
    carol.page.wait_for_load_state("load")
    demand_list = DemandList.objects.get()
    operator = Organisation.objects.get(name_zh="南方通信（虚构）")
    carol.go(f"/cms/demand-lines/new/?demand_list={demand_list.pk}")
    carol.page.fill("[name=title]", "珠江新城基站")
    carol.page.select_option("select[name=kind]", "tower")
    carol.page.fill("[name=quantity]", "1")
    carol.sets_point(113.332, 23.132)
    carol.page.fill("[name=applicant_text]", operator.uscc)
    carol.page.locator("main form button[type=submit]:visible").last.click()
    carol.page.wait_for_load_state("load")
    assert demand_list.lines.count() == 1, carol.page.locator("main").inner_text()
    _moves(carol, demand_list, "submit")
    _moves(chen.signs_in(), demand_list, "publish")
    demand_list.refresh_from_db()
    assert demand_list.state == "notice"
    assert demand_list.published_by.email == chen.email
    # Fifteen working days go by.
    began = timezone.now() - dt.timedelta(days=40)
    DemandList.objects.update(
        submitted_at=began, published_at=began, notice_ends_at=timezone.now() - dt.timedelta(hours=1)
    )
    list_sweeps.end_notices()
    demand_list.refresh_from_db()
    assert demand_list.state == "in_force"
    return demand_list


def _moves(person, demand_list, verb):
    person.go(f"/cms/demand-lists/move/{demand_list.pk}/{verb}/")
    person.page.locator("main form button[type=submit], form.gj-move button[type=submit]").last.click()
    person.page.wait_for_load_state("load")


def _bureau_matches(carol, demand_list, tower):
    carol.go(f"/matching/lists/{demand_list.pk}/runs/")
    carol.press("Run the matching")
    expect(carol.page.locator("#results")).to_be_visible(timeout=60_000)
    run = MatchRun.objects.get()
    assert (run.state, run.figures["met"]) == ("done", 1)
    carol.sees(tower.name)
    carol.sees("away")


def _negotiate(alice, dave, case_url):
    """Both have the case open; words and offers show on the other side without a reload."""
    alice.page.goto(case_url)
    for person in (alice, dave):
        expect(person.page.locator("[data-thread][data-live=on]")).to_be_visible()
    dave.page.fill("[data-send] [name=body]", "Could we survey on Tuesday?")
    dave.press("Send")
    expect(alice.page.locator(".gj-messages")).to_contain_text("Could we survey on Tuesday?", timeout=10_000)
    dave.page.context.set_offline(True)

    dave.page.fill("[data-send] [name=body]", "Typed without a line")
    dave.page.locator("[data-send] button[type=submit]").click()
    dave.page.wait_for_timeout(700)
    dave.page.context.set_offline(False)
    expect(alice.page.locator(".gj-messages")).to_contain_text("Typed without a line", timeout=20_000)
    assert alice.page.locator(".gj-messages").inner_text().count("Typed without a line") == 1
    alice.page.fill("#offer [name=price_yuan]", "12000")
    alice.press("Send the offer")
    expect(dave.page.locator(".gj-messages")).to_contain_text("v1", timeout=10_000)
    dave.page.reload()
    dave.page.locator("#offer summary").click()
    dave.page.fill("#offer [name=price_yuan]", "9000")
    dave.press("Send the counter-offer")
    alice.page.reload()
    alice.press("Accept offer v2", confirm=True)


def _anybody_verifies(visitor, dave, agreement):
    agreement.refresh_from_db()
    dave.go(f"/agreements/{agreement.pk}/")
    expect(dave.page.get_by_role("link", name=re.compile("PDF"))).to_be_visible(timeout=60_000)
    answer = dave.page.request.get(f"{dave.address}/en/agreements/{agreement.pk}/pdf/")
    assert answer.body().startswith(b"%PDF")
    visitor.go("/verify/").fill(code=agreement.verification_code)
    visitor.page.press("main [name=code]", "Enter")
    visitor.sees(agreement.reference)
    visitor.page.set_input_files(
        "main input[type=file]", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": answer.body()}
    )
    visitor.press("Compare")
    visitor.sees("This file is the signed PDF, unchanged.")
