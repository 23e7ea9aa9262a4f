"""Tower, room and power at one site as one need: all of it at one site or nothing, and why."""

import datetime as dt
import itertools
import random

import pytest
from django.contrib.gis.geos import Point
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import override

from listings.models import DemandLine, Resource, Site
from matching import actions, computing, news, presenters, runner
from matching.models import Allocation, MatchResult
from tests.matching.slow_rules import wrongs
from tests.world import make_line, make_list, make_resource

HERE = Point(113.330, 23.130, srid=4326)


@pytest.fixture
def demand_list(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


def run_now(world, demand_list, **options):
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"], **options)
    runner.execute(run.pk)
    run.refresh_from_db()
    assert run.state == "done", run.failure
    return run


def make_site(owner, *, units=20, kw=5, positions=2, place=HERE, rooms=1, **room):
    """A tower and its rooms at one site: (tower, rooms)."""
    site = Site.objects.create(owner=owner, owner_code=f"S{Site.objects.count()}", name="Hill")
    pool = {"unit": "position", "label": "P1", "height_m": 30, "total": positions, "price_fen_per_unit_year": 100_000}
    tower = make_resource(owner, place=place, pools=[pool])
    pools = [{"unit": "rack_u", "total": units, "price_fen_per_unit_year": 1_000}]
    pools.append({"unit": "kw", "total": kw, "price_fen_per_unit_year": 2_000})
    made = [make_resource(owner, "room", place=place, pools=pools, **room) for _ in range(rooms)]
    Resource.objects.filter(pk__in=[tower.pk, *(m.pk for m in made)]).update(site=site)
    return tower, made


def ask(demand_list, applicant, **fields):
    return make_line(demand_list, applicant, **{"place": HERE, "room_u": 10, "power_kw": 3} | fields)


def verdict_of(run, line):
    return MatchResult.objects.get(run=run, line=line)


def test_all_pools_of_one_site_are_given_at_once_and_priced_together(world, demand_list):
    make_resource(world.power, place=HERE)  # a tower without a room, as near
    tower, (room,) = make_site(world.power)
    line = ask(demand_list, world.operator)
    result = verdict_of(run_now(world, demand_list), line)
    assert (result.verdict, result.resource) == ("met", tower)
    given = {a.pool.unit: (a.pool.resource_id, a.quantity) for a in result.allocations.select_related("pool")}
    assert given == {"position": (tower.pk, 1), "rack_u": (room.pk, 10), "kw": (room.pk, 3)}
    assert result.cost_fen_per_year == 100_000 + 10 * 1_000 + 3 * 2_000
    found = {r["criterion"]: (r["asked"], r["found"], r["margin"], r["unit"]) for r in result.reasons if "unit" in r}
    assert found["room"] == (10, 20, 10, "rack_u")
    assert found["power"] == (3, 5, 2, "kw")


LACKING = (  # what the room is like, what the line asks, the criterion that binds
    ({}, {"room_u": 42}, "room"),
    ({}, {"power_kw": 6}, "power"),
    ({"rooms": 0}, {}, "room"),
    ({"state": "withdrawn"}, {}, "room"),
    ({"disclosure": "existence"}, {}, "room"),
    ({"disclosure": "blurred"}, {}, "room"),  # the tower's exact place would tell the room's
    ({"condition": "poor"}, {}, "room"),
    ({"lifecycle": "planned"}, {}, "room"),
    ({"available_until": timezone.localdate() + dt.timedelta(days=30)}, {}, "dates"),
    ({"sharing_modes": ["same_site"]}, {"sharing_modes": ["co_location"]}, "sharing_mode"),
    ({}, {"ceiling_fen_per_year": 115_999}, "price"),
)


def test_each_part_that_lacks_leaves_all_of_it_unmet(world, demand_list):
    lines = []
    for number, (room, asked, _binding) in enumerate(LACKING):
        place = Point(HERE.x + number / 20, HERE.y, srid=4326)  # 5 km apart: each sees its own site only
        make_site(world.power, place=place, **room)
        lines.append(ask(demand_list, world.operator, place=place, **asked))
    run = run_now(world, demand_list)
    found = {r.line_id: (r.verdict, r.reasons[0]["binding"]) for r in run.results.all()}
    assert [found[line.pk] for line in lines] == [("unmet", binding) for _room, _asked, binding in LACKING]
    assert not Allocation.objects.exists()


def test_a_room_too_small_is_said_in_both_languages_with_what_would_help(world, demand_list):
    make_site(world.power)
    line = ask(demand_list, world.operator, room_u=42)
    result = verdict_of(run_now(world, demand_list), line)
    step = next(s for s in result.reasons[0]["relaxations"] if s["criterion"] == "room")
    assert step["delta"] == 22
    with override("zh-hans"):
        (shown,) = presenters.attach([result], world.as_["carol"])
        assert "机房：空闲" in shown.shown["sentence"]
    with override("en"):
        (shown,) = presenters.attach([result], world.as_["carol"])
        assert "room: 20 U free, 42 U asked" in shown.shown["sentence"]
        assert "22 U fewer in the room" in [s["text"] for s in shown.shown["steps"]]


def test_a_room_asked_for_by_itself_and_with_its_tower_is_one_pool(world, demand_list):
    make_site(world.power, units=20, kw=9)
    make_line(demand_list, world.operator, kind="room", quantity=12, place=HERE)
    ask(demand_list, world.operator, room_u=12)
    run = run_now(world, demand_list)
    assert run.figures["met"] == 1
    assert list(wrongs(run)) == []
    assert MatchResult.objects.get(run=run, verdict="unmet").reasons[0]["binding"] == "contended"


def best_by_enumeration(lines, sites) -> int:
    """The most lines that can be served, trying every way to put each into a room of a site or nowhere."""
    options = [(s, r) for s, site in enumerate(sites) for r in range(len(site["rooms"]))]
    best = 0
    for choice in itertools.product([None, *options], repeat=len(lines)):
        positions, units, power = [0] * len(sites), {}, {}
        for line, at in zip(lines, choice, strict=True):
            if at is not None:
                positions[at[0]] += line["quantity"]
                units[at] = units.get(at, 0) + line["room_u"]
                power[at] = power.get(at, 0) + line["power_kw"]
        fits = all(used <= site["positions"] for used, site in zip(positions, sites, strict=True))
        for s, r in units:
            fits = fits and units[s, r] <= sites[s]["rooms"][r][0] and power[s, r] <= sites[s]["rooms"][r][1]
        best = max(best, sum(at is not None for at in choice)) if fits else best
    return best


def test_as_many_are_served_as_enumeration_says_and_no_pool_is_overfull(world, demand_list):
    expected = 0
    for seed in range(6):  # worlds of their own, 10 km apart
        rng, place = random.Random(seed), Point(HERE.x, HERE.y + seed / 10, srid=4326)
        sites = [
            {"positions": rng.randint(1, 3), "rooms": [(rng.randint(4, 20), rng.randint(2, 7))] * rng.randint(1, 2)}
            for _ in range(2)
        ]
        for site in sites:
            (units, kw), count = site["rooms"][0], len(site["rooms"])
            make_site(world.power, place=place, positions=site["positions"], units=units, kw=kw, rooms=count)
        asked = [
            {"quantity": rng.randint(1, 2), "room_u": rng.randint(2, 10), "power_kw": rng.randint(1, 4)}
            for _ in range(5)
        ]
        for fields in asked:
            ask(demand_list, world.operator, place=place, **fields)
        expected += best_by_enumeration(asked, sites)
    run = run_now(world, demand_list)
    assert run.figures["is_proven"]
    assert 6 < run.figures["met"] == expected < 30
    assert list(wrongs(run)) == []


def test_matching_again_keeps_the_rooms_and_gives_what_a_whole_run_gives(world, demand_list):
    make_site(world.power, rooms=2, positions=5)
    for units in (12, 12, 6):
        ask(demand_list, world.operator, room_u=units, power_kw=2)
    first = run_now(world, demand_list)
    make_resource(world.power, place=Point(113.5, 23.3, srid=4326))
    again = run_now(world, demand_list, since=first)
    assert again.figures["kept"] == 3

    def given(run):
        return sorted(Allocation.objects.filter(result__run=run).values_list("result__line", "pool", "quantity"))

    assert given(again) == given(first)
    Resource.objects.filter(kind="room").order_by("pk").first().pools.filter(unit="rack_u").update(total=5)
    changed, whole = run_now(world, demand_list, since=again), run_now(world, demand_list)
    assert changed.figures["kept"] == 0
    assert changed.figures["met"] == whole.figures["met"] == 2
    assert given(changed) == given(whole)


def test_a_room_published_at_a_site_serves_the_lines_its_tower_could_not(world, demand_list):
    tower, (room,) = make_site(world.power)
    line = ask(demand_list, world.operator)
    other = make_line(demand_list, world.operator, place=HERE)  # asks for the tower alone: the room is no news to it
    assert [(s.line, s.resource) for s in news.would_serve([room.pk])] == [(line.pk, tower.pk)]
    assert {s.line for s in news.would_serve([tower.pk])} == {line.pk, other.pk}


def test_a_room_left_out_of_a_what_if_serves_nobody(world, demand_list):
    _tower, (room,) = make_site(world.power)
    ask(demand_list, world.operator)
    run = run_now(world, demand_list)
    assert run.figures["met"] == 1
    found = computing.compute(demand_list.pk, run.parameters | {"without": [room.pk]}, today=timezone.localdate())
    assert found.figures()["met"] == 0


def test_the_database_keeps_rooms_beside_towers_only(world, demand_list):
    line = ask(demand_list, world.operator)
    for broken in ("kind = 'duct'", "room_u = 0"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE listings_demandline SET {broken} WHERE id = %s", [line.pk])
    assert DemandLine.objects.get(pk=line.pk).room_u == 10
