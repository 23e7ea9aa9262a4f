"""Joint requests of several owners: all held or none, all or nothing, in parts, replaced, withdrawn."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from agreements import actions, states
from agreements.models import Agreement, Bundle, ShareRequest, Signature
from listings.models import Reservation
from messaging.models import Notification
from tests import world as make

from .story import accept, offer, run_out, sign, someday

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def towers(world):
    """One of Alice's, one of Eve's."""
    return [make.make_resource(world.power, name="Pearl tower"), make.make_resource(world.evil, name="Lotus tower")]


def together(world, resources, mode="whole", **more):
    fields = {
        "quantities": {pool.pk: Decimal(1) for resource in resources for pool in resource.pools.order_by("pk")},
        "starts_on": someday(), "months": 24, "purpose": "A ring", "key": uuid.uuid4(), **more,
    }  # fmt: skip
    who = fields.pop("who", "dave")
    return actions.request_together(
        by=world.user(who), membership=world.as_[who], resources=resources, mode=mode, **fields
    )


def owner_of(world, leg) -> str:
    return "alice" if leg.owner_id == world.power.pk else "eve"


def agree_leg(world, leg) -> Agreement:
    return accept(world, offer(world, leg, who=owner_of(world, leg)))


def refuse(world, leg):
    who = owner_of(world, leg)
    return actions.refuse(
        request=leg, by=world.user(who), membership=world.as_[who], code="safety", note="It does not bear it."
    )


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def as_dave(world):
    return {"by": world.dave, "membership": world.as_["dave"]}


def test_a_leg_per_owner_all_held_or_none_and_the_same_key_makes_none(world, towers, monkeypatch):
    key = uuid.uuid4()
    legs = together(world, towers, key=key)
    bundle = legs[0].bundle
    assert [leg.owner for leg in legs] == [world.power, world.evil]
    assert {leg.bundle for leg in legs} == {bundle}
    assert (bundle.mode, bundle.requester) == ("whole", world.operator)
    assert Reservation.objects.active().count() == 2
    assert together(world, towers, key=key) == legs
    Bundle.objects.get()
    too_much = {pool.pk: Decimal(999 if i else 1) for i, t in enumerate(towers) for pool in t.pools.all()}
    with pytest.raises(Refused, match="Lotus tower"):
        together(world, towers, quantities=too_much)
    with pytest.raises(NotPermitted):
        together(world, towers, who="dora")
    monkeypatch.setattr("agreements.actions.bundles.LEGS_MAX", 1)
    with pytest.raises(Refused) as many:
        together(world, towers, mode="parts")
    assert many.value.code == "too_many"
    assert (Bundle.objects.count(), Reservation.objects.active().count()) == (1, 2)


def test_all_or_nothing_is_signed_when_all_are_accepted_and_takes_effect_together(world, towers):
    first, second = together(world, towers)
    one = agree_leg(world, first)
    with pytest.raises(Refused, match="1 of 2") as early:
        sign(world, one, "alice")
    assert early.value.code == "legs"
    assert states.waiting_for(fresh(first)) == set()
    two = agree_leg(world, second)
    assert fresh(first).steps.filter(verb="open_signing").count() == 1
    for agreement, who in ((one, "alice"), (one, "dora"), (two, "dora")):
        sign(world, agreement, who)
    assert (fresh(one).state, fresh(first).state) == ("signing", "agreed")  # signed by both, and waits
    sign(world, two, "eve")
    assert {fresh(one).state, fresh(two).state} == {"signed"}
    assert {fresh(first).state, fresh(second).state} == {"signed"}
    assert Reservation.objects.filter(state="confirmed").count() == 2


def test_the_clock_of_signing_does_not_end_a_leg_that_waits_for_others(world, towers):
    first, second = together(world, towers)
    agree_leg(world, first)
    run_out(first)
    assert actions.expire_due() == 1
    waiting = fresh(first)
    assert (waiting.state, waiting.due_at > timezone.now()) == ("agreed", True)
    assert waiting.steps.filter(verb="await_legs").count() == 1
    agree_leg(world, second)
    run_out(first)
    actions.expire_due()
    assert fresh(first).state == "expired"  # all accepted, and nobody signed: now it ends, and the applicant is asked
    assert fresh(second.bundle).decide_by is not None


def test_a_failed_leg_asks_the_applicant_with_a_clock_and_all_owners_hear_no_more_than_that(world, towers):
    first, second = together(world, towers)
    refuse(world, first)
    bundle = fresh(first.bundle)
    assert bundle.decide_by == deadline_for("clock.legs", "440106")
    told = Notification.objects.filter(code="notice.bundle.leg_failed").order_by("pk")
    assert {row.user.name for row in told} == {"Dave", "Dora", "Eve"}
    assert all(row.payload == {"bundle": bundle.code} for row in told)
    assert fresh(second).is_open
    assert actions.warn_undecided(now=bundle.decide_by - dt.timedelta(hours=1)) == 1
    assert actions.warn_undecided(now=bundle.decide_by - dt.timedelta(hours=1)) == 0
    assert actions.lapse_undecided() == 0
    assert actions.lapse_undecided(now=bundle.decide_by) == 1
    assert actions.lapse_undecided(now=bundle.decide_by) == 0
    bundle = fresh(bundle)
    assert (bundle.decide_by, bundle.closed_at is not None, fresh(second).state) == (None, True, "withdrawn")
    assert not Reservation.objects.active().exists()
    with pytest.raises(Refused, match="withdrawn as a whole"):
        actions.go_on_partly(bundle=bundle, **as_dave(world))


def test_going_on_in_parts_is_for_good_and_lets_each_take_effect(world, towers):
    first, second = together(world, towers)
    one = agree_leg(world, first)
    refuse(world, second)
    for who in ("dora", "eve"):
        with pytest.raises(NotPermitted):
            actions.go_on_partly(bundle=first.bundle, by=world.user(who), membership=world.as_[who])
    actions.go_on_partly(bundle=first.bundle, **as_dave(world))
    bundle = actions.go_on_partly(bundle=first.bundle, **as_dave(world))  # twice is once
    assert (bundle.mode, bundle.decide_by) == ("parts", None)
    assert Event.objects.filter(verb="bundle.partly").count() == 1
    sign(world, one, "alice")
    sign(world, one, "dora")
    assert fresh(first).state == "signed"
    with pytest.raises(IntegrityError), transaction.atomic():
        Bundle.objects.filter(pk=bundle.pk).update(mode="whole")


def test_what_both_signed_takes_effect_when_the_rest_is_given_up(world, towers):
    first, second = together(world, towers)
    one = agree_leg(world, first)
    agree_leg(world, second)
    sign(world, one, "alice")
    sign(world, one, "dora")
    refuse(world, second)
    run_out(first)
    actions.expire_due()
    assert fresh(first).state == "agreed"
    actions.go_on_partly(bundle=first.bundle, **as_dave(world))
    assert (fresh(first).state, fresh(one).state) == ("signed", "signed")


def test_a_failed_leg_is_replaced_once_by_one_of_its_kind(world, towers):
    first, second = together(world, towers)
    one = agree_leg(world, first)
    spare = make.make_resource(world.evil, name="Spare tower")
    room = make.make_resource(world.evil, "room")

    def replace(resource, leg=second):
        return actions.replace_leg(
            leg=fresh(leg), resource=resource, quantities={pool.pk: Decimal(1) for pool in resource.pools.all()},
            starts_on=someday(), months=24, purpose="A ring", key=uuid.uuid4(), **as_dave(world),
        )  # fmt: skip

    for resource, code in ((spare, "not_failed"),):
        with pytest.raises(Refused) as refusal:
            replace(resource)
        assert refusal.value.code == code
    refuse(world, second)
    with pytest.raises(Refused) as refusal:
        replace(room)
    assert refusal.value.code == "other_kind"
    new = replace(spare)
    assert (new.replaces, new.bundle, fresh(new.bundle).decide_by) == (second, first.bundle, None)
    with pytest.raises(Refused) as refusal:
        replace(spare)
    assert refusal.value.code == "replaced"
    with pytest.raises(Refused) as refusal:
        actions.take_step(request=fresh(second), verb="contest", note="No.", **as_dave(world))
    assert refusal.value.code == "leg_replaced"
    two = agree_leg(world, new)
    for agreement, who in ((one, "alice"), (one, "dora"), (two, "eve"), (two, "dora")):
        sign(world, agreement, who)
    assert {fresh(first).state, fresh(new).state} == {"signed"}


def test_a_contested_refusal_stops_the_clock(world, towers):
    first, _second = together(world, towers)
    refuse(world, first)
    actions.take_step(request=fresh(first), verb="contest", note="It bears it.", **as_dave(world))
    assert fresh(first.bundle).decide_by is None


def test_in_parts_a_refusal_leaves_the_others_alone(world, towers):
    first, second = together(world, towers, mode="parts")
    refuse(world, first)
    assert fresh(first.bundle).decide_by is None
    two = agree_leg(world, second)
    sign(world, two, "eve")
    sign(world, two, "dora")
    assert fresh(second).state == "signed"


def test_withdrawing_the_whole_frees_everything_unless_one_is_bound(world, towers):
    first, second = together(world, towers)
    with pytest.raises(NotPermitted):
        actions.withdraw_together(bundle=first.bundle, by=world.alice, membership=world.as_["alice"])
    one = agree_leg(world, first)
    agree_leg(world, second)
    sign(world, one, "dora")
    with pytest.raises(Refused) as bound:
        actions.withdraw_together(bundle=first.bundle, **as_dave(world))
    assert bound.value.code == "signed"
    refuse(world, second)  # an owner left: nothing binds the applicant to half of it
    actions.withdraw_together(bundle=first.bundle, note="Another way.", **as_dave(world))
    actions.withdraw_together(bundle=first.bundle, **as_dave(world))
    assert fresh(first).state == "withdrawn"
    assert not Reservation.objects.active().exists()
    assert Event.objects.filter(verb="bundle.withdraw").count() == 1


def test_the_database_keeps_all_or_nothing(world, towers):
    first, second = together(world, towers)
    one = agree_leg(world, first)
    row = {"agreement": one, "organisation": world.power, "user": world.alice, "signer_name": "A",
           "terms_sha256": one.terms_sha256}  # fmt: skip
    with pytest.raises(IntegrityError, match="signature_waits_for_legs"), transaction.atomic():
        Signature.objects.create(**row)
    with pytest.raises(IntegrityError, match="bundle_is_whole"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agreements_agreement SET state = 'signed', signed_at = now() WHERE id = %s; "
            "SET CONSTRAINTS ALL IMMEDIATE",
            [one.pk],
        )
    with pytest.raises(IntegrityError, match="leg_fits"), transaction.atomic():
        ShareRequest.objects.filter(pk=second.pk).update(bundle=None)
    with pytest.raises(IntegrityError, match="bundle_decides_while_whole"), transaction.atomic():
        Bundle.objects.filter(pk=first.bundle_id).update(mode="parts", decide_by=timezone.now())
    other = Bundle.objects.create(requester=world.evil, purpose="x", created_by=world.eve)
    columns = ", ".join(f.column for f in ShareRequest._meta.local_fields if f.column not in ("id", "bundle_id"))
    values = columns.replace("idempotency_key", "gen_random_uuid()")
    with pytest.raises(IntegrityError, match="leg_fits"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO agreements_sharerequest (bundle_id, {columns}) "
            f"SELECT %s, {values} FROM agreements_sharerequest WHERE id = %s",
            [other.pk, second.pk],
        )
