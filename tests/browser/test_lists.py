"""A half-year of a demand list in browsers: call, hand-in, file, review, notice, objection, decision, next batch."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from listings import list_sweeps
from listings.models import DemandList, Objection
from matching.models import MatchRun
from tests import world as make
from tests.browser.test_path import Person

pytestmark = pytest.mark.django_db(transaction=True)
FILE = """需求编号,需求名称,申请单位,资源类型,数量,经度,纬度,偏移容差
XQ-1,天河公园宏站,南方通信（虚构）,铁塔,1,113.36,23.13,300
XQ-2,珠江新城管道,别的公司,管道,2,113.33,23.12,300
"""


def session_of(user) -> str:
    """The key of a session of theirs: signing in by the form is walked in test_path, and costs seconds each."""
    client = Client()
    client.force_login(user, backend="accounts.backends.PasswordBackend")
    return client.cookies["sessionid"].value


@pytest.fixture
def cast(address, new_person):
    world = make.build()
    make.make_resource(world.power, name="珠江铁塔")

    def person(name):
        page = new_person()
        page.context.add_cookies([{"name": "sessionid", "value": session_of(world.user(name)), "url": address}])
        return Person(page, address, world.user(name).email)

    return person


def test_the_half_year_of_a_list(cast, address, new_person, tmp_path):
    carol, dave = cast("carol"), cast("dave")
    demand_list = _carol_opens_a_call(carol)
    _dave_hands_in(dave, demand_list)
    visitor = Person(new_person(), address, "")
    assert visitor.page.goto(f"{address}/en/lists/{demand_list.reference}/").status == 404

    carol.go(f"/cms/demand-lists/close-call/{demand_list.pk}/").press("Close the call")
    _carol_imports(carol, demand_list, tmp_path)
    assert demand_list.lines.count() == 3
    carol.go(f"/cms/demand-lists/move/{demand_list.pk}/submit/").press("Submit for review")
    chen = cast("chen")
    chen.go(f"/cms/demand-lists/move/{demand_list.pk}/publish/").press("Publish")

    visitor.go(f"/lists/{demand_list.reference}/").sees("working days left")
    visitor.sees("天河公园宏站")
    eve = cast("eve")
    eve.go(f"/lists/{demand_list.reference}/?line=2#objection")
    eve.page.fill("#objection [name=text]", "附近已有可共享的铁塔")
    eve.press("Send objection")
    eve.sees("Your objection has reached the bureau.")
    objection = Objection.objects.get()

    DemandList.objects.filter(pk=demand_list.pk).update(notice_ends_at=timezone.now() - dt.timedelta(hours=2))
    assert list_sweeps.end_notices() == 0  # the objection holds the list
    carol.go(f"/cms/desk/objections/{objection.pk}/")
    carol.page.check("main [name=outcome][value=dismissed]")
    carol.fill(decision="该铁塔荷载不足")
    carol.press("Decide the objection")
    demand_list.refresh_from_db()
    assert demand_list.state == "in_force"
    eve.go(f"/lists/{demand_list.reference}/").sees("该铁塔荷载不足")

    carol.go(f"/cms/demand-lists/inspect/{demand_list.pk}/").press("Run matching")
    _wait_for_run(carol)
    carol.go(f"/cms/demand-lists/move/{demand_list.pk}/close/").fill(reason="半年期满")
    carol.press("Close")
    carol.go(f"/cms/demand-lists/copy/{demand_list.pk}/").press("Copy to the next batch")
    copied = DemandList.objects.get(previous=demand_list)
    assert (copied.state, copied.lines.count()) == ("draft", 3)
    carol.go(f"/cms/demand-lists/changes/{copied.pk}/").sees("0 lines are new")
    visitor.go(f"/lists/{demand_list.reference}/").sees("Closed")


def _carol_opens_a_call(carol) -> DemandList:
    carol.go("/cms/demand-lists/new/").fill(title_zh="2027年上半年需求清单", title_en="First half of 2027")
    carol.page.select_option("main [name=region]", "440100")
    carol.page.press("main [name=title_en]", "Enter")
    carol.page.wait_for_url("**/inspect/**")
    demand_list = DemandList.objects.get()
    carol.go(f"/cms/demand-lists/call/{demand_list.pk}/").press("Open a call")
    carol.sees("The call is open")
    return demand_list


def _dave_hands_in(dave, demand_list):
    dave.go("/calls/").follow("First half of 2027")
    dave.follow("Hand a line in")
    dave.fill(title="琶洲新站", quantity=1, tolerance_m=500)
    dave.page.select_option("main [name=kind]", "tower")
    dave.sets_point(113.331, 23.131)
    dave.press("Hand in")
    dave.sees("琶洲新站")
    assert demand_list.lines.get().handed_in_by.name_zh == "南方通信（虚构）"


def _carol_imports(carol, demand_list, tmp_path):
    file = tmp_path / "需求.csv"
    file.write_bytes(FILE.encode("gb18030"))
    page = carol.go(f"/imports/new/?list={demand_list.pk}").page
    page.set_input_files("main input[type=file]", file)
    carol.press("Upload and read")
    columns = page.get_by_role("button", name="Go on to the place check")
    expect(columns).to_be_visible(timeout=30_000)
    columns.click()
    confirm = page.get_by_role("button", name="Confirm and check every row")
    expect(confirm).to_be_visible(timeout=30_000)
    page.locator("[name=reading][value='EPSG:4326'], [name=reading][value^='4326']").first.check()
    confirm.click()
    store = page.locator("form[action*='/confirm/'] button")
    expect(store).to_be_visible(timeout=30_000)
    store.click()
    if page.locator("dialog[open]").count():
        page.locator("dialog[open] button").last.click()
    page.wait_for_load_state("load")
    expect(page.locator("main")).to_contain_text(re.compile("stored|Done|lines", re.IGNORECASE), timeout=30_000)


def _wait_for_run(carol):
    for _ in range(300):
        if MatchRun.objects.filter(state="done").exists():
            return
        carol.page.wait_for_timeout(100)
    raise AssertionError(list(MatchRun.objects.values_list("state", flat=True)))
