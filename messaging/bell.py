"""The doorbell: says over Redis that something is new, never what. Losing a ring loses nothing: the relay rings
again, hubs that are deaf look into the outbox, and browsers pull by a timer (docs/adr/0020).

A ring is a short list: its letter, then ids. Rings go out from a thread of their own, so that no request waits for
Redis; many at once are folded into one publication.
"""

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import redis
from django.conf import settings

from accounts.models import User

from .models import Thread

log = logging.getLogger(__name__)

# Letters of rings, and what follows.
GROWN = "t"  # thread, number, author or 0: the thread has grown to the number
TOLD = "p"  # user: there is a notification
RIGHTS = "r"  # user or 0, thread or 0: ask again who may hear
TYPING = "y"  # thread, organisation: somebody there types
MARKS = "m"  # thread: something was delivered or read
HERE = "h"  # thread, organisation, 1 or 0: somebody has the thread open, or nobody any more
WHO = "q"  # thread: who is there? (answered by HERE)
BEAT = "b"  # hub: its own heart, to know that it hears

Ring = list[Any]
PUBLISH_SECONDS_MAX = 1.0  # longer, and Redis counts as away
PAUSE_SECONDS = 1.0  # how long it is not tried again then
BATCH_MAX = 2_000


def channel() -> str:
    """The one Redis channel all processes of this installation listen to."""
    return f"{settings.CHANNEL_LAYERS['default']['CONFIG'].get('prefix', 'asgi')}.rings"


def folded(rings: Iterable[Ring]) -> list[Ring]:
    """Each ring once; of a thread's growth only the highest number."""
    kept: dict[tuple[Any, ...], Ring] = {}
    for ring in rings:
        if ring[0] == GROWN:
            key: tuple[Any, ...] = (GROWN, ring[1])
            if key in kept and kept[key][2] >= ring[2]:
                continue
        else:
            key = tuple(ring[:3])
        kept[key] = ring
    return list(kept.values())


def connection() -> redis.Redis:
    """A connection that gives up early; the caller closes it."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PUBLISH_SECONDS_MAX, socket_connect_timeout=PUBLISH_SECONDS_MAX
    )


class Ringer:
    """Publishes rings from its own thread; where Redis is away, hands them to the hubs of this process."""

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[Ring] = queue.SimpleQueue()
        self.hubs: set[Callable[[list[Ring]], None]] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, *rings: Ring) -> None:
        """Takes rings and returns at once; never raises."""
        for ring in rings:
            self.waiting.put(ring)
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="ringer", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        client, not_before = connection(), 0.0
        while True:
            batch = [self.waiting.get()]
            while len(batch) < BATCH_MAX:
                try:
                    batch.append(self.waiting.get_nowait())
                except queue.Empty:
                    break
            rings = folded(batch)
            if time.monotonic() >= not_before:
                try:
                    client.publish(channel(), json.dumps(rings))
                    continue
                except (redis.RedisError, OSError):
                    log.warning("Redis is away: %d rings go to this process alone", len(rings))
                    not_before = time.monotonic() + PAUSE_SECONDS
                    client.close()
                    client = connection()
            for deliver in list(self.hubs):
                deliver(rings)


ringer = Ringer()


def publish(rings: list[Ring]) -> bool:
    """Publishes now, in this thread (the relay); whether Redis took it."""
    if not rings:
        return True
    try:
        with connection() as client:
            client.publish(channel(), json.dumps(folded(rings)))
    except (redis.RedisError, OSError):
        return False
    return True


def ring_thread(thread: Thread, number: int, author_id: int = 0) -> None:
    """Tells open browsers on the thread that it has grown to this number; author_id: who said it."""
    ringer.put([GROWN, thread.pk, number, author_id])


def ring_user(user: User) -> None:
    """Tells the person's open browsers that there is a notification."""
    ringer.put([TOLD, user.pk])


def ring_rights(*, user_id: int = 0, thread_id: int = 0) -> None:
    """Has the sockets of a person, or of a thread, asked again whether they may stay."""
    ringer.put([RIGHTS, user_id, thread_id])


def ring_typing(thread: Thread, organisation_id: int) -> None:
    ringer.put([TYPING, thread.pk, organisation_id])


def ring_marks(thread: Thread) -> None:
    ringer.put([MARKS, thread.pk])
