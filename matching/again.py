"""Matching again after a change: what an earlier run of the list settled and nothing since can have touched is kept.

A line's fingerprint (core.fingerprints) says whether anything it could be given has changed. A line is matched anew
when its own changed, or that of a line it competes with, however indirectly, now or in the earlier run. The others have
the same options, shared with the same lines, as before: an allocation that solves every component by itself gives them
the same again. See docs/adr/0057.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import wire
from .candidates import Candidates, Lines
from .core.fingerprints import fingerprints
from .core.problem import BoolArray, IntArray, Solution
from .models import MatchRun

RESULTS = """
SELECT line_id, coalesce(fingerprint, -1), coalesce(component, -1), verdict = 'met' AND resource_id IS NOT NULL
  FROM matching_matchresult WHERE run_id = %(run)s ORDER BY id
"""
GIVEN = """
SELECT m.line_id, a.pool_id FROM matching_allocation a JOIN matching_matchresult m ON m.id = a.result_id
 WHERE m.run_id = %(run)s
"""
NOT_DECIDING = ("since", "time_limit_s")  # parameters that may differ between the two


@dataclass(frozen=True)
class Base:
    """An earlier run as far as it can be kept: columns of its results in the order of its lines."""

    run_id: int
    line: IntArray
    fingerprint: IntArray
    component: IntArray
    is_met: BoolArray
    given_line: IntArray
    given_pool: IntArray
    unproven: dict[int, tuple[int, int]]  # component → what its bounds lie above what was reached


def base_of(parameters: Mapping[str, Any], list_id: int) -> Base | None:
    """The run that parameters name under "since"; None where it cannot be kept from.

    That is: not finished, of another list, with other parameters, from before fingerprints were kept, or with a seed or
    fair shares, which look at the whole list.
    """
    since = parameters.get("since")
    if not since or int(parameters.get("seed", 1)) != 1 or parameters.get("fairness"):
        return None
    run = MatchRun.objects.filter(pk=since, demand_list=list_id, state=MatchRun.State.DONE).first()
    if run is None or _deciding(run.parameters) != _deciding(parameters):
        return None
    rows = wire.fetch(RESULTS, {"run": run.pk}, {"line": "i8", "fingerprint": "i8", "component": "i8", "is_met": "b"})
    if not len(rows["line"]) or (rows["fingerprint"] < 0).any():
        return None
    given = wire.fetch(GIVEN, {"run": run.pk}, {"line": "i8", "pool": "i8"})
    unproven = {int(line): (int(one), int(two)) for line, (one, two) in run.figures.get("unproven", {}).items()}
    return Base(
        run.pk,
        rows["line"],
        rows["fingerprint"],
        rows["component"],
        rows["is_met"],
        given["line"],
        given["pool"],
        unproven,
    )


def _deciding(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name not in NOT_DECIDING}


def fingerprints_of(lines: Lines, near: Candidates) -> IntArray:
    """(lines,): of what was asked (but for the line's number) and all that is to be known of its pairs."""
    asked = [values for name, values in lines.columns.items() if name not in ("id", "number")]
    keys = (near.resource_ids, near.room_ids, near.available_from)
    return fingerprints(asked, len(lines), near.pairs, keys, near.pool_keys, near.slices, lines.starts, lines.ends)


@dataclass(frozen=True)
class Kept:
    """is_kept: (lines,) whether the line's allocation is that of the earlier run. choice: (lines,) its option among
    the possible pairs, −1. unproven: as in Solution, for components kept."""

    is_kept: BoolArray
    choice: IntArray
    unproven: dict[int, tuple[int, int]]


def kept(
    base: Base, lines: Lines, near: Candidates, fingerprint: IntArray, component: IntArray, possible: IntArray
) -> Kept | None:
    """What of the earlier run stands. component: (lines,) of now. None where lines changed places with one another."""
    order = np.argsort(base.line, kind="stable")
    at = np.minimum(np.searchsorted(base.line[order], lines.id), len(order) - 1)
    row = np.where(base.line[order[at]] == lines.id, order[at], -1)
    if (np.diff(row[row >= 0]) < 0).any():
        return None
    is_same = (row >= 0) & (base.fingerprint[row] == fingerprint)
    moved = set(base.component[row[(row >= 0) & ~is_same]].tolist())
    moved |= set(base.component[~np.isin(base.line, lines.id)].tolist())
    is_kept = is_same & ~np.isin(base.component[row], np.array(sorted(moved), dtype=np.int64))
    changed = np.zeros(len(lines) + 1, dtype=bool)
    changed[component[~is_kept]] = True
    is_kept &= ~changed[component]
    choice = _choices(base, lines, near, possible, is_kept)
    lost = is_kept & base.is_met[row] & (choice < 0)
    if lost.any():  # an allocation whose pool is gone without a trace: match the whole component anew
        changed[component[lost]] = True
        is_kept &= ~changed[component]
        choice = np.where(is_kept, choice, -1)
    by_id = dict(zip(lines.id.tolist(), is_kept.tolist(), strict=True))
    return Kept(is_kept, choice, {line: more for line, more in base.unproven.items() if by_id.get(line)})


def _choices(base: Base, lines: Lines, near: Candidates, possible: IntArray, is_kept: BoolArray) -> IntArray:
    """(lines,): the option by which each kept line is served, by the pools it was given."""
    given: dict[int, set[int]] = {}
    for line, pool in zip(base.given_line.tolist(), base.given_pool.tolist(), strict=True):
        given.setdefault(line, set()).add(pool)
    choice = np.full(len(lines), -1, dtype=np.int64)
    line_of, pool_of = near.pairs.line[possible], near.pool_keys[near.pairs.pool[possible]]
    room = near.pairs.room_pool[possible]
    room_of = np.where(room >= 0, near.pool_keys[room], 0)
    rows = np.flatnonzero(is_kept[line_of])
    for option, line, key, pool, at in zip(
        rows.tolist(), line_of[rows].tolist(), lines.id[line_of[rows]].tolist(), pool_of[rows].tolist(),
        room_of[rows].tolist(), strict=True,
    ):  # fmt: skip
        if pool in given.get(key, ()) and (not at or at in given[key]):
            choice[line] = option
    return choice


def joined(fresh: Solution, old: Kept, lines: Lines, worth: IntArray, score: IntArray) -> Solution:
    """The fresh solution of the lines matched anew, with what was kept. score: per option."""
    choice = np.where(old.is_kept, old.choice, fresh.choice)
    more = np.flatnonzero(old.choice >= 0)
    served, points = int(worth[more].sum()), int(score[old.choice[more]].sum())
    above = [sum(pair[i] for pair in old.unproven.values()) for i in (0, 1)]
    index = {int(line): i for i, line in enumerate(lines.id.tolist())}
    return Solution(
        choice, fresh.served + served, fresh.served_bound + served + above[0], fresh.score + points,
        fresh.score_bound + points + above[1], shares=fresh.shares, is_fair=fresh.is_fair,
        unproven=fresh.unproven | {index[line]: pair for line, pair in old.unproven.items()},
    )  # fmt: skip
