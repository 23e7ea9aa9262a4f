"""A run as a curator reads it: map, reasons, filters, what-if, a route with a gap, a proposal that is sent."""

import pytest
from django.contrib.gis.geos import LineString, Point
from playwright.sync_api import expect

from matching import actions, runner
from matching.models import Proposal
from tests import world as world_module
from tests.browser.test_path import Person
from tests.world import make_line, make_list, make_resource

HERE = (113.330, 23.130)
A, B, C, D = (113.30, 23.13), (113.3295, 23.13), (113.3305, 23.13), (113.36, 23.13)


@pytest.fixture
def run(address):
    """One tower serves one of two lines; a connection needs a stretch dug; two far lines need a new tower."""
    world = world_module.build()
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    position = {"unit": "position", "label": "P1", "height_m": 30, "total": 1, "price_fen_per_unit_year": 100_000}
    make_resource(world.power, place=Point(*HERE), pools=[position], name="North tower")
    for owner, ends in ((world.power, (A, B)), (world.evil, (C, D))):
        core = {"unit": "core", "total": 10, "price_fen_per_unit_year": 10_000}
        make_resource(owner, "cable", place=LineString(*ends, srid=4326), pools=[core])
    for title in ("Park site", "Lake site"):
        make_line(demand_list, world.operator, title=title, place=Point(*HERE), tolerance_m=200)
    make_line(demand_list, world.operator, title="Ring", kind="cable", quantity=2, tolerance_m=100,
              place=LineString(A, D, srid=4326))  # fmt: skip
    for number, applicant in enumerate((world.operator, world.evil)):
        make_line(demand_list, applicant, title=f"Far {number}", place=Point(113.6 + number / 2_000, 23.3, srid=4326))
    made = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    runner.execute(made.pk)
    made.refresh_from_db()
    return made


def test_run_route_what_if_and_proposal(run, address, new_person):
    carol = Person(new_person(), address, "carol@example.org").signs_in()
    page = carol.page
    # The run: figures, the map drawn, reasons unfolding in place, a filter
    carol.go(f"/matching/runs/{run.pk}/")
    expect(page.locator("main .h1").first).to_contain_text("2 / 5")
    expect(page.locator("main [data-ready=ready]").first).to_be_visible(timeout=30_000)
    page.locator("#results details summary", has_text="North tower").click()
    expect(page.locator("#results .gj-ok", has_text="Distance").first).to_be_visible()
    page.select_option("main [name=verdict]", "unmet")
    carol.press("Filter")
    expect(page.locator("#results tr[id^=line-]")).to_have_count(3)
    # What if the tower fell away: one line fewer, and nothing is stored
    carol.go(f"/matching/runs/{run.pk}/what-if/")
    page.fill("main [name=leave_out]", run.results.get(resource__name="North tower").resource.code)
    carol.press("Show the difference")
    expect(page.locator("main")).to_contain_text("1 no longer met")
    # The connection: map, legs of two owners, the gap between them
    route = run.results.get(line__title="Ring")
    carol.go(f"/matching/lines/{route.line_id}/")
    expect(page.locator("main [data-ready=ready]").first).to_be_visible(timeout=30_000)
    legs = page.locator("main .card table tbody").last.locator("tr")
    expect(legs).to_have_count(3)
    expect(legs.nth(1)).to_contain_text("To be built")
    # The proposal goes to its parties
    proposal = Proposal.objects.get(run=run, kind="tower")
    carol.go(f"/matching/proposals/{proposal.pk}/")
    expect(page.locator("main")).to_contain_text("Shapley")
    carol.press("Send to the parties", confirm=page.locator("[data-confirm]").count() > 0)
    expect(page.locator("main")).to_contain_text("Sent")
    proposal.refresh_from_db()
    assert proposal.state == "sent"
