"""Publish, suspend, resume, retire, delete: happy, refused, and in bulk."""

import pytest
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings.actions import capacity, lifecycle
from listings.models import Resource
from listings.permissions import acts_on
from listings.states import TRANSITIONS, State, why_not_from
from tests import world as make
from tests.listings.supply import hold, save

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def act(verb, resource, membership):
    return getattr(lifecycle, verb)(resource=resource, by=membership.user, membership=membership)


def test_a_draft_goes_the_whole_way_each_step_recorded(world):
    bob = world.as_["bob"]
    resource = save(bob)
    for verb, state in [
        ("publish", "published"),
        ("suspend", "suspended"),
        ("resume", "published"),
        ("retire", "retired"),
    ]:
        resource = act(verb, resource, bob)
        assert Resource.objects.get(pk=resource.pk).state == state
    assert resource.published_at
    steps = Event.objects.filter(verb__in=[f"resource.{v}" for v in TRANSITIONS]).order_by("pk")
    assert [(e.verb, e.before["state"], e.after["state"]) for e in steps] == [
        ("resource.publish", "draft", "published"),
        ("resource.suspend", "published", "suspended"),
        ("resource.resume", "suspended", "published"),
        ("resource.retire", "published", "retired"),
    ]


@pytest.mark.parametrize("state", [s.value for s in State])
@pytest.mark.parametrize("verb", list(TRANSITIONS))
def test_every_act_is_refused_from_every_other_state_with_a_sentence(world, verb, state):
    resource = save(world.as_["bob"])
    Resource.objects.update(state=state)
    if state in TRANSITIONS[verb].sources:
        act(verb, resource, world.as_["bob"])
        assert Resource.objects.get().state == TRANSITIONS[verb].target
    else:
        with pytest.raises(Refused, match="only .* resources can do this"):
            act(verb, resource, world.as_["bob"])
        assert Resource.objects.get().state == state
        assert why_not_from(verb, state)


@pytest.mark.parametrize("verb", list(TRANSITIONS))
@pytest.mark.parametrize("name", ["vera", "dave", "carol"])
def test_only_the_owner_s_editors_act(world, verb, name):
    resource = make.make_resource(world.power, state=TRANSITIONS[verb].sources[0])
    with pytest.raises(NotPermitted):
        act(verb, resource, world.as_[name])


def test_an_unverified_organisation_prepares_and_does_not_publish(world):
    resource = save(world.as_["uma"])
    with pytest.raises(Refused, match="not verified"):
        act("publish", resource, world.as_["uma"])
    with pytest.raises(Refused, match="not verified"):
        lifecycle.publish_many(resources=[resource], by=world.uma, membership=world.as_["uma"])
    (button,) = acts_on(resource, world.as_["uma"])
    assert button.verb == "publish"
    assert "not verified" in button.why_not  # the button asks what the action asks


def test_nothing_is_published_that_has_no_capacity(world):
    resource = save(world.as_["bob"], pools=[])
    with pytest.raises(Refused, match="no capacity"):
        act("publish", resource, world.as_["bob"])


def test_retiring_waits_for_reservations_and_not_for_holds_that_ran_out(world):
    bob = world.as_["bob"]
    resource = act("publish", save(bob), bob)
    reservation = hold(resource.pools.get(), world.operator, 1)
    with pytest.raises(Refused, match="1 reservation still counts"):
        act("retire", resource, bob)
    capacity.release(reservations=[reservation], by=None)
    hold(resource.pools.get(), world.operator, 1, minutes=-5)
    assert act("retire", resource, bob).state == "retired"


def test_bulk_publishes_what_can_be_and_says_why_the_rest_was_left(world):
    bob = world.as_["bob"]
    ready = [save(bob, owner_code=f"A-{i}") for i in range(3)]
    empty = save(bob, owner_code="E", pools=[])
    published = make.make_resource(world.power)
    foreign = make.make_resource(world.evil, state="draft")
    bulk = lifecycle.publish_many(resources=[*ready, empty, published, foreign], by=world.bob, membership=bob)

    assert bulk.done == 3
    assert sorted(bulk.left.values()) == [1, 1]
    assert any("no capacity" in why for why in bulk.left)
    assert Resource.objects.get(pk=foreign.pk).state == "draft"
    assert Event.objects.filter(verb="resource.publish", actor=world.bob).count() == 3
    assert all(r.published_at for r in Resource.objects.filter(pk__in=[r.pk for r in ready]))

    assert lifecycle.suspend_many(resources=ready, by=world.bob, membership=bob).done == 3


def test_bulk_costs_the_same_number_of_queries_however_many(world, django_assert_max_num_queries):
    bob = world.as_["bob"]
    rows = [make.make_resource(world.power, state="draft") for _ in range(30)]
    with django_assert_max_num_queries(12):
        assert lifecycle.publish_many(resources=rows, by=world.bob, membership=bob).done == 30


def test_a_draft_is_deleted_and_the_event_remembers_it(world):
    resource = save(world.as_["bob"])
    lifecycle.delete_draft(resource=resource, by=world.bob, membership=world.as_["bob"])
    assert not Resource.objects.exists()
    assert Event.objects.get(verb="resource.delete").before["owner_code"] == "A-1"


def test_what_was_published_is_retired_and_not_deleted(world):
    resource = make.make_resource(world.power)
    with pytest.raises(Refused, match="Only a draft"):
        lifecycle.delete_draft(resource=resource, by=world.bob, membership=world.as_["bob"])
    with pytest.raises(NotPermitted):
        lifecycle.delete_draft(resource=resource, by=world.eve, membership=world.as_["eve"])


def test_a_draft_reserved_before_stays(world):
    resource = make.make_resource(world.power, state="draft")
    hold(resource.pools.get(), world.operator, 1, starts_on=timezone.localdate())
    with pytest.raises(Refused, match="reserved before"):
        lifecycle.delete_draft(resource=resource, by=world.bob, membership=world.as_["bob"])
