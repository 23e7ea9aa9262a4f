"""Importing 100,000 rows with all rules and the report, against django-import-export and GDAL's bare COPY.

Ours: the whole path of a file, from the upload to stored drafts, with every check and the report. The peers get the
same rows in the same run: django-import-export (installed into a folder of its own under .local/bench) saves them into
the same models with full_clean, fewer rows, scaled up; GDAL reads the CSV and writes COPY, psql runs it (what ogr2ogr
does), without a single rule. Everything is rolled back. script/bench imports [--rows N] [--peer-rows N]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".local" / "bench" / "import-export"
PACKAGES = ("django-import-export==4.4.3", "tablib==3.10.0", "diff-match-patch==20241021")
GOAL_TIMES, GOAL_COPY_SHARE, GOAL_MB = 20, 0.25, 500


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def ours(path: Path, say: Callable[[str], None]) -> tuple[float, dict[str, float]]:
    """(seconds, seconds by stage) for one file through all steps, inside a transaction that is rolled back."""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.db import connection, transaction

    from accounts.models import Membership
    from listings.actions import imports

    members = Membership.objects.select_related("organisation__region", "user")
    owner = members.filter(roles__contains=["editor"], organisation__sector="telecom", ended_at=None).order_by("pk")[0]
    stages: dict[str, float] = {}

    def timed(name: str, act: Callable[[], object]) -> None:
        begun = time.monotonic()
        act()
        stages[name] = time.monotonic() - begun
        say(f"  {name}: {stages[name]:.1f} s, peak {peak_mb()} MB")

    with ExitStack() as stack:
        transaction.set_autocommit(False)
        stack.callback(transaction.set_autocommit, True)
        stack.callback(transaction.rollback)
        file = SimpleUploadedFile("rows.csv", path.read_bytes())
        job, _is_new = imports.upload_file(membership=owner, file=file, kind="tower")
        stack.callback(job.file.storage.delete, job.file.name)
        timed("read", lambda: imports.work(job.pk))
        job.refresh_from_db()
        imports.set_columns(job=job, membership=owner, mapping=job.mapping)
        imports.set_place(job=job, membership=owner, crs="EPSG:4326")
        timed("check", lambda: imports.work(job.pk))
        imports.confirm(job=job, membership=owner)
        timed("store", lambda: imports.work(job.pk))
        with connection.cursor() as cursor:
            timed("keys", lambda: cursor.execute("SET CONSTRAINTS ALL IMMEDIATE"))
        job.refresh_from_db()
        if job.state != "done":
            raise SystemExit(f"The import ended as {job.state}: {job.refusal}")
        say(f"  stored {job.done_count}, left out {job.counts['error']}")
    return sum(stages.values()), stages


def import_export(path: Path, count: int) -> float:
    """Seconds django-import-export takes for the first `count` good rows, in a process of its own."""
    python = PEERS / "bin" / "python"
    if not (PEERS / "ready").exists():
        venv.create(PEERS, with_pip=True, clear=True)
        site = next((PEERS / "lib").glob("python*/site-packages"))
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--no-deps", *PACKAGES], check=True)
        own = [entry for entry in sys.path if entry.endswith("site-packages")]
        (site / "project.pth").write_text("\n".join(own), encoding="utf-8")
        (PEERS / "ready").touch()
    done = subprocess.run(
        [str(python), "-m", "bench._import_export", str(path), str(count)], cwd=ROOT, check=True, capture_output=True
    )
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def bare_copy(path: Path, folder: Path) -> float:
    """Seconds for GDAL to read the CSV and write COPY, and for psql to run it into a table without rules."""
    import pyogrio
    from django.db import connection

    settings = connection.settings_dict
    address = {"PGDATABASE": settings["NAME"], "PGHOST": settings["HOST"], "PGUSER": settings["USER"]}
    address |= {"PGPORT": str(settings["PORT"] or ""), "PGPASSWORD": settings["PASSWORD"]}
    dump = folder / "rows.sql"
    begun = time.monotonic()
    pyogrio.set_gdal_config_options({"PG_USE_COPY": "YES"})
    meta, _index, geometry, fields = pyogrio.raw.read(
        path, X_POSSIBLE_NAMES="经度", Y_POSSIBLE_NAMES="纬度", KEEP_GEOM_COLUMNS="NO"
    )
    placed = [i for i, wkb in enumerate(geometry) if wkb is not None]  # the writer takes no row without a place
    geometry, fields = geometry[placed], [column[placed] for column in fields]
    pyogrio.raw.write(
        dump, geometry, fields, meta["fields"], layer="bench_bare_copy", driver="PGDUMP", geometry_type="Point",
        crs="EPSG:4326", layer_options={"DROP_TABLE": "NO", "CREATE_SCHEMA": "NO"},
    )  # fmt: skip
    environment = os.environ | {key: value for key, value in address.items() if value}
    psql = ["psql", "-q", "-v", "ON_ERROR_STOP=1"]
    try:
        subprocess.run([*psql, "-f", str(dump)], env=environment, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - begun
    finally:
        subprocess.run([*psql, "-c", "DROP TABLE IF EXISTS bench_bare_copy"], env=environment, check=False)


def measure(rows: int = 100_000, peer_rows: int = 5_000, say: Callable[[str], None] = lambda line: None) -> list[tuple]:
    """[(what, goal, reached, whether it holds)]; django.setup() has been called."""
    from bench import _import_rows

    with tempfile.TemporaryDirectory(prefix="bench-imports-") as name:
        folder = Path(name)
        path, good = folder / "rows.csv", folder / "good.csv"
        made = _import_rows.rows(rows, seed=int(time.time()))
        _import_rows.write(path, made)
        _import_rows.write(good, _import_rows.rows(peer_rows, seed=2, bad_share=0))
        del made
        say(f"Ours, {rows} rows")
        seconds, stages = ours(path, say)
        memory = peak_mb()
        say("GDAL's bare COPY of the same file")
        copy_s = bare_copy(path, folder)
        say(f"  {copy_s:.1f} s")
        say(f"django-import-export, {peer_rows} rows")
        peer_s = import_export(good, peer_rows) * rows / peer_rows
        say(f"  {peer_s:.0f} s for {rows} at that pace")
    told = ", ".join(f"{stage} {took:.1f} s" for stage, took in stages.items())
    times, share = peer_s / seconds, copy_s / seconds
    return [
        (f"import {rows} rows, all rules and report", "", f"{seconds:.1f} s, {rows / seconds:,.0f} rows/s", True),
        ("  of it", "", told, True),
        ("  against django-import-export", f">= {GOAL_TIMES} x", f"{times:.1f} x", times >= GOAL_TIMES),
        ("  against GDAL's bare COPY", f">= {GOAL_COPY_SHARE:.0%}", f"{share:.0%}", share >= GOAL_COPY_SHARE),
        ("  memory", f"<= {GOAL_MB} MB", f"{memory} MB", memory <= GOAL_MB),
    ]


def run(*, quick: bool = False) -> bool:
    """Prints the table; whether the goals are met. For bench/supply.py."""
    from bench import _servers

    say(_servers.load())
    table = measure(20_000 if quick else 100_000, 1_000 if quick else 5_000, say)
    for line in table:
        _print(*line)
    say(_servers.load())
    return all(holds for _what, _goal, _reached, holds in table)


def _print(what: str, goal: str, reached: str, holds: bool) -> None:
    say(f"{what:<44} {goal:<10} {reached}{'' if holds else '   MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--peer-rows", type=int, default=5_000)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    django.setup()
    for line in measure(asked.rows, asked.peer_rows, say):
        _print(*line)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
