"""Two at once: two signatories, accepting against withdrawing, the last position asked for by many."""

import threading
from uuid import uuid4

import pytest
from django.db import connection, connections

from accounts.errors import Refused
from agreements import actions
from agreements.models import Agreement, ShareRequest, Signature
from listings.models import CapacityPool
from tests.world import make_resource

from .story import accept, agree, ask, offer, sign

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def at_once(*acts):
    """Runs the acts in threads that start together; gives what each returned or refused with."""
    results: list = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(i, act):
        try:
            start.wait(10)
            results[i] = act()
        except Refused as refusal:
            results[i] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i, act)) for i, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    connections.close_all()
    return results


def test_two_signatories_at_once_conclude_once(world):
    agreement = agree(world, make_resource(world.power))
    at_once(lambda: sign(world, agreement, "alice"), lambda: sign(world, agreement, "dora"))
    agreement.refresh_from_db()
    assert agreement.state == "signed"
    assert agreement.request.items.get().reservation.state == "confirmed"


def test_one_signatory_twice_at_once_signs_once(world):
    agreement = agree(world, make_resource(world.power))
    results = at_once(*[lambda: sign(world, agreement, "alice")] * 3)
    assert Signature.objects.count() == 1
    assert {r.pk for r in results} == {Signature.objects.get().pk}


def test_accepting_against_withdrawing_has_one_winner(world):
    case = ask(world, make_resource(world.power))
    offer(world, case)
    made = offer(world, case, who="dave", price_fen=5)
    at_once(
        lambda: accept(world, made, who="alice"),
        lambda: actions.withdraw(request=case, by=world.dave, membership=world.as_["dave"]),
    )
    case.refresh_from_db()
    state = Agreement.objects.values_list("state", flat=True).first()
    # Withdrawn first: no agreement. Accepted first: withdrawn after, while nobody has signed, and the agreement void.
    assert (case.state, state) in [("withdrawn", None), ("withdrawn", "void")]
    assert case.offers.filter(state="open").count() == 0
    assert CapacityPool.objects.get().taken == 0


def test_same_offer_sent_three_times_at_once_is_one(world):
    case = ask(world, make_resource(world.power))
    at_once(*[lambda: offer(world, case, answers=0)] * 3)
    assert case.offers.count() == 1


def test_accepted_three_times_at_once_is_one_agreement(world):
    made = offer(world, ask(world, make_resource(world.power)))
    results = at_once(*[lambda: accept(world, made)] * 3)
    assert {r.pk for r in results} == {Agreement.objects.get().pk}


def test_last_position_goes_to_one(world):
    tower = make_resource(world.power, pools=[{"unit": "position", "label": "P1", "total": 1}])
    at_once(*[lambda who=who: ask(world, tower, who=who) for who in ("dave", "eve", "dave", "eve")])
    assert ShareRequest.objects.count() == 1
    assert CapacityPool.objects.get().free == 0


def test_same_key_at_once_is_one_request(world):
    tower, key = make_resource(world.power), uuid4()
    results = at_once(*[lambda: ask(world, tower, key=key)] * 4)
    assert {r.pk for r in results} == {ShareRequest.objects.get().pk}


def test_control_without_the_row_lock_offers_collide(world, monkeypatch):
    """The failing control: with the request's lock taken out, the race of offers must show itself."""
    import time

    from django.db import IntegrityError
    from django.db.models import QuerySet

    from agreements.models import Offer

    case = ask(world, make_resource(world.power))
    original = Offer.save

    def slow_save(self, *args, **kwargs):
        time.sleep(0.1)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *args, **kwargs: self)
    monkeypatch.setattr(Offer, "save", slow_save)
    collisions = []

    def attempt():
        try:
            return offer(world, case, answers=0)
        except IntegrityError as error:
            collisions.append(str(error))

    at_once(*[attempt] * 3)
    assert any("offer_number_once" in error or "offer_one_open" in error for error in collisions)
