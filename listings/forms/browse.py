"""The map page's state as a GET form: every field optional, every refusal a sentence, never an exception."""

import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django import forms
from django.contrib.gis.geos import GEOSException, GEOSGeometry, LineString, MultiPolygon, Point, Polygon
from django.http import QueryDict
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Region
from listings.models import Kind, Resource
from listings.models.resources import Sector, SharingMode
from listings.routes import DEFAULT_WITHIN_M, WITHIN_MOST_M, Route
from listings.search import DEFAULT_RADIUS_M
from listings.search_index.wants import year_words
from listings.search_keys import BORE_BANDS, HEIGHT_BANDS, POWER_BANDS, PRICES

AREA_CHARS_MOST = 20_000
AREA_CORNERS_MOST = 500
RADIUS_MOST_M = 200_000
SRID = 4326

SORT_CHOICES = [
    ("", _("Usual order")),
    ("newest", _("Newest first")),
    ("distance", _("Nearest first")),
    ("price", _("Lowest price first")),
    ("free", _("Most free first")),
    ("relevance", _("Best match of words first")),
]


def band_label(band: str):
    """ "15-25" → "15–25 m", "50-" → "50 m and more"."""
    low, high = HEIGHT_BANDS[band]
    if high is None:
        return format_lazy(_("{low} m and more"), low=low)
    return f"{low}–{high} m"


def bore_label(band: str):
    """ "40-75" → "40–75 mm"."""
    low, high = BORE_BANDS[band]
    return f"{low}–{high} mm" if high else format_lazy(_("{low} mm and more"), low=low)


def power_label(band: str):
    """ "5-20" → "5–20 kW"; a tower's kVA count in the same bands."""
    low, high = POWER_BANDS[band]
    return f"{low}–{high} kW" if high else format_lazy(_("{low} kW and more"), low=low)


def price_label(band: str):
    """Yuan per main unit and year."""
    if band == "ask":
        return _("To be negotiated")
    if band == "0":
        return _("Free of charge")
    low, _dash, high = band.partition("-")
    if not high:
        return format_lazy(_("¥{low} and more"), low=f"{int(low):,}")
    return f"¥{int(low):,}–{int(high):,}" if int(low) else format_lazy(_("below ¥{high}"), high=f"{int(high):,}")


def year_label(word: str):
    """A year, or the words for what is older or not dated."""
    return {"older": _("Older"), "undated": _("Not dated")}.get(word, word)


DISCLOSURE_CHOICES = [
    ("exact", _("Exact to verified organisations")),
    ("blurred", _("Blurred to a cell of at least 1 km")),
]


def _numbers(text: str, count: int) -> list[float] | None:
    """That many finite numbers with commas, or None."""
    parts = re.split(r"[,，;\s]+", text.strip())
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return None
    return values if len(values) == count and all(math.isfinite(v) for v in values) else None


class PointField(forms.CharField):
    """ "lon, lat" in degrees → Point."""

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        numbers = _numbers(text, 2)
        if numbers is None:
            raise forms.ValidationError(_("Write longitude and latitude in degrees, for example 113.33, 23.13."))
        lon, lat = numbers
        if abs(lat) > 90 and abs(lon) <= 90:
            raise forms.ValidationError(_("Longitude comes first, then latitude: these look swapped."))
        if abs(lon) > 180 or abs(lat) > 90:
            raise forms.ValidationError(_("Longitude lies between −180 and 180, latitude between −90 and 90."))
        return Point(lon, lat, srid=SRID)


class BoxField(forms.CharField):
    """ "west,south,east,north" in degrees → Polygon."""

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        numbers = _numbers(text, 4)
        if numbers is None:
            raise forms.ValidationError(_("A map section is four numbers: west, south, east, north in degrees."))
        west, south, east, north = numbers
        if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
            raise forms.ValidationError(_("Longitude lies between −180 and 180, latitude between −90 and 90."))
        if west >= east or south >= north:
            raise forms.ValidationError(_("The map section is empty: west must lie left of east, south below north."))
        box = Polygon.from_bbox((west, south, east, north))
        box.srid = SRID
        return box


