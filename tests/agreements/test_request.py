"""Asking for space: held at once, once per key, refused with a sentence otherwise."""

import datetime as dt
import math
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import override

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.models import Event, RegionRule
from agreements.actions.holds import GRACE
from agreements.models import ShareRequest
from listings.models import DemandLine, Kind, Reservation
from messaging.actions import thread_about
from messaging.models import Notification
from tests.world import make_line, make_list, make_resource

from .story import ask, someday


def test_request_holds_at_once_opens_a_thread_and_tells_the_owner(world, tower):
    case = ask(world, tower, 2)
    pool = tower.pools.get()
    assert pool.free == 1
    hold = case.items.get().reservation
    assert (hold.state, hold.quantity, hold.expires_at) == ("held", 2, case.due_at + GRACE)
    assert case.due_at == deadline_for("clock.completeness", "440106")
    assert (case.state, case.owner, case.requester) == ("submitted", world.power, world.operator)
    thread = thread_about(case)
    assert thread.messages.get().event_code == "request.make"
    assert set(thread.parties.values_list("organisation", flat=True)) == {world.power.pk, world.operator.pk}
    assert [n.user.name for n in Notification.objects.all()] == ["Alice"]
    assert Event.objects.about(case).get().verb == "request.make"


def test_notifications_carry_no_place_and_no_price(world, tower):
    ask(world, tower)
    text = str(Notification.objects.get().payload)
    assert "Pearl Lake" not in text
    assert "113." not in text


def test_same_key_is_the_same_request(world, tower):
    key = uuid4()
    first, second = ask(world, tower, 2, key=key), ask(world, tower, 2, key=key)
    assert first == second
    assert Reservation.objects.count() == 1
    assert tower.pools.get().free == 1


def test_key_of_another_organisation_is_refused(world, tower):
    key = uuid4()
    ask(world, tower, key=key)
    with pytest.raises(Refused, match="another organisation") as refusal:
        ask(world, tower, key=key, who="eve")
    assert refusal.value.code == "foreign_key"


@pytest.mark.parametrize(
    ("who", "code"),
    [("uma", "not_verified"), ("dora", "not_permitted"), ("carol", "not_permitted"), ("alice", "own_resource")],
)
def test_who_may_not_ask(world, tower, who, code):
    with pytest.raises(Refused) as refusal:
        ask(world, tower, who=who)
    assert refusal.value.code == code
    assert not ShareRequest.objects.exists()
    assert not Reservation.objects.exists()


@pytest.mark.parametrize("fields", [{"state": "draft"}, {"state": "suspended"}, {"disclosure": "existence"}])
def test_what_is_not_open_or_not_visible_cannot_be_asked_for(world, fields):
    resource = make_resource(world.power, **fields)
    with pytest.raises(Refused) as refusal:
        ask(world, resource)
    assert refusal.value.code == "not_published"


def test_not_enough_free_says_what_is_free_and_stores_nothing(world, tower):
    ask(world, tower, 2)
    with pytest.raises(Refused, match=r"2 .* asked, 1 .* free") as refusal:
        ask(world, tower, 2, who="eve")
    assert refusal.value.code == "no_space"
    assert ShareRequest.objects.count() == 1
    assert tower.pools.get().free == 1


@pytest.mark.parametrize(
    ("quantity", "code"), [(0, "zero"), (-1, "negative"), ("1.5", "not_whole"), ("NaN", "negative")]
)
def test_impossible_quantities(world, tower, quantity, code):
    with pytest.raises(Refused) as refusal:
        ask(world, tower, quantities={tower.pools.get().pk: Decimal(quantity)})
    assert refusal.value.code == code


def test_pool_of_another_resource(world, tower, room):
    with pytest.raises(Refused) as refusal:
        ask(world, tower, quantities={room.pools.first().pk: Decimal(1)})
    assert refusal.value.code == "unknown_pool"


def test_room_needs_power_and_rack_units_together(world, room):
    rack, power = room.pools.get(unit="rack_u"), room.pools.get(unit="kw")
    with pytest.raises(Refused, match="needs power"):
        ask(world, room, quantities={rack.pk: Decimal(10)})
    with pytest.raises(Refused, match="rack units"):
        ask(world, room, quantities={power.pk: Decimal(2)})
    case = ask(world, room, quantities={rack.pk: Decimal(10), power.pk: Decimal("2.5")})
    assert case.items.count() == 2


def test_room_takes_both_or_nothing(world, room):
    rack, power = room.pools.get(unit="rack_u"), room.pools.get(unit="kw")
    with pytest.raises(Refused):
        ask(world, room, quantities={rack.pk: Decimal(10), power.pk: Decimal(11)})
    rack.refresh_from_db()
    assert rack.free == 84


