"""Tiles of public demand lists."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from listings import demand_tiles, tiles
from listings.models import DemandLine, DemandList, Kind

from .tiles import answer


def filters_of(query) -> dict[str, str]:
    """text, kind and state of a query string, as far as they are valid."""
    kind, state = query.get("kind", ""), query.get("state", "")
    return {
        "text": query.get("text", "")[:60].replace("\x00", ""),
        "kind": kind if kind in Kind.values else "",
        "state": state if state in DemandLine.State.values else "",
    }


@require_safe
def tile_lines(request, reference: str, z: int, x: int, y: int):
    """The lines of one public list, as filtered by the page's own query string."""
    demand_list = get_object_or_404(DemandList.objects.public(), reference=reference)
    try:
        body = demand_tiles.line_tile(demand_list, filters_of(request.GET), z, x, y)
    except tiles.NoSuchTile as error:
        raise Http404(str(error)) from error
    return answer(request, body, "public, max-age=60")
