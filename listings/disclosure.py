"""Who may see what of a place. Every output that tells where something stands passes this module.

Levels, most open first (domain, section 7): existence (counted only) → blurred (the stable cell of
SQL function gj_blur, at least 1 km × 1 km) → exact, to the owner, inside a grant, or to verified
organisations where the owner's disclosure level says so. Distances and orders are computed from the
place as shown, so that they tell no more than the map does.
"""

from django.contrib.gis.db import models
from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone

from accounts.models import Membership


def _own(membership: Membership) -> Q:
    return Q(owner_id=membership.organisation_id) | Q(manager_id=membership.organisation_id)


def _granted(membership: Membership) -> Q:
    from listings.models import DisclosureGrant

    grants = DisclosureGrant.objects.filter(
        resource=OuterRef("pk"),
        organisation=membership.organisation_id,
        state=DisclosureGrant.State.GRANTED,
        expires_at__gt=timezone.now(),
    )
    return Q(Exists(grants))


def exact_for(membership: Membership | None) -> Q:
    """The resources whose exact place this reader may see. A falsy membership sees none."""
    if not membership or membership.ended_at:
        return Q(pk__in=[])
    may = _own(membership) | _granted(membership)
    if membership.organisation.is_verified:
        may |= Q(disclosure="exact")
    return may


def listed_for(membership: Membership | None) -> Q:
    """The resources this reader may read about: published and not existence-only, or one's own, or granted."""
    public = Q(state="published") & ~Q(disclosure="existence")
    if not membership or membership.ended_at:
        return public
    return public | _own(membership) | (Q(state="published") & _granted(membership))


def shown_place(membership: Membership | None) -> Case:
    """The geometry (SRID 4326) this reader is shown: exact where permitted, else the cell."""
    return Case(
        When(exact_for(membership), then=F("place")),
        default=F("shown_cell"),
        output_field=models.GeometryField(srid=4326),
    )


def is_exact(membership: Membership | None) -> Case:
    """Whether shown_place is the exact one."""
    return Case(When(exact_for(membership), then=Value(True)), default=Value(False), output_field=BooleanField())


def matching_place() -> Case:
    """The geometry matching computes with: what any verified organisation is shown.

    So a run's distances, reasons and orders can be shown to any of them (docs/adr/0007).
    """
    return Case(
        When(disclosure="exact", then=F("place")), default=F("shown_cell"), output_field=models.GeometryField(srid=4326)
    )
