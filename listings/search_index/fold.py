"""Keeps the blocks: gives new resources a place near their neighbours, and packs changed blocks anew.

Writers never wait for this: triggers only add marks (SearchDirty), and a search reads marked blocks, and resources
without a place, from the tally. Marks are taken away before the rows are read, in one transaction, so that a change
that comes between is either read or marked again. Not a cache that can be wrong: a search's answer is the same
before and after a fold.
"""

import io
from collections.abc import Iterable, Sequence

import numpy as np
from django.db import connection, transaction

from listings import search_keys
from listings.search_index import wire
from listings.search_index.rows import ROW_SQL, ROW_TYPES, is_listed

FINE = 2_048  # slots of a block: 256 bytes per facet value
PLACE_FROM = 1_024  # fewer new resources are read one by one until there are more
PLACE_MOST = 250_000  # in one fold
LONG = (60_000, 200_000, 600_000)  # millionths of a degree; longer ones stand apart
BOX_SQL = "resource_id, open_west, open_south, open_east, open_north"
BOX_TYPES = {"ids": "int8", "w": "int4", "s": "int4", "e": "int4", "n": "int4"}
LOCK = 0x5EA2C4

FACETS = {
    "listed": 0, "standing": 1, "kind": 2, "sector": 3, "free": 4, "all_free": 5, "height": 6, "bore": 7, "power": 8,
    "price": 9, "year": 10, "modes": 11, "region2": 12, "region4": 13, "region6": 14, "timed": 15,
}  # fmt: skip
PLAIN = ("standing", "kind", "sector", "free", "all_free", "height", "bore", "power", "price", "year")


def fold() -> int:
    """Places new resources once there are PLACE_FROM and folds marked blocks; gives how many blocks were written.

    One at a time over all processes; a second caller gives 0 at once. Idempotent.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            "WITH gone AS (DELETE FROM listings_searchdirty RETURNING block) SELECT DISTINCT block FROM gone"
        )
        blocks = {row[0] for row in cursor.fetchall()}
        blocks |= _place(cursor)
        write(sorted(blocks))
        if blocks:
            cursor.execute("UPDATE listings_searchfold SET folds = (random() * 9e18)::bigint")
    return len(blocks)


def _place(cursor) -> set[int]:  # type: ignore[no-untyped-def]
    """Slots for the resources that have none; gives their blocks. Locked rows wait for the next fold."""
    waiting = "slot IS NULL AND facets > 0"
    cursor.execute(f"SELECT count(*) FROM (SELECT FROM listings_tally WHERE {waiting} LIMIT {PLACE_FROM}) AS few")
    if cursor.fetchone()[0] < PLACE_FROM:
        return set()
    found = wire.columns(
        f"SELECT {BOX_SQL} FROM (SELECT * FROM listings_tally WHERE {waiting} ORDER BY resource_id LIMIT {PLACE_MOST}"
        " FOR NO KEY UPDATE SKIP LOCKED) AS few", **BOX_TYPES,
    )  # fmt: skip
    cursor.execute("SELECT coalesce(max(slot) / %s + 1, 0) FROM listings_tally", [FINE])
    first = cursor.fetchone()[0]
    ids, slots = found["ids"], slots_for(found, first)
    placed(ids, slots)
    cursor.execute("UPDATE listings_tally t SET slot = p.slot FROM placed p WHERE t.resource_id = p.id")
    cursor.execute("DROP TABLE placed")
    return set((slots // FINE).tolist())


def slots_for(boxes: dict[str, np.ndarray], first: int) -> np.ndarray:
    """A slot for each box, neighbours next to each other (Morton order of 0.002° squares), from block `first` on.

    Long lines stand in blocks of their own by length: one alone would stretch its block over half a province.
    """
    x = ((boxes["w"].astype(np.int64) + boxes["e"]) // 2 + 180_000_000) // 2_000
    y = ((boxes["s"].astype(np.int64) + boxes["n"]) // 2 + 90_000_000) // 2_000
    morton = _spread(x.astype(np.uint64)) | (_spread(y.astype(np.uint64)) << np.uint64(1))
    length = np.searchsorted(LONG, np.maximum(boxes["e"] - boxes["w"], boxes["n"] - boxes["s"]))
    slots = np.empty(len(x), np.int64)
    for size in range(len(LONG) + 1):
        these = np.flatnonzero(length == size)
        slots[these[np.argsort(morton[these], kind="stable")]] = first * FINE + np.arange(len(these))
        first += -(-len(these) // FINE)
    return slots


def placed(ids: np.ndarray, slots: np.ndarray) -> None:
    """Temporary table placed (id, slot, nth): nth counts in the order of slots. Gone at the end of the transaction."""
    order = np.argsort(slots, kind="stable")
    rows = zip(ids[order].tolist(), slots[order].tolist(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE placed (id bigint PRIMARY KEY, slot int, nth int) ON COMMIT DROP")
        _copy_in("placed (id, slot, nth)", (f"{i}\t{s}\t{n}\n" for n, (i, s) in enumerate(rows)))
        cursor.execute("CREATE INDEX ON placed (nth)")
        cursor.execute("ANALYZE placed")


def _spread(v: np.ndarray) -> np.ndarray:
    """A zero between every two bits of 32."""
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        v = (v | (v << np.uint64(shift))) & np.uint64(mask)
    return v


def _copy_in(target: str, lines: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {target} FROM STDIN", io.StringIO("".join(lines)))


# --- Packing ----------------------------------------------------------------------------------


def write(blocks: Sequence[int]) -> None:
    """Packs these blocks from the tally as it is now."""
    for at in range(0, len(blocks), 64):
        _write_fine(list(blocks[at : at + 64]))


def _write_fine(blocks: list[int]) -> None:
    found = wire.columns(
        f"SELECT {ROW_SQL} FROM unnest(%s::int[]) AS b (number) JOIN listings_tally t"
        f" ON t.slot >= b.number * {FINE} AND t.slot < (b.number + 1) * {FINE}",
        (blocks,), **ROW_TYPES,
    )  # fmt: skip
    number = found["slot"] // FINE
    block_lines, bit_lines = [], []
    for block in blocks:
        here = {name: column[number == block] for name, column in found.items()}
        if not (here["facets"] > 0).any():
            continue
        columns = _columns(here)
        block_lines.append(_block_line(block, columns))
        bit_lines += [f"{block}\t{facet}\t{value}\tx{bits}\n" for facet, value, bits in _bits(columns)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM listings_searchblock WHERE number = ANY(%s)", [blocks])
        cursor.execute("DELETE FROM listings_searchbits WHERE block = ANY(%s)", [blocks])
    _copy_in(
        "listings_searchblock (number, count, open_west, open_south, open_east, open_north, verified_west,"
        " verified_south, verified_east, verified_north, facets, ids, open_boxes, verified_boxes, prices, frees,"
        " published)", block_lines,
    )  # fmt: skip
    _copy_in("listings_searchbits (block, facet, value, bits)", bit_lines)


def _columns(here: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The block's columns in slot order, zero where a slot is empty."""
    at = here["slot"] % FINE
    columns = {}
    for name, column in here.items():
        columns[name] = np.zeros(FINE, column.dtype)
        columns[name][at] = column
    return columns


