"""What the map page shows for one reader and one state: facets as links, a page of rows, what is only counted."""

from dataclasses import dataclass, field
from functools import cached_property
from math import cos, radians
from typing import Any

from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import Membership, Organisation, Region
from listings import search
from listings.forms.browse import BrowseForm
from listings.found import Counts, Found
from listings.models import Kind, Resource
from listings.models.resources import Sector
from listings.search_words import resolve_words
from listings.wording import plain_number

PAGE_ROWS = 25
PAGES_MOST = 400  # nobody turns ten thousand rows by hand; the page says so
DRAWER_FACETS = ("sector", "modes", "height", "bore", "power", "price", "disclosure", "year")
EXTENT_FROM_CRITERIA = {
    "q",
    "kind",
    "sector",
    "region",
    "free",
    "height",
    "area",
    "near",
    "owner",
    "available_on",
    "route",
    "modes",
    "bore",
    "power",
    "price",
    "disclosure",
    "year",
}
# Where one of these is asked, the number of what is only counted would tell more than that it exists.
UNTOLD = {"q", "owner", "free", "available_on", "route", *DRAWER_FACETS} - {"sector"}
NOT_ON_TILES = ("bbox", "sort", "page", "view")


@dataclass(frozen=True)
class Choice:
    """One value of a facet: its word, how many there would be, and where choosing it leads."""

    value: str
    label: str
    count: int
    href: str
    is_chosen: bool = False

    @property
    def count_text(self) -> str:
        return plain_number(self.count)


@dataclass(frozen=True)
class Removable:
    """A condition in force, with the address of the page without it."""

    label: str
    href: str


@dataclass
class FoundRows:
    """What a paginator cuts its pages from."""

    found: Found
    rows: QuerySet
    ordered = True  # the paginator asks

    def __getitem__(self, part: slice) -> list[Resource]:
        return self.found.page(self.rows, part.start, part.stop - part.start)


class CountedPaginator(Paginator):
    """A paginator that is told the count instead of asking for it."""

    count = 0  # type: ignore[assignment]  # a plain attribute in place of the query

    def __init__(self, rows, per_page: int, count: int):
        super().__init__(rows, per_page)
        self.count = count


def changed(query: QueryDict, **changes: Any) -> str:
    """'?…': the query with the changes and back on page 1; None, '' or [] takes a name away, a list repeats it."""
    fresh = query.copy()
    fresh.pop("page", None)
    for name, value in changes.items():
        fresh.pop(name, None)
        if value not in (None, "", []):
            fresh.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    for name in [name for name, values in fresh.lists() if not any(values)]:
        del fresh[name]
    return "?" + fresh.urlencode()


def free_words(least: int) -> str:
    """The condition of free units in words."""
    return _("Free units: %(n)s or more") % {"n": least} if least > 1 else _("With free capacity")


