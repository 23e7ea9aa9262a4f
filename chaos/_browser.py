"""What a browser does, without one: the same promises as assets/js/thread.js, many at once in one event loop.

A client posts with keys of its own until it is told that the message is stored, listens at a socket, pulls after
every ring, on every reconnect and by a timer, and notes what it saw in which order.
"""

import asyncio
import contextlib
import json
import random
import re
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlencode

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

FRESH = re.compile(rb'<li[^>]*?data-number="(\d+)"(?:[^>]*?data-uuid="([0-9a-f-]+)")?', re.S)
IDLE_MAX_S = 4.0  # uvicorn closes a line that was idle for 5 s


@dataclass
class Person:
    """Somebody signed in. cookie: session and CSRF; token: the CSRF token that goes with it."""

    cookie: str
    token: str
    thread: int
    user: int
    organisation: int = 0


class Line:
    """One HTTP connection that is kept open, like a browser's, and made anew when it breaks."""

    def __init__(self, host: str, port: int, person: Person, timeout: float = 8.0):
        self.host, self.port, self.person, self.timeout = host, port, person, timeout
        self.used_at = 0.0
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.turn = asyncio.Lock()  # one question at a time: a slow answer makes the next one wait, and counts as slow

    async def ask(self, method: str, path: str, form: dict | None = None) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body). Raises OSError, TimeoutError or asyncio.IncompleteReadError when the line breaks."""
        try:
            async with self.turn:
                return await asyncio.wait_for(self._ask(method, path, form), self.timeout)
        except BaseException:
            self.cut()
            raise

    async def _ask(self, method: str, path: str, form: dict | None) -> tuple[int, dict[str, str], bytes]:
        if time.monotonic() - self.used_at > IDLE_MAX_S:  # the server is about to close it, or has
            self.cut()
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        body = urlencode(form or {}).encode() if method == "POST" else b""
        head = [
            f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", "Accept: application/json",
            f"Cookie: {self.person.cookie}", f"X-CSRFToken: {self.person.token}",
        ]  # fmt: skip
        if method == "POST":
            head += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        raw = await reader.readuntil(b"\r\n\r\n")
        lines = raw.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        if headers.get("transfer-encoding") == "chunked":
            content = b""
            while size := int(await reader.readline(), 16):
                content += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readline()
        else:
            content = await reader.readexactly(int(headers.get("content-length", 0)))
        self.used_at = time.monotonic()
        if headers.get("connection") == "close":
            self.cut()
        return status, headers, content

    def cut(self) -> None:
        if self.streams is not None:
            self.streams[1].transport.abort()
            self.streams = None


@dataclass
class Client:
    """A person's page on one conversation."""

    person: Person
    host: str
    port: int
    name: str
    pull_live_s: float = 30.0
    pull_deaf_s: float = 5.0
    clumsiness: float = 0.0  # share of sends after which the line is cut before the answer
    last: int = 0
    seen: list[tuple[int, str]] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)  # key → number the server gave
    refusals: list[int] = field(default_factory=list)
    out_of_order: int = 0
    latencies: dict[int, float] = field(default_factory=dict)  # number → monotonic time it was seen
    language: str = "zh-hans"
    brought: int = 0  # frames that carried messages
    pulls: int = 0
    is_live: bool = False
    live_at: float = 0.0
    closes: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.send_line = Line(self.host, self.port, self.person)
        self.pull_line = Line(self.host, self.port, self.person)
        self.wake = asyncio.Event()
        self.dice = random.Random(self.name)
        self.socket = None

    # --- saying ---
    async def say(self, body: str) -> str:
        """Posts until the server says it has it; the key stays the same."""
        key, pause = str(uuid.uuid4()), 0.2
        form = {"body": body, "client_uuid": key}
        path = f"/messages/{self.person.thread}/send/"
        while True:
            try:
                if self.dice.random() < self.clumsiness:
                    asyncio.get_running_loop().call_later(self.dice.uniform(0.001, 0.03), self.send_line.cut)
                status, headers, content = await self.send_line.ask("POST", path, form)
                if status == 201:
                    self.acknowledged[key] = json.loads(content)["number"]
                    return key
                self.refusals.append(status)
                if status == 429:
                    await asyncio.sleep(float(headers.get("retry-after", 5)))
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
                pass
            await asyncio.sleep(pause * self.dice.uniform(0.5, 1.5))
            pause = min(3.0, pause * 2)

    # --- hearing ---
    async def pull(self) -> bool:
        """Everything after the last number seen; whether the server answered."""
        more = True
        while more:
            try:
                path = f"/messages/{self.person.thread}/since/?after={self.last}"
                status, headers, content = await self.pull_line.ask("GET", path)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
                return False
            if status != 200:
                self.refusals.append(status)
                return False
            self.show(content)
            more = headers.get("x-more") == "1"
        self.pulls += 1
        return True

    def show(self, content: bytes) -> None:
        """Appends what is new of it, as thread.js does."""
        now = time.monotonic()
        for number, key in FRESH.findall(content):
            if int(number) <= self.last:
                continue
            if int(number) != self.last + 1:
                self.out_of_order += 1
            self.seen.append((int(number), key.decode()))
            self.last = int(number)
            self.latencies[self.last] = now

    def hear(self, frame: str | bytes) -> None:
        """One frame of the bell: what it brings is shown where it fits, else it is a reason to pull."""
        ring = json.loads(frame)
        self.brought += "html" in ring
        if ring.get("html") and ring["after"] <= self.last:
            self.show(ring["html"].encode())
        if ring.get("number", 0) > self.last:
            self.wake.set()

    async def follow(self) -> None:
        """Pulls after rings and by the timer, for ever."""
        while True:
            every = self.pull_live_s if self.is_live else self.pull_deaf_s
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), every * self.dice.uniform(0.8, 1.2))
            self.wake.clear()
            if not await self.pull():
                await asyncio.sleep(self.dice.uniform(0.3, 1.0))
                self.wake.set()

    async def listen(self) -> None:
        """Keeps a socket open, with the pauses of lib/bell.js."""
        tries = 0
        url = f"ws://{self.host}:{self.port}/ws/bell/?thread={self.person.thread}&lang={self.language}"
        origin = f"http://{self.host}:{self.port}"
        while True:
            try:
                async with connect(
                    url, origin=origin, additional_headers={"Cookie": self.person.cookie}, open_timeout=10,
                    close_timeout=1, compression=None, ping_interval=None, max_queue=4,
                ) as self.socket:  # fmt: skip
                    tries, self.is_live, self.live_at = 0, True, time.monotonic()
                    self.wake.set()
                    async for frame in self.socket:
                        self.hear(frame)
            except (OSError, TimeoutError, InvalidHandshake, InvalidMessage, ConnectionClosed, EOFError):
                pass
            if self.socket is not None and self.socket.close_code:
                self.closes.append(self.socket.close_code)
            self.is_live, self.socket = False, None
            pause = min(8.0, 0.5 * 2**tries)
            tries += 1
            await asyncio.sleep(pause * self.dice.uniform(0.5, 1.5))

    def drop_socket(self) -> None:
        if self.socket is not None:
            self.socket.transport.abort()
