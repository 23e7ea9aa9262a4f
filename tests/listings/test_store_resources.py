"""Many rows from a file: by the same checks, all or none, and the same file again changes nothing."""

from decimal import Decimal

import pytest
from django.contrib.gis.geos import LineString, Point

from accounts.errors import NotPermitted
from accounts.models import Event
from listings.actions.resources import check_rows, row_from_values, store_resources
from listings.models import CapacityPool, Resource
from listings.problems import Invalid
from tests.listings.supply import hold, save

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def tower(number, **values):
    values = {"owner_code": f"T{number}", "name": f"Tower {number}", "positions_total": [3], "height_m": 40.0} | values
    place = values.pop("place", Point(113.3 + number / 10_000, 23.13, srid=4326))
    return row_from_values("tower", values, number=number, place=place)


def store(membership, rows):
    return store_resources(by=membership.user, membership=membership, rows=rows, job=None)


def test_rows_of_several_kinds_are_stored_with_one_event_each(world):
    line = LineString((113.33, 23.13), (113.34, 23.13), srid=4326)
    rows = [
        tower(1, platform_heights_m=[30.0, 35.0], positions_total=[5], price_yuan=12000.0),
        row_from_values("duct", {"owner_code": "D1", "bores_total": 6, "bores_free": 4, "inner_mm": 100},
                        number=2, place=line),
        row_from_values("room", {"owner_code": "R1", "rack_count": 10, "racks_free": 4, "kw_total": 20},
                        number=3, place=Point(113.33, 23.13, srid=4326)),
    ]  # fmt: skip
    counts = store(world.as_["bob"], rows)

    assert counts == {"create": 3, "update": 0, "same": 0}
    assert Event.objects.filter(verb="resource.create", organisation=world.power).count() == 3
    pools = {
        (p.resource.owner_code, p.label, p.unit, p.height_m, p.total, p.in_use)
        for p in CapacityPool.objects.select_related("resource").order_by("pk")
    }
    assert pools == {
        ("T1", "P1", "position", Decimal(35), 3, 0),  # one number shared out from the top
        ("T1", "P2", "position", Decimal(30), 2, 0),
        ("D1", "", "bore", None, 6, 2),  # in use is what is not free
        ("R1", "", "rack_u", None, 420, 252),  # racks counted as 42 U
        ("R1", "", "kw", None, 20, 0),
    }
    assert set(CapacityPool.objects.filter(unit="position").values_list("price_fen_per_unit_year", flat=True)) == {
        1_200_000
    }
    assert set(Resource.objects.values_list("region_id", "state")) == {("440106", "draft")}


def test_the_same_file_again_changes_nothing(world):
    store(world.as_["bob"], [tower(1), tower(2)])
    events = Event.objects.count()
    assert store(world.as_["bob"], [tower(1), tower(2)]) == {"create": 0, "update": 0, "same": 2}
    assert Event.objects.count() == events


def test_a_changed_file_changes_what_it_names_and_leaves_the_rest(world):
    resource = save(world.as_["bob"], data={"address": "1 Tianhe Road"})
    row = row_from_values("tower", {"owner_code": "A-1", "height_m": 45}, number=1, place=None)
    assert store(world.as_["bob"], [row, tower(2)]) == {"create": 1, "update": 1, "same": 0}
    resource = Resource.objects.get(pk=resource.pk)
    assert (resource.tower.height_m, resource.address, resource.name) == (45, "1 Tianhe Road", "Tower one")
    assert resource.pools.count() == 1
    assert Event.objects.get(verb="resource.update").before == {"height_m": "40"}


def test_one_bad_row_stores_none_and_is_named(world):
    with pytest.raises(Invalid, match="Row 2") as failure:
        store(world.as_["bob"], [tower(1), tower(2, place=Point(0, 0, srid=4326)), tower(3)])
    assert "zero_zero" in {problem.code for problem in failure.value.problems}
    assert not Resource.objects.exists()
    assert not Event.objects.exists()


def test_a_code_twice_in_the_file_is_found_across_chunks(world, monkeypatch):
    monkeypatch.setattr("listings.actions.resources.CHUNK", 2)
    with pytest.raises(Invalid, match="more than one row"):
        store(world.as_["bob"], [tower(1), tower(2), tower(3), tower(1)])
    assert not Resource.objects.exists()


def test_a_total_below_what_is_held_stops_the_file(world):
    resource = save(world.as_["bob"])
    hold(resource.pools.get(), world.operator, 2)
    row = row_from_values("tower", {"owner_code": "A-1", "positions_total": [1], "platform_heights_m": [35]},
                          number=1, place=None)  # fmt: skip
    with pytest.raises(Invalid, match="held or confirmed here"):
        store(world.as_["bob"], [row])


def test_only_editors_store(world):
    with pytest.raises(NotPermitted):
        store(world.as_["vera"], [tower(1)])


def test_the_report_stores_nothing_and_says_what_each_row_would_do(world):
    save(world.as_["bob"], owner_code="T1", data={"name": "Tower 1"})
    items = check_rows(
        [tower(1, name="Other"), tower(2), tower(3, owner_name="Somebody else", manager_name="Nobody"), tower(2)],
        owner=world.power,
    )
    assert [item.verdict for item in items] == ["update", "create", "create", "error"]
    assert {problem.code for problem in items[2].problems} == {"owner_differs", "manager_unknown"}
    assert Resource.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"positions_total": [3, 3], "platform_heights_m": [35.0]}, "count_differs"),
        ({"positions_total": [3], "positions_in_use": [1], "positions_free": [1]}, "sum_differs"),
        ({"positions_total": [1], "positions_free": [2]}, "pool_negative"),
        ({"region": "330100"}, "outside_declared"),
        ({"owner_code": ""}, "code_missing"),
    ],
)
def test_contradictions_in_a_row_are_errors(world, values, code):
    (item,) = check_rows([tower(1, **values)], owner=world.power)
    assert code in {problem.code for problem in item.problems if problem.is_error}


def test_a_row_without_capacity_is_stored_with_a_warning(world):
    (item,) = check_rows([tower(1, positions_total=None)], owner=world.power)
    assert (item.verdict, [problem.code for problem in item.problems]) == ("create", ["no_capacity"])


def test_the_manager_is_found_by_name(world):
    store(world.as_["bob"], [tower(1, manager_name="Southern Telecom")])
    assert Resource.objects.get().manager == world.operator


def test_the_number_of_queries_does_not_grow_with_the_rows(world, django_assert_max_num_queries):
    few, many = [tower(i) for i in range(1, 4)], [tower(i) for i in range(10, 210)]
    with django_assert_max_num_queries(30):
        store(world.as_["bob"], few)
    with django_assert_max_num_queries(30):
        store(world.as_["bob"], many)
    assert Resource.objects.count() == 203
