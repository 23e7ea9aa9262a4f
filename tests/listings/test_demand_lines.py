"""Lines of a demand list: their numbers, their places, many at once, and what happens to them later."""

import datetime as dt

import pytest
from django.contrib.gis.geos import GEOSGeometry, LineString, Point
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings.actions import demand
from listings.demand_rules import Jurisdiction, place_problem
from listings.models import DemandLine
from tests.world import make_line, make_list

pytestmark = pytest.mark.django_db

IN_GUANGZHOU = Point(113.33, 23.13, srid=4326)
IN_HANGZHOU = Point(120.15, 30.28, srid=4326)


@pytest.fixture
def draft(world):
    return make_list(world.bureau, state="draft", region=world.regions["440100"])


@pytest.fixture
def in_force(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


def fields(**changes):
    return {
        "title": "天河基站", "kind": "tower", "quantity": 1, "place": IN_GUANGZHOU, "applicant_name": "某运营商",
    } | changes  # fmt: skip


def numbers(demand_list) -> list[int]:
    return list(demand_list.lines.order_by("number").values_list("number", flat=True))


def test_add_line_numbers_on_and_records(draft, world):
    first = demand.add_line(demand_list=draft, membership=world.as_["carol"], **fields(applicant=world.operator))
    second = demand.add_line(demand_list=draft, membership=world.as_["carol"], **fields(kind="duct", quantity=2))
    assert (first.number, second.number) == (1, 2)
    event = Event.objects.about(first).get()
    assert (event.verb, event.after["place"], event.organisation) == ("line.add", IN_GUANGZHOU.wkt, world.bureau)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"place": IN_HANGZHOU}, "place", "outside Guangzhou"),
        ({"place": Point(23.13, 113.33, srid=4326)}, "place", "swapped"),
        ({"place": Point(0, 0, srid=4326)}, "place", "0, 0"),
        ({"place": None}, "place", "Give a place"),
        ({"place": GEOSGeometry("SRID=4326;GEOMETRYCOLLECTION(POINT(113.33 23.13))")}, "place", "a point, a route"),
        ({"place": LineString((113.33, 23.13), (120.1, 30.2), srid=4326)}, "place", "outside"),
        ({"quantity": 0}, "quantity", "between 1"),
        ({"quantity": 10_000_000}, "quantity", "between 1"),
        ({"months": 0}, "months", "600"),
        ({"height_min_m": 40, "height_max_m": 20}, "height_max_m", "below"),
        ({"power_kw": -1}, "power_kw", "below 0"),
        ({"kind": "duct", "room_u": 10}, "room_u", "goes with a tower"),
        ({"room_u": 0}, "room_u", "between 1"),
        ({"applicant_name": " "}, "applicant_name", "Name the applicant"),
        ({"kind": "castle"}, "kind", "castle"),
        ({"title": " "}, "title", "Give a title"),
        ({"title": "长" * 161}, "title", "160"),
    ],
)
def test_add_line_says_what_is_wrong_and_where(draft, world, changes, field, words, settings):
    from django.utils import translation

    with translation.override("en"), pytest.raises(ValidationError) as error:
        demand.add_line(demand_list=draft, membership=world.as_["carol"], **fields(**changes))
    assert words in " ".join(error.value.message_dict[field])
    assert not draft.lines.exists()


def test_a_place_just_over_the_generalised_border_is_taken(draft, world):
    jurisdiction = Jurisdiction(world.regions["440100"])  # the box ends at 114.1 E
    assert place_problem(Point(114.12, 23.0, srid=4326), jurisdiction) is None
    assert place_problem(Point(114.3, 23.0, srid=4326), jurisdiction)


def test_lines_are_written_in_drafts_only_and_by_curators(draft, in_force, world):
    with pytest.raises(Refused):
        demand.add_line(demand_list=in_force, membership=world.as_["carol"], **fields())
    with pytest.raises(NotPermitted):
        demand.add_line(demand_list=draft, membership=world.as_["chen"], **fields())


def test_the_same_applicant_code_twice_is_refused(draft, world):
    carol = world.as_["carol"]
    demand.add_line(demand_list=draft, membership=carol, **fields(applicant_code="A-1"))
    with pytest.raises(ValidationError, match="code|编号"):
        demand.add_line(demand_list=draft, membership=carol, **fields(applicant_code="A-1"))
    with pytest.raises(IntegrityError, match="line_applicant_code_once"), transaction.atomic():
        connection.cursor().execute(
            "INSERT INTO listings_demandline (demand_list_id, number, applicant_name, applicant_code, title, kind,"
            " quantity, place, months, priority, sectors, sharing_modes, notes, state, created_at, updated_at)"
            " SELECT demand_list_id, 99, applicant_name, applicant_code, title, kind, quantity, place, months,"
            " priority, sectors, sharing_modes, notes, state, now(), now() FROM listings_demandline"
            " WHERE demand_list_id = %s",
            [draft.pk],
        )