@pytest.mark.parametrize(
    ("starts", "months", "code"), [(-1, 24, "past"), (30, 0, "months"), (30, 601, "months"), (9000, 12, "far")]
)
def test_impossible_periods(world, tower, starts, months, code):
    with pytest.raises(Refused) as refusal:
        ask(world, tower, starts_on=someday(starts), months=months)
    assert refusal.value.code == code


def test_period_outside_availability(world):
    resource = make_resource(world.power, available_from=someday(40), available_until=someday(400))
    with pytest.raises(Refused) as refusal:
        ask(world, resource, starts_on=someday(30), months=6)
    assert refusal.value.code == "before_available"
    with pytest.raises(Refused) as refusal:
        ask(world, resource, starts_on=someday(50), months=24)
    assert refusal.value.code == "after_available"
    assert ask(world, resource, starts_on=someday(50), months=6).state == "submitted"


def test_cap_on_open_requests_is_the_regions(world):
    RegionRule.objects.create(
        region=world.regions["440000"], key="cap.open_holds", value=1, source="Test decree", valid_from=someday(-1)
    )
    ask(world, make_resource(world.power))
    with pytest.raises(Refused, match="Test decree") as refusal:
        ask(world, make_resource(world.power))
    assert refusal.value.code == "cap"


def test_purpose_is_needed(world, tower):
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        ask(world, tower, purpose="  ")
    assert tower.pools.get().free == 3


@pytest.fixture
def line(world):
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    return make_line(demand_list, world.operator)


def test_line_becomes_requested_and_opens_again_when_nothing_comes_of_it(world, tower, line):
    from agreements import actions

    case = ask(world, tower, line=line)
    line.refresh_from_db()
    assert line.state == "requested"
    actions.withdraw(request=case, by=world.dave, membership=world.as_["dave"])
    line.refresh_from_db()
    assert line.state == "open"


def test_line_stays_requested_while_another_request_runs(world, tower, line):
    from agreements import actions

    first, _second = ask(world, tower, line=line), ask(world, make_resource(world.power), line=line)
    actions.withdraw(request=first, by=world.dave, membership=world.as_["dave"])
    line.refresh_from_db()
    assert line.state == "requested"


def test_line_of_another_applicant(world, tower, line):
    with pytest.raises(NotPermitted) as refusal:
        ask(world, tower, line=line, who="eve")
    assert refusal.value.code == "foreign_line"


def test_line_of_another_kind(world, line):
    with pytest.raises(Refused) as refusal:
        ask(world, make_resource(world.power, Kind.DUCT), line=line)
    assert refusal.value.code == "other_kind"


@pytest.mark.parametrize("state", ["notice", "closed"])
def test_line_of_a_list_not_in_force(world, tower, state):
    demand_list = make_list(world.bureau, state=state, submitted_by=world.carol, published_by=world.chen)
    with pytest.raises(Refused) as refusal:
        ask(world, tower, line=make_line(demand_list, world.operator))
    assert refusal.value.code == "list_not_in_force"


@pytest.mark.parametrize("state", ["fulfilled", "withdrawn"])
def test_line_that_is_done(world, tower, line, state):
    DemandLine.objects.filter(pk=line.pk).update(state=state)
    line.refresh_from_db()
    with pytest.raises(Refused) as refusal:
        ask(world, tower, line=line)
    assert refusal.value.code == "line_done"


def test_start_today_is_possible(world, tower):
    assert ask(world, tower, starts_on=timezone.localdate()).starts_on == timezone.localdate()


def test_period_ends_the_day_before_the_same_date(world, tower):
    case = ask(world, tower, starts_on=dt.date(2027, 1, 31), months=1)
    assert case.ends_on == dt.date(2027, 2, 27)


@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("UPDATE agreements_sharerequest SET requester_id = owner_id", "append-only"),
        ("UPDATE agreements_sharerequest SET months = 0", "request_months_in_range"),
        ("UPDATE agreements_sharerequest SET due_at = NULL", "request_open_has_clock"),
        ("UPDATE agreements_sharerequest SET state = 'refused', due_at = NULL, closed_at = now()", "has_reason"),
        ("UPDATE agreements_requestitem SET quantity = 0", "item_quantity_positive"),
    ],
)
def test_database_holds_what_a_request_is(world, tower, sql, constraint):
    ask(world, tower)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        connection.cursor().execute(sql)


def test_database_refuses_a_request_to_oneself(world, tower):
    case = ask(world, tower)
    case.pk, case.owner, case.idempotency_key = None, world.operator, uuid4()
    with pytest.raises(IntegrityError, match="request_not_to_oneself"), transaction.atomic():
        case.save(force_insert=True)


