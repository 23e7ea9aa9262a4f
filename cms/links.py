"""Addresses of other rooms' pages, by name."""

from django.urls import NoReverseMatch, reverse


def optional_url(name: str, *args, query: str = "") -> str:
    """The address of a named page, or "" where this installation has none of that name."""
    try:
        url = reverse(name, args=args)
    except NoReverseMatch:
        return ""
    return f"{url}?{query}" if query else url
