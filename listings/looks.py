"""Who opened which resource's page: counted in Redis while the page is read, brought to the table by a sweep.

A GET writes nothing to the database (docs/adr/0019). Per resource, day and organisation; visitors all together; the
owner's own people not at all. Redis lost between two sweeps loses a minute of counts; a worker killed at the wrong
moment counts one minute twice.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from functools import lru_cache

import redis
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg2.extras import execute_values

from accounts.jobs import every
from accounts.models import Membership
from listings.models import Resource

log = logging.getLogger(__name__)
KEPT_IN_REDIS = dt.timedelta(days=3)
TAKE_ROWS = 5_000
VISITOR = 0
KEPT_DAYS = 400


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    """Short patience: a count is never worth a slow page."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.3, socket_connect_timeout=0.3)


def _key(what: str) -> str:
    prefix = settings.CACHES["default"].get("KEY_PREFIX", "")
    return f"{prefix}:looks:{connection.settings_dict['NAME']}:{what}"


def saw(resource: Resource, membership: Membership | None) -> None:
    """Counts one opening of the page, unless by the owner's or manager's own people. Never raises."""
    reader = membership.organisation_id if membership else VISITOR
    if reader and reader in (resource.owner_id, resource.manager_id):
        return
    day = timezone.localdate().isoformat()
    try:
        with _redis().pipeline(transaction=False) as pipe:
            pipe.hincrby(_key(day), f"{resource.pk}:{reader}", 1)
            pipe.expire(_key(day), KEPT_IN_REDIS)
            pipe.sadd(_key("days"), day)
            pipe.execute()
    except redis.RedisError:
        log.warning("a look was not counted: Redis does not answer")


@every(seconds=60)
def bring_looks() -> int:
    """Brings what was counted to the table; gives how many counts. Each day's hash is put aside first, then read."""
    brought = 0
    client = _redis()
    for raw in client.smembers(_key("days")):
        day = raw.decode()
        aside = _key(f"{day}:aside")
        if not client.exists(aside):
            try:
                client.rename(_key(day), aside)
            except redis.ResponseError:  # nothing counted since
                if day < timezone.localdate().isoformat():
                    client.srem(_key("days"), day)
                continue
        counted = client.hgetall(aside)
        rows = [(*_pair(name), day, int(count)) for name, count in counted.items()]
        with transaction.atomic():
            for start in range(0, len(rows), TAKE_ROWS):
                _add(rows[start : start + TAKE_ROWS])
        client.delete(aside)
        brought += len(rows)
    return brought


def _pair(name: bytes) -> tuple[int, int | None]:
    resource, reader = name.decode().split(":")
    return int(resource), int(reader) or None


def _add(rows: list[tuple[int, int | None, str, int]]) -> None:
    """Adds counts; those of resources or organisations that are gone are dropped."""
    with connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            "INSERT INTO listings_lookcount (resource_id, organisation_id, day, count)"
            " SELECT v.resource::bigint, v.reader::bigint, v.day::date, v.n"
            " FROM (VALUES %s) AS v(resource, reader, day, n)"
            " JOIN listings_resource r ON r.id = v.resource"
            " LEFT JOIN accounts_organisation o ON o.id = v.reader::bigint"
            " WHERE v.reader IS NULL OR o.id IS NOT NULL"
            " ON CONFLICT (resource_id, day, organisation_id) DO UPDATE"
            " SET count = listings_lookcount.count + excluded.count",
            rows,
            template="(%s, %s, %s, %s)",
            page_size=TAKE_ROWS,
        )


@every(seconds=86_400)
def forget_looks() -> int:
    """Counts older than KEPT_DAYS go."""
    from listings.models import LookCount

    before = timezone.localdate() - dt.timedelta(days=KEPT_DAYS)
    return LookCount.objects.filter(day__lt=before).delete()[0]


def days_back(count: int, today: dt.date) -> Iterator[dt.date]:
    """The last `count` days, oldest first, today included."""
    for back in range(count - 1, -1, -1):
        yield today - dt.timedelta(days=back)
