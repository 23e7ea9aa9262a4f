"""Lines that say how thick the cable is: met where as many free bores as they ask for take it, and why not."""

import math
import random

import numpy as np
import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import IntegrityError, connection, transaction
from django.utils.translation import override

from accounts.models import RegionRule
from accounts.rules import rule
from listings.cable_fit import largest_cables_mm
from listings.models import Bore
from matching import actions, bores, presenters, runner
from matching.models import MatchResult
from tests.world import make_line, make_list, make_resource

HERE = (113.330, 23.130)


@pytest.fixture
def demand_list(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


def run_now(world, demand_list):
    run = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    runner.execute(run.pk)
    run.refresh_from_db()
    assert run.state == "done", run.failure
    return run


def make_duct(world, *, inner=32, total=3, listed=(), at=0.0):
    """A duct of bores alike; listed: its bores one by one, as fields of Bore."""
    place = LineString((HERE[0] + at, HERE[1]), (HERE[0] + at, HERE[1] + 0.001), srid=4326)
    duct = make_resource(
        world.power, "duct", place=place, pools=[{"unit": "bore", "bore_mm": inner, "total": total}]
    )  # fmt: skip
    for number, fields in enumerate(listed):
        Bore.objects.create(duct=duct, label=f"a{number}", **{"inner_mm": inner} | fields)
    return duct


def need(demand_list, world, cable_mm, *, quantity=1, at=0.0):
    place = Point(HERE[0] + at, HERE[1], srid=4326)
    return make_line(
        demand_list, world.operator, kind="duct", quantity=quantity, cable_mm=cable_mm, place=place, tolerance_m=300
    )


CASES = (  # the bores listed, cable, bores asked, whether it is met
    ((), 23, 1, True),  # 32 mm · √0.53 = 23.3 mm
    ((), 23.5, 1, False),
    (({}, {"cable_max_mm": 15}, {"cable_max_mm": 15}), 20, 1, True),
    (({}, {"cable_max_mm": 15}, {"cable_max_mm": 15}), 20, 2, False),
    (({"cable_count": 1}, {"occupancy_pct": 40}, {"blocked_at_m": 5}), 10, 1, False),
    (({"cable_count": 1}, {}, {}), 20, 2, True),
)


def test_a_cable_fits_as_many_free_bores_as_take_it(world, demand_list):
    lines = []
    for number, (listed, cable, quantity, _is_met) in enumerate(CASES):
        make_duct(world, listed=listed, at=number / 20)
        lines.append(need(demand_list, world, cable, quantity=quantity, at=number / 20))
    run = run_now(world, demand_list)
    found = dict(run.results.values_list("line", "verdict"))
    assert [found[line.pk] == "met" for line in lines] == [is_met for *_, is_met in CASES]


def test_what_was_found_and_lacks_is_said_with_the_step_that_would_help(world, demand_list):
    make_duct(world)
    line = need(demand_list, world, 25)
    result = MatchResult.objects.get(run=run_now(world, demand_list), line=line)
    reason = result.reasons[0]
    assert reason["binding"] == "cable"
    cable = reason["nearest"]["reasons"][0]
    assert (cable["criterion"], cable["asked"], cable["found"], cable["unit"]) == ("cable", 25, 23.2, "mm")
    with override("en"):
        (shown,) = presenters.attach([result], world.as_["carol"])
    assert "free bores take a cable of up to 23.2 mm, 25 mm asked" in shown.shown["sentence"]
    assert "a cable 1.8 mm thinner" in [step["text"] for step in shown.shown["steps"]]


def test_the_share_a_cable_may_fill_is_the_regions_rule(world, demand_list):
    make_duct(world)
    need(demand_list, world, 25)
    assert run_now(world, demand_list).figures["met"] == 0
    RegionRule.objects.create(
        region=world.bureau.region, key="duct.fill_pct", value=70, source="Example", valid_from="2026-01-01"
    )
    assert run_now(world, demand_list).figures["met"] == 1


def test_the_query_and_the_rule_of_one_resource_say_the_same(world):
    rng, fill = random.Random(4), rule("duct.fill_pct").value
    for number in range(6):
        listed = [
            {"cable_max_mm": rng.choice([None, 10, 18]), "cable_count": rng.choice([0, 0, 1]),
             "blocked_at_m": rng.choice([None, None, 3])}
            for _ in range(rng.randint(0, 5))
        ]  # fmt: skip
        duct = make_duct(world, listed=listed, at=number / 20)
        if listed:
            Bore.objects.create(duct=duct, label="a0-1", parent=duct.bores.get(label="a0"), inner_mm=14)
        pool = duct.pools.get()
        one = largest_cables_mm(pool, duct.bores.all(), duct.duct.inner_mm, fill)
        for asked in (1, 2, 3):
            found = bores.largest_cables(
                np.array([duct.pk]), np.array([pool.pk]), np.array([asked]), fill=float(fill) / 100
            )[0]
            expected = one if not isinstance(one, list) else one[asked - 1] if asked <= len(one) else 0.0
            assert math.isclose(found, expected, abs_tol=1e-6), (listed, asked)


def test_the_database_keeps_cables_to_ducts(world, demand_list):
    line = need(demand_list, world, 20)
    for broken in ("kind = 'cable'", "cable_mm = 0"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE listings_demandline SET {broken} WHERE id = %s", [line.pk])
