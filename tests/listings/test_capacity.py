"""Hold, confirm, release, extend, expire; and the race for the last units, with its control."""

import datetime as dt
import threading
import uuid
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, connections
from django.utils import timezone

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Event
from listings import holding
from listings.actions import capacity
from listings.actions.reconcile import reconcile
from listings.capacity_view import Span, first_day_free, views_of
from listings.models import CapacityPool, Reservation
from tests import world as make
from tests.listings.supply import hold


@pytest.fixture
def pool(world):
    """Three positions, all free."""
    return make.make_resource(world.power).pools.get()


def fresh(pool):
    pool.refresh_from_db()
    return pool


@pytest.mark.django_db
@pytest.mark.usefixtures("english")
class TestOneAtATime:
    def test_a_hold_counts_at_once_and_is_recorded(self, world, pool):
        reservation = hold(pool, world.operator, 2)
        assert (fresh(pool).taken, pool.free, reservation.state) == (2, 1, "held")
        assert Event.objects.get(verb="reservation.hold").organisation == world.operator

    def test_the_same_key_again_is_the_same_hold(self, world, pool):
        key = uuid.uuid4()
        assert hold(pool, world.operator, 2, key=key) == hold(pool, world.operator, 2, key=key)
        assert fresh(pool).taken == 2

    def test_a_key_is_one_attempt_whatever_it_asked(self, world, pool):
        key = uuid.uuid4()
        hold(pool, world.operator, 1, key=key)
        other = make.make_resource(world.power, name="Another tower").pools.get()
        for asked, units in ((other, 1), (pool, 2)):
            with pytest.raises(Refused) as refusal:
                hold(asked, world.operator, units, key=key)
            assert refusal.value.code == "other_key"
        assert (fresh(pool).taken, fresh(other).taken) == (1, 0)

    def test_a_hold_and_its_end_are_one_statement_each(self, world, pool, django_assert_num_queries):
        capacity.release(reservations=[hold(pool, world.operator, 1)], by=None)  # planned once per connection
        with django_assert_num_queries(3):  # two of them a savepoint, within this test's transaction
            made = hold(pool, world.operator, 1)
        with django_assert_num_queries(3):
            capacity.release(reservations=[made], by=None)

    def test_what_is_planned_once_stays_so(self, world, pool):
        """Who replaces one of these functions must say it again: planning them took longer than running them."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT proname FROM pg_proc WHERE 'plan_cache_mode=force_generic_plan' = ANY(proconfig)")
            named = {row[0] for row in cursor.fetchall()}
        assert named >= {"capacity_hold", "capacity_move", "reservation_counts", "tally_resources"}

    def test_its_events_say_what_any_event_says(self, world, pool):
        """The rows written by hand, beside those that events.record writes."""
        by, key = world.dave, uuid.uuid4()
        until = timezone.now() + dt.timedelta(hours=1)
        (made,) = capacity.hold(
            quantities={pool.pk: Decimal(2)}, organisation=world.operator, by=by, starts_on=timezone.localdate(),
            ends_on=None, expires_at=until, key=key,
        )  # fmt: skip
        capacity.release(reservations=[made], by=by, reason="changed our mind")
        made.refresh_from_db()
        label = f"2 × {made.pool}"
        said = {"pool": pool.pk, "quantity": "2", "expires_at": until.isoformat()}
        record("reservation.hold", made, by=by, organisation=world.operator, after=said)
        record(
            "reservation.release", made, by=by, organisation=world.operator, before={"state": "held"},
            after={"state": "released"}, reason="changed our mind",
        )  # fmt: skip
        for verb in ("reservation.hold", "reservation.release"):
            by_hand, recorded = Event.objects.filter(verb=verb).order_by("pk")
            for field in Event._meta.concrete_fields:
                if field.name not in ("id", "at", "subject_label"):
                    assert getattr(by_hand, field.attname) == getattr(recorded, field.attname), (verb, field.name)
        assert Event.objects.filter(verb="reservation.hold").order_by("pk")[0].subject_label == label
        assert Event.objects.filter(verb="reservation.release").order_by("pk")[0].subject_label == str(made)

    def test_the_statements_name_every_column(self):
        """Written by hand: what is added to the models must be added there."""
        columns = {field.column for field in Reservation._meta.concrete_fields}
        assert set(holding.COLUMNS) == columns
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_functiondef('capacity_hold'::regproc)")
            (text,) = cursor.fetchone()
        for table, wanted in (
            ("listings_reservation", columns),
            ("accounts_event", {f.column for f in Event._meta.concrete_fields}),
        ):
            begin = text.index(f"INSERT INTO {table} (") + len(f"INSERT INTO {table} (")
            assert {name.strip() for name in text[begin : text.index(")", begin)].split(",")} == wanted - {"id"}

    def test_more_than_is_free_is_refused_with_what_is_free(self, world, pool):
        hold(pool, world.operator, 2)
        with pytest.raises(Refused, match="2 positions asked, 1 position free") as failure:
            hold(pool, world.evil, 2)
        assert failure.value.code == "no_space"

    def test_several_pools_are_held_all_or_none(self, world):
        room = make.make_resource(world.power, "room")
        units = {p.unit: p for p in room.pools.all()}
        with pytest.raises(Refused, match="kW"):
            capacity.hold(
                quantities={units["rack_u"].pk: Decimal(42), units["kw"].pk: Decimal(11)},
                organisation=world.operator, by=None, starts_on=timezone.localdate(), ends_on=None,
                expires_at=timezone.now() + dt.timedelta(hours=1), key=uuid.uuid4(),
            )  # fmt: skip
        assert not Reservation.objects.exists()
        assert fresh(units["rack_u"]).free == 84

    def test_confirmed_units_stay_taken_and_do_not_expire(self, world, pool):
        reservation = hold(pool, world.operator, 3)
        capacity.confirm(reservations=[reservation], by=None)
        assert capacity.expire_due(now=timezone.now() + dt.timedelta(days=400)) == 0
        assert fresh(pool).free == 0

    def test_what_has_ended_is_not_confirmed(self, world, pool):
        reservation = hold(pool, world.operator, 1)
        capacity.release(reservations=[reservation], by=None)
        with pytest.raises(Refused, match="has ended"):
            capacity.confirm(reservations=[reservation], by=None)
        with pytest.raises(Refused, match="has ended"):
            capacity.extend(reservations=[reservation], by=None, expires_at=timezone.now())
        assert fresh(pool).free == 3

    def test_releasing_twice_gives_back_once(self, world, pool):
        reservation = hold(pool, world.operator, 1)
        for _ in range(2):
            capacity.release(reservations=[reservation], by=None)
        assert Event.objects.filter(verb="reservation.release").count() == 1

    def test_an_expired_hold_makes_room_for_the_next_without_a_sweep(self, world, pool):
        hold(pool, world.operator, 3, minutes=-1)
        assert hold(pool, world.evil, 3).state == "held"
        assert Reservation.objects.filter(state="expired").count() == 1

    def test_the_sweep_expires_once(self, world, pool):
        hold(pool, world.operator, 3, minutes=-1)
        assert (capacity.expire_due(), capacity.expire_due()) == (1, 0)
        assert fresh(pool).free == 3

    def test_a_clock_moves_later_and_never_earlier(self, world, pool):
        reservation = hold(pool, world.operator, 1)
        later = reservation.expires_at + dt.timedelta(days=1)
        capacity.extend(reservations=[reservation], by=None, expires_at=later)
        capacity.extend(reservations=[reservation], by=None, expires_at=later - dt.timedelta(days=3))
        reservation.refresh_from_db()
        assert reservation.expires_at == later


TODAY = dt.date(2026, 11, 23)


def day(number: int) -> dt.date:
    return TODAY + dt.timedelta(days=number)


class TestNextFree:
    """first_day_free(): pure."""

    @pytest.mark.parametrize(
        ("spans", "wanted", "expected"),
        [
            ([], 3, 0),  # free now
            ([(3, 0, 9)], 1, 10),  # the day after the last one ends
            ([(2, 0, 9), (1, 0, 19)], 1, 10),
            ([(2, 0, 9), (1, 0, 19)], 3, 20),
            ([(2, 0, 9), (1, 0, None)], 3, None),  # one stays without end
            ([(2, 0, 9), (1, 0, None)], 2, 10),
            ([(3, 20, 29)], 1, 30),  # free today, but not without end
            ([(3, -9, -1)], 3, 0),  # over
            ([(3, 0, 9), (3, 10, 19)], 1, 20),  # one after the other
            ([], 4, None),  # more than there is
        ],
    )
    def test_first_day(self, spans, wanted, expected):
        rows = [Span(Decimal(q), day(a), None if b is None else day(b)) for q, a, b in spans]
        found = first_day_free(Decimal(3), Decimal(0), rows, wanted=Decimal(wanted), today=TODAY)
        assert found == (None if expected is None else day(expected))

    @pytest.mark.django_db
    def test_a_page_says_held_confirmed_and_next_free(self, world, pool, django_assert_num_queries):
        today = timezone.localdate()
        capacity.confirm(reservations=[hold(pool, world.operator, 2, ends_on=today + dt.timedelta(30))], by=None)
        hold(pool, world.evil, 1, ends_on=today + dt.timedelta(60))
        fresh(pool)
        with django_assert_num_queries(1):
            (view,) = views_of([pool], today=today)
        assert (view.held, view.confirmed, view.is_full) == (1, 2, True)
        assert view.next_free_on == today + dt.timedelta(31)


# --- The race ---------------------------------------------------------------------------------
THREADS = 12


def rush(pool_id: int, organisation_id: int, attempt) -> list[str]:
    """Every thread tries for one unit at the same moment on a connection of its own; gives what each was told."""
    start = threading.Barrier(THREADS)
    answers: list[str] = []

    def run() -> None:
        try:
            start.wait(timeout=20)
            answers.append(attempt(pool_id, organisation_id))
        except Exception as failure:  # a thread's failure must not be lost
            answers.append(f"failed: {failure!r}")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def by_action(pool_id: int, organisation_id: int) -> str:
    """One unit through the action a person's request calls; "busy" is tried again, as a person would."""
    for _ in range(20):
        try:
            capacity.hold(
                quantities={pool_id: Decimal(1)},
                organisation=make.Organisation.objects.get(pk=organisation_id), by=None,
                starts_on=timezone.localdate(), ends_on=None,
                expires_at=timezone.now() + dt.timedelta(hours=1), key=uuid.uuid4(),
            )  # fmt: skip
            return "held"
        except Refused as refusal:
            if refusal.code != "busy":
                return refusal.code
    return "busy"


