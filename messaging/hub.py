"""One hub per server process: knows its sockets, hears the rings, and asks again and again who may hear.

It listens on one Redis channel for all of them. When it hears nothing (not even its own heart), and for a while after
the line to Redis broke, it looks into the outbox every second instead. Sockets never wait for each other: each has
what it still has to be told, folded.
"""

import asyncio
import contextlib
import datetime as dt
import json
import logging
import secrets
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from redis.exceptions import RedisError

from . import bell
from .bell import Ring
from .delivery import Delivery
from .models import OutboxEntry
from .presence import Presence
from .rights import RIGHTS_CHANGED, Admission, Card, admissions
from .socket import Socket

log = logging.getLogger(__name__)

RECHECK_SECONDS = 30  # every socket's rights are asked for again this often, whatever Redis does
RIGHTS_SECONDS = 1.0  # how long after a change of rights the answer is final
DEAF_SECONDS = 2.5  # without a heartbeat for this long the hub looks into the outbox
AFTER_BREAK_SECONDS = 6  # so long after the line to Redis was broken, or is back, it looks there as well
LOOK_BACK_SECONDS = 20
DOOR_SECONDS = 0.005  # those who come within it are asked for together
DOOR_BATCH = 250
DB_THREADS = 2

OutboxRow = tuple[int, str, int | None, int | None, int | None]  # id, kind, thread, number, user

