"""Finding resources: criteria → conditions, facet counts, order. All of it over visible_to() and places as shown.

Criteria, all optional (BrowseForm cleans them): q text · kind, sector lists · region Region · free least number of
free units · height list of HEIGHT_BANDS keys · bbox, area polygons · near point with radius_m · available_on date ·
owner id · sort one of SORTS. SRID 4326 throughout.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.gis.db.models import Extent
from django.contrib.gis.geos import Point
from django.core.cache import cache
from django.db import connection
from django.db.models import BooleanField, Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Left
from django.db.models.lookups import Exact

from accounts.models import Membership, Organisation, Region
from listings import disclosure
from listings.models import Kind, Resource
from listings.models.resources import Sector

FACETS = ("kind", "sector", "region", "free", "height")
SORTS = ("newest", "relevance", "distance", "price", "free")
DEFAULT_RADIUS_M = 2_000

# Structure or highest platform, metres, [from, below). The bands in which mobile networks plan their antennas.
HEIGHT_BANDS: dict[str, tuple[int, int | None]] = {
    "0-15": (0, 15),
    "15-25": (15, 25),
    "25-35": (25, 35),
    "35-50": (35, 50),
    "50-": (50, None),
}

WORDS_MOST = 5  # words of a text that are looked up; more are ignored
REGIONS_MOST = 60  # a word that names more divisions than this ("县") names none in particular
OWNERS_MOST = 200
PUBLIC_CODE = re.compile(r"^([TDCR])(\d{8})$", re.IGNORECASE)  # Resource.code
FIGURES_SECONDS = 60


# --- Conditions -------------------------------------------------------------------------------


def _region_prefixes(word: str) -> list[str]:
    """Code prefixes of the divisions a word names, none lying below another. Queries once."""
    names = Q(name_zh__contains=word) | Q(name_en__icontains=word)
    regions = list(Region.objects.filter(names, level__gt=0).defer("polygon", "label_point")[: REGIONS_MOST + 1])
    if len(regions) > REGIONS_MOST:
        return []
    prefixes: list[str] = []
    for region in sorted(regions, key=lambda r: (r.level, r.code)):
        if not region.code.startswith(tuple(prefixes)):
            prefixes.append(region.prefix)
    return prefixes


def _owner_ids(word: str) -> list[int]:
    names = Q(name_zh__icontains=word) | Q(name_en__icontains=word)
    return list(Organisation.objects.filter(names).values_list("pk", flat=True)[:OWNERS_MOST])


def _name_meets(word: str) -> Q:
    found = Q(name__icontains=word)
    if len(word) == 2:  # too short for trigrams: let the pairs of neighbouring characters find it
        pairs = RawSQL("gj_bigrams(listings_resource.name) @> gj_bigrams(%s)", [word], output_field=BooleanField())
        found &= Q(Exact(pairs, Value(True)))
    return found


@dataclass(frozen=True)
class Word:
    """A word of a text with what it names besides resources."""

    text: str
    owner_ids: tuple[int, ...]
    region_prefixes: tuple[str, ...]


def resolve_words(text: str) -> list[Word]:
    """The words of a text looked up once; criteria["words"] spares the next search the look-up. Queries twice each."""
    return [
        Word(word, tuple(_owner_ids(word)), tuple(_region_prefixes(word))) for word in text.split()[:WORDS_MOST]
    ]  # fmt: skip


def _text_meets(reader: Membership | None, words: Iterable[Word]) -> Q:
    """Every word is found in the name, the owner's name, a division's name or, where this reader may know them,
    the owner's own code and address."""
    condition = Q()
    for word in words:
        found = _name_meets(word.text) | disclosure.named_by(reader, word.text)
        if word.owner_ids:
            found |= Q(owner_id__in=word.owner_ids)
        for prefix in word.region_prefixes:
            found |= Q(region__code__startswith=prefix)
        if code := PUBLIC_CODE.match(word.text):
            found |= Q(pk=int(code[2]), kind__startswith=code[1].lower())
        condition &= found
    return condition


def _height_meets(bands: Iterable[str]) -> Q:
    condition = Q()
    for band in bands:
        low, high = HEIGHT_BANDS[band]
        condition |= Q(tally__height_m__gte=low) & (Q(tally__height_m__lt=high) if high else Q())
    return condition


def _region_meets(region: Region) -> Q:
    return Q(region__code__startswith=region.prefix) if region.prefix else Q()