def by_row(pool_id: int, organisation_id: int) -> str:
    """One unit by a bare INSERT that locks nothing itself: what the trigger and the CHECK alone hold."""
    from django.db import IntegrityError

    try:
        Reservation.objects.create(
            pool_id=pool_id, organisation_id=organisation_id, quantity=1, starts_on=timezone.localdate(),
            expires_at=timezone.now() + dt.timedelta(hours=1), idempotency_key=uuid.uuid4(),
        )  # fmt: skip
        return "held"
    except IntegrityError:
        return "no_space"


def sold(pool) -> Decimal:
    return sum((r.quantity for r in Reservation.objects.active().filter(pool=pool).order_by("pk")), Decimal(0))


@pytest.fixture
def last_units(transactional_db):
    """A pool with five units and nobody in it, committed so that other connections see it."""
    world = make.build()
    pool = make.make_resource(world.power, pools=[{"unit": "position", "label": "P1", "total": 5}]).pools.get()
    return world, pool


@pytest.mark.race
@pytest.mark.parametrize("attempt", [by_action, by_row])
def test_however_many_ask_at_once_exactly_the_free_units_are_given(last_units, attempt):
    world, pool = last_units
    answers = rush(pool.pk, world.operator.pk, attempt)
    assert sorted(answers) == ["held"] * 5 + ["no_space"] * (THREADS - 5)
    assert sold(pool) == 5
    assert (fresh(pool).taken, pool.free) == (5, 0)


