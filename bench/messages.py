"""Messages: stored per second against a bare view, from one browser to another, memory of an idle socket.

Starts a private site of its own (commits wait for the disk) and ends it. Exit status 1 when a goal is missed.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from uuid import uuid4

from chaos._browser import Client, Line, Person
from chaos._site import LOOPBACK, Site
from chaos.messages import Table, _all_live, note

AT_ONCE = 32
ROWS = ("memory", "stored", "published", "without-redis")


async def _rate(site: Site, lines: list[Line], path, form, seconds: float) -> tuple[float, list[float]]:
    """Answers a second that said 201, and how long each took, with so many requests AT_ONCE, people in turn."""
    stop = time.monotonic() + seconds
    times: list[float] = []
    wrong: list[int] = []

    async def ask(lines: list[Line]) -> None:
        turn = itertools.cycle(lines)
        while (began := time.monotonic()) < stop:
            line = next(turn)
            status, _, _ = await line.ask("POST", path(line.person), form(line.person))
            (times if status == 201 else wrong).append(time.monotonic() - began if status == 201 else status)

    began = time.monotonic()
    await asyncio.gather(*(ask(lines[i::AT_ONCE]) for i in range(min(AT_ONCE, len(lines)))))
    if wrong:
        raise RuntimeError(f"{path(lines[0].person)} answered {sorted(set(wrong))}")
    return len(times) / (time.monotonic() - began), times


async def stored(site: Site, people: list[Person], table: Table, seconds: float) -> None:
    """Rounds in turn, so that what else the machine does meets all of them alike; the median round counts."""
    lines = [Line(LOOPBACK, site.port, person, timeout=60) for person in people]
    views = {
        "bare view, one row": (lambda p: "/bare/", lambda p: {"user": p.user}),
        "bare view that knows who asks": (lambda p: "/bare-signed-in/", lambda p: {}),
        "a message": (
            lambda p: f"/messages/{p.thread}/send/",
            lambda p: {"body": "Is there room for one more antenna at 35 m?", "client_uuid": str(uuid4())},
        ),
    }
    rates: dict[str, list[float]] = {name: [] for name in views}
    for path, form in views.values():  # warm
        await _rate(site, lines, path, form, 2)
    for _ in range(5):
        for name, (path, form) in views.items():
            rates[name].append((await _rate(site, lines, path, form, seconds / 5))[0])
    median = {name: statistics.median(found) for name, found in rates.items()}
    ratios = [one / bare for one, bare in zip(rates["a message"], rates["bare view, one row"], strict=True)]
    signed = [one / bare for one, bare in zip(rates["a message"], rates["bare view that knows who asks"], strict=True)]
    for name, rate in median.items():
        note(f"{name}: {rate:.0f}/s (rounds {', '.join(f'{r:.0f}' for r in rates[name])})")
    note(f"pgbench, single-row commits by {AT_ONCE} clients: {_pgbench(site, AT_ONCE, seconds):.0f}/s")
    ratio = statistics.median(ratios)
    table.add(
        "stored messages against the bare view", f"{ratio:.0%} ({median['a message']:.0f}/s)", "≥ 60 %", ratio >= 0.6
    )
    note(f"against the bare view that knows who asks: {statistics.median(signed):.0%}")


def _pgbench(site: Site, clients: int, seconds: float) -> float:
    site.sql("create table bench_row (id bigserial primary key, at timestamptz not null default now(), text text)")
    script = site.folder / "pgbench.sql"
    script.write_text("insert into bench_row (text) values ('one row');\n")
    done = subprocess.run(
        [str(site.bin / "pgbench"), "-h", str(site.folder / "pg"), "-U", "gongjian", "-n", "-f", str(script), "-c",
         str(clients), "-j", "1", "-T", str(int(seconds)), "gongjian"],
        capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return float(re.search(r"tps = ([0-9.]+)", done.stdout)[1])


async def published(
    site: Site, rooms: list[list[Person]], table: Table, *, per_second: int, seconds: float, without_redis: bool
) -> None:
    """From the post of one person to the other one's browser holding it, all sockets open all the while."""
    seats = [(i, j, person) for i, room in enumerate(rooms) for j, person in enumerate(room)]
    readers = [Client(person, LOOPBACK, site.port, f"{i}-{j}") for i, j, person in seats]
    by_thread = {reader.person.thread: reader for reader in readers[1::2]}
    listening = [asyncio.create_task(reader.listen()) for reader in readers]
    if not await _all_live(readers, 60):
        table.add("sockets open", str(sum(r.is_live for r in readers)), str(len(readers)), False)
    following = [asyncio.create_task(reader.follow()) for reader in by_thread.values()]
    until = time.monotonic() + 60
    while time.monotonic() < until and not all(reader.pulls for reader in by_thread.values()):
        await asyncio.sleep(0.1)  # each page begins with a pull
    await asyncio.sleep(3)
    if without_redis:
        site.kill_redis()
        await asyncio.sleep(3)
    sent: list[tuple[int, int, float]] = []
    stored_after: list[float] = []  # seconds until the author was told
    lines = [Line(LOOPBACK, site.port, room[0], timeout=60) for room in rooms]
    posts = []
    note(f"{len(readers)} sockets are open; {per_second} messages a second from now on")
    began, spent = time.monotonic(), site.cpu_seconds()
    for i in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, began + i / per_second - time.monotonic()))
        posts.append(asyncio.create_task(_post(lines[i % len(lines)], sent, stored_after)))
    await asyncio.gather(*posts)
    _note_shares(site, spent, time.monotonic() - began)
    until = time.monotonic() + 15
    while time.monotonic() < until and any(number not in by_thread[t].latencies for t, number, _ in sent):
        await asyncio.sleep(0.05)
    took = [by_thread[thread].latencies.get(number, float("inf")) - at for thread, number, at in sent]
    for task in [*listening, *following]:
        task.cancel()
    await asyncio.gather(*listening, *following, return_exceptions=True)
    for reader in readers:
        reader.pull_line.cut()
    cuts = statistics.quantiles(took, n=100)
    rate = len(sent) / (time.monotonic() - began)
    spread = f"median {cuts[49] * 1000:.0f} ms, worst {max(took):.2f} s"
    note(f"{len(sent)} messages ({rate:.0f}/s) to {len(readers)} sockets: {spread}")
    answers = statistics.quantiles(stored_after, n=100)
    note(f"the authors' answers: median {answers[49] * 1000:.0f} ms, p99 {answers[98] * 1000:.0f} ms")
    note(f"brought by {sum(reader.brought for reader in by_thread.values())} frames, the others pulled")
    if without_redis:
        table.add("published → other browser, Redis dead", f"worst {max(took):.2f} s", "≤ 6 s", max(took) <= 6)
        site.start_redis()
    else:
        table.add(
            f"published → other browser, {len(readers)} sockets, {per_second}/s", f"p99 {cuts[98] * 1000:.0f} ms",
            "≤ 150 ms", cuts[98] <= 0.15,
        )  # fmt: skip


