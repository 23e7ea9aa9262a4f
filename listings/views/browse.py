"""The map with its list, the list alone for htmx, and the suggestions while typing."""

from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from listings.forms.browse import BrowseForm
from listings.results import Results
from listings.suggestions import suggest


def _results(request) -> Results:
    return Results(reader=request.membership, query=request.GET, form=BrowseForm(request.GET))


def _no_store(response):
    """What one reader may see is not kept for the next one at the same browser."""
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@vary_on_headers("HX-Request")
def resource_map(request):
    """Map and list side by side; asked by htmx, the list and its facets alone."""
    is_partial = request.htmx and not request.htmx.history_restore_request
    template = "listings/_browse.html" if is_partial else "listings/resource_map.html"
    return _no_store(render(request, template, {"results": _results(request)}))


@require_safe
def resource_results(request):
    """The list and its facets, the same partial as in the page."""
    return _no_store(render(request, "listings/_browse.html", {"results": _results(request)}))


@require_safe
def resource_suggest(request):
    """Options of the search field's list box for ?q=…; empty below two characters."""
    words = request.GET.get("q", "")
    suggestions = suggest(request.membership, words)
    return _no_store(render(request, "listings/_suggestions.html", {"suggestions": suggestions}))