def facet_conditions(criteria: Mapping[str, Any]) -> dict[str, Q]:
    """The condition of each facet that is set."""
    makers = {
        "kind": lambda kinds: Q(kind__in=kinds),
        "sector": lambda sectors: Q(sector__in=sectors),
        "region": _region_meets,
        "free": lambda units: Q(tally__free_units__gte=units) & ~Q(tally__tone="full"),
        "height": _height_meets,
    }
    return {name: make(criteria[name]) for name, make in makers.items() if criteria.get(name)}


def other_conditions(reader: Membership | None, criteria: Mapping[str, Any]) -> list[Q]:
    """The conditions that are no facets: text, place, date, owner."""
    found = []
    if text := (criteria.get("q") or "").strip():
        found.append(_text_meets(reader, criteria.get("words") or resolve_words(text)))
    for name in ("bbox", "area"):
        if criteria.get(name):
            found.append(disclosure.shown_within(reader, criteria[name]))
    if near := criteria.get("near"):
        radius_m = criteria.get("radius_m") or DEFAULT_RADIUS_M
        found.append(disclosure.shown_near(reader, near, radius_m))
    if day := criteria.get("available_on"):
        found.append(Q(available_from=None) | Q(available_from__lte=day))
        found.append(Q(available_until=None) | Q(available_until__gte=day))
    if owner := criteria.get("owner"):
        found.append(Q(owner_id=owner))
    return found


def meeting(rows: QuerySet, reader: Membership | None, criteria: Mapping[str, Any]) -> QuerySet:
    """The rows (of visible_to) that meet every criterion."""
    return rows.filter(*other_conditions(reader, criteria), *facet_conditions(criteria).values())


# --- Order ------------------------------------------------------------------------------------


def origin(criteria: Mapping[str, Any]) -> Point | None:
    """The point that distances are measured from, or None: the asked point, else the middle of area or box."""
    if criteria.get("near"):
        return criteria["near"]
    shape = criteria.get("area") or criteria.get("bbox")
    return shape.centroid if shape else None


def effective_sort(criteria: Mapping[str, Any]) -> str:
    """The order that is really used: distance needs a place, relevance a text; without one it is the newest first."""
    sort = criteria.get("sort") or ("relevance" if criteria.get("q") else "newest")
    if sort == "distance" and origin(criteria) is None:
        return "newest"
    if sort == "relevance" and not criteria.get("q"):
        return "newest"
    return sort


