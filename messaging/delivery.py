"""What was said, brought to the open pages: fetched once per process for all threads that grew meanwhile, written once
per language and side, and the same text handed to all who read it (docs/adr/0111).

It is an offer: a page that lacks what came before it, or hears of a number only, pulls by HTTP as ever.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models.expressions import RawSQL
from django.template.loader import get_template
from django.utils import translation

from . import presenters
from .models import Message
from .socket import Socket

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

BEHIND_MAX = 20  # messages brought at once; who is further behind pulls
THREADS_MAX = 100  # asked for in one statement
FRAME_MAX_CHARS = 48_000
MARKS_SECONDS = 0.25  # receipts of all threads in which somebody read within it are asked for together

_GROWN = """
SELECT m.id FROM unnest(%s::bigint[], %s::int[]) AS asked (thread_id, number)
JOIN messaging_message m ON m.thread_id = asked.thread_id AND m.number > asked.number
  AND m.number <= asked.number + %s
"""


def grown(asked: dict[int, int]) -> dict[int, list[Message]]:
    """Messages after the numbers, ready for a page, by thread: at most BEHIND_MAX of each. Queries once; twice where a
    message carries files; four times where one corrects another."""
    chosen = RawSQL(_GROWN, [list(asked), list(asked.values()), BEHIND_MAX])
    by_thread: defaultdict[int, list[Message]] = defaultdict(list)
    for item in presenters.items_chosen(chosen):
        by_thread[item.thread_id].append(item)
    return by_thread


class Delivery:
    """Of one hub. Everything but fetch() and written() runs in the hub's loop."""

    def __init__(self, hub: "Hub"):
        self.hub = hub
        self.told: dict[int, int] = {}  # thread → the number up to which the sockets here were told
        self._waiting: dict[int, int] = {}  # thread → the number it has grown to
        self._is_fetching = False
        self._marked: set[int] = set()  # threads whose receipts moved

    def forget(self, thread_id: int) -> None:
        """The last socket on the thread has gone."""
        self.told.pop(thread_id, None)

    def grew(self, thread_id: int, number: int, author_id: int) -> None:
        """Takes a ring. Who only wants numbers, and the author (whose page asks by itself), are rung at once."""
        sockets = self.hub.by_thread.get(thread_id)
        if not sockets:
            return
        told = self.told.get(thread_id, number - 1)
        if number <= told:
            return
        self.told.setdefault(thread_id, told)
        readers = [socket for socket in sockets if socket.reads_as and socket.user_id != author_id]
        if number - told > BEHIND_MAX or not readers:
            self.ring(sockets, thread_id, number)
            return
        for socket in sockets:
            if not socket.reads_as:
                socket.ring_grown(number)
        self._waiting[thread_id] = max(number, self._waiting.get(thread_id, 0))
        if not self._is_fetching:
            self._is_fetching = True
            self.hub.spawn(self._bring())

    def ring(self, sockets: Iterable[Socket], thread_id: int, number: int) -> None:
        self.told[thread_id] = max(number, self.told.get(thread_id, 0))
        for socket in sockets:
            socket.ring_grown(number)

    async def _bring(self) -> None:
        """One fetch at a time; what is rung meanwhile waits for the next one, all of it together."""
        try:
            while self._waiting:
                goals = dict(list(self._waiting.items())[:THREADS_MAX])
                for thread_id in goals:
                    del self._waiting[thread_id]
                wanted = {pk: self.told.get(pk, number - 1) for pk, number in goals.items()}
                views = {pk: {s.reads_as for s in self.hub.by_thread.get(pk, ()) if s.reads_as} for pk in goals}
                try:
                    rights, frames = await self.hub.query(partial(self.fetch, wanted, views))
                except Exception as error:
                    log.warning("cannot bring what was said: %s", error)
                    rights, frames = [], {}
                self.hub.hear_rights(rights)  # who lost theirs before this was said is mute from here on
                for thread_id, number in goals.items():
                    self._hand_out(thread_id, wanted[thread_id], number, frames.get(thread_id))
        finally:
            self._is_fetching = False

    def _hand_out(self, thread_id: int, after: int, goal: int, found: "Frames | None") -> None:
        sockets = self.hub.by_thread.get(thread_id)
        if not sockets:
            return
        if not found or self.told.get(thread_id, after) != after:
            self.ring(sockets, thread_id, goal)
            return
        number = found.number
        self.told[thread_id] = max(number, goal)
        for socket in sockets:
            text = found.texts.get(socket.reads_as) if socket.user_id not in found.authors else None
            if text is None or goal > number:
                socket.ring_grown(max(number, goal))
            else:
                socket.bring(number, text)

    # --- in a thread with a database connection ---------------------------------------------------

    def fetch(
        self, wanted: dict[int, int], views: dict[int, set["View"]]
    ) -> tuple[list[tuple[Any, ...]], dict[int, "Frames"]]:
        """(rights that changed lately, what to hand out by thread). The rights are read first: whoever lost theirs
        before the last of these messages was stored is among them."""
        from .hub import rights_since

        rights = rights_since()
        return rights, {
            thread_id: Frames(thread_id, wanted[thread_id], items, views[thread_id])
            for thread_id, items in grown(wanted).items()
        }

    # --- Receipts ---------------------------------------------------------------------------------

    def marked(self, thread_id: int) -> None:
        """Somebody read, or was delivered to. Who only wants ids is rung at once."""
        sockets = self.hub.by_thread.get(thread_id, ())
        for socket in sockets:
            if not socket.reads_as:
                socket.put("marks", {"thread": thread_id, "marks": True})
        if any(socket.reads_as for socket in sockets):
            if not self._marked:
                self.hub.loop.call_later(MARKS_SECONDS, lambda: self.hub.spawn(self._tell_marks()))
            self._marked.add(thread_id)

    async def _tell_marks(self) -> None:
        threads, self._marked = self._marked, set()
        try:
            found = await self.hub.query(partial(presenters.receipts_of, threads))
        except Exception as error:
            log.warning("cannot tell who has read: %s", error)
            return  # the pages pull now and then, and see it then
        for thread_id in threads:
            text = json.dumps({"thread": thread_id, "receipts": found.get(thread_id, {})})
            for socket in self.hub.by_thread.get(thread_id, ()):
                if socket.reads_as:
                    socket.put("marks", text)


