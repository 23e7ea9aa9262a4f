"""Where one new tower would serve several lines that nothing existing serves: capacitated location of towers.

Each group of lines near enough to share is solved on its own: as few towers as can be (a tower costs far more than any
walk), then with little walking. First greedily, the tower that serves most lines first; a bound (lines of which no two
could share) mostly proves that fewer will not do. Where it does not, a small group goes to a mixed-integer programme
that asks for one tower less (uncapacitated forms: Balinski 1965; here with tenants); how much is asked so is counted in
pairs, not in seconds, so that it repeats itself. At last towers and lines are moved to one another (Cooper 1964).
"""

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix, csr_matrix, vstack
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from .problem import FloatArray, IntArray

EXACT_LINES_MAX = 60
EXACT_PAIRS_MAX = 500  # of a spot and a line it reaches: a group with more takes seconds
EXACT_PAIRS_TOTAL = 5_000
WALK_ROUNDS = 8
SPOTS_PER_LINE = 6  # besides the lines' own places: middles to this many neighbours


@dataclass(frozen=True)
class Tower:
    """A new tower at place (metres) for these lines; height_m: what the highest of them asks."""

    place: FloatArray
    members: IntArray
    height_m: float


def towers(
    place: FloatArray,
    units: FloatArray,
    height_m: FloatArray,
    *,
    radius_m: float,
    tenants: float,
    time_limit_s: float = 5.0,
) -> list[Tower]:
    """Towers that serve all lines, two or more each where that can be. place: (n, 2); height_m: NaN, none asked.

    Every member stands within radius_m of its tower, and the units of a tower's members are at most tenants.
    """
    if not len(place):
        return []
    pairs = cKDTree(place).query_pairs(2 * radius_m, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(place), len(place)))
    _, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    result, left = [], EXACT_PAIRS_TOTAL
    for group in groups:
        lines = group[units[group] <= tenants]
        if len(lines) == 1:
            result.append(_tower(place[lines[0]], lines, height_m))
        elif len(lines):
            found, tried = _group(place[lines], units[lines], radius_m, tenants, left, time_limit_s)
            left -= tried
            result += [_tower(spot, lines[members], height_m) for spot, members in found]
    return result


def _group(
    place: FloatArray, units: FloatArray, radius_m: float, tenants: float, most: int, limit_s: float
) -> tuple[list[tuple[FloatArray, IntArray]], int]:
    """([(spot, members)], pairs that were tried exactly)."""
    spots = _spots(place, radius_m)
    near = cKDTree(place).query_ball_point(spots, radius_m + 1e-6)
    members = [np.sort(np.array(found, dtype=np.int64)) for found in near]
    walks = [np.hypot(*(place[found] - spot).T) for found, spot in zip(members, spots, strict=True)]
    if units.sum() <= tenants:
        whole = [(float(walk.sum()), i) for i, walk in enumerate(walks) if len(walk) == len(place)]
        if whole:  # one tower for all: nothing can be better than the one with the least walking
            return [(spots[min(whole)[1]], np.arange(len(place)))], 0
    chosen, tried = _greedily(members, walks, units, tenants), 0
    if len(place) <= EXACT_LINES_MAX and len(chosen) > _fewest(place, units, radius_m, tenants):
        kept = _with_room(_undominated(members), members, units, tenants)
        pairs = sum(len(members[spot]) for spot in kept)
        if pairs > min(EXACT_PAIRS_MAX, most):
            kept = sorted(set(kept))
            pairs = sum(len(members[spot]) for spot in kept)
        if pairs <= min(EXACT_PAIRS_MAX, most):
            tried = pairs
            fewer = _exactly([members[spot] for spot in kept], units, tenants, len(chosen) - 1, limit_s)
            if fewer is not None:
                chosen = [(kept[spot], found) for spot, found in fewer]
    reached = [
        dict(zip(found.tolist(), walk.tolist(), strict=True)) for found, walk in zip(members, walks, strict=True)
    ]
    return [(spots[spot], found) for spot, found in _walked_less(chosen, reached, units, tenants)], tried


