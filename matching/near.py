"""Which resources stand near which lines, and how far: set-based, in one of two ways that find the same pairs.

A few lines ask the index of the places matching computes with (migration 0002), one query per kind. Where the list is
long against the supply, most of it is wanted anyway: then the tally's boxes of all published resources are read once
and joined here. Either way places are read afterwards, once per resource, and metres computed here (core.metres);
only areas, and resources that are neither points nor lines, are measured in the database.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import shapely
from django.db import connection

from listings import search_keys

from . import wire
from .core import metres
from .core.problem import FloatArray, IntArray

# Metres from lon, lat to the resources of the pairs `at`.
Measure = Callable[[IntArray, FloatArray, FloatArray], FloatArray]

KINDS = ("tower", "duct", "cable", "room")
PER_LINE = 200  # nearest resources looked at within a line's limit
PER_LINE_BEYOND = 20  # nearest resources looked at beyond it, for lines that stayed unmet
CROWD = 4 * PER_LINE  # as many in a line's box are taken as they come; of more only the nearest
SWEEP_FROM = 1 / 50  # lines per published resource from which all supply is read
CELL_DEG = 0.005
CHUNK = 20_000  # lines joined together
MICRO = 1_000_000  # the tally keeps boxes in millionths of a degree
SLACK_DEG = 2 / MICRO

PLACE = "(CASE WHEN r.disclosure = 'exact' THEN r.place ELSE r.shown_cell END)"

# {kind} is one of KINDS, written out so that the partial index of the kind serves.
IN_BOX = f"""
SELECT a.line, found.id
  FROM unnest(%(line)s::bigint[], %(west)s::float8[], %(south)s::float8[], %(east)s::float8[], %(north)s::float8[])
       AS a (line, west, south, east, north) CROSS JOIN LATERAL (
    SELECT r.id FROM listings_resource r
     WHERE r.kind = '{{kind}}' AND r.state = 'published' AND r.disclosure <> 'existence'
       AND {PLACE} && ST_MakeEnvelope(a.west, a.south, a.east, a.north, 4326)
     {{order}} LIMIT %(most)s) AS found
"""
NEAREST = f"ORDER BY {PLACE} <-> ST_SetSRID(ST_Point((a.west + a.east) / 2, (a.south + a.north) / 2), 4326)"
SUPPLY = """
SELECT resource_id, facets, verified_west, verified_south, verified_east, verified_north FROM listings_tally
 WHERE facets <> 0
"""
SUPPLY_COLUMNS = {"resource": "i8", "facets": "i8", "west": "i4", "south": "i4", "east": "i4", "north": "i4"}
SHAPES = f"""
SELECT r.id, ST_AsEWKB({PLACE}) FROM listings_resource r WHERE r.id = ANY (%(ids)s) ORDER BY r.id
"""
# Of an area its edge counts, of a connection A–B the farther of its two ends.
MEASURED = f"""
SELECT wanted.nth, greatest(
         ST_Distance({PLACE}::geography,
           (CASE WHEN ST_Dimension(l.place) = 1 THEN ST_StartPoint(ST_GeometryN(l.place, 1))
                 ELSE l.place END)::geography),
         CASE WHEN ST_Dimension(l.place) = 1 THEN ST_Distance({PLACE}::geography,
           ST_EndPoint(ST_GeometryN(l.place, ST_NumGeometries(l.place)))::geography) END)
  FROM unnest(%(nth)s::bigint[], %(lines)s::bigint[], %(resources)s::bigint[]) AS wanted (nth, line, resource)
  JOIN listings_demandline l ON l.id = wanted.line JOIN listings_resource r ON r.id = wanted.resource
