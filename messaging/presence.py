"""Which organisations have a thread open: told from hub to hub by rings, kept nowhere, forgotten by itself."""

from typing import TYPE_CHECKING

from . import bell
from .rights import Admission
from .socket import Socket

if TYPE_CHECKING:
    from .hub import Hub

BEAT_SECONDS = 25  # how often a hub says who is there
FORGET_SECONDS = 60  # who was not named for so long is gone


class Presence:
    """Of the threads that have sockets in this hub."""

    def __init__(self, hub: "Hub"):
        self.hub = hub
        self.until: dict[int, dict[int, float]] = {}  # thread → organisation → loop time until which it counts
        self.next_beat = 0.0

    def _own(self, thread_id: int) -> set[int]:
        return {pk for socket in self.hub.by_thread.get(thread_id, ()) for pk in socket.shown}

    def came(self, socket: Socket) -> None:
        """The others are told, and asked who they are; the newcomer is shown who is known already."""
        bell.ringer.put([bell.WHO, socket.thread_id], *([bell.HERE, socket.thread_id, pk, 1] for pk in socket.shown))
        self._show(socket.thread_id, [socket])

    def went(self, socket: Socket) -> None:
        left = set(socket.shown) - self._own(socket.thread_id)
        bell.ringer.put(*([bell.HERE, socket.thread_id, pk, 0] for pk in left))
        if not self.hub.by_thread.get(socket.thread_id):
            self.until.pop(socket.thread_id, None)

    def choose(self, socket: Socket, admission: Admission) -> None:
        """Takes over what the organisation chose since: shown or not."""
        if socket.shown != admission.shown:
            gone = set(socket.shown) - set(admission.shown)
            socket.shown = admission.shown
            bell.ringer.put(
                *([bell.HERE, socket.thread_id, pk, 0] for pk in gone),
                *([bell.HERE, socket.thread_id, pk, 1] for pk in admission.shown),
            )

    def heard(self, letter: str, thread_id: int, organisation_id: int = 0, is_here: int = 0) -> None:
        if not self.hub.by_thread.get(thread_id):
            return
        if letter == bell.WHO:
            bell.ringer.put(*([bell.HERE, thread_id, pk, 1] for pk in self._own(thread_id)))
            return
        known = self.until.setdefault(thread_id, {})
        before = set(known)
        if is_here:
            known[organisation_id] = self.hub.loop.time() + FORGET_SECONDS
        elif organisation_id not in self._own(thread_id):
            known.pop(organisation_id, None)
        if set(known) != before:
            self._show(thread_id, self.hub.by_thread[thread_id])

    def tick(self) -> None:
        """Says again who is there, and forgets who was not named."""
        now = self.hub.loop.time()
        if now >= self.next_beat:
            self.next_beat = now + BEAT_SECONDS
            for thread_id in list(self.hub.by_thread):
                bell.ringer.put(*([bell.HERE, thread_id, pk, 1] for pk in self._own(thread_id)))
        for thread_id, known in list(self.until.items()):
            gone = [pk for pk, until in known.items() if until < now]
            for pk in gone:
                del known[pk]
            if gone:
                self._show(thread_id, self.hub.by_thread.get(thread_id, ()))

    def _show(self, thread_id: int, sockets) -> None:
        known = set(self.until.get(thread_id, ()))
        for socket in sockets:
            others = sorted(known - set(socket.speaks_for))
            if others != socket.here:
                socket.here = others
                socket.put("here", {"thread": thread_id, "here": others})