def _undominated(members: list[IntArray]) -> list[int]:
    """Spots that reach what no other spot reaches as well with more: of equal ones the first."""
    sets = [frozenset(found.tolist()) for found in members]
    by_line: dict[int, list[int]] = {}
    kept: list[int] = []
    for spot in sorted(range(len(sets)), key=lambda i: (-len(sets[i]), i)):
        if sets[spot] and not any(sets[spot] <= sets[other] for other in by_line.get(min(sets[spot]), ())):
            kept.append(spot)
            for line in sets[spot]:
                by_line.setdefault(line, []).append(spot)
    return sorted(kept)


def _with_room(spots: list[int], members: list[IntArray], units: FloatArray, tenants: float) -> list[int]:
    """Each spot as often as towers may be needed for what it reaches: those it stands for could have one each.

    Of as few towers as can be no two would fit into one, so k of them carry more than k/2 times the tenants.
    """
    kept = []
    for spot in spots:
        most = int(np.ceil(2 * units[members[spot]].sum() / tenants - 1e-9)) - 1
        kept += [spot] * max(1, min(most, len(members[spot])))
    return kept


def _fewest(place: FloatArray, units: FloatArray, radius_m: float, tenants: float) -> int:
    """No fewer towers can do: the units over the tenants, or lines of which no two could share a tower."""
    near: Any = cKDTree(place).query_ball_point(place, 2 * radius_m + 1e-6)
    could: list[set[int]] = [
        {other for other in found if other != line and units[other] + units[line] <= tenants}
        for line, found in enumerate(near)
    ]
    apart = 0
    out: set[int] = set()
    for line in sorted(range(len(place)), key=lambda i: (len(could[i]), i)):
        if line not in out:
            apart += 1
            out |= could[line]
    return max(apart, int(np.ceil(units.sum() / tenants - 1e-9)))


def _walked_less(
    chosen: list[tuple[int, IntArray]], reached: list[dict[int, float]], units: FloatArray, tenants: float
) -> list[tuple[int, IntArray]]:
    """As many towers with less walking: each to the best spot for its lines, lines to a nearer tower with room.

    reached: per spot the lines within its radius and how far they are."""
    spot_of = [spot for spot, _ in chosen]
    lines = [set(found.tolist()) for _, found in chosen]
    by_line: dict[int, list[int]] = {}
    for spot, found in enumerate(reached):
        for line in found:
            by_line.setdefault(line, []).append(spot)
    for _ in range(WALK_ROUNDS):
        before = [spot_of.copy(), [held.copy() for held in lines]]
        for tower, held in enumerate(lines):
            if held:
                fewest = min(held, key=lambda line: len(by_line[line]))
                whole = [spot for spot in by_line[fewest] if held <= reached[spot].keys()]
                spot_of[tower] = min(whole, key=lambda spot: (sum(reached[spot][line] for line in held), spot))
        _to_nearer(lines, [reached[spot] for spot in spot_of], units, tenants)
        if before == [spot_of, lines]:
            break
    return [(spot, np.array(sorted(held), dtype=np.int64)) for spot, held in zip(spot_of, lines, strict=True) if held]


def _to_nearer(lines: list[set[int]], reached: list[dict[int, float]], units: FloatArray, tenants: float) -> None:
    """Moves lines to a nearer tower that has room. lines, reached: per tower, those it serves and those it could."""
    load = [sum(float(units[line]) for line in held) for held in lines]
    towers_at: dict[int, list[int]] = {}
    for tower, found in enumerate(reached):
        for line in found:
            towers_at.setdefault(line, []).append(tower)
    for tower, held in enumerate(lines):
        for line in sorted(held):
            unit = float(units[line])
            open_ = [t for t in towers_at[line] if t == tower or load[t] + unit <= tenants]
            nearest = min(open_, key=lambda t: (reached[t][line], t))
            if reached[nearest][line] < reached[tower][line] - 1e-6:
                held.remove(line)
                lines[nearest].add(line)
                load[tower] -= unit
                load[nearest] += unit


def _tower(spot: FloatArray, members: IntArray, height_m: FloatArray) -> Tower:
    asked = height_m[members]
    return Tower(spot, members, float(np.nanmax(asked)) if np.isfinite(asked).any() else 0.0)


