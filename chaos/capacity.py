"""Capacity under faults: nothing oversold, nothing acknowledged lost, nothing doubled, the count never drifts.

Clients hold and release mixed quantities over HTTP at a private site (two web processes, PostgreSQL), each attempt
tried again with its key until it is answered, while web processes and database backends are killed; then the same at
the action alone, in processes of its own. At the end the locks are taken out and the same rush must oversell, or the
harness is void. script/chaos capacity runs all of it; --small a minute of it; each size has an option.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import statistics
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal

from ._browser import Line, Person
from ._holds import UNLOCKED
from ._site import LOOPBACK, Site
from .messages import Table, note

UNITS_PER_ATTEMPT = 3.5  # 1 1/3 pools of 1 to 4 units
PATIENCE_S = 30.0  # 200 clients at two processes: an answer may wait its turn for some seconds


@dataclass
class Sizes:
    """How much of everything. The issue's figures are the defaults; small() is a short edition."""

    attempts: int = 10_000
    clients: int = 200
    pools: int = 20
    web_kills: int = 50
    backend_kills: int = 10
    direct: int = 100_000
    workers: int = 4

    @classmethod
    def small(cls) -> "Sizes":
        return cls(400, 40, 4, 2, 1, 1_000, 2)

    def units(self, attempts: int) -> int:
        """Of each pool: a third of what is asked altogether, so that most of the rush meets full pools."""
        return max(8, int(attempts * UNITS_PER_ATTEMPT / self.pools / 3))


@dataclass
class Holder:
    """One client: what it asked, what it was told."""

    person: Person
    port: int
    name: str
    pools: list[int]
    held: dict[str, dict[int, int]] = field(default_factory=dict)  # key → {pool: units}, acknowledged
    released: set[str] = field(default_factory=set)  # acknowledged
    refused: set[str] = field(default_factory=set)
    statuses: list[int] = field(default_factory=list)  # answers that were not final
    waits: list[tuple[float, float]] = field(default_factory=list)  # (asked first, answered)

    def __post_init__(self):
        self.dice = random.Random(self.name)
        self.line = Line(LOOPBACK, self.port, self.person, timeout=PATIENCE_S)

    @property
    def done(self) -> int:
        return len(self.waits)

    async def attempt(self) -> None:
        chosen = self.dice.sample(self.pools, self.dice.choice([1, 1, 2]))
        quantities = {pool: self.dice.randint(1, 4) for pool in chosen}
        key, began = str(uuid.UUID(int=self.dice.getrandbits(128), version=4)), time.monotonic()
        form = {"quantities": json.dumps(quantities), "key": key}
        status = await self._until_answered("/holds/", form, (201, 409))
        self.waits.append((began, time.monotonic()))
        if status == 409:
            self.refused.add(key)
            return
        self.held[key] = quantities
        if self.dice.random() < 0.3:
            await self._until_answered("/holds/release/", {"key": key}, (200,))
            self.released.add(key)

    async def _until_answered(self, path: str, form: dict, final: tuple[int, ...]) -> int:
        pause = 0.1
        while True:
            try:
                if self.dice.random() < 0.02:  # the line breaks before the answer comes
                    asyncio.get_running_loop().call_later(self.dice.uniform(0.001, 0.05), self.line.cut)
                status, _, _ = await self.line.ask("POST", path, form)
                if status in final:
                    return status
                self.statuses.append(status)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
                pass
            await asyncio.sleep(pause * self.dice.uniform(0.5, 1.5))
            pause = min(2.0, pause * 2)


def make_pools(count: int, units: int) -> list[int]:
    """Of so many towers, one pool each."""
    from listings.models import CapacityPool
    from tests.world import make_organisation, make_resource

    owner = make_organisation("Chaos Owner of pools")
    ids = []
    for i in range(count):
        pool = make_resource(owner, name=f"Chaos tower {i}").pools.get()
        CapacityPool.objects.filter(pk=pool.pk).update(total=units)
        ids.append(pool.pk)
    return ids


async def rush(site: Site, sizes: Sizes, people: list[Person], pools: list[int]) -> tuple[list[Holder], float]:
    """All attempts, through all faults; the clients with what they were told, and when the last fault was."""
    clients = [Holder(person, site.port, f"h{i}", pools) for i, person in enumerate(people)]
    share = sizes.attempts // len(clients)
    working = [asyncio.create_task(_work(client, share)) for client in clients]
    last_fault = await _faults(site, sizes, clients, share * len(clients))
    await asyncio.gather(*working)
    for client in clients:
        client.line.cut()
    return clients, last_fault


