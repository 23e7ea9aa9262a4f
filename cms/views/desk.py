"""The bureau's desk: what awaits this person, the lists by state, organisations and objections waiting."""

import datetime as dt

from django.db.models import Count, Q
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Organisation
from accounts.models.organisations import Role
from accounts.permissions import is_bureau_staff
from cms.links import optional_url
from cms.middleware import refused
from listings.models import CoSigner, DemandList, LineCorrection, Objection

NOTICE_SOON_DAYS = 7


def not_at_a_desk(request):
    """The 403 page for who does not act for a bureau just now, else None."""
    if is_bureau_staff(request.membership or None):
        return None
    return refused(request, _("You act for an organisation that is no bureau: switch to your bureau first."))


def desk(request):
    """What matters now: mine to do first, then the lists by state, then what came in."""
    if answer := not_at_a_desk(request):
        return answer
    membership = request.membership
    lists = DemandList.objects.overseen_by(membership)
    counts = dict(lists.order_by().values_list("state").annotate(n=Count("pk")))
    bureau = membership.organisation
    context = {
        "bureau": bureau,
        "membership": membership,
        "waiting": _waiting_for(membership),
        "states": [(state, label, counts.get(state, 0)) for state, label in DemandList.State.choices],
        "list_count": sum(counts.values()),
        "latest": lists.select_related("region").defer("region__polygon").with_counts().order_by("-pk")[:8],
        "objections": objections_of(membership)[:5],
        "queue_count": Organisation.objects.awaiting_verification().within(bureau.region).count(),
        "queue_url": optional_url("verification_queue"),
        "may_create": membership.has_role(Role.CURATOR),
        "header_title": _("Bureau's desk"),
        "breadcrumbs_items": [{"url": "", "label": _("Bureau's desk")}],
        "header_icon": "clipboard-list",
    }
    return render(request, "cms/bureau/desk.html", context)


def _waiting_for(membership) -> list[dict]:
    """What this person can do next, soonest first: {list, what, due_at, url}."""
    own = DemandList.objects.curated_by(membership)
    rows = []

    def add(row, what, due_at=None, url=""):
        url = url or reverse("bureau_lists:inspect", args=[row.pk])
        rows.append({"list": row, "what": what, "due_at": due_at, "url": url})

    if membership.has_role(Role.PUBLISHER):
        for row in own.filter(state="submitted").exclude(submitted_by=membership.user).order_by("submitted_at"):
            add(row, _("Review and publish, or send back"))
        waiting = CoSigner.objects.filter(
            bureau=membership.organisation, signed_at=None, demand_list__state="submitted"
        )
        for mark in waiting.select_related("demand_list").order_by("pk"):
            add(mark.demand_list, _("Sign off for your bureau"))
        proposed = LineCorrection.objects.filter(state="proposed", line__demand_list__in=own)
        for correction in proposed.exclude(proposed_by=membership.user).select_related("line__demand_list")[:10]:
            line = correction.line
            add(line.demand_list, _("Answer the correction of line %(line)s") % {"line": line},
                url=reverse("bureau_correction_answer", args=[correction.pk, "apply"]))  # fmt: skip
    if membership.has_role(Role.CURATOR):
        for row in own.filter(state="draft").order_by("-pk")[:10]:
            what = _("Call open: operators hand lines in") if row.is_call_open else _("Finish and submit")
            add(row, what, row.call_closes_at if row.is_call_open else None)
    if membership.has_role(Role.CURATOR, Role.PUBLISHER):
        to_see = Q(comments__settled_at=None) & ~Q(comments__written_by=membership.user)
        open_ones = Count("comments", filter=to_see)
        for row in own.exclude(state="closed").annotate(n=open_ones).filter(n__gt=0).order_by("-pk")[:10]:
            what = ngettext("%(n)d comment to see to", "%(n)d comments to see to", row.n) % {"n": row.n}
            add(row, what, url=reverse("bureau_lists:inspect", args=[row.pk]) + "#comments")
    if membership.has_role(Role.CURATOR, Role.PUBLISHER, Role.MEDIATOR):
        undecided = (
            Objection.objects.undecided().filter(demand_list__in=own).select_related("demand_list", "organisation")
        )
        for objection in undecided.order_by("decide_by", "pk")[:10]:
            add(objection.demand_list, _("Decide the objection of %(who)s") % {"who": objection.organisation},
                objection.decide_by, reverse("bureau_objection_decide", args=[objection.pk]))  # fmt: skip
    soon = timezone.now() + dt.timedelta(days=NOTICE_SOON_DAYS)
    for row in own.filter(state="notice", notice_ends_at__lt=soon).order_by("notice_ends_at"):
        add(row, _("Notice ends: read the objections"), row.notice_ends_at)
    return sorted(rows, key=lambda item: (item["due_at"] is None, item["due_at"] or timezone.now()))


def objections_of(membership):
    """Objections to the lists on this desk, latest first."""
    return (
        Objection.objects.filter(demand_list__in=DemandList.objects.overseen_by(membership))
        .select_related("demand_list", "line", "organisation")
        .order_by("-created_at", "-pk")
    )
