"""Two cases at people's own browsers: a plain request to operation, and a refusal that the bureau decides."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from agreements.models import Acceptance, Agreement, ShareRequest
from listings.models import Standard, StandardItem
from tests import papers as make_papers
from tests import world as make
from tests.agreements.story import ask

pytestmark = pytest.mark.django_db(transaction=True)


def fold_out(page, anchor: str):
    """The folded form of a step."""
    part = page.locator(f"details#{anchor}")
    if not part.evaluate("element => element.open"):
        part.locator("summary").first.click()
    return part


def take(page, verb: str, *, confirm: bool = False, **values):
    """A step on the case page, its fields filled."""
    part = fold_out(page, verb)
    for name, value in values.items():
        field = part.locator(f"[name={name}]")
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    part.locator("button[type=submit]").click()
    if confirm:
        page.locator("dialog[open] button.btn-danger, dialog[open] button.btn-primary").first.click()
    page.wait_for_load_state("networkidle")


def test_a_plain_request_to_operation(address, enter):
    world = make.build()
    tower = make.make_resource(world.power, name="Tower at Pearl Lake")
    Standard.objects.filter(type="acceptance").delete()
    checklist = Standard.objects.create(
        type="acceptance", code="GJ-A", version="1", title_zh="铁塔验收", title_en="Tower acceptance", kinds=["tower"],
        source="test", valid_from=dt.date(2026, 1, 1),
    )  # fmt: skip
    StandardItem.objects.create(standard=checklist, number=1, text_zh="挂高", text_en="Height", is_required=True)
    dave, alice = enter(world.dave), enter(world.alice)

    dave.goto(f"{address}/en/requests/new/{tower.pk}/")
    dave.fill(f"[name=q_{tower.pools.get().pk}]", "1")
    dave.fill("[name=purpose]", "5G coverage")
    dave.locator("main form button.btn-primary").first.click()
    dave.wait_for_url(re.compile(r"/requests/\d+/$"))
    case = f"{address}/en/requests/{ShareRequest.objects.get().pk}/"

    alice.goto(case)
    take(alice, "accept_filing")
    take(alice, "assess", verdict="suitable")
    fold_out(alice, "offer").locator("button[type=submit]").click()
    expect(alice.locator("main")).to_contain_text("Awaiting an answer")
    dave.goto(case)
    dave.get_by_role("button", name="Accept offer v1").first.click()
    dave.locator("dialog[open]").get_by_role("button", name="Accept offer v1").click()
    dave.wait_for_url(re.compile(r"/agreements/\d+/"))
    agreement = Agreement.objects.get()
    for page in (alice, enter(world.dora)):
        page.goto(f"{address}/en/agreements/{agreement.pk}/sign/")
        page.fill("[name=password]", make.PASSWORD)
        page.check("[name=has_read]")
        page.get_by_role("button", name="Sign the agreement").click()
        page.wait_for_load_state("networkidle")

    alice.goto(case)
    take(alice, "begin_make_ready")
    dave.goto(case)
    take(dave, "begin_works")
    take(dave, "report_progress", note="Antenna mounted", percent="80")
    expect(dave.locator("#works")).to_contain_text("80 %")
    for sort, name, kind, content in (
        ("drawing", "drawing.pdf", "application/pdf", make_papers.pdf()),
        ("photo", "photo.jpg", "image/jpeg", make_papers.jpeg()),
    ):
        dave.locator("#works summary").click()
        dave.select_option("#works [name=sort]", sort)
        dave.set_input_files("#works [name=file]", {"name": name, "mimeType": kind, "buffer": content})
        dave.locator("#works form button").click()
        dave.wait_for_load_state("networkidle")
        expect(dave.locator("#works")).to_contain_text("drawing" if sort == "drawing" else "photo")
    take(dave, "call_acceptance")

    alice.goto(f"{case}acceptance/")
    alice.check("[name=r_1][value=pass]")
    alice.fill("[name=m_1]", "35.1 m")
    alice.get_by_role("button", name="Record the inspection").click()
    alice.locator("dialog[open] button.btn-danger, dialog[open] button.btn-primary").first.click()
    alice.wait_for_load_state("networkidle")
    assert Acceptance.objects.get().verdict == "passed"
    dave.goto(case)
    expect(dave.locator("main")).to_contain_text("In operation")
    expect(dave.locator("main")).to_contain_text("The price runs from")


def test_a_refusal_before_the_bureau_to_its_decision(address, enter):
    world = make.build()
    mediator = make.make_user("Mei", world.bureau, "mediator")
    tower = make.make_resource(world.power, name="Tower at Pearl Lake")
    request = ask(world, tower)
    case = f"{address}/en/requests/{request.pk}/"
    alice, dave, mei = enter(world.alice), enter(world.dave), enter(mediator)

    alice.goto(case)
    refusal = fold_out(alice, "refuse")
    refusal.locator("[name=code]").select_option("safety")
    refusal.locator("[name=note]").fill("The mast is full of birds")
    refusal.locator("button[type=submit]").click()
    alice.locator("dialog[open] button.btn-danger, dialog[open] button.btn-primary").first.click()
    expect(alice.locator("main")).to_contain_text("This request has ended: Refused")

    dave.goto(case)
    take(dave, "contest", note="Birds do not use antenna positions")
    expect(dave.locator("main")).to_contain_text("Before the bureau")
    alice.goto(case)
    take(alice, "state_case", note="They nest on the platform")

    mei.goto(f"{address}/en/work/")
    mei.get_by_role("link", name=re.compile(request.code)).first.click()
    expect(mei.locator("main")).to_contain_text("They nest on the platform")
    take(mei, "propose", note="Use the platform outside the nesting season")
    dave.goto(case)
    take(dave, "accept_proposal")
    alice.goto(case)
    take(alice, "decline_proposal", note="No season is safe")
    mei.goto(case)
    take(mei, "decide_for", note="The platform is shared from September on")
    alice.goto(case)
    expect(alice.locator("main")).to_contain_text("The platform is shared from September on")
    expect(fold_out(alice, "offer")).to_be_visible()  # the owner owes an offer now
    request.refresh_from_db()
    assert (request.state, request.is_escalated) == ("assessed", True)
