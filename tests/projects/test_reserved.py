"""What the bureau signs off becomes planned resources of the lead, follows the works, and ends with them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.gis.geos import LineString, MultiLineString, Point, Polygon
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.errors import Refused
from agreements.models import ProjectResource
from agreements.projects import actions, planned
from listings.actions import capacity
from listings.models import Resource
from listings.works_links import works_of
from matching import actions as matching_actions
from matching import runner
from matching.models import MatchResult
from tests import world as make
from tests.listings.supply import hold
from tests.projects import building
from tests.projects.test_steps import ask, signed, who
from tests.projects.test_walk import closed, joined, notice

ALL = {
    "reserved_bores": 8, "reserved_room_m2": Decimal(10), "reserved_positions": 6, "reserved_kva": Decimal(100)
}  # fmt: skip


def metro(world, **fields):
    return notice(world, **{"title": "Line 10", "kind": "subway", "method": "bored"} | fields)


def sign_off(world, project, **reserved):
    actions.reserve(project=project, **who(world, "alice"), data=reserved or ALL)
    return actions.answer_reservation(project=project, is_signed_off=True, **who(world, "carol"))


def kept(project, sort):
    return project.kept.get(sort=sort).resource


def pool(resource, unit):
    return resource.pools.get(unit=unit)


def test_signing_off_makes_planned_resources_that_others_find(world, client):
    project = metro(world)
    joined(world, project, "dave", power_kva=Decimal(20))
    assert not project.kept.exists()
    sign_off(world, project)
    duct, room, tower = (kept(project, sort) for sort in ("bores", "room", "positions"))
    assert {(one.kind, one.state, one.lifecycle) for one in (duct, room, tower)} == {
        ("duct", "published", "planned"), ("room", "published", "planned"), ("tower", "published", "planned")
    }  # fmt: skip
    assert duct.owner == project.lead
    assert duct.place.equals_exact(project.place)
    assert (duct.project_type, duct.project_name, duct.join_until) == ("subway", "Line 10", project.join_until)
    assert (pool(duct, "bore").total, pool(duct, "bore").in_use) == (8, 1)  # the party's
    assert pool(room, "rack_u").total == 3 * 42  # 10 m² ÷ 3 m² per rack: three whole racks
    assert (pool(room, "kw").total, pool(room, "kw").in_use) == (90, 18)  # 0.9 of 100 and 20 kVA
    assert (room.reserved_kva, room.reserved_area_m2, duct.reserved_kva) == (100, 10, None)
    assert pool(tower, "position").total == 6
    assert Resource.objects.visible_to(world.as_["eve"]).filter(pk=duct.pk).exists()
    client.force_login(world.user("eve"))
    page = client.get(reverse("project_detail", args=[project.pk])).content.decode()
    assert all(reverse("resource_detail", args=[one.pk]) in page for one in (duct, room, tower))
    back = client.get(reverse("resource_detail", args=[duct.pk])).content.decode()
    assert project.get_absolute_url() in back
    found = client.get(reverse("resource_results"), {"q": "Line 10"}).content.decode()
    assert reverse("resource_detail", args=[duct.pk]) in found


def test_signing_off_again_changes_and_never_doubles(world):
    project = metro(world)
    sign_off(world, project)
    duct, tower = kept(project, "bores"), kept(project, "positions")
    duct.pools.update(in_use=4, price_fen_per_unit_year=900)  # by the owner's own contract
    joined(world, project, "dave")
    assert pool(duct, "bore").in_use == 5
    sign_off(world, project, reserved_bores=10, reserved_kva=Decimal(50))
    again = kept(project, "bores")
    assert again.pk == duct.pk
    assert project.kept.filter(sort="bores").count() == 1
    assert (pool(again, "bore").total, pool(again, "bore").in_use) == (10, 5)
    assert pool(again, "bore").price_fen_per_unit_year == 900
    assert again.reserved_kva == 50
    tower.refresh_from_db()
    assert tower.state == "retired"  # no position is reserved any more
    sign_off(world, project)
    assert kept(project, "positions").pk != tower.pk
    assert kept(project, "positions").state == "published"
    assert project.kept.count() == 3
    actions.leave(project=project, **who(world, "dave"), reason="Other plans")
    assert pool(duct, "bore").in_use == 4
    day = project.join_until + dt.timedelta(days=3)
    actions.save(project=project, **who(world, "alice"), data={"title": "Line 11", "join_until": day})
    duct.refresh_from_db()
    assert (duct.project_name, duct.join_until) == ("Line 11", day)


def test_what_others_hold_is_neither_reserved_away_nor_cancelled(world):
    project = metro(world)
    sign_off(world, project)
    duct = kept(project, "bores")
    held = hold(pool(duct, "bore"), world.as_["eve"].organisation, 8)
    actions.reserve(project=project, **who(world, "alice"), data=ALL | {"reserved_bores": 7})
    with pytest.raises(Refused):
        actions.answer_reservation(project=project, is_signed_off=True, **who(world, "carol"))
    project.refresh_from_db()
    assert (project.gate, pool(duct, "bore").total) == ("waiting", 8)
    with pytest.raises(Refused, match="stays"):
        actions.cancel(project=project, **who(world, "alice"), reason="No money")
    assert {link.resource.state for link in project.kept.select_related("resource").order_by("pk")} == {"published"}
    capacity.release(reservations=[held], by=world.user("eve"))
    actions.cancel(project=project, **who(world, "alice"), reason="No money")
    assert {link.resource.state for link in project.kept.select_related("resource").order_by("pk")} == {"retired"}


def test_while_the_bureau_looks_again_only_the_parties_are_counted(world):
    project = metro(world)
    sign_off(world, project)
    actions.reserve(project=project, **who(world, "alice"), data=ALL | {"reserved_bores": 20})
    joined(world, project, "dave", units=Decimal(3))
    assert (pool(kept(project, "bores"), "bore").total, pool(kept(project, "bores"), "bore").in_use) == (8, 3)


def test_too_little_space_is_refused(world):
    project = metro(world)
    joined(world, project, "dave", units=Decimal(9))
    with pytest.raises(Refused, match="take 9 bores together; 8"):
        actions.reserve(project=project, **who(world, "alice"), data=ALL)
    party = ask(world, project, "eve", units=Decimal(4))
    sign_off(world, project, **ALL | {"reserved_bores": 12})
    with pytest.raises(Refused):
        actions.answer(party=party, **who(world, "alice"), is_taken=True)


def test_where_the_bores_lie(world):
    area = Polygon(((113.3, 23.12), (113.34, 23.12), (113.34, 23.121), (113.3, 23.121), (113.3, 23.12)), srid=4326)
    project = metro(world, place=area)
    assert planned.axis(project).num_points == 2
    sign_off(world, project)
    assert kept(project, "room").place.within(area)
    assert kept(project, "bores").place.geom_type == "LineString"
    short, long = ((113.3, 23.1), (113.3, 23.101)), ((113.31, 23.1), (113.34, 23.1))
    project.place = MultiLineString([LineString(line) for line in (short, long)], srid=4326)
    assert planned.axis(project).coords == long
    point = metro(world, place=Point(113.3, 23.12, srid=4326), unit="positions")
    with pytest.raises(Refused, match="line"):
        actions.reserve(project=point, **who(world, "alice"), data=ALL)


def test_works_shown_to_their_parties_alone_tell_nobody_else(world):
    project = metro(world, disclosure="parties")
    sign_off(world, project)
    assert not Resource.objects.visible_to(world.as_["eve"]).filter(of_works__project=project).exists()
    assert Resource.objects.visible_to(world.as_["alice"]).filter(of_works__project=project).count() == 3
    assert works_of(kept(project, "bores"), world.as_["alice"]).title == "Line 10"
    assert works_of(kept(project, "bores"), world.as_["eve"]) is None


def test_matching_finds_it_from_the_day_the_works_end(world):
    project = metro(world, unit="positions")
    sign_off(world, project)
    tower = kept(project, "positions")
    demand_list = make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    later = project.ends_on + dt.timedelta(days=30)
    days = {"place": tower.place, "needed_by": later}
    after = make.make_line(demand_list, world.operator, **days)
    before = make.make_line(demand_list, world.operator, **days | {"needed_by": project.starts_on})
    run = matching_actions.start(demand_list=demand_list, **who(world, "carol"))
    runner.execute(run.pk)
    met = dict(MatchResult.objects.filter(run=run).order_by("pk").values_list("line", "resource"))
    assert (met.get(after.pk), met.get(before.pk)) == (tower.pk, None)


def test_building_and_acceptance_put_it_in_service(world):
    project = metro(world)
    joined(world, project, "dave", power_kva=Decimal(20))
    sign_off(world, project)
    closed(project)
    project = signed(world, actions.agree(project=project, **who(world, "alice")), "alice", "dora")
    assert kept(project, "bores").lifecycle == "under_construction"
    assert building.accept(world, project, "dave").state == "accepted"
    for link in project.kept.select_related("resource").order_by("pk"):
        row = link.resource
        assert (row.lifecycle, row.join_until, row.available_from) == ("in_service", None, timezone.localdate())


def test_the_database_keeps_one_resource_per_sort(world):
    project = metro(world)
    sign_off(world, project)
    duct, room = kept(project, "bores"), kept(project, "room")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE agreements_projectresource SET sort = 'bores' WHERE resource_id = %s", [room.pk])
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectResource.objects.create(
            project=metro(world), resource=duct, organisation=project.lead, sort=ProjectResource.Sort.BORES
        )
