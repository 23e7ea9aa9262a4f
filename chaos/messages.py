"""Messages under faults: nothing acknowledged is lost, nothing doubled, out of order or missing in between.

Kills, freezes and cuts a private site (two web processes, worker, PostgreSQL, Redis) while clients converse; then a
reconnect storm, a sleeping listener, revocations and hostile origins. script/chaos messages runs all of it;
--small a minute of it; --control NAME takes a safeguard out and must show the damage (chaos/_web.py).
"""

import argparse
import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import _parts
from ._browser import Client, Line, Person
from ._parts import Faults, load
from ._site import LOOPBACK, Site


@dataclass
class Sizes:
    """How much of everything. The issue's figures are the defaults; small() is the edition of the test suite."""

    messages: int = 100_000
    clients: int = 200
    threads: int = 100
    web_kills: int = 20
    redis_kills: int = 10
    backend_kills: int = 5
    freezes: int = 5
    freeze_s: float = 10.0
    storm: int = 1_000
    sleeping: int = 10_000
    revocations: int = 200
    origins: int = 50
    restarts: bool = True  # the storm a second time, after a restart of all web processes
    patience: float = 1.0  # times the time goals: the small edition shares its cores with other tests

    @classmethod
    def small(cls) -> "Sizes":
        return cls(240, 8, 4, 1, 1, 1, 1, 1.0, 60, 300, 10, 50, restarts=False, patience=4.0)


BEGAN = time.monotonic()
# What each control damages.
CONTROLS = {"dedup": "faults", "early": "faults", "pull": "sleeping", "rights": "revocation", "origins": "origins"}


@dataclass
class Table:
    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, what: str, reached: str, wanted: str, is_good: bool) -> None:
        self.rows.append((what, reached, wanted, is_good))
        sys.stdout.write(f"{'ok ' if is_good else 'NO '} {what:46} {reached:44} {wanted}\n")
        sys.stdout.flush()

    @property
    def is_good(self) -> bool:
        return all(row[3] for row in self.rows)


def note(text: str) -> None:
    sys.stderr.write(f"   {text}\n")
    sys.stderr.flush()


# --- The long one: conversation under faults ----------------------------------------------------


async def converse(site: Site, sizes: Sizes, rooms: list[list[Person]]) -> Faults:
    clients = [
        Client(person, LOOPBACK, site.port, f"{i}-{j}", clumsiness=0.01)
        for i, room in enumerate(rooms)
        for j, person in enumerate(room)
    ]
    share = sizes.messages // len(clients)
    began = time.monotonic()
    listening = [asyncio.create_task(work) for client in clients for work in (client.listen(), client.follow())]
    talking = [asyncio.create_task(_talk(client, share)) for client in clients]
    faults = asyncio.create_task(_faults(site, sizes, clients, share * len(clients)))
    last_fault = await faults
    await asyncio.gather(*talking)
    took = time.monotonic() - began
    goal = _last_numbers(rooms)
    converged = await _converged(clients, goal, last_fault)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    return _judged(clients, took, converged)


async def _talk(client: Client, share: int) -> None:
    for i in range(share):
        await client.say(f"{client.name} says {i}")
        await asyncio.sleep(client.dice.uniform(0, 0.02))


def _progress(clients: list[Client]) -> int:
    return sum(len(client.acknowledged) for client in clients)


