"""What awaits a person: every app adds its own through register(); the page My work shows it by clock.

A provider is called with the membership acted under and gives WorkItems. It must not query per item.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.utils.functional import Promise

from .models import Membership

MINE, OTHERS, NEWS = "mine", "others", "news"
GROUPS = (MINE, OTHERS, NEWS)
NEWS_LIMIT = 20


@dataclass(frozen=True)
class WorkItem:
    """One line of My work. due_at None: no clock; at: when it came up (news are sorted by it)."""

    title: str | Promise
    url: str
    due_at: dt.datetime | None = None
    group: str = MINE
    kind: str | Promise = ""  # one word shown as a tag: "Invitation", "Request"
    note: str | Promise = ""
    at: dt.datetime | None = None
    region: str = ""  # code of the region whose calendar the clock goes by; "": the organisation's own


Provider = Callable[[Membership], Iterable[WorkItem]]
PROVIDERS: list[Provider] = []


def register(provider: Provider) -> Provider:
    """Adds a provider (usable as a decorator); once, however often it is imported."""
    if provider not in PROVIDERS:
        PROVIDERS.append(provider)
    return provider


def items_for(membership: Membership) -> list[WorkItem]:
    """All items of all providers, unsorted."""
    own = membership.organisation.region_id
    items = [item for provider in PROVIDERS for item in provider(membership)]
    return [item if item.region else replace(item, region=own) for item in items]


def grouped(items: Iterable[WorkItem]) -> dict[str, list[WorkItem]]:
    """By group: the first two by clock (nearest first, none last), news latest first and at most NEWS_LIMIT."""
    groups: dict[str, list[WorkItem]] = {group: [] for group in GROUPS}
    for item in items:
        groups[item.group].append(item)
    for group in (MINE, OTHERS):
        groups[group].sort(
            key=lambda item: (item.due_at is None, item.due_at and item.due_at.timestamp(), str(item.title))
        )
    groups[NEWS].sort(key=lambda item: item.at.timestamp() if item.at else 0.0, reverse=True)
    groups[NEWS] = groups[NEWS][:NEWS_LIMIT]
    return groups
