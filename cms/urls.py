"""Addresses of the public pages of demand lists, in the reader's language, without a query per row."""

from listings.demand_links import list_path
from listings.models import DemandLine, DemandList


def list_url(demand_list: DemandList, rest: str = "") -> str:
    """The list's public page; rest: what follows, for example "csv/". No queries."""
    return list_path(demand_list.reference, rest)


def line_url(line: DemandLine) -> str:
    """The line's own page. Reads line.demand_list."""
    return list_path(line.demand_list.reference, f"{line.number}/")
