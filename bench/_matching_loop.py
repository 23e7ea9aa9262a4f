"""The peer of bench/matching.py inside Django: one query a line, as a team would write it first."""

import time


def loop(list_id: int, most: int) -> tuple[float, int]:
    """(seconds, lines with at least one resource that fits) for the first lines of the list; by the index of places."""
    from django.contrib.gis.db.models.functions import Distance

    from listings.models import DemandLine, Resource

    unit_of = {"tower": "position", "duct": "bore", "cable": "core", "room": "rack_u"}
    began, hits = time.monotonic(), 0
    lines = DemandLine.objects.filter(demand_list=list_id, state="open").select_related("applicant").order_by("number")
    for line in lines[:most]:
        degrees = line.tolerance_m / 90_000  # wide enough for the longest degree asked about; exact below
        near = (
            Resource.objects.filter(kind=line.kind, state="published", place__dwithin=(line.place, degrees))
            .exclude(disclosure="existence")
            .exclude(owner=line.applicant_id)
            .annotate(apart=Distance("place", line.place))
            .order_by("apart")
            .select_related("owner", "tower", "duct", "cable", "room")
            .prefetch_related("pools")
        )
        best = None
        for resource in near:
            if resource.apart.m > line.tolerance_m or (line.sectors and resource.sector not in line.sectors):
                continue
            fitting = [p for p in resource.pools.all() if p.unit == unit_of[line.kind] and p.free >= line.quantity]
            if fitting and best is None:
                best = resource
        hits += best is not None
    return time.monotonic() - began, hits
