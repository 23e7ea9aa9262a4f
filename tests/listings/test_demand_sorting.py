"""Putting a draft in order, calls and hand-ins, lists of several bureaus, the next batch and what changed."""

import datetime as dt

import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership
from accounts.models.organisations import Role
from listings import demand_changes
from listings.actions import demand
from listings.models import DemandLine, DemandList
from messaging.models import Notification
from tests import world as make
from tests.world import make_line, make_list

pytestmark = pytest.mark.django_db

HERE = Point(113.33, 23.13, srid=4326)


@pytest.fixture
def draft(world):
    return make_list(world.bureau, state="draft", region=world.regions["440100"])


def ids(demand_list, *numbers):
    return [demand_list.lines.get(number=number).pk for number in numbers]


def given(world, draft, *numbers):
    return {"demand_list": draft, "membership": world.as_["carol"], "line_ids": ids(draft, *numbers)}


def told(demand_list):
    return [(line.number, line.title, line.quantity) for line in demand_list.lines.order_by("number")]


def test_many_lines_change_alike(draft, world):
    for _ in range(3):
        make_line(draft)
    count = demand.edit_lines_alike(**given(world, draft, 1, 3), fields={"priority": 1, "sectors": ["power"]})
    assert count == 2
    assert [line.priority for line in draft.lines.order_by("number")] == [1, 2, 1]
    with pytest.raises(Refused):
        demand.edit_lines_alike(**given(world, draft, 1), fields={"tolerance_m": 900_000})
    with pytest.raises(TypeError):
        demand.edit_lines_alike(**given(world, draft, 1), fields={"applicant_name": "x"})


@pytest.mark.parametrize(("is_sum", "quantity"), [(True, 6), (False, 3)])
def test_merging_keeps_the_first_and_names_the_others(draft, world, is_sum, quantity):
    for number in (1, 2, 3):
        make_line(draft, title=f"点{number}", quantity=number)
    line = demand.merge_lines(**given(world, draft, 1, 2, 3), is_sum=is_sum)
    assert told(draft) == [(1, "点1", quantity)]
    assert "点2" in line.notes


@pytest.mark.parametrize(("is_sum", "asked"), [(True, (30, 5)), (False, (20, 3))])
def test_merging_loses_neither_the_room_nor_the_power(draft, world, is_sum, asked):
    make_line(draft)
    make_line(draft, room_u=10, power_kw=2)
    make_line(draft, room_u=20, power_kw=3)
    line = demand.merge_lines(**given(world, draft, 1, 2, 3), is_sum=is_sum)
    assert (line.room_u, line.power_kw) == asked


def test_lines_of_two_kinds_do_not_merge(draft, world):
    make_line(draft)
    make_line(draft, kind="duct")
    with pytest.raises(Refused) as refusal:
        demand.merge_lines(**given(world, draft, 1, 2), is_sum=True)
    assert refusal.value.code == "kinds"
    with pytest.raises(Refused):
        demand.merge_lines(**given(world, draft, 1), is_sum=True)


def test_splitting_shares_the_quantity_out(draft, world):
    line = make_line(draft, title="点", quantity=4, applicant_code="A")
    with pytest.raises(Refused) as refusal:
        demand.split_line(line=line, membership=world.as_["carol"], quantities=[2, 1])
    assert refusal.value.code == "parts"
    demand.split_line(line=line, membership=world.as_["carol"], quantities=[2, 1, 1])
    assert told(draft) == [(1, "点", 2), (2, "点 (2)", 1), (3, "点 (3)", 1)]
    assert set(draft.lines.values_list("applicant_code", flat=True)) == {"A", "A/2", "A/3"}


