"""Resources disclosed by existence only: how many by region, from the same bits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from accounts.models import Membership
from listings import search_keys
from listings.search_index import find, read, wire


def count_by_region(reader: Membership | None, criteria: Mapping[str, Any], digits: int) -> dict[str, int]:
    """{code prefix: how many}; kind, sector and region count, and nothing else of the criteria does."""
    asked = {name: criteria[name] for name in ("kind", "sector", "region") if criteria.get(name)}
    index = find.Found(None, asked)  # as a visitor: nothing is anybody's own
    index.hidden = True
    counts = dict(index.counts(digits)["region_met"])
    viewer = read.Viewer.of(reader)
    if viewer.organisation_id:
        own, params = viewer.own_sql
        mine = wire.columns(
            f"SELECT t.facets FROM listings_tally t WHERE t.facets & 3 = 3 AND {own}", params, facets="int8"
        )["facets"]
        met = mine[np.logical_and.reduce([np.ones(len(mine), bool), *(w.meets(mine) for w in index.wants.values())])]
        for code, number in zip(*np.unique(search_keys.region_of(met, digits), return_counts=True), strict=True):
            counts[int(code)] = counts.get(int(code), 0) - int(number)
    return {f"{code:0{digits}d}": number for code, number in counts.items() if number > 0}