GUANGZHOU_TO_LANZHOU = Point(103.83, 36.06, srid=4326)


@pytest.mark.parametrize(
    ("place", "asked", "more", "sentence"),
    [
        (GUANGZHOU_TO_LANZHOU, {}, {}, r"1,\d{3}(\.\d)? km away, 500 m allowed"),
        (None, {"quantity": 2}, {}, "1 position.* in the request, 2 positions in the line"),
        (None, {"height_min_m": 36}, {}, "35 m, at least 36 m asked"),
        (None, {"height_max_m": 34}, {}, "35 m, at most 34 m asked"),
        (None, {"power_kw": 2}, {}, "not known of power free, 2 kW asked"),
        (None, {"needed_by": someday(10)}, {}, "20 days short"),
        (None, {"months": 60}, {"months": 59}, "days short"),
    ],
)
def test_a_line_takes_no_request_that_does_not_meet_it(world, place, asked, more, sentence):
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    line = make_line(demand_list, world.operator, **asked)
    line.refresh_from_db()
    with override("en"), pytest.raises(Refused, match=sentence) as refusal:
        ask(world, make_resource(world.power, place=place), line=line, **more)
    assert refusal.value.code == "misfit"
    line.refresh_from_db()
    assert (line.state, ShareRequest.objects.count()) == ("open", 0)


def test_a_line_with_a_cable_takes_no_request_for_bores_too_narrow_for_it(world):
    demand_list = make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    place = Point(113.33, 23.13, srid=4326)
    line = make_line(demand_list, world.operator, kind="duct", cable_mm=Decimal("25"), place=place)
    way = LineString(place.coords, (113.331, 23.13), srid=4326)
    ducts = [
        make_resource(world.power, "duct", place=way, pools=[{"unit": "bore", "bore_mm": inner, "total": 2}])
        for inner in (32, 40)
    ]
    with override("en"), pytest.raises(Refused, match="a cable of up to 23.2 mm, 25 mm asked"):
        ask(world, ducts[0], line=line)
    assert ask(world, ducts[1], line=line).line == line


@pytest.mark.parametrize(("metres", "fits"), [(850, True), (950, False)])
def test_a_cell_that_may_hold_a_fitting_place_passes(world, line, metres, fits):
    """As far from the cell's centre, which is all the applicant sees, as its corner and the line's reach of 100 m."""
    hidden = make_resource(world.power, disclosure="blurred")
    hidden.refresh_from_db()
    away = Point(
        hidden.shown_cell.x + metres / 111_320 / math.cos(math.radians(hidden.shown_cell.y)), hidden.shown_cell.y
    )
    DemandLine.objects.filter(pk=line.pk).update(place=Point(*away.coords, srid=4326), tolerance_m=100)
    line.refresh_from_db()
    if fits:
        assert ask(world, hidden, line=line).line == line
        return
    with pytest.raises(Refused) as refusal:
        ask(world, hidden, line=line)
    assert refusal.value.code == "misfit"


def test_what_is_shown_exactly_has_no_such_slack(world, line):
    open_one = make_resource(world.power, place=Point(line.place.x + 0.003, line.place.y, srid=4326))
    DemandLine.objects.filter(pk=line.pk).update(tolerance_m=100)
    line.refresh_from_db()
    with pytest.raises(Refused) as refusal:
        ask(world, open_one, line=line)
    assert refusal.value.code == "misfit"


def test_a_leg_of_a_route_found_for_the_line_keeps_it(world, line):
    from matching.models import MatchResult, MatchRun, Route

    far = make_resource(world.power, place=GUANGZHOU_TO_LANZHOU)
    run = MatchRun.objects.create(demand_list=line.demand_list, number=1, state="done")
    result = MatchResult.objects.create(run=run, line=line, verdict="met")
    path = LineString((113.3, 23.1), (113.4, 23.1), srid=4326)
    Route.objects.create(
        result=result, role="chosen", path=path, length_m=1, cost_fen_per_year=1, legs=[{"resource": far.pk}]
    )
    assert ask(world, far, line=line).line == line


def test_the_form_offers_lines_that_fit_nearest_first(client_as, world, tower, line):
    near = make_line(line.demand_list, world.operator, place=tower.place, title="Nearest")
    far = make_line(line.demand_list, world.operator, place=GUANGZHOU_TO_LANZHOU, title="Far away")
    page = client_as("dave").get(f"/requests/new/{tower.pk}/")
    choices = [value for value, _label in page.context["form"].fields["line"].choices]
    assert choices == ["", near.pk, line.pk]
    assert far.title not in page.content.decode()
