"""The bureau's desk: what awaits this person, the lists by state, organisations and objections waiting."""

import datetime as dt

from django.core.paginator import Paginator
from django.db.models import Count
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organisation
from accounts.models.organisations import Role
from accounts.permissions import is_bureau_staff
from cms.links import optional_url
from cms.middleware import refused
from listings.models import DemandList, Objection

NOTICE_SOON_DAYS = 7
PER_PAGE = 50


def _not_at_a_desk(request):
    """The 403 page for who does not act for a bureau just now, else None."""
    if is_bureau_staff(request.membership or None):
        return None
    return refused(request, _("You act for an organisation that is no bureau: switch to your bureau first."))


def desk(request):
    """What matters now: mine to do first, then the lists by state, then what came in."""
    if answer := _not_at_a_desk(request):
        return answer
    membership = request.membership
    lists = DemandList.objects.curated_by(membership)
    counts = dict(lists.order_by().values_list("state").annotate(n=Count("pk")))
    bureau = membership.organisation
    context = {
        "bureau": bureau,
        "membership": membership,
        "waiting": _waiting_for(membership, lists),
        "states": [(state, label, counts.get(state, 0)) for state, label in DemandList.State.choices],
        "list_count": sum(counts.values()),
        "latest": lists.select_related("region").defer("region__polygon").with_counts().order_by("-pk")[:8],
        "objections": _objections(membership)[:5],
        "queue_count": Organisation.objects.awaiting_verification().within(bureau.region).count(),
        "queue_url": optional_url("verification_queue"),
        "may_create": membership.has_role(Role.CURATOR),
        "header_title": _("Bureau's desk"),
        "breadcrumbs_items": [{"url": "", "label": _("Bureau's desk")}],
        "header_icon": "clipboard-list",
    }
    return render(request, "cms/bureau/desk.html", context)


def _waiting_for(membership, lists) -> list[dict]:
    """What this person can do next, soonest first: {list, what, due_at}."""
    rows = []
    if membership.has_role(Role.PUBLISHER):
        for row in lists.filter(state="submitted").exclude(submitted_by=membership.user).order_by("submitted_at"):
            rows.append({"list": row, "what": _("Review and publish, or send back"), "due_at": None})
    if membership.has_role(Role.CURATOR):
        for row in lists.filter(state="draft").order_by("-pk")[:10]:
            rows.append({"list": row, "what": _("Finish and submit"), "due_at": None})
    soon = timezone.now() + dt.timedelta(days=NOTICE_SOON_DAYS)
    for row in lists.filter(state="notice", notice_ends_at__lt=soon).order_by("notice_ends_at"):
        rows.append({"list": row, "what": _("Notice ends: read the objections"), "due_at": row.notice_ends_at})
    return rows


def _objections(membership):
    return (
        Objection.objects.filter(demand_list__in=DemandList.objects.curated_by(membership))
        .select_related("demand_list", "line", "organisation")
        .order_by("-created_at", "-pk")
    )


def objections(request):
    """All objections to this bureau's lists, latest first."""
    if answer := _not_at_a_desk(request):
        return answer
    page = Paginator(_objections(request.membership), PER_PAGE).get_page(request.GET.get("p"))
    context = {
        "page_obj": page,
        "header_title": _("Objections"),
        "breadcrumbs_items": [{"url": "", "label": _("Objections")}],
        "header_icon": "comment",
    }
    return render(request, "cms/bureau/objections.html", context)