_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub_here() -> "Hub":
    """The hub of the running loop, begun with its first socket."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(loop)
    return _hubs[loop]


def _in_database(work: Any) -> Any:
    """Runs work in a thread that keeps its connection. Where it turns out to be broken the work is done once more on a
    new one, instead of asking before each time whether it still stands."""
    try:
        return work()
    except (OperationalError, InterfaceError):
        connection.close()
        return work()


class Hub:
    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self.name = secrets.token_hex(8)
        self.by_user: defaultdict[int, set[Socket]] = defaultdict(set)
        self.by_thread: defaultdict[int, set[Socket]] = defaultdict(set)
        self.heard_at = 0.0  # loop time of the last thing heard from Redis
        self._look_until = 0.0  # loop time until which rings may have been missed
        self.presence = Presence(self)
        self.delivery = Delivery(self)
        self._door: list[tuple[Card, asyncio.Future[Admission | int]]] = []
        self._changed: dict[int, float] = {}  # users whose rights changed lately
        self._seen: dict[int, float] = {}  # outbox entries already told
        self._threads = ThreadPoolExecutor(DB_THREADS, thread_name_prefix="hub")
        self._tasks = {
            loop.create_task(self._listen()),
            loop.create_task(self._beat()),
            loop.create_task(self._watch()),
        }
        self._deliver = partial(loop.call_soon_threadsafe, self.deliver)
        bell.ringer.hubs.add(self._deliver_from_thread)

    def _deliver_from_thread(self, rings: list[Ring]) -> None:
        try:
            self._deliver(rings)
        except RuntimeError:  # the loop has ended
            bell.ringer.hubs.discard(self._deliver_from_thread)

    async def query(self, work: Any) -> Any:
        return await self.loop.run_in_executor(self._threads, _in_database, work)

    # --- The door -------------------------------------------------------------------------------

    async def admit(self, card: Card) -> Admission | int:
        """Who the card is, or the code to close with; those who come together are asked for together."""
        answer: asyncio.Future[Admission | int] = self.loop.create_future()
        self._door.append((card, answer))
        if len(self._door) == 1:
            self.loop.call_later(DOOR_SECONDS, lambda: self.spawn(self._open_door()))
        return await answer

    async def _open_door(self) -> None:
        batch, self._door = self._door[:DOOR_BATCH], self._door[DOOR_BATCH:]
        if self._door:
            self.spawn(self._open_door())
        try:
            found = await self.query(lambda: admissions(card for card, _ in batch))
        except Exception as error:
            log.warning("cannot ask who may hear: %s", error)
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(ConnectionError("the database is away"))
            return
        for card, answer in batch:
            if not answer.done():
                answer.set_result(found[card])

    def add(self, socket: Socket, asked_at: float) -> None:
        """Takes a socket in; asked_at: loop time at which its rights were asked for."""
        self.by_user[socket.user_id].add(socket)
        if socket.thread_id:
            self.by_thread[socket.thread_id].add(socket)
            self.presence.came(socket)
        if self._changed.get(socket.user_id, 0) >= asked_at:
            self.spawn(self.recheck([socket]))

    def remove(self, socket: Socket) -> None:
        for table, key in ((self.by_user, socket.user_id), (self.by_thread, socket.thread_id)):
            table[key].discard(socket)
            if not table[key]:
                del table[key]
        if socket.thread_id:
            self.presence.went(socket)
            if socket.thread_id not in self.by_thread:
                self.delivery.forget(socket.thread_id)

    def sockets(self) -> list[Socket]:
        return [socket for group in self.by_user.values() for socket in group]

    def spawn(self, work: Any) -> None:
        """Runs a coroutine beside the rest, held until it ends."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- Rights ---------------------------------------------------------------------------------

    async def recheck(self, sockets: list[Socket], *, lets_speak: bool = True, wholly: bool = True) -> None:
        """Closes the sockets that may not stay; lets the others hear again (lets_speak). When the database is away
        nobody is let off: those that were told to be quiet stay so, and the next round asks again."""
        for start in range(0, len(sockets), DOOR_BATCH):
            part = [socket for socket in sockets[start : start + DOOR_BATCH] if not socket.is_closing]
            try:
                found = await self.query(lambda part=part: admissions(socket.card for socket in part))
            except Exception as error:
                log.warning("cannot ask again who may hear: %s", error)
                return
            for socket in part:
                answer = found[socket.card]
                if isinstance(answer, Admission) and answer.user_id == socket.user_id:
                    if socket.rights <= answer.rights:
                        self.presence.choose(socket, answer)
                        if lets_speak:
                            socket.unmute(wholly=wholly)
                        continue
                    answer = RIGHTS_CHANGED
                socket.close(answer if isinstance(answer, int) else RIGHTS_CHANGED)

    def _rights_changed(self, user_id: int, thread_id: int) -> None:
        if user_id:
            self._changed[user_id] = self.loop.time()
        group = self.by_user.get(user_id, ()) if user_id else self.by_thread.get(thread_id, ())
        sockets = list(group)
        for socket in sockets:
            socket.mute()
        if sockets:
            self.spawn(self.recheck(sockets, lets_speak=False))
            # A sign-out is told before its session is gone, and a new password before its sessions change keys:
            # the answer counts a moment later, and until then nothing is heard.
            self.loop.call_later(RIGHTS_SECONDS, lambda: self.spawn(self.recheck(sockets, wholly=False)))

    # --- Hearing --------------------------------------------------------------------------------

    def deliver(self, rings: list[Ring]) -> None:
        """Tells the sockets concerned."""
        for letter, *ids in rings:
            if letter == bell.GROWN:
                self.delivery.grew(ids[0], ids[1], ids[2] if len(ids) > 2 else 0)
            elif letter == bell.TOLD:
                for socket in self.by_user.get(ids[0], ()):
                    socket.put("told", {"notifications": True})
            elif letter == bell.RIGHTS:
                self._rights_changed(ids[0], ids[1])
            elif letter == bell.TYPING:
                for socket in self.by_thread.get(ids[0], ()):
                    if ids[1] not in socket.speaks_for:
                        socket.put("typing", {"thread": ids[0], "typing": ids[1]})
            elif letter == bell.MARKS:
                self.delivery.marked(ids[0])
            elif letter in (bell.HERE, bell.WHO):
                self.presence.heard(letter, *ids)

    async def _listen(self) -> None:
        """Hears Redis, and comes back to it for as long as the process lives."""
        pause = 0.1
        while True:
            client = redis.asyncio.Redis.from_url(
                settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=20, client_name=f"hub-{self.name}"
            )
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(bell.channel())
                    self._may_have_missed()
                    while True:
                        heard = await pubsub.get_message(timeout=5)
                        if heard is None or heard["type"] != "message":
                            continue
                        self.heard_at, pause = self.loop.time(), 0.1
                        self.deliver(json.loads(heard["data"]))
            except (RedisError, OSError, TimeoutError) as error:
                self._may_have_missed()
                log.warning("the hub cannot hear Redis: %s", error)
            except Exception:
                log.exception("the hub stumbled")
            finally:
                with contextlib.suppress(Exception):
                    await client.aclose()
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 2)

    async def _beat(self) -> None:
        """Its own heart, every second: what it hears of it says that Redis carries."""
        while True:
            bell.ringer.put([bell.BEAT, self.name])
            await asyncio.sleep(1)

    @property
    def is_deaf(self) -> bool:
        return self.loop.time() - self.heard_at > DEAF_SECONDS

    def _may_have_missed(self) -> None:
        """A break may be too short to be deaf; what was rung within it nobody heard, but it is in the outbox."""
        self._look_until = self.loop.time() + AFTER_BREAK_SECONDS

    async def _watch(self) -> None:
        """Every second: is Redis heard? Every RECHECK_SECONDS: may everybody stay?"""
        next_check = self.loop.time() + RECHECK_SECONDS
        while True:
            await asyncio.sleep(1)
            now = self.loop.time()
            if self.is_deaf:
                self._may_have_missed()
            if self.by_user and now < self._look_until:
                await self._look_into_outbox()
            self.presence.tick()
            if now >= next_check:
                next_check = now + RECHECK_SECONDS
                self._changed = {user: at for user, at in self._changed.items() if at > now - 60}
                await self.recheck(self.sockets())

    async def _look_into_outbox(self) -> None:
        try:
            rows = await self.query(partial(outbox_since, LOOK_BACK_SECONDS))
        except Exception as error:
            log.warning("the hub cannot look into the outbox: %s", error)
            return
        self._hear_rows(rows)

    def _hear_rows(self, rows: list[OutboxRow]) -> None:
        """Tells what these entries owe, once each."""
        now = time.monotonic()
        if self._seen and next(iter(self._seen.values())) < now - 3 * LOOK_BACK_SECONDS:
            self._seen = {pk: at for pk, at in self._seen.items() if at > now - 2 * LOOK_BACK_SECONDS}
        fresh = [row for row in rows if row[0] not in self._seen]
        self._seen.update((row[0], now) for row in fresh)
        self.deliver(bell.folded(ring_of(kind, thread, number, user) for _, kind, thread, number, user in fresh))

    hear_rights = _hear_rows


def outbox_since(seconds: float, **only: Any) -> list[OutboxRow]:
    """What was put into the outbox lately. Queries once."""
    since = timezone.now() - dt.timedelta(seconds=seconds)
    rows = OutboxEntry.objects.filter(created_at__gt=since, **only).order_by("pk")
    return list(rows.values_list("pk", "kind", "thread_id", "number", "user_id"))


def rights_since() -> list[OutboxRow]:
    """Changes of rights of the last LOOK_BACK_SECONDS, as outbox_since() gives them."""
    return outbox_since(LOOK_BACK_SECONDS, kind=OutboxEntry.Kind.RIGHTS)


def ring_of(kind: str, thread_id: int | None, number: int | None, user_id: int | None) -> Ring:
    """The ring an outbox entry owes."""
    if kind == OutboxEntry.Kind.MESSAGE:
        return [bell.GROWN, thread_id, number]
    return [bell.RIGHTS, user_id or 0, thread_id or 0]
