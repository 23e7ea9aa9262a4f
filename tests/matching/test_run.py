"""A run over a list: verdicts, reasons, capacity, cancelling, taking up again."""

from datetime import timedelta

import pytest
from django.contrib.gis.geos import LineString, Point
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from matching import actions, runner, sweeps
from matching.models import Allocation, MatchResult, MatchRun
from tests.world import make_line, make_list, make_resource

HERE = (113.330, 23.130)
METRE = 1 / 111_320  # degrees of latitude


def north(metres):
    return Point(HERE[0], HERE[1] + metres * METRE, srid=4326)


@pytest.fixture
def demand_list(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


def run_now(world, demand_list, **options):
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"], **options)
    runner.execute(run.pk)
    run.refresh_from_db()
    assert run.state == "done", run.failure
    return run


def verdict_of(run, line):
    return MatchResult.objects.get(run=run, line=line)


def test_near_line_is_met_and_says_why(world, demand_list):
    tower = make_resource(world.power, place=north(120))
    line = make_line(demand_list, world.operator, place=Point(*HERE), tolerance_m=300)
    run = run_now(world, demand_list)
    result = verdict_of(run, line)
    assert (result.verdict, result.resource) == ("met", tower)
    assert result.distance_m == pytest.approx(120, abs=1)
    distance = next(r for r in result.reasons if r["criterion"] == "distance")
    assert distance["ok"]
    assert distance["margin"] == pytest.approx(180, abs=1)
    assert run.figures["met"] == 1
    assert Allocation.objects.get(result=result).quantity == 1


def test_unmet_line_names_what_binds_and_the_nearest_relaxation(world, demand_list):
    make_resource(
        world.power, "duct", place=LineString(HERE, (113.34, 23.13), srid=4326), pools=[{"unit": "bore", "total": 1}]
    )
    far = make_resource(
        world.power, "duct",
        place=LineString((HERE[0], HERE[1] + 340 * METRE), (113.34, 23.13 + 340 * METRE), srid=4326),
        pools=[{"unit": "bore", "total": 2}],
    )  # fmt: skip
    line = make_line(demand_list, world.operator, kind="duct", quantity=2, place=Point(*HERE), tolerance_m=100)
    reason = verdict_of(run_now(world, demand_list), line).reasons[0]
    assert reason["binding"] == "quantity"
    assert reason["nearest"]["reasons"][0] | {"margin": None} == {
        "criterion": "quantity", "ok": False, "asked": 2.0, "found": 1.0, "margin": None, "unit": "unit",
    }  # fmt: skip
    step = next(s for s in reason["relaxations"] if s["criterion"] == "distance")
    assert step["resource"] == far.pk
    assert step["delta"] == pytest.approx(240, abs=2)


@pytest.mark.parametrize(
    ("resource", "line", "binding"),
    [
        ({}, {"place": Point(113.5, 23.4)}, "no_supply"),
        ({}, {"place": north(900), "tolerance_m": 500}, "distance"),
        ({}, {"height_min_m": 40}, "height"),
        ({}, {"quantity": 4}, "quantity"),
        ({}, {"ceiling_fen_per_year": 1_000_000}, "price"),
        ({"facts": {"spare_kva": 3}}, {"power_kw": 5}, "power"),
        ({}, {"sectors": ["municipal"]}, "sector"),
        ({"sharing_modes": ["same_site"]}, {"sharing_modes": ["co_location"]}, "sharing_mode"),
        ({"condition": "poor"}, {}, "condition"),
        ({"lifecycle": "planned"}, {}, "lifecycle"),
        ({"available_until": timezone.localdate() + timedelta(days=30)}, {}, "dates"),
    ],
)
def test_each_hard_criterion_binds(world, demand_list, resource, line, binding):
    make_resource(world.power, place=Point(*HERE), **resource)
    made = make_line(demand_list, world.operator, **{"place": Point(*HERE), **line})
    result = verdict_of(run_now(world, demand_list), made)
    assert (result.verdict, result.reasons[0]["binding"]) == ("unmet", binding)


def test_own_drafts_and_existence_only_resources_are_no_supply(world, demand_list):
    make_resource(world.operator, place=Point(*HERE))
    make_resource(world.power, place=Point(*HERE), state="draft")
    make_resource(world.power, place=Point(*HERE), disclosure="existence")
    line = make_line(demand_list, world.operator, place=Point(*HERE))
    assert verdict_of(run_now(world, demand_list), line).reasons[0]["binding"] == "own"


def test_one_unit_is_never_given_twice_and_priority_goes_first(world, demand_list):
    make_resource(
        world.power, place=Point(*HERE), pools=[{"unit": "position", "label": "P1", "height_m": 30, "total": 1}]
    )
    low = make_line(demand_list, world.operator, place=Point(*HERE), priority=3)
    high = make_line(demand_list, world.operator, place=north(50), priority=1)
    run = run_now(world, demand_list)
    assert verdict_of(run, high).verdict == "met"
    assert verdict_of(run, low).reasons[0]["binding"] == "contended"


def test_room_must_fit_units_and_power_over_all_lines(world, demand_list):
    make_resource(
        world.power, "room", place=Point(*HERE),
        pools=[
            {"unit": "rack_u", "total": 40, "price_fen_per_unit_year": 1},
            {"unit": "kw", "total": 6, "price_fen_per_unit_year": 1},
        ],
    )  # fmt: skip
    lines = [
        make_line(demand_list, world.operator, kind="room", quantity=10, power_kw=4, place=Point(*HERE))
        for _ in range(2)
    ]
    run = run_now(world, demand_list)
    assert sorted(verdict_of(run, line).verdict for line in lines) == ["met", "unmet"]
    assert {a.pool.unit: a.quantity for a in Allocation.objects.select_related("pool")} == {"rack_u": 10, "kw": 4}


def test_blurred_resource_is_matched_by_its_cell_only(world, demand_list):
    """The true place is 20 m from the need; the cell's centre decides, so that a verdict tells no more than the map."""
    tower = make_resource(world.power, place=Point(113.3395, 23.1395), disclosure="blurred")
    tower.refresh_from_db()
    line = make_line(demand_list, world.operator, place=Point(113.3395, 23.13968), tolerance_m=100)
    result = verdict_of(run_now(world, demand_list), line)
    assert result.verdict == "unmet"
    nearest = result.reasons[0]["nearest"]["distance_m"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_Distance(shown_cell::geography, ST_SetSRID(ST_MakePoint(113.3395, 23.13968), 4326)::geography)"
            " FROM listings_resource WHERE id = %s",
            [tower.pk],
        )
        assert nearest == pytest.approx(cursor.fetchone()[0], abs=0.1)


def test_same_seed_gives_the_same_run(world, demand_list):
    for i in range(12):
        make_resource(
            world.power, place=north(40 * i), pools=[{"unit": "position", "label": "P", "height_m": 30, "total": 2}]
        )
    for i in range(20):
        make_line(demand_list, world.operator, place=north(25 * i), quantity=1 + i % 2, tolerance_m=150)
    runs = [run_now(world, demand_list, seed=7) for _ in range(2)]
    first, second = ([(r.line_id, r.resource_id) for r in run.results.order_by("line_id")] for run in runs)
    assert first == second


@pytest.mark.parametrize("name", ["dave", "alice", "zhao", "nora"])
def test_others_do_not_run_a_bureaus_list(world, demand_list, name):
    make_line(demand_list, world.operator)
    with pytest.raises(NotPermitted):
        actions.start(demand_list=demand_list, by=world.user(name), membership=world.as_.get(name))


def test_draft_and_empty_lists_are_refused_with_a_reason(world, demand_list):
    with pytest.raises(Refused) as refusal:
        actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    assert refusal.value.code == "empty"
    draft = make_list(world.bureau, state="draft")
    make_line(draft, world.operator)
    with pytest.raises(Refused) as refusal:
        actions.start(demand_list=draft, by=world.carol, membership=world.as_["carol"])
    assert refusal.value.code == "state"


def test_second_run_waits_for_the_first_also_for_plain_sql(world, demand_list):
    make_line(demand_list, world.operator)
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    with pytest.raises(Refused) as refusal:
        actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    assert refusal.value.code == "live"
    with pytest.raises(IntegrityError, match="run_one_at_a_time"), transaction.atomic():
        MatchRun.objects.create(demand_list=demand_list, number=run.number + 1)


def test_cancelled_run_keeps_nothing(world, demand_list):
    make_line(demand_list, world.operator)
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    actions.cancel(run=run, by=world.carol, membership=world.as_["carol"])
    runner.execute(run.pk)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not run.results.exists()
    with pytest.raises(Refused) as refusal:
        actions.cancel(run=run, by=world.carol, membership=world.as_["carol"])
    assert refusal.value.code == "ended"


def test_running_run_stops_at_its_next_step(world, demand_list):
    make_line(demand_list, world.operator)
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    claimed = runner.claim(run.pk)
    actions.cancel(run=claimed, by=world.carol, membership=world.as_["carol"])
    with pytest.raises(runner.Cancelled):
        runner.Progress(claimed)("allocation", 50)


def test_orphaned_run_is_taken_up_by_the_sweep_and_a_live_one_is_left(world, demand_list):
    make_line(demand_list, world.operator)
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    runner.claim(run.pk)
    assert sweeps.take_up_orphaned_runs() == 0
    MatchRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=10))
    assert sweeps.take_up_orphaned_runs() == 1
    run.refresh_from_db()
    assert run.state == "done"


