"""One matching computed from the database's present state, and nothing stored: runs and what-ifs share it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from . import again, candidates, proposals, routes
from .candidates import Candidates, Lines
from .core import reasons
from .core.allocation import allocate, greedy
from .core.criteria import fit, margins, scores, standings
from .core.problem import BoolArray, FloatArray, IntArray, Pairs, Problem, Solution, Weights
from .core.reasons import Unmet
from .proposals import Draft
from .routes import Routed

CURVE_POINTS = 24  # of how many lines a relaxation frees, by how far it goes
ALTERNATIVES = 3  # other fitting resources kept per line
TIME_LIMIT_S = 60.0
EQUAL_WORTH = (1, 1, 1)  # what serving a line of high, normal and low priority counts for; see docs/adr/0023

Tell = Callable[[str, float], None]


@dataclass
class Found:
    """What a matching found, per line of `lines` and per pair of `near` (within limits) and `beyond` (unmet lines).

    chosen: (lines,) pair of near that serves the line, −1 unmet. score: per pair of near.
    """

    lines: Lines
    near: Candidates
    beyond: Candidates
    score: FloatArray
    chosen: IntArray
    solution: Solution
    possible: int
    unmet: Unmet
    alternatives: IntArray
    component: IntArray  # (lines,): the smallest index among the lines it competes with, however indirectly
    fingerprint: IntArray  # (lines,), see core.fingerprints
    is_kept: BoolArray  # (lines,): met as in the earlier run `since`, whose row is copied
    since: int | None = None
    freed: dict[str, dict[str, Any]] = field(default_factory=dict)
    routed: list[Routed] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)

    @property
    def by_route(self) -> dict[int, Routed]:
        """Line → its route, for lines met by one."""
        return {routed.line: routed for routed in self.routed if routed.ways}

    def figures(self) -> dict[str, Any]:
        """The run's figures: JSON, kept with the run."""
        met = self.chosen[self.chosen >= 0]
        cost = self.near.pairs.cost_fen[met]
        solution = self.solution
        return {
            "lines": len(self.lines),
            "met": int(len(met)) + len(self.by_route),
            "unmet": int(len(self.lines) - len(met)) - len(self.by_route),
            "met_by_route": len(self.by_route),
            "proposals": len(self.drafts),
            "cost_fen_per_year": int(np.nansum(cost)) + sum(r.ways[0].cost_fen for r in self.by_route.values()),
            "to_be_negotiated": int(np.isnan(cost).sum()),
            "candidates": len(self.near.pairs),
            "possible": self.possible,
            "served": solution.served,
            "served_bound": solution.served_bound,
            "objective": round(solution.objective, 4),
            "bound": round(solution.bound, 4),
            "gap": round(solution.gap, 6),
            "gap_pct": round(solution.gap * 100, 2),
            "is_proven": solution.is_proven,
            "unproven": {str(int(self.lines.id[line])): list(more) for line, more in solution.unproven.items()},
            "since": self.since,
            "kept": int(self.is_kept.sum()),
            "duplicates": self.lines.duplicates,
            "is_fair": solution.is_fair,
            "shares": {str(operator): list(share) for operator, share in solution.shares.items()},
            "relaxations": [{"criterion": name} | figures for name, figures in self.freed.items()],
            "bindings": {
                name: int((self.unmet.binding == code).sum())
                for code, name in enumerate(reasons.BINDINGS)
                if (self.unmet.binding == code).any()
            },
        }