def _spots(place: FloatArray, radius_m: float) -> FloatArray:
    """The lines' own places, the middles to neighbours, and where two circles of the radius meet: by these, any set of
    lines that one tower could serve is served by one of them."""
    near: Any
    apart: Any
    apart, near = cKDTree(place).query(place, k=min(len(place), SPOTS_PER_LINE + 1))
    found = [place]
    for column in range(1, near.shape[1] if near.ndim > 1 else 1):
        a, b, d = place, place[near[:, column]], apart[:, column]
        close = (d > 0) & (d <= 2 * radius_m)
        middle = (a + b)[close] / 2
        half = np.sqrt(np.maximum(radius_m**2 - (d[close] / 2) ** 2, 0))
        across = np.stack([-(b - a)[close][:, 1], (b - a)[close][:, 0]], axis=1) / d[close][:, None]
        found += [middle, middle + across * half[:, None], middle - across * half[:, None]]
    return np.unique(np.round(np.concatenate(found), 3), axis=0)


def _exactly(
    members: list[IntArray], units: FloatArray, tenants: float, most: int, limit_s: float
) -> list[tuple[int, IntArray]] | None:
    """Towers for all, `most` or fewer; None where there are none, or none were found in time.

    members: per spot the lines within its radius.
    """
    spot = np.repeat(np.arange(len(members)), [len(found) for found in members])
    line = np.concatenate(members)
    m, s, n = len(spot), len(members), len(units)
    served = csr_matrix((np.ones(m), (line, s + np.arange(m))), shape=(n, s + m))
    room = csr_matrix(
        (np.r_[units[line], np.full(s, -tenants)], (np.r_[spot, np.arange(s)], np.r_[s + np.arange(m), np.arange(s)])),
        shape=(s, s + m),
    )
    tight = csr_matrix(
        (np.r_[np.ones(m), -np.ones(m)], (np.r_[np.arange(m), np.arange(m)], np.r_[s + np.arange(m), spot])),
        shape=(m, s + m),
    )
    count = csr_matrix(np.r_[np.ones(s), np.zeros(m)])
    low = np.r_[np.ones(n), np.full(s + m + 1, -np.inf)]
    high = np.r_[np.ones(n), np.zeros(s + m), float(most)]
    answer = milp(
        np.r_[np.ones(s), np.zeros(m)],
        constraints=LinearConstraint(vstack([served, room, tight, count]).tocsr(), low, high),
        integrality=np.ones(s + m, dtype=np.int64), bounds=Bounds(0, 1),
        options={"time_limit": limit_s, "node_limit": 200, "mip_rel_gap": 0.99 / most},
    )  # fmt: skip
    if answer.x is None:
        return None
    taken = np.flatnonzero(answer.x[s:] > 0.5)
    return [(int(at), np.sort(line[taken[spot[taken] == at]])) for at in np.unique(spot[taken])]


def _greedily(
    members: list[IntArray], walks: list[FloatArray], units: FloatArray, tenants: float
) -> list[tuple[int, IntArray]]:
    """The spot that serves most of the lines still open, then with the least walking, again and again."""
    near = [found[np.argsort(walk, kind="stable")] for found, walk in zip(members, walks, strict=True)]
    apart = [np.sort(walk, kind="stable") for walk in walks]
    reached_by: list[list[int]] = [[] for _ in units]
    for spot, found in enumerate(members):
        for line in found.tolist():
            reached_by[line].append(spot)
    open_ = np.ones(len(units), dtype=bool)
    count_of = [0] * len(members)  # how often a spot was weighed: older entries of the heap do not count

    def weighed(spot: int) -> tuple[int, float, int, int]:
        is_open = open_[near[spot]]
        fits = np.cumsum(units[near[spot]][is_open]) <= tenants
        count_of[spot] += 1
        return -int(fits.sum()), float(apart[spot][is_open][fits].sum()), spot, count_of[spot]

    heap = [weighed(spot) for spot in range(len(members))]
    heapq.heapify(heap)
    result = []
    while heap:
        lines, _walk, spot, count = heapq.heappop(heap)
        if count != count_of[spot]:
            continue
        if not lines:
            break
        left = near[spot][open_[near[spot]]]
        taken = left[np.cumsum(units[left]) <= tenants]
        open_[taken] = False
        result.append((spot, np.sort(taken)))
        for other in {one for line in taken.tolist() for one in reached_by[line]}:
            heapq.heappush(heap, weighed(other))
    return result
