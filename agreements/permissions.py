"""Who may ask for space, and what one may see of a case. Steps within a request: states.refusal()."""

from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership
from agreements.models import ShareRequest
from agreements.states import NEGOTIATING_ROLES, side_of
from listings.models import Resource
from listings.permissions import why_closed


def request_refusal(membership: Membership | None, resource: Resource) -> Refused | None:
    """Why the person may not request space on the resource (which they may see); None: they may. No queries."""
    if not membership or membership.ended_at:
        return NotPermitted(_("Join an organisation first: requests are made for one."))
    organisation = membership.organisation
    if organisation.is_bureau:
        return NotPermitted(_("A bureau supervises; it does not request space."))
    if not membership.has_role(*NEGOTIATING_ROLES):
        return NotPermitted(_("Requesting space takes the role negotiator or administrator."))
    if not organisation.is_verified:
        return NotPermitted(
            _("Your organisation is not verified yet. Hand it in for verification; then you can request space."),
            code="not_verified",
        )
    if organisation.pk == resource.owner_id:
        return Refused(_("This resource is your own organisation's."), code="own_resource")
    if resource.state != Resource.State.PUBLISHED:
        return Refused(_("This resource is not open to requests now."), code="not_published")
    if why := why_closed(resource):
        return Refused(why, code="join_closed")
    return None


def may_read_thread(membership: Membership | None, request: ShareRequest) -> bool:
    """The conversation belongs to the two parties; a bureau reads the case without it."""
    return side_of(request, membership) is not None
