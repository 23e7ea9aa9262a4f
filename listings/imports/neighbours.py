"""What stands already where a row would stand: one's own under another code, or another owner's.

Another owner's is named only where this reader may see its exact place anyway: a file of guessed points must not find
out where blurred towers stand.
"""

import io
from collections.abc import Sequence

import numpy as np
from django.db import connection

from accounts.models import Membership
from listings.imports.findings import warning
from listings.imports.targets import Draft
from listings.kinds.registry import SPECS
from listings.models import ImportJob, Resource
from listings.places import LonLat, Spot, distance_m

NEAR_M = 5.0
CELL_DEG = 1e-4  # of the grid: wider than NEAR_M up to 60° of latitude
PER_PLACE = 3
RECORD = np.dtype([("fields", ">i2"), ("a", ">i4"), ("id", ">i8"), ("b", ">i4"), ("x", ">f8"), ("c", ">i4"),
                   ("y", ">f8")])  # fmt: skip  # a row of three eight-byte values in COPY's binary format
HEAD_BYTES, TAIL_BYTES = 19, 2


class Neighbours:
    """Points of one kind by the cell of a fine grid, whoever owns them; read once for the ground a file covers.

    Probing the database place by place costs half a millisecond each; two million points here are 50 MB.
    """

    def __init__(self, job: ImportJob):
        self.job = job
        self.is_asked = not SPECS[job.kind].is_line
        members = Membership.objects.select_related("organisation").filter(ended_at=None, user=job.created_by)
        self.reader = members.filter(organisation=job.organisation).order_by("pk").first()
        self._box: tuple[float, float, float, float] | None = None
        self._cells, self._ids = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def hold(self, drafts: Sequence[Draft]) -> None:
        """Adds a warning to each new row at whose place something of the kind stands already. Queries up to twice."""
        asked = [(d, d.place) for d in drafts if d.verdict == "create" and isinstance(d.place, LonLat)]
        if not asked or not self.is_asked or self.reader is None:
            return
        lon, lat = (np.array([getattr(place, name) for _draft, place in asked]) for name in ("lon", "lat"))
        self._grow(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))
        pairs = self._close(lon, lat)
        if not pairs:
            return
        rows = Resource.objects.visible_to(self.reader).filter(pk__in={pk for _i, pk in pairs}, is_exact=True)
        seen = {resource.pk: resource for resource in rows.select_related("owner").order_by("pk")}
        told: dict[int, int] = {}
        for i, pk in pairs:
            if pk in seen and told.get(i, 0) < PER_PLACE:
                told[i] = told.get(i, 0) + self._tell(asked[i][0], asked[i][1], seen[pk])

    def _tell(self, draft: Draft, place: LonLat, resource: Resource) -> int:
        there = resource.shown_place  # type: ignore[attr-defined]
        metres = distance_m(Spot(place.lon, place.lat), Spot(there.x, there.y))
        is_own = resource.owner_id == self.job.organisation_id
        if metres > NEAR_M or (is_own and resource.owner_code == draft.values.get("owner_code")):
            return 0
        shown = {"metres": round(metres, 1)}
        if is_own:
            draft.findings.append(warning("place", "stands_already", code=resource.owner_code, **shown))
        else:
            owner = str(resource.owner)
            draft.findings.append(warning("place", "anothers_already", name=resource.name, owner=owner, **shown))
        return 1

    def _close(self, lon: np.ndarray, lat: np.ndarray) -> list[tuple[int, int]]:
        """(index, id) of what lies in the cell of each place or one beside it."""
        pairs = []
        for across in (-1, 0, 1):
            for up in (-1, 0, 1):
                wanted = _cell(lon + across * CELL_DEG, lat + up * CELL_DEG)
                first = np.searchsorted(self._cells, wanted, "left")
                last = np.searchsorted(self._cells, wanted, "right")
                for i in np.flatnonzero(last > first).tolist():
                    pairs += [(i, pk) for pk in self._ids[first[i] : last[i]].tolist()]
        return sorted(pairs)

    def _grow(self, west: float, south: float, east: float, north: float) -> None:
        box = self._box
        if box and box[0] <= west and box[1] <= south and box[2] >= east and box[3] >= north:
            return
        if box:
            west, south, east, north = min(box[0], west), min(box[1], south), max(box[2], east), max(box[3], north)
        around = max(0.02, (east - west) / 10, (north - south) / 10)
        self._box = (west - around, south - around, east + around, north + around)
        out = io.BytesIO()
        with connection.cursor() as cursor, connection.wrap_database_errors:
            sql = cursor.mogrify(
                "COPY (SELECT id, ST_X(place), ST_Y(place) FROM listings_resource WHERE kind = %s AND"
                " state <> 'retired' AND place && ST_MakeEnvelope(%s, %s, %s, %s, 4326) AND ST_Dimension(place) = 0"
                ") TO STDOUT (FORMAT binary)",
                [self.job.kind, *self._box],
            )
            cursor.copy_expert(sql, out)
        found = np.frombuffer(out.getbuffer()[HEAD_BYTES:-TAIL_BYTES], dtype=RECORD)
        cells = _cell(found["x"].astype(float), found["y"].astype(float))
        order = np.argsort(cells)
        self._cells, self._ids = cells[order], found["id"].astype(np.int64)[order]


def _cell(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    across = np.floor((lon + 360) / CELL_DEG).astype(np.int64)
    return (across << 24) | np.floor((lat + 90) / CELL_DEG).astype(np.int64)