def _block_line(block: int, c: dict[str, np.ndarray]) -> str:
    is_there = c["facets"] > 0
    box = [c[letter + side][is_there] for letter in "ov" for side in "wsen"]
    edges = [edge.min() if n % 4 < 2 else edge.max() for n, edge in enumerate(box)]
    blobs = [
        c["facets"], c["ids"], np.stack([c["o" + side] for side in "wsen"]),
        np.stack([c["v" + side] for side in "wsen"]), c["prices"], c["frees"], c["published"],
    ]  # fmt: skip
    packed = "\t".join("\\\\x" + blob.tobytes().hex() for blob in blobs)
    return f"{block}\t{int(is_there.sum())}\t" + "\t".join(str(int(edge)) for edge in edges) + f"\t{packed}\n"


def _bits(c: dict[str, np.ndarray]) -> Iterable[tuple[int, int, str]]:
    """(facet, value, hexadecimal bits) of everything published in the block."""
    facets = c["facets"]
    is_there = facets > 0
    yield FACETS["listed"], 0, _packed(is_listed(facets))
    for name in PLAIN:
        yield from _values(FACETS[name], search_keys.LAYOUT[name].of(facets), is_there)
    for digits in (2, 4, 6):
        yield from _values(FACETS[f"region{digits}"], search_keys.region_of(facets, digits), is_there)
    modes = search_keys.LAYOUT["modes"].of(facets)
    for n in range(len(search_keys.MODES)):
        has = is_there & ((modes >> n) & 1 > 0)
        if has.any():
            yield FACETS["modes"], n, _packed(has)
    if (c["timed"] > 0).any():
        yield FACETS["timed"], 0, _packed(is_there & (c["timed"] > 0))


def _values(facet: int, codes: np.ndarray, is_there: np.ndarray) -> Iterable[tuple[int, int, str]]:
    for value in np.unique(codes[is_there]).tolist():
        yield facet, value, _packed(is_there & (codes == value))


def _packed(has: np.ndarray) -> str:
    return np.packbits(has).tobytes().hex()


def rebuild() -> int:
    """Every resource placed anew in one spatial order, every block packed; gives how many blocks. Locks the tally."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("LOCK TABLE listings_tally IN ACCESS EXCLUSIVE MODE")
        count = place_all(cursor)
        write(range(count))
        cursor.execute("UPDATE listings_searchfold SET folds = (random() * 9e18)::bigint")
    return count


def place_all(cursor) -> int:  # type: ignore[no-untyped-def]
    """Slots for all published resources and the tally rewritten in that order; the blocks are left empty."""
    found = wire.columns(f"SELECT {BOX_SQL} FROM listings_tally WHERE facets > 0 ORDER BY resource_id", **BOX_TYPES)
    slots = slots_for(found, 0)
    placed(found["ids"], slots)
    cursor.execute("CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM listings_tally")
    cursor.execute("UPDATE kept SET slot = NULL")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # checked now: TRUNCATE waits for no later check
    cursor.execute("TRUNCATE listings_tally, listings_searchblock, listings_searchbits, listings_searchdirty")
    from listings.models import Tally

    names = [f.column for f in Tally._meta.concrete_fields if f.column != "slot"]
    listed = ", ".join(names)
    cursor.execute(
        f"INSERT INTO listings_tally ({listed}, slot) SELECT {', '.join('k.' + n for n in names)}, p.slot"
        " FROM kept k LEFT JOIN placed p ON p.id = k.resource_id ORDER BY p.slot"
    )
    cursor.execute("DROP TABLE placed, kept")
    return int(slots.max()) // FINE + 1 if len(slots) else 0