async def _faults(site: Site, sizes: Sizes, clients: list[Client], total: int) -> float:
    """Spread over the run by how much was said; the last one when hardly anything is left to say. Loop time of it."""
    dice = random.Random(7)
    kinds = (
        ["web"] * (sizes.web_kills - 1)
        + ["redis"] * sizes.redis_kills
        + ["backend"] * sizes.backend_kills
        + ["freeze"] * sizes.freezes
    )
    dice.shuffle(kinds)
    kinds.append("web")
    thaw: list[asyncio.Task] = []
    for i, kind in enumerate(kinds):
        mark = total * 0.995 if i == len(kinds) - 1 else total * 0.95 * (i + 1) / len(kinds)
        while (said := _progress(clients)) < mark:
            await asyncio.sleep(0.1)
            if dice.random() < 0.05:
                dice.choice(clients).drop_socket()
        note(f"{said} of {total} acknowledged: {kind}")
        if kind == "web":
            site.kill_web(dice.randrange(10))
        elif kind == "redis":
            site.kill_redis()
            thaw.append(asyncio.create_task(_later(dice.uniform(0.5, 3), site.start_redis)))
        elif kind == "backend":
            site.kill_backend()
        else:
            thaw.append(asyncio.create_task(_later(sizes.freeze_s, site.freeze_web(dice.randrange(10)))))
    at = time.monotonic()
    await asyncio.gather(*thaw)
    return at


async def _later(seconds: float, act: Callable[[], object]) -> None:
    await asyncio.sleep(seconds)
    act()


def _last_numbers(rooms: list[list[Person]]) -> dict[int, int]:
    from django.db import connection

    from messaging.models import Thread

    connection.close()
    ids = [room[0].thread for room in rooms]
    return dict(Thread.objects.filter(pk__in=ids).values_list("pk", "last_number"))


