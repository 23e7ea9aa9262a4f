"""The queue behind a full resource: joining, the order, offers and their clock, taking up, leaving; and the race."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import RegionRule
from accounts.work import items_for
from agreements import actions
from agreements.actions import queue_offers
from agreements.models import QueuePlace, ShareRequest
from agreements.sweeps import serve_queues
from listings.actions import capacity
from listings.models import CapacityPool, Reservation
from messaging.models import Notification
from tests.listings.supply import hold
from tests.world import make_organisation, make_resource, make_user

from .story import ask, someday, zh
from .test_race import at_once


@pytest.fixture
def full(world):
    """A tower whose three positions Eve's company holds; gives (tower, reservation)."""
    tower = make_resource(world.power, name="Full tower")
    return tower, hold(tower.pools.get(), world.evil, 3, minutes=60 * 24 * 90)


def join(world, resource, units=1, who="dave", **more) -> QueuePlace:
    pools = {pool.pk: Decimal(units) for pool in resource.pools.order_by("pk")}
    fields = {"quantities": pools, "starts_on": someday(), "months": 24, "purpose": "5G", "key": uuid4(), **more}
    return actions.join_queue(by=world.user(who), membership=world.as_[who], resource=resource, **fields)


def third(world, name="Third"):
    """Another verified operator with a negotiator; gives the name under which the world knows her."""
    organisation = make_organisation(f"{name} Telecom")
    user = make_user(name.lower(), organisation, "admin", "negotiator")
    world.users[name.lower()] = user
    world.as_[name.lower()] = user.memberships.get()
    return name.lower()


def fresh(place):
    return QueuePlace.objects.with_position().get(pk=place.pk)


def free(reservation):
    capacity.release(reservations=[reservation], by=None)


@pytest.mark.django_db
class TestInOrder:
    def test_a_place_is_kept_and_the_owner_is_told(self, world, full):
        key = uuid4()
        place = join(world, full[0], key=key)
        assert join(world, full[0], key=key) == place
        assert (fresh(place).state, fresh(place).position) == ("waiting", 1)
        assert Notification.objects.filter(code="notice.queue.join", user=world.alice).count() == 1

    def test_released_units_are_offered_to_the_first_and_kept_for_a_while(self, world, full):
        first, second = join(world, full[0]), join(world, full[0], who=third(world))
        assert serve_queues() == 0
        capacity.release(reservations=[full[1]], by=None)
        hold(full[0].pools.get(), world.evil, 2)
        assert (serve_queues(), serve_queues()) == (1, 0)
        assert [fresh(p).state for p in (first, second)] == ["offered", "waiting"]
        assert fresh(second).position == 2
        kept = Reservation.objects.get(idempotency_key=first.hold_key)
        assert (kept.state, kept.organisation) == ("held", world.operator)
        assert Notification.objects.filter(code="notice.queue.offer", user=world.dave).count() == 1

    def test_a_large_need_is_not_starved_by_those_behind(self, world, full):
        first, second = join(world, full[0], 3), join(world, full[0], 1, who=third(world))
        free(full[1])
        hold(full[0].pools.get(), world.evil, 1)
        assert serve_queues() == 0
        with pytest.raises(Refused, match="waits? in the queue") as refusal:
            ask(world, full[0], who="eve")  # nor by somebody who comes by
        assert refusal.value.code == "queue"
        assert {fresh(first).state, fresh(second).state} == {"waiting"}

    def test_who_waits_for_other_pools_is_not_in_the_way(self, world):
        tower = make_resource(
            world.power, pools=[{"unit": "position", "label": label, "total": 1} for label in ("P1", "P2")]
        )
        low, high = tower.pools.order_by("label")
        hold(low, world.evil, 1)
        other = hold(high, world.evil, 1)
        join(world, tower, quantities={low.pk: Decimal(1)})
        second = join(world, tower, who=third(world), quantities={high.pk: Decimal(1)})
        free(other)
        assert serve_queues() == 1
        assert fresh(second).state == "offered"

    def test_an_offer_that_runs_out_goes_to_the_next(self, world, full):
        first, second = join(world, full[0], 3), join(world, full[0], 3, who=third(world))
        free(full[1])
        serve_queues()
        until = fresh(first).offer_until
        assert actions.pass_due(now=until - dt.timedelta(seconds=1)) == 0
        assert (actions.pass_due(now=until), actions.pass_due(now=until)) == (1, 0)
        assert [fresh(p).state for p in (first, second)] == ["passed", "offered"]
        assert full[0].pools.get().taken == 3
        with pytest.raises(Refused, match="has ended"):
            actions.take_place(place=first, by=world.dave, membership=world.as_["dave"])

    def test_a_case_that_ends_serves_the_queue_at_once(self, world, django_capture_on_commit_callbacks):
        tower = make_resource(world.power)
        case = ask(world, tower, 3, who="eve")
        place = join(world, tower)
        with django_capture_on_commit_callbacks(execute=True):
            actions.withdraw(request=case, by=world.eve, membership=world.as_["eve"])
        assert fresh(place).state == "offered"

    def test_nothing_is_offered_of_a_resource_that_is_not_open(self, world, full):
        place = join(world, full[0])
        free(full[1])
        type(full[0]).objects.filter(pk=full[0].pk).update(state="suspended")
        assert serve_queues() == 0
        assert fresh(place).state == "waiting"


