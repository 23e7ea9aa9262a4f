"""Where a resource comes from works that another room tells of: that room says so, this one shows the link."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import Membership
from listings.models import Resource


@dataclass(frozen=True)
class WorksLink:
    """The works' name and the address of their page."""

    title: str
    url: str


Provider = Callable[[Resource, Membership | None], WorksLink | None]
PROVIDERS: list[Provider] = []


def register(provider: Provider) -> Provider:
    """Adds a provider (usable as a decorator); once, however often it is imported."""
    if provider not in PROVIDERS:
        PROVIDERS.append(provider)
    return provider


def works_of(resource: Resource, membership: Membership | None) -> WorksLink | None:
    """The works the resource came of, as far as the reader may see them. Queries once per provider."""
    return next((link for provider in PROVIDERS if (link := provider(resource, membership))), None)
