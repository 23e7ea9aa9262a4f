"""Sites: several resources of one owner at one place. Made, changed, dissolved by the owner's editors."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from listings.models import Resource, Site
from listings.permissions import require_editor
from listings.places import Spot, distance_m, spots

REACH_M = 500  # how far apart members may stand: "same site" in provincial methods (domain, section 4; example)
SITE_FIELDS = ("owner_code", "name", "mains_v", "mains_kva", "mains_spare_kva", "has_backup", "note")


@transaction.atomic
def save_site(
    *, by: User | None, membership: Membership, site: Site | None, data: Mapping[str, Any], members: Iterable[int]
) -> Site:
    """Makes a site (site=None) or changes it; members are ids of the owner's resources, two at least.

    Raises NotPermitted, or Refused: fewer than two members, one of another owner, retired, in another site, or
    further than REACH_M from the others. ValidationError for the site's own fields. Locks the resources in id order.
    """
    owner = site.owner if site else membership.organisation
    require_editor(membership, owner)
    ids = sorted(set(members))
    locked = Resource.objects.filter(owner=owner, pk__in=ids).order_by("pk")
    rows = list(locked.select_for_update(of=("self",), no_key=True))
    _check_members(rows, ids, site)
    fresh = site or Site(owner=owner, created_by=by)
    before = sorted(fresh.resources.values_list("pk", flat=True)) if site else []
    for name in SITE_FIELDS:
        if name in data:
            setattr(fresh, name, data[name])
    fresh.full_clean(exclude=["created_by"])
    fresh.save()
    Resource.objects.filter(site=fresh).exclude(pk__in=ids).update(site=None)
    Resource.objects.filter(pk__in=ids).update(site=fresh)
    verb = "site.update" if site else "site.create"
    record(verb, fresh, by=by, organisation=owner, before={"members": before}, after={"members": ids})
    return fresh


def _check_members(rows: list[Resource], ids: list[int], site: Site | None) -> None:
    if len(rows) != len(ids):
        raise Refused(_("A site holds resources of one owner."), code="foreign")
    if len(rows) < 2:
        raise Refused(_("A site holds at least two resources: choose another, or dissolve it."), code="too_few")
    for row in rows:
        if row.state == Resource.State.RETIRED:
            raise Refused(_("%(name)s is retired.") % {"name": row.name}, code="retired")
        if row.site_id and row.site_id != (site.pk if site else None):
            raise Refused(_("%(name)s belongs to another site already.") % {"name": row.name}, code="taken")
    first = next((row for row in rows if row.place.geom_type == "Point"), rows[0])
    middle = next(iter(spots(first.place)))
    for row in rows:
        apart = min(distance_m(middle, Spot(s.lon, s.lat)) for s in spots(row.place))
        if apart > REACH_M:
            raise Refused(
                _("%(name)s stands %(apart)d m from %(first)s; a site lies within %(reach)d m.")
                % {"name": row.name, "apart": round(apart), "first": first.name, "reach": REACH_M},
                code="far",
            )


@transaction.atomic
def dissolve_site(*, site: Site, by: User | None, membership: Membership) -> None:
    """Takes the site away; its resources stay as they are."""
    require_editor(membership, site.owner)
    members = sorted(site.resources.values_list("pk", flat=True))
    record("site.dissolve", site, by=by, organisation=site.owner, before={"name": site.name, "members": members})
    site.delete()
