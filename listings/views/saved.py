"""Saved searches: the own list, one with what it found, kept from the map's address, changed, given up."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.views.base import attempt
from listings import selection
from listings.actions import saved
from listings.forms.saved import SavedSearchForm
from listings.models import Resource, SavedSearch

FINDS_SHOWN = 50


def own_searches(request):
    """What the person saved under the organisation they act for now."""
    organisation = request.membership.organisation if request.membership else None
    return SavedSearch.objects.filter(user=request.user, organisation=organisation).defer("known", "sieve")


def own_search(request, pk: int) -> SavedSearch:
    """One of the person's own; anything else is 404."""
    return get_object_or_404(own_searches(request), pk=pk)


def _described(search: SavedSearch, reader) -> SavedSearch:
    """With its conditions in words, or why they cannot be read."""
    form = saved.read_query(search.query, reader)
    form.is_valid()
    search.unreadable = " ".join(str(sentence) for errors in form.errors.values() for sentence in errors)
    search.conditions = "" if search.unreadable else selection.filter_words(reader, form)
    return search


@login_required
@require_safe
def saved_search_list(request):
    """The searches with their conditions in words, and when each last told something."""
    searches = [_described(search, request.membership or None) for search in own_searches(request)]
    return render(request, "listings/saved_search_list.html", {"searches": searches})


@login_required
@require_http_methods(["GET", "POST"])
def saved_search_new(request):
    """Keeps the search of the map's address (?…) under a name."""
    reader, query = request.membership or None, saved.kept_query(request.GET)
    form = SavedSearchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = {**form.cleaned_data, "query": QueryDict(query)}
        if search := attempt(request, saved.save_search, form=form, by=request.user, membership=reader, **values):
            messages.success(request, _("The search is saved."))
            return redirect("saved_search_detail", search.pk)
    asked = saved.read_query(query, reader)
    asked.is_valid()
    context = {"form": form, "query": query, "conditions": selection.filter_words(reader, asked), "asked": asked}
    return render(request, "listings/saved_search_new.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def saved_search_detail(request, pk: int):
    """One search: what newly fitted it as far as the person may see it now; its name and alerts to change."""
    search, reader = own_search(request, pk), request.membership or None
    form = SavedSearchForm(request.POST or None, initial={"name": search.name, "is_alerting": search.is_alerting})
    if (
        request.method == "POST"
        and form.is_valid()
        and attempt(request, saved.change_search, form=form, search=search, by=request.user, **form.cleaned_data)
    ):
        messages.success(request, _("Saved."))
        return redirect("saved_search_detail", pk)
    visible = Resource.objects.visible_to(reader).published().select_related("owner", "region", "tally")
    finds = list(search.finds.exclude(told_at=None).values_list("resource", "found_at")[:FINDS_SHOWN])
    by_key = visible.defer("region__polygon").in_bulk([key for key, _at in finds])
    rows = [(by_key[key], at) for key, at in finds if key in by_key]
    context = {"search": _described(search, reader), "form": form, "finds": rows}
    return render(request, "listings/saved_search_detail.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def saved_search_alerts(request, pk: int):
    """Alerts off or on with one click."""
    search = own_search(request, pk)
    is_alerting = request.POST.get("is_alerting") == "1"
    values = {"name": search.name, "is_alerting": is_alerting}
    if attempt(request, saved.change_search, search=search, by=request.user, **values):
        said = _("You are told of what newly fits.") if is_alerting else _("You are not told of it any more.")
        messages.success(request, said)
    return redirect("saved_search_detail", pk)


@login_required
@require_POST
def saved_search_delete(request, pk: int):
    """Gives the search up."""
    attempt(request, saved.delete_search, search=own_search(request, pk), by=request.user)
    messages.success(request, _("The saved search is deleted."))
    return redirect("saved_search_list")
