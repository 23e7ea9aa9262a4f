"""Bring the table of regions up to the packages. Regions are nobody's: no permission, no event rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection, transaction

from accounts.models import Region
from accounts.region_sources import CODES_FOLDER, GEOCN_FOLDER, RegionRow, read_tree

FIELDS = ["level", "parent", "name_zh", "name_en", "polygon", "label_point"]
BATCH_ROWS = 200


@dataclass(frozen=True)
class Loaded:
    total: int
    written: int
    without_polygon: int


@transaction.atomic
def load_regions(*, polygons: Path = GEOCN_FOLDER, codes: Path = CODES_FOLDER) -> Loaded:
    """Inserts and updates the GB/T 2260 tree; rows that are as they should be are not written. Idempotent.

    Regions that the packages no longer know stay: organisations and resources may stand in them.
    """
    rows = read_tree(polygons, codes)
    there = _as_stored()
    regions = [_region(row) for row in rows]
    changed = [region for region in regions if there.get(region.code) != _as_wanted(region)]
    Region.objects.bulk_create(
        changed, batch_size=BATCH_ROWS, update_conflicts=True, unique_fields=["code"], update_fields=FIELDS
    )
    return Loaded(len(rows), len(changed), sum(row.polygon is None for row in rows))


def _region(row: RegionRow) -> Region:
    polygon: Any = None
    point: Any = None
    if row.polygon is not None:
        polygon = GEOSGeometry(memoryview(row.polygon.wkb), srid=4326)
        # The widest inland line of all parts: a point that surely lies inside, never in a bay or a hole.
        point = GEOSGeometry(memoryview(row.polygon.point_on_surface().wkb), srid=4326)
    return Region(
        code=row.code,
        level=row.level,
        parent_id=row.parent,
        name_zh=row.name_zh,
        name_en=row.name_en,
        polygon=polygon,
        label_point=point,
    )


Facts = tuple[int, str | None, str, str, int, float, tuple[float, float] | None]


def _as_wanted(region: Region) -> Facts:
    if region.polygon is None or region.label_point is None:
        return (region.level, region.parent_id, region.name_zh, region.name_en, 0, 0.0, None)
    west, south, east, north = region.polygon.extent
    box = round(west + 2 * south + 3 * east + 5 * north, 6)
    point = (round(region.label_point.x, 9), round(region.label_point.y, 9))
    return (region.level, region.parent_id, region.name_zh, region.name_en, region.polygon.num_coords, box, point)


def _as_stored() -> dict[str, Facts]:
    """What is there, without fetching polygons: corners counted, extent and label point instead."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT code, level, parent_id, name_zh, name_en, coalesce(ST_NPoints(polygon), 0),
                      coalesce(ST_XMin(polygon) + 2 * ST_YMin(polygon) + 3 * ST_XMax(polygon)
                               + 5 * ST_YMax(polygon), 0),
                      ST_X(label_point), ST_Y(label_point)
               FROM accounts_region"""
        )
        return {
            code: (level, parent, zh, en, corners, round(box, 6), None if x is None else (round(x, 9), round(y, 9)))
            for code, level, parent, zh, en, corners, box, x, y in cursor.fetchall()
        }