def over_http(site: Site, sizes: Sizes, people: list[Person], table: Table) -> None:
    pools = make_pools(sizes.pools, sizes.units(sizes.attempts))
    began = time.monotonic()
    clients, last_fault = asyncio.run(rush(site, sizes, people, pools))
    took = time.monotonic() - began
    done = sum(c.done for c in clients)
    told = Told.of(clients)
    note(f"{done} attempts by {len(clients)} clients: {len(told.held)} held, {len(told.refused)} refused, "
         f"in {took:.0f} s ({done / took:.0f}/s); {sizes.web_kills} × kill −9 web, {sizes.backend_kills} backends; "
         f"load average {os.getloadavg()[0]:.1f}")  # fmt: skip
    statuses = Counter(status for client in clients for status in client.statuses)
    note(f"answers tried again: {dict(statuses) or 'none'}")
    stuck = sum(asked < last_fault and answered > last_fault + 10 for c in clients for asked, answered in c.waits)
    judge(table, found(told, pools), told)
    table.add("keys unanswered 10 s after the site is back", str(stuck), "0", stuck == 0)


async def _work(client: Holder, share: int) -> None:
    for _ in range(share):
        await client.attempt()


async def _faults(site: Site, sizes: Sizes, clients: list[Holder], total: int) -> float:
    """Spread over the run by how much was answered. Loop time at which the site answered again after the last one."""
    dice = random.Random(7)
    kinds = ["web"] * sizes.web_kills + ["backend"] * sizes.backend_kills
    dice.shuffle(kinds)
    for i, kind in enumerate(kinds):
        while sum(client.done for client in clients) < total * 0.95 * (i + 1) / len(kinds):
            await asyncio.sleep(0.05)
        note(f"{sum(client.done for client in clients)} of {total} answered: {kind}")
        if kind == "web":
            await asyncio.to_thread(site.kill_web, dice.randrange(10))
        else:
            await _kill_backend(site)
    at = time.monotonic()
    await asyncio.to_thread(site.wait_for_web)  # the kill may have met the only process that had started already
    note(f"the site answered again {time.monotonic() - at:.1f} s after the last fault")
    return time.monotonic()


async def _kill_backend(site: Site) -> None:
    """One, once the database takes questions: it may still be recovering from the one before."""
    for _ in range(300):
        with contextlib.suppress(RuntimeError):
            if await asyncio.to_thread(site.kill_backend):
                return
        await asyncio.sleep(0.1)
    raise RuntimeError("no database backend was found to kill")


@dataclass
class Told:
    """What clients were told, by key."""

    held: dict[str, dict[int, int]]
    released: set[str]
    refused: set[str]

    @classmethod
    def of(cls, clients: list[Holder]) -> "Told":
        return cls(
            {key: units for client in clients for key, units in client.held.items()},
            {key for client in clients for key in client.released},
            {key for client in clients for key in client.refused},
        )


@dataclass
class Found:
    """What the database holds against what clients were told; everything but full must be 0."""

    oversold: int
    units: Decimal
    full: int
    pools: int
    lost: int
    wrong: int
    doubled: int
    drift: int


def found(told: Told, pools: list[int]) -> Found:
    """Summed anew from the reservations, not by the product's own count."""
    from django.db import connection

    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT idempotency_key::text, pool_id, quantity, state FROM listings_reservation WHERE pool_id = ANY(%s)",
            [pools],
        )
        rows = cursor.fetchall()
        cursor.execute("SELECT id, total - in_use, taken, pool_peak(id) FROM listings_capacitypool WHERE id = ANY(%s)",
                       [pools])  # fmt: skip
        counted = cursor.fetchall()
    kept: dict[int, Decimal] = dict.fromkeys(pools, Decimal(0))
    stored: dict[str, dict[int, Decimal]] = {}
    doubled = wrong = 0
    for key, pool, quantity, state in rows:
        doubled += pool in stored.setdefault(key, {})
        stored[key][pool] = quantity
        kept[pool] += quantity if state in ("held", "confirmed") else 0
        wrong += (state == "released") != (key in told.released)
    return Found(
        oversold=sum(kept[pool] > room for pool, room, _, _ in counted),
        units=sum((max(Decimal(0), kept[pool] - room) for pool, room, _, _ in counted), Decimal(0)),
        full=sum(kept[pool] >= room - 3 for pool, room, _, _ in counted),
        pools=len(pools),
        lost=sum(stored.get(key) != units for key, units in told.held.items()),
        wrong=wrong,
        doubled=doubled + sum(key in told.refused or key not in told.held for key in stored),
        drift=sum(taken != peak or taken != kept[pool] for pool, _, taken, peak in counted),
    )


def judge(table: Table, seen: Found, told: Told) -> None:
    over = f"{seen.oversold} ({seen.units:f} units; {seen.full} of {seen.pools} full)"
    table.add("pools oversold", over, "0", seen.oversold == 0)
    table.add("  pools filled: without, nothing was tried", str(seen.full), "≥ 1", seen.full > 0)
    table.add("acknowledged holds lost or changed", str(seen.lost), f"0 of {len(told.held)}", seen.lost == 0)
    table.add("acknowledged releases lost", str(seen.wrong), f"0 of {len(told.released)}", seen.wrong == 0)
    table.add("doubled, or held though refused", str(seen.doubled), "0", seen.doubled == 0)
    table.add("pools whose count drifts", str(seen.drift), "0", seen.drift == 0)