@pytest.mark.parametrize(
    ("assignment", "constraint"),
    [
        ("quantity = 0", "line_quantity_positive"),
        ("height_min_m = 30, height_max_m = 20", "line_heights_in_order"),
        ("applicant_id = NULL, applicant_name = ''", "line_has_applicant"),
    ],
)
def test_the_database_refuses_what_no_line_is(draft, assignment, constraint):
    make_line(draft)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        connection.cursor().execute(f"UPDATE listings_demandline SET {assignment} WHERE demand_list_id = {draft.pk}")


def test_the_database_refuses_a_number_twice(draft):
    make_line(draft, number=1)
    make_line(draft, number=2)
    with pytest.raises(IntegrityError, match="line_number_once"), transaction.atomic():
        connection.cursor().execute("UPDATE listings_demandline SET number = 1 WHERE number = 2")


def test_edit_line_records_before_and_after_and_skips_no_change(draft, world):
    line = demand.add_line(demand_list=draft, membership=world.as_["carol"], **fields())
    demand.edit_line(line=line, membership=world.as_["carol"], quantity=1)
    assert Event.objects.about(line).count() == 1
    demand.edit_line(line=line, membership=world.as_["carol"], quantity=3)
    event = Event.objects.about(line).first()
    assert (event.before["quantity"], event.after["quantity"]) == (1, 3)


def test_edit_line_tells_the_second_of_two_curators(draft, world):
    line = demand.add_line(demand_list=draft, membership=world.as_["carol"], **fields())
    seen_at = line.updated_at
    demand.edit_line(line=line, membership=world.as_["carol"], seen_at=seen_at, quantity=2)
    with pytest.raises(Refused) as refusal:
        demand.edit_line(line=line, membership=world.as_["carol"], seen_at=seen_at, quantity=5)
    assert refusal.value.code == "stale"
    line.refresh_from_db()
    assert line.quantity == 2


def test_add_lines_stores_all_or_none(draft, world):
    carol = world.as_["carol"]
    with pytest.raises(ValidationError, match="2"):
        demand.add_lines(demand_list=draft, membership=carol, rows=[fields(), fields(place=IN_HANGZHOU)])
    assert not draft.lines.exists()
    made = demand.add_lines(demand_list=draft, membership=carol, rows=[fields(title=f"第{n}处") for n in range(3)])
    assert [line.number for line in made] == [1, 2, 3]
    event = Event.objects.about(draft).get()
    assert (event.verb, event.after) == ("list.add_lines", {"count": 3, "first": 1, "last": 3})


def test_add_lines_with_a_double_code_is_one_clear_sentence(draft, world):
    with pytest.raises(Refused) as refusal:
        demand.add_lines(
            demand_list=draft,
            membership=world.as_["carol"],
            rows=[fields(applicant_code="A"), fields(applicant_code="A")],
        )
    assert refusal.value.code == "double_code"