def compute(
    list_id: int,
    parameters: Mapping[str, Any],
    *,
    today: date,
    tell: Tell = lambda stage, pct: None,
    only: list[int] | None = None,
    with_reasons: bool = True,
) -> Found:
    """parameters: radius_m, weights, seed, and perhaps worth (3 numbers), fairness (0..1), without (resource ids),
    since (an earlier run, of which is kept what nothing can have touched).

    only: line ids; the others are left out of account.
    """
    without = [int(pk) for pk in parameters.get("without", [])]
    tell("candidates", 2)
    lines = candidates.read_lines(list_id, radius_m=float(parameters["radius_m"]), today=today, only=only)
    response = candidates.response_days(today)
    near = candidates.find(
        lines, today=today, response_days=response, without=without, tell=lambda s: tell("candidates", 2 + 33 * s)
    )
    tell("criteria", 36)
    score = scores(near.pairs, Weights(**parameters["weights"]))
    fits = fit(near.pairs)
    possible = np.flatnonzero(fits)
    problem, _ = problem_of(lines, near, possible, score, parameters)
    component = _component(problem)
    fingerprint = again.fingerprints_of(lines, near)
    base = again.base_of(parameters, list_id)
    old = again.kept(base, lines, near, fingerprint, component, possible) if base else None
    tell("allocation", 40)
    solution = _allocated(problem, parameters, lines, old, tell)
    chosen = np.where(solution.choice >= 0, possible[np.maximum(solution.choice, 0)] if len(possible) else -1, -1)
    tell("reasons", 71)
    is_unmet = chosen < 0
    new = fits & ~(old.is_kept & ~is_unmet)[near.pairs.line] if old else fits  # rows that are kept hold theirs
    others = reasons.alternatives(near.pairs, near.resource_ids, score, new, chosen, ALTERNATIVES)
    beyond_ids = lines.id[is_unmet].tolist() if with_reasons else []
    beyond = candidates.find(
        lines, today=today, beyond=beyond_ids, response_days=response, without=without,
        tell=lambda s: tell("reasons", 71 + 15 * s),
    )  # fmt: skip
    left = left_over(beyond, near, chosen)
    why = reasons.unmet(len(lines), beyond.pairs, margins(beyond.pairs), margins(left), is_unmet)
    is_kept = old.is_kept & ~is_unmet if old else np.zeros(len(lines), dtype=bool)
    found = Found(
        lines, near, beyond, score, chosen, solution, len(possible), why, others, component,
        fingerprint, is_kept, base.run_id if base and old else None,
    )  # fmt: skip
    found.freed = _freed(found, left)
    _add_ways(found, parameters, today, tell, with_proposals=with_reasons)
    return found


def _allocated(
    problem: Problem, parameters: Mapping[str, Any], lines: Lines, old: again.Kept | None, tell: Tell
) -> Solution:
    """The whole problem solved, or what is not kept from an earlier run."""
    asked = problem if old is None else problem.part(np.flatnonzero(~old.is_kept[problem.line]))
    solution = allocate(
        asked,
        seed=int(parameters.get("seed", 1)),
        time_limit_s=float(parameters.get("time_limit_s", TIME_LIMIT_S)),
        fairness=parameters.get("fairness"),
        on_progress=lambda share: tell("allocation", 40 + 30 * share),
    )
    if old is None:
        return solution
    back = np.flatnonzero(~old.is_kept[problem.line])
    choice = np.where(solution.choice >= 0, back[np.maximum(solution.choice, 0)] if len(back) else -1, -1)
    return again.joined(replace(solution, choice=choice), old, lines, problem.worth, problem.score)


def _component(problem: Problem) -> IntArray:
    """(lines,): the smallest index among the lines that share a pool with it, or with one that does, and so on."""
    n = problem.line_count
    size = n + len(problem.capacity)
    row, column = problem.line[problem.use_option], n + problem.use_pool
    graph = coo_matrix((np.ones(len(row), dtype=np.int8), (row, column)), shape=(size, size))
    label = connected_components(graph, directed=False)[1][:n]
    first = np.full(label.max() + 1 if n else 0, n, dtype=np.int64)
    np.minimum.at(first, label, np.arange(n))
    result: IntArray = first[label]
    return result


def _add_ways(found: Found, parameters: Mapping[str, Any], today: date, tell: Tell, *, with_proposals: bool) -> None:
    """Routes for the connections no single resource serves, and proposals for what stays unmet."""
    lines, region = found.lines, str(parameters.get("region", ""))
    surface = str(parameters.get("surface", "footway"))
    wanted = np.flatnonzero((found.chosen < 0) & lines.is_route & np.isin(lines.kind, (1, 2)))
    if len(wanted):
        tell("routes", 87)
        taken: dict[int, float] = {}
        met = found.chosen[found.chosen >= 0]
        for pk, quantity in zip(
            found.near.resource_ids[met].tolist(), found.near.pairs.quantity_asked[met].tolist(), strict=True
        ):
            taken[pk] = taken.get(pk, 0.0) + quantity
        found.routed = routes.find(lines, wanted, region=region, today=today, surface=surface, taken=taken)
        over = lines.ceiling_fen[[routed.line for routed in found.routed]] if found.routed else np.zeros(0)
        for routed, ceiling in zip(found.routed, over.tolist(), strict=True):
            if routed.ways and routed.ways[0].cost_fen > ceiling:
                routed.reason = {"binding": "price", "asked": ceiling, "found": routed.ways[0].cost_fen}
                routed.ways = []
    if with_proposals:
        tell("proposals", 90)
        served = np.isin(np.arange(len(lines)), list(found.by_route))
        unmet = np.flatnonzero((found.chosen < 0) & ~served)
        found.drafts = proposals.propose(lines, unmet, found.routed, region=region, surface=surface)


