"""What a pool has left in which period: one slice for most, several where reservations come and go."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .problem import FloatArray, IntArray

FOREVER = 999_999  # a day after every period asked for, counted from 1970-01-01


@dataclass(frozen=True)
class Slices:
    """Slices of pool k: first[k] … first[k + 1]. Each holds from day `starts` to day `ends` (both included) and has
    capacity left of what is neither in use nor reserved then, ≥ 0."""

    first: IntArray
    starts: IntArray
    ends: IntArray
    capacity: FloatArray

    def uses(self, pool: IntArray, starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
        """(row, slice) of every slice that the periods of the rows overlap; pool −1 overlaps none."""
        has = pool >= 0
        low = np.where(has, self.first[np.maximum(pool, 0)], 0)
        count = np.where(has, self.first[np.maximum(pool, 0) + 1] - low, 0)
        row = np.repeat(np.arange(len(pool)), count)
        piece = np.repeat(low - np.r_[0, np.cumsum(count)[:-1]], count) + np.arange(count.sum())
        if len(self.starts) == len(self.first) - 1:
            return row, piece
        overlaps = (self.starts[piece] <= ends[row]) & (self.ends[piece] >= starts[row])
        return row[overlaps], piece[overlaps]

    def least_free(self, pool: IntArray, starts: IntArray, ends: IntArray) -> FloatArray:
        """(rows,): the least that is left over each row's whole period."""
        least = np.full(len(pool), np.inf)
        row, piece = self.uses(pool, starts, ends)
        np.minimum.at(least, row, self.capacity[piece])
        return least

    def owner(self) -> IntArray:
        """(slices,): the pool each slice belongs to."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


def slices_of(keys: IntArray, room: FloatArray, reserved: Mapping[str, np.ndarray]) -> Slices:
    """Pools with these keys and this much neither out of service nor in use by their owner.

    reserved: {"pool" (keys), "starts", "ends" (days, included), "quantity"}; empty: nothing is reserved anywhere.
    """
    count = len(keys)
    if not len(reserved.get("pool", ())):
        return Slices(
            np.arange(count + 1, dtype=np.int64), np.full(count, -FOREVER), np.full(count, FOREVER),
            np.maximum(room, 0.0),
        )  # fmt: skip
    by_key: dict[int, list[tuple[int, int, float]]] = {}
    for key, start, end, quantity in zip(
        *(reserved[name].tolist() for name in ("pool", "starts", "ends", "quantity")), strict=True
    ):
        by_key.setdefault(key, []).append((start, end, quantity))
    first, starts, ends, capacity = [0], [], [], []
    for key, free in zip(keys.tolist(), room.tolist(), strict=True):
        rows = by_key.get(key, [])
        days = sorted({-FOREVER, *(start for start, _, _ in rows), *(end + 1 for _, end, _ in rows if end < FOREVER)})
        for day, following in zip(days, [*days[1:], FOREVER + 1], strict=True):
            starts.append(day)
            ends.append(following - 1)
            capacity.append(max(0.0, free - sum(q for start, end, q in rows if start <= day <= end)))
        first.append(len(starts))
    return Slices(np.array(first), np.array(starts), np.array(ends), np.array(capacity))
