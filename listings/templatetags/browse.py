"""What a row of the result list says: {% load browse %}."""

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _

from listings import wording
from listings.models import Resource

register = template.Library()

MAIN_UNITS = {"tower": "position", "duct": "bore", "cable": "core", "room": "rack_u"}


@register.simple_tag
def main_unit(kind: str) -> str:
    """The unit a kind's capacity is counted in (the tally's main unit)."""
    return MAIN_UNITS[kind]


@register.filter
def unit_price(fen: int | None, unit: str) -> str:
    """120000, "bore" → "¥1,200 a year per bore-km"; "to be negotiated" for None, "free of charge" for 0."""
    if fen == 0:
        return _("free of charge")
    words = wording.yearly_text(fen)
    if fen is None:
        return words
    per = {
        "position": _("%(price)s per position"),
        "bore": _("%(price)s per bore-km"),
        "core": _("%(price)s per core-km"),
        "rack_u": _("%(price)s per U"),
    }
    return per[unit] % {"price": words}


@register.simple_tag
def shown_spot(resource: Resource) -> str:
    """The attributes data-lon, data-lat: a point of the place as shown to this reader, where its symbol stands."""
    place = resource.shown_place  # annotated by visible_to(); the symbol of listings.tiles stands at the same spot
    if place.geom_type == "MultiLineString":
        place = place[0]
    spot = place.interpolate_normalized(0.5) if place.geom_type == "LineString" else place.point_on_surface
    return format_html(' data-lon="{}" data-lat="{}"', f"{spot.x:.6f}", f"{spot.y:.6f}")