# Sums first and locks afterwards, with a moment between: what a counter without the lock would do.
UNLOCKED = """
CREATE OR REPLACE FUNCTION reservation_counts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  p bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.pool_id ELSE NEW.pool_id END;
  seen numeric := pool_peak(p);
BEGIN
  IF seen > (SELECT total - in_use FROM listings_capacitypool WHERE id = p) THEN
    RAISE EXCEPTION 'full' USING ERRCODE = 'check_violation';
  END IF;
  PERFORM pg_sleep(0.2);
  UPDATE listings_capacitypool SET taken = seen WHERE id = p;
  RETURN NULL;
END $$;
"""


@pytest.fixture
def _without_the_lock(last_units):
    """The trigger that counts without locking and no CHECK behind it; both put back afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('reservation_counts'::regproc)")
        (function,) = cursor.fetchone()
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'pool_never_oversold'")
        (check,) = cursor.fetchone()
        cursor.execute("ALTER TABLE listings_capacitypool DROP CONSTRAINT pool_never_oversold")
        cursor.execute(UNLOCKED)
    yield
    with connection.cursor() as cursor:
        cursor.execute(function)
        cursor.execute("DELETE FROM listings_reservation")
        cursor.execute("UPDATE listings_capacitypool SET taken = 0")
        cursor.execute(f"ALTER TABLE listings_capacitypool ADD CONSTRAINT pool_never_oversold {check}")


@pytest.mark.race
@pytest.mark.usefixtures("_without_the_lock")
def test_control_without_the_lock_the_same_rush_oversells(last_units):
    """If this one does not oversell, the test above proves nothing."""
    world, pool = last_units
    answers = rush(pool.pk, world.operator.pk, by_row)
    assert sold(pool) > 5, answers


@pytest.mark.race
def test_a_pool_locked_for_long_is_busy_and_not_an_error(last_units, monkeypatch, english):
    world, pool = last_units
    monkeypatch.setattr(capacity, "LOCK_TIMEOUT_MS", 100)
    locked, done = threading.Event(), threading.Event()

    def keep() -> None:
        from django.db import transaction

        try:
            with transaction.atomic():
                CapacityPool.objects.select_for_update(no_key=True).get(pk=pool.pk)
                locked.set()
                done.wait(20)
        finally:
            connections.close_all()

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        assert locked.wait(20)
        with pytest.raises(Refused, match="Try again") as failure:
            hold(pool, world.operator, 1)
        assert failure.value.code == "busy"
    finally:
        done.set()
        thread.join(20)
    assert hold(pool, world.operator, 1).state == "held"


@pytest.mark.django_db
class TestReconciliation:
    def test_a_count_that_drifted_is_mended_recorded_and_reported(self, world, pool, capsys):
        hold(pool, world.operator, 2)
        CapacityPool.objects.filter(pk=pool.pk).update(taken=1)
        with pytest.raises(SystemExit):
            call_command("reconcile_capacity")
        assert f"pool {pool.pk}: said 1.00, sums to 2.00 (drift; mended)" in capsys.readouterr().out
        assert (fresh(pool).taken, Event.objects.filter(verb="pool.reconcile").count()) == (2, 1)
        assert reconcile() == []

    def test_days_that_have_passed_are_no_drift(self, world, pool):
        reservation = hold(pool, world.operator, 2)
        capacity.confirm(reservations=[reservation], by=None)
        days = {"starts_on": dt.date(2020, 1, 1), "ends_on": timezone.localdate() - dt.timedelta(days=2)}
        Reservation.objects.filter(pk=reservation.pk).update(**days)
        CapacityPool.objects.filter(pk=pool.pk).update(taken=2)  # as if nobody had written to the pool since
        (found,) = reconcile()
        assert (found.is_drift, found.is_mended, fresh(pool).taken) == (False, True, 0)

    @pytest.mark.parametrize("greenwich", ["2026-03-01 15:59:59+00", "2026-03-01 16:00:00+00"])
    def test_a_day_ends_at_midnight_of_the_portal(self, world, pool, greenwich):
        """The units of 1 March are free again from its midnight in Shanghai on, which is 16:00 in Greenwich."""
        hold(pool, world.operator, 2, starts_on=dt.date(2026, 3, 1), ends_on=dt.date(2026, 3, 1))
        with connection.cursor() as cursor:
            cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'portal_today'")
            (body,) = cursor.fetchone()
            assert settings.TIME_ZONE in body
            frozen = body.replace("now()", f"timestamptz '{greenwich}'")
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION portal_today() RETURNS date LANGUAGE sql STABLE AS $${frozen}$$"
            )
            cursor.execute("SELECT pool_peak(%s)", [pool.pk])
            assert cursor.fetchone() == (2 if greenwich < "2026-03-01 16" else 0,)

    def test_a_sum_above_the_total_is_reported_and_not_forced(self, world, pool):
        hold(pool, world.operator, 3)
        CapacityPool.objects.filter(pk=pool.pk).update(taken=0, total=1)
        (found,) = reconcile()
        assert (found.is_drift, found.is_mended, fresh(pool).taken) == (True, False, 0)

    def test_lowering_a_total_below_what_is_sold_is_refused_by_the_database(self, world, pool):
        hold(pool, world.operator, 2)
        with pytest.raises(IntegrityError, match="pool_never_oversold"):
            CapacityPool.objects.filter(pk=pool.pk).update(total=1)
