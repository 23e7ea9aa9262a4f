"""The map with its list, the list alone for htmx, and the suggestions while typing."""

from django.http import JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.tile_addresses import tile_template
from listings.features import features
from listings.forms.browse import BrowseForm
from listings.models import Kind, Tone
from listings.results import Results
from listings.suggestions import suggest

# What the map's script says.
WORDS = {
    "blurred": _("place blurred to a 1 km cell"),
    "group": _("%(count)s resources here"),
    "stack": _("%(count)s resources shown at one place"),
    "open": _("%(count)s of them with free capacity"),
    "zoom": _("Zoom in"),
    "list": _("List these"),
    "draw": {
        "area": _("Click the corners of the area; a double click or Enter ends it, Escape gives up."),
        "route": _("Click along the route; a double click or Enter ends it, Escape gives up."),
    },
    "drawn": {
        "area": _("The area is set: the list and the map show what lies inside."),
        "route": _("The route is set: the list and the map show what lies along it."),
    },
    "stale": _("The list could not be loaded. Check the connection and try again."),
    "kinds": dict(Kind.choices),
    "tones": dict(Tone.choices),
}


def _results(request) -> Results:
    return Results(
        reader=request.membership, query=request.GET, form=BrowseForm(request.GET, reader=request.membership)
    )


def _no_store(response):
    """What one reader may see is not kept for the next one at the same browser."""
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@vary_on_headers("HX-Request")
def resource_map(request):
    """Map and list side by side; asked by htmx, the list and its facets alone."""
    is_partial = request.htmx and not request.htmx.history_restore_request
    if is_partial:
        return resource_results(request)
    context = {
        "results": _results(request),
        "words": WORDS,
        "tiles": tile_template("tile_resources"),
        "detail": reverse("resource_detail", args=[0]),
    }
    return _no_store(render(request, "listings/resource_map.html", context))


@require_safe
def resource_results(request):
    """The list and its facets, the same partial as in the page."""
    return _no_store(render(request, "listings/_browse.html", {"results": _results(request)}))


@require_safe
def resource_features(request):
    """The same page as GeoJSON, with the counts of all facets: for scripts and for measuring."""
    return _no_store(JsonResponse(features(_results(request)), content_type="application/geo+json"))


@require_safe
def resource_suggest(request):
    """Options of the search field's list box for ?q=…; empty below two characters."""
    words = request.GET.get("q", "")
    suggestions = suggest(request.membership, words)
    return _no_store(render(request, "listings/_suggestions.html", {"suggestions": suggestions}))