@pytest.mark.django_db
class TestTakingAndLeaving:
    def test_taken_up_it_is_a_request_whose_units_nobody_else_had(self, world, full):
        place = join(world, full[0], 2)
        with pytest.raises(Refused, match="no offer yet"):
            actions.take_place(place=place, by=world.dave, membership=world.as_["dave"])
        free(full[1])
        serve_queues()
        case = actions.take_place(place=place, by=world.dave, membership=world.as_["dave"])
        assert actions.take_place(place=place, by=world.dave, membership=world.as_["dave"]) == case
        assert (case.state, case.items.get().quantity, fresh(place).state) == ("submitted", 2, "taken")
        assert full[0].pools.get().taken == 2
        assert ShareRequest.objects.count() == 1

    def test_whoever_leaves_makes_room_for_the_next(self, world, full):
        first, second = join(world, full[0], 3), join(world, full[0], 3, who=third(world))
        free(full[1])
        serve_queues()
        with pytest.raises(NotPermitted):
            actions.leave_queue(place=first, by=world.eve, membership=world.as_["eve"])
        actions.leave_queue(place=first, by=world.dave, membership=world.as_["dave"])
        assert [fresh(p).state for p in (first, second)] == ["left", "offered"]

    @pytest.mark.parametrize(
        ("change", "code"),
        [({"units": 4}, "too_much"), ({"who": "alice"}, "own_resource"), ({"who": "dora"}, "not_permitted")],
    )
    def test_refusals(self, world, full, change, code):
        with pytest.raises(Refused) as refusal:
            join(world, full[0], **change)
        assert refusal.value.code == code

    def test_no_second_place_none_for_what_is_free_and_not_more_than_the_cap(self, world, full):
        join(world, full[0])
        for resource, code in ((full[0], "in_queue"), (make_resource(world.power), "free")):
            with pytest.raises(Refused) as refusal:
                join(world, resource)
            assert refusal.value.code == code
        RegionRule.objects.create(
            key="cap.queue_places", region=world.regions["440000"], value=1, valid_from=timezone.localdate(),
            source="Provincial method 7",
        )  # fmt: skip
        other = make_resource(world.power)
        hold(other.pools.get(), world.evil, 3)
        with pytest.raises(Refused, match="Provincial method 7"):
            join(world, other)

    def test_one_organisation_keeps_no_more_of_a_pool_than_its_share(self, world):
        tower = make_resource(world.power)
        RegionRule.objects.create(
            key="cap.pool_percent", region=world.regions["440000"], value=67, valid_from=timezone.localdate(),
            source="Provincial method 8",
        )  # fmt: skip
        ask(world, tower, 2)
        with pytest.raises(Refused, match="at most 67 %.*Provincial method 8"):
            ask(world, tower, 1)
        assert ask(world, tower, 1, who="eve").state == "submitted"


@pytest.mark.django_db
class TestTheDatabaseHoldsIt:
    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE agreements_queueplace SET state = 'offered', offer_until = now() WHERE id = {second}",
            "UPDATE agreements_queueplace SET state = 'offered' WHERE id = {first}",  # without a clock
            "UPDATE agreements_queueplace SET state = 'taken', ended_at = now() WHERE id = {first}",
            "UPDATE agreements_queueplace SET quantities = '{{}}' WHERE id = {first}",
            "UPDATE agreements_queueplace SET organisation_id = {operator} WHERE id = {second}",
            "UPDATE agreements_queueplace SET state = 'left' WHERE id = {first}",  # no time of its end
            "INSERT INTO agreements_queueplace (resource_id, organisation_id, quantities, starts_on, months, purpose,"
            " state, key, joined_by_id, joined_at) SELECT resource_id, organisation_id, quantities, starts_on, months,"
            " '', 'waiting', gen_random_uuid(), joined_by_id, now() FROM agreements_queueplace WHERE id = {first}",
        ],
    )
    def test_whoever_writes(self, world, full, sql):
        first, second = join(world, full[0]), join(world, full[0], who=third(world))
        statement = sql.format(first=first.pk, second=second.pk, operator=world.operator.pk)
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    def test_what_has_ended_stays(self, world, full):
        place = join(world, full[0])
        actions.leave_queue(place=place, by=world.dave, membership=world.as_["dave"])
        with pytest.raises(IntegrityError), transaction.atomic():
            QueuePlace.objects.filter(pk=place.pk).update(state="waiting", ended_at=None)


