"""Counts and pages: whole blocks by AND and popcount of bits in the database, the rest in arrays here."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from django.db import connection
from django.utils import timezone

from accounts.models import Membership
from listings import search_keys
from listings.search_index import read, wire
from listings.search_index.fold import FACETS, FINE
from listings.search_index.rows import Rows, is_listed
from listings.search_index.shapes import MICRO, UNSURE, geodesic_m, shape_of
from listings.search_index.wants import Want, by_prefixes, wants
from listings.search_keys import LAYOUT

COUNTED = ("kind", "sector", "modes", "free", "height", "bore", "power", "price", "year")
COLUMNS_MOST = 300_000  # rows of whole blocks whose order is computed here; of more, the database's indexes give it
SLOTS_MOST = 10_000  # matches that are fetched one by one
DEFAULT_RADIUS_M = 2_000


@dataclass
class Found:
    """One reader's search. Lazy: counting and paging each ask for what they need, over the same picture.

    ids: only these resources (what a text or an owner names); None: all.
    """

    reader: Membership | None
    criteria: Mapping[str, Any]
    ids: np.ndarray | None = None
    today: dt.date = field(default_factory=timezone.localdate)
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
        if self.picked.whole:
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
        by_number = {FACETS[bits]: name for name, bits in names.items()}
        sql, params = self.masks_sql(open_facets=True)
        which = " ".join(
            f"WHEN b.facet = {FACETS[names[name]]} THEN m.open_{name}" for name in self.wants if name in names
        ) + (f" WHEN b.facet = {FACETS['all_free']} THEN m.open_free" if "free" in self.wants else "")
        mask = f"CASE {which} ELSE m.met END" if which.strip() else "m.met"
        with connection.cursor() as cursor:
            cursor.execute(
                f"""{sql}
                SELECT -1 AS facet, 0 AS value, sum(bit_count(met)) FROM masks
                UNION ALL
                SELECT facet, value, sum(number) FROM (  -- counted first: the bits themselves would be sorted on disk
                    SELECT b.facet, b.value, bit_count(b.bits & {mask}) AS number FROM masks m
                      JOIN listings_searchbits b ON b.level = m.level AND b.block = m.block
                     WHERE b.facet = ANY(%(counted)s) OFFSET 0) AS counted GROUP BY facet, value
                """,
                params | {"counted": list(by_number)},
            )
            for facet, value, number in cursor.fetchall():
                name = "total" if facet == -1 else by_number[facet]
                if number:
                    counts[name][value] = counts[name].get(value, 0) + int(number)

    def masks_sql(
        self, *, open_facets: bool = False, blocks: list[tuple[int, int]] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """WITH …, masks (level, block, met[, open_…]): the bits that meet every want [all but one]."""
        whole = self.picked.whole if blocks is None else blocks
        params: dict[str, Any] = {"levels": [w[0] for w in whole], "blocks": [w[1] for w in whole]}
        parts = ["picked AS (SELECT * FROM unnest(%(levels)s::smallint[], %(blocks)s::int[]) AS p (level, block))"]
        names = list(self.wants)
        joins = ""
        for name in names:
            # Laterally, block by block: the planner knows nothing of the arrays and would gather all blocks each time.
            joins += (
                " CROSS JOIN LATERAL (SELECT bit_or(b.bits) AS bits FROM listings_searchbits b WHERE b.level = p.level"
                f" AND b.block = p.block AND b.facet = {FACETS[self.wants[name].bits]}"
                f" AND b.value = ANY(%(v_{name})s)) AS f_{name}"
            )
            params[f"v_{name}"] = list(self.wants[name].codes)

        def combined(skip: str = "") -> str:
            none = "(l.bits & ~l.bits)"
            return " & ".join(["l.bits", *(f"coalesce(f_{n}.bits, {none})" for n in names if n != skip)]) + self._base

        columns = [f"{combined()} AS met"]
        if open_facets:
            columns += [f"{combined(name)} AS open_{name}" for name in names]
        parts.append(
            f"masks AS MATERIALIZED (SELECT l.level, l.block, {', '.join(columns)} FROM picked p"
            f" JOIN listings_searchbits l ON l.level = p.level AND l.block = p.block {self._base_bits}{joins}"
            f"{self._timed_join})"
        )
        return "WITH " + ", ".join(parts), params

    @property
    def _base_bits(self) -> str:
        if self.hidden:
            return f" AND l.facet = {FACETS['standing']} AND l.value = 3"
        return f" AND l.facet = {FACETS['listed']} AND l.value = 0"

    @property
    def _base(self) -> str:
        return " & ~coalesce(tm.bits, l.bits & ~l.bits)" if "available_on" in self.criteria else ""

    @property
    def _timed_join(self) -> str:
        if "available_on" not in self.criteria:
            return ""
        on = "tm.level = l.level AND tm.block = l.block"
        return f" LEFT JOIN listings_searchbits tm ON {on} AND tm.facet = {FACETS['timed']}"

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

    def page(
        self, sort: str, offset: int, limit: int, *, whole_total: int, origin: tuple[float, float] | None = None
    ) -> list[int]:
        """Keys of the matches from offset on, in order. whole_total: how many lie in whole blocks (counts say)."""
        need = offset + limit
        if sort == "distance" and origin is not None:
            rows = self.matches
            if whole_total:
                rows = Rows.joined([rows, self._nearest_of_whole(origin, need)])
            order = np.lexsort((-rows.ids, -rows.published, self.distances(rows, origin, need)))
        else:
            rows = self._best_rows(sort, need, whole_total)
            order = best(rows, sort, need)
        return rows.ids[order[offset:need]].tolist()

    def _best_rows(self, sort: str, need: int, whole_total: int) -> Rows:
        """Rows among which the first `need` are."""
        rows = self.picked.rows
        met = self._all(rows.facets)
        is_open = rows.published < 0
        parts = [rows.take(np.flatnonzero(met & ~is_open))]
        bits = _by_block(rows.slot[met & is_open])
        if whole_total and self.picked.fine_count <= COLUMNS_MOST:
            bits |= self._bits_of(self.picked.fine)
        elif whole_total and whole_total <= SLOTS_MOST:
            parts.append(read.by_slots(self.viewer, self._slots()))
        elif whole_total:
            untimed = "available_on" in self.criteria
            parts.append(read.in_order(self.viewer, self.blocks, sort, need, self.wants, self.picked.fine, untimed))
        parts.append(read.by_slots(self.viewer, read.best_slots(sort, need, bits)))
        return Rows.joined(parts)

    def distances(self, rows: Rows, origin: tuple[float, float], need: int) -> np.ndarray:
        """Metres from the origin to each place as shown; of lines that cannot be among the nearest, a lower bound."""
        west, south, east, north = (edge / MICRO for edge in rows.boxes)
        near = geodesic_m(*origin, np.clip(origin[0], west, east), np.clip(origin[1], south, north))
        is_line = np.flatnonzero((west != east) | (south != north))
        if len(is_line) and len(rows):
            points = np.sort(near[(west == east) & (south == north)])
            reach = points[need - 1] if len(points) >= need else np.inf
            asked = is_line[near[is_line] <= reach]
            near[asked] = read.shown_distances(self.reader, rows.ids[asked], origin)
        return near

    def extent(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of the matches as shown, in degrees; of whole blocks with a match, all of it."""
        edges = [tuple(self.picked.rows.boxes[:, self.met])] if len(self.met) else []
        if len(self.picked.fine):
            blocks = self.blocks
            at = np.searchsorted(blocks.number, sorted(self._bits_of(self.picked.fine)))
            edges.append(tuple(edge[at] for edge in blocks.edges))
        edges = [box for box in edges if len(box[0])]
        if not edges:
            return None
        sides = [np.concatenate([box[n] for box in edges]) / MICRO for n in range(4)]
        return float(sides[0].min()), float(sides[1].min()), float(sides[2].max()), float(sides[3].max())

    def _bits_of(self, fine: np.ndarray) -> dict[int, np.ndarray]:
        """{block: which of its slots match}, for blocks with a match."""
        sql, params = self.masks_sql(blocks=[(0, number) for number in fine.tolist()])
        found = wire.blobs(f"{sql} SELECT block, met FROM masks WHERE bit_count(met) > 0", params)
        # On the wire a bit string is its length in four bytes, then the bits.
        return {
            int.from_bytes(block, "big"): np.unpackbits(np.frombuffer(bits[4:], np.uint8))[:FINE].astype(bool)
            for block, bits in found
        }

    def _slots(self) -> np.ndarray:
        found = [number * FINE + np.flatnonzero(bits) for number, bits in self._bits_of(self.picked.fine).items()]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _nearest_of_whole(self, origin: tuple[float, float], need: int) -> Rows:
        """Blocks from the nearest on, until no further one can hold anything nearer than what was found."""
        blocks = self.blocks
        at = np.searchsorted(blocks.number, self.picked.fine)
        west, south, east, north = (edge[at] / MICRO for edge in blocks.edges)
        reach = geodesic_m(*origin, np.clip(origin[0], west, east), np.clip(origin[1], south, north))
        order, parts, farthest = np.argsort(reach), [], np.inf
        for start in range(0, len(order), 12):
            some = order[start : start + 12]
            if reach[some[0]] > farthest:
                break
            parts.append(read.matching(self.viewer, self._bits_of(self.picked.fine[some])))
            rows = Rows.joined(parts)
            if len(rows) >= need:
                metres = self.distances(rows, origin, need)
                nearest = np.argpartition(metres, need - 1)[:need]
                farthest = metres[nearest].max()
                parts = [rows.take(nearest)]
        return Rows.joined(parts)


def _by_block(slots: np.ndarray) -> dict[int, np.ndarray]:
    """{block: which of its slots are named}."""
    found: dict[int, np.ndarray] = {}
    for block in np.unique(slots // FINE).tolist():
        found[block] = np.zeros(FINE, bool)
        found[block][slots[slots // FINE == block] % FINE] = True
    return found


def best(rows: Rows, sort: str, need: int) -> np.ndarray:
    """Indexes of the first `need` rows: by price or free units, then the newest, then the highest key."""
    key = {"price": rows.prices, "free": -rows.frees}.get(sort, -rows.published)
    some = read.smallest(key, need)
    return some[np.lexsort((-rows.ids[some], -rows.published[some], key[some]))][:need]
