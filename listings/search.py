"""What each criterion of a search means, as conditions on rows of visible_to() and on places as shown.

Criteria, all optional (BrowseForm cleans them): q text · kind, sector, modes, height, bore, power, price, disclosure,
year lists · region Region · free least number of free units · available_on date · bbox, area polygons · near point with
radius_m · route Route (along a line within metres) · owner id · sort one of SORTS. SRID 4326 throughout.

This is the plain meaning, for querysets of any size one is ready to wait for; listings/found.py answers the same
questions over millions through listings/search_index, and tests hold the two to the same answers.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.gis.geos import Point
from django.core.cache import cache
from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    Count,
    DecimalField,
    F,
    Func,
    IntegerField,
    Max,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone

from accounts.models import Membership, Region
from listings import disclosure
from listings.models import Kind, Resource
from listings.models.resources import Disclosure, Sector
from listings.search_index.wants import Want, wants
from listings.search_words import Word, resolve_words

SORTS = ("newest", "relevance", "distance", "price", "free")
DEFAULT_RADIUS_M = 2_000
FIGURES_SECONDS = 60


# --- Conditions -------------------------------------------------------------------------------


class _FacetMeets(Func):
    """Whether the packed facets hold what is wanted."""

    output_field = BooleanField()

    def __init__(self, want: Want):
        super().__init__(F("tally__facets"))
        self.want = want

    def as_sql(self, compiler, connection, **extra):
        column, params = compiler.compile(self.source_expressions[0])
        return self.want.sql(column), params


class _HasGrams(Func):
    """Whether a text's single characters and pairs of neighbours hold those of a word; an index serves it."""

    template = "gj_grams(%(expressions)s)"
    arg_joiner = "::text) @> gj_grams("
    output_field = BooleanField()


class _FreeOn(Func):
    """Free main units on a day; 0 for a room without power left."""

    template = "(SELECT CASE WHEN is_without_power THEN 0 ELSE free END FROM gj_free_on(%(expressions)s))"
    output_field = DecimalField()


def _name_meets(word: str) -> Q:
    found = Q(name__icontains=word)
    if len(word) <= 2:  # too short for trigrams
        found &= Q(_HasGrams(F("name"), Value(word)))
    return found


def ways(reader: Membership | None, word: Word) -> list[Q]:
    """The ways a word finds a resource: by name, owner, division, our own code, power line; and where this reader may
    know them, by the owner's own code and the address."""
    found = [Q(region__code__startswith=prefix) for prefix in word.region_prefixes]
    if word.is_division:
        return found
    found += [_name_meets(word.text), Q(tower__line_name__icontains=word.text)]
    found += disclosure.named_by(reader, word.text)
    if word.owner_ids:
        found.append(Q(owner_id__in=word.owner_ids))
    if word.pk is not None:
        found.append(Q(pk=word.pk, kind__startswith=word.kind_letter))
    return found


def text_conditions(reader: Membership | None, words: Iterable[Word]) -> list[Q]:
    """Every word finds something."""
    return [reduce(or_, ways(reader, word)) for word in words]


def facet_conditions(criteria: Mapping[str, Any]) -> dict[str, Q]:
    """The condition of each facet that is set."""
    made = {
        name: Q(_FacetMeets(want))
        for name, want in wants(criteria, today=timezone.localdate()).items()
        if name not in ("region", "free")
    }
    if (region := criteria.get("region")) and region.prefix:
        made["region"] = Q(region__code__startswith=region.prefix)
    if units := criteria.get("free"):
        made["free"] = _free_meets(units, criteria.get("available_on"))
    return made


def _free_meets(units: int, day: Any) -> Q:
    now = Q(tally__free_units__gte=units) & ~Q(tally__tone="full")
    if day is None:
        return now
    then = GreaterThanOrEqual(_FreeOn(F("pk"), Value(day)), Value(units))
    return (Q(tally__is_timed=False) & now) | (Q(tally__is_timed=True) & Q(then))


def place_conditions(reader: Membership | None, criteria: Mapping[str, Any]) -> list[Q]:
    """Where: all of it against places as this reader is shown them."""
    found = []
    for name in ("bbox", "area"):
        if criteria.get(name):
            found.append(disclosure.shown_within(reader, criteria[name]))
    if near := criteria.get("near"):
        found.append(disclosure.shown_near(reader, near, criteria.get("radius_m") or DEFAULT_RADIUS_M))
    if route := criteria.get("route"):
        found.append(disclosure.shown_along(reader, route.line, route.within_m))
    return found


def other_conditions(reader: Membership | None, criteria: Mapping[str, Any]) -> list[Q]:
    """The conditions that are no facets: text, place, date, owner."""
    found = place_conditions(reader, criteria)
    if text := (criteria.get("q") or "").strip():
        found += text_conditions(reader, criteria.get("words") or resolve_words(text))
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
    if shape is None and (route := criteria.get("route")):
        shape = route.line
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


# --- Small things -----------------------------------------------------------------------------


def child_regions(region: Region | None) -> list[Region]:
    """The divisions one level below (provinces where none is given), without polygons. Queries once."""
    children = Region.objects.filter(parent=region) if region else Region.objects.provinces()
    return list(children.defer("polygon", "label_point").order_by("code"))


def child_digits(region: Region | None) -> int:
    """How many digits of a code tell the divisions one level below apart. At most one small query."""
    if region is None:
        return 2
    level = Region.objects.filter(parent=region).aggregate(lowest=Max("level"))["lowest"]
    return {1: 2, 2: 4}.get(level, 6)


def live_figures() -> dict[str, Any]:
    """Published resources for the home page: {"total", "by_kind": {kind: n}, "by_sector": {sector: n}, "counted_only"}.

    Existence-only ones count too: that they exist is what their owners disclose; counted_only says how many of the
    total they are, as no map shows them. Kept FIGURES_SECONDS.
    """
    key = figures_key()
    figures = cache.get(key)
    if figures is None:
        groups = list(
            Resource.objects.published().order_by().values_list("kind", "sector", "disclosure").annotate(n=Count("pk"))
        )
        figures = {
            "total": sum(n for *_group, n in groups),
            "by_kind": {k: sum(n for kind, _s, _d, n in groups if kind == k) for k in Kind.values},
            "by_sector": {s: sum(n for _k, sector, _d, n in groups if sector == s) for s in Sector.values},
            "counted_only": sum(n for _k, _s, level, n in groups if level == Disclosure.EXISTENCE),
        }
        cache.set(key, figures, FIGURES_SECONDS)
    return figures


def figures_key() -> str:
    """The cache key of live_figures(), one per database (tests run in several)."""
    return f"listings:figures:2:{connection.settings_dict['NAME']}"
