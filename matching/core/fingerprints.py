"""One number per line for all that its verdict within its limit is made from: what was asked, and every pair's values.

Two matchings that give a line the same number gave it the same pairs, margins and scores, so only the competition
between lines can tell their allocations apart. Collisions of 63-bit numbers are left to chance (one in 10¹⁸).
"""

from collections.abc import Iterable

import numpy as np

from .problem import IntArray, Pairs
from .slices import Slices

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_NOTHING = np.uint64(0x7FF8000000000000)
POSITIONS = ("line", "pool", "power_pool", "room_pool")  # numbers within a run; their keys count instead


def _bits(values: np.ndarray) -> np.ndarray:
    """(n,) unsigned 64-bit pictures of numbers; all NaN alike, −0 as 0."""
    if values.dtype == np.bool_ or values.dtype.kind in "iu":
        return values.astype(np.int64).view(np.uint64)
    floats = values.astype(np.float64) + 0.0
    return np.where(np.isnan(floats), _NOTHING, floats.view(np.uint64))


def _mixed(columns: Iterable[np.ndarray], length: int) -> np.ndarray:
    """(n,) a number for each row of columns of equal length; order of columns counts."""
    with np.errstate(over="ignore"):
        result = np.zeros(length, dtype=np.uint64)
        for values in columns:
            result = (result ^ _bits(values)) * _ODD
            result = (result ^ (result >> np.uint64(29))) * _MIX
        result ^= result >> np.uint64(32)
    return result


def _sums(number: np.ndarray, of: IntArray, count: int) -> np.ndarray:
    """(count,) sums modulo 2⁶⁴ of the numbers of each group."""
    result = np.zeros(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        np.add.at(result, of, number)
    return result


def fingerprints(
    asked: Iterable[np.ndarray], line_count: int, pairs: Pairs, keys: Iterable[np.ndarray], pool_keys: IntArray,
    slices: Slices, starts: IntArray, ends: IntArray,
) -> IntArray:  # fmt: skip
    """(lines,) ≥ 0. asked: columns per line; keys: columns per pair besides those of Pairs (resource ids, say);
    pool_keys: (pools,); starts, ends: (lines,) the days of each line's period, for which slices of pools count."""
    count = len(pairs)
    of_slice = _mixed((slices.starts, slices.ends, slices.capacity), len(slices.capacity))
    columns = [getattr(pairs, name) for name in Pairs.__dataclass_fields__ if name not in POSITIONS]
    columns += list(keys)
    for pool in (pairs.pool, pairs.power_pool, pairs.room_pool):
        row, piece = slices.uses(pool, starts[pairs.line], ends[pairs.line])
        known = pool_keys[np.maximum(pool, 0)] if len(pool_keys) else np.zeros(count, dtype=np.int64)
        columns += [np.where(pool >= 0, known, 0), _sums(of_slice[piece], row, count).view(np.int64)]
    total = _sums(_mixed(columns, count), pairs.line, line_count)
    result = _mixed([*asked, total.view(np.int64)], line_count) >> np.uint64(1)
    return result.view(np.int64)