def test_duplicates_are_the_same_place_kind_and_operator(draft, world):
    near, far = Point(113.3303, 23.13, srid=4326), Point(113.34, 23.13, srid=4326)
    make_line(draft, world.operator, place=HERE)
    make_line(draft, world.operator, place=near)  # about 31 m
    make_line(draft, world.operator, place=far)
    make_line(draft, world.power, place=HERE)
    make_line(draft, world.operator, place=HERE, kind="duct")
    assert demand.find_duplicates(demand_list=draft, membership=world.as_["carol"]) == 1
    assert draft.lines.get(number=2).duplicate_of.number == 1
    assert demand.find_duplicates(demand_list=draft, membership=world.as_["carol"]) == 0
    demand.mark_duplicates(**given(world, draft, 2), is_duplicate=False)
    assert not draft.lines.exclude(duplicate_of=None).exists()
    demand.mark_duplicates(**given(world, draft, 1, 3), is_duplicate=True)
    assert draft.lines.get(number=3).duplicate_of.number == 1


def test_the_kept_line_of_marked_duplicates_is_nobodys_duplicate(draft, world):
    for _ in range(3):
        make_line(draft)
    DemandLine.objects.filter(demand_list=draft, number=1).update(duplicate_of=draft.lines.get(number=2))
    demand.mark_duplicates(**given(world, draft, 1, 2, 3), is_duplicate=True)
    marks = draft.lines.order_by("number").values_list("number", "duplicate_of__number")
    assert list(marks) == [(1, None), (2, 1), (3, 1)]


def test_a_line_is_never_its_own_duplicate(draft):
    line = make_line(draft)
    with pytest.raises(IntegrityError, match="line_not_its_own_duplicate"), transaction.atomic():
        DemandLine.objects.filter(pk=line.pk).update(duplicate_of=line)


def test_sorting_is_closed_to_others_and_out_of_a_draft(draft, world):
    make_line(draft)
    for name in ("zhao", "chen", "dave"):
        with pytest.raises(NotPermitted):
            demand.edit_lines_alike(
                demand_list=draft, membership=world.as_[name], line_ids=ids(draft, 1), fields={"priority": 1}
            )
    public = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    make_line(public)
    with pytest.raises(Refused) as refusal:
        demand.edit_lines_alike(**given(world, public, 1), fields={"priority": 1})
    assert refusal.value.code == "wrong_state"


# --- The next batch ---------------------------------------------------------------------------


def test_the_next_batch_takes_over_what_is_open_and_tells_what_changed(world):
    old = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    for state in ("open", "requested", "fulfilled", "withdrawn"):
        make_line(old, world.operator, title=state, state=state)
    new = demand.copy_list(demand_list=old, membership=world.as_["carol"], batch="2027H1", title_zh="下一批")
    assert [line.title for line in new.lines.order_by("number")] == ["open", "requested"]
    assert (new.previous, new.state, new.batch) == (old, "draft", "2027H1")
    line = new.lines.get(number=1)
    demand.edit_line(line=line, membership=world.as_["carol"], quantity=5)
    make_line(new, title="新点")
    changes = demand_changes.between(old, new)
    assert changes.counts == {"added": 1, "gone": 2, "changed": 1}
    assert [row.title for row in changes.gone] == ["fulfilled", "withdrawn"]
    assert changes.changed[0].differences[0]["after"] == "5"


def test_a_batch_from_a_file_is_compared_by_the_applicants_own_codes(world):
    old, new = make_list(world.bureau, state="draft"), make_list(world.bureau, state="draft")
    make_line(old, world.operator, applicant_code="A1", title="甲")
    make_line(new, world.operator, applicant_code="A1", title="乙")
    assert demand_changes.between(old, new).counts == {"added": 0, "gone": 0, "changed": 1}


@pytest.mark.parametrize(("batch", "code"), [("2027H1", "copied"), ("2026H2", "batch"), ("2026H1", "batch")])
def test_a_batch_is_copied_once_and_forwards(world, batch, code):
    old = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    make_line(old)
    given_ = {"demand_list": old, "membership": world.as_["carol"], "title_zh": "下一批"}
    demand.copy_list(**given_, batch="2027H1")
    with pytest.raises(Refused) as refusal:
        demand.copy_list(**given_, batch=batch)  # a second press of the button, or the wrong half-year
    assert refusal.value.code == code
    assert old.followers.count() == 1