async def _converged(clients: list[Client], goal: dict[int, int], since: float) -> float:
    """Seconds from the last fault until every client has seen everything; infinite where one never does."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if all(client.last >= goal[client.person.thread] for client in clients):
            return time.monotonic() - since
        await asyncio.sleep(0.1)
    behind = [
        f"{c.name} {c.last}/{goal[c.person.thread]} live={c.is_live}" for c in clients if c.last < goal[c.person.thread]
    ]
    note(f"never converged: {behind[:10]}")
    return float("inf")


def _judged(clients: list[Client], took: float, converged: float) -> Faults:
    """What the database holds against what was acknowledged, and what each client saw against the database."""
    from messaging.models import Message

    threads = {client.person.thread for client in clients}
    stored: dict[int, list[tuple[int, str, int, str]]] = {pk: [] for pk in threads}
    rows = Message.objects.filter(thread__in=threads).order_by("thread_id", "number")
    for thread, number, key, author, body in rows.values_list(
        "thread_id", "number", "client_uuid", "author_id", "body"
    ):
        stored[thread].append((number, str(key), author, body))
    lost = doubled = gaps = disorder = wrong_number = 0
    for thread in threads:
        said = stored[thread]
        gaps += sum(number != i + 1 for i, (number, *_) in enumerate(said))
        bodies = [(author, body) for _, _, author, body in said]
        doubled += len(bodies) - len(set(bodies))
    for client in clients:
        by_key = {key: number for number, key, _, _ in stored[client.person.thread]}
        lost += sum(key not in by_key for key in client.acknowledged)
        wrong_number += sum(by_key.get(key, number) != number for key, number in client.acknowledged.items())
        own = [
            int(body.rsplit(" ", 1)[1])
            for _, _, author, body in stored[client.person.thread]
            if author == client.person.user
        ]
        disorder += sum(a > b for a, b in zip(own, own[1:], strict=False))
        gaps += client.out_of_order
        seen = [key for _, key in client.seen]
        doubled += len(seen) - len(set(seen))
        if client.seen != [(number, key) for number, key, _, _ in stored[client.person.thread]]:
            lost += sum(key not in set(seen) for _, key, _, _ in stored[client.person.thread])
            disorder += client.seen != sorted(client.seen)
    acknowledged = sum(len(client.acknowledged) for client in clients)
    statuses = sorted({status for client in clients for status in client.refusals})
    note(f"answers other than 201 and 200 met on the way: {statuses or 'none'}")
    brought = sum(client.brought for client in clients)
    note(f"{acknowledged} acknowledged in {took:.0f} s ({acknowledged / took:.0f}/s); {brought} frames brought some")
    return Faults(acknowledged, lost + wrong_number, doubled, disorder, gaps, converged, took, load())


def show_faults(found: Faults, sizes: Sizes, table: Table) -> None:
    faults = (
        f"{sizes.web_kills} × kill −9 web, {sizes.redis_kills} Redis, {sizes.backend_kills} database backends, "
        f"{sizes.freezes} × SIGSTOP {sizes.freeze_s:.0f} s"
    )
    note(f"{found.acknowledged} acknowledged in {found.took_s:.0f} s under {faults}; load up to {found.load}")
    table.add("acknowledged messages lost", str(found.lost), f"0 of {found.acknowledged}", found.lost == 0)
    table.add("doubled", str(found.doubled), "0", found.doubled == 0)
    table.add("out of order", str(found.disorder), "0", found.disorder == 0)
    table.add("gaps", str(found.gaps), "0", found.gaps == 0)
    most = 10 * sizes.patience
    reached = f"{found.converged_s:.1f} s"
    table.add("all converged after the last fault", reached, f"≤ {most:.0f} s", found.converged_s <= most)


# --- Reconnect storm ----------------------------------------------------------------------------


async def storm(site: Site, sizes: Sizes, rooms: list[list[Person]], table: Table) -> None:
    """All sockets are cut at once, then all web processes are restarted; somebody reads pages meanwhile."""
    seats = [(i, j, person) for i, room in enumerate(rooms) for j, person in enumerate(room)]
    clients = [Client(person, LOOPBACK, site.port, f"s{i}-{j}") for i, j, person in seats]
    tasks = [asyncio.create_task(client.listen()) for client in clients]
    n = len(clients)
    if not await _all_live(clients, 120):
        table.add("reconnect storm: sockets open before it", str(sum(c.is_live for c in clients)), str(n), False)
    visitor = asyncio.create_task(_visit(site, rooms[0][0]))
    await asyncio.sleep(2)
    before = _door(site)
    at = time.monotonic()
    for client in clients:
        client.drop_socket()
    back = await _all_back(clients, at, 60)
    await asyncio.sleep(1)
    visitor.cancel()
    statuses, times = await visitor
    sockets, queries = (a - b for a, b in zip(_door(site), before, strict=True))
    most = 30 * sizes.patience
    table.add(f"reconnect storm of {n} sockets, all back", f"{back:.1f} s", f"≤ {most:.0f} s", back <= most)
    per = queries / max(1, sockets)
    table.add("  queries for each socket", f"{per:.2f} ({queries} for {sockets})", "≤ 2", per <= 2)
    faults = sum(status >= 500 for status in statuses)
    table.add("  server errors on ordinary pages", f"{faults} of {len(statuses)}", "0", faults == 0)
    p99 = statistics.quantiles(times, n=100)[98] if len(times) > 1 else float("inf")
    most = 1_000 * sizes.patience
    table.add(
        "  ordinary pages meanwhile, p99", f"{p99 * 1000:.0f} ms of {len(times)}", f"≤ {most:,.0f} ms",
        p99 * 1000 <= most,
    )  # fmt: skip
    if sizes.restarts:
        await _after_restart(site, clients, table)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _after_restart(site: Site, clients: list[Client], table: Table) -> None:
    at = time.monotonic()
    for client in clients:
        client.closes.clear()
    await asyncio.to_thread(site.restart_web, hard=False)
    await asyncio.to_thread(site.wait_for_web)
    booted = time.monotonic() - at
    back = await _all_back(clients, at, 90)
    codes = {code for client in clients for code in client.closes}
    note(f"the web processes themselves took {booted:.1f} s to answer again; sockets were closed with {sorted(codes)}")
    table.add("  restart: all back once it answers again", f"{back - booted:.1f} s", "≤ 30 s", back - booted <= 30)
    table.add("  restart: closed with", ", ".join(map(str, sorted(codes))), "1012", codes == {1012})


async def _all_back(clients: list[Client], since: float, seconds: float) -> float:
    """Seconds from then until every client is live with a socket opened since; infinite where that does not come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if all(client.is_live and client.live_at > since for client in clients):
            return max(client.live_at for client in clients) - since
        await asyncio.sleep(0.02)
    return float("inf")


