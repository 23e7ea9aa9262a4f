# ruff: noqa: E501 -- tables
"""Growth: the same searches over 100,000, 2 million and, if asked, 10 million resources, each in a database of its own."""

import json
import os
import subprocess
import sys
import time
from urllib.parse import quote

from django.db import connection

from bench import _servers

SIZES, SIZES_QUICK = (100_000, 2_000_000), (20_000, 100_000)
GOAL_TIMES = 2.0  # from the first size to the second
REPEATS = 3


def run(*, quick: bool = False) -> bool:
    """Prints the table; whether search grows slowly enough. BENCH_SIZES="100000 2000000 10000000" sets the sizes."""
    asked = os.environ.get("BENCH_SIZES", "").split()
    sizes = [int(size) for size in asked] or list(SIZES_QUICK if quick else SIZES)
    _servers.say(_servers.load())
    _servers.say(f"{'resources':>12} {'made in':>9} {'blocks in':>10} {'on disk':>9} {'search p50':>11} {'p95':>8}")
    p50 = []
    for size in sizes:
        made = _of(size)
        p50.append(made["p50"])
        _servers.say(
            f"{size:>12,} {made['made_s']:>7.0f} s {made['fold_s']:>8.0f} s {made['gb']:>6.1f} GB {made['p50']:>8.1f} ms {made['p95']:>5.1f} ms"
        )
    times = p50[min(1, len(p50) - 1)] / p50[0]
    _servers.say(f"search grows {times:.1f} times from {sizes[0]:,} to {sizes[min(1, len(sizes) - 1)]:,}: goal ≤ {GOAL_TIMES:.0f}, {'met' if times <= GOAL_TIMES else 'MISSED'}; {_servers.load()}")  # fmt: skip
    return times <= GOAL_TIMES


def _of(size: int) -> dict[str, float]:
    """Makes a database of so many resources, measures it in a process of its own, and drops it."""
    settings = connection.settings_dict
    name = f"bench_growth_{size}"
    environment = {**os.environ, "PGUSER": settings["USER"], "PGHOST": settings["HOST"], "PGDATABASE": "postgres"}
    environment |= {"PGPASSWORD": settings["PASSWORD"], "PGPORT": str(settings["PORT"] or "")}
    environment = {key: value for key, value in environment.items() if value}
    host = quote(settings["HOST"], safe="/")
    environment["DATABASE_URL"] = f"postgis://{settings['USER']}@/{name}?host={host}"
    if host.startswith("/"):
        environment["DATABASE_URL"] = f"postgis://{settings['USER']}@/{host}/{name}"
    subprocess.run(["createdb", name], env=environment, check=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench._supply_growth", str(size)], env=environment, check=True, capture_output=True
        )
        return json.loads(done.stdout.splitlines()[-1])
    finally:
        subprocess.run(["dropdb", "--if-exists", "--force", name], env=environment, check=True)


def _measure(size: int) -> dict[str, float]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.http import QueryDict

    from bench._supply_search import boxes, query
    from listings.forms.browse import BrowseForm
    from listings.found import Found
    from listings.models import Resource

    call_command("migrate", verbosity=0)
    call_command("load_regions", stdout=sys.stderr)
    began = time.perf_counter()
    call_command("synth", resources=size, stdout=sys.stderr)
    made_s = time.perf_counter() - began
    began = time.perf_counter()
    _servers.settle()
    fold_s = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SELECT pg_database_size(current_database())")
        size_bytes = cursor.fetchone()[0]
    import random

    dice, took = random.Random(5), []
    for box in boxes(5, 64):
        asked = query(dice, box)
        best = None
        for _ in range(REPEATS):
            began = time.perf_counter()
            criteria = BrowseForm(QueryDict(asked)).criteria
            found = Found(None, criteria)
            found.total  # noqa: B018 -- counts all facets
            found.page(Resource.objects.visible_to(None).published(), 0, 50)
            ms = (time.perf_counter() - began) * 1000
            best = ms if best is None else min(best, ms)
        took.append(best)
    p50, p95 = (_servers.quantile(took, share) for share in (0.5, 0.95))
    return {"made_s": made_s, "fold_s": fold_s, "gb": size_bytes / 1e9, "p50": p50, "p95": p95}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    sys.stdout.write(json.dumps(_measure(int(sys.argv[1]))) + "\n")