def _note_shares(site: Site, before: dict[str, float], seconds: float) -> None:
    """Who had the processors meanwhile: the clients share them with the server."""
    shares = {name: (now - before[name]) / seconds for name, now in site.cpu_seconds().items()}
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    note(f"of one processor: {listed}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()}")


async def _post(line: Line, sent: list[tuple[int, int, float]], stored_after: list[float]) -> None:
    at = time.monotonic()
    form = {"body": "hello", "client_uuid": str(uuid4())}
    status, _, content = await line.ask("POST", f"/messages/{line.person.thread}/send/", form)
    if status != 201:
        raise RuntimeError(f"a message was answered with {status}")
    sent.append((line.person.thread, json.loads(content)["number"], at))
    stored_after.append(time.monotonic() - at)


async def memory(site: Site, people: list[Person], table: Table) -> None:
    """Private memory of the web processes before and after so many sockets have opened."""
    from websockets.asyncio.client import connect

    async def hold(person: Person) -> None:
        url = f"ws://{LOOPBACK}:{site.port}/ws/bell/?thread={person.thread}"
        async with connect(
            url, origin=site.address, additional_headers={"Cookie": person.cookie}, compression=None, open_timeout=30
        ):
            opened.append(1)
            await asyncio.sleep(3600)

    opened: list[int] = []
    warm = [asyncio.create_task(hold(person)) for person in people[:50]]
    while len(opened) < 50:
        await asyncio.sleep(0.05)
    await asyncio.sleep(3)
    before = site.memory_kb()
    rest = [asyncio.create_task(hold(person)) for person in people[50:]]
    until = time.monotonic() + 60
    while len(opened) < len(people) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    await asyncio.sleep(5)
    each = (site.memory_kb() - before) / max(1, len(opened) - 50)
    for task in [*warm, *rest]:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*warm, *rest, return_exceptions=True)
    table.add(f"memory of an idle socket, {len(opened)} open", f"{each:.1f} kB", "≤ 60 kB", each <= 60)


async def run(site: Site, options: argparse.Namespace) -> Table:
    from chaos._people import people

    table = Table()
    wants = lambda name: options.only in ("", name)  # noqa: E731
    rooms = people(options.sockets // 2, 2, prefix="b")
    everybody = [person for room in rooms for person in room]
    if wants("memory"):
        await memory(site, everybody, table)
    if wants("stored"):
        await stored(site, [room[0] for room in rooms[:256]], table, options.seconds)
    how = {"per_second": options.rate, "seconds": options.seconds}
    if wants("published"):
        await published(site, rooms, table, without_redis=False, **how)
    if wants("without-redis"):
        await published(site, rooms, table, without_redis=True, **how)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=100, help="messages a second, from browser to browser")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--only", default="", choices=ROWS)
    parser.add_argument("--template", default="", help="database to copy the schema from (postgresql://…)")
    options = parser.parse_args()
    with Site(durable=True, template=options.template) as site:
        from chaos._people import set_up

        set_up(site)
        return 0 if asyncio.run(run(site, options)).is_good else 1


if __name__ == "__main__":
    sys.exit(main())
