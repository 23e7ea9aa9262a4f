"""Who may run a matching and read its results."""

from accounts.models import Membership
from accounts.models.organisations import Role
from accounts.permissions import has_role, is_bureau_staff, may_oversee
from listings.models import DemandList

from .models import MatchRun


def may_run(membership: Membership | None, demand_list: DemandList) -> bool:
    """The list's own bureau, by a curator, publisher or administrator."""
    return is_bureau_staff(membership) and has_role(
        membership, demand_list.bureau, Role.ADMIN, Role.CURATOR, Role.PUBLISHER
    )


def may_read_run(membership: Membership | None, run: MatchRun) -> bool:
    """The list's bureau, and bureaus whose jurisdiction covers the list's region."""
    return may_oversee(membership, run.demand_list.region_id)
