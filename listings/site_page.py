"""What the page of one site shows to one reader. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Membership
from accounts.permissions import is_member
from listings.kinds.registry import SPECS
from listings.models import CapacityPool, Resource, Site
from listings.permissions import may_edit, why_no_request


@dataclass(frozen=True)
class Member:
    """A member with its pools; why_not: why this reader cannot ask for space in it ("" when they can)."""

    resource: Resource
    pools: list[CapacityPool]
    why_not: str

    @property
    def icon(self) -> str:
        return SPECS[self.resource.kind].icon


def members_for(rows: Sequence[Resource], membership: Membership | None) -> list[Resource]:
    """Those of a site's readable members this reader may see together.

    One exact place would tell where a blurred neighbour stands: who sees some exactly is shown these only.
    """
    exact = [row for row in rows if row.is_exact]  # type: ignore[attr-defined]  # visible_to() annotates it
    return exact or list(rows)


def site_of(resource: Resource, membership: Membership | None) -> dict[str, Any] | None:
    """The resource's site and its other members, where this reader may know of them. Queries once, if it has one."""
    if resource.site_id is None:
        return None
    rows = Resource.objects.visible_to(membership).filter(site=resource.site_id).order_by("kind", "pk")
    members = members_for(list(rows), membership)
    if resource.pk not in {row.pk for row in members} or len(members) < 2:
        return None
    return {"site": resource.site, "members": [Member(row, [], "") for row in members if row.pk != resource.pk]}


def page_of(site: Site, members: Sequence[Resource], membership: Membership | None) -> dict[str, Any]:
    """The template's context; members come from visible_to() with their pools."""
    rows = []
    for resource in members:
        pools = sorted(resource.pools.all(), key=lambda pool: (-(pool.height_m or 0), pool.pk))
        free = any(pool.free > 0 for pool in pools)
        rows.append(Member(resource, pools, why_no_request(resource, membership or None, free=free)))
    reasons = {row.why_not for row in rows}
    return {
        "site": site,
        "members": rows,
        "is_own": is_member(membership or None, site.owner),
        "may_edit": may_edit(membership or None, site.owner),
        "may_request": "" in reasons,
        "why_no_request": next(iter(reasons)) if "" not in reasons else "",
    }
