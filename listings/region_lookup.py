"""Which region a spot lies in, for many spots at once."""

from collections.abc import Sequence

from django.db import connection

from accounts.models import Region
from listings.places import Spot

NEAR_DEG = 0.03  # about 3 km: coasts and borders in the division polygons are generalised


def regions_at(spots: Sequence[Spot]) -> list[str | None]:
    """The code of the smallest region over each spot, or within NEAR_DEG of it; None where there is none.

    One query per level, counties first (small polygons, most hits), whatever the number of spots.
    """
    found: list[str | None] = [None] * len(spots)
    covers = "ST_Covers(r.polygon, s.geom)"
    near = f"ST_DWithin(r.polygon, s.geom, {NEAR_DEG})"
    passes = [(level, covers, "r.code") for level in (3, 2, 1)]
    passes += [(3, near, "r.polygon <-> s.geom, r.code"), (0, covers, "r.code")]
    with connection.cursor() as cursor:
        for level, condition, order in passes:
            left = [i for i, code in enumerate(found) if code is None]
            if not left:
                break
            cursor.execute(
                f"""
                SELECT s.i, r.code FROM (
                  SELECT i, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS geom
                    FROM unnest(%s::int[], %s::float8[], %s::float8[]) AS t(i, lon, lat)
                ) s CROSS JOIN LATERAL (
                  SELECT r.code FROM accounts_region r WHERE r.level = %s AND {condition} ORDER BY {order} LIMIT 1
                ) r
                """,  # conditions are the constants above  # noqa: S608
                [left, [spots[i].lon for i in left], [spots[i].lat for i in left], level],
            )
            for i, code in cursor.fetchall():
                found[i] = code
    return found


def common_region(codes: Sequence[str]) -> str:
    """The smallest region that holds all of them: the county, else the city, the province, the nation."""
    first = codes[0]
    if all(code == first for code in codes):
        return first
    for prefix, zeros in ((4, "00"), (2, "0000")):
        if all(code[:prefix] == first[:prefix] for code in codes) and first[:prefix] != "10":
            return first[:prefix] + zeros
    return "100000"


def has_outline(region: Region) -> bool:
    """Whether the region or one above it (the nation apart) has a polygon to hold a place against. Queries once."""
    above = {region.code, region.code[:4] + "00", region.code[:2] + "0000"}
    return region.level == 0 or Region.objects.filter(code__in=above, level__gt=0, polygon__isnull=False).exists()
