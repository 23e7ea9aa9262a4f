"""One open socket: what it still has to be told, folded, and told as fast as its line takes it."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from .rights import Admission, Card

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Socket:
    """Push only. A slow line delays nobody else, and never holds more than one frame of each sort."""

    __slots__ = (
        "_busy", "_send", "_waiting", "card", "here", "is_closing", "mutes", "number", "reads_as", "rights", "shown",
        "speaks_for", "thread_id", "user_id",
    )  # fmt: skip

    def __init__(self, card: Card, admission: Admission, send: Send, language: str = ""):
        self.card, self._send = card, send
        self.thread_id, self.user_id = card.thread_id, admission.user_id
        self.rights, self.speaks_for, self.shown = admission.rights, admission.speaks_for, admission.shown
        # In which language and for which organisation the page shows what is brought; None: it wants numbers only, or
        # the person takes part for several and the page knows best for which.
        self.reads_as = (language, self.speaks_for[0]) if language and len(self.speaks_for) == 1 else None
        self.here: list[int] = []  # who it was told is there
        self.number = 0  # the highest it was rung for
        self.is_closing = self._busy = False
        self.mutes = 0  # questions about its rights that are still open
        self._waiting: dict[str, dict[str, Any] | str] | None = None

    def ring_grown(self, number: int) -> None:
        """The thread has grown; a number rung before is not rung again."""
        if number > self.number:
            self.number = number
            self.put("grown", {"thread": self.thread_id, "number": number})

    def bring(self, number: int, text: str) -> None:
        """What was said, as a frame. Where an earlier one still waits it gets the number alone: the page pulls both."""
        if self._waiting and "grown" in self._waiting:
            self.ring_grown(number)
        elif number > self.number:
            self.number = number
            self.put("grown", text)

    def put(self, sort: str, frame: dict[str, Any] | str) -> None:
        """Takes a frame (or its text) to be sent; the latest of a sort replaces one that still waits."""
        if self.is_closing:
            return
        if self._waiting is None:
            self._waiting = {}
        self._waiting[sort] = frame
        self._go_on()

    def mute(self) -> None:
        """Nothing more is sent until it was asked again whether the person may hear."""
        self.mutes += 1

    def unmute(self, *, wholly: bool) -> None:
        """One question was answered well (wholly: all of them)."""
        self.mutes = 0 if wholly else max(0, self.mutes - 1)
        self._go_on()

    @property
    def is_muted(self) -> bool:
        return self.mutes > 0

    def close(self, code: int) -> None:
        """Closes with the code; what still waited is dropped."""
        if self.is_closing:
            return
        self.is_closing, self._waiting = True, None
        asyncio.get_running_loop().create_task(self._close(code))

    async def _close(self, code: int) -> None:
        with contextlib.suppress(Exception):  # it is gone already
            await self._send({"type": "websocket.close", "code": code})

    def _go_on(self) -> None:
        if self._waiting and not self._busy and not self.is_muted:
            self._busy = True
            asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._waiting and not self.is_muted and not self.is_closing:
                frames, self._waiting = self._waiting, None
                for frame in frames.values():
                    if self.is_muted or self.is_closing:
                        break
                    text = frame if isinstance(frame, str) else json.dumps(frame)
                    await self._send({"type": "websocket.send", "text": text})
        except Exception:
            self.is_closing, self._waiting = True, None  # the line is gone; the server's own loop says so too
        finally:
            self._busy = False
