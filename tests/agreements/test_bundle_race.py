"""Two legs moved at the same time, and what happens where the joint request's row is not locked."""

import contextlib

import pytest

from agreements import actions
from agreements.actions import holds
from agreements.actions import legs as leg_actions
from agreements.models import Bundle, CaseStep, ShareRequest
from tests.world import make_resource

from .story import accept, offer
from .test_bundle import fresh, refuse, together
from .test_race import at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def offered(world):
    towers = [make_resource(world.power, name="Pearl tower"), make_resource(world.evil, name="Lotus tower")]
    first, second = together(world, towers)
    return first, second, offer(world, first), offer(world, second, who="eve")


def test_the_last_two_legs_accepted_at_once_open_signing_once(world):
    first, second, one, two = offered(world)
    at_once(lambda: accept(world, one), lambda: accept(world, two))
    assert {fresh(first).state, fresh(second).state} == {"agreed"}
    assert CaseStep.objects.filter(verb="open_signing").count() == 2  # one for each leg


def test_control_without_the_lock_nobody_opens_signing(world, monkeypatch):
    """Both see the other leg as not accepted yet: the case would wait for ever."""
    first, second, one, two = offered(world)
    unlocked = type(
        "Unlocked", (), {"objects": type("Rows", (), {"select_for_update": lambda *a, **b: Bundle.objects})}
    )
    monkeypatch.setattr(holds, "Bundle", unlocked)
    monkeypatch.setattr(leg_actions, "lock_bundle", lambda pk: Bundle.objects.select_related("requester").get(pk=pk))
    import threading

    from agreements.actions import offers

    both, plain = threading.Barrier(2), offers.leg_accepted

    def met(request):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(5)
        plain(request)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(5)

    monkeypatch.setattr(offers, "leg_accepted", met)
    at_once(lambda: accept(world, one), lambda: accept(world, two))
    assert {fresh(first).state, fresh(second).state} == {"agreed"}
    assert CaseStep.objects.filter(verb="open_signing").count() == 0


def test_accepted_and_refused_at_once_leaves_the_applicant_asked(world):
    first, second, one, _two = offered(world)
    at_once(lambda: accept(world, one), lambda: refuse(world, second))
    assert (fresh(first).state, fresh(second).state) == ("agreed", "refused")
    assert fresh(first.bundle).decide_by is not None
    assert not CaseStep.objects.filter(verb="open_signing").exists()


def test_withdrawn_as_a_whole_and_accepted_at_once_holds_nothing(world):
    first, _second, one, _two = offered(world)
    at_once(
        lambda: accept(world, one),
        lambda: actions.withdraw_together(bundle=first.bundle, by=world.dave, membership=world.as_["dave"]),
    )
    assert not ShareRequest.objects.open().exists()
    assert fresh(first.bundle).closed_at is not None
