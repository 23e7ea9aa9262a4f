"""A key of a form cannot be made to stand for another hold, and nobody signs for what is not kept."""

from uuid import uuid4, uuid5

import pytest

from accounts.errors import Refused
from agreements import actions
from agreements.actions import holds
from agreements.keys import attempt_key
from agreements.models import Agreement
from listings.models import Reservation
from tests.world import make_resource

from .story import accept, ask, offer, sign

pytestmark = pytest.mark.django_db


def test_a_key_foreseen_and_used_elsewhere_leaves_the_hold_alone(world):
    """The hold an acceptance makes once stood under a key the applicant could post with a request of its own before."""
    tower, decoy = make_resource(world.power, name="Tower"), make_resource(world.power, name="Decoy")
    key = uuid4()
    one = ask(world, tower, 3, key=key)
    for foreseen in (uuid5(key, "accept"), uuid5(key, "offer 1")):
        two = ask(world, decoy, 1, key=foreseen)
        actions.withdraw(request=two, by=world.dave, membership=world.as_["dave"])
    agreement = accept(world, offer(world, one))
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    assert Reservation.objects.get(pool=tower.pools.get(), state="confirmed").quantity == 3
    with pytest.raises(Refused) as refusal:
        ask(world, tower, 1, who="eve")
    assert refusal.value.code in ("no_space", "queue")


def test_a_key_that_held_something_else_is_refused(world):
    tower, decoy = make_resource(world.power, name="Tower"), make_resource(world.power, name="Decoy")
    one = ask(world, tower, 2)
    Reservation.objects.filter(pool=tower.pools.get()).update(idempotency_key=attempt_key("request", one.pk, "accept"))
    made = offer(world, one)
    Reservation.objects.filter(idempotency_key=attempt_key("request", one.pk, "accept")).update(
        quantity=1
    )  # as if another hold stood under it
    assert decoy.pools.get().free == 3
    with pytest.raises(Refused) as refusal:
        accept(world, made)
    assert refusal.value.code == "other_key"


def test_nobody_signs_for_what_is_not_kept(world, monkeypatch):
    request = ask(world, make_resource(world.power), 2)
    agreement = accept(world, offer(world, request))
    sign(world, agreement, "alice")
    Reservation.objects.update(state="released")
    with pytest.raises(Refused) as refusal:
        sign(world, agreement, "dora")
    assert refusal.value.code == "not_kept"
    assert Agreement.objects.get().state == "signing"
    monkeypatch.setattr("agreements.actions.signing.require_kept", lambda *args: None)  # the control
    sign(world, agreement, "dora")
    assert Agreement.objects.get().state == "signed"


def test_keys_differ_by_case_and_attempt_and_stay_the_same():
    assert attempt_key("request", 1, "accept") == attempt_key("request", 1, "accept")
    assert (
        len({attempt_key("request", 1, "accept"), attempt_key("request", 11, "accept"), attempt_key("queue", 1)}) == 3
    )
    assert holds.attempt_key is attempt_key
