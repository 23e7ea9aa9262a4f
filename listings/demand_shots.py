"""A demand line's fields as plain JSON and back, and who acts, for the versions the database keeps."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection

from accounts.models import Organisation, User
from listings.demand_rules import FIELDS
from listings.models import DemandLine


def as_json(line: DemandLine, names: Iterable[str] = FIELDS) -> dict[str, Any]:
    """The named fields of the line; the place as WKT (SRID 4326), the applicant by key."""
    shot: dict[str, Any] = {}
    for name in names:
        value = getattr(line, DemandLine._meta.get_field(name).attname)
        if name == "place":
            value = value.wkt if value else None
        elif not isinstance(value, (str, int, bool, list, type(None))):
            value = str(value)
        shot[name] = value
    return shot


def from_json(shot: Mapping[str, Any]) -> dict[str, Any]:
    """What as_json() wrote, as the actions take it. Queries once where an applicant is named."""
    fields: dict[str, Any] = {}
    for name, value in shot.items():
        if name == "place":
            fields[name] = GEOSGeometry(value, srid=4326) if value else None
        elif name == "applicant":
            fields[name] = Organisation.objects.filter(pk=value).first() if value else None
        else:
            fields[name] = value if isinstance(value, list) else DemandLine._meta.get_field(name).to_python(value)
    return fields


def acting(by: User | None) -> None:
    """Names who acts until the transaction ends: the versions its changes leave carry it (LineVersion.actor_id)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('gongjian.actor', %s, true)", [str(by.pk) if by else ""])
