"""Offer and counter-offer: by turns, version by version, never more than is held."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from agreements.models import Offer
from messaging.actions import thread_about
from messaging.wording import words
from tests.world import make_resource

from .story import accept, ask, offer, someday


def test_first_offer_is_the_owners_and_prolongs_the_hold(world, tower):
    case = ask(world, tower, 2)
    before = case.items.get().reservation.expires_at
    made = offer(world, case)
    case.refresh_from_db()
    assert (made.number, case.state) == (1, "negotiating")
    assert made.valid_until == case.due_at == deadline_for("clock.offer_validity", "440106")
    assert case.items.get().reservation.expires_at == max(before, case.due_at)
    event = thread_about(case).messages.last()
    assert "¥12,000.00" in words(event.event_code, event.payload)
    assert Event.objects.about(made).get().after["price_fen_per_year"] == 1_200_000


def test_counter_offer_takes_the_place_of_the_open_one(world, tower):
    case = ask(world, tower)
    first = offer(world, case)
    second = offer(world, case, who="dave", price_fen=900_000)
    first.refresh_from_db()
    assert (first.state, first.answered_by, second.number, second.state) == ("countered", world.dave, 2, "open")


@pytest.mark.parametrize(("who", "error"), [("dave", NotPermitted), ("bob", NotPermitted), ("eve", NotPermitted)])
def test_who_does_not_make_the_first_offer(world, tower, who, error):
    with pytest.raises(error):
        offer(world, ask(world, tower), who=who)


def test_one_side_does_not_answer_itself(world, tower):
    case = ask(world, tower)
    offer(world, case)
    with pytest.raises(Refused, match="other side answers") as refusal:
        offer(world, case, price_fen=1)
    assert refusal.value.code == "not_your_turn"


def test_same_offer_sent_twice_is_one(world, tower):
    case = ask(world, tower)
    first, second = offer(world, case, answers=0), offer(world, case, answers=0)
    assert first == second
    assert Offer.objects.count() == 1


def test_answer_to_an_older_offer_is_stale(world, tower):
    case = ask(world, tower)
    offer(world, case)
    with pytest.raises(Refused) as refusal:
        offer(world, case, who="dave", answers=0, price_fen=5)
    assert refusal.value.code == "stale"


def test_same_terms_are_to_be_accepted_not_offered_back(world, tower):
    case = ask(world, tower)
    offer(world, case)
    with pytest.raises(Refused, match="accept it") as refusal:
        offer(world, case, who="dave")
    assert refusal.value.code == "same_terms"


def test_not_more_than_is_held(world, tower):
    case = ask(world, tower, 1)
    with pytest.raises(Refused, match=r"2 .* named, 1 .* held") as refusal:
        offer(world, case, quantities={tower.pools.get().pk: Decimal(2)})
    assert refusal.value.code == "over_hold"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"price_fen": -1}, "price"),
        ({"price_fen": 10**14}, "price"),
        ({"starts_on": someday(-1)}, "past"),
        ({"months": 0}, "months"),
    ],
)
def test_impossible_terms(world, tower, terms, code):
    with pytest.raises(Refused) as refusal:
        offer(world, ask(world, tower), **terms)
    assert refusal.value.code == code


def test_free_opening_is_normal(world, tower):
    assert offer(world, ask(world, tower), price_fen=0).price_fen_per_year == 0


def test_earlier_and_longer_period_moves_the_hold_with_it(world, tower):
    case = ask(world, tower)
    made = offer(world, case, starts_on=someday(10), months=36)
    hold = case.items.get().reservation
    assert hold.starts_on == someday(10)
    assert hold.ends_on >= made.ends_on
    assert hold.state == "held"
    assert tower.pools.get().free == 2


def test_period_others_have_taken_cannot_be_offered(world):
    tower = make_resource(world.power, pools=[{"unit": "position", "label": "P1", "total": 1}])
    ask(world, tower, starts_on=someday(400), months=12, who="eve")
    case = ask(world, tower, starts_on=someday(10), months=6)
    with pytest.raises(Refused) as refusal:
        offer(world, case, months=24)
    assert refusal.value.code == "no_space"
    assert case.items.get().reservation.state == "held"


def test_accepting_freezes_the_terms_and_cuts_the_hold_to_them(world, tower):
    case = ask(world, tower, 3)
    made = offer(world, case, quantities={tower.pools.get().pk: Decimal(2)}, months=12)
    agreement = accept(world, made)
    case.refresh_from_db()
    made.refresh_from_db()
    hold = case.items.get().reservation
    assert (case.state, made.state, agreement.state) == ("agreed", "accepted", "signing")
    assert (hold.quantity, hold.ends_on, hold.expires_at) == (2, made.ends_on, case.due_at)
    assert case.due_at == deadline_for("clock.signing", "440106")
    assert tower.pools.get().free == 1


def test_accepting_twice_gives_one_agreement(world, tower):
    made = offer(world, ask(world, tower))
    assert accept(world, made) == accept(world, made)


@pytest.mark.parametrize("who", ["alice", "dora", "eve", "carol"])
def test_who_does_not_accept(world, tower, who):
    made = offer(world, ask(world, tower))
    with pytest.raises(Refused):
        accept(world, made, who=who)


def test_countered_offer_cannot_be_accepted_any_more(world, tower):
    case = ask(world, tower)
    first = offer(world, case)
    offer(world, case, who="dave", price_fen=1)
    offer(world, case, price_fen=2)
    with pytest.raises(Refused) as refusal:
        accept(world, first)
    assert refusal.value.code == "stale"


def test_room_offer_keeps_both_units(world, room):
    case = ask(world, room, 2)
    power = room.pools.get(unit="kw")
    quantities = {item.pool_id: item.quantity for item in case.items.order_by("pk")} | {power.pk: Decimal(0)}
    with pytest.raises(Refused) as refusal:
        offer(world, case, quantities=quantities)
    assert refusal.value.code == "power_missing"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE agreements_offer SET price_fen_per_year = 1", "append-only"),
        ("UPDATE agreements_offer SET quantities = '{}'", "append-only"),
        ("UPDATE agreements_offer SET state = 'open' WHERE number = 1", "append-only"),
        ("DELETE FROM agreements_offer", "append-only"),
    ],
)
def test_database_keeps_offers_as_made(world, tower, sql, message):
    case = ask(world, tower)
    offer(world, case)
    offer(world, case, who="dave", price_fen=5)
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        connection.cursor().execute(sql)


def test_database_allows_one_open_offer_and_parties_alone(world, tower):
    case = ask(world, tower)
    made = offer(world, case)
    made.pk, made.number = None, 2
    with pytest.raises(IntegrityError, match="offer_one_open"), transaction.atomic():
        made.save(force_insert=True)
    made.pk, made.number, made.state, made.organisation = None, 3, "lapsed", world.evil
    with pytest.raises(IntegrityError, match="two parties"), transaction.atomic():
        made.save(force_insert=True)