# --- The action alone ---------------------------------------------------------------------------


def _direct(number: int, share: int, pools: list[int], user_id: int, organisation_id: int, out) -> None:
    """One process: holds and releases, one after the other; what it was told goes into the queue."""
    import django

    django.setup()
    from accounts.errors import Refused
    from accounts.models import Organisation, User
    from listings.actions import capacity

    from . import _holds

    dice, by = random.Random(number), User.objects.get(pk=user_id)
    organisation = Organisation.objects.get(pk=organisation_id)
    held, released, refused, times = {}, set(), set(), []
    first = time.time()
    for _ in range(share):
        chosen = dice.sample(pools, dice.choice([1, 1, 2]))
        quantities = {pool: dice.randint(1, 4) for pool in chosen}
        key, began = uuid.UUID(int=dice.getrandbits(128), version=4), time.monotonic()
        while True:
            try:
                made = _holds.hold({p: Decimal(q) for p, q in quantities.items()}, organisation, by, key)
            except Refused as refusal:
                if refusal.code == "busy":
                    continue
                refused.add(str(key))
                break
            held[str(key)] = quantities
            if dice.random() < 0.9:  # room again, so that most attempts find some
                capacity.release(reservations=made, by=by)
                released.add(str(key))
            break
        times.append(time.monotonic() - began)
    out.put((held, released, refused, times, first, time.time()))


def at_the_action(sizes: Sizes, person: Person, table: Table) -> None:
    pools = make_pools(sizes.pools, sizes.units(sizes.direct) // 8)  # nine holds of ten are given back at once
    from django.db import connection

    connection.close()
    spawn = multiprocessing.get_context("spawn")
    out, share = spawn.Queue(), sizes.direct // sizes.workers
    workers = [
        spawn.Process(target=_direct, args=(i, share, pools, person.user, person.organisation, out))
        for i in range(sizes.workers)
    ]
    for worker in workers:
        worker.start()
    answers = [out.get(timeout=7_200) for _ in workers]
    for worker in workers:
        worker.join()
    told = Told({k: q for a in answers for k, q in a[0].items()}, {k for a in answers for k in a[1]},
                {k for a in answers for k in a[2]})  # fmt: skip
    times = [one for answer in answers for one in answer[3]]
    took = max(answer[5] for answer in answers) - min(answer[4] for answer in answers)
    acts, load = len(times) + len(told.released), os.getloadavg()[0]
    note(f"{len(times)} attempts at the action, {len(told.refused)} of them refused, and {len(told.released)} releases "
         f"in {took:.0f} s by {sizes.workers} processes ({acts / took:.0f} transactions/s); "
         f"load average {load:.1f}")  # fmt: skip
    judge(table, found(told, pools), told)
    rate, p99 = len(times) / took, statistics.quantiles(times, n=100)[98] * 1000
    table.add("attempts a second at the action", f"{rate:.0f}", "≥ 500", rate >= 500)
    table.add("  p99 of one, with its release", f"{p99:.0f} ms", "≤ 500 ms", p99 <= 500)


def control(site: Site, sizes: Sizes, people: list[Person], table: Table) -> None:
    """The same rush at web processes whose locks are taken out, and a database without its rule: it must oversell."""
    site.sql(UNLOCKED)
    site.extra["CONTROL"] = "lock"
    for _ in range(len(site.web)):
        site.kill_web(0)
    site.wait_for_web()
    attempts = max(len(people) * 4, min(sizes.attempts, 2_000))
    few = replace(sizes, attempts=attempts, pools=min(sizes.pools, 4), web_kills=0, backend_kills=0)
    pools = make_pools(few.pools, few.units(attempts))
    clients, _ = asyncio.run(rush(site, few, people, pools))
    seen = found(Told.of(clients), pools)
    over = f"{seen.oversold} of {seen.pools} ({seen.units:f} units)"
    table.add("control: pools oversold without the locks", over, "≥ 1, or void", seen.oversold > 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/chaos capacity", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a minute of it")
    parser.add_argument("--only", choices=["http", "action", "control"], help="one part")
    parser.add_argument("--template", default="", help="copy the schema from this database (as libpq names it)")
    for size in fields(Sizes):
        parser.add_argument(f"--{size.name.replace('_', '-')}", type=int, default=None, metavar="N")
    chosen = parser.parse_args()
    given = {size.name: value for size in fields(Sizes) if (value := getattr(chosen, size.name)) is not None}
    sizes, table = replace(Sizes.small() if chosen.small else Sizes(), **given), Table()
    with Site(web=2, durable=True, template=chosen.template) as site:
        from ._people import people, set_up

        set_up(site)
        (room,) = people(1, sizes.clients, prefix="h")
        if chosen.only in (None, "http"):
            over_http(site, sizes, room, table)
        if chosen.only in (None, "action"):
            at_the_action(sizes, room[0], table)
        if chosen.only in (None, "control"):
            control(site, sizes, room, table)
    return 0 if table.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
