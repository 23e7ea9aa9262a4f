"""Criteria as codes: which values of which facet are asked for. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from listings import search_keys
from listings.search_keys import LAYOUT

# facet → name of its bits in fold.FACETS; region's depends on the division
YEARS_SHOWN = 3  # this year and the two before it, then "older" and "undated"
MANY = ("kind", "sector", "modes", "height", "bore", "power", "price", "disclosure", "year")


@dataclass(frozen=True)
class Want:
    """Codes of one facet, any of which will do."""

    bits: str
    codes: tuple[int, ...]

    def meets(self, facets: np.ndarray) -> np.ndarray:
        if self.bits == "modes":
            modes = LAYOUT["modes"].of(facets)
            return (modes & sum(1 << code for code in self.codes)) > 0
        if self.bits.startswith("region"):
            return np.isin(search_keys.region_of(facets, int(self.bits[-1])), self.codes)
        table = np.zeros(1 << LAYOUT[self.bits].width, bool)
        table[list(self.codes)] = True
        return table[LAYOUT[self.bits].of(facets)]

    def sql(self, column: str = "t.facets") -> str:
        """The same as a condition on the packed number."""
        if self.bits == "modes":
            return f"{column} & {sum(1 << code for code in self.codes) << LAYOUT['modes'].shift} <> 0"
        if self.bits.startswith("region"):
            parts = [_region_sql(code, int(self.bits[-1]), column) for code in self.codes]
            return "(" + " OR ".join(parts) + ")"
        bits = LAYOUT[self.bits]
        codes = ",".join(str(code) for code in self.codes)
        return f"({column} >> {bits.shift}) & {bits.mask} IN ({codes})"


def _region_sql(code: int, digits: int, column: str) -> str:
    packed = mask = 0
    for n, name in enumerate(("province", "city", "county")[: digits // 2]):
        part = code // 100 ** (digits // 2 - 1 - n) % 100
        packed |= part << LAYOUT[name].shift
        mask |= LAYOUT[name].mask << LAYOUT[name].shift
    return f"{column} & {mask} = {packed}"


def wants(criteria: Mapping[str, Any], *, today: dt.date) -> dict[str, Want]:
    """Facet → what is asked for of it, for the facets that are set."""
    found: dict[str, Want] = {}
    for name in MANY:
        if values := criteria.get(name):
            found[name] = many(name, values, today=today)
    if units := criteria.get("free"):
        found["free"] = Want(
            "free", tuple(range(max(1, search_keys.free_code(units)), len(search_keys.FREE_STEPS) + 1))
        )
    if (region := criteria.get("region")) and region.prefix:
        found["region"] = Want(f"region{len(region.prefix)}", (int(region.prefix),))
    return found


def many(name: str, values: list[str], *, today: dt.date) -> Want:
    """Words of a facet as codes."""
    if name == "disclosure":
        return Want("standing", tuple(search_keys.STANDINGS.index(v) for v in values))
    if name == "year":
        return Want("year", tuple(sorted({code for v in values for code in year_codes(v, today=today)})))
    order = {
        "kind": search_keys.KINDS, "sector": search_keys.SECTORS, "modes": search_keys.MODES,
        "price": search_keys.PRICES,
        "height": ("", *search_keys.HEIGHT_BANDS), "bore": ("", *search_keys.BORE_BANDS),
        "power": ("", *search_keys.POWER_BANDS),
    }[name]  # fmt: skip
    return Want(name, tuple(order.index(v) for v in values))


def year_codes(word: str, *, today: dt.date) -> tuple[int, ...]:
    """ "2026" → its code, "older" → all before the years shown, "undated" → 0."""
    latest = today.year - search_keys.YEAR_FIRST
    if word == "undated":
        return (0,)
    if word == "older":
        return tuple(range(1, latest - YEARS_SHOWN + 1))
    if word == str(today.year):  # a date in the future counts with this year
        return tuple(range(latest, 64))
    return (int(word) - search_keys.YEAR_FIRST,)


def year_words(today: dt.date) -> list[str]:
    return [*(str(today.year - n) for n in range(YEARS_SHOWN)), "older", "undated"]


def by_prefixes(prefixes: tuple[str, ...]) -> Want:
    """Divisions of one level by their code prefixes."""
    return Want(f"region{len(prefixes[0])}", tuple(int(prefix) for prefix in prefixes))
