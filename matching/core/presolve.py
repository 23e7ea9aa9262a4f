"""Decide what needs no search: lines whose best option nobody can contest, and options that can never be better.

A pool is uncontended when everything that could still be asked of it fits together. A line's best option on
uncontended pools only is safe: it can be had whatever the others get. So options that score less are dropped, and a
line whose best option is safe is settled. That leaves less to ask of the other pools, and so on until nothing moves.
No optimum is lost: any allocation can be turned into one of these without anybody being worse off.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .problem import BoolArray, IntArray, Problem

ROUNDS = 30


@dataclass(frozen=True)
class Presolved:
    """settled: (n,) option that serves the line, -1 open. options: ids still in play. is_binding: (u,) uses of pools
    that can bind. left: (p,) capacity the settled lines leave."""

    settled: IntArray
    options: IntArray
    is_binding: BoolArray
    left: IntArray


def fits_alone(problem: Problem) -> BoolArray:
    """(m,) options that fit their pools when nobody else asks, counted per use."""
    fits: BoolArray = np.ones(len(problem.line), dtype=bool)
    too_much = problem.use_amount > problem.capacity[problem.use_pool]
    fits[problem.use_option[too_much]] = False
    return fits


def presolve(problem: Problem, *, keep_open: BoolArray | None = None) -> Presolved:
    """Settles and drops as the module says. keep_open: (n,) lines that are not to be settled (fairness counts them)."""
    m, n = len(problem.line), problem.line_count
    settled = np.full(n, -1, dtype=np.int64)
    left = problem.capacity.copy()
    active = fits_alone(problem)
    if not active.any():
        return Presolved(settled, np.zeros(0, np.int64), np.zeros(len(problem.use_pool), bool), left)
    use_option = problem.use_option
    use_line = problem.line[use_option]
    order = np.lexsort((use_line, problem.use_pool))
    pool_sorted, line_sorted = problem.use_pool[order], use_line[order]
    first = np.flatnonzero(np.r_[True, (np.diff(pool_sorted) != 0) | (np.diff(line_sorted) != 0)])
    group_pool = pool_sorted[first]
    binding = np.zeros(len(left), dtype=bool)
    for _ in range(ROUNDS):
        asked = np.where(active[use_option], problem.use_amount, 0)[order]
        potential = np.bincount(group_pool, weights=np.maximum.reduceat(asked, first), minlength=len(left))
        binding = potential > left
        risky = np.zeros(m, dtype=bool)
        risky[use_option[binding[problem.use_pool]]] = True
        safe = active & ~risky
        best = np.full(n, -1, dtype=np.int64)  # best safe score × m, ties to the lower id
        rank = problem.score * (m + 1) + (m - np.arange(m))
        np.maximum.at(best, problem.line[safe], rank[safe])
        keep = active & (rank >= best[problem.line])
        top = np.full(n, -1, dtype=np.int64)
        np.maximum.at(top, problem.line[keep], rank[keep])
        done = (best >= 0) & (top == best)
        if keep_open is not None:
            done &= ~keep_open
        chosen = np.flatnonzero(safe & done[problem.line] & (rank == best[problem.line]))
        settled[problem.line[chosen]] = chosen
        rows = np.isin(use_option, chosen) if len(chosen) else np.zeros(len(use_option), bool)
        np.subtract.at(left, problem.use_pool[rows], problem.use_amount[rows])
        keep &= ~done[problem.line]
        if len(chosen) == 0 and keep.sum() == active.sum():
            break
        active = keep
    return Presolved(settled, np.flatnonzero(active), binding[problem.use_pool] & active[use_option], left)


def components(problem: Problem, options: IntArray, is_binding: BoolArray) -> list[IntArray]:
    """The options in groups that share no pool that can bind; smallest groups first, ids ascending in each."""
    n = problem.line_count
    use_option = problem.use_option
    rows = is_binding
    a, b = problem.line[use_option[rows]], n + problem.use_pool[rows]
    size = n + len(problem.capacity)
    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    label = labels[problem.line[options]]
    order = np.argsort(label, kind="stable")
    groups = np.split(options[order], np.flatnonzero(np.diff(label[order])) + 1)
    return sorted((g for g in groups if len(g)), key=len)
