"""What requests and agreements add to My work: answers owed, signatures owed, and what others owe."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Membership
from accounts.rules import rule
from accounts.work import MINE, NEWS, OTHERS, WorkItem, register
from agreements.approvals.steps import open_step
from agreements.models import Agreement, ApprovalRule, QueuePlace, ShareRequest
from agreements.states import MEDIATING_ROLES, NEGOTIATING_ROLES, SIGNING_ROLES, Side, side_of, waiting_for

OPEN_SHOWN = 100
NEWS_DAYS = dt.timedelta(days=14)
NEWS_SHOWN = 10


@register
def case_work(membership: Membership) -> Iterable[WorkItem]:
    """The organisation's open requests by whose turn it is, and what ended lately. Queries a fixed number of times."""
    if membership.organisation.is_bureau:
        yield from _before_the_bureau(membership)
        return
    cases = ShareRequest.objects.readable_by(membership).with_names()
    has_rules = ApprovalRule.objects.live().filter(organisation=membership.organisation).exists()
    running = cases.at_work().prefetch_related("offers", "steps", "agreement__signatures")
    if has_rules:
        running = running.prefetch_related("agreement__offer")
    joint: dict[int, list[tuple[ShareRequest, WorkItem]]] = {}
    for case in running.by_clock()[:OPEN_SHOWN]:
        item = (_approving(case, membership) if has_rules else None) or _running(case, membership)
        if case.bundle_id:
            joint.setdefault(case.bundle_id, []).append((case, item))
        else:
            yield item
    yield from (_joint(rows, membership) for rows in joint.values())
    yield from _queued(membership)
    yield from _ending(membership)
    since = timezone.now() - NEWS_DAYS
    ended = cases.filter(closed_at__gte=since).exclude(state__in=ShareRequest.WORKS)
    for case in ended.order_by("-closed_at", "-pk")[:NEWS_SHOWN]:
        yield WorkItem(
            title=(
                _("Request %(request)s: %(state)s")
                if case.is_in_force
                else _("Request %(request)s has ended: %(state)s")
            )
            % {"request": case.code, "state": case.get_state_display()},
            url=case.get_absolute_url(),
            group=NEWS,
            kind=_("Request"),
            note=_other_party(case, membership),
            at=case.closed_at,
        )


def _joint(rows: list[tuple[ShareRequest, WorkItem]], membership: Membership) -> WorkItem:
    """One line for the open legs of a joint request: what is ours to do, or what the applicant has to decide."""
    case, item = next(((case, item) for case, item in rows if item.group == MINE), rows[0])
    bundle, ours = case.bundle, sum(item.group == MINE for _case, item in rows)
    is_applicant = membership.organisation_id == case.requester_id
    if is_applicant and bundle.decide_by:
        title = _("Joint request %(bundle)s: a leg will not come about, say how to go on")
        mine = MINE if membership.has_role(*NEGOTIATING_ROLES) else OTHERS
        item = replace(item, url=bundle.get_absolute_url(), due_at=bundle.decide_by, group=mine)
    elif ours:
        title = ngettext(
            "Joint request %(bundle)s: %(count)d leg waits for you",
            "Joint request %(bundle)s: %(count)d legs wait for you",
            ours,
        )  # fmt: skip
        item = replace(item, url=item.url if ours == 1 else bundle.get_absolute_url())
    else:
        title = _("Joint request %(bundle)s: others' turn")
        item = replace(item, url=bundle.get_absolute_url())
    others = [case.owner.name for case, _item in rows] if is_applicant else [case.requester.name]
    note = f"{', '.join(dict.fromkeys(others))} · {case.resource.name}"
    return replace(item, title=title % {"bundle": bundle.code, "count": ours}, kind=_("Joint request"), note=note)


def _queued(membership: Membership) -> Iterable[WorkItem]:
    """Offers from queues to be taken up, and what is still waited for. Queries once."""
    places = QueuePlace.objects.active().filter(organisation=membership.organisation).select_related("resource__owner")
    for place in places.defer("resource__place", "resource__shown_cell").order_by("pk")[:OPEN_SHOWN]:
        is_offered = place.state == QueuePlace.State.OFFERED
        title = _("Take up the offer from the queue: %(name)s") if is_offered else _("In the queue: %(name)s")
        yield WorkItem(
            title=title % {"name": place.resource.name},
            url=place.get_absolute_url(),
            due_at=place.offer_until,
            region=place.resource.region_id,
            group=MINE if is_offered and membership.has_role(*NEGOTIATING_ROLES) else OTHERS,
            kind=_("Queue"),
            note=place.resource.owner.name,
            at=place.joined_at,
        )


