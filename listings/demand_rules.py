"""What makes a demand line right: one check for the form, the file import and the actions. No queries."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import GEOSGeometry, Point
from django.contrib.gis.geos.prepared import PreparedGeometry
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.models import Region
from listings.models import DemandLine, DemandList, Kind

QUANTITY_MAX = 100_000  # more than any single line asks of one kind; a slipped zero is caught here
CABLE_MAX_MM = 250  # high-voltage cables reach 200
ROOM_U_MAX = 2_000  # some forty racks
TOLERANCE_MAX_M = 50_000
MONTHS_MAX = 600
TITLE_MAX = 160
NOTES_MAX = 500
BORDER_DEG = 0.03  # about 3 km: coasts and borders in the division polygons are generalised
GEOMETRY_TYPES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")

# What a person, a form or a file says of a line; all else is the portal's own.
FIELDS = (
    "applicant", "applicant_name", "applicant_code", "title", "kind", "quantity", "room_u", "power_kw", "place",
    "tolerance_m", "height_min_m", "height_max_m", "bore_mm", "cable_mm", "needed_by", "months", "priority",
    "ceiling_fen_per_year", "sectors", "sharing_modes", "notes",
)  # fmt: skip


class Jurisdiction:
    """The regions of a list, their polygons made ready for many questions.

    More than one where other bureaus co-sign: a route may then cross the border between them.
    """

    def __init__(self, *regions: Region):
        self.regions = regions

    @classmethod
    def of(cls, demand_list: DemandList) -> "Jurisdiction":
        """The list's region and those of its co-signing bureaus. Queries once."""
        more = Region.objects.filter(organisations__co_signed__demand_list=demand_list).distinct().order_by("code")
        return cls(demand_list.region, *more)

    @property
    def name(self) -> str:
        return " / ".join(region.name for region in self.regions)

    @cached_property
    def _polygon(self) -> GEOSGeometry | None:
        """All of it; None where a region has no polygon."""
        polygons = [region.polygon for region in self.regions]
        if not all(polygons):
            return None
        if len(polygons) == 1:
            return polygons[0]
        made = [polygon.simplify(BORDER_DEG / 10, preserve_topology=True).buffer(0) for polygon in polygons]  # type: ignore[union-attr]
        whole = made[0]
        for polygon in made[1:]:
            whole = whole.union(polygon)
        return whole

    @cached_property
    def _prepared(self) -> PreparedGeometry | None:
        return self._polygon.prepared if self._polygon else None

    @cached_property
    def _with_border(self) -> PreparedGeometry:
        """The polygon and a strip around it; made only when a place lies outside, because it is dear."""
        assert self._polygon is not None  # covers() asks only then
        return self._polygon.simplify(BORDER_DEG / 10, preserve_topology=True).buffer(BORDER_DEG).prepared

    def covers(self, place: GEOSGeometry) -> bool:
        """Whether all of the place lies in the region, give or take BORDER_DEG; True where it has no polygon."""
        return self._prepared is None or self._prepared.covers(place) or self._with_border.covers(place)


def place_problem(place: GEOSGeometry | None, jurisdiction: Jurisdiction) -> str | None:
    """What is wrong with a place (SRID 4326), and what would be right; None: nothing is."""
    if place is None:
        return _("Give a place: a point, a route or an area.")
    if place.empty or place.geom_type not in GEOMETRY_TYPES:
        return _("A place is a point, a route or an area.")
    # A point is its own extent and always valid: most places of a long list are points.
    west, south, east, north = (place.x, place.y) * 2 if isinstance(place, Point) else place.extent
    if (west, south, east, north) == (0, 0, 0, 0):
        return _("0, 0 is not a place: the coordinates are missing in the source.")
    if west < -180 or east > 180 or south < -90 or north > 90:
        return _("These are not degrees of longitude and latitude.") + _swap_hint(place, jurisdiction)
    if not isinstance(place, Point) and not place.valid:
        return _("The shape crosses itself: draw it again.")
    if not jurisdiction.covers(place):
        return _("The place (%(lon).4f, %(lat).4f) lies outside %(region)s, the region of this list.") % {
            "lon": place.centroid.x,
            "lat": place.centroid.y,
            "region": jurisdiction.name,
        } + _swap_hint(place, jurisdiction)
    return None


def _swap_hint(place: GEOSGeometry, jurisdiction: Jurisdiction) -> str:
    if not isinstance(place, Point):
        return ""
    swapped = Point(place.y, place.x, srid=4326)
    if abs(swapped.y) <= 90 and jurisdiction.covers(swapped):
        return " " + _("With longitude and latitude swapped it would lie inside: swap them.")
    return ""


def line_problems(line: DemandLine, jurisdiction: Jurisdiction) -> Iterator[tuple[str, str]]:
    """(field, sentence) for everything wrong with a line as a whole; each field's own form is clean_fields()'s."""
    if problem := place_problem(line.place, jurisdiction):
        yield "place", problem
    if not line.title.strip():
        yield "title", _("Give a title.")
    elif len(line.title) > TITLE_MAX:
        yield "title", _("A title has at most %(max)d characters.") % {"max": TITLE_MAX}
    if not line.applicant_id and not line.applicant_name.strip():
        yield "applicant_name", _("Name the applicant.")
    if line.quantity is not None and not 1 <= line.quantity <= QUANTITY_MAX:
        yield "quantity", _("The quantity lies between 1 and %(max)d.") % {"max": QUANTITY_MAX}
    if line.room_u is not None and line.kind != Kind.TOWER:
        yield (
            "room_u",
            _("A room at the same site goes with a tower. For a room alone, choose the kind room."),
        )
    elif line.room_u is not None and not 1 <= line.room_u <= ROOM_U_MAX:
        yield "room_u", _("Rack units at the same site lie between 1 and %(max)d.") % {"max": ROOM_U_MAX}
    if line.cable_mm is not None and line.kind != Kind.DUCT:
        yield "cable_mm", _("Only a duct has a cable pulled into it: leave this empty, or choose the kind duct.")
    elif line.cable_mm is not None and not 0 < Decimal(line.cable_mm) <= CABLE_MAX_MM:
        yield "cable_mm", _("A cable's diameter lies between 0 and %(max)d mm.") % {"max": CABLE_MAX_MM}
    if line.months is not None and not 1 <= line.months <= MONTHS_MAX:
        yield "months", _("The period is 1 to 600 months.")
    if line.tolerance_m is not None and line.tolerance_m > TOLERANCE_MAX_M:
        yield "tolerance_m", _("The tolerance is at most %(max)d m.") % {"max": TOLERANCE_MAX_M}
    for field in ("power_kw", "height_min_m", "height_max_m", "bore_mm"):
        value = getattr(line, field)
        if value is not None and Decimal(value) < 0:
            yield field, _("This cannot be below 0.")
    if line.height_min_m is not None and line.height_max_m is not None and line.height_max_m < line.height_min_m:
        yield "height_max_m", _("“Height to” is below “height from”.")


def check_line(line: DemandLine, jurisdiction: Jurisdiction) -> None:
    """Raises ValidationError with a sentence per field unless the line is right. No queries."""
    errors: dict[str, list[Any]] = {}
    try:
        line.clean_fields(exclude={"demand_list", "applicant", "number", "place", "title"})
    except ValidationError as error:
        errors = error.update_error_dict({})
    for field, sentence in line_problems(line, jurisdiction):
        if field not in errors:
            errors[field] = [sentence]
    if errors:
        raise ValidationError(errors)