View = tuple[str, int]  # language, organisation the reader speaks for


class Frames:
    """The same growth of a thread as each kind of reader gets it. texts: by view; None where it is too long."""

    __slots__ = ("authors", "number", "texts")

    def __init__(self, thread_id: int, after: int, items: list[Message], views: set[View]):
        self.number = items[-1].number
        # Their pages show buttons to change it, which need the token of their own session.
        self.authors = {message.author_id for item in items for message in (item, item.corrects) if message}
        self.texts: dict[View | None, str | None] = {}
        written: dict[tuple[str, frozenset[int]], str | None] = {}
        sides = {message.organisation_id for item in items for message in (item, item.corrects) if message}
        for language, organisation_id in views:
            own = frozenset({organisation_id} & sides)
            key = (language, own)
            if key not in written:
                html = html_of(items, language, organisation_id)
                frame = {"thread": thread_id, "number": self.number, "after": after, "html": html}
                text = json.dumps(frame, ensure_ascii=False)
                written[key] = text if len(text) <= FRAME_MAX_CHARS else None
            self.texts[(language, organisation_id)] = written[key]


def html_of(items: list[Message], language: str, organisation_id: int) -> str:
    """The items as a reader of that organisation, who said none of them, sees them."""
    context = {"items": items, "own_organisation_id": organisation_id, "own_user_id": 0, "may_change": False}
    with translation.override(language):
        presenters.word_places(items)
        return get_template("messaging/_items.html").render(context)
