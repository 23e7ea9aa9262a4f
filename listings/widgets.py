"""The form control for places: a map to draw on, number fields for a point, and text that works without scripts."""

import json
import re

from django import forms
from django.contrib.gis.gdal import GDALException
from django.contrib.gis.geos import GEOSException, GEOSGeometry, LineString, Point, WKBWriter
from django.template import loader
from django.utils.safestring import mark_safe

NUMBER = r"[-+]?\d{1,3}(?:\.\d+)?"
PAIR = re.compile(rf"\s*({NUMBER})\s*[,，\s]\s*({NUMBER})\s*")
NO_NUMBER = re.compile("nan|inf", re.IGNORECASE)  # in WKT: co-ordinates that are no numbers; no shape is called so
MAX_CHARACTERS = 2_000_000  # a drawn or pasted geometry; about 50,000 corners

MODES = {
    "Point": ["point"],
    "LineString": ["linestring"],
    "Polygon": ["polygon"],
    "Geometry": ["point", "linestring", "polygon"],
}


def parse_place(text: str) -> GEOSGeometry | None:
    """GeoJSON, WKT, 'lon, lat', or several such pairs (by semicolons or lines: a line) → geometry in SRID 4326.

    None where it is none of these.
    """
    text = text.strip()
    if not text or len(text) > MAX_CHARACTERS:
        return None
    pairs = [PAIR.fullmatch(part) for part in re.split(r"[;；\n]", text) if part.strip()]
    if pairs and all(pairs):
        spots = [(float(pair[1]), float(pair[2])) for pair in pairs if pair]
        return Point(*spots[0], srid=4326) if len(spots) == 1 else LineString(spots, srid=4326)
    try:
        place = GEOSGeometry(_bare_geojson(text))
    except (
        GDALException,
        GEOSException,
        ValueError,
        TypeError,
        KeyError,
    ):  # KeyError: arcs, which GEOS has no class for
        return None
    if place.empty or NO_NUMBER.search(place.wkt):
        return None
    if place.hasz:  # places are kept without heights
        place = GEOSGeometry(WKBWriter(dim=2).write(place), srid=place.srid)
    if not place.srid:
        place.srid = 4326
    return place


def _bare_geojson(text: str) -> str:
    """The geometry of a pasted GeoJSON Feature; other text as it is."""
    if not text.startswith("{"):
        return text
    value = json.loads(text)
    if isinstance(value, dict) and value.get("type") == "Feature":
        value = value.get("geometry")
    if isinstance(value, dict):
        value.pop("crs", None)  # old GeoJSON names a system; the field is in WGS84 longitude and latitude
    return json.dumps(value)


class MapWidget(forms.Textarea):
    """Draws and edits one geometry. geometry: "Point", "LineString", "Polygon" or "Geometry" (any of the three).

    Submits GeoJSON in longitude and latitude (WGS84); without scripts 'lon, lat' or WKT may be typed.
    Usable in Wagtail's panels: its styles come as files. around: (west, south, east, north) in degrees that an empty
    map opens on; a form that knows the region sets it.
    """

    template_name = "listings/widgets/map_widget.html"
    is_map = True
    map_srid = 4326
    supports_3d = False
    around: tuple[float, float, float, float] | None = None

    def __init__(self, attrs: dict | None = None, *, geometry: str = "Geometry"):
        if geometry not in MODES:
            raise ValueError(f"geometry must be one of {', '.join(MODES)}")
        self.geometry = geometry
        super().__init__({"rows": 3, "spellcheck": "false", "autocomplete": "off", **(attrs or {})})

    @property
    def media(self):
        return forms.Media(
            css={"all": ["css/map.css"]}, js=[forms.Script("dist/js/geo-widget.js", **{"type": "module"})]
        )

    def deserialize(self, value: str) -> GEOSGeometry | None:
        """What forms.GeometryField calls; None makes it say the value is no geometry."""
        return parse_place(value)

    def format_value(self, value) -> str:
        """What was typed comes back as typed; a stored geometry as GeoJSON."""
        if not value:
            return ""
        if isinstance(value, GEOSGeometry):
            if value.srid and value.srid != self.map_srid:
                value = value.transform(self.map_srid, clone=True)
            return value.json
        return str(value)

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        context["geometry"] = self.geometry
        context["around"] = json.dumps(self.around) if self.around else ""
        context["modes"] = MODES[self.geometry]
        own = context["widget"]["attrs"]
        own["class"] = f"{own.get('class', '')} form-control".strip()
        own.pop("geom_type", None)  # a hint of forms.GeometryField for widgets of Django's own
        return context

    def _render(self, template_name, context, renderer=None):
        """With the templates of the project, whichever renderer the form has (Wagtail's has its own)."""
        return mark_safe(loader.render_to_string(template_name, context))  # noqa: S308 - a rendered template
