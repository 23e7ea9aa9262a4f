"""Pages of a run: what each relaxation would free, whom it serves, what-if, downloads."""

import io
import json
from datetime import timedelta

import pytest
from django.contrib.gis.geos import Point
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook
from pyogrio import list_layers, read_info

from listings.actions import capacity
from matching.models import MatchResult, MatchRun
from tests.matching.test_run import HERE, METRE, north, run_now
from tests.world import make_line, make_list, make_resource


@pytest.fixture
def demand_list(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


@pytest.fixture
def run(world, demand_list):
    """Three lines for one position, and a second tower out of reach; 200 m more would serve a line."""
    pool = {"unit": "position", "label": "P1", "height_m": 30, "total": 1, "price_fen_per_unit_year": 100_000}
    make_resource(world.power, place=Point(*HERE), pools=[pool], name="Near tower")
    make_resource(world.power, place=north(500), pools=[pool], name="Far tower")
    for metres in (10, 20, 30):
        make_line(demand_list, world.operator, place=north(metres), tolerance_m=300)
    return run_now(world, demand_list)


def test_summary_counts_what_the_leftover_can_serve(run):
    """Both unmet lines would step to the far tower; it has one position left."""
    step = next(s for s in run.figures["relaxations"] if s["criterion"] == "distance")
    assert step["lines"] == 1
    assert step["all"] == pytest.approx(168, abs=3)  # the nearer of the two lines
    assert run.figures["served_bound"] == run.figures["met"] == 1


def test_page_says_whom_the_run_serves_and_what_would_help(client_as, run, django_assert_max_num_queries):
    client = client_as("carol")
    client.get(reverse("run_detail", args=[run.pk]))
    with django_assert_max_num_queries(30):
        page = client.get(reverse("run_detail", args=[run.pk])).content.decode()
    assert "Lines freed" in page
    assert "Southern Telecom" in page
    assert "Guangzhou" in page


def test_what_if_shows_the_difference_and_stores_nothing(client_as, world, run):
    client = client_as("carol")
    before = MatchRun.objects.count(), MatchResult.objects.count()
    address = reverse("run_what_if", args=[run.pk])
    assert client.get(address).status_code == 200
    near = run.results.get(verdict="met").resource
    page = client.get(address, {"show": 1, "leave_out": near.code, "radius_m": 500}).content.decode()
    assert "1 no longer met" in page
    assert (MatchRun.objects.count(), MatchResult.objects.count()) == before


def test_what_if_refuses_what_is_no_code(client_as, run):
    page = client_as("carol").get(reverse("run_what_if", args=[run.pk]), {"show": 1, "leave_out": "12"})
    assert "12 is not the code of a resource." in page.content.decode()


def test_downloads_hold_every_line(client_as, run, tmp_path):
    client = client_as("carol")
    told = {name: client.get(reverse("run_download", args=[run.pk, name])) for name in ("xlsx", "gpkg", "json")}
    assert load_workbook(io.BytesIO(told["xlsx"].content)).active.max_row == 4
    path = tmp_path / "run.gpkg"
    path.write_bytes(told["gpkg"].content)
    assert {name for name, _ in list_layers(path)} == {"lines", "links"}
    assert (read_info(path, layer="lines")["features"], read_info(path, layer="links")["features"]) == (3, 1)
    body = json.loads(told["json"].content)
    assert [line["verdict"] for line in body["lines"]].count("met") == 1
    assert body["parameters"]["weights"]["distance"] == 0.4
    assert client.get(reverse("run_download", args=[run.pk, "exe"])).status_code == 404


def test_period_is_checked_against_reservations_not_against_the_peak(world, demand_list):
    """The only unit is reserved until a month from now; a line from then on can have it, one from today cannot."""
    today = timezone.localdate()
    tower = make_resource(
        world.power, place=Point(*HERE), pools=[{"unit": "position", "label": "P1", "height_m": 30, "total": 1}]
    )
    capacity.hold(
        quantities={tower.pools.get().pk: 1}, organisation=world.evil, by=world.eve, starts_on=today,
        ends_on=today + timedelta(days=30), expires_at=timezone.now() + timedelta(days=20), key="0" * 32,
    )  # fmt: skip
    later = make_line(demand_list, world.operator, place=Point(*HERE), needed_by=today + timedelta(days=31), months=12)
    now = make_line(demand_list, world.operator, place=Point(*HERE), needed_by=today + timedelta(days=10), months=12)
    run = run_now(world, demand_list)
    assert MatchResult.objects.get(run=run, line=later).verdict == "met"
    assert MatchResult.objects.get(run=run, line=now).reasons[0]["binding"] == "quantity"


def test_planned_resource_serves_from_its_date_and_says_so(world, demand_list):
    today = timezone.localdate()
    opens = today + timedelta(days=90)
    make_resource(world.power, place=Point(*HERE), lifecycle="planned", available_from=opens)
    line = make_line(demand_list, world.operator, place=Point(*HERE), needed_by=today + timedelta(days=30))
    reason = MatchResult.objects.get(run=run_now(world, demand_list), line=line).reasons[0]
    step = next(s for s in reason["relaxations"] if s["criterion"] == "dates")
    assert (step["delta"], step["from"]) == (60, opens.isoformat())


def test_papers_known_to_be_incomplete_bind(world, demand_list):
    make_resource(world.power, place=Point(*HERE), facts={"is_papers_complete": False})
    line = make_line(demand_list, world.operator, place=Point(*HERE))
    assert MatchResult.objects.get(run=run_now(world, demand_list), line=line).reasons[0]["binding"] == "papers"


def test_area_is_demand_geometry(world, demand_list):
    """Inside the area the distance is 0; outside it counts from its edge."""
    inside = make_resource(world.power, place=Point(HERE[0] + 0.005, HERE[1] + 0.005))
    area = Point(*HERE, srid=4326).buffer(0.01)
    line = make_line(demand_list, world.operator, place=area, tolerance_m=50)
    result = MatchResult.objects.get(run=run_now(world, demand_list), line=line)
    assert (result.resource, result.distance_m) == (inside, 0)


def test_platform_band_overlapping_the_band_asked_fits(world, demand_list):
    pool = {"unit": "position", "label": "P1", "height_m": 20, "height_top_m": 30, "total": 2}
    make_resource(world.power, place=Point(*HERE), pools=[pool])
    fits = make_line(demand_list, world.operator, place=Point(*HERE), height_min_m=28, height_max_m=40)
    above = make_line(demand_list, world.operator, place=Point(*HERE), height_min_m=31, height_max_m=40)
    run = run_now(world, demand_list)
    assert MatchResult.objects.get(run=run, line=fits).verdict == "met"
    assert MatchResult.objects.get(run=run, line=above).reasons[0]["binding"] == "height"


def test_fair_share_is_kept(world, demand_list):
    pool = {"unit": "position", "label": "P1", "height_m": 30, "total": 4}
    make_resource(world.municipal if hasattr(world, "municipal") else world.power, place=Point(*HERE), pools=[pool])
    for i in range(4):
        make_line(demand_list, world.operator, place=Point(HERE[0], HERE[1] + i * METRE))
        make_line(demand_list, world.evil, place=north(200 + i))
    plain, fair = run_now(world, demand_list), run_now(world, demand_list, fairness=1.0)

    def served(run):
        return run.results.filter(verdict="met", line__applicant=world.evil).count()

    assert (served(plain), served(fair)) == (0, 2)
    assert fair.figures["is_fair"]