def test_only_ones_own_published_list_is_copied(draft, world):
    with pytest.raises(Refused):
        demand.copy_list(demand_list=draft, membership=world.as_["carol"], batch="2027H1", title_zh="x")
    public = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    with pytest.raises(NotPermitted):
        demand.copy_list(demand_list=public, membership=world.as_["zhao"], batch="2027H1", title_zh="x")


# --- Calls ------------------------------------------------------------------------------------


@pytest.fixture
def call(draft, world):
    return demand.open_call(
        demand_list=draft, membership=world.as_["carol"], closes_at=timezone.now() + dt.timedelta(days=5)
    )


FIELDS = {"title": "自报点", "kind": "tower", "quantity": 1, "place": HERE}


def test_an_operator_hands_in_changes_and_takes_back(call, world):
    assert Notification.objects.filter(user=world.dave, code="list.open_call").exists()
    line = demand.hand_in(demand_list=call, membership=world.as_["dave"], **FIELDS, applicant=world.evil)
    assert (line.applicant, line.handed_in_by, line.number) == (world.operator, world.operator, 1)
    demand.change_handed_in(line=line, membership=world.as_["dave"], **FIELDS | {"quantity": 2})
    line.refresh_from_db()
    assert line.quantity == 2
    with pytest.raises(Refused):
        demand.change_handed_in(line=line, membership=world.as_["alice"], **FIELDS)
    with pytest.raises(Refused):
        demand.take_back(line=line, membership=world.as_["alice"])
    demand.take_back(line=line, membership=world.as_["dave"])
    assert not call.lines.exists()


def test_handing_in_takes_a_verified_enterprise_with_a_role_and_an_open_call(call, draft, world):
    for name in ("carol", "uma", "vera"):
        with pytest.raises(NotPermitted):
            demand.hand_in(demand_list=call, membership=world.as_[name], **FIELDS)
    demand.close_call(demand_list=call, membership=world.as_["carol"])
    with pytest.raises(Refused) as refusal:
        demand.hand_in(demand_list=call, membership=world.as_["dave"], **FIELDS)
    assert refusal.value.code == "call_closed"


def test_a_list_is_not_submitted_while_its_call_is_open(call, world):
    demand.hand_in(demand_list=call, membership=world.as_["dave"], **FIELDS)
    with pytest.raises(Refused) as refusal:
        demand.submit(demand_list=call, membership=world.as_["carol"])
    assert refusal.value.code == "call_open"
    demand.close_call(demand_list=call, membership=world.as_["carol"])
    assert demand.submit(demand_list=call, membership=world.as_["carol"]).state == "submitted"


def test_what_is_handed_in_is_read_by_its_author_and_the_bureau_alone(call, client_as, client, world):
    demand.hand_in(demand_list=call, membership=world.as_["dave"], **FIELDS | {"title": "绝密点"})
    url = f"/calls/{call.reference}/"

    def shows(reader, path):
        return "绝密点" in reader.get(path).content.decode()

    assert shows(client_as("dave"), url)
    assert not shows(client_as("eve"), url)
    assert client_as("eve").get(f"/calls/{call.reference}/{call.lines.get().pk}/").status_code == 404
    assert client.get(url).status_code == 302
    assert client_as("eve").get(f"/lists/{call.reference}/").status_code == 404
    assert shows(client_as("carol"), f"/cms/demand-lines/?demand_list={call.pk}")
    assert not DemandLine.objects.readable_by(world.as_["dave"]).exists()