@dataclass
class Results:
    """Everything the templates need. Lazy: a part that is not shown is not asked for."""

    reader: Membership | None
    query: QueryDict
    form: BrowseForm
    criteria: dict = field(init=False)

    def __post_init__(self):
        self.criteria = self.form.criteria
        self.query = self.query.copy()
        for name in self.form.errors:  # what was refused is said once and not carried along
            self.query.pop(name, None)
        if "q" in self.criteria:
            self.criteria["words"] = resolve_words(self.criteria["q"])

    @cached_property
    def visible(self):
        return Resource.objects.visible_to(self.reader).published()

    @cached_property
    def children(self) -> list[Region]:
        return search.child_regions(self.criteria.get("region"))

    @cached_property
    def region_digits(self) -> int:
        return search.child_digits(self.criteria.get("region"))

    @cached_property
    def found(self) -> Found:
        return Found(self.reader, self.criteria, self.region_digits)

    @cached_property
    def counts(self) -> Counts:
        return self.found.counts

    @cached_property
    def total(self) -> int:
        return self.found.total

    @property
    def page_number(self) -> int:
        """The asked page within what is shown, 1 where it makes no sense."""
        asked = self.query.get("page", "1")
        return min(int(asked), PAGES_MOST) if asked.isdecimal() and len(asked) < 7 and int(asked) else 1

    @cached_property
    def page(self) -> Page:
        """The asked page; the nearest there is where the number makes no sense."""
        rows = (
            self.visible.select_related("owner", "region", "tally").only(
                "kind", "name", "sector", "published_at", "facts_on", "length_m", "available_from",
                "owner__name_zh", "owner__name_en", "region__name_zh", "region__name_en", "region__level",
                "tally__total_units", "tally__free_units", "tally__free_kw", "tally__price_fen", "tally__height_m",
                "tally__tone",
            )
        )  # fmt: skip
        paginator = CountedPaginator(FoundRows(self.found, rows), PAGE_ROWS, min(self.total, PAGES_MOST * PAGE_ROWS))
        try:
            page = paginator.page(self.query.get("page", 1))
        except PageNotAnInteger:
            page = paginator.page(1)
        except EmptyPage:
            page = paginator.page(paginator.num_pages)
        # Measured from the middle of a map section, a distance means something only where it orders the list.
        has_distance = "near" in self.criteria or self.sort == "distance"
        for row in page.object_list:
            row.is_blurred = not row.is_exact
            row.distance_m = row.distance_m if has_distance else None
        return page

    @cached_property
    def sort(self) -> str:
        return search.effective_sort(self.criteria)

    @cached_property
    def needs_place_to_sort(self) -> bool:
        """Whether distance was asked for without a place to measure from."""
        return self.criteria.get("sort") == "distance" and self.sort != "distance"

    # --- Facets -------------------------------------------------------------------------------

    def _many(self, name: str, labels: list[tuple[str, Any]]) -> list[Choice]:
        chosen = self.criteria.get(name, [])
        counts = getattr(self.counts, name)
        choices = []
        for value, label in labels:
            is_chosen = value in chosen
            rest = [v for v in chosen if v != value] if is_chosen else [*chosen, value]
            href = changed(self.query, **{name: rest})
            choices.append(Choice(value, str(label), counts.get(value, 0), href, is_chosen))
        return choices

    @cached_property
    def kinds(self) -> list[Choice]:
        return self._many("kind", Kind.choices)

    @cached_property
    def sectors(self) -> list[Choice]:
        return self._many("sector", Sector.choices)

    @cached_property
    def drawer_facets(self) -> list[tuple[str, Any, list[Choice]]]:
        """(name, title, choices) of the facets that do not fit the one row, but the region."""
        fields = [(name, self.form.fields[name]) for name in DRAWER_FACETS]
        return [(name, field.label, self._many(name, field.choices)) for name, field in fields]

    @cached_property
    def steps(self) -> list[Choice]:
        """Free units at least, as steps that can be chosen."""
        least = self.criteria.get("free")
        return [
            Choice(
                str(step), f"≥ {step}", count, changed(self.query, free=None if step == least else step), step == least
            )
            for step, count in self.counts.steps.items()
            if step > 1 and (count or step == least)
        ]

    @cached_property
    def frees(self) -> list[Choice]:
        """The one chip that leaves only what has free capacity."""
        least = self.criteria.get("free")
        count = sum(n for tone, n in self.counts.free.items() if tone != "full")
        label = free_words(least or 1)
        href = changed(self.query, free=None if least else 1)
        return [Choice("1", label, self.total if least else count, href, bool(least))]

    @cached_property
    def regions(self) -> list[Choice]:
        """The divisions one level below the chosen one that hold something, most first."""
        counts = self.counts.region
        found = [
            Choice(child.code, child.name, count, changed(self.query, region=child.code, bbox=None))
            for child in self.children
            if (count := sum(n for prefix, n in counts.items() if prefix.startswith(child.prefix)))
        ]
        return sorted(found, key=lambda choice: (-choice.count, choice.value))

    @cached_property
    def region_path(self) -> list[Removable]:
        """The chosen division and those above it, each leading to itself; the first leads everywhere."""
        path = []
        region = self.criteria.get("region")
        while region is not None and region.level:
            path.append(Removable(region.name, changed(self.query, region=region.code, bbox=None)))
            upper = Region.objects.filter(pk=region.parent_id).defer("polygon", "label_point")
            region = upper.first() if region.level > 1 else None
        return [Removable(_("All regions"), changed(self.query, region=None, bbox=None)), *reversed(path)]

    @cached_property
    def removables(self) -> list[Removable]:
        """The conditions that no chip shows as chosen."""
        criteria, found = self.criteria, []
        if "q" in criteria:
            found.append(Removable(f"“{criteria['q']}”", changed(self.query, q=None)))
        if "region" in criteria:
            found.append(Removable(criteria["region"].name, changed(self.query, region=None)))
        if "owner" in criteria:
            owner = Organisation.objects.filter(pk=criteria["owner"]).first()
            found.append(Removable(owner.name if owner else _("One owner"), changed(self.query, owner=None)))
        if "bbox" in criteria:
            found.append(Removable(_("Map section"), changed(self.query, bbox=None)))
        if "area" in criteria:
            found.append(Removable(_("Drawn area"), changed(self.query, area=None)))
        if "near" in criteria:
            radius_m = criteria.get("radius_m", search.DEFAULT_RADIUS_M)
            words = _("Within %(m)s m of %(lon).4f, %(lat).4f") % {
                "m": radius_m, "lon": criteria["near"].x, "lat": criteria["near"].y,
            }  # fmt: skip
            found.append(Removable(words, changed(self.query, near=None, radius_m=None)))
        if "route" in criteria:
            words = _("Along a line, within %(m)s m") % {"m": plain_number(criteria["route"].within_m)}
            found.append(Removable(words, changed(self.query, route=None, along=None, within_m=None)))
        if "available_on" in criteria:
            words = _("Available on %(day)s") % {"day": criteria["available_on"].isoformat()}
            found.append(Removable(words, changed(self.query, available_on=None)))
        return found

    @cached_property
    def drawer_count(self) -> int:
        """How many conditions are set inside the drawer."""
        return sum(name in self.criteria for name in (*DRAWER_FACETS, "region", "near", "available_on", "route"))

    @property
    def drawer_fields(self) -> list:
        """The form's fields that are typed rather than chosen."""
        return [self.form[name] for name in ("available_on", "near", "radius_m", "within_m")]

    # --- Beside the list ----------------------------------------------------------------------

    @cached_property
    def undisclosed(self) -> dict[str, Any]:
        """{"total", "regions"}: what is only counted. Not asked where criteria would make the count tell more."""
        if set(self.criteria) & UNTOLD:
            return {"total": 0, "regions": []}
        total, regions = self.found.undisclosed(self.children)
        return {"total": total, "regions": regions}

    @cached_property
    def extent(self) -> str:
        """ "west,south,east,north" the map should show, or "" to stay where it is."""
        found = self._asked_extent()
        if found is None and self.total and EXTENT_FROM_CRITERIA & set(self.criteria):
            found = self.found.extent()
        return ",".join(f"{edge:.5f}" for edge in found) if found else ""

    def _asked_extent(self) -> tuple[float, float, float, float] | None:
        """The box around what was asked by place: map section, drawn area, or circle."""
        for name in ("bbox", "area"):
            if name in self.criteria:
                return self.criteria[name].extent
        if "near" not in self.criteria:
            return None
        point, radius_m = self.criteria["near"], self.criteria.get("radius_m", search.DEFAULT_RADIUS_M)
        reach = radius_m / 111_320  # metres of a degree of latitude
        wide = reach / max(0.1, cos(radians(point.y)))
        return point.x - wide, max(-85, point.y - reach), point.x + wide, min(85, point.y + reach)

    @cached_property
    def area(self) -> str:
        """The drawn area as GeoJSON for the map, or ""."""
        return self.criteria["area"].geojson if "area" in self.criteria else ""

    @cached_property
    def route(self) -> str:
        """The followed line as GeoJSON for the map, or ""."""
        return self.criteria["route"].line.geojson if "route" in self.criteria else ""

    @cached_property
    def near(self) -> str:
        """ "lon,lat,radius in metres" for the map, or ""."""
        if "near" not in self.criteria:
            return ""
        point, radius_m = self.criteria["near"], self.criteria.get("radius_m", search.DEFAULT_RADIUS_M)
        return f"{point.x:.6f},{point.y:.6f},{radius_m}"

    @cached_property
    def tile_query(self) -> str:
        """The query string the tiles take, so that map and list show the same."""
        return changed(self.query, **dict.fromkeys(NOT_ON_TILES))

    @cached_property
    def hidden_fields(self) -> list[tuple[str, str]]:
        """The state that the search form carries along without showing a control for it."""
        names = ("kind", *DRAWER_FACETS, "region", "owner", "area", "bbox", "free", "route", "along")
        return [(name, value) for name in names for value in self.query.getlist(name) if value]
