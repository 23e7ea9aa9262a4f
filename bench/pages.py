"""Every page's time in the server, its queries and its bytes, on the demonstration world.

Each address of the access table that answers GET, every allauth and Wagtail admin page that takes no argument and every
public Wagtail page is asked for by the people of the demonstration world; the one who waits longest is measured.
Everything runs in one transaction that is rolled back, after the worker's packing of the search (done every 5 seconds
where a worker runs). Exit status 1 when a page is over the limit.
"""

import argparse
import logging
import os
import statistics
import sys
import time
from dataclasses import dataclass, field

import django

LIMIT_MS = 100.0
NOT_PAGES = {  # downloads and machine answers: printed, not judged
    "agreement_pdf", "photo_image", "bureau_lists:download", "import_template", "healthz", "readyz",
    "javascript_catalog",
}  # fmt: skip


@dataclass
class Page:
    """One address as one person met it."""

    name: str
    address: str
    role: str
    status: int
    queries: int = 0
    byte_count: int = 0
    repeated: int = 0  # how often the most repeated statement was sent
    database_ms: float = 0.0
    times_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        return statistics.median(self.times_ms)

    @property
    def p95_ms(self) -> float:
        return sorted(self.times_ms)[max(0, round(0.95 * len(self.times_ms)) - 1)]

    @property
    def is_slow(self) -> bool:
        return self.median_ms > LIMIT_MS and self.name not in NOT_PAGES


class Counter:
    """Counts statements, how often the same text came, and the time until each had its first row."""

    def __init__(self):
        self.texts: dict[str, int] = {}
        self.ms: list[tuple[float, str]] = []

    def __call__(self, execute, sql, params, many, context):
        self.texts[sql] = self.texts.get(sql, 0) + 1
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.ms.append(((time.perf_counter() - began) * 1000, sql))


def ask(client, page: Page) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    response = client.get(page.address)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    page.times_ms.append((time.perf_counter() - wall) * 1000)
    page.cpu_ms.append((time.process_time() - cpu) * 1000)
    page.status, page.byte_count = response.status_code, len(body)


def count(client, page: Page) -> Counter:
    from django.db import connection

    counter = Counter()
    with connection.execute_wrapper(counter):
        client.get(page.address)
    page.queries, page.repeated = sum(counter.texts.values()), max(counter.texts.values(), default=0)
    page.database_ms = sum(ms for ms, _sql in counter.ms)
    return counter


def measure(name: str, address: str, clients: dict, rounds: int, broken: list[str]) -> Page | None:
    """The page as the person who waits longest meets it; None where nobody is let in."""
    met = []
    for role, client in clients.items():
        page = Page(name, address, role, 0)
        ask(client, page)  # warms templates and caches
        if page.status in (200, 304):
            ask(client, page)
            met.append(page)
        if page.status >= 500:
            broken.append(f"{name} as {role}: {page.status} {address}")
    if not met:
        return None
    page = max(met, key=lambda one: one.times_ms[-1])
    page.times_ms.clear()
    page.cpu_ms.clear()
    for _ in range(rounds):
        ask(clients[page.role], page)
    count(clients[page.role], page)
    return page


def report(pages: list[Page], missed: list[str], broken: list[str]) -> int:
    out = sys.stdout.write
    times = " ".join(f"{name:>6}" for name in ("best", "median", "p95", "cpu", "db", "kB"))
    out(f"{'page':34} {'as':8} {'code':>4} {'queries':>7} {'same':>4} {times}  (ms)\n")
    for page in sorted(pages, key=lambda one: -one.median_ms):
        mark = "  SLOW" if page.is_slow else ""
        out(
            f"{page.name[:34]:34} {page.role:8} {page.status:4} {page.queries:7} {page.repeated:4} "
            f"{min(page.times_ms):6.0f} {page.median_ms:6.0f} {page.p95_ms:6.0f} {statistics.median(page.cpu_ms):6.0f} "
            f"{page.database_ms:6.0f} {page.byte_count / 1000:6.1f}{mark}\n"
        )
    slow = [page for page in pages if page.is_slow]
    out(f"{len(pages)} addresses, {len(slow)} over {LIMIT_MS:.0f} ms (median)\n")
    if missed:
        out(
            "not measured (a redirect, no such thing in bench/demo_things.py, or nobody is let in): "
            + ", ".join(missed)
            + "\n"
        )
    for line in broken:
        out(f"BROKEN {line}\n")
    return 1 if slow or broken else 0


class Undo(Exception):
    """Rolls back what the measurement needed."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each page is asked for (9)")
    parser.add_argument("--only", default="", help="only addresses whose name holds this text")
    parser.add_argument("--profile", action="store_true", help="print where the time of each page goes")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    django.setup()
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # a role that is refused is no news here
    from django.db import transaction

    from bench.addresses import addresses, clients_of
    from bench.demo_things import things
    from listings.sweeps import fold_search

    pages: list[Page] = []
    missed: list[str] = []
    broken: list[str] = []
    try:
        with transaction.atomic():
            clients, known = clients_of(), things()
            fold_search()
            for name, address in addresses(known):
                if options.only not in name:
                    continue
                page = measure(name, address, clients, options.rounds, broken) if address else None
                if page is None:
                    missed.append(name)
                    continue
                pages.append(page)
                if options.profile:
                    profile(clients[page.role], page)
            raise Undo
    except Undo:
        pass
    return report(pages, missed, broken)


def profile(client, page: Page) -> None:
    import cProfile
    import pstats

    sys.stdout.write(f"\n=== {page.name} {page.address} as {page.role}\n")
    for ms, sql in sorted(count(client, page).ms, reverse=True)[:6]:
        sys.stdout.write(f"{ms:6.1f} ms  {sql[:900]}\n")
    profiler = cProfile.Profile()
    profiler.enable()
    client.get(page.address)
    profiler.disable()
    pstats.Stats(profiler, stream=sys.stdout).sort_stats("cumulative").print_stats(60)


if __name__ == "__main__":
    sys.exit(main())