def test_command_prints_the_figures(world, demand_list, capsys):
    make_line(demand_list, world.operator)
    call_command("match", demand_list.reference)
    assert "unmet: 1" in capsys.readouterr().out


def test_run_is_logged(world, demand_list):
    make_line(demand_list, world.operator)
    run = run_now(world, demand_list)
    assert set(Event.objects.about(run).values_list("verb", flat=True)) == {"run.start", "run.finish"}


def test_queries_do_not_grow_with_lines(world, demand_list, django_assert_max_num_queries):
    for i in range(3):
        make_resource(world.power, place=north(30 * i))
    for i in range(30):
        make_line(demand_list, world.operator, place=north(10 * i))
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    with django_assert_max_num_queries(90):  # many are SAVEPOINT and SET LOCAL; none goes by the line
        runner.execute(run.pk)


def test_asking_for_nothing_is_not_offered_as_a_way_out(world, demand_list):
    make_resource(world.power, place=Point(*HERE), pools=[{"unit": "position", "label": "P1", "total": 2, "in_use": 2}])
    line = make_line(demand_list, world.operator, place=Point(*HERE), quantity=2)
    reason = verdict_of(run_now(world, demand_list), line).reasons[0]
    assert reason["binding"] == "quantity"
    assert reason["relaxations"] == []
