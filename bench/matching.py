"""Matching: whole runs over 2 million resources, its candidates, quality, growth and routes, against three peers.

Makes lists of its own in the database DATABASE_URL names, measures, and takes them away again. The supply is what the
database holds: `manage.py synth --resources 2000000` makes it up, best in a database of its own; --grow makes it up in
steps and measures the growth in resources on the way. Peers get the same lists in the same run: a GeoPandas script
(installed by pip into a folder of its own under .local/bench), the loop over lines a Django team would write first,
and pgr_dijkstra. Exit status 1 when a figure is over its limit.
script/bench matching [--lines N] [--only runs,…] [--resume]
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".local" / "bench" / "geopandas"
KEPT = ROOT / ".local" / "bench" / "matching.json"
PACKAGES = ("geopandas==1.2.0", "psycopg2-binary==2.9.13")
PARTS = ("runs", "candidates", "growth", "large", "quality", "routes")
LOOP_LINES = 300  # of the loop's lines are measured, and scaled up
Say = Callable[[str], None]
Row = tuple[str, str, str, bool]


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def whole_run(list_id: int, since: int | None = None) -> dict[str, Any]:
    """A run in a process of its own: {"seconds", "stages", "figures", "mb", "run"}."""
    command = [sys.executable, "-m", "bench._matching_run", str(list_id), *([str(since)] if since else [])]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def runs(lines: int, say: Say) -> list[Row]:
    """Whole runs of lists with unit and with mixed quantities, and the memory they take."""
    from bench._matching_world import lists

    rows: list[Row] = []
    with lists((lines, False), (lines, True)) as (unit, mixed):
        whole_run(unit)  # what PostgreSQL reads the first time is then at hand for both
        found = [whole_run(unit) for _ in range(3)]
        best = min(found, key=lambda one: one["seconds"])
        say(f"  unit: {[round(one['seconds'], 1) for one in found]} s, {best['stages']}, {load()}")
        say(f"  {_short(best['figures'])}")
        rows.append(_at_most(f"{lines:,} lines, unit quantities, whole run", best["seconds"], 5.0, "s"))
        heavy = whole_run(mixed)
        say(f"  mixed: {heavy['seconds']:.1f} s, {heavy['stages']}, {load()}; {_short(heavy['figures'])}")
        rows.append(_at_most(f"{lines:,} lines, mixed quantities, whole run", heavy["seconds"], 15.0, "s"))
        rows.append(_at_most("memory of the worker", max(best["mb"], heavy["mb"]), 2048.0, "MB"))
        again = whole_run(mixed, heavy["run"])
        say(f"  mixed again, nothing changed: {again['seconds']:.1f} s, {again['stages']}")
        rows.append(
            _at_most("matched again after no change ÷ whole run", again["seconds"] / heavy["seconds"], 1.0, "×")
        )
    return rows


def _short(figures: dict[str, Any]) -> str:
    names = ("lines", "met", "candidates", "possible", "served_bound", "gap_pct", "is_proven")
    return ", ".join(f"{name} {figures[name]}" for name in names)


def _at_most(what: str, value: float, limit: float, unit: str) -> Row:
    return what, f"{value:,.2f} {unit}", f"≤ {limit:,.1f} {unit}", value <= limit


def _at_least(what: str, value: float, limit: float) -> Row:
    return what, f"{value:,.1f} ×", f"≥ {limit:,.0f} ×", value >= limit


def candidates(lines: int, say: Say) -> list[Row]:
    """Our set-based search, and the whole run, against a loop over the lines."""
    from django.utils import timezone

    from bench._matching_loop import loop
    from bench._matching_world import lists
    from matching import candidates as ours

    today = timezone.localdate()
    with lists((lines, False)) as (unit,):
        took = []
        for _ in range(2):
            began = time.monotonic()
            found = ours.find(ours.read_lines(unit, radius_m=500, today=today), today=today)
            took.append(time.monotonic() - began)
        whole_run(unit)
        whole_s = float(whole_run(unit)["seconds"])
        seconds, hits = loop(unit, LOOP_LINES)
        scaled = seconds * lines / LOOP_LINES
        say(f"  candidates {min(took):.2f} s ({len(found.pairs):,} pairs); loop {seconds:.1f} s for {LOOP_LINES} lines"
            f" ({hits} met), so {scaled:.0f} s for {lines:,}; {load()}")  # fmt: skip
    return [
        _at_least("candidates, against a loop over the lines", scaled / min(took), 10),
        _at_least("whole run, against that loop", scaled / whole_s, 2),
    ]


def large(lines: int, say: Say) -> list[Row]:
    """The whole run of a large list against the GeoPandas script."""
    from bench._matching_world import lists

    with lists((lines, False)) as (unit,):
        ours = whole_run(unit)
        say(f"  {lines:,} lines: {ours['seconds']:.1f} s, {ours['mb']} MB, {ours['stages']}, {load()}")
        say(f"  {_short(ours['figures'])}")
        theirs = geopandas(unit)
        say(f"  GeoPandas {theirs['version']}: {theirs['seconds']:.1f} s, {theirs['pairs']:,} pairs, {load()}")
    return [
        _at_least(f"{lines:,} lines, whole run, against GeoPandas", theirs["seconds"] / ours["seconds"], 3),
        _at_most("memory of that run", ours["mb"], 2048.0, "MB"),
    ]


def geopandas(list_id: int) -> dict[str, Any]:
    """The script in its own environment, made on first use."""
    from django.db import connection

    python = PEERS / "bin" / "python"
    if not (PEERS / "ready").exists():
        venv.create(PEERS, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (PEERS / "ready").touch()
    settings = connection.settings_dict
    address = {"dbname": settings["NAME"], "host": settings["HOST"], "user": settings["USER"]}
    address |= {"port": str(settings["PORT"] or ""), "password": settings["PASSWORD"]}
    address = {name: value for name, value in address.items() if value}
    command = [str(python), str(ROOT / "bench" / "_matching_geopandas.py"), json.dumps(address), str(list_id)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def growth(lines: int, say: Say) -> list[Row]:
    """The exponent between a tenth of the lines, the lines, and ten times as many."""
    from bench._matching_world import lists

    sizes = (lines, lines * 3, lines * 10)
    with lists(*((size, False) for size in sizes)) as made:
        took = []
        for one in made:
            whole_run(one)
            took.append(min(float(whole_run(one)["seconds"]) for _ in range(2)))
    rows = ", ".join(f"{size:,}: {seconds:.1f} s" for size, seconds in zip(sizes, took, strict=True))
    say(f"  lines {rows}; {load()}")
    return [_at_most("growth in lines (exponent)", exponent(sizes, took), 1.1, "")]


def exponent(sizes, took) -> float:  # type: ignore[no-untyped-def]
    """Of the power law through the points, by least squares of the logarithms."""
    import numpy as np

    return float(np.polyfit(np.log(sizes), np.log(took), 1)[0])


def grow(lines: int, sizes: tuple[int, ...], say: Say) -> list[Row]:
    """The supply is made up in steps, and the same number of lines matched at each."""
    import datetime as dt

    from bench._matching_world import lists
    from listings.models import Resource
    from listings.synth import store

    took = []
    for step, size in enumerate(sizes, start=1):
        have = Resource.objects.count()
        if have < size:
            store.load(count=size - have, seed=step, day=dt.date(2026, 11, 1), say=lambda line: None)
        with lists((lines, False)) as (unit,):
            whole_run(unit)
            took.append(min(float(whole_run(unit)["seconds"]) for _ in range(2)))
        say(f"  {size:,} resources: {took[-1]:.2f} s, {load()}")
    return [_at_most("growth in resources (exponent)", exponent(sizes, took), 1.1, "")]


def quality(count: int, say: Say) -> list[Row]:
    from bench import _matching_quality

    found = _matching_quality.measure(count, say)
    say(f"  {count} random and {found['real']} real cases in {found['seconds']:.0f} s; more than greedy in"
        f" {found['above_greedy']}, fewer in {found['below_greedy']}; {load()}")  # fmt: skip
    return [
        _at_most("worst gap to the proven bound", found["worst_gap"] * 100, 0.5, "%"),
        _at_most("cases where greedy serves more", found["below_greedy"], 0, ""),
        ("real cases", str(found["real"]), "≥ 5", found["real"] >= 5),
    ]


def routes(count: int, say: Say) -> list[Row]:
    from bench import _matching_routes

    ours, theirs, edges = _matching_routes.measure(count, 10, say)
    return [
        _at_most(f"{count:,} routes over {edges:,} edges, each", ours, 50.0, "ms"),
        _at_least("against pgr_dijkstra one by one", theirs / ours, 20),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--cases", type=int, default=200, help="random cases of the quality set")
    parser.add_argument("--routes", type=int, default=1_000)
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--resume", action="store_true", help="keep the rows of parts the last call measured")
    parser.add_argument("--grow", metavar="N,N,…", help="first make supply up to these sizes, and match at each")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sharing.settings")
    django.setup()
    from listings.models import Resource

    say: Say = lambda line: print(line, flush=True)  # noqa: E731, T201
    say(f"{Resource.objects.count():,} resources, {os.cpu_count()} processors, {load()}")
    measured = _kept() if arguments.resume else {}
    for part in (*(["grow"] if arguments.grow else []), *arguments.only.split(",")):
        if part not in measured:
            say(f"{part}:")
            measured[part] = [[*row, load()] for row in _measure(part, arguments, say)]
            KEPT.parent.mkdir(parents=True, exist_ok=True)
            KEPT.write_text(json.dumps(measured), encoding="utf-8")
    rows = [row for part in ("grow", *PARTS) for row in measured.get(part, ())]
    say(f"\n{'what':56}{'figure':>16}{'goal':>14}  measured at")
    for what, figure, goal, is_held, at in rows:
        say(f"{what:56}{figure:>16}{goal:>14}  {at}{'' if is_held else '  MISSED'}")
    return int(not all(row[3] for row in rows))


def _kept() -> dict[str, list[Any]]:
    """Rows by part of the last call, which may have been broken off."""
    return dict(json.loads(KEPT.read_text(encoding="utf-8"))) if KEPT.exists() else {}


def _measure(part: str, arguments: argparse.Namespace, say: Say) -> list[Row]:
    if part == "grow":
        return grow(arguments.lines, tuple(int(n) for n in arguments.grow.split(",")), say)
    if part in ("runs", "candidates"):
        return {"runs": runs, "candidates": candidates}[part](arguments.lines, say)
    if part == "growth":
        return growth(arguments.lines, say)
    if part == "large":
        return large(arguments.lines * 10, say)
    if part == "quality":
        return quality(arguments.cases, say)
    return routes(arguments.routes, say)


if __name__ == "__main__":
    sys.exit(main())
