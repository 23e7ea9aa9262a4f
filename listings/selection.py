"""Which resources a page's filter means: the same reading for the list, for exports and for acts on many."""

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import Membership
from accounts.numbers import row_id
from listings.forms.browse import BrowseForm
from listings.forms.resources import OwnListForm
from listings.models import Kind, Resource

OWN_FILTERS = ("q", "kind", "state", "stale", "sort")


def picked_ids(query: QueryDict) -> list[int]:
    """The rows ticked (?pk=…&pk=…), in id order; [] where the filter itself is meant."""
    return sorted({pk for text in query.getlist("pk") if (pk := row_id(text))})


def own_rows(membership: Membership, query: QueryDict) -> QuerySet:
    """One's own resources as the own list's filter finds them, or those ticked. Unordered by intent: callers order."""
    own = Resource.objects.owned_by(membership.organisation)
    if ids := picked_ids(query):
        return own.filter(pk__in=ids)
    return OwnListForm(query).apply(own, membership.organisation)


def own_visible_rows(membership: Membership, query: QueryDict) -> QuerySet:
    """The same through visible_to(), for what leaves the house."""
    visible = Resource.objects.visible_to(membership).owned_by(membership.organisation)
    if ids := picked_ids(query):
        return visible.filter(pk__in=ids)
    return OwnListForm(query).apply(visible, membership.organisation)


def map_rows(membership: Membership | None, query: QueryDict) -> QuerySet:
    """What the map page lists for this reader and state. Raises nothing: what makes no sense is passed over."""
    criteria = BrowseForm(query, reader=membership).criteria
    return Resource.objects.visible_to(membership).published().search(**criteria)


def own_filter_text(query: QueryDict) -> str:
    """The own list's filter in the active language; "" where nothing is filtered."""
    if ids := picked_ids(query):
        return _("%(count)d resources ticked") % {"count": len(ids)}
    form = OwnListForm(query)
    form.is_valid()
    wanted, parts = form.cleaned_data, []
    if text := (wanted.get("q") or "").strip():
        parts.append(f"“{text}”")
    if wanted.get("kind"):
        parts.append(str(Kind(wanted["kind"]).label))
    if wanted.get("state"):
        parts.append(str(Resource.State(wanted["state"]).label))
    if wanted.get("stale"):
        parts.append(str(form.fields["stale"].label))
    return " · ".join(parts)


def map_filter_text(membership: Membership | None, query: QueryDict) -> str:
    """The map's conditions in the active language, as the page's own chips name them."""
    return filter_words(membership, BrowseForm(query, reader=membership))


def filter_words(membership: Membership | None, form: BrowseForm) -> str:
    """The same of a bound form: words of the chosen values, without counting anything."""
    from listings.results import DRAWER_FACETS, Results, free_words

    results = Results(reader=membership, query=form.data, form=form)
    asked = results.criteria
    words = [
        label
        for name in ("kind", *DRAWER_FACETS)
        for value, label in form.fields[name].choices
        if value in asked.get(name, ())
    ]
    if least := asked.get("free"):
        words.append(free_words(least))
    return " · ".join(str(word) for word in [*words, *(removable.label for removable in results.removables)])
