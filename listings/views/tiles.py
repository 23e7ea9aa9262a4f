"""Vector tiles: resources per reader, divisions for everybody."""

from django.http import Http404, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from listings import tiles
from listings.forms.browse import criteria_of

MVT = "application/vnd.mapbox-vector-tile"


def answer(request, body: bytes, cache_control: str) -> HttpResponse:
    """The tile with its validator, or 304 where the reader has it already."""
    tag = tiles.etag(body)
    asked = [value.strip().removeprefix("W/") for value in request.headers.get("If-None-Match", "").split(",")]
    response = HttpResponseNotModified() if tag in asked else HttpResponse(body, content_type=MVT)
    response["ETag"] = tag
    response["Cache-Control"] = cache_control
    return response


@require_safe
def tile_resources(request, z: int, x: int, y: int):
    """What this reader may see of the resources that meet the list's own query string."""
    criteria = criteria_of(request.GET, reader=request.membership)
    try:
        body = tiles.resource_tile(request.membership, criteria, z, x, y)
    except tiles.NoSuchTile as error:
        raise Http404(str(error)) from error
    # Asked again each time and answered 304 where nothing changed: after signing out no exact place stays behind.
    response = answer(request, body, "private, no-cache")
    patch_vary_headers(response, ["Cookie"])
    return response


@require_safe
def tile_regions(request, z: int, x: int, y: int):
    """The divisions' boundaries and names; public, and the same for a day."""
    try:
        body = tiles.region_tile(z, x, y)
    except tiles.NoSuchTile as error:
        raise Http404(str(error)) from error
    return answer(request, body, "public, max-age=86400")
