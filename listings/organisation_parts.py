"""What an organisation's public page tells of the listings: resources it shares, lists it keeps, its needs."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership, Organisation
from accounts.organisation_parts import ROWS_MOST, Part, register
from listings.demand_links import list_path, lists_path
from listings.models import DemandLine, DemandList, Resource


@register
def listings_of(membership: Membership | None, organisation: Organisation) -> Iterator[Part]:
    """Published resources as far as the reader may see them; of lists and lines the public ones. Six queries."""
    if organisation.is_bureau:
        lists = DemandList.objects.public().filter(bureau=organisation).select_related("region")
        yield Part(
            _("Public demand lists"),
            [_row(row.title, list_path(row.reference), f"{row.region} · {row.batch} · {row.get_state_display()}")
             for row in lists.defer("region__polygon").order_by("-published_at", "-pk")[:ROWS_MOST]],
            lists.count(), lists_path(),
        )  # fmt: skip
        return
    own = Resource.objects.visible_to(membership).published().owned_by(organisation).select_related("region")
    yield Part(
        _("Resources open to sharing"),
        [_row(row.name, reverse("resource_detail", args=[row.pk]), f"{row.get_kind_display()} · {row.region}")
         for row in own.defer("place", "shown_cell", "region__polygon").order_by("-pk")[:ROWS_MOST]],
        own.count(),
    )  # fmt: skip
    lines = DemandLine.objects.filter(demand_list__state__in=["notice", "in_force"]).asked_by(organisation)
    lines = lines.exclude(state="withdrawn")
    yield Part(
        _("Needs on public lists"),
        [_row(row, list_path(row.demand_list.reference, f"{row.number}/"),
              f"{row.demand_list.title} · {row.get_state_display()}")
         for row in lines.select_related("demand_list").defer("place").order_by("-pk")[:ROWS_MOST]],
        lines.count(),
    )  # fmt: skip


def _row(title: object, url: str, note: str) -> dict[str, str]:
    return {"title": str(title), "url": url, "note": note}
