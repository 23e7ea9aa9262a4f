"""The rules of files: each new one seen at work, all of them listed in docs, none telling more than it may."""

import pytest
from django.conf import settings
from django.core.management import call_command

from listings.actions import imports
from listings.imports import rulebook
from tests.imports.conftest import TOWERS, codes_of, take, upload
from tests.world import make_resource

pytestmark = pytest.mark.django_db
HEAD = "编码,名称,经度,纬度,塔高(米),天线位总数,空闲天线位\n"


def test_there_are_far_more_than_twenty_rules_and_docs_list_them_as_they_are():
    rules = rulebook.rules()
    assert len(rules) >= 60
    assert {rule.level for rule in rules} == {"error", "warning", "info"}
    call_command("import_rules", check=True)
    text = (settings.BASE_DIR / "docs" / "import-rules.md").read_text(encoding="utf-8")
    assert all(f"`{rule.code}`" in text for rule in rules)


@pytest.mark.parametrize("disclosure", ["exact", "blurred", "existence"])
def test_anothers_tower_at_the_place_is_named_only_where_its_place_may_be_seen(world, disclosure):
    """A file of guessed points must not find out where blurred towers stand."""
    make_resource(world.operator, "tower", owner_code="X-1",
                  disclosure=disclosure, state="published", place="POINT (113.33 23.13)")  # fmt: skip
    job = take(world.as_["alice"], "a.csv", TOWERS)
    told = {problem["code"] for row in job.rows.all() for problem in row.problems}
    assert ("anothers_already" in told) is (disclosure == "exact")
    assert job.counts["create"] == 2  # a warning stops nothing


def test_ones_own_tower_under_another_code_is_named(world):
    make_resource(world.power, "tower", owner_code="OLD-1", place="POINT (113.33002 23.13)")
    job = take(world.as_["alice"], "a.csv", TOWERS)
    (problem,) = [p for p in job.rows.get(number=2).problems if p["code"] == "stands_already"]
    assert problem["params"]["code"] == "OLD-1"
    assert "stands_already" not in codes_of(job.rows.get(number=3))


@pytest.mark.parametrize(
    ("row", "code", "level"),
    [
        ("4.40106E+11,一号,113.331,23.131,40,3,2", "code_mangled", "error"),
        ("T-1,一号,113.33,23.13,40,3,2", "rounded", "warning"),
        ("T-1,一号,113.331,23.131,九十丈,3,2", "unit_unknown", "error"),
    ],
)
def test_rows_are_told_what_is_wrong(world, row, code, level):
    job = take(world.as_["alice"], "a.csv", HEAD + row + "\n", mapping={"height_m": "塔高(米)"})
    found = {p["code"]: p["level"] for p in job.rows.get().problems}
    assert found[code] == level


def test_lines_that_cross_themselves_or_run_across_the_country_are_named(world):
    rows = (
        "编码,名称,wkt,芯数,空闲芯数\n"
        'L-1,一,"LINESTRING (113.3 23.1, 113.4 23.2, 113.4 23.1, 113.3 23.2)",48,12\n'
        'L-2,二,"LINESTRING (73.6 39.5, 134.7 48.3)",48,12\n'
    )
    job = take(world.as_["alice"], "a.csv", rows, kind="cable")
    assert "line_crosses_itself" in codes_of(job.rows.get(number=2))
    assert "line_too_long" in codes_of(job.rows.get(number=3))


def test_chinese_numbers_units_and_ewkt_are_understood(world):
    rows = "编码,名称,wkt,塔高,天线位总数\nT-1,一号,SRID=4547;POINT (431347.6 2558722.7),三十五米,十二\n"
    job, _new = imports.upload_file(membership=world.as_["alice"], file=upload("a.csv", rows), kind="tower")
    imports.set_columns(job=job, membership=world.as_["alice"], mapping=job.mapping)
    job.refresh_from_db()
    from listings.imports import guessing

    first = guessing.guess_system(job, *guessing.sample_spots(job))[0]
    assert (first.code, first.confidence >= 0.9) == ("EPSG:4547", True)
    job = imports.set_place(job=job, membership=world.as_["alice"], crs="EPSG:4547")
    imports.confirm(job=job, membership=world.as_["alice"])
    tower = job.resources.get()
    assert (tower.tower.height_m, tower.pools.get().total) == (35, 12)
    assert abs(tower.place.x - 113.33) < 0.01
    assert abs(tower.place.y - 23.13) < 0.01
