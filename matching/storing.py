"""Results into the database by COPY: one row per line, with what its verdict tells packed into bytes (core.told)."""

from collections.abc import Iterator

import numpy as np
from django.db import connection

from . import proposals, wire
from .candidates import Candidates
from .computing import Found
from .core import reasons, told
from .core.criteria import margins
from .core.problem import CRITERIA, FloatArray, IntArray
from .models import MatchRun, Route

RESULT_COLUMNS = (
    "id", "run_id", "line_id", "verdict", "resource_id", "score", "distance_m", "cost_fen_per_year", "binding",
    "told", "component", "fingerprint",
)  # fmt: skip


def store(run: MatchRun, found: Found) -> None:
    """Writes all rows of the run. In a transaction; what was deleted meanwhile stays out."""
    lines, run_id = found.lines, run.pk
    alive = _alive(found)
    ids = wire.next_ids("matching_matchresult", len(lines)).tolist()
    wire.load("matching_matchresult", RESULT_COLUMNS, _result_rows(run_id, found, ids, alive))
    _copy_kept(run_id, found, ids, alive[0])
    _store_routes(found, ids, alive[0])
    kept = set(lines.id.tolist()) - alive[0]
    drafts = [draft for draft in found.drafts if not kept & set(lines.id[draft.members].tolist())]
    proposals.store(run, lines, drafts)
    wire.load("matching_allocation", ("result_id", "pool_id", "quantity"), _allocation_rows(found, ids, alive))


KEPT = f"""
INSERT INTO matching_matchresult ({", ".join(RESULT_COLUMNS)})
SELECT k.id, %(run)s, {", ".join("m." + name for name in RESULT_COLUMNS[2:])}
  FROM unnest(%(ids)s::bigint[], %(lines)s::bigint[]) AS k (id, line_id)
  JOIN matching_matchresult m ON m.line_id = k.line_id AND m.run_id = %(since)s
"""
KEPT_GIVEN = """
INSERT INTO matching_allocation (result_id, pool_id, quantity)
SELECT k.id, a.pool_id, a.quantity FROM unnest(%(ids)s::bigint[], %(lines)s::bigint[]) AS k (id, line_id)
  JOIN matching_matchresult m ON m.line_id = k.line_id AND m.run_id = %(since)s
  JOIN matching_allocation a ON a.result_id = m.id
"""


