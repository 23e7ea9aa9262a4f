"""What the search field offers while one types: resources, owners and regions this reader may read about."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from accounts.models import Membership, Organisation, Region
from listings.models import Resource

LEAST_CHARS = 2
EACH_MOST = 5


@dataclass(frozen=True)
class Suggestion:
    """One option: what sort of thing ("resource", "owner", "region"), its name, a second line, where it leads."""

    sort: str
    label: str
    note: str
    href: str
    kind: str = ""


def suggest(reader: Membership | None, text: str) -> list[Suggestion]:
    """Up to EACH_MOST of each sort. Three queries; none below LEAST_CHARS characters.

    Names only: addresses and owners' codes are never offered, so that typing tells nothing of a place.
    """
    words = " ".join(text.replace("\x00", " ").split())[:80]
    if len(words) < LEAST_CHARS:
        return []
    return [*_regions(words), *_owners(reader, words), *_resources(reader, words)]


def _map_href(**query) -> str:
    return f"{reverse('resource_map')}?{urlencode(query)}"


def _regions(words: str) -> list[Suggestion]:
    names = Q(name_zh__contains=words) | Q(name_en__icontains=words)
    found = (
        Region.objects.filter(names, level__gt=0)
        .select_related("parent")
        .defer("polygon", "label_point", "parent__polygon", "parent__label_point")
        .order_by("level", "code")[:EACH_MOST]
    )
    return [
        Suggestion("region", region.name, region.parent.name if region.level > 1 else "", _map_href(region=region.code))
        for region in found
    ]


def _owners(reader: Membership | None, words: str) -> list[Suggestion]:
    listed = Resource.objects.visible_to(reader).published().filter(owner=OuterRef("pk"))
    names = Q(name_zh__icontains=words) | Q(name_en__icontains=words)
    found = Organisation.objects.filter(names, Exists(listed)).order_by("name_zh", "pk")[:EACH_MOST]
    return [Suggestion("owner", o.name, o.get_sector_display(), _map_href(owner=o.pk)) for o in found]


def _resources(reader: Membership | None, words: str) -> list[Suggestion]:
    found = (
        Resource.objects.visible_to(reader)
        .published()
        .filter(name__icontains=words)
        .select_related("owner")
        .only("name", "kind", "owner__name_zh", "owner__name_en")
        .order_by("name", "pk")[:EACH_MOST]
    )
    return [
        Suggestion("resource", r.name, r.owner.name, reverse("resource_detail", args=[r.pk]), r.kind) for r in found
    ]
