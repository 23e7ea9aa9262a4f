"""Two at once: two signatories, accepting against withdrawing, the last position asked for by many."""

import threading
from uuid import uuid4

import pytest
from django.db import connection, connections

from accounts.errors import Refused
from accounts.models import Event
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


def test_both_sides_accepting_the_open_offer_at_once_is_one_agreement_by_the_side_asked(world):
    made = offer(world, ask(world, make_resource(world.power)))
    owner, applicant = at_once(lambda: accept(world, made, who="alice"), lambda: accept(world, made, who="dave"))
    assert isinstance(owner, Refused)  # nobody accepts their own offer, whoever comes first
    assert applicant.pk == Agreement.objects.get().pk
    assert CapacityPool.objects.get().taken == 1


def test_accepting_against_a_counter_offer_has_one_outcome(world):
    case = ask(world, make_resource(world.power))
    made = offer(world, case)
    accepted, countered = at_once(
        lambda: accept(world, made), lambda: offer(world, case, who="dave", price_fen=5, answers=1)
    )
    case.refresh_from_db()
    assert isinstance(accepted, Refused) != isinstance(countered, Refused)
    open_offers = case.offers.filter(state="open").count()
    expected = ("negotiating", 1, 0) if isinstance(accepted, Refused) else ("agreed", 0, 1)
    assert (case.state, open_offers, Agreement.objects.count()) == expected
    assert CapacityPool.objects.get().taken == 1


def test_signing_on_both_sides_many_times_at_once_concludes_once(world):
    agreement = agree(world, make_resource(world.power))
    at_once(*[lambda who=who: sign(world, agreement, who) for who in ("alice", "dora") * 3])
    agreement.refresh_from_db()
    assert (agreement.state, agreement.signatures.count()) == ("signed", 2)
    assert Event.objects.filter(verb="agreement.conclude").count() == 1
    assert CapacityPool.objects.get().taken == 1


def test_signing_against_refusing_has_one_winner(world):
    """The owner refuses while the applicant signs: either may stand, never a void one that is signed."""
    agreement = agree(world, make_resource(world.power))
    case = agreement.request
    at_once(
        lambda: sign(world, agreement, "dora"),
        lambda: actions.refuse(request=case, by=world.alice, membership=world.as_["alice"], code="safety"),
    )
    agreement.refresh_from_db()
    case.refresh_from_db()
    assert (case.state, agreement.state) in [("refused", "void"), ("agreed", "signing")]
    assert CapacityPool.objects.get().taken == (0 if case.state == "refused" else 1)


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
    assert collisions  # stopped by a rule of the database, whichever comes first: one clock, one open offer, one number