async def _all_live(clients: list[Client], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if all(client.is_live for client in clients):
            return True
        await asyncio.sleep(0.05)
    return False


async def _visit(site: Site, person: Person) -> tuple[list[int], list[float]]:
    """Somebody reads pages all the while; a refused connection (nobody listens yet) is tried again, not counted."""
    line = Line(LOOPBACK, site.port, person, timeout=30)
    statuses: list[int] = []
    times: list[float] = []
    try:
        while True:
            began = time.monotonic()
            try:
                status, _, _ = await line.ask("GET", random.choice(["/messages/", "/notifications/", "/work/"]))
            except (OSError, EOFError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.1)
                continue
            statuses.append(status)
            times.append(time.monotonic() - began)
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        return statuses, times


def _door(site: Site) -> tuple[int, int]:
    """(sockets let in, queries asked for them) so far, of all web processes."""
    logs = [path.read_text().split() for path in site.folder.glob("door.*")]
    return sum(int(row[0]) for row in logs if row), sum(int(row[1]) for row in logs if row)


# --- A listener that sleeps ---------------------------------------------------------------------


async def sleeping(site: Site, sizes: Sizes, room: list[Person], table: Table) -> None:
    """One socket reads nothing while the conversation grows; awake, it pulls what it lacks."""
    client = Client(room[0], LOOPBACK, site.port, "sleeper")
    task = asyncio.create_task(client.listen())
    await _all_live([client], 30)
    client.socket.transport.pause_reading()
    await asyncio.to_thread(_fill_thread, room[1], sizes.sleeping)
    client.socket.transport.resume_reading()
    follow = asyncio.create_task(client.follow())
    client.wake.set()
    goal = _last_numbers([room])[room[0].thread]
    took = await _converged([client], {room[0].thread: goal}, time.monotonic())
    missing = goal - len(client.seen)
    for one in (task, follow):
        one.cancel()
    await asyncio.gather(task, follow, return_exceptions=True)
    what = f"sleeping listener, {sizes.sleeping} messages to one group"
    table.add(what, f"{missing} lost, all there {took:.1f} s after waking", "0 lost", missing == 0 and took < 120)


def _fill_thread(person: Person, count: int) -> None:
    from uuid import uuid4

    from accounts.models import Membership
    from messaging.actions import post
    from messaging.models import Thread

    membership = Membership.objects.select_related("user", "organisation").get(user=person.user)
    thread = Thread.objects.get(pk=person.thread)
    for i in range(count):
        post(thread=thread, by=membership.user, membership=membership, body=f"message {i}", client_uuid=uuid4())


# --- Revocation ---------------------------------------------------------------------------------


def _revoke(kind: str, person: Person) -> None:
    from accounts.models import Membership, Session, User
    from messaging import actions
    from messaging.models import Thread

    membership = Membership.objects.select_related("user", "organisation").get(user=person.user)
    if kind == "membership":
        from django.utils import timezone

        membership.ended_at = timezone.now()
        membership.save(update_fields=["ended_at"])
    elif kind == "role":
        membership.roles = ["viewer"]
        membership.save(update_fields=["roles"])
    elif kind == "password":
        user = User.objects.get(pk=person.user)
        user.set_unusable_password()
        user.save(update_fields=["password"])
    elif kind == "sign-out":
        from django.contrib.auth.signals import user_logged_out

        key = person.cookie.split("=")[1].split(";")[0]
        user_logged_out.send(User, request=None, user=membership.user)
        Session.objects.filter(session_key=key).delete()
    else:
        actions.close(thread=Thread.objects.get(pk=person.thread))


KINDS = ("membership", "role", "password", "sign-out", "end of case")


async def revocation(site: Site, rooms: list[list[Person]], table: Table) -> None:
    """Half of the trials with Redis away. Frames count that come more than 2 s after the revocation."""
    late = unclosed = 0
    waits: list[float] = []
    batch = min(20, -(-len(rooms) // 2))
    for start in range(0, len(rooms), batch):
        without_redis = start >= len(rooms) / 2
        if without_redis and site.redis.poll() is None:
            site.kill_redis()
            await asyncio.sleep(4)
        trials = [
            _trial(site, room, KINDS[(start + i) % len(KINDS)]) for i, room in enumerate(rooms[start : start + batch])
        ]
        for frames, closed in await asyncio.gather(*trials):
            late += frames
            unclosed += closed > 5
            waits.append(closed)
    site.start_redis()
    table.add(f"revocation, {len(waits)} trials: frames after 2 s", str(late), "0", late == 0)
    worst = max(waits)
    table.add(
        "  sockets closed (half of them without Redis)",
        f"all but {unclosed}, slowest {worst:.1f} s",
        "≤ 5 s",
        not unclosed,
    )


async def _trial(site: Site, room: list[Person], kind: str) -> tuple[int, float]:
    """(frames heard more than 2 s after, seconds until it was closed)."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    url = f"ws://{LOOPBACK}:{site.port}/ws/bell/?thread={room[0].thread}"
    headers = {"Cookie": room[0].cookie}
    async with connect(
        url, origin=site.address, additional_headers=headers, compression=None, close_timeout=1
    ) as socket:
        noise = asyncio.create_task(_noise(room[1]))
        await asyncio.sleep(0.5)
        await asyncio.to_thread(_revoke, kind, room[0])
        at = time.monotonic()
        late, closed = 0, float("inf")
        try:
            while (left := at + 12 - time.monotonic()) > 0:
                await asyncio.wait_for(socket.recv(), left)
                late += time.monotonic() - at > 2
        except ConnectionClosed:
            closed = time.monotonic() - at
        except TimeoutError:
            note(f"still open 12 s after: {kind}")
        noise.cancel()
        await asyncio.gather(noise, return_exceptions=True)
    return late, closed


async def _noise(person: Person) -> None:
    """The conversation goes on: an event five times a second."""

    def once():
        from messaging.actions import tell
        from messaging.models import Thread

        tell(thread=Thread.objects.get(pk=person.thread), code="x.y", by=None, organisation=None, payload={})

    while True:
        await asyncio.to_thread(once)
        await asyncio.sleep(0.2)


# --- Hostile origins ----------------------------------------------------------------------------


def hostile(port: int, count: int) -> list[str | None]:
    """Origins that are not ours, some of them nearly."""
    host = f"{LOOPBACK}:{port}"
    crafted = [
        None, "", "null", f"https://{host}", f"http://{host}.evil.example", f"http://evil.example/{host}",
        f"http://{host}@evil.example", f"http://evil.example#{host}", f"http://{LOOPBACK}",
        f"http://{LOOPBACK}:{port + 1}", f"http://localhost:{port}", f"ws://{host}", f"http://{host}/", f"http://{host} http://evil.example",
        f"http://[::ffff:{LOOPBACK}]:{port}", f"file://{host}", "http://", "//" + host, host, f"http://{host}:", "*",
        f"http://0x7f000001:{port}", f"http://127.1:{port}", f"http://2130706433:{port}", f"javascript://{host}",
    ]  # fmt: skip
    return (crafted + [f"https://evil{i}.example" for i in range(count)])[:count]


async def origins(site: Site, sizes: Sizes, person: Person, table: Table) -> None:
    from websockets.asyncio.client import connect

    accepted = 0
    for origin in hostile(site.port, sizes.origins):
        headers = {"Cookie": person.cookie} | ({"Origin": origin} if origin is not None else {})
        try:
            async with connect(
                f"ws://{LOOPBACK}:{site.port}/ws/bell/?thread={person.thread}",
                additional_headers=headers,
                open_timeout=5,
            ):
                accepted += 1
                note(f"accepted: {origin!r}")
        except Exception:  # refused, in whatever way
            continue
    table.add(f"hostile origins, {sizes.origins}", f"{accepted} accepted", "0 accepted", accepted == 0)


# ------------------------------------------------------------------------------------------------


async def run(site: Site, sizes: Sizes, only: str) -> Table:
    from ._people import people

    table = Table()
    wants = lambda name: only in ("", name)  # noqa: E731
    if wants("faults"):
        rooms = people(sizes.threads, sizes.clients // sizes.threads, prefix="f")
        show_faults(await converse(site, sizes, rooms), sizes, table)
    if wants("storm"):
        await storm(site, sizes, people(sizes.storm // 2, 2, prefix="s"), table)
    if wants("sleeping"):
        await sleeping(site, sizes, people(1, 2, prefix="z")[0], table)
    if wants("revocation"):
        await revocation(site, people(sizes.revocations, 2, prefix="r"), table)
    if wants("origins"):
        await origins(site, sizes, people(1, 2, prefix="o")[0][0], table)
    return table


def in_parts(sizes: Sizes, options: argparse.Namespace) -> int:
    """The conversation under faults in parts, each by a process of its own; those the file keeps are not run again."""
    path = Path(options.keep or f"{tempfile.gettempdir()}/messages-faults-{options.parts}.jsonl")
    command = [sys.executable, "-m", "chaos.messages", "--parts", str(options.parts), "--keep", str(path)]
    command += ["--messages", str(sizes.messages), "--template", options.template]
    for part in range(1, options.parts + 1):
        if part in _parts.kept(path) or (options.until and time.monotonic() - BEGAN > options.until):
            continue
        note(f"part {part} of {options.parts}")
        subprocess.run([*command, "--part", str(part)], check=False, stdin=subprocess.DEVNULL)
    done = _parts.kept(path)
    table = Table()
    if done:
        show_faults(_parts.summed(list(done.values())), sizes, table)
    table.add("parts that ran", f"{len(done)} of {options.parts} ({path})", "all", len(done) == options.parts)
    return 0 if table.is_good else 1


def one_part(sizes: Sizes, options: argparse.Namespace) -> int:
    from ._people import people, set_up

    own = _parts.share(sizes, options.part, options.parts)
    with Site(template=options.template) as site:
        set_up(site)
        rooms = people(own.threads, own.clients // own.threads, prefix="f")
        _parts.keep(Path(options.keep), options.part, asyncio.run(converse(site, own, rooms)))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the edition of the test suite")
    parser.add_argument("--messages", type=int, help="how many messages under faults")
    parser.add_argument("--only", default="", choices=["faults", "storm", "sleeping", "revocation", "origins"])
    parser.add_argument("--control", default="", choices=sorted(CONTROLS), help="take a safeguard out")
    parser.add_argument("--template", default="", help="database to copy the schema from (postgresql://…)")
    parser.add_argument("--parts", type=int, default=0, help="the faults in so many parts, each a site of its own")
    parser.add_argument("--part", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--keep", default="", help="file of the parts that are done; they are not run again")
    parser.add_argument("--until", type=float, default=0, help="begin no further part after so many seconds")
    options = parser.parse_args()
    sizes = Sizes.small() if options.small else Sizes()
    if options.messages:
        sizes.messages = options.messages
    if options.parts:
        return one_part(sizes, options) if options.part else in_parts(sizes, options)
    site = Site(template=options.template)
    site.extra |= {"CONTROL": options.control, "DOOR_LOG": f"{site.folder}/door"}
    with site:
        if options.control == "dedup":
            site.sql("alter table messaging_message drop constraint message_sent_once")
        from ._people import set_up

        set_up(site)
        table = asyncio.run(run(site, sizes, CONTROLS.get(options.control, options.only)))
    if options.control:
        sys.stdout.write(
            "the control shows the damage\n" if not table.is_good else "THE HARNESS IS VOID: no damage seen\n"
        )
        return 1 if table.is_good else 0
    return 0 if table.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
