"""Files out: rows a second and memory of each format, over the resources the database holds; also the figure's check.

Called by itself (script/bench exports [ROWS]) or by bench/supply.py through measure(). A verified organisation exports
the published resources there are, in the columns of an own list and past the cap on what a map's export may hold;
blurred ones blurred. Changes nothing; files go to a temporary folder. A quarter of the time is worth knowing apart:
seconds of processor used by PostgreSQL and by us, since on a busy machine the wall clock says little.
"""

import contextlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WANTED_ROWS_PER_S = 50_000
FORMATS = ("csv", "geojson", "xlsx", "gpkg")
MIB = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """One format: rows written, seconds of wall clock, seconds of processor (database, own process), memory grown."""

    format: str
    rows: int
    wall_s: float
    database_cpu_s: float
    own_cpu_s: float
    grown_mib: float
    size_mib: float

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.wall_s

    @property
    def undisturbed_rows_per_s(self) -> float:
        """What the slower of the two processes could do with a processor of its own."""
        return self.rows / max(self.database_cpu_s, self.own_cpu_s, 1e-9)


def _backend_cpu_s(pid: int) -> float:
    """User and system time of the database process that serves us; 0 where /proc does not show it."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _rss_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(formats: tuple[str, ...] = FORMATS, *, rows_most: int | None = None) -> Iterator[Measured]:
    """One measurement per format. rows_most cuts the list (by id)."""
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Membership
    from listings.exports import make
    from listings.models import ExportJob, Resource

    readers = Membership.objects.select_related("organisation__region", "user").order_by("pk")
    reader = readers.filter(organisation__verified_at__isnull=False, ended_at=None).first()
    if reader is None:
        sys.exit("No verified organisation has a member: load the demonstration world first.")
    ids = Resource.objects.published().order_by("pk").values_list("pk", flat=True)
    last = next(iter(ids[rows_most - 1 : rows_most]), None) if rows_most else None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with tempfile.TemporaryDirectory() as folder, _cut_at(make, last):
        for name in formats:
            job = ExportJob(
                organisation=reader.organisation, membership=reader, created_by=reader.user, format=name, scope="own",
                language="zh-hans", created_at=timezone.now(),
            )  # fmt: skip
            path = Path(folder) / "file"
            before = (time.perf_counter(), _backend_cpu_s(pid), time.process_time(), _rss_mib())
            _counts, rows = make.produce(job, reader, path)
            after = (time.perf_counter(), _backend_cpu_s(pid), time.process_time(), _rss_mib())
            spent = [b - a for a, b in zip(before, after, strict=True)]
            yield Measured(name, rows, *spent, path.stat().st_size / MIB)
            path.unlink()


@contextlib.contextmanager
def _cut_at(make: Any, last: int | None) -> Iterator[None]:
    """Every published resource, or those up to this id."""
    from listings.models import Resource

    whole = make.rows_of

    def rows(_job: Any, reader: Any) -> Any:
        seen = Resource.objects.visible_to(reader).published()
        return seen if last is None else seen.filter(pk__lte=last)

    make.rows_of = rows
    try:
        yield
    finally:
        make.rows_of = whole


GROWN_MOST_MIB = 200  # "memory flat": buffers and compressors, not rows


def run(*, quick: bool = False) -> bool:
    """Prints the table; whether every format is fast and flat enough. For bench/supply.py."""
    from bench import _servers

    _servers.say(_servers.load())
    is_good = _table(100_000 if quick else 1_000_000)
    _servers.say(_servers.load())
    return is_good


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    import django

    django.setup()
    _table(int(sys.argv[1]) if len(sys.argv) > 1 else None)


def _table(rows_most: int | None) -> bool:
    is_good = True
    write = sys.stdout.write
    write("| format | rows | rows/s | s | CPU s database | CPU s own | rows/s alone | grown MiB | file MiB |\n")
    write("|---|---|---|---|---|---|---|---|---|\n")
    for m in measure(rows_most=rows_most):
        write(
            f"| {m.format} | {m.rows:,} | {m.rows_per_s:,.0f} | {m.wall_s:.1f} | {m.database_cpu_s:.1f} |"
            f" {m.own_cpu_s:.1f} | {m.undisturbed_rows_per_s:,.0f} | {m.grown_mib:.0f} | {m.size_mib:.0f} |\n"
        )
        sys.stdout.flush()
        is_good &= m.rows_per_s >= WANTED_ROWS_PER_S and m.grown_mib <= GROWN_MOST_MIB
    write(f"\nWanted: {WANTED_ROWS_PER_S:,} rows/s with 1,000,000 rows, memory grown at most {GROWN_MOST_MIB} MiB.\n")
    return is_good


if __name__ == "__main__":
    main()