"""


def pairs(
    asked: wire.Arrays,
    rows: IntArray,
    reach_m: FloatArray,
    *,
    is_beyond: bool = False,
    tell: Callable[[float], None] = lambda share: None,
) -> tuple[IntArray, IntArray]:
    """(line, resource): a row of asked and the id of a published resource of its kind whose box its reach touches.

    asked: columns of candidates.LINES. rows: of the lines to look for; reach_m: (rows,) metres.
    is_beyond: only the PER_LINE_BEYOND nearest of each.
    """  # fmt: skip
    box = _boxes(asked, rows, reach_m)
    supply = None if is_beyond or len(rows) < SWEEP_FROM * _published() else _supply()
    found: list[tuple[IntArray, IntArray]] = []
    for number, kind in enumerate(KINDS):
        mine = np.flatnonzero(asked["kind"][rows] == number)
        if not len(mine):
            continue
        if supply is not None:
            line, resource, crowded = _swept(supply, number, box[:, mine])
        else:
            order = np.lexsort((box[0, mine], np.floor(box[1, mine] * 50)))  # neighbours one after the other
            line, resource, crowded = _by_index(kind, box, mine[order], is_beyond)
            line = np.searchsorted(mine, line)
        keep = ~crowded[line]
        found.append((rows[mine[line[keep]]], resource[keep]))
        if crowded.any():
            line, resource = _asked(kind, box, mine[crowded], NEAREST, PER_LINE)
            found.append((rows[line], resource))
        tell((number + 1) / len(KINDS))
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return np.concatenate([line for line, _ in found]), np.concatenate([resource for _, resource in found])


def _boxes(asked: wire.Arrays, rows: IntArray, reach_m: FloatArray) -> FloatArray:
    """(4, rows) west, south, east, north of what each line's reach touches. 110,574 m is the shortest degree of
    latitude on WGS84; 1 % covers the longest degree of longitude over the sphere."""
    widest = np.minimum(89, np.maximum(np.abs(asked["north"][rows]), np.abs(asked["south"][rows])) + 0.1)
    across, up = reach_m * 1.01 / (111_320 * np.cos(np.radians(widest))), reach_m / 110_574.0
    sides = (asked["west"][rows] - across, asked["south"][rows] - up, asked["east"][rows] + across)
    return np.stack([*sides, asked["north"][rows] + up])


def _published() -> int:
    """About how many resources there are, as the database's statistics have it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'listings_tally'::regclass")
        return max(0, int(cursor.fetchone()[0]))


def _by_index(kind: str, box: FloatArray, mine: IntArray, is_beyond: bool) -> tuple[IntArray, IntArray, Any]:
    """(line: a column of box, resource, (lines of mine, in their order when sorted,) whether too many to take all)."""
    if is_beyond:
        line, resource = _asked(kind, box, mine, NEAREST, PER_LINE_BEYOND)
        return line, resource, np.zeros(len(mine), dtype=bool)
    line, resource = _asked(kind, box, mine, "", CROWD + 1)
    count = np.bincount(np.searchsorted(np.sort(mine), line), minlength=len(mine))
    return line, resource, count > CROWD


def _asked(kind: str, box: FloatArray, mine: IntArray, order: str, most: int) -> tuple[IntArray, IntArray]:
    """(line: a column of box, resource): what the index finds in the boxes of these columns."""
    names = ("west", "south", "east", "north")
    params = {"line": mine.tolist(), "most": most} | {n: box[i, mine].tolist() for i, n in enumerate(names)}
    found = wire.fetch(IN_BOX.format(kind=kind, order=order), params, {"line": "i8", "resource": "i8"})
    return found["line"], found["resource"]


def _supply() -> wire.Arrays:
    """All resources that are listed: resource, kind, and their boxes as any verified organisation is shown them."""
    read = wire.fetch(SUPPLY, {}, SUPPLY_COLUMNS)
    standing = search_keys.LAYOUT["standing"].of(read["facets"])
    kept = np.flatnonzero((standing == 1) | (standing == 2))
    kind = search_keys.LAYOUT["kind"].of(read["facets"][kept])
    supply = {name: read[name][kept] / MICRO for name in ("west", "south", "east", "north")}
    return supply | {"resource": read["resource"][kept], "kind": kind}


def _swept(supply: wire.Arrays, kind: int, box: FloatArray) -> tuple[IntArray, IntArray, Any]:
    """(line: a column of box, resource, (lines,) whether too many to take all)."""
    of_kind = np.flatnonzero(supply["kind"] == search_keys.KINDS.index(KINDS[kind]))
    is_point = (supply["west"][of_kind] == supply["east"][of_kind]) & (
        supply["south"][of_kind] == supply["north"][of_kind]
    )
    box = box + np.array([[-SLACK_DEG], [-SLACK_DEG], [SLACK_DEG], [SLACK_DEG]])
    found = [*_points(supply, of_kind[is_point], box), _long(supply, of_kind[~is_point], box)]
    line, row = (np.concatenate([part[i] for part in found]) for i in (0, 1))
    crowded = np.bincount(line, minlength=box.shape[1]) > CROWD
    return line, supply["resource"][row], crowded


