"""Resources as columns: what a search looks at row by row, whether out of blocks or out of the tally itself."""

from dataclasses import dataclass

import numpy as np

from listings import search_keys
from listings.search_index import wire

NO_PRICE = np.iinfo(np.int64).max
# Everything a row says, never NULL, as wire.columns reads it.
ROW_SQL = (
    "coalesce(t.slot, -1), t.resource_id, t.facets, t.open_west, t.open_south, t.open_east, t.open_north,"
    " t.verified_west, t.verified_south, t.verified_east, t.verified_north,"
    f" coalesce(t.price_fen, {NO_PRICE}), (t.free_units * 100)::int8,"
    " coalesce(extract(epoch FROM t.published_at) * 1000000, 0)::int8, t.is_timed"
)
ROW_TYPES = {
    "slot": "int4", "ids": "int8", "facets": "int8", "ow": "int4", "os": "int4", "oe": "int4", "on": "int4",
    "vw": "int4", "vs": "int4", "ve": "int4", "vn": "int4", "prices": "int8", "frees": "int8", "published": "int8",
    "timed": "bool",
}  # fmt: skip


@dataclass
class Rows:
    """n resources. boxes: (4, n) west, south, east, north in millionths of a degree, as this reader sees them."""

    ids: np.ndarray
    facets: np.ndarray
    boxes: np.ndarray
    prices: np.ndarray
    frees: np.ndarray
    published: np.ndarray
    timed: np.ndarray
    slot: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, which: np.ndarray) -> "Rows":
        prices = self.prices[which]
        is_open = self.frees is self.prices and self.published is self.prices  # one array of -1 for all three
        frees, published = (prices, prices) if is_open else (self.frees[which], self.published[which])
        boxes = np.take(self.boxes, which, axis=1)
        return Rows(
            self.ids[which], self.facets[which], boxes, prices, frees, published, self.timed[which], self.slot[which]
        )

    def where(self, mask: np.ndarray) -> "Rows":
        """Those with a true value; these very rows where all have one."""
        return self if mask.all() else self.take(np.flatnonzero(mask))

    @classmethod
    def joined(cls, parts: "list[Rows]") -> "Rows":
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.from_columns({name: np.empty(0, np.int64) for name in ROW_TYPES}, "o")
        names = ("ids", "facets", "prices", "frees", "published", "timed", "slot")
        whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(boxes=np.concatenate([part.boxes for part in parts], axis=1), **whole)

    @classmethod
    def from_columns(cls, found: dict[str, np.ndarray], letter: str) -> "Rows":
        boxes = np.stack([found[letter + side] for side in "wsen"])
        return cls(
            found["ids"], found["facets"], boxes, found["prices"], found["frees"], found["published"],
            found["timed"].astype(bool), found["slot"],
        )  # fmt: skip


def select(letter: str, where: str, params: tuple = (), *, tail: str = "", source: str = "listings_tally t") -> Rows:
    """Rows of the tally that meet the condition. letter: "o" for boxes as everybody is shown, "v" for verified ones."""
    found = wire.columns(f"SELECT {ROW_SQL} FROM {source} WHERE {where} {tail}", params, **ROW_TYPES)
    return Rows.from_columns(found, letter)


def is_listed(facets: np.ndarray) -> np.ndarray:
    """Published and disclosed by more than existence."""
    standing = search_keys.LAYOUT["standing"].of(facets)
    return (standing == 1) | (standing == 2)