def _ending(membership: Membership) -> Iterable[WorkItem]:
    """Agreements in operation whose period ends soon and that nobody renews yet: warning.term says how soon."""
    days = rule("warning.term", membership.organisation.region).whole
    own = Q(request__owner=membership.organisation) | Q(request__requester=membership.organisation)
    rows = Agreement.objects.filter(own, request__state=ShareRequest.State.OPERATING).with_names()
    renewals = ShareRequest.objects.filter(change=ShareRequest.Change.RENEWAL).exclude(state__in=ShareRequest.ENDED)
    rows = rows.ending(timezone.localdate() + dt.timedelta(days=days)).exclude(pk__in=renewals.values("amends"))
    for agreement in rows[:NEWS_SHOWN]:
        yield WorkItem(
            title=_("Agreement %(reference)s ends soon: renew it, or let it end") % {"reference": agreement.reference},
            url=agreement.get_absolute_url(),
            due_at=agreement.request.due_at,
            region=agreement.request.resource.region_id,
            group=MINE if membership.has_role(*NEGOTIATING_ROLES) else OTHERS,
            kind=_("Agreement"),
            note=_other_party(agreement.request, membership),
            at=agreement.signed_at,
        )


def _before_the_bureau(membership: Membership) -> Iterable[WorkItem]:
    """The cases that lie with a bureau, for those who mediate there; what awaits the parties' answers is theirs."""
    group = MINE if membership.has_role(*MEDIATING_ROLES) else OTHERS
    cases = ShareRequest.objects.readable_by(membership).with_names().filter(state__in=ShareRequest.WITH_BUREAU)
    for case in cases.by_clock()[:OPEN_SHOWN]:
        is_ours = case.state == ShareRequest.State.ESCALATED
        title = (
            _("Request %(request)s is before the bureau") if is_ours else _("Request %(request)s: the parties answer")
        )
        yield WorkItem(
            title=title % {"request": case.code},
            url=case.get_absolute_url(),
            due_at=case.due_at,
            region=case.resource.region_id,
            group=group if is_ours else OTHERS,
            kind=_("Mediation"),
            note=f"{case.requester.name} → {case.owner.name} · {case.resource.name}",
            at=case.submitted_at,
        )


def _other_party(case: ShareRequest, membership: Membership) -> str:
    other = case.owner if case.requester_id == membership.organisation_id else case.requester
    return f"{other.name} · {case.resource.name}"


def _approving(case: ShareRequest, membership: Membership) -> WorkItem | None:
    """Agreed terms that wait for an approval inside the organisation, named in place of the signature they hold up.
    Queries twice for each case to be signed, and only where the organisation has rules."""
    if case.state != ShareRequest.State.AGREED or side_of(case, membership) not in waiting_for(case):
        return None
    step = open_step(case.agreement.offer, membership.organisation_id)
    if step is None:
        return None
    return WorkItem(
        title=_("Request %(request)s waits for approval: %(step)s") % {"request": case.code, "step": step.rule.name},
        url=reverse("approval", args=[case.pk]),
        due_at=case.due_at,
        region=case.resource.region_id,
        group=MINE if step.is_of(membership.user_id) else OTHERS,
        kind=_("Approval"),
        note=_other_party(case, membership),
        at=case.submitted_at,
    )


def _running(case: ShareRequest, membership: Membership) -> WorkItem:
    is_ours = side_of(case, membership) in waiting_for(case)
    is_signing = case.state == ShareRequest.State.AGREED
    may_act = membership.has_role(*(SIGNING_ROLES if is_signing else NEGOTIATING_ROLES))
    url = reverse("agreement_detail", args=[case.agreement.pk]) if is_signing else case.get_absolute_url()
    return WorkItem(
        title=_title(case, membership, is_ours, is_signing) % {"request": case.code},
        url=url,
        due_at=case.due_at,
        region=case.resource.region_id,
        group=MINE if is_ours and may_act else OTHERS,
        kind=_("Agreement") if is_signing else _("Request"),
        note=_other_party(case, membership),
        at=case.submitted_at,
    )


_WORKS = {
    ShareRequest.State.SIGNED: gettext_lazy("Make ready, or let the works begin: request %(request)s"),
    ShareRequest.State.MAKE_READY: gettext_lazy("Make-ready of request %(request)s"),
    ShareRequest.State.BUILDING: gettext_lazy("Works of request %(request)s: call for acceptance when they are done"),
    ShareRequest.State.INSPECTING: gettext_lazy("Inspect the works of request %(request)s"),
    ShareRequest.State.RECTIFYING: gettext_lazy("Rectify what the inspection of request %(request)s found"),
}


def _title(case: ShareRequest, membership: Membership, is_ours: bool, is_signing: bool) -> str:
    if is_signing:
        return (
            _("Sign the agreement of request %(request)s")
            if is_ours
            else _("Request %(request)s: the other side signs")
        )
    if case.is_in_force:
        return _WORKS[case.state] if is_ours else _("Works of request %(request)s: the other side goes on")
    if not is_ours:
        return _("Request %(request)s: the other side answers")
    if case.state == ShareRequest.State.SUBMITTED and side_of(case, membership) == Side.OWNER:
        return _("Answer request %(request)s")
    return _("Answer the offer on request %(request)s")
