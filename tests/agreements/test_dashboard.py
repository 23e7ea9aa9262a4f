"""The owner's dashboard: right sums in the units of the reports, one's own only, a next step when empty."""

import datetime as dt
from decimal import Decimal

from django.contrib.gis.geos import LineString
from django.utils import timezone

from listings import dashboard_figures as figures
from listings.models import LookCount
from tests import world as make
from tests.agreements.story import ask
from tests.listings.supply import hold

LINE = LineString((113.33, 23.13), (113.34, 23.13), srid=4326)


def test_occupancy_in_the_units_of_the_reports(world):
    make.make_resource(world.power)
    full = make.make_resource(world.power, pools=[{"unit": "position", "label": "P1", "total": 3, "in_use": 3}])
    duct = make.make_resource(world.power, "duct", place=LINE)
    make.make_resource(world.power, "cable", place=LINE, facts={"sheath_km": Decimal("2.5")},
                       pools=[{"unit": "core", "total": 48, "in_use": 12}])  # fmt: skip
    make.make_resource(world.power, "room")
    make.make_resource(world.power, state="draft")
    make.make_resource(world.evil)
    hold(duct.pools.get(), world.operator, 1)
    duct.refresh_from_db()
    lines = {line.what: line for line in figures.occupancy(world.power)}
    towers = lines["Towers and poles"]
    assert (towers.total, towers.used, towers.unit) == (2, 1, "sites")
    km = Decimal(str(round(duct.length_m, 1))) / 1000
    assert lines["Ducts, by route"].total == km
    bores = lines["Ducts, by bore"]
    assert abs(bores.total - 4 * Decimal(duct.length_m) / 1000) < Decimal("0.01")
    assert abs(bores.held - Decimal(duct.length_m) / 1000) < Decimal("0.01")
    assert lines["Cables, by sheath"].total == Decimal("2.5")
    assert (lines["Cables, by core"].total, lines["Cables, by core"].used) == (120, 30)
    assert (lines["Rooms, space"].total, lines["Rooms, power"].total) == (84, 10)
    assert full.pk


def test_ages_of_facts(world):
    today = timezone.localdate()
    for days in (1, 100, 200, 400, 900):
        resource = make.make_resource(world.power)
        type(resource).objects.filter(pk=resource.pk).update(facts_on=today - dt.timedelta(days=days))
    dateless = make.make_resource(world.power)
    type(dateless).objects.filter(pk=dateless.pk).update(facts_on=None)
    ages, months = figures.ages(world.power)
    assert months == 12
    assert [(age.count, age.is_stale) for age in ages] == [
        (1, False), (1, False), (1, False), (1, True), (1, True), (1, True),
    ]  # fmt: skip


def test_the_page_shows_looks_and_requests(world, client_as):
    resource = make.make_resource(world.power, name="Looked-at tower")
    day = timezone.localdate()
    LookCount.objects.create(resource=resource, organisation=world.operator, day=day, count=3)
    LookCount.objects.create(resource=resource, day=day, count=4)
    case = ask(world, resource)
    text = client_as("vera").get("/en/work/dashboard/").content.decode()
    assert "Southern Telecom" in text
    assert "Looked-at tower" in text
    assert case.code in text
    assert "<strong>7</strong> looks in 30 days" in text
    other = client_as("eve").get("/en/work/dashboard/").content.decode()
    assert "Looked-at tower" not in other
    assert "Import a file" in other


def test_figures_cost_the_same_however_many_rows(world, client_as, django_assert_max_num_queries):
    for _i in range(12):
        make.make_resource(world.power)
    client = client_as("alice")
    with django_assert_max_num_queries(40):
        client.get("/en/work/dashboard/")