def _points(supply: wire.Arrays, rows: IntArray, box: FloatArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Points in boxes, by a grid: those of one row of cells stand one after the other."""
    x, y = supply["west"][rows], supply["south"][rows]
    key = _cell(y) * (1 << 32) + _cell(x)
    order = np.argsort(key, kind="stable")
    rows, x, y, key = rows[order], x[order], y[order], key[order]
    for start in range(0, box.shape[1], CHUNK):
        west, south, east, north = box[:, start : start + CHUNK]
        low, high = _cell(south), _cell(north)
        line = np.repeat(np.arange(len(west)), high - low + 1)
        band = (
            low[line] + np.arange(len(line)) - np.repeat(np.cumsum(high - low + 1) - (high - low + 1), high - low + 1)
        )
        first = np.searchsorted(key, band * (1 << 32) + _cell(west)[line], side="left")
        count = np.searchsorted(key, band * (1 << 32) + _cell(east)[line], side="right") - first
        at = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
        line = np.repeat(line, count)
        inside = (x[at] >= west[line]) & (x[at] <= east[line]) & (y[at] >= south[line]) & (y[at] <= north[line])
        yield line[inside] + start, rows[at[inside]]
    if not box.shape[1]:
        yield np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


def _cell(degrees: FloatArray) -> IntArray:
    return np.floor((degrees + 360.0) / CELL_DEG).astype(np.int64)


def _long(supply: wire.Arrays, rows: IntArray, box: FloatArray) -> tuple[IntArray, IntArray]:
    """Boxes that touch boxes."""
    west, south, east, north = (supply[name][rows] for name in ("west", "south", "east", "north"))
    tree = shapely.STRtree(shapely.box(west, south, east, north))
    line, at = tree.query(shapely.box(box[0], box[1], box[2], box[3]))
    return line.astype(np.int64), rows[at]


def distances(
    asked: wire.Arrays, line: IntArray, place: IntArray, resources: IntArray, x: FloatArray, y: FloatArray
) -> FloatArray:
    """(pairs,) metres on the ellipsoid between the place of asked[line] and that of resources[place]; of a connection
    A–B to the farther end, of an area from its edge. x, y: (resources,) degrees, NaN where one is no point. Queries
    once for what is no point, and once for what is measured in the database."""
    result = np.full(len(line), np.nan)
    is_area = asked["is_area"][line]
    plain = np.flatnonzero(~np.isnan(x[place]) & ~is_area)
    result[plain] = _farther(
        asked, line[plain], lambda at, lon, lat: metres.between(lon, lat, x[place[plain[at]]], y[place[plain[at]]])
    )
    course = np.flatnonzero(np.isnan(x[place]) & ~is_area)
    if len(course):
        wanted, of = np.unique(place[course], return_inverse=True)
        shapes = _shapes(resources[wanted])
        is_line = np.isin(shapely.get_type_id(shapes), (1, 5))
        shapes[~is_line] = None
        courses = metres.courses_of(shapes)
        known = is_line[of]
        course, of = course[known], of[known]
        result[course] = _farther(
            asked, line[course], lambda at, lon, lat: metres.to_courses(lon, lat, of[at], courses)
        )
    rest = np.flatnonzero(np.isnan(result))
    if len(rest):
        params = {
            "nth": rest.tolist(), "lines": asked["id"][line[rest]].tolist(),
            "resources": resources[place[rest]].tolist(),
        }  # fmt: skip
        found = wire.fetch(MEASURED, params, {"nth": "i8", "distance_m": "f8"})
        result[found["nth"]] = found["distance_m"]
    return result


def _farther(asked: wire.Arrays, line: IntArray, measure: Measure) -> FloatArray:
    """(pairs,) metres from the line's place, or from the farther of its two ends."""
    result = measure(np.arange(len(line)), asked["west"][line], asked["south"][line])
    both = np.flatnonzero(asked["is_route"][line])
    if len(both):
        other = measure(both, asked["end_x"][line[both]], asked["end_y"][line[both]])
        result[both] = np.maximum(result[both], other)
    return result


def _shapes(ids: IntArray) -> np.ndarray:
    """(ids,) geometries, by ascending id."""
    with connection.cursor() as cursor:
        cursor.execute(SHAPES, {"ids": ids.tolist()})
        rows = cursor.fetchall()
    found = {pk: bytes(shape) for pk, shape in rows}
    return np.array(shapely.from_wkb([found.get(pk) for pk in ids.tolist()]), dtype=object)
