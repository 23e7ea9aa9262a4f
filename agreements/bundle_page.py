"""What the page of a joint request shows to one reader: legs they may read by name, the others as numbers alone."""

from dataclasses import dataclass
from typing import Any

from django.contrib.gis.db.models.functions import Distance
from django.db.models import Prefetch, QuerySet

from accounts.models import Membership
from agreements import legs, states
from agreements.actions.bundles import bundle_refusal
from agreements.models import Bundle, Offer, RequestItem, ShareRequest, Signature
from agreements.presenters import pool_label
from agreements.story import party_names
from listings.models import Resource
from listings.resource_page import feature_collection_of
from listings.wording import quantity_text

OFFERED = 10


@dataclass(frozen=True)
class Leg:
    """A leg this reader may read."""

    case: ShareRequest
    quantities: str
    price_fen_per_year: int | None  # of the latest version of the terms; None: there is none
    is_accepted: bool
    has_failed: bool
    is_replaced: bool
    is_ours: bool
    waiting_for: str
    may_replace: bool


def readable_legs(bundle: Bundle, membership: Membership | None) -> QuerySet[ShareRequest]:
    """The legs this reader may read, with all the page shows of them, replaced ones too."""
    return (
        ShareRequest.objects.readable_by(membership)
        .filter(bundle=bundle)
        .with_parties()
        .select_related("agreement", "paused_by", "replaced_by", "replaces")
        .prefetch_related(
            Prefetch("offers", Offer.objects.order_by("number")),
            Prefetch("items", RequestItem.objects.select_related("pool").order_by("pool_id")),
            "steps",
            Prefetch("agreement__signatures", Signature.objects.order_by("pk")),
        )
        .order_by("pk")
    )


def _leg(case: ShareRequest, membership: Membership | None, may_decide: bool) -> Leg:
    offers, sides = list(case.offers.all()), states.waiting_for(case)
    has_failed, is_replaced = legs.has_failed(case), hasattr(case, "replaced_by")
    items = [f"{pool_label(item.pool)} {quantity_text(item.quantity, item.pool.unit)}" for item in case.items.all()]
    return Leg(
        case=case,
        quantities=", ".join(items),
        price_fen_per_year=offers[-1].price_fen_per_year if offers else None,
        is_accepted=legs.is_accepted(case),
        has_failed=has_failed,
        is_replaced=is_replaced,
        is_ours=states.acts_as(case, membership) in sides,
        waiting_for=party_names(case, sides),
        may_replace=has_failed and not is_replaced and may_decide,
    )


def bundle_context(bundle: Bundle, membership: Membership | None) -> dict[str, Any]:
    """Everything the page shows. Queries a fixed number of times, and once more per agreed leg that waits."""
    all_legs = list(legs.counting(bundle))
    problem = bundle_refusal(bundle, membership)
    is_decider = bool(membership) and membership.organisation_id == bundle.requester_id
    rows = [_leg(case, membership, problem is None) for case in readable_legs(bundle, membership)]
    counted = [row for row in rows if not row.is_replaced and not row.has_failed]
    visible = Resource.objects.visible_to(membership).filter(pk__in=[row.case.resource_id for row in rows])
    places = feature_collection_of(visible.select_related("owner").prefetch_related("pools").order_by("pk"))
    is_open = any(leg.is_open for leg in all_legs)
    return {
        "bundle": bundle,
        "legs": rows,
        "leg_count": len(all_legs),
        "accepted_count": sum(legs.is_accepted(leg) for leg in all_legs),
        "failed_count": sum(legs.has_failed(leg) for leg in all_legs),
        "unseen_count": len(all_legs) - sum(not row.is_replaced for row in rows),
        "offered_fen": sum(row.price_fen_per_year or 0 for row in counted),
        "unpriced_count": sum(row.price_fen_per_year is None for row in counted),
        "ours_count": sum(row.is_ours for row in rows),
        "geojson": places if places["features"] else None,
        "is_decider": is_decider,
        "may_decide": problem is None and is_open,
        "why_not": str(problem.message) if problem and is_decider else "",
        "is_open": is_open,
    }


def candidates(leg: ShareRequest, membership: Membership, text: str) -> list[Resource]:
    """Published resources of the kind with something free that could take the leg's place: those the text names, else
    the nearest of its division by the places this reader is shown."""
    visible = Resource.objects.visible_to(membership).published()
    failed = Resource.objects.visible_to(membership).filter(pk=leg.resource_id).first()
    if text:
        rows = visible.search(q=text)
    else:
        rows = visible.filter(region_id=leg.resource.region_id)
        if failed is not None:
            rows = rows.order_by(Distance("shown_place", failed.shown_place), "pk")
    rows = rows.filter(kind=leg.resource.kind, pools__free__gt=0).exclude(owner=membership.organisation)
    taken = ShareRequest.objects.filter(bundle=leg.bundle).order_by().values("resource")
    found = rows.exclude(pk__in=taken).select_related("owner", "region")[: 3 * OFFERED]
    return list({resource.pk: resource for resource in found}.values())[:OFFERED]
