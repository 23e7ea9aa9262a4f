"""The bits of all blocks, and what matches are ordered by, kept in the process: counting is AND and popcount here.

256 bytes per block and facet value, 24 MB for two million resources, and 4 bytes per resource and order. Read once,
then only the blocks that were packed anew since (known by the transaction that packed them, as in kept.py). The same
for every reader: what a reader may see is decided by what is counted with it.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db import connection

from listings.search_index import wire
from listings.search_index.fold import FINE

WORDS = FINE // 64
LARGEST = np.iinfo(np.int32).max  # of a key: all larger ones count as equal, and so does a price that is missing
KEYS = ("price", "free", "newest")
KEY_SQL = {"price": "prices", "free": "frees", "newest": "published"}
ROW = np.dtype(
    [("fields", ">i2"), ("l1", ">i4"), ("block", ">i4"), ("l2", ">i4"), ("facet", ">i2"), ("l3", ">i4"),
     ("value", ">i4"), ("l4", ">i4"), ("length", ">i4"), ("bits", np.uint64, WORDS)]
)  # fmt: skip


@dataclass
class Bits:
    """Rows of bits in the order of facets and values; `at`: the place of a row's block in `numbers` (ascending)."""

    packed_in: dict[int, int]
    numbers: np.ndarray
    facet: np.ndarray
    value: np.ndarray
    at: np.ndarray
    words: np.ndarray
    keys: dict[str, np.ndarray] = field(default_factory=dict)  # (blocks, FINE): the smaller, the sooner in the order

    def _of(self, facet: int) -> slice:
        low, high = np.searchsorted(self.facet, (facet, facet + 1))
        return slice(int(low), int(high))

    def places(self, numbers: np.ndarray) -> np.ndarray:
        """Of these blocks, which all exist."""
        return np.searchsorted(self.numbers, numbers)

    def any_of(self, facet: int, codes: Iterable[int], places: np.ndarray) -> np.ndarray:
        """(places, WORDS): the rows of the blocks that have one of the values."""
        part = self._of(facet)
        found = np.zeros((len(self.numbers), WORDS), np.uint64)
        value, at, words = self.value[part], self.at[part], self.words[part]
        for code in codes:
            low, high = np.searchsorted(value, (code, code + 1))
            found[at[low:high]] |= words[low:high]
        return found[places]

    def counted(self, facet: int, met: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(index into places, value, how many of `met`) for each value that occurs in a block."""
        nth = np.full(len(self.numbers), -1)
        nth[places] = np.arange(len(places))
        part = self._of(facet)
        nth = nth[self.at[part]]
        here = np.flatnonzero(nth >= 0)
        nth, value, words = nth[here], self.value[part][here], self.words[part][here]
        return nth, value, np.bitwise_count(words & met[nth]).sum(axis=1, dtype=np.int64)

    def totals(self, facet: int, met: np.ndarray, places: np.ndarray) -> dict[int, int]:
        """{value: how many of `met`}, without values that nothing has."""
        _nth, value, count = self.counted(facet, met, places)
        sums = np.bincount(value, count)
        return {code: int(sums[code]) for code in np.flatnonzero(sums).tolist()}

    def best(self, sort: str, need: int, slots: np.ndarray) -> np.ndarray:
        """Slots among which the first `need` of these are."""
        if len(slots) <= need:
            return slots
        place, nth = self.places(slots // FINE), slots % FINE
        key = _keys(self, sort)[place, nth]
        some = smallest(key, need)
        if len(some) > 4 * need and key[some].max() < LARGEST:  # many equal ones at the end: the newest of them
            edge = key[some].max()
            sure, tied = some[key[some] < edge], some[key[some] == edge]
            newest = _keys(self, "newest")[place[tied], nth[tied]]
            some = np.concatenate([sure, tied[smallest(newest, need - len(sure))]])
        return slots[some]


def smallest(key: np.ndarray, need: int) -> np.ndarray:
    """Indexes of the `need` smallest and of all that equal the last of them."""
    if len(key) <= need:
        return np.arange(len(key))
    if need <= 0:
        return np.empty(0, np.int64)
    return np.flatnonzero(key <= np.partition(key, need - 1)[need - 1])


def count(words: np.ndarray) -> int:
    return int(np.bitwise_count(words).sum(dtype=np.int64))


def offsets(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(index of the row, place in its block) of every bit that is set."""
    return np.nonzero(np.unpackbits(words.view(np.uint8), axis=1))


# --- Keeping ----------------------------------------------------------------------------------

_kept: dict[str, Bits] = {}  # one per database
_lock = threading.Lock()


def bits(packed_in: dict[int, int]) -> Bits:
    """Of these blocks, by number the transaction that packed each, as the caller's layout says.

    No query where nothing was packed anew, else one for those blocks.
    """
    database = str(connection.settings_dict["NAME"])
    known = _kept.get(database)
    if known is not None and known.packed_in is packed_in:
        return known
    with _lock:
        known = _kept.get(database)
        if known is None or known.packed_in != packed_in:
            known = _kept[database] = _renewed(known, packed_in)
        return known


def _renewed(old: Bits | None, packed_in: dict[int, int]) -> Bits:
    stale = [number for number, mark in packed_in.items() if old is None or old.packed_in.get(number) != mark]
    fresh = _read(stale)
    numbers = np.array(sorted(packed_in), np.int64)
    block, parts = fresh["block"].astype(np.int64), {name: fresh[name] for name in ("facet", "value", "bits")}
    keys: dict[str, np.ndarray] = {}
    if old is not None:
        stays = np.isin(old.numbers, numbers) & ~np.isin(old.numbers, stale)
        rows = np.flatnonzero(stays[old.at])
        block = np.concatenate([old.numbers[old.at[rows]], block])
        for name, column in (("facet", old.facet), ("value", old.value), ("bits", old.words)):
            parts[name] = np.concatenate([column[rows], parts[name]])
        for sort, column in old.keys.items():
            keys[sort] = np.empty((len(numbers), FINE), np.int32)
            keys[sort][np.searchsorted(numbers, old.numbers[stays])] = column[stays]
            _fill(keys[sort], sort, numbers, stale)
    here = np.flatnonzero(np.isin(block, numbers))
    order = here[np.lexsort((parts["value"][here], parts["facet"][here]))]
    return Bits(
        packed_in, numbers, parts["facet"][order], parts["value"][order], np.searchsorted(numbers, block[order]),
        parts["bits"][order], keys,
    )  # fmt: skip


def _read(numbers: Sequence[int]) -> dict[str, np.ndarray]:
    body = wire.body(
        "SELECT block, facet, value, bits FROM listings_searchbits WHERE block = ANY(%s)",
        (list(numbers),),
    )
    rows = np.frombuffer(body, ROW, count=len(body) // ROW.itemsize)
    kinds = {"block": np.int32, "facet": np.int16, "value": np.int32, "bits": np.uint64}
    return {name: rows[name].astype(kind) for name, kind in kinds.items()}


def _keys(of: Bits, sort: str) -> np.ndarray:
    found = of.keys.get(sort)
    if found is None:
        found = np.full((len(of.numbers), FINE), LARGEST, np.int32)
        _fill(found, sort, of.numbers, of.numbers.tolist())
        of.keys[sort] = found
    return found


def _fill(into: np.ndarray, sort: str, numbers: np.ndarray, which: Sequence[int]) -> None:
    """Whole numbers that keep the order: fen, hundredths of a unit less than none, seconds before 1970 plus a day."""
    rows = wire.blobs(
        f"SELECT number, {KEY_SQL[sort]} FROM listings_searchblock WHERE number = ANY(%s)", (list(which),)
    )  # fmt: skip
    for number, column in rows:
        place = np.searchsorted(numbers, int.from_bytes(number, "big"))
        if place == len(numbers) or numbers[place] != int.from_bytes(number, "big"):
            continue  # folded meanwhile; the caller sees that and asks again
        key = np.frombuffer(column, np.int64)
        if sort == "newest":
            key = -(key // 1_000_000)
        elif sort == "free":
            key = -key
        into[place] = np.clip(key, -LARGEST, LARGEST)


def forget() -> None:
    """Everything kept: for tests and measurements of a first reader."""
    with _lock:
        _kept.clear()
