"""Whatever the world holds: every allocation of a run meets every hard rule, and more supply never serves fewer."""

import datetime as dt
import random
import uuid

import numpy as np
import pytest
from django.contrib.gis.geos import LineString, Point
from django.utils import timezone

from listings.models import Bore, Reservation, Resource, Site
from matching import actions, computing, runner
from tests.matching.slow_rules import wrongs
from tests.world import make_line, make_list, make_resource

HERE = (113.330, 23.130)
SEEDS = range(3)


def near(rng, spread_m=350):
    return Point(*(c + rng.uniform(-spread_m, spread_m) / 111_320 for c in HERE), srid=4326)


def some_supply(world, rng, count):
    """Towers alone and with rooms at their site, ducts, cables and rooms of all conditions, partly in use and reserved
    for a while."""
    today = timezone.localdate()
    for _ in range(count):
        kind = rng.choice(["tower", "tower", "tower", "duct", "duct", "cable", "room"])
        total = rng.randint(1, 4)
        price = rng.choice([None, 100_000, 900_000])
        unit = {"tower": "position", "duct": "bore", "cable": "core", "room": "rack_u"}[kind]
        pool = {"unit": unit, "total": total, "in_use": rng.randint(0, 1), "price_fen_per_unit_year": price}
        pools, facts, at = [pool], {}, near(rng)
        if kind == "tower":
            pool |= {"label": "P1", "height_m": rng.choice([10, 20, 30])}
            facts = {
                "spare_kva": rng.choice([0, 3, 10]), "reinforcement": rng.choice(["none"] * 5 + ["not_allowed"]),
                "load_used_pct": rng.choice([40] * 5 + [100]), "is_papers_complete": rng.choice([True] * 5 + [False]),
            }  # fmt: skip
        elif kind in ("duct", "cable"):
            pool |= {"bore_mm": rng.choice([32, 50, 100])} if kind == "duct" else {}
            at = LineString(at.coords, near(rng).coords, srid=4326)
        else:
            pools.append({"unit": "kw", "total": rng.randint(2, 6), "price_fen_per_unit_year": 50_000})
        made = make_resource(
            rng.choice([world.power, world.power, world.operator]), kind, place=at, pools=pools, facts=facts,
            sector=rng.choice(["power", "power", "municipal"]), condition=rng.choice(["good"] * 5 + ["poor"]),
            lifecycle=rng.choice(["in_service"] * 5 + ["planned", "suspended"]),
            disclosure=rng.choice(["exact"] * 5 + ["blurred", "existence"]),
            sharing_modes=rng.choice([[], [], ["same_site"], ["co_location", "same_trench"]]),
            available_from=rng.choice([None, None, None, None, today + dt.timedelta(days=90)]),
            available_until=rng.choice([None, None, None, None, today + dt.timedelta(days=500)]),
        )  # fmt: skip
        if kind == "tower" and rng.random() < 0.5:
            a_room_beside(made, rng)
        if kind == "duct" and rng.random() < 0.5:
            bores_of(made, pool, rng)
        if rng.random() < 0.4 and total > 1:
            starts = today + dt.timedelta(days=rng.randint(0, 400))
            Reservation.objects.create(
                pool=made.pools.get(unit=unit), organisation=world.operator, quantity=1, starts_on=starts,
                ends_on=starts + dt.timedelta(days=60), state="confirmed", idempotency_key=uuid.uuid4(),
            )  # fmt: skip


def a_room_beside(tower, rng):
    """A room at the tower's site, fit or not to be shared together with it."""
    site = Site.objects.create(owner=tower.owner, owner_code=f"S{tower.pk}", name="Hill")
    pools = [{"unit": "rack_u", "total": rng.randint(4, 12), "price_fen_per_unit_year": rng.choice([1_000, 60_000])}]
    pools.append({"unit": "kw", "total": rng.randint(2, 6), "price_fen_per_unit_year": 50_000})
    room = make_resource(
        tower.owner, "room", place=tower.place, pools=pools,
        disclosure=rng.choice([tower.disclosure] * 5 + ["existence"]),
        condition=rng.choice(["good"] * 5 + ["poor"]), lifecycle=rng.choice(["in_service"] * 5 + ["planned"]),
        sharing_modes=rng.choice([[], [], ["co_location"]]),
    )  # fmt: skip
    Resource.objects.filter(pk__in=[tower.pk, room.pk]).update(site=site)


def bores_of(duct, pool, rng):
    """Its bores one by one: some in use, blocked, or kept for thin cables."""
    for number in range(pool["total"]):
        fields = rng.choice([{}, {}, {"cable_count": 1}, {"blocked_at_m": 5}, {"cable_max_mm": 15}])
        Bore.objects.create(duct=duct, label=f"a{number}", inner_mm=pool["bore_mm"], **fields)


