"""What is free when: the SQL functions against the capacity the database itself keeps, and against plain Python."""

import datetime as dt
import random
from decimal import Decimal

import pytest
from django.db import connection

from listings.capacity_view import Span, first_day_free
from listings.models import CapacityPool
from listings.pool_calendar import calendars, next_free_on
from tests import world as make
from tests.listings.supply import hold

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def pool(world):
    tower = make.make_resource(world.power, pools=[{"unit": "position", "total": 5, "in_use": 1}])
    return tower.pools.get()


def days(number: int) -> dt.date:
    return dt.date.today() + dt.timedelta(days=number)


def free_over(pool, first, last):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pool_free_over(%s, %s, %s)", [pool.pk, first, last])
        return cursor.fetchone()[0]


def test_the_calendar_names_each_change(world, pool):
    hold(pool, world.operator, 3, starts_on=days(10), ends_on=days(19))
    hold(pool, world.operator, 4, starts_on=days(20), ends_on=days(29))
    (calendar,) = calendars([pool], since=days(0))
    spans = [(s.starts_on, s.ends_on, s.free) for s in calendar.spans]
    assert spans == [
        (days(0), days(9), 4), (days(10), days(19), 1), (days(20), days(29), 0), (days(30), None, 4),
    ]  # fmt: skip
    assert free_over(pool, days(0), days(9)) == 4
    assert free_over(pool, days(5), days(20)) == 0
    assert free_over(pool, days(30), None) == 4


def test_next_free_for_a_while_and_for_good(world, pool):
    hold(pool, world.operator, 3, starts_on=days(10), ends_on=days(19))
    assert next_free_on(pool, Decimal(1), since=days(0)) == days(0)
    assert next_free_on(pool, Decimal(2), since=days(0)) == days(20)
    assert next_free_on(pool, Decimal(2), since=days(0), days=10) == days(0)
    assert next_free_on(pool, Decimal(2), since=days(0), days=11) == days(20)
    assert next_free_on(pool, Decimal(5), since=days(0)) is None
    hold(pool, world.operator, 1, starts_on=days(40))
    assert next_free_on(pool, Decimal(4), since=days(0)) is None
    assert next_free_on(pool, Decimal(4), since=days(0), days=20) == days(20)


def test_released_and_expired_ones_do_not_count(world, pool):
    reservation = hold(pool, world.operator, 4)
    type(reservation).objects.filter(pk=reservation.pk).update(state="released")
    assert next_free_on(pool, Decimal(4), since=days(0)) == days(0)
    assert not calendars([pool], since=days(0))[0].changes


def test_it_agrees_with_the_reservations_counted_one_by_one(world):
    """Fifty random pools: SQL's answer is the Python one's, and what it calls free can be held, one more cannot."""
    rng = random.Random(20261122)
    for number in range(25):
        tower = make.make_resource(world.power, pools=[{"unit": "position", "total": 6, "label": str(number)}])
        pool = CapacityPool.objects.get(resource=tower)
        spans = []
        for _ in range(rng.randint(1, 5)):
            first = rng.randint(0, 40)
            last = None if rng.random() < 0.2 else first + rng.randint(0, 30)
            quantity = rng.randint(1, 2)
            until = None if last is None else days(last)
            if (free_over(pool, days(first), until) or 0) < quantity:
                continue
            hold(pool, world.operator, quantity, starts_on=days(first), ends_on=until)
            spans.append(Span(Decimal(quantity), days(first), until))
        for wanted in range(1, 7):
            expected = first_day_free(Decimal(6), Decimal(0), spans, wanted=Decimal(wanted), today=days(0))
            assert next_free_on(pool, Decimal(wanted), since=days(0)) == expected
