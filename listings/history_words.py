"""Values as events keep them, in the reader's language: pools, places, the words of choices. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from listings.models.capacity import Unit

# As listings.differences.pool_words() writes them.
POOL = re.compile(
    r"^(?P<unit>[a-z_]+)(?: (?P<name>.*?))?: (?P<total>-?[\d.]+), in use (?P<used>-?[\d.]+)"
    r"(?:, ¥(?P<price>[\d.]+)/year)?$"
)
BAND = re.compile(r"([\d.]+) m to ([\d.]+) m")
PLACE = re.compile(r"^(?:SRID=\d+;)?(?P<type>POINT|(?:MULTI)?(?:LINESTRING|POLYGON))\s*Z?\s*\((?P<inside>.*)\)$")
NUMBERS = re.compile(r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s+(-?\d+(?:\.\d+)?(?:e-?\d+)?)")


def value_words(name: str, value: Any, fields: Mapping[str, models.Field]) -> Any:
    """What an event keeps of a field, for a person. fields: those of the resource and of its kind's facts."""
    if name == "pools" and isinstance(value, list):
        return "; ".join(_pool(str(line)) for line in value)
    if isinstance(value, str) and (place := PLACE.match(value)):
        return _place(place)
    field: Any = fields.get(name)
    choices = dict(getattr(getattr(field, "base_field", field), "flatchoices", None) or [])
    if isinstance(value, list):
        return [str(choices.get(item, item)) for item in value]
    return str(choices[value]) if isinstance(value, str) and value in choices else value


def _pool(line: str) -> str:
    found = POOL.match(line)
    if not found or found["unit"] not in Unit.values:
        return line
    name = " ".join(filter(None, [str(Unit(found["unit"]).label), BAND.sub(r"\1–\2 m", found["name"] or "")]))
    words = _("%(pool)s: %(total)s in all, %(used)s in use") % {
        "pool": name,
        "total": found["total"],
        "used": found["used"],
    }
    return words + (_(", ¥%(price)s a year") % {"price": found["price"]} if found["price"] else "")


def _degrees(lon: str, lat: str) -> str:
    east, north = float(lon), float(lat)
    return f"{abs(north):.6f}°{'N' if north >= 0 else 'S'}, {abs(east):.6f}°{'E' if east >= 0 else 'W'}"


def _place(found: re.Match[str]) -> str:
    points = NUMBERS.findall(found["inside"])
    if not points:
        return found.string
    if len(points) == 1:
        return _degrees(*points[0])
    return _("%(count)s points from %(start)s to %(end)s") % {
        "count": len(points),
        "start": _degrees(*points[0]),
        "end": _degrees(*points[-1]),
    }
