"""The database refuses by itself, whoever writes: plain SQL against every constraint of the supply side."""

import datetime as dt
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from listings.models import CapacityPool, Reservation
from tests import world as make
from tests.listings.supply import hold

pytestmark = pytest.mark.django_db


def refused(sql: str, *values) -> str:
    """Runs the statement, which must be refused; gives the name of the constraint that did."""
    with pytest.raises(IntegrityError) as failure, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return failure.value.__cause__.diag.constraint_name


@pytest.fixture
def tower(world):
    return make.make_resource(world.power, "tower")


@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("UPDATE listings_resource SET grade = 'important' WHERE id = %s", "resource_grade_limits_disclosure"),
        ("UPDATE listings_resource SET grade = 'core', disclosure = 'blurred' WHERE id = %s",
         "resource_grade_limits_disclosure"),
        ("UPDATE listings_resource SET available_from = '2027-01-02', available_until = '2027-01-01' WHERE id = %s",
         "resource_available_in_order"),
        ("UPDATE listings_tower SET height_m = 0 WHERE resource_id = %s", "tower_height_in_range"),
        ("UPDATE listings_tower SET height_m = 501 WHERE resource_id = %s", "tower_height_in_range"),
        ("UPDATE listings_tower SET load_used_pct = 101 WHERE resource_id = %s", "tower_load_is_share"),
        ("UPDATE listings_capacitypool SET total = 2, in_use = 3 WHERE resource_id = %s", "pool_never_oversold"),
        ("UPDATE listings_capacitypool SET in_use = -1 WHERE resource_id = %s", "pool_quantities_not_negative"),
        ("INSERT INTO listings_capacitypool (resource_id, unit, label, total, in_use, taken)"
         " SELECT resource_id, unit, label, 1, 0, 0 FROM listings_capacitypool WHERE resource_id = %s",
         "pool_label_once"),
    ],
)  # fmt: skip
def test_a_tower_s_row_cannot_be_made_wrong(tower, sql, constraint):
    assert refused(sql, tower.pk) == constraint


@pytest.mark.parametrize(
    ("kind", "sql", "constraint"),
    [
        ("duct", "UPDATE listings_duct SET inner_mm = 110, outer_mm = 110 WHERE resource_id = %s",
         "duct_inner_below_outer"),
        ("duct", "UPDATE listings_duct SET surveyed_length_m = 10, blocked_at_m = 11 WHERE resource_id = %s",
         "duct_blocked_within_length"),
        ("cable", "UPDATE listings_cable SET attenuation_db_per_km = 5.1 WHERE resource_id = %s",
         "cable_attenuation_in_range"),
        ("room", "UPDATE listings_room SET area_m2 = 0 WHERE resource_id = %s", "room_area_positive"),
    ],
)  # fmt: skip
def test_the_other_kinds_rows_neither(world, kind, sql, constraint):
    assert refused(sql, make.make_resource(world.power, kind).pk) == constraint


def test_an_owner_s_code_stands_once(world, tower):
    other = make.make_resource(world.power)
    sql = "UPDATE listings_resource SET owner_code = %s WHERE id = %s"
    assert refused(sql, tower.owner_code, other.pk) == "resource_owner_code_once"


RESERVE = """
INSERT INTO listings_reservation (pool_id, organisation_id, quantity, starts_on, ends_on, state, expires_at,
                                  idempotency_key, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now())
"""


def reserve(
    pool, organisation, quantity, *, starts_on=None, ends_on=None, state="confirmed", expires_at=None, key=None
):
    return (RESERVE, pool.pk, organisation.pk, quantity, starts_on or timezone.localdate(), ends_on, state, expires_at,
            str(key or uuid.uuid4()))  # fmt: skip


def test_reservations_never_exceed_the_pool_even_in_plain_sql(world, tower):
    pool = tower.pools.get()
    with connection.cursor() as cursor:
        sql, *values = reserve(pool, world.operator, 2)
        cursor.execute(sql, values)
    assert refused(*reserve(pool, world.evil, 2)) == "pool_never_oversold"
    pool.refresh_from_db()
    assert (pool.taken, pool.free) == (2, 1)


def test_units_in_use_cannot_be_raised_into_what_is_taken(world, tower):
    pool = tower.pools.get()
    hold(pool, world.operator, 2)
    assert refused("UPDATE listings_capacitypool SET in_use = 2 WHERE id = %s", pool.pk) == "pool_never_oversold"
    assert refused("UPDATE listings_capacitypool SET total = 1 WHERE id = %s", pool.pk) == "pool_never_oversold"


def test_one_reservation_may_begin_the_day_after_another_ends_and_not_before(world, tower):
    pool, today = tower.pools.get(), timezone.localdate()
    with connection.cursor() as cursor:
        for start, end in [(today, today + dt.timedelta(9)), (today + dt.timedelta(10), None)]:
            sql, *values = reserve(pool, world.operator, 3, starts_on=start, ends_on=end)
            cursor.execute(sql, values)
    pool.refresh_from_db()
    assert pool.taken == 3
    later = reserve(pool, world.evil, 1, starts_on=today + dt.timedelta(9), ends_on=today + dt.timedelta(9))
    assert refused(*later) == "pool_never_oversold"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"quantity": 0}, "reservation_quantity_positive"),
        ({"state": "held"}, "reservation_hold_has_clock"),
        ({"ends_on": dt.date(2020, 1, 1)}, "reservation_in_order"),
    ],
)
def test_a_reservation_makes_sense(world, tower, change, constraint):
    quantity = change.pop("quantity", 1)
    assert refused(*reserve(tower.pools.get(), world.operator, quantity, **change)) == constraint


def test_an_attempt_counts_once(world, tower):
    pool, key = tower.pools.get(), uuid.uuid4()
    hold(pool, world.operator, 1, key=key)
    assert refused(*reserve(pool, world.operator, 1, key=key)) == "reservation_once_per_attempt"


def test_a_reservation_stays_on_its_pool(world, tower):
    other = CapacityPool.objects.create(resource=tower, unit="position", label="P2", total=5)
    reservation = hold(tower.pools.get(label="P1"), world.operator, 1)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE listings_reservation SET pool_id = %s WHERE id = %s", [other.pk, reservation.pk])


def test_deleting_a_reservation_gives_its_units_back(world, tower):
    pool = tower.pools.get()
    hold(pool, world.operator, 3)
    Reservation.objects.all().delete()
    pool.refresh_from_db()
    assert (pool.taken, pool.free) == (0, 3)


def test_a_question_for_the_exact_place_stands_once_and_a_grant_has_an_end(world, tower):
    ask = """INSERT INTO listings_disclosuregrant (resource_id, organisation_id, purpose, state, asked_by_id, asked_at)
             VALUES (%s, %s, 'Planning a station', %s, %s, now())"""
    with connection.cursor() as cursor:
        cursor.execute(ask, [tower.pk, world.operator.pk, "asked", world.dave.pk])
    assert refused(ask, tower.pk, world.operator.pk, "asked", world.dave.pk) == "grant_asked_once"
    assert refused(ask, tower.pk, world.operator.pk, "granted", world.dave.pk) == "grant_has_expiry"
