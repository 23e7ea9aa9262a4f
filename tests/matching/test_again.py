"""Matching again after a change keeps what nothing can have touched, and gives what a whole run gives."""

import random
from datetime import timedelta

import pytest
from django.contrib.gis.geos import LineString, Point
from django.urls import reverse
from django.utils import timezone

from accounts.errors import Refused
from listings.actions import capacity
from listings.models import CapacityPool, DemandLine, Resource
from matching import actions
from matching.models import Allocation, MatchResult
from tests.matching.test_run import HERE, METRE, run_now
from tests.world import make_line, make_list, make_resource

CLUSTERS, SIZE = 4, 5  # groups of towers and lines so far apart that they share nothing


@pytest.fixture
def demand_list(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


def spot(cluster, metres):
    return Point(HERE[0] + 0.15 * cluster, HERE[1] + metres * METRE, srid=4326)


@pytest.fixture
def crowd(world, demand_list):
    """In each group five lines want four towers of one or two positions, so that some are left out."""
    rng = random.Random(1)
    for cluster in range(CLUSTERS):
        for n in range(SIZE - 1):
            pool = {
                "unit": "position",
                "label": "P1",
                "height_m": 30,
                "total": 1 + n % 2,
                "price_fen_per_unit_year": 10,
            }
            make_resource(
                world.power, place=spot(cluster, 60 * n), pools=[pool], name=f"T{cluster}{n}", facts={"spare_kva": 4}
            )
        for n in range(SIZE):
            make_line(
                demand_list, world.operator if n % 2 else world.evil, place=spot(cluster, rng.randint(0, 250)),
                quantity=1 + n % 2, tolerance_m=300, power_kw=2 if n == 3 else None, priority=1 + n % 3,
            )  # fmt: skip
    return demand_list


COLUMNS = (
    "line_id", "verdict", "resource_id", "score", "distance_m", "cost_fen_per_year", "binding", "told",
    "component", "fingerprint",
)  # fmt: skip


def told(run):
    """All a run says: verdicts with their reasons, what was given, figures but for time and what was kept."""
    rows = list(MatchResult.objects.filter(run=run).order_by("line__number").values_list(*COLUMNS))
    rows = [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in rows]
    given = list(
        Allocation.objects.filter(result__run=run).order_by("result__line_id", "pool_id").values_list(
            "result__line_id", "pool_id", "quantity"
        )
    )  # fmt: skip
    routes = list(
        run.results.exclude(routes=None)
        .values_list("line_id", "routes__role", "routes__rank", "routes__legs")
        .order_by("line_id", "routes__role", "routes__rank")
    )
    proposals = list(
        run.proposals.values_list("kind", "cost_fen", "parties__line_id").order_by("number", "parties__line")
    )
    figures = {name: value for name, value in run.figures.items() if name not in ("seconds", "since", "kept")}
    return rows, given, routes, list(proposals), figures


def tower(cluster, n=0):
    return Resource.objects.get(name=f"T{cluster}{n}")


def line_of(crowd, cluster, n):
    return crowd.lines.get(number=cluster * SIZE + n + 1)


def more_positions(world, crowd):
    CapacityPool.objects.filter(resource=tower(1)).update(total=4)


def withdrawn(world, crowd):
    Resource.objects.filter(pk=tower(2, 1).pk).update(state="suspended")


def moved_away(world, crowd):
    Resource.objects.filter(pk=tower(0, 2).pk).update(place=spot(3, 20))


def another_tower(world, crowd):
    make_resource(world.power, place=spot(1, 100), name="New")


def line_gone(world, crowd):
    DemandLine.objects.filter(pk=line_of(crowd, 0, 1).pk).update(state="withdrawn")


def line_asks_more(world, crowd):
    DemandLine.objects.filter(pk=line_of(crowd, 3, 0).pk).update(quantity=2)


def line_between_two_groups(world, crowd):
    """A new line reaches towers of two groups: what competed with nobody now does."""
    make_line(crowd, world.operator, place=Point(HERE[0] + 0.075, HERE[1], srid=4326), tolerance_m=9_000)


def line_is_a_duplicate(world, crowd):
    DemandLine.objects.filter(pk=line_of(crowd, 2, 4).pk).update(duplicate_of=line_of(crowd, 2, 2))


def reserved(world, crowd):
    pool = tower(3, 1).pools.get()
    today = timezone.localdate()
    capacity.hold(
        quantities={pool.pk: 1}, organisation=world.evil, by=world.eve, starts_on=today,
        ends_on=today + timedelta(days=9), expires_at=timezone.now() + timedelta(days=5), key="0" * 32,
    )  # fmt: skip


def blurred(world, crowd):
    Resource.objects.filter(pk=tower(0, 0).pk).update(disclosure="blurred")


def nothing(world, crowd):
    """Nothing at all."""


CHANGES = [
    more_positions, withdrawn, moved_away, another_tower, line_gone, line_asks_more, line_between_two_groups,
    line_is_a_duplicate, reserved, blurred, nothing,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_matching_again_gives_what_a_whole_run_gives_and_keeps_the_rest(world, crowd, change):
    base = run_now(world, crowd)
    change(world, crowd)
    again, whole = run_now(world, crowd, since=base), run_now(world, crowd)
    assert told(again) == told(whole)
    assert again.figures["since"] == base.pk
    assert whole.figures["kept"] == 0
    met_in_a_group = base.figures["met"] // CLUSTERS
    touched_groups = {"nothing": 0, "line_between_two_groups": 2, "moved_away": 2}.get(change.__name__, 1)
    assert again.figures["kept"] >= (CLUSTERS - touched_groups) * met_in_a_group - 1
    assert (again.figures["kept"] < base.figures["met"]) is (change is not nothing)


def test_many_changes_one_after_the_other(world, crowd):
    """Each run starts from the one before, which itself kept much."""
    run = run_now(world, crowd)
    for change in (more_positions, line_gone, another_tower, reserved, withdrawn):
        change(world, crowd)
        run = run_now(world, crowd, since=run)
    assert told(run) == told(run_now(world, crowd))


def test_routes_and_what_they_leave_are_the_same_too(world, crowd):
    a, middle, b = (113.30, 23.13), (113.33, 23.13), (113.36, 23.13)
    pool = {"unit": "core", "total": 4, "price_fen_per_unit_year": 10_000}
    for ends in ((a, middle), (middle, b)):
        make_resource(world.power, "cable", place=LineString(*ends, srid=4326), pools=[pool])
    for quantity in (2, 2, 1):
        make_line(
            crowd, world.evil, kind="cable", quantity=quantity, place=LineString(a, b, srid=4326), tolerance_m=100
        )
    base = run_now(world, crowd)
    CapacityPool.objects.filter(unit="core").update(total=3)
    again, whole = run_now(world, crowd, since=base), run_now(world, crowd)
    assert told(again) == told(whole)
    assert again.figures["met_by_route"] > 0


def test_other_parameters_of_the_base_are_taken_over_and_fair_shares_are_matched_whole(world, crowd):
    base = run_now(world, crowd, radius_m=400, fairness=0.9)
    again = run_now(world, crowd, since=base, radius_m=900)
    assert again.parameters["radius_m"] == 400
    assert (again.figures["since"], again.figures["kept"]) == (None, 0)
    assert told(again)[:2] == told(base)[:2]


def test_run_of_another_list_is_no_base(world, crowd):
    other = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    make_line(other, world.operator)
    with pytest.raises(Refused) as refusal:
        actions.start(demand_list=crowd, by=world.carol, membership=world.as_["carol"], since=run_now(world, other))
    assert refusal.value.code == "since"


def test_button_matches_again_and_the_page_says_what_was_kept(client_as, world, crowd):
    base = run_now(world, crowd)
    client = client_as("carol")
    assert "Match again what changed" in client.get(reverse("run_detail", args=[base.pk])).content.decode()
    answer = client.post(reverse("run_start", args=[crowd.pk]), {"since": base.pk})
    run = crowd.runs.order_by("-pk")[0]
    assert answer.headers["Location"] == reverse("run_detail", args=[run.pk])
    assert run.parameters["since"] == base.pk


def test_duplicates_are_left_out_and_the_reason_is_shown(client_as, world, crowd):
    line = line_of(crowd, 2, 4)
    line_is_a_duplicate(world, crowd)
    run = run_now(world, crowd)
    assert not run.results.filter(line=line).exists()
    page = client_as("carol").get(reverse("run_detail", args=[run.pk])).content.decode()
    assert "1 line is marked as another's duplicate" in page
    page = client_as("eve").get(reverse("line_matches", args=[line.pk])).content.decode()
    assert "marked as a duplicate of line 13" in page
    assert "has not been matched yet" not in page