def _from_geojson(text: str) -> Polygon | MultiPolygon:
    """A GeoJSON polygon (or a Feature of one), read without GDAL. Raises ValueError and its kin."""
    shape = json.loads(text)
    if shape.get("type") == "Feature":
        shape = shape["geometry"]
    if shape["type"] == "Polygon":
        return _polygon(shape["coordinates"])
    if shape["type"] == "MultiPolygon":
        return MultiPolygon(*(_polygon(rings) for rings in shape["coordinates"]))
    raise ValueError(shape["type"])


def _polygon(rings: list) -> Polygon:
    """Rings of [lon, lat, …]; made numbers here, because the GEOS binding raises outside of ValueError for others."""
    return Polygon(*([(float(corner[0]), float(corner[1])) for corner in ring] for ring in rings))


class AreaField(forms.CharField):
    """A drawn polygon as WKT or GeoJSON, limited in size → Polygon or MultiPolygon."""

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        if len(text) > AREA_CHARS_MOST:
            raise forms.ValidationError(_("The drawn area has too many corners: draw it more simply."))
        try:
            if re.match(r"(multi)?polygon\s*\(", text, re.IGNORECASE):
                area = GEOSGeometry(text, srid=SRID)
            else:
                area = _from_geojson(text)
                area.srid = SRID
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, GEOSException):
            raise forms.ValidationError(_("The area is not a polygon in WKT or GeoJSON.")) from None
        return self._checked(area)

    def _checked(self, area):
        if area.empty or not area.valid or not area.area:
            raise forms.ValidationError(_("The outline of the area crosses itself or is empty: draw it again."))
        if area.num_coords > AREA_CORNERS_MOST:
            raise forms.ValidationError(_("The drawn area has too many corners: draw it more simply."))
        west, south, east, north = area.extent
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise forms.ValidationError(_("Longitude lies between −180 and 180, latitude between −90 and 90."))
        return area


class LineField(forms.CharField):
    """A drawn line as WKT or GeoJSON, limited in size → LineString or MultiLineString."""

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        if len(text) > AREA_CHARS_MOST:
            raise forms.ValidationError(_("The drawn line has too many corners: draw it more simply."))
        try:
            if re.match(r"linestring\s*\(", text, re.IGNORECASE):
                line = GEOSGeometry(text, srid=SRID)
            else:
                shape = json.loads(text)
                shape = shape["geometry"] if shape.get("type") == "Feature" else shape
                if shape["type"] != "LineString":
                    raise ValueError(shape["type"])
                line = LineString([(float(corner[0]), float(corner[1])) for corner in shape["coordinates"]], srid=SRID)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, GEOSException):
            raise forms.ValidationError(_("The route is not a line in WKT or GeoJSON.")) from None
        if line.empty or not line.length or line.num_coords > AREA_CORNERS_MOST:
            raise forms.ValidationError(_("The route has no length or too many corners: draw it again."))
        west, south, east, north = line.extent
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise forms.ValidationError(_("Longitude lies between −180 and 180, latitude between −90 and 90."))
        return line


class RegionField(forms.CharField):
    """A six-digit division code → Region without its polygon; the nation means everywhere."""

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        region = Region.objects.filter(pk=text).defer("polygon", "label_point").first() if len(text) == 6 else None
        if region is None:
            raise forms.ValidationError(_("There is no division with the code %(code)s.") % {"code": text[:12]})
        return region if region.level else None


