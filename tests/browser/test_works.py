"""Works built together at people's own browsers: a trench of three to its acceptance, a metro through the gate."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from agreements.models import Project
from listings.models import Resource
from tests import papers as make_papers
from tests import world as make
from tests.projects import building
from tests.projects.test_walk import joined, notice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def enter_without_maps(enter):
    """enter(user) with the small maps of the pages left out: drawing them in software takes most of the time."""

    def entered(user):
        page = enter(user)
        page.context.route("**/map-view*.js", lambda route: route.abort())
        return page

    return entered


def press(page, name: str, *, confirmed: bool = True):
    """A button of the page, and of the question it asks."""
    button = page.get_by_role("button", name=name).first
    if confirmed:
        button.click()
        button = page.locator("dialog[open]").get_by_role("button", name=name)
    with page.expect_navigation():
        button.click()


def submit(page, **values):
    """The form of a step's own page."""
    for name, value in values.items():
        page.fill(f"main [name={name}]", value)
    with page.expect_navigation():
        page.locator("main form button[type=submit]").first.click()


def inspected(page, where: str, *, failed: int = 0, note: str = ""):
    """Three points, one of them measured; the number of the one that fails."""
    page.goto(f"{where}acceptance/")
    for number in (1, 2, 3):
        page.check(f"[name=r_{number}][value={'fail' if number == failed else 'pass'}]")
    page.fill("[name=m_2]", "0.8 m")
    page.fill("[name=note]", note)
    press(page, "Record the inspection")


def test_three_parties_split_by_shapley_sign_and_accept(address, enter_without_maps):
    enter, world = enter_without_maps, make.build()
    building.checklist()
    project = notice(world, title="Trench of Tiyu Road")
    joined(world, project, "eve", units=Decimal(3))
    where = f"{address}/en/projects/{project.pk}/"
    alice, dave = enter(world.alice), enter(world.dave)

    dave.goto(f"{where}join/")
    submit(dave, units="1", own_yuan="1000", note="One bore to our exchange")
    alice.goto(where)
    press(alice, "Take in", confirmed=False)
    table = alice.get_by_role("region", name="Who would pay what")
    expect(table).to_contain_text("¥34,333.33")  # a third of ¥100,000.01, and ¥1,000 of its own
    day = timezone.localdate() - dt.timedelta(days=1)
    Project.objects.filter(pk=project.pk).update(join_until=day)
    alice.reload()
    press(alice, "Close joining")
    press(alice, "Freeze the terms for signature")
    eve = enter(world.eve)
    for page in (alice, enter(world.dora), eve):
        page.goto(f"{where}agreement/")
        expect(page.locator(".gj-sheet")).to_contain_text("34,333.33")
        page.fill("[name=password]", make.PASSWORD)
        page.check("[name=has_read]")
        press(page, "Sign the agreement", confirmed=False)
    alice.goto(where)
    expect(alice.locator("main")).to_contain_text("Building")
    for _again in range(40):  # the worker writes it
        project.refresh_from_db()
        if project.pdf:
            break
        alice.wait_for_timeout(250)
    assert alice.request.get(f"{where}pdf/").body().startswith(b"%PDF-")

    for sort, name, kind, content in (
        ("drawing", "drawing.pdf", "application/pdf", make_papers.pdf()),
        ("photo", "photo.jpg", "image/jpeg", make_papers.jpeg()),
    ):
        form = alice.locator("#works form[enctype]")
        alice.locator("#works summary").last.click()
        form.locator("[name=sort]").select_option(sort)
        form.locator("[name=file]").set_input_files({"name": name, "mimeType": kind, "buffer": content})
        with alice.expect_navigation():
            form.locator("button").click()
        expect(alice.locator("#works")).to_contain_text(name.partition(".")[0])
    press(alice, "Call for acceptance")
    inspected(dave, where, failed=2, note="Too shallow at the crossing")
    alice.goto(where)
    expect(alice.locator("main")).to_contain_text("Too shallow at the crossing")
    press(alice, "Call for acceptance")
    for page in (dave, eve):
        inspected(page, where)
    dave.goto(where)
    expect(dave.locator("#works")).to_contain_text("¥34,333.33")
    dave.get_by_role("region", name="Resources of these works").get_by_role("link").click()
    expect(dave.locator("main")).to_contain_text("Trench of Tiyu Road")
    assert Resource.objects.filter(of_works__project=project, lifecycle="in_service").count() == 3
    alice.goto(where)
    press(alice, "Record the payment")
    expect(alice.locator("#works")).to_contain_text("paid")


def test_a_metro_through_the_gate_to_a_planned_resource_on_the_map(address, enter, enter_without_maps):
    world = make.build()
    project = notice(world, title="Metro line 10", kind="subway", method="bored")
    where = f"{address}/en/projects/{project.pk}/"
    alice, dave, carol = (enter_without_maps(world.user(name)) for name in ("alice", "dave", "carol"))
    eve = enter(world.eve)

    dave.goto(f"{where}join/")
    submit(dave, units="2", power_kva="40", note="Leaky cable")
    alice.goto(where)
    press(alice, "Take in", confirmed=False)
    alice.goto(f"{where}steps/reserve/")
    submit(alice, reserved_bores="8", reserved_room_m2="12", reserved_positions="6", reserved_kva="30")
    expect(alice.locator("main")).to_contain_text("need 40 kVA together")
    submit(alice, reserved_kva="60")
    expect(alice.locator("main")).to_contain_text("With the bureau")
    carol.goto(f"{where}steps/ask_changes/")
    submit(carol, reason="Ten bores at least")
    alice.goto(where)
    expect(alice.locator("main")).to_contain_text("Ten bores at least")
    alice.goto(f"{where}steps/reserve/")
    submit(alice, reserved_bores="10")
    carol.goto(where)
    press(carol, "Sign the reservation off")
    expect(carol.locator("main")).to_contain_text("Signed off")
    duct = project.kept.get(sort="bores").resource

    eve.goto(f"{address}/en/map/?q=Metro+line+10&kind=duct")
    row = eve.locator(f"#row-{duct.pk}")
    expect(row).to_contain_text("Metro line 10")
    row.locator("a").first.click()
    expect(eve).to_have_url(re.compile(rf"/resources/{duct.pk}/$"))
    expect(eve.locator("main")).to_contain_text("Planned")
    expect(eve.locator("main")).to_contain_text("8")  # of ten bores two are a party's
