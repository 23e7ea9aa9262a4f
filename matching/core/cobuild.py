"""Where one new tower would serve several lines that nothing existing serves: capacitated location of towers.

Each group of lines near enough to share is solved on its own: as few towers as can be (a tower costs far more than any
walk), and among those the least walking. Small groups exactly, as a mixed-integer programme (uncapacitated forms:
Balinski 1965; here with tenants); larger ones greedily, the tower that serves most lines first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix, csr_matrix, vstack
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from .problem import FloatArray, IntArray

EXACT_LINES_MAX = 25
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
    result = []
    for number in range(label.max() + 1):
        lines = np.flatnonzero((label == number) & (units <= tenants))
        if len(lines):
            result += _group(place, units, height_m, lines, radius_m, tenants, time_limit_s)
    return result


def _group(
    place: FloatArray, units: FloatArray, height_m: FloatArray, lines: IntArray, radius_m: float, tenants: float,
    limit_s: float,
) -> list[Tower]:  # fmt: skip
    if len(lines) == 1:
        return [_tower(place[lines[0]], lines, height_m)]
    spots = _spots(place[lines], radius_m)
    apart = np.hypot(*(spots[:, None, :] - place[lines][None, :, :]).transpose(2, 0, 1))
    reach = apart <= radius_m + 1e-6
    chosen = None
    if len(lines) <= EXACT_LINES_MAX:
        chosen = _exactly(apart, reach, units[lines], tenants, radius_m, limit_s)
    if chosen is None:
        chosen = _greedily(apart, reach, units[lines], tenants)
    return [_tower(spots[spot], lines[members], height_m) for spot, members in chosen]


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
    apart: FloatArray, reach: np.ndarray, units: FloatArray, tenants: float, radius_m: float, limit_s: float
) -> list[tuple[int, IntArray]] | None:
    spot, line = np.nonzero(reach)
    m, s, n = len(spot), len(reach), reach.shape[1]
    walk = apart[spot, line] / (radius_m * (n + 1))  # all walks together weigh less than a tower
    cost = np.r_[np.ones(s), walk]
    served = csr_matrix((np.ones(m), (line, s + np.arange(m))), shape=(n, s + m))
    room = csr_matrix(
        (np.r_[units[line], np.full(s, -tenants)], (np.r_[spot, np.arange(s)], np.r_[s + np.arange(m), np.arange(s)])),
        shape=(s, s + m),
    )
    tight = csr_matrix(
        (np.r_[np.ones(m), -np.ones(m)], (np.r_[np.arange(m), np.arange(m)], np.r_[s + np.arange(m), spot])),
        shape=(m, s + m),
    )
    low = np.r_[np.ones(n), np.full(s + m, -np.inf)]
    high = np.r_[np.ones(n), np.zeros(s + m)]
    answer = milp(
        cost, constraints=LinearConstraint(vstack([served, room, tight]).tocsr(), low, high),
        integrality=np.ones(s + m, dtype=np.int64), bounds=Bounds(0, 1),
        options={"time_limit": limit_s, "node_limit": 500, "mip_rel_gap": 1e-4},
    )  # fmt: skip
    if answer.x is None:
        return None
    taken = np.flatnonzero(answer.x[s:] > 0.5)
    return [(int(at), np.sort(line[taken[spot[taken] == at]])) for at in np.unique(spot[taken])]


def _greedily(apart: FloatArray, reach: np.ndarray, units: FloatArray, tenants: float) -> list[tuple[int, IntArray]]:
    open_ = np.ones(reach.shape[1], dtype=bool)
    result = []
    while open_.any():
        best: tuple[int, float, int, IntArray] | None = None
        for spot in range(len(reach)):
            lines = np.flatnonzero(reach[spot] & open_)
            lines = lines[np.argsort(apart[spot, lines], kind="stable")]
            lines = lines[np.cumsum(units[lines]) <= tenants]
            if len(lines):
                key = (-len(lines), float(apart[spot, lines].sum()), spot, lines)
                if best is None or key[:3] < best[:3]:
                    best = key
        if best is None:
            break
        open_[best[3]] = False
        result.append((best[2], np.sort(best[3])))
    return result