class BrowseForm(forms.Form):
    """What listings.search understands. Of a form with mistakes the good fields still count (criteria)."""

    q = forms.CharField(
        label=_("Search"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )  # fmt: skip
    kind = forms.MultipleChoiceField(label=_("Kind"), required=False, choices=Kind.choices)
    sector = forms.MultipleChoiceField(label=_("Sector"), required=False, choices=Sector.choices)
    region = RegionField(label=_("Region"), required=False, max_length=12)
    free = forms.IntegerField(label=_("Free units at least"), required=False, min_value=1, max_value=1_000_000)
    height = forms.MultipleChoiceField(
        label=_("Height"), required=False, choices=[(band, band_label(band)) for band in HEIGHT_BANDS]
    )
    modes = forms.MultipleChoiceField(label=_("Sharing modes"), required=False, choices=SharingMode.choices)
    bore = forms.MultipleChoiceField(
        label=_("Largest free bore"), required=False, choices=[(band, bore_label(band)) for band in BORE_BANDS]
    )
    power = forms.MultipleChoiceField(
        label=_("Power to spare"), required=False, choices=[(band, power_label(band)) for band in POWER_BANDS]
    )
    price = forms.MultipleChoiceField(
        label=_("Price per unit and year"), required=False, choices=[(band, price_label(band)) for band in PRICES]
    )
    disclosure = forms.MultipleChoiceField(label=_("Place disclosed"), required=False, choices=DISCLOSURE_CHOICES)
    year = forms.MultipleChoiceField(label=_("Facts from"), required=False)
    bbox = BoxField(label=_("Map section"), required=False, max_length=200)
    area = AreaField(label=_("Drawn area"), required=False)
    route = LineField(label=_("Along a line"), required=False)
    along = forms.IntegerField(label=_("Along a cable or duct"), required=False, min_value=1, max_value=2**63 - 1)
    within_m = forms.IntegerField(
        label=_("Along it within (m)"), required=False, min_value=1, max_value=WITHIN_MOST_M,
        widget=forms.NumberInput(attrs={"placeholder": str(DEFAULT_WITHIN_M)}),
    )  # fmt: skip
    near = PointField(
        label=_("Near (longitude, latitude)"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"placeholder": "113.33, 23.13", "inputmode": "decimal"}),
    )  # fmt: skip
    radius_m = forms.IntegerField(
        label=_("Within (m)"), required=False, min_value=1, max_value=RADIUS_MOST_M,
        widget=forms.NumberInput(attrs={"placeholder": str(DEFAULT_RADIUS_M)}),
    )  # fmt: skip
    available_on = forms.DateField(label=_("Available on"), required=False, widget=forms.DateInput())
    owner = forms.IntegerField(label=_("Owner"), required=False, min_value=1, max_value=2**63 - 1)
    sort = forms.ChoiceField(label=_("Order"), required=False, choices=SORT_CHOICES)

    def __init__(self, *args, reader=None, **options):
        """reader: whose view of a cable or duct is followed by `along`."""
        super().__init__(*args, **options)
        self.reader = reader
        words = year_words(timezone.localdate())
        self.fields["year"].choices = [(word, year_label(word)) for word in words]

    def clean_along(self):
        """The line of a cable or duct as this reader is shown it."""
        pk = self.cleaned_data["along"]
        if pk is None:
            return None
        shown = Resource.objects.visible_to(self.reader).published().filter(pk=pk).values_list("shown_place", flat=True)
        line = shown.first()
        if line is None:
            raise forms.ValidationError(_("There is no such cable or duct to follow."))
        if line.dims != 1:
            raise forms.ValidationError(_("Only a cable or a duct that is shown as a line can be followed."))
        return line

    def clean_q(self):
        # PostgreSQL refuses NUL in a text.
        return " ".join(self.cleaned_data["q"].replace("\x00", " ").split())

    @property
    def criteria(self) -> dict:
        """The valid and set fields, as listings.search takes them."""
        self.is_valid()
        found = {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}
        line, along = found.pop("route", None), found.pop("along", None)
        within_m = found.pop("within_m", DEFAULT_WITHIN_M)
        if line or along:
            found["route"] = Route(line or along, within_m)
        return found


# Criteria that are words and numbers alone: what they mean depends on nobody and on nothing stored.
PLAIN = frozenset(("kind", "sector", "free", "height", "modes", "bore", "power", "price", "disclosure", "year", "sort"))
PLAIN_MOST = 300  # characters


def criteria_of(query: QueryDict, *, reader: Membership | None) -> Mapping[str, Any]:
    """BrowseForm's criteria, not to be written to. A map asks for thirty tiles with one query: a form that says the
    same for everybody is made once."""
    if PLAIN.issuperset(query) and len(asked := query.urlencode()) <= PLAIN_MOST:
        return _plain(asked, timezone.localdate())
    return BrowseForm(query, reader=reader).criteria


@lru_cache(maxsize=256)
def _plain(asked: str, _today: dt.date) -> Mapping[str, Any]:
    return BrowseForm(QueryDict(asked)).criteria