def some_list(world, rng, count):
    made = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    for _ in range(count):
        kind = rng.choice(["tower", "tower", "tower", "duct", "duct", "cable", "room"])
        is_site = kind == "tower" and rng.random() < 0.4
        make_line(
            made, rng.choice([world.operator, None]), kind=kind, quantity=rng.randint(1, 2), place=near(rng),
            tolerance_m=rng.choice([200, 500, 900]),
            power_kw=rng.choice([2, 3]) if is_site or kind == "room" or rng.random() < 0.1 else None,
            room_u=rng.choice([2, 5]) if is_site else None,
            cable_mm=rng.choice([None, 12, 20, 40]) if kind == "duct" else None,
            height_min_m=rng.choice([None, 15]) if kind == "tower" else None,
            height_max_m=rng.choice([None, 25]) if kind == "tower" else None,
            bore_mm=rng.choice([None, 40]) if kind == "duct" else None,
            ceiling_fen_per_year=rng.choice([None, None, 500_000, 2_000_000]),
            sectors=rng.choice([[], [], ["power"]]), sharing_modes=rng.choice([[], [], ["same_site"]]),
            needed_by=timezone.localdate() + dt.timedelta(days=rng.choice([0, 60, 120])),
            months=rng.choice([6, 12, 24]), priority=rng.choice([1, 2, 3]),
        )  # fmt: skip
    return made


def run_now(world, demand_list):
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    runner.execute(run.pk)
    run.refresh_from_db()
    assert run.state == "done", run.failure
    return run


@pytest.mark.parametrize("seed", SEEDS)
def test_every_allocation_meets_every_rule_and_more_supply_never_serves_fewer(world, seed):
    rng = random.Random(seed)
    some_supply(world, rng, 30)
    demand_list = some_list(world, rng, 30)
    before = run_now(world, demand_list)
    assert before.figures["met"] >= 3
    assert before.figures["unmet"] >= 3
    met = before.results.filter(verdict="met", line__kind__in=("tower", "duct"))
    assert met.exclude(line__room_u=None, line__cable_mm=None).exists()  # a site, or a bore for a cable, was given
    assert list(wrongs(before)) == []
    some_supply(world, rng, 10)
    after = run_now(world, demand_list)
    assert list(wrongs(after)) == []
    assert after.figures["met"] >= before.figures["met"]


BROKEN = {  # rule → (resource that breaks it, what the line asks)
    "own": ({"is_own": True}, {}),
    "dates": ({"available_from": dt.date(2099, 1, 1)}, {}),
    "sector": ({}, {"sectors": ["municipal"]}),
    "sharing_mode": ({"sharing_modes": ["same_site"]}, {"sharing_modes": ["co_location"]}),
    "lifecycle": ({"lifecycle": "suspended"}, {}),
    "condition": ({"condition": "poor"}, {}),
    "papers": ({"facts": {"is_papers_complete": False}}, {}),
    "load": ({"facts": {"reinforcement": "not_allowed"}}, {}),
    "height": ({}, {"height_min_m": 60}),
    "bore": ({"kind": "duct"}, {"kind": "duct", "bore_mm": 200}),
    "price": ({}, {"ceiling_fen_per_year": 5}),
    "power": ({"kind": "duct"}, {"kind": "duct", "power_kw": 5}),
    "cable": ({"kind": "duct"}, {"kind": "duct", "cable_mm": 90}),
    "room": ({}, {"room_u": 5, "power_kw": 2}),
}


def test_the_rules_would_see_what_the_matching_overlooked(world, monkeypatch):
    """With the criteria taken out, and with capacity forgotten, the check above fails: it can."""
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    for step, (supply, asked) in enumerate(BROKEN.values()):
        at = Point(HERE[0] + step / 50, HERE[1], srid=4326)  # 2 km apart: each line sees its own resource only
        supply = {"kind": "tower", "place": at} | supply
        owner = world.operator if supply.pop("is_own", False) else world.power
        if supply["kind"] == "duct":
            supply["place"] = LineString(at.coords, (at.x, at.y + 0.001), srid=4326)
        make_resource(owner, supply.pop("kind"), **supply)
        make_line(demand_list, world.operator, **{"place": at, "tolerance_m": 300} | asked)
    for _ in range(4):  # four ask for the three positions of one tower
        make_line(demand_list, None, place=Point(113.2, 23.2, srid=4326))
    make_resource(world.power, place=Point(113.2, 23.2, srid=4326))
    monkeypatch.setattr(computing, "fit", lambda pairs: np.ones(len(pairs), dtype=bool))
    real = computing.problem_of

    def with_plenty(*arguments):
        problem, row = real(*arguments)
        problem.capacity[:] = 100_000
        return problem, row

    monkeypatch.setattr(computing, "problem_of", with_plenty)
    found = list(wrongs(run_now(world, demand_list)))
    assert sorted(set(found)) == sorted({*BROKEN, "capacity"})
