"""What awaits an owner's editors on My work: drafts to publish, stale facts, questions for exact places."""

from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership
from accounts.rules import rule
from accounts.work import WorkItem, register
from listings.freshness import months_earlier
from listings.models import DisclosureGrant, Resource
from listings.permissions import may_edit

GRANTS_SHOWN = 20


@register
def supply_work(membership: Membership) -> Iterable[WorkItem]:
    """Counts for drafts and stale facts, one item per unanswered question. Queries a fixed number of times."""
    owner = membership.organisation
    if not may_edit(membership, owner):
        return
    own = Resource.objects.owned_by(owner)
    page = reverse("resource_list_own")
    drafts = own.filter(state=Resource.State.DRAFT).count()
    if drafts and owner.is_verified:
        yield WorkItem(
            title=ngettext("%(count)d draft to publish", "%(count)d drafts to publish", drafts) % {"count": drafts},
            url=f"{page}?state=draft",
            kind=_("Resources"),
        )
    months = rule("freshness.stale_months", owner.region_id).whole
    limit = months_earlier(timezone.localdate(), months)
    stale = own.published().filter(Q(facts_on=None) | Q(facts_on__lte=limit)).count()
    if stale:
        yield WorkItem(
            title=ngettext("%(count)d resource with stale facts", "%(count)d resources with stale facts", stale)
            % {"count": stale},
            url=f"{page}?stale=on",
            kind=_("Resources"),
            note=_("Facts older than %(months)d months or without a date: look at them and set the date.")
            % {"months": months},
        )
    asked = DisclosureGrant.objects.filter(resource__owner=owner, state=DisclosureGrant.State.ASKED)
    for grant in asked.select_related("organisation", "resource").order_by("asked_at", "pk")[:GRANTS_SHOWN]:
        yield WorkItem(
            title=_("%(organisation)s asks for the exact place of %(resource)s.")
            % {"organisation": grant.organisation, "resource": grant.resource},
            url=reverse("resource_detail", args=[grant.resource_id]) + "#grants",
            kind=_("Exact place"),
            note=grant.purpose,
            at=grant.asked_at,
        )
