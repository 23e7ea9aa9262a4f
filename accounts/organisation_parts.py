"""What an organisation's public page shows beyond its basic facts: every app adds its own through register().

A provider is called with the reader's membership (None: a visitor) and the organisation, and gives what that reader
may see there. It must not query per row.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.functional import Promise

from .models import Membership, Organisation

ROWS_MOST = 6


@dataclass(frozen=True)
class Part:
    """One section: rows of {title, url, note}, how many there are in all, where all of them are read ("": nowhere)."""

    title: str | Promise
    rows: list[dict[str, str]] = field(default_factory=list)
    count: int = 0
    more_url: str = ""


Provider = Callable[[Membership | None, Organisation], Iterable[Part]]
PROVIDERS: list[Provider] = []


def register(provider: Provider) -> Provider:
    """Adds a provider (usable as a decorator); once, however often it is imported."""
    if provider not in PROVIDERS:
        PROVIDERS.append(provider)
    return provider


def parts_of(organisation: Organisation, membership: Membership | None) -> list[Part]:
    """All parts that hold something, in the order of their apps."""
    return [part for provider in PROVIDERS for part in provider(membership, organisation) if part.rows]
