"""A search answered: facet counts, a page of resources, what is only counted. Over the blocks of search_index.

Says the same as Resource.objects.visible_to(reader).published().search(**criteria), at any size.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from django.db.models import QuerySet

from accounts.models import Membership, Region
from listings import disclosure, search, search_keys
from listings.models import Resource
from listings.search_index import find, hidden, read, text
from listings.search_index.wants import year_codes, year_words

FOLDS_MOST = 3  # between the queries of one search; folds are seconds apart
T = TypeVar("T")


@dataclass
class Counts:
    """How many meet all criteria, and for each facet how many there would be per value, its own choice left open."""

    total: int = 0
    kind: dict[str, int] = field(default_factory=dict)
    sector: dict[str, int] = field(default_factory=dict)
    region: dict[str, int] = field(default_factory=dict)  # code prefix → count
    free: dict[str, int] = field(default_factory=dict)  # tone → count
    steps: dict[int, int] = field(default_factory=dict)  # FREE_STEPS → how many have at least so many
    height: dict[str, int] = field(default_factory=dict)
    bore: dict[str, int] = field(default_factory=dict)
    power: dict[str, int] = field(default_factory=dict)
    price: dict[str, int] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    disclosure: dict[str, int] = field(default_factory=dict)
    year: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Undisclosed:
    """Resources of one region of which readers learn only that they exist."""

    region: Region
    count: int


@dataclass
class Found:
    """One reader's search; each part is asked for once, and only if it is wanted."""

    reader: Membership | None
    criteria: Mapping[str, Any]
    region_digits: int = 2

    @cached_property
    def _text(self) -> text.Hits:
        return text.hits(self.reader, self.criteria)

    @cached_property
    def is_capped(self) -> bool:
        """Whether only the first text.MOST resources that hold the words were looked at."""
        return self._text.is_capped

    @cached_property
    def is_similar(self) -> bool:
        """Whether nothing holds the words, and names like them are shown instead."""
        return self._text.is_similar

    @cached_property
    def index(self) -> find.Found:
        return find.Found(self.reader, {**self.criteria, "word_regions": self._text.regions}, ids=self._text.ids)

    @cached_property
    def _codes(self) -> dict[str, dict[int, int]]:
        return self.settled(lambda: self.index.counts(self.region_digits))

    def settled(self, ask: Callable[[], T]) -> T:
        """The answer, asked again where a fold came between its queries: they would have read two pictures."""
        for _ in range(FOLDS_MOST):
            answer = ask()
            if self.index.blocks.token == read.token():
                break
            del self.__dict__["index"]
        return answer

    @cached_property
    def counts(self) -> Counts:
        codes = self._codes
        counts = Counts(total=codes["total"][0])
        tables = {
            "kind": search_keys.KINDS, "sector": search_keys.SECTORS, "modes": search_keys.MODES,
            "price": search_keys.PRICES, "height": ("", *search_keys.HEIGHT_BANDS),
            "bore": ("", *search_keys.BORE_BANDS), "power": ("", *search_keys.POWER_BANDS),
            "disclosure": search_keys.STANDINGS,
        }  # fmt: skip
        for name, words in tables.items():
            found = {words[code]: n for code, n in codes[name].items() if code < len(words)}
            setattr(counts, name, {word: n for word, n in found.items() if word})
        counts.region = {f"{code:0{self.region_digits}d}": n for code, n in codes["region"].items()}
        for word in year_words(self.index.today):
            counts.year[word] = sum(codes["year"].get(c, 0) for c in year_codes(word, today=self.index.today))
        free = codes["free"]
        counts.steps = {
            step: sum(n for code, n in free.items() if code > at) for at, step in enumerate(search_keys.FREE_STEPS)
        }
        whole = codes["all_free"].get(1, 0)
        tones = {"full": free.get(0, 0), "free": whole, "partly": sum(n for c, n in free.items() if c) - whole}
        counts.free = {tone: n for tone, n in tones.items() if n}
        return counts

    @property
    def total(self) -> int:
        return self._codes["total"][0]

    def ids(self, offset: int, limit: int) -> list[int]:
        """Keys of the page, in the asked order."""
        if not self.total:
            return []
        sort = search.effective_sort(self.criteria)
        if sort == "relevance":
            return self._by_relevance()[offset : offset + limit]
        point = search.origin(self.criteria)
        origin = (point.x, point.y) if point else None
        return self.settled(lambda: self._page(sort, offset, limit, origin))

    def _page(self, sort: str, offset: int, limit: int, origin: tuple[float, float] | None) -> list[int]:
        return self.index.page(sort, offset, limit, origin=origin)

    def _by_relevance(self) -> list[int]:
        if self._text.ids is None:  # the words are all divisions: no name stands nearer than another
            return self.index.page("newest", 0, text.MOST)
        ids = self.index.matches.ids
        if self.is_similar:
            rank = {pk: n for n, pk in enumerate(self._text.ids.tolist())}
            return sorted(ids.tolist(), key=lambda pk: rank[pk])
        rows = Resource.objects.visible_to(self.reader).filter(pk__in=ids.tolist())
        return list(search.ordered(rows, self.reader, self.criteria).values_list("pk", flat=True))

    def page(self, rows: QuerySet, offset: int, limit: int) -> list[Resource]:
        """The page's resources out of `rows` (of visible_to), in order, with distance_m where there is an origin."""
        ids = self.ids(offset, limit)
        rows = rows.filter(pk__in=ids).order_by()
        if point := search.origin(self.criteria):
            rows = rows.annotate(distance_m=disclosure.DistanceMetres("shown_place", point))
        by_key = {row.pk: row for row in rows}
        return [by_key[pk] for pk in ids if pk in by_key]

    def extent(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of the places as shown, rounded outwards; None without matches."""
        return self.index.extent()

    def undisclosed(self, regions: list[Region]) -> tuple[int, list[Undisclosed]]:
        """How many more there are whose owners disclose only their existence: in all, and by region.

        Obeys kind, sector and region alone: an answer to a text, a box or a height would tell more than existence.
        """
        by_prefix = hidden.count_by_region(self.reader, self.criteria, self.region_digits)
        found = [
            Undisclosed(region, count)
            for region in regions
            if (count := sum(n for prefix, n in by_prefix.items() if prefix.startswith(region.prefix)))
        ]
        return sum(by_prefix.values()), sorted(found, key=lambda u: (-u.count, u.region.code))


def count_facets(reader: Membership | None, criteria: Mapping[str, Any], *, region_digits: int = 2) -> Counts:
    """All facet counts of one search."""
    return Found(reader, criteria, region_digits).counts


__all__ = ["Counts", "Found", "Undisclosed", "count_facets"]
