"""Counts and pages: whole blocks by AND and popcount of their bits, the rest row by row."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from django.utils import timezone

from accounts.models import Membership
from listings import search_keys
from listings.search_index import bits as bit_store
from listings.search_index import read
from listings.search_index.fold import FACETS, FINE
from listings.search_index.rows import Rows, is_listed
from listings.search_index.shapes import MICRO, UNSURE, geodesic_m, shape_of
from listings.search_index.wants import Want, by_prefixes, wants
from listings.search_keys import LAYOUT

COUNTED = ("kind", "sector", "modes", "free", "height", "bore", "power", "price", "year")
DEFAULT_RADIUS_M = 2_000


@dataclass(frozen=True)
class Masks:
    """Bits of some blocks (n, WORDS). places: of the blocks among all; met: which meet every want; but: by name, which
    meet every other."""

    places: np.ndarray
    met: np.ndarray
    but: dict[str, np.ndarray]


@dataclass
class Found:
    """One reader's search. Lazy: counting and paging each ask for what they need, over the same picture.

    ids: only these resources (what a text or an owner names); None: all.
    """

    reader: Membership | None
    criteria: Mapping[str, Any]
    ids: np.ndarray | None = None
    today: dt.date = field(default_factory=timezone.localdate)
    _asked_metres: dict[tuple[float, float], dict[int, float]] = field(default_factory=dict)
    hidden: bool = False  # count those disclosed by existence only, instead of those that may be read about

    @cached_property
    def viewer(self) -> read.Viewer:
        return read.Viewer.of(self.reader)

    @cached_property
    def blocks(self) -> read.Layout:
        """The picture that counting and paging work on."""
        return read.layout(self.viewer.letter)

    @cached_property
    def wants(self) -> dict[str, Want]:
        return wants(self.criteria, today=self.today) | {
            f"word{n}": want for n, want in enumerate(map(by_prefixes, self.criteria.get("word_regions", ())))
        }

    @cached_property
    def shape(self):  # type: ignore[no-untyped-def]
        return shape_of(self.criteria, default_radius_m=DEFAULT_RADIUS_M)

    @cached_property
    def picked(self) -> read.Picked:
        blocks = self.blocks  # read before anything else
        if self.ids is not None:
            picked = read.pick_ids(self.viewer, self.shape, self.ids)
        else:
            units = self.criteria.get("free")
            odd = bool(units) and units not in search_keys.FREE_STEPS
            picked = read.pick(
                self.viewer, self.shape, blocks, by_rows=odd, timed_apart="available_on" in self.criteria
            )
        return self.settled(picked)

    def settled(self, picked: read.Picked) -> read.Picked:
        """What can be known of the rows but not from their boxes: day, odd numbers, and lines at the edge."""
        rows, keep = picked.rows, np.ones(len(picked.rows), bool)
        if self.hidden:
            keep &= rows.facets & 3 == 3
        elif self.viewer.organisation_id:
            keep &= is_listed(rows.facets) | (rows.facets & 3 == 3)  # hidden ones here are this reader's own
        else:
            keep &= is_listed(rows.facets)
        if day := self.criteria.get("available_on"):
            rows = picked.rows = read.complete(self.viewer, rows)
            rows.facets, in_window = read.on_day(rows, day)
            keep &= in_window
        if (units := self.criteria.get("free")) and units not in search_keys.FREE_STEPS:
            rows = picked.rows = read.complete(self.viewer, rows)
            keep &= rows.frees >= units * 100
        unsure = np.flatnonzero((picked.place == UNSURE) & keep & self._all(rows.facets, but_one=True))
        if len(unsure):
            asked = rows.take(unsure)
            sure = read.ask_database(self.reader, self.criteria, asked.ids)
            rows = Rows.joined([rows, asked.take(np.flatnonzero(np.isin(asked.ids, sure)))])
            keep = np.concatenate([keep & (picked.place != UNSURE), np.ones(len(rows) - len(keep), bool)])
            picked.place = np.ones(len(rows), np.int8)
        keep &= picked.place != UNSURE
        picked.rows, picked.place = rows.where(keep), picked.place[keep]
        return picked

    def _all(self, facets: np.ndarray, *, but_one: bool = False) -> np.ndarray:
        """Which meet every facet; but_one: all but at most one, so that no facet's count lacks them."""
        missed = np.zeros(len(facets), np.int8)
        for want in self.wants.values():
            missed += ~want.meets(facets)
        return missed <= (1 if but_one else 0)

    # --- Counting -----------------------------------------------------------------------------

    def counts(self, region_digits: int = 2) -> "dict[str, dict[int, int]]":
        """{"total": {0: n}, facet: {code: n}}: each facet with its own choice left open. "tone" splits what is free."""
        names = {name: name for name in COUNTED} | {
            "region": f"region{region_digits}", "disclosure": "standing", "all_free": "all_free",
        }  # fmt: skip
        counts: dict[str, dict[int, int]] = {name: {} for name in names}
        counts["total"] = {0: 0}
        if self.hidden:  # the region's own choice closed too
            counts["region_met"] = counts.pop("region")
            names["region_met"] = names.pop("region")
        self._count_rows(counts, region_digits)
        if len(self.picked.fine):
            self._count_bits(counts, names)
        return counts

    def _count_rows(self, counts: dict[str, dict[int, int]], region_digits: int) -> None:
        facets = self.picked.rows.facets
        met = {name: want.meets(facets) for name, want in self.wants.items()}
        missed = sum((~m).astype(np.int8) for m in met.values()) if met else np.zeros(len(facets), np.int8)
        every = missed == 0
        matches = facets[every]
        counts["total"][0] += len(matches)
        for name in counts:
            if name == "total":
                continue
            owner = "free" if name == "all_free" else name
            name, answer = name.removesuffix("_met"), counts[name]
            open_too = facets[every | ((missed == 1) & ~met[owner])] if owner in met else matches
            if name == "modes":
                sets = np.bincount(LAYOUT["modes"].of(open_too), minlength=LAYOUT["modes"].mask + 1)
                has = np.arange(len(sets))
                found = {n: int(sets[(has >> n) & 1 == 1].sum()) for n in range(len(search_keys.MODES))}
            elif name == "region":
                numbers = np.bincount(search_keys.region_of(open_too, region_digits), minlength=1)
                found = {code: int(numbers[code]) for code in np.flatnonzero(numbers).tolist()}
            else:
                bits = LAYOUT["standing" if name == "disclosure" else name]
                found = dict(enumerate(np.bincount(bits.of(open_too), minlength=1).tolist()))
            for code, number in found.items():
                if number:
                    answer[code] = answer.get(code, 0) + number

    def _count_bits(self, counts: dict[str, dict[int, int]], names: dict[str, str]) -> None:
        bits, fine = self.bits, self._whole
        counts["total"][0] += bit_store.count(fine.met)
        for name, wanted in names.items():
            mask = fine.but.get("free" if name == "all_free" else name, fine.met)
            for value, number in bits.totals(FACETS[wanted], mask, fine.places).items():
                counts[name][value] = counts[name].get(value, 0) + number

    @cached_property
    def _whole(self) -> "Masks":
        return self.masks(self.picked.fine)

    @cached_property
    def bits(self) -> bit_store.Bits:
        """Of the blocks as this search sees them."""
        return bit_store.bits(self.blocks.packed_in)

    def masks(self, numbers: np.ndarray) -> "Masks":
        """Of blocks taken as a whole."""
        bits, places = self.bits, self.bits.places(numbers)
        base = ("standing", 3) if self.hidden else ("listed", 0)
        met = bits.any_of(FACETS[base[0]], (base[1],), places)
        if "available_on" in self.criteria:
            met &= ~bits.any_of(FACETS["timed"], (0,), places)
        each = {name: bits.any_of(FACETS[w.bits], w.codes, places) for name, w in self.wants.items()}
        but = {}
        for name in each:
            but[name] = met.copy()
            for other, mask in each.items():
                if other != name:
                    but[name] &= mask
        for mask in each.values():
            met &= mask
        return Masks(places, met, but)

    def complete(self, rows: Rows) -> Rows:
        """The rows with their keys."""
        return read.complete(self.viewer, rows)

    def sure_of(self, keys: list[int]) -> list[int]:
        """Those of the keys (which meet the facets) that lie in the criteria's area and are among the text's hits."""
        if self.ids is not None:
            keys = sorted(set(keys) & set(self.ids.tolist()))
        if keys and self.shape is not None:
            return read.ask_database(self.reader, self.criteria, np.array(keys))
        return keys

    # --- Ordering -----------------------------------------------------------------------------

    @cached_property
    def met(self) -> np.ndarray:
        """Indexes of the matches among the rows outside whole blocks."""
        return np.flatnonzero(self._all(self.picked.rows.facets))

    @property
    def met_rows(self) -> Rows:
        """The same as rows."""
        rows = self.picked.rows
        return rows if len(self.met) == len(rows) else rows.take(self.met)

    @cached_property
    def matches(self) -> Rows:
        """The matches outside whole blocks."""
        return read.complete(self.viewer, self.picked.rows.take(self.met))

    def page(self, sort: str, offset: int, limit: int, *, origin: tuple[float, float] | None = None) -> list[int]:
        """Keys of the matches from offset on, in order."""
        need = offset + limit
        if sort == "distance" and origin is not None:
            rows = self._nearest_of_whole(origin, need, self._nearest(self.met_rows, origin, need))
            rows = self.complete(rows)
            order = np.lexsort((-rows.ids, -rows.published, self.distances(rows, origin, need)))
        else:
            rows = self._best_rows(sort, need)
            order = best(rows, sort, need)
        return rows.ids[order[offset:need]].tolist()

    def _best_rows(self, sort: str, need: int) -> Rows:
        """Rows among which the first `need` are."""
        rows = self.picked.rows
        met = self._all(rows.facets)
        is_open = rows.published < 0
        sort = sort if sort in bit_store.KEYS else "newest"
        slots = np.concatenate([rows.slot[met & is_open].astype(np.int64), self._slots()])
        chosen = read.by_slots(self.viewer, self.bits.best(sort, need, slots)) if len(slots) else Rows.joined([])
        return Rows.joined([rows.take(np.flatnonzero(met & ~is_open)), chosen])

    def _nearest(self, rows: Rows, origin: tuple[float, float], need: int) -> Rows:
        """The nearest `need` rows, and all that are as near as the last of them."""
        if len(rows) <= need:
            return rows
        return rows.take(bit_store.smallest(self.distances(rows, origin, need), need))

    def distances(self, rows: Rows, origin: tuple[float, float], need: int) -> np.ndarray:
        """Metres from the origin to each place as shown; of lines that cannot be among the nearest, a lower bound."""
        west, south, east, north = (edge / MICRO for edge in rows.boxes)
        near = geodesic_m(*origin, np.clip(origin[0], west, east), np.clip(origin[1], south, north))
        is_line = np.flatnonzero((west != east) | (south != north))
        if len(is_line) and len(rows):
            points = np.sort(near[(west == east) & (south == north)])
            reach = points[need - 1] if len(points) >= need else np.inf
            asked = is_line[near[is_line] <= reach]
            near[asked] = self._line_metres(rows.ids[asked], origin)
        return near

    def _line_metres(self, ids: np.ndarray, origin: tuple[float, float]) -> list[float]:
        """Each line is asked about once."""
        known = self._asked_metres.setdefault(origin, {})
        if missing := [key for key in ids.tolist() if key not in known]:
            metres = read.shown_distances(self.reader, np.array(missing), origin)
            known.update(zip(missing, metres.tolist(), strict=True))
        return [known[key] for key in ids.tolist()]

    def extent(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of the matches as shown, in degrees; of whole blocks with a match, all of it."""
        edges = [tuple(self.picked.rows.boxes[:, self.met])] if len(self.met) else []
        if len(self.picked.fine):
            has = self._whole.met.any(axis=1)
            at = np.searchsorted(self.blocks.number, self.picked.fine[has])
            edges.append(tuple(edge[at] for edge in self.blocks.edges))
        edges = [box for box in edges if len(box[0])]
        if not edges:
            return None
        sides = [np.concatenate([box[n] for box in edges]) / MICRO for n in range(4)]
        return float(sides[0].min()), float(sides[1].min()), float(sides[2].max()), float(sides[3].max())

    def _slots(self) -> np.ndarray:
        """Of the matches in whole blocks."""
        if not len(self.picked.fine):
            return np.empty(0, np.int64)
        nth, offset = bit_store.offsets(self._whole.met)
        return self.picked.fine[nth].astype(np.int64) * FINE + offset

    def _nearest_of_whole(self, origin: tuple[float, float], need: int, found: Rows) -> Rows:
        """Blocks from the nearest on, until no further one can hold anything nearer than what was found; with it."""
        at = np.searchsorted(self.blocks.number, self.picked.fine)
        west, south, east, north = (edge[at] / MICRO for edge in self.blocks.edges)
        reach = geodesic_m(*origin, np.clip(origin[0], west, east), np.clip(origin[1], south, north))
        order = np.argsort(reach)
        farthest = float(self.distances(found, origin, need).max()) if len(found) >= need else np.inf
        for start in range(0, len(order), 12):
            some = order[start : start + 12]
            if reach[some[0]] > farthest:
                break
            rows = read.of_blocks(self.viewer, self.blocks, self.picked.fine[some])
            keep = self._all(rows.facets) & is_listed(rows.facets)
            if "available_on" in self.criteria:  # timed ones are among the picked rows
                keep &= np.isin(rows.slot, self._slots())
            found = self._nearest(Rows.joined([found, rows.where(keep)]), origin, need)
            if len(found) >= need:
                farthest = float(self.distances(found, origin, need).max())
        return found


def best(rows: Rows, sort: str, need: int) -> np.ndarray:
    """Indexes of the first `need` rows: by price or free units, then the newest, then the highest key."""
    key = {"price": rows.prices, "free": -rows.frees}.get(sort, -rows.published)
    some = bit_store.smallest(key, need)
    return some[np.lexsort((-rows.ids[some], -rows.published[some], key[some]))][:need]
