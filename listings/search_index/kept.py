"""Columns of blocks, kept in the process: a block that was not packed anew since is not read a second time.

A block is known by the transaction that packed it (its row's xmin): a fold deletes a block's row and writes it again.
What is kept is the index's own columns for one class of readers, before anything a reader's own rights add to it.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.db import connection

from listings.search_index import wire
from listings.search_index.fold import FINE

BLOCKS_MOST = 600  # 2,048 rows of 40 bytes each: 50 MB of a process


@dataclass(frozen=True)
class Block:
    """The published rows of one block. boxes: (4, n); slots and keys with them. Never written to."""

    packed_in: int
    facets: np.ndarray
    boxes: np.ndarray
    ids: np.ndarray
    slots: np.ndarray

    def where(self, mask: np.ndarray) -> "Block":
        """The rows with a true value; the block itself where all have one."""
        at = np.flatnonzero(mask)
        if len(at) == len(mask):
            return self
        return Block(self.packed_in, self.facets[at], self.boxes.take(at, axis=1), self.ids[at], self.slots[at])


Key = tuple[str, str, int]  # database, class of readers, number
_kept: OrderedDict[Key, Block] = OrderedDict()
_lock = threading.Lock()


def blocks(letter: str, numbers: Iterable[int], packed_in: dict[int, int]) -> list[Block]:
    """The blocks of these numbers that exist, in their order. packed_in: by number, as the caller's layout says.

    No query where all are kept, else one for the rest.
    """
    database, found, missing = str(connection.settings_dict["NAME"]), {}, []
    with _lock:
        for number in numbers:
            block = _kept.get((database, letter, number))
            if block is None or block.packed_in != packed_in.get(number):
                missing.append(number)
            else:
                _kept.move_to_end((database, letter, number))
                found[number] = block
    if missing:
        read = _read(letter, missing)
        found |= read
        with _lock:
            for number, block in read.items():
                _kept[database, letter, number] = block
            while len(_kept) > BLOCKS_MOST:
                _kept.popitem(last=False)
    return [found[number] for number in sorted(found)]


def _read(letter: str, numbers: list[int]) -> dict[int, Block]:
    boxes = "open_boxes" if letter == "o" else "verified_boxes"
    rows = wire.blobs(
        f"SELECT number, xmin::text::bigint, {boxes}, facets, ids FROM listings_searchblock WHERE number = ANY(%s)",
        (numbers,),
    )
    read = {}
    for row in rows:
        number, packed_in = int.from_bytes(row[0], "big"), int.from_bytes(row[1], "big")
        facets, ids = np.frombuffer(row[3], np.int64), np.frombuffer(row[4], np.int64)
        at = np.flatnonzero(facets > 0)
        sides = np.frombuffer(row[2], np.int32).reshape(4, FINE)
        read[number] = Block(packed_in, facets[at], sides[:, at], ids[at], (number * FINE + at).astype(np.int32))
    return read


def forget() -> None:
    """Everything kept: for tests and measurements of a first reader."""
    with _lock:
        _kept.clear()