def problem_of(
    lines: Lines, found: Candidates, possible: IntArray, score: FloatArray, parameters: Mapping[str, Any]
) -> tuple[Problem, IntArray]:
    """(the allocation problem over the possible pairs, day-slices of pools as its pools; row of each use)."""
    pairs, slices = found.pairs, found.slices
    starts, ends = lines.starts[pairs.line[possible]], lines.ends[pairs.line[possible]]
    unit_row, unit_slice = slices.uses(pairs.pool[possible], starts, ends)
    power_row, power_slice = slices.uses(pairs.power_pool[possible], starts, ends)
    room_row, room_slice = slices.uses(pairs.room_pool[possible], starts, ends)
    row = np.concatenate([unit_row, power_row, room_row])
    worth = np.array([0, *parameters.get("worth", EQUAL_WORTH)], dtype=np.int64)
    problem = Problem.of_uses(
        line_count=len(lines),
        line=pairs.line[possible],
        score=standings(score, pairs.line, lines.priority)[possible],
        use_option=row,
        use_pool=np.concatenate([unit_slice, power_slice, room_slice]),
        use_amount=np.concatenate(
            [
                pairs.quantity_asked[possible][unit_row],
                np.nan_to_num(pairs.kw_asked)[possible][power_row],
                np.nan_to_num(pairs.room_asked)[possible][room_row],
            ]
        ),
        capacity=slices.capacity,
        worth=worth[np.clip(lines.priority, 1, 3)],
        operator=lines.applicant,
    )
    return problem, row


def left_over(beyond: Candidates, near: Candidates, chosen: IntArray) -> Pairs:
    """The pairs of `beyond` with what the chosen pairs of `near` leave of their pools."""
    met = chosen[chosen >= 0]
    used: dict[int, float] = {}
    power, room = near.pairs.power_pool[met], near.pairs.room_pool[met]
    pools = np.concatenate([near.pool_keys[near.pairs.pool[met]], near.pool_keys[power], near.pool_keys[room]])
    amounts = np.concatenate(
        [
            near.pairs.quantity_asked[met],
            np.where(power >= 0, near.pairs.kw_asked[met], 0.0),
            np.where(room >= 0, near.pairs.room_asked[met], 0.0),
        ]
    )
    for key, amount in zip(pools.tolist(), amounts.tolist(), strict=True):
        used[key] = used.get(key, 0.0) + amount
    gone = np.array([used.get(key, 0.0) for key in beyond.pool_keys.tolist()])
    pairs = beyond.pairs
    if not len(gone):
        return pairs
    changed = {name: getattr(pairs, name) for name in Pairs.__dataclass_fields__}
    changed["quantity_free"] = np.maximum(0.0, pairs.quantity_free - gone[pairs.pool])
    for name, pool in (("kw_free", pairs.power_pool), ("room_free", pairs.room_pool)):
        free = getattr(pairs, name)
        changed[name] = np.where(pool >= 0, np.maximum(0.0, free - gone[np.maximum(pool, 0)]), free)
    return Pairs(**changed)


def _freed(found: Found, left: Pairs) -> dict[str, dict[str, Any]]:
    """Per criterion: how many unmet lines one step over it would free, together and out of what is left over.

    {"lines": …, "half": the step that frees half of them, "all": the step that frees all, "curve": [[step, lines
    freed by steps up to it], …]}. Capacity is shared: two lines that would step to the same last unit count once.
    """
    result: dict[str, dict[str, Any]] = {}
    for name, (pair, size) in found.unmet.steps.items():
        lines = np.flatnonzero(pair >= 0)
        if not len(lines):
            continue
        at = pair[lines]
        options = np.arange(len(lines))
        amount = left.quantity_asked[at] - (size[lines] if name == "quantity" else 0.0)
        in_room = np.flatnonzero(left.room_pool[at] >= 0)
        units = left.room_asked[at][in_room] - (size[lines][in_room] if name == "room" else 0.0)
        pools, local = np.unique(np.concatenate([left.pool[at], left.room_pool[at][in_room]]), return_inverse=True)
        room = np.zeros(len(pools))
        room[local] = np.concatenate([left.quantity_free[at], left.room_free[at][in_room]])
        served = greedy(
            Problem.of_uses(
                line_count=len(lines),
                line=options,
                score=1 / (1 + size[lines]),
                use_option=np.concatenate([options, in_room]),
                use_pool=local,
                use_amount=np.concatenate([amount, units]),
                capacity=room,
            )  # fmt: skip
        )
        steps = np.sort(size[lines[served.choice >= 0]])
        if len(steps):
            at = np.unique(np.linspace(0, len(steps) - 1, CURVE_POINTS).round().astype(int))
            result[name] = {
                "lines": len(steps), "half": float(steps[(len(steps) - 1) // 2]), "all": float(steps[-1]),
                "curve": [[float(steps[i]), int(i) + 1] for i in at],
            }  # fmt: skip
    return result
