"""Results into the database by COPY: one row per line, its reasons already JSON text."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
from django.db import connection

from . import proposals, wire
from .computing import Found
from .core import reasons
from .core.problem import IntArray
from .models import MatchRun, Route

RESULT_COLUMNS = (
    "id", "run_id", "line_id", "verdict", "resource_id", "score", "distance_m", "cost_fen_per_year", "reasons",
    "alternatives", "component", "fingerprint",
)  # fmt: skip


def _numbers(values: np.ndarray, digits: int) -> list[str]:
    """Numbers as JSON and COPY's text write them alike, but for what is not known: "null"."""
    return ["null" if v != v else repr(v) for v in np.round(values, digits).tolist()]


def _whole(values: np.ndarray) -> list[str]:
    return ["null" if v != v else str(int(v)) for v in np.round(values).tolist()]


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
    near, chosen = found.near, found.chosen
    met = np.flatnonzero((chosen >= 0) & ~found.is_kept)
    pair = chosen[met]
    of_met = dict(
        zip(
            met.tolist(),
            zip(
                near.resource_ids[pair].tolist(), _numbers(found.score[pair], 4),
                _numbers(near.pairs.distance_m[pair], 1), _whole(near.pairs.cost_fen[pair]),
                reasons.texts(near.pairs, found.margin, pair), strict=True,
            ),
            strict=True,
        )
    )  # fmt: skip
    others = _alternatives(found)
    unmet = _unmet(found)
    component = found.lines.id[found.component].tolist() if len(ids) else []
    tails = [f"{one}\t{mark}\n" for one, mark in zip(component, found.fingerprint.tolist(), strict=True)]
    is_kept = found.is_kept.tolist()
    by_route = found.by_route
    for index, (pk, line) in enumerate(zip(ids, found.lines.id.tolist(), strict=True)):
        if line not in alive[0] or is_kept[index]:
            continue
        more = wire.json_text(others.get(index, "[]"))
        if index in of_met:
            resource, score, distance, cost, why = of_met[index]
            kept = resource if resource in alive[1] else "\\N"
            cost = "\\N" if cost == "null" else cost
            yield f"{pk}\t{run_id}\t{line}\tmet\t{kept}\t{score}\t{distance}\t{cost}\t{why}\t{more}\t{tails[index]}"
        elif index in by_route:
            way = by_route[index].ways[0]
            why = f'[{{"criterion": "route", "ok": true, "margin": null, "found": {way.length_m}, "unit": "m"}}]'
            yield f"{pk}\t{run_id}\t{line}\tmet\t\\N\t\\N\t\\N\t{way.cost_fen}\t{why}\t{more}\t{tails[index]}"
        else:
            why = wire.json_text(unmet[index])
            yield f"{pk}\t{run_id}\t{line}\tunmet\t\\N\t\\N\t\\N\t\\N\t{why}\t{more}\t{tails[index]}"


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


def _alternatives(found: Found) -> dict[int, str]:
    """Line → JSON list of what else fits, best first."""
    rows, near = found.alternatives, found.near
    texts: dict[int, list[str]] = {}
    for line, resource, score, distance, cost, why in zip(
        near.pairs.line[rows].tolist(), near.resource_ids[rows].tolist(), _numbers(found.score[rows], 4),
        _numbers(near.pairs.distance_m[rows], 1), _whole(near.pairs.cost_fen[rows]),
        reasons.texts(near.pairs, found.margin, rows), strict=True,
    ):  # fmt: skip
        texts.setdefault(line, []).append(
            f'{{"resource": {resource}, "distance_m": {distance}, "cost_fen_per_year": {cost}, "score": {score}, '
            f'"reasons": {why}}}'
        )
    return {line: f"[{', '.join(parts)}]" for line, parts in texts.items()}


def _unmet(found: Found) -> dict[int, str]:
    """Line → JSON of why it is unmet: [{"binding", "nearest", "relaxations"}]."""
    why, beyond = found.unmet, found.beyond
    lines = np.flatnonzero(found.chosen < 0)
    nearest = why.nearest[lines]
    has = np.flatnonzero(nearest >= 0)
    near_text = dict(zip(lines[has].tolist(), _nearest(found, nearest[has]), strict=True))
    steps: dict[int, list[str]] = {}
    for name, (pair, size) in why.steps.items():
        at = np.flatnonzero(pair >= 0)
        rows = pair[at]
        starts = found.lines.starts[at]
        for line, delta, resource, distance, cost, since, start in zip(
            at.tolist(), size[at].tolist(), beyond.resource_ids[rows].tolist(),
            _numbers(beyond.pairs.distance_m[rows], 1), _whole(beyond.pairs.cost_fen[rows]),
            beyond.available_from[rows].tolist(), starts.tolist(), strict=True,
        ):  # fmt: skip
            day = f', "from": "{date(1970, 1, 1) + timedelta(days=since)}"' if name == "dates" and since > start else ""
            steps.setdefault(line, []).append(
                f'{{"criterion": "{name}", "delta": {delta}, "resource": {resource}, "distance_m": {distance}, '
                f'"cost_fen_per_year": {cost}{day}}}'
            )
    why_not = {r.line: f', "route": {json.dumps(r.reason)}' for r in found.routed if r.reason}
    return {
        line: f'[{{"binding": "{reasons.BINDINGS[binding]}", "nearest": {near_text.get(line, "null")}, '
        f'"relaxations": [{", ".join(steps.get(line, []))}]{why_not.get(line, "")}}}]'
        for line, binding in zip(lines.tolist(), why.binding[lines].tolist(), strict=True)
    }


def _nearest(found: Found, rows: IntArray) -> list[str]:
    beyond = found.beyond
    return [
        f'{{"resource": {resource}, "distance_m": {distance}, "cost_fen_per_year": {cost}, "reasons": {why}}}'
        for resource, distance, cost, why in zip(
            beyond.resource_ids[rows].tolist(), _numbers(beyond.pairs.distance_m[rows], 1),
            _whole(beyond.pairs.cost_fen[rows]), reasons.texts(beyond.pairs, found.beyond_margin, rows), strict=True,
        )
    ]  # fmt: skip


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
