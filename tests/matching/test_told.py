"""What a verdict tells is packed when it is stored and worded when it is read."""

import datetime as dt
from importlib import import_module

import numpy as np
import pytest
from django.contrib.gis.geos import LineString, Point
from django.utils import timezone

from matching import actions, runner
from matching.core import told
from matching.core.problem import CRITERIA
from tests.world import make_line, make_list, make_resource

HERE = Point(113.330, 23.130, srid=4326)
EARLIER = import_module("matching.migrations.0230_verdicts_packed")


@pytest.fixture
def run(world):
    """A run with lines met, contended for, unmet with steps and a day, and met by a route."""
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    soon = timezone.localdate() + dt.timedelta(days=40)
    pool = {"unit": "position", "label": "P1", "height_m": 30, "total": 1, "price_fen_per_unit_year": 1_234_567}
    for spare in (2, 3):
        make_resource(world.power, place=HERE, pools=[pool], facts={"spare_kva": spare})
    make_resource(world.power, "room", place=HERE, available_from=soon)
    for n in range(2):
        ends = (113.40 + n / 100, 23.2), (113.41 + n / 100, 23.2)
        make_resource(world.power, "cable", place=LineString(*ends, srid=4326))
    for power in (None, None, 2):
        make_line(demand_list, world.operator, place=HERE, power_kw=power, ceiling_fen_per_year=2_000_000)
    make_line(demand_list, world.operator, place=HERE, height_min_m=50, height_max_m=60)
    make_line(demand_list, world.operator, kind="room", place=HERE, quantity=4, power_kw=1)
    way = LineString((113.40, 23.2), (113.42, 23.2), srid=4326)
    make_line(demand_list, world.operator, kind="cable", place=way, tolerance_m=100)
    made = actions.start(demand_list=demand_list, by=world.carol, membership=world.as_["carol"])
    runner.execute(made.pk)
    made.refresh_from_db()
    assert made.state == "done", made.failure
    return made


def test_everything_told_is_read_back(run):
    results = {r.line.number: r for r in run.results.select_related("line")}
    assert [results[n].verdict for n in range(1, 7)].count("met") >= 3
    met = next(r for r in results.values() if r.resource_id and r.line.kind == "tower")
    said = {reason["criterion"]: reason for reason in met.reasons}
    assert said["price"] == {
        "criterion": "price", "ok": True, "margin": 765_433, "asked": 2_000_000, "found": 1_234_567, "unit": "fen",
    }  # fmt: skip
    assert said["sector"] == {"criterion": "sector", "ok": True, "margin": 0.0}
    (other,) = met.alternatives or next(r for r in results.values() if r.alternatives).alternatives
    assert {"resource", "distance_m", "score", "cost_fen_per_year", "reasons"} == set(other)
    (why,) = results[4].reasons
    assert (why["binding"], results[4].binding) == ("height", "height")
    height = why["nearest"]["reasons"][0]
    assert (height["ok"], height["asked"], height["asked_max"], height["found"]) == (False, 50.0, 60.0, 30.0)
    step = next(s for s in results[5].reasons[0]["relaxations"] if s["criterion"] == "dates")
    assert step["from"] == str(timezone.localdate() + dt.timedelta(days=40))
    assert results[6].reasons == [
        {"criterion": "route", "ok": True, "margin": None, "unit": "m", "found": results[6].reasons[0]["found"]}
    ]


def test_rows_kept_as_json_are_packed_alike(run):
    for result in run.results.all():
        data = EARLIER.packed(result.verdict, result.reasons, result.alternatives)
        assert told.reasons_of(data, result.verdict, result.binding) == result.reasons
        assert told.alternatives_of(data) == result.alternatives
        assert bytes(result.told)[:8] == data[:8]


def test_the_order_of_criteria_is_that_of_the_rows_that_stand():
    """New criteria are added at the end, or what is stored would be read as another."""
    assert CRITERIA[: len(EARLIER.CRITERIA)] == EARLIER.CRITERIA
    assert [(name, label) for name, label, _ in told.COLUMNS][: len(EARLIER.COLUMNS)] == EARLIER.COLUMNS


def test_bytes_of_another_version_are_refused():
    with pytest.raises(ValueError, match="version 9"):
        told.reasons_of(bytes([9]) + bytes(7), "met", "")
    assert told.reasons_of(b"", "met", "") == []
    assert told.alternatives_of(b"") == []
    assert told.STEP.itemsize == told._STEP.size
    assert np.dtype(told.HEAD).itemsize == told._HEAD.size
