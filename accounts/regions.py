"""Finding a region: by point, by name, and the choices of a picker."""

from django.contrib.gis.geos import Point
from django.db.models import BooleanField, ExpressionWrapper, Q

from .models import Region


def region_at(point: Point) -> Region | None:
    """The smallest region that covers the point (SRID 4326), None outside all of them. Queries once or twice.

    The polygon is not fetched. Counties are asked first: their polygons are small; cities and provinces only
    where no county has a polygon (Macao, some reserves).
    """
    regions = Region.objects.defer("polygon")
    county = regions.filter(level=Region.Level.COUNTY, polygon__covers=point).order_by("code").first()
    if county:
        return county
    wider = regions.filter(level__in=(Region.Level.CITY, Region.Level.PROVINCE), polygon__covers=point)
    return wider.order_by("-level", "code").first()


def choices_below(parent_code: str, level: int) -> list[Region]:
    """The regions of a level below a parent that a picker offers, by code. Queries once.

    Where a division has been merged away (a code without polygon beside others that have one) it is not
    offered; where none has a polygon (Macao) all are.
    """
    has_polygon = ExpressionWrapper(Q(polygon__isnull=False), output_field=BooleanField())
    regions = list(
        Region.objects.filter(parent_id=parent_code, level=level)
        .only("code", "name_zh", "name_en", "level")
        .annotate(has_polygon=has_polygon)
        .order_by("code")
    )
    current = [region for region in regions if region.has_polygon]
    return current or regions


def find(text: str, *, limit: int = 20) -> list[Region]:
    """Regions whose code begins with, or whose name contains, the text. Queries once."""
    text = text.strip()
    if not text:
        return []
    matches = Q(name_zh__contains=text) | Q(name_en__icontains=text) | Q(code__startswith=text)
    return list(Region.objects.filter(matches).defer("polygon").order_by("level", "code")[:limit])