def test_handing_in_through_the_page(call, client_as):
    dave = client_as("dave")
    data = {
        "title": "自报点",
        "kind": "tower",
        "quantity": "1",
        "place": "113.33, 23.13",
        "months": "60",
        "priority": "2",
    }
    assert dave.get(f"/calls/{call.reference}/new/").status_code == 200
    assert dave.post(f"/calls/{call.reference}/new/", data | {"place": "120.15, 30.28"}).status_code == 422
    assert dave.post(f"/calls/{call.reference}/new/", data)["Location"] == f"/calls/{call.reference}/"
    line = call.lines.get()
    page = dave.get(f"/calls/{call.reference}/{line.pk}/")
    seen = page.context["form"]["seen_at"].value()
    url = f"/calls/{call.reference}/{line.pk}/"
    assert dave.post(url, data | {"seen_at": seen, "title": "改一"}).status_code == 302
    stale = dave.post(url, data | {"seen_at": seen, "title": "改二"})
    assert (stale.status_code, stale.context["differences"][0]["after"]) == (422, "改二")
    again = stale.context["form"].data["seen_at"]
    assert dave.post(url, data | {"seen_at": again, "title": "改二"}).status_code == 302
    assert dave.post(f"{url}take-back/").status_code == 302
    assert not call.lines.exists()


# --- Several bureaus --------------------------------------------------------------------------


def test_both_bureaus_sign_before_the_notice_and_again_after_it_was_sent_back(world):
    row = demand.create_list(
        membership=world.as_["carol"], region=world.regions["440000"], title_zh="跨省清单", batch="2026H2",
        co_signers=[world.other_bureau],
    )  # fmt: skip
    there = Point(120.15, 30.28, srid=4326)
    demand.add_line(
        demand_list=row, membership=world.as_["carol"], applicant=world.operator, **FIELDS | {"place": there}
    )
    zhao = world.as_["zhao"]
    Membership.objects.filter(pk=zhao.pk).update(roles=[Role.CURATOR, Role.PUBLISHER])
    zhao.refresh_from_db()
    assert DemandList.objects.overseen_by(zhao).get() == row
    with pytest.raises(NotPermitted):
        demand.edit_list(demand_list=row, membership=zhao, title_zh="x")
    with pytest.raises(Refused):
        demand.co_sign(demand_list=row, membership=zhao)
    demand.submit(demand_list=row, membership=world.as_["carol"])
    with pytest.raises(Refused) as refusal:
        demand.publish(demand_list=row, membership=world.as_["chen"])
    assert refusal.value.code == "unsigned"
    demand.co_sign(demand_list=row, membership=zhao)
    demand.send_back(demand_list=row, membership=world.as_["chen"], reason="补一条")
    demand.submit(demand_list=row, membership=world.as_["carol"])
    with pytest.raises(Refused):
        demand.publish(demand_list=row, membership=world.as_["chen"])
    demand.co_sign(demand_list=row, membership=zhao)
    assert demand.publish(demand_list=row, membership=world.as_["chen"]).state == "notice"


def test_a_route_over_the_border_lies_in_both_regions_together(world):
    from listings.demand_rules import Jurisdiction

    fujian = LineString((113.3, 23.1), (119.0, 29.5), srid=4326)  # from one box into the other
    assert not Jurisdiction(world.regions["440000"]).covers(fujian)
    row = make_list(world.bureau, state="draft")
    row.co_signers.create(bureau=world.other_bureau)
    assert Jurisdiction.of(row).covers(Point(120.15, 30.28, srid=4326))


def test_a_province_reads_its_cities_lists_and_changes_none(world, client_as):
    city = make.make_organisation("Shenzhen Bureau", region="440300", is_bureau=True)
    row = make_list(city, state="draft", region=world.regions["440300"])
    line = make_line(row, title="市里的点")
    carol = client_as("carol")
    page = carol.get(f"/cms/demand-lists/inspect/{row.pk}/")
    assert page.status_code == 200
    assert "市里的点" in carol.get(f"/cms/demand-lines/?demand_list={row.pk}").content.decode()
    assert carol.get(f"/cms/demand-lines/edit/{line.pk}/").status_code == 403
    assert carol.post(f"/cms/demand-lists/move/{row.pk}/submit/").status_code == 403
    assert client_as("zhao").get(f"/cms/demand-lists/inspect/{row.pk}/").status_code == 404
