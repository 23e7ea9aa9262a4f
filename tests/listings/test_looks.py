"""Who looked: counted without a write in the GET, by organisation and day, never by person."""

import datetime as dt

import pytest
import redis
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from listings import looks
from listings.models import LookCount
from tests import world as make


@pytest.fixture(autouse=True)
def _clean_redis():
    client = looks._redis()

    def forget():
        for key in client.scan_iter(looks._key("*")):
            client.delete(key)

    forget()
    yield
    forget()


def counted():
    return {(r.organisation_id, r.count) for r in LookCount.objects.all()}


def test_pages_read_are_counted_by_organisation(world, client, client_as):
    resource = make.make_resource(world.power)
    address = f"/en/resources/{resource.pk}/"
    dave = client_as("dave")
    for reader in (client, client, dave, client_as("dora"), client_as("alice"), client_as("vera")):
        assert reader.get(address).status_code == 200
    assert LookCount.objects.count() == 0, "a GET writes nothing"
    assert looks.bring_looks() == 2
    assert counted() == {(None, 2), (world.operator.pk, 2)}
    dave.get(address)
    looks.bring_looks()
    assert counted() == {(None, 2), (world.operator.pk, 3)}
    assert looks.bring_looks() == 0


def test_what_was_put_aside_by_a_killed_worker_is_brought_later(world):
    resource = make.make_resource(world.power)
    looks.saw(resource, None)
    client, day = looks._redis(), timezone.localdate().isoformat()
    client.rename(looks._key(day), looks._key(f"{day}:aside"))
    looks.saw(resource, None)
    looks.bring_looks()
    looks.bring_looks()
    assert counted() == {(None, 2)}


def test_counts_of_what_is_gone_are_dropped(world):
    resource = make.make_resource(world.power, state="draft")
    looks.saw(resource, None)
    resource.delete()
    assert looks.bring_looks() == 1
    assert LookCount.objects.count() == 0


def test_without_redis_the_page_is_shown_all_the_same(world, client, monkeypatch):
    resource = make.make_resource(world.power)
    monkeypatch.setattr(looks, "_redis", lambda: redis.Redis(unix_socket_path="/nowhere/redis.sock"))
    assert client.get(f"/en/resources/{resource.pk}/").status_code == 200


def test_old_counts_go(world):
    resource = make.make_resource(world.power)
    LookCount.objects.create(resource=resource, day=timezone.localdate() - dt.timedelta(days=500), count=1)
    LookCount.objects.create(resource=resource, day=timezone.localdate(), count=1)
    assert looks.forget_looks() == 1


def test_the_database_holds_one_row_a_day(world):
    resource = make.make_resource(world.power)
    with connection.cursor() as cursor:
        insert = "INSERT INTO listings_lookcount (resource_id, day, count) VALUES (%s, '2026-01-01', %s)"
        cursor.execute(insert, [resource.pk, 1])
        with pytest.raises(IntegrityError, match="look_once_a_day"), transaction.atomic():
            cursor.execute(insert, [resource.pk, 1])
        with pytest.raises(IntegrityError, match="look_count_positive"), transaction.atomic():
            cursor.execute(insert.replace("01-01", "01-02"), [resource.pk, 0])
