"""May this person? Asked by actions, views, templates and the CMS alike. No queries unless said."""

from django.utils.translation import gettext_lazy as _

from .errors import Refused
from .models import Organisation, Region
from .models.organisations import Membership, Role


def is_member(membership: Membership | None, organisation: Organisation) -> bool:
    """Whether the membership is active and of this organisation."""
    return bool(membership) and membership.ended_at is None and membership.organisation_id == organisation.pk  # type: ignore[union-attr]


def has_role(membership: Membership | None, organisation: Organisation, *roles: str) -> bool:
    """Whether the membership is of this organisation and holds one of the roles."""
    return is_member(membership, organisation) and membership.has_role(*roles)  # type: ignore[union-attr]


def may_manage_members(membership: Membership | None, organisation: Organisation) -> bool:
    return has_role(membership, organisation, Role.ADMIN)


def is_bureau_staff(membership: Membership | None, *roles: str) -> bool:
    """Whether the person acts for a verified bureau (holding one of the roles, where any are named)."""
    return bool(
        membership  # asked for its truth: the request's is a lazy object, never None itself
        and membership.ended_at is None
        and membership.organisation.is_bureau
        and membership.organisation.is_verified
        and (not roles or membership.has_role(*roles))
    )


def may_oversee(membership: Membership | None, region: Region | str | None) -> bool:
    """Whether the person acts for a bureau whose jurisdiction covers the region (or code)."""
    return is_bureau_staff(membership) and membership.organisation.region.covers(region)  # type: ignore[union-attr]


def may_verify(membership: Membership | None, organisation: Organisation) -> bool:
    """A bureau's administrator or publisher verifies enterprises seated in its jurisdiction."""
    return (
        not organisation.is_bureau
        and is_bureau_staff(membership, Role.ADMIN, Role.PUBLISHER)
        and membership.organisation.region.covers(organisation.region_id)  # type: ignore[union-attr]
    )


NOT_VERIFIED = _(
    "Your organisation can look and prepare; publishing and requesting open once its bureau has verified it."
)


def is_verified_member(membership: Membership | None) -> bool:
    """Whether the person acts for a verified organisation. Where not, the sentence to show is NOT_VERIFIED."""
    return bool(membership and membership.ended_at is None and membership.organisation.is_verified)


def require_verified(membership: Membership | None) -> None:
    """Raises Refused with the one sentence where the person's organisation is not verified."""
    if not is_verified_member(membership):
        raise Refused(NOT_VERIFIED, code="not_verified")