def test_add_lines_costs_no_query_per_row(draft, world, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        demand.add_lines(
            demand_list=draft, membership=world.as_["carol"], rows=[fields(title=str(n)) for n in range(300)]
        )
    assert draft.lines.count() == 300


def test_edit_lines_changes_many_at_once(draft, world):
    lines = demand.add_lines(demand_list=draft, membership=world.as_["carol"], rows=[fields(), fields()])
    demand.edit_lines(
        demand_list=draft, membership=world.as_["carol"], changes={line.pk: {"quantity": 7} for line in lines}
    )
    assert set(draft.lines.values_list("quantity", flat=True)) == {7}


def test_edit_lines_refuses_lines_of_another_list(draft, in_force, world):
    other = make_line(in_force)
    with pytest.raises(Refused) as refusal:
        demand.edit_lines(demand_list=draft, membership=world.as_["carol"], changes={other.pk: {"quantity": 7}})
    assert refusal.value.code == "gone"


def test_deleting_from_a_draft_keeps_numbers_dense(draft, world):
    lines = demand.add_lines(
        demand_list=draft, membership=world.as_["carol"], rows=[fields(title=str(n)) for n in range(6)]
    )
    demand.delete_draft_line(line=lines[0], membership=world.as_["carol"])
    demand.delete_draft_lines(demand_list=draft, membership=world.as_["carol"], line_ids=[lines[2].pk, lines[3].pk])
    assert numbers(draft) == [1, 2, 3]
    assert list(draft.lines.order_by("number").values_list("title", flat=True)) == ["1", "4", "5"]


def test_deleting_from_a_published_list_is_refused(in_force, world):
    line = make_line(in_force)
    with pytest.raises(Refused):
        demand.delete_draft_line(line=line, membership=world.as_["carol"])
    assert DemandLine.objects.filter(pk=line.pk).exists()


# --- After publication ------------------------------------------------------------------------


def test_withdraw_keeps_the_line_with_its_reason(in_force, world):
    line = demand.withdraw_line(line=make_line(in_force), membership=world.as_["carol"], reason="已自建")
    assert line.state == "withdrawn"
    assert Event.objects.about(line).get().reason == "已自建"
    with pytest.raises(Refused):
        demand.withdraw_line(line=line, membership=world.as_["carol"], reason="again")


def test_withdraw_is_for_curators_with_a_reason_on_public_lists(in_force, draft, world):
    line = make_line(in_force)
    with pytest.raises(NotPermitted):
        demand.withdraw_line(line=line, membership=world.as_["chen"], reason="x")
    with pytest.raises(NotPermitted):
        demand.withdraw_line(line=line, membership=world.as_["zhao"], reason="x")
    with pytest.raises(Refused) as refusal:
        demand.withdraw_line(line=line, membership=world.as_["carol"], reason=" ")
    assert refusal.value.code == "no_reason"
    with pytest.raises(Refused):
        demand.withdraw_line(line=make_line(draft), membership=world.as_["carol"], reason="x")


def test_requested_reopened_fulfilled(in_force, world):
    line = make_line(in_force, world.operator)
    assert demand.mark_requested(line=line, by=world.dave, organisation=world.operator).state == "requested"
    assert demand.mark_requested(line=line, by=world.dave).state == "requested"
    assert demand.reopen(line=line, by=world.dave).state == "open"
    assert demand.fulfil(line=line, by=world.dora, organisation=world.operator).state == "fulfilled"
    assert demand.fulfil(line=line, by=world.dora).state == "fulfilled"
    assert demand.reopen(line=line).state == "open"  # the agreement lapsed or was given up before operation
    verbs = list(Event.objects.about(line).order_by("pk").values_list("verb", flat=True))
    assert verbs == ["line.mark_requested", "line.reopen", "line.fulfil", "line.reopen"]


def test_a_withdrawn_line_is_neither_requested_nor_fulfilled(in_force, world):
    line = make_line(in_force, state="withdrawn")
    with pytest.raises(Refused):
        demand.mark_requested(line=line, by=world.dave)
    with pytest.raises(Refused):
        demand.fulfil(line=line, by=world.dave)


def test_lines_of_a_list_under_notice_are_not_requested_yet(world):
    noticed = make_list(world.bureau, state="notice", submitted_by=world.carol, published_by=world.chen)
    with pytest.raises(Refused):
        demand.mark_requested(line=make_line(noticed), by=world.dave)


# --- Which rows -------------------------------------------------------------------------------


def test_search_finds_by_number_text_kind_and_state(in_force, world):
    make_line(in_force, world.operator, title="天河体育中心")
    make_line(in_force, title="珠江新城", kind="duct", applicant_code="ZJ-9")
    make_line(in_force, title="白云", state="withdrawn")

    def found(**criteria):
        return list(in_force.lines.search(**criteria).order_by("number").values_list("number", flat=True))

    assert found() == [1, 2, 3]
    assert found(text="2") == [2]
    assert found(text="南方通信") == [1]
    assert found(text="zj-9") == [2]
    assert found(kind="tower", state="open") == [1]


def test_with_counts_leaves_withdrawn_lines_out(in_force, world):
    from listings.models import DemandList

    for state in ("open", "open", "fulfilled", "withdrawn"):
        make_line(in_force, state=state)
    row = DemandList.objects.with_counts().get(pk=in_force.pk)
    assert (row.line_count, row.open_count, row.fulfilled_count) == (3, 2, 1)


def test_readers_see_public_lists_and_their_own_bureaus_drafts(draft, in_force, world):
    from listings.models import DemandList

    make_line(draft)
    make_line(in_force)
    for name, lists in {"carol": 2, "chen": 2, "zhao": 1, "dave": 1}.items():
        assert DemandList.objects.readable_by(world.as_[name]).count() == lists, name
        assert DemandLine.objects.readable_by(world.as_[name]).count() == lists, name
    assert DemandList.objects.readable_by(None).count() == 1
    assert DemandList.objects.curated_by(world.as_["zhao"]).count() == 0
    assert DemandLine.objects.curated_by(world.as_["dave"]).count() == 0


def test_needed_by_survives_as_a_date(draft, world):
    line = demand.add_line(demand_list=draft, membership=world.as_["carol"], **fields(needed_by=dt.date(2027, 1, 1)))
    assert Event.objects.about(line).get().after["needed_by"] == "2027-01-01"