@pytest.mark.django_db
class TestPages:
    def test_from_the_form_into_the_queue_and_out_with_a_request(self, client_as, world, full):
        dave, alice, tower = client_as("dave"), client_as("alice"), full[0]
        form = {
            f"q_{tower.pools.get().pk}": "1",
            "starts_on": someday(),
            "months": "12",
            "purpose": "5G",
            "key": uuid4(),
        }
        assert zh("queue_join", tower.pk) in dave.get(zh("request_new", tower.pk)).content.decode()
        full_page = dave.post(zh("request_new", tower.pk), form)
        assert (full_page.status_code, zh("queue_join", tower.pk) in full_page.content.decode()) == (422, True)
        assert dave.post(zh("queue_join", tower.pk), form).status_code == 302
        place = QueuePlace.objects.get()
        page = dave.get(zh("queue_list")).content.decode()
        assert "Full tower" in page
        assert (zh("queue_leave", place.pk) in page, zh("queue_take", place.pk) in page) == (True, False)
        seen = alice.get(zh("queue_list")).content.decode()
        assert world.operator.name_zh in seen
        assert zh("queue_leave", place.pk) not in seen
        free(full[1])
        serve_queues()
        assert zh("queue_take", place.pk) in dave.get(zh("queue_list")).content.decode()
        assert [item.url for item in items_for(world.as_["dave"]) if item.due_at] == [zh("queue_list")]
        assert dave.post(zh("queue_take", place.pk)).url == ShareRequest.objects.get().get_absolute_url()
        assert client_as("eve").post(zh("queue_leave", place.pk)).status_code == 404


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
class TestRace:
    @pytest.fixture
    def line(self, world):
        """One position that has just come free, one in line for it, and the tower."""
        tower = make_resource(world.power, pools=[{"unit": "position", "label": "P1", "total": 1}])
        kept = hold(tower.pools.get(), world.evil, 1)
        place = join(world, tower)
        free(kept)
        return tower, place

    def test_who_comes_by_never_overtakes_the_line(self, world, line):
        tower, place = line
        at_once(*[serve_queues, lambda: ask(world, tower, who="eve")] * 4)
        serve_queues()
        assert (fresh(place).state, ShareRequest.objects.count()) == ("offered", 0)
        assert Reservation.objects.active().count() == CapacityPool.objects.get().taken == 1

    def test_control_without_standing_aside_the_line_is_overtaken(self, world, line, monkeypatch):
        from agreements.actions import requests

        monkeypatch.setattr(requests, "stand_aside", lambda *args: None)
        ask(world, line[0], who="eve")
        serve_queues()
        assert fresh(line[1]).state == "waiting"

    def test_control_without_the_lock_the_same_place_is_offered_twice(self, world, line, monkeypatch):
        """Two servers that lock nothing collide: a rule of the database stops what the lock prevents."""
        import time

        original = queue_offers.deadline_for

        def slow(*args, **kwargs):
            time.sleep(0.1)
            return original(*args, **kwargs)

        def unlocked(resource_id):
            rows = QueuePlace.objects.active().filter(resource=resource_id).order_by("pk")
            return list(rows.select_related("organisation", "resource__region"))

        monkeypatch.setattr(queue_offers, "lock_line", unlocked)
        monkeypatch.setattr(queue_offers, "deadline_for", slow)
        monkeypatch.setattr(queue_offers.capacity, "hold", lambda **kwargs: Reservation.objects.create(
            pool_id=next(iter(kwargs["quantities"])), organisation=kwargs["organisation"], quantity=1,
            starts_on=kwargs["starts_on"], expires_at=kwargs["expires_at"], idempotency_key=kwargs["key"],
        ))  # fmt: skip
        collisions = []

        def attempt():
            try:
                queue_offers.serve(resource_id=line[0].pk)
            except IntegrityError as error:
                collisions.append(str(error))

        at_once(*[attempt] * 3)
        assert collisions
