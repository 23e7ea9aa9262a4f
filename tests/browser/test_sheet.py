"""A counter-offer round with three versions, to the signature: clauses countered and disputed, prices by scheme, both
sides at their browsers and the other's version there without a reload."""

import re

import pytest
from playwright.sync_api import expect

from agreements.models import Agreement, Offer
from tests import world as make
from tests.agreements.story import ask

pytestmark = pytest.mark.django_db(transaction=True)
SOON = 20_000


def send(page, **changes):
    """Fills the sheet's form, opening what is folded, and sends it."""
    for name, value in changes.items():
        field = page.locator(f"#sheet-form [name={name}]")
        folded = page.locator(f"#sheet-form details:not([open]):has([name={name}]) > summary")
        if folded.count():
            folded.click()
        if value is True:
            field.check()
        elif name in ("scheme", "mode", "index"):
            field.select_option(value)
        else:
            field.fill(value)
    page.locator("#sheet-form button.btn-primary").click()
    page.wait_for_load_state("load")


def test_three_versions_to_signature(address, enter):
    world = make.build()
    tower = make.make_resource(world.power, name="Tower at Pearl Lake")
    case = ask(world, tower)
    sheet = f"{address}/en/requests/{case.pk}/sheet/"
    alice, dave = enter(world.alice), enter(world.dave)

    # v1: the owner's, cost-based, worked out before it is sent
    alice.goto(sheet)
    dave.goto(sheet)
    expect(dave.locator("main")).to_contain_text("No offer has been made yet")
    dave.wait_for_timeout(800)  # its bell is open
    alice.select_option("#sheet-form [name=scheme]", "cost")
    alice.locator("#sheet-form details:has([name=build]) > summary").click()
    alice.fill("[name=build]", "100000")
    alice.fill("[name=maintenance]", "2000")
    alice.locator("button[name=work_out]").click()
    expect(alice.locator("#worked")).to_contain_text("¥9,240")
    assert not Offer.objects.exists()
    send(alice, mode="same_site")
    expect(dave.locator("#compare-title")).to_contain_text("v1", timeout=SOON)  # without a reload

    # v2: the applicant counters one clause and leaves another in dispute
    send(dave, c_payment_zh="按季度支付。", c_payment_en="Paid by the quarter.", c_end_open=True, scheme="agreed",
         price_yuan="8000")  # fmt: skip
    expect(alice.locator("#compare-title")).to_contain_text("v2", timeout=SOON)
    expect(alice.locator(".gj-compared del").first).to_be_visible()
    expect(alice.locator(".gj-dispute")).to_contain_text("1 clause is in dispute")
    alice.goto(f"{address}/en/requests/{case.pk}/")
    expect(alice.get_by_role("button", name="Accept offer v2")).to_have_count(0)

    # v3: the owner words the disputed clause anew and meets in the middle; the applicant accepts
    alice.goto(sheet)
    send(alice, c_end_zh="提前30日书面通知。", c_end_en="Thirty days' notice in writing.", price_yuan="8600")
    dave.goto(f"{address}/en/requests/{case.pk}/")
    dave.get_by_role("button", name="Accept offer v3").first.click()
    dave.locator("dialog[open]").get_by_role("button", name="Accept offer v3").click()
    dave.wait_for_url(re.compile(r"/agreements/\d+/"))
    agreement = Agreement.objects.get()
    for expected in ("按季度支付。", "提前30日书面通知。", "同址同平台", "¥8,600.00"):
        expect(dave.locator(".gj-document")).to_contain_text(expected)
    for page in (alice, enter(world.dora)):
        page.goto(f"{address}/en/agreements/{agreement.pk}/sign/")
        page.fill("[name=password]", make.PASSWORD)
        page.check("[name=has_read]")
        page.get_by_role("button", name="Sign the agreement").click()
        page.wait_for_load_state("load")
    agreement.refresh_from_db()
    assert agreement.state == Agreement.State.SIGNED
    assert [offer.number for offer in case.offers.order_by("number")] == [1, 2, 3]
