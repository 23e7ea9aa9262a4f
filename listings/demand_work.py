"""What demand lists add to My work: for a bureau what it has to move, for others the lists that concern them."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership
from accounts.models.organisations import Role
from accounts.permissions import is_bureau_staff
from accounts.work import MINE, NEWS, OTHERS, WorkItem, register
from listings.demand_links import list_path
from listings.demand_permissions import HAND_IN_ROLES
from listings.models import DemandList

NOTICE_SOON_DAYS = 7
NEWS_DAYS = 60
MOST = 20


@register
def bureau_lists(membership: Membership) -> Iterator[WorkItem]:
    """For curators and publishers: drafts to submit, lists to review, notices about to end. Queries once."""
    if not is_bureau_staff(membership, Role.CURATOR, Role.PUBLISHER):
        return
    rows = DemandList.objects.curated_by(membership).filter(state__in=["draft", "submitted", "notice"])
    soon = timezone.now() + dt.timedelta(days=NOTICE_SOON_DAYS)
    for row in rows.order_by("-pk")[: 3 * MOST]:
        item = {"url": reverse("bureau_lists:inspect", args=[row.pk]), "kind": _("Demand list"), "note": row.reference,
                "region": row.region_id}  # fmt: skip
        if row.state == "draft" and membership.has_role(Role.CURATOR):
            yield WorkItem(_("Finish and submit “%(list)s”") % {"list": row.title}, at=row.created_at, **item)
        elif row.state == "submitted":
            may = membership.has_role(Role.PUBLISHER) and row.submitted_by_id != membership.user_id
            title = _("Review “%(list)s” and publish it") if may else _("“%(list)s” awaits a second person")
            yield WorkItem(title % {"list": row.title}, group=MINE if may else OTHERS, at=row.submitted_at, **item)
        elif row.state == "notice":
            is_soon = row.notice_ends_at is not None and row.notice_ends_at < soon
            title = _("Notice of “%(list)s” ends: read the objections") if is_soon else _("“%(list)s” is under notice")
            yield WorkItem(
                title % {"list": row.title}, group=MINE if is_soon else OTHERS, due_at=row.notice_ends_at, **item
            )


@register
def lists_near(membership: Membership) -> Iterator[WorkItem]:
    """For everybody else: recent public lists of one's own region, those above it and below. Queries once."""
    organisation = membership.organisation
    if organisation.is_bureau:
        return
    yield from _calls(membership)
    code = organisation.region_id
    above = {"100000", code[:2] + "0000", code[:4] + "00", code}
    since = timezone.now() - dt.timedelta(days=NEWS_DAYS)
    rows = (
        DemandList.objects.public().exclude(state="closed").filter(published_at__gte=since)
        .filter(Q(region_id__in=above) | Q(region__code__startswith=organisation.region.prefix))
        .select_related("region").defer("region__polygon").order_by("-published_at")[:MOST]
    )  # fmt: skip
    for row in rows:
        is_notice = row.state == "notice"
        yield WorkItem(
            (_("“%(list)s” is under public notice") if is_notice else _("“%(list)s” is in force"))
            % {"list": row.title},
            list_path(row.reference),
            due_at=row.notice_ends_at if is_notice else None,
            region=row.region_id,
            group=NEWS,
            kind=_("Demand list"),
            note=str(row.region),
            at=row.in_force_at or row.published_at,
        )


def _calls(membership: Membership) -> Iterator[WorkItem]:
    """Open calls of one's own region, those above it and below, by their closing date. Queries once."""
    if not membership.organisation.is_verified or not membership.has_role(*HAND_IN_ROLES):
        return
    organisation = membership.organisation
    code = organisation.region_id
    above = {"100000", code[:2] + "0000", code[:4] + "00", code}
    rows = DemandList.objects.open_calls(timezone.now()).filter(
        Q(region_id__in=above) | Q(region__code__startswith=organisation.region.prefix)
    )
    for row in rows.order_by("call_closes_at", "pk")[:MOST]:
        yield WorkItem(
            _("Hand your lines in to “%(list)s”") % {"list": row.title},
            reverse("call_detail", args=[row.reference]),
            due_at=row.call_closes_at,
            region=row.region_id,
            group=OTHERS,
            kind=_("Call"),
            note=row.reference,
        )
