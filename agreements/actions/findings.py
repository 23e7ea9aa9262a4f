"""The owner takes over into the resource what a joint survey found."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership, User
from accounts.models.organisations import Role
from agreements import states
from agreements.findings import differences
from agreements.models import ShareRequest
from listings.actions.as_built import take_over_found

from .holds import lock_request


@transaction.atomic
def take_findings(*, request: ShareRequest, by: User, membership: Membership) -> dict[str, str]:
    """Every fact the survey found other than recorded, with the survey as its source and its day; gives {fact: value}.

    Raises NotPermitted to others than the owner's editors and administrators, Refused where nothing differs.
    """
    fresh = lock_request(request)
    if states.side_of(fresh, membership) != states.Side.OWNER or not membership.has_role(Role.ADMIN, Role.EDITOR):
        raise NotPermitted(_("Resources are changed by the owner's editors and administrators."))
    found = differences(fresh)
    if not found:
        raise Refused(_("The record says what the survey found: there is nothing to take over."), code="no_difference")
    return take_over_found(
        resource=fresh.resource, facts={one.name: one.value for one in found}, on=max(one.found_on for one in found),
        source=f"联合勘察 joint survey {fresh.code}", by=by,
    )  # fmt: skip
