"""Addresses of demand lists, in the reader's language and without a query: the pages hang in Wagtail's tree."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

LISTS_SLUG = "lists"  # of the DemandListsPage in every language's tree


def list_path(reference: str, rest: str = "") -> str:
    """/lists/<reference>/ with the active language's prefix; rest: what follows, for example "lines.csv"."""
    return reverse("wagtail_serve", args=[f"{LISTS_SLUG}/{reference}/{rest}"])


def lists_path() -> str:
    """The index of public lists, with the active language's prefix."""
    return reverse("wagtail_serve", args=[f"{LISTS_SLUG}/"])


def neutral_list_path(reference: str) -> str:
    """The list's address without language prefix, as notifications keep it."""
    with override(settings.LANGUAGE_CODE):
        return list_path(reference)


def neutral_desk_path(list_id: int) -> str:
    """The list's page on the bureau's desk, without language prefix."""
    with override(settings.LANGUAGE_CODE):
        return reverse("bureau_lists:inspect", args=[list_id])


def neutral_call_path(reference: str) -> str:
    """The page on which operators hand lines in, without language prefix."""
    with override(settings.LANGUAGE_CODE):
        return reverse("call_detail", args=[reference])