def _copy_kept(run_id: int, found: Found, ids: list[int], alive: set[int]) -> None:
    """Rows of the earlier run for the lines whose verdict is kept, with what they were given."""
    lines = found.lines.id.tolist()
    at = [index for index in np.flatnonzero(found.is_kept).tolist() if lines[index] in alive]
    if at:
        params = {
            "run": run_id, "since": found.since, "ids": [ids[i] for i in at], "lines": [lines[i] for i in at],
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(KEPT, params)
            cursor.execute(KEPT_GIVEN, params)


def _alive(found: Found) -> tuple[set[int], set[int], set[int]]:
    """Ids of the lines, resources and pools named that still exist."""
    met = found.chosen[found.chosen >= 0]
    near = found.near
    power, room = near.pairs.power_pool[met], near.pairs.room_pool[met]
    pools = np.concatenate([near.pairs.pool[met], power[power >= 0], room[room >= 0]])
    keys = near.pool_keys[pools]
    result = []
    for table, ids in (
        ("listings_demandline", found.lines.id),
        ("listings_resource", np.unique(near.resource_ids[met])),
        ("listings_capacitypool", np.unique(keys[keys > 0])),
    ):
        sql = f"SELECT id FROM {table} WHERE id = ANY (%(ids)s)"
        result.append(set(wire.fetch(sql, {"ids": ids.tolist()}, {"id": "i8"})["id"].tolist()))
    return result[0], result[1], result[2]


def _result_rows(
    run_id: int, found: Found, ids: list[int], alive: tuple[set[int], set[int], set[int]]
) -> Iterator[str]:
    near, chosen, lines = found.near.pairs, found.chosen, found.lines
    pair = np.maximum(chosen, 0)
    is_met = chosen >= 0
    given, score, distance, cost = (
        np.where(is_met, values[pair], otherwise).tolist() if len(near) else [otherwise] * len(lines)
        for values, otherwise in (
            (found.near.resource_ids, 0), (np.round(found.score, 4), 0.0), (np.round(near.distance_m, 1), 0.0),
            (np.round(near.cost_fen), np.nan),
        )
    )  # fmt: skip
    component = lines.id[found.component].tolist() if len(ids) else []
    by_route, marks, is_kept = found.by_route, found.fingerprint.tolist(), found.is_kept.tolist()
    binding = found.unmet.binding.tolist()
    for index, (pk, line, packed) in enumerate(zip(ids, lines.id.tolist(), _told(found), strict=True)):
        if line not in alive[0] or is_kept[index]:
            continue
        tail = f"\\\\x{packed.hex()}\t{component[index]}\t{marks[index]}\n"
        if chosen[index] >= 0:
            resource = given[index] if given[index] in alive[1] else "\\N"
            fen = "\\N" if cost[index] != cost[index] else int(cost[index])
            yield f"{pk}\t{run_id}\t{line}\tmet\t{resource}\t{score[index]}\t{distance[index]}\t{fen}\t\t{tail}"
        elif index in by_route:
            yield f"{pk}\t{run_id}\t{line}\tmet\t\\N\t\\N\t\\N\t{by_route[index].ways[0].cost_fen}\t\t{tail}"
        else:
            why = reasons.BINDINGS[binding[index]]
            yield f"{pk}\t{run_id}\t{line}\tunmet\t\\N\t\\N\t\\N\t\\N\t{why}\t{tail}"


def _told(found: Found) -> Iterator[bytes]:
    """Per line what its verdict tells, packed (core.told)."""
    near, count = found.near, len(found.lines)
    by_route, why_not = found.by_route, {r.line: {"route": r.reason} for r in found.routed if r.reason}
    met = np.flatnonzero(found.chosen >= 0)
    rows = np.concatenate([found.chosen[met], found.alternatives])
    line = near.pairs.line[rows] if len(rows) else rows
    order = np.lexsort((np.arange(len(rows)), line))  # what was given before the alternatives, and those best first
    first, begins, body = _records(near, rows[order], line[order], count, found.score[rows[order]])
    nearest = np.where(found.chosen < 0, found.unmet.nearest, -1)
    has_nearest = nearest >= 0
    beyond_of, beyond_begins, beyond = _records(
        found.beyond, nearest[has_nearest], np.flatnonzero(has_nearest), count, None
    )
    step_of, steps = _steps(found)
    for index in range(count):
        low, high = first[index], first[index + 1]
        others = body[begins[low] : begins[high]]
        if found.chosen[index] >= 0:
            yield told.told(told.HAS_FIRST, high - low, others)
        elif index in by_route:
            length_m = by_route[index].ways[0].length_m
            why = [{"criterion": "route", "ok": True, "margin": None, "found": length_m, "unit": "m"}]
            yield told.told(0, high - low, others, more=why)
        else:
            at, until = beyond_of[index], beyond_of[index + 1]
            closest = beyond[beyond_begins[at] : beyond_begins[until]]
            helps = steps[step_of[index] : step_of[index + 1]]
            flags = told.HAS_FIRST if until > at else 0
            yield told.told(flags, high - low + until - at, closest + others, helps, why_not.get(index))


def _records(
    source: Candidates, rows: IntArray, line: IntArray, count: int, score: FloatArray | None
) -> tuple[list[int], list[int], bytes]:
    """(which record is the first of each of `count` lines, and one more; where each begins; the records). line: of
    each row, ascending."""
    pairs = source.pairs.take(rows)
    known = score if score is not None else np.full(len(rows), np.nan)
    body, begins = told.records(pairs, margins(pairs), source.resource_ids[rows], known)
    return np.searchsorted(line, np.arange(count + 1)).tolist(), begins.tolist(), body


def _steps(found: Found) -> tuple[list[int], bytes]:
    """(where the steps of each line begin, and one more; the steps): relaxations that would help an unmet line."""
    beyond, parts, lines = found.beyond, [], []
    for name, (pair, size) in found.unmet.steps.items():
        at = np.flatnonzero(pair >= 0)
        rows = pair[at]
        step = np.zeros(len(at), dtype=told.STEP)
        since = beyond.available_from[rows]
        step["criterion"], step["resource"], step["delta"] = CRITERIA.index(name), beyond.resource_ids[rows], size[at]
        step["distance_m"], step["cost_fen"] = (
            np.round(beyond.pairs.distance_m[rows], 1),
            np.round(beyond.pairs.cost_fen[rows]),
        )
        step["since"] = np.where((name == "dates") & (since > found.lines.starts[at]), since, told.NO_DAY)
        parts.append(step)
        lines.append(at)
    line = np.concatenate(lines)
    order = np.argsort(line, kind="stable")
    begins = np.searchsorted(line[order], np.arange(len(found.lines) + 1)) * told.STEP.itemsize
    return begins.tolist(), np.concatenate(parts)[order].tobytes()


def _store_routes(found: Found, ids: list[int], lines: set[int]) -> None:
    Route.objects.bulk_create(
        Route(
            result_id=ids[routed.line], role=way.role, rank=way.rank, path=way.wkt, length_m=way.length_m,
            gap_m=way.gap_m, build_fen=way.build_fen, cost_fen_per_year=way.cost_fen, transfers=way.transfers,
            legs=way.legs,
        )
        for routed in found.routed
        if int(found.lines.id[routed.line]) in lines
        for way in routed.ways
    )  # fmt: skip


def _allocation_rows(found: Found, ids: list[int], alive: tuple[set[int], set[int], set[int]]) -> list[str]:
    near = found.near
    met = np.flatnonzero((found.chosen >= 0) & ~found.is_kept)
    pair = found.chosen[met]
    given = [
        (near.pairs.pool[pair], near.pairs.quantity_asked[pair]),
        (near.pairs.power_pool[pair], near.pairs.kw_asked[pair]),
        (near.pairs.room_pool[pair], near.pairs.room_asked[pair]),
    ]
    at = met.tolist()
    line_ids = found.lines.id[met].tolist()
    rows = []
    for pool, amount in given:
        key = np.where(pool >= 0, near.pool_keys[pool], 0) if len(near.pool_keys) else pool
        for index, line, of, quantity in zip(at, line_ids, key.tolist(), amount.tolist(), strict=True):
            if of in alive[2] and line in alive[0]:
                rows.append(f"{ids[index]}\t{of}\t{quantity}\n")
    return rows
