"""What a duplicate-build check found, drawn: the planned place, the rule around it, and what lies near as shown."""

import json
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.utils.translation import gettext as _

from accounts.models import Membership
from listings.build_check import Findings, ring
from listings.demand_links import list_path
from listings.models import DemandLine, Resource
from listings.resource_page import feature_collection_of


def near_map(place: GEOSGeometry, findings: Findings, reader: Membership | None) -> dict[str, Any]:
    """FeatureCollection for the page's map; the exact place of a resource only where this reader sees it. A fixed
    number of queries. Not part of a certificate, which others read."""
    shown = (
        Resource.objects.visible_to(reader)
        .published()
        .filter(pk__in=[row["id"] for row in findings.resources])
        .prefetch_related("pools")
        .order_by("pk")
    )
    collection = feature_collection_of(shown)
    around = ring(place, float(findings.rules[0]["value"]))
    collection["features"] = [
        _feature(around, label=_("within the rule"), kind="demand", tone="demand"),
        *collection["features"],
        *_lines(findings),
        _feature(place, label=_("Planned works"), kind="demand", tone="demand"),
    ]
    return collection


def _lines(findings: Findings) -> list[dict[str, Any]]:
    named = {(row["list"], row["number"]) for row in findings.lines}
    rows = DemandLine.objects.filter(
        demand_list__reference__in={reference for reference, _number in named},
        number__in={number for _reference, number in named},
    ).select_related("demand_list")
    return [
        _feature(
            row.place, label=row.title, kind="demand", tone="unmet",
            url=list_path(row.demand_list.reference, f"{row.number}/"),
        )
        for row in rows
        if (row.demand_list.reference, row.number) in named
    ]  # fmt: skip


def _feature(shape: GEOSGeometry, **properties: str) -> dict[str, Any]:
    return {"type": "Feature", "geometry": json.loads(shape.json), "properties": properties}
