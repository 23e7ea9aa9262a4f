"""A page of results as GeoJSON: places as shown, main figures, and the counts of every facet."""

import json
from dataclasses import asdict
from typing import Any

from django.db import connection

from listings import disclosure
from listings.results import Results

ROWS = 50

# Written by hand: a page of 50 takes the ORM longer to put into words than the search itself takes.
PAGE_SQL = """
SELECT r.id, r.kind, r.name, r.sector, r.region_id, r.owner_id, t.free_units::float8, t.total_units::float8,
       t.price_fen, t.height_m::float8, ST_AsGeoJSON({shown}, 6), {shown} IS NOT DISTINCT FROM r.place
  FROM unnest(%s::bigint[]) WITH ORDINALITY AS asked (id, nth)
  JOIN listings_resource r ON r.id = asked.id JOIN listings_tally t ON t.resource_id = r.id
 ORDER BY nth
"""
NAMES = (
    "kind",
    "name",
    "sector",
    "region",
    "owner",
    "free_units",
    "total_units",
    "price_fen_per_unit_year",
    "height_m",
)


def features(results: Results) -> dict[str, Any]:
    """FeatureCollection of up to ROWS resources; numberMatched and facets as the page beside the map says them."""
    ids = results.found.ids((results.page_number - 1) * ROWS, ROWS)
    shown, params = disclosure.shown_place_sql(results.reader)
    with connection.cursor() as cursor:
        cursor.execute(PAGE_SQL.replace("{shown}", f"({shown})"), [*params, *params, ids])
        rows = cursor.fetchall()
    return {
        "type": "FeatureCollection",
        "numberMatched": results.total,
        "isAtLeast": results.found.is_capped,
        "facets": asdict(results.counts),
        "features": [_feature(row) for row in rows],
    }


def _feature(row: tuple) -> dict[str, Any]:
    pk, *values, geometry, is_exact = row
    properties = dict(zip(NAMES, values, strict=True)) | {"is_blurred": not is_exact}
    properties["code"] = f"{properties['kind'][0].upper()}{pk:08d}"
    return {"type": "Feature", "id": pk, "geometry": json.loads(geometry), "properties": properties}