def _relevance(text: str) -> Case:
    return Case(
        When(name__iexact=text, then=Value(0)),
        When(name__istartswith=text, then=Value(1)),
        When(name__icontains=text, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )


def ordered(rows: QuerySet, reader: Membership | None, criteria: Mapping[str, Any]) -> QuerySet:
    """The rows in the asked order; equal ones newest first, then by key, so that pages never overlap.

    Annotates distance_m (from the place as shown) where there is an origin to measure from.
    """
    point = origin(criteria)
    if point is not None:
        rows = rows.annotate(distance_m=disclosure.DistanceMetres("shown_place", point))
    newest = [F("published_at").desc(nulls_last=True), F("pk").desc()]
    first: dict[str, list[Any]] = {
        "newest": [],
        "distance": [F("distance_m").asc()] if point is not None else [],
        "price": [F("tally__price_fen").asc(nulls_last=True)],
        "free": [F("tally__free_units").desc()],
        "relevance": [_relevance((criteria.get("q") or "").strip())],
    }
    return rows.order_by(*first[effective_sort(criteria)], *newest)


# --- Facet counts -----------------------------------------------------------------------------


@dataclass
class Counts:
    """How many meet all criteria, and for each facet how many there would be per value, its own choice left open."""

    total: int = 0
    kind: dict[str, int] = field(default_factory=dict)
    sector: dict[str, int] = field(default_factory=dict)
    region: dict[str, int] = field(default_factory=dict)  # code prefix → count
    free: dict[str, int] = field(default_factory=dict)  # tone → count
    height: dict[str, int] = field(default_factory=dict)  # key of HEIGHT_BANDS → count


def _height_band() -> Case:
    branches = [When(_height_meets([band]), then=Value(band)) for band in HEIGHT_BANDS]
    return Case(*branches, default=Value(""))


def _flag(condition: Q | None) -> Case | Value:
    if not condition:
        return Value(True)
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


# One pass over the rows: those that meet all but the facets, each with one mark per facet.
_FACET_COLUMNS = {"kind": "kind", "sector": "sector", "region": "area", "free": "tone", "height": "band"}


def _facet_sql(base_sql: str) -> str:
    def marks(left_open: str = "") -> str:
        return " AND ".join(f"ok_{name}" for name in FACETS if name != left_open)

    columns = ", ".join([*_FACET_COLUMNS.values(), *(f"ok_{name}" for name in FACETS)])
    parts = [f"SELECT 'total', '', count(*) FROM base WHERE {marks()}"]
    parts += [
        f"SELECT '{name}', {column}, count(*) FROM base WHERE {marks(name)} GROUP BY 2"
        for name, column in _FACET_COLUMNS.items()
    ]
    return f"WITH base ({columns}) AS MATERIALIZED ({base_sql}) " + " UNION ALL ".join(parts)


def count_facets(
    rows: QuerySet, reader: Membership | None, criteria: Mapping[str, Any], *, region_digits: int = 2
) -> Counts:
    """All facet counts of the rows (of visible_to) in one query.

    region_digits: how many digits of the division code make one value of the region facet (2 province, 4 city, 6).
    """
    marks = facet_conditions(criteria)
    base = (
        rows.filter(*other_conditions(reader, criteria))
        .order_by()
        .annotate(
            facet_area=Left("region_id", region_digits),
            facet_band=_height_band(),
            **{f"ok_{name}": _flag(marks.get(name)) for name in FACETS},
        )
        .values_list("kind", "sector", "facet_area", "tally__tone", "facet_band", *(f"ok_{name}" for name in FACETS))
    )
    sql, params = base.query.sql_with_params()
    counts = Counts()
    with connection.cursor() as cursor:
        cursor.execute(_facet_sql(sql), params)
        for facet, value, count in cursor.fetchall():
            if facet == "total":
                counts.total = count
            else:
                getattr(counts, facet)[value] = count
    return counts


@dataclass(frozen=True)
class Undisclosed:
    """Resources of one region of which readers learn only that they exist."""

    region: Region
    count: int


def count_undisclosed(
    reader: Membership | None, criteria: Mapping[str, Any], regions: list[Region], *, region_digits: int
) -> tuple[int, list[Undisclosed]]:
    """How many more there are whose owners disclose only their existence: in all, and by region.

    Obeys kind, sector and region alone: an answer to a text, a box or a height would tell more than existence.
    """
    facets = facet_conditions({name: criteria.get(name) for name in ("kind", "sector", "region")})
    rows = Resource.objects.filter(disclosure.counted_for(reader), *facets.values())
    by_prefix = dict(
        rows.order_by().annotate(area=Left("region_id", region_digits)).values_list("area").annotate(n=Count("pk"))
    )
    found = [
        Undisclosed(region, count)
        for region in regions
        if (count := sum(n for prefix, n in by_prefix.items() if prefix.startswith(region.prefix)))
    ]
    return sum(by_prefix.values()), sorted(found, key=lambda u: (-u.count, u.region.code))


# --- Small things -----------------------------------------------------------------------------


def child_regions(region: Region | None) -> list[Region]:
    """The divisions one level below (provinces where none is given), without polygons. Queries once."""
    children = Region.objects.filter(parent=region) if region else Region.objects.provinces()
    return list(children.defer("polygon", "label_point").order_by("code"))


def extent_of(rows: QuerySet) -> tuple[float, float, float, float] | None:
    """West, south, east, north of the places as shown; None without rows. Queries once."""
    return rows.order_by().aggregate(extent=Extent("shown_place"))["extent"]


def live_figures() -> dict[str, Any]:
    """Published resources for the home page: {"total", "by_kind": {kind: n}, "by_sector": {sector: n}}.

    Existence-only ones count too: that they exist is what their owners disclose. Kept FIGURES_SECONDS.
    """
    key = figures_key()
    figures = cache.get(key)
    if figures is None:
        groups = list(
            Resource.objects.published().order_by().values_list("kind", "sector").annotate(n=Count("pk"))
        )  # fmt: skip
        figures = {
            "total": sum(n for _k, _s, n in groups),
            "by_kind": {k: sum(n for kind, _s, n in groups if kind == k) for k in Kind.values},
            "by_sector": {s: sum(n for _k, sector, n in groups if sector == s) for s in Sector.values},
        }
        cache.set(key, figures, FIGURES_SECONDS)
    return figures


def figures_key() -> str:
    """The cache key of live_figures(), one per database (tests run in several)."""
    return f"listings:figures:{connection.settings_dict['NAME']}"
