"""What works built together add to My work: what the lead, a party or the bureau owes next."""

from collections.abc import Iterable

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership
from accounts.work import MINE, OTHERS, WorkItem, register
from agreements.models import Project, ProjectEntry, ProjectParty, ProjectSignature
from listings import works_links
from listings.models import Resource

from .states import NEGOTIATING, SIGNING, TRANSITIONS, WITH_BUREAU

SHOWN = 50
State, Gate, Party = Project.State, Project.Gate, ProjectParty.State
DECIDING = TRANSITIONS[State.PUBLISHED]["sign_off"].roles


@works_links.register
def works_of_resource(resource: Resource, membership: Membership | None) -> works_links.WorksLink | None:
    """The works a resource was reserved or built by, where the reader may see them. Queries once."""
    found = Project.objects.visible_to(membership).filter(kept__resource=resource).only("pk", "title").first()
    return works_links.WorksLink(found.title, found.get_absolute_url()) if found else None


@register
def project_work(membership: Membership) -> Iterable[WorkItem]:
    """Works one's organisation leads, takes part in or oversees, where it owes the next step. Queries a fixed number
    of times."""
    if membership.organisation.is_bureau:
        yield from _at_the_gate(membership)
        return
    own = ProjectParty.objects.filter(project=OuterRef("pk"), organisation=membership.organisation)
    signed = ProjectSignature.objects.filter(project=OuterRef("pk"), organisation=membership.organisation)
    rows = Project.objects.visible_to(membership).exclude(state__in=[State.FINISHED, State.CANCELLED])
    rows = rows.filter(Q(lead=membership.organisation) | Exists(own.filter(state__in=ProjectParty.PRESENT)))
    rows = rows.annotate(
        asking=Count("parties", filter=Q(parties__state=Party.ASKED)), has_signed=Exists(signed),
        is_invited=Exists(own.filter(state=Party.INVITED)), has_passed=Exists(own.filter(passed_at__isnull=False)),
        is_taken=Exists(own.filter(state=Party.TAKEN)),
    ).select_related("lead")  # fmt: skip
    found = list(rows.defer("place", "terms").order_by("join_until", "pk")[:SHOWN])
    owed = _owed(found)
    for project in found:
        is_lead = project.lead_id == membership.organisation_id
        title = _of_lead(project, owed) if is_lead else _of_party(project)
        if title:
            yield _item(project, membership, title)


def _owed(projects: list[Project]) -> set[int]:
    """The works whose lead still gets money."""
    rows = ProjectEntry.objects.filter(project__in=[one.pk for one in projects]).order_by()
    sums = rows.values("project").annotate(fen=Sum("fen")).filter(fen__gt=0)
    return set(sums.values_list("project", flat=True))


def _item(project: Project, membership: Membership, title: str) -> WorkItem:
    is_signing = project.state == State.AGREED
    roles = SIGNING if is_signing else NEGOTIATING
    return WorkItem(
        title=title % {"project": project.title},
        url=reverse("project_agreement", args=[project.pk]) if is_signing else project.get_absolute_url(),
        group=MINE if membership.has_role(*roles) else OTHERS,
        kind=_("Planned works"),
        note=project.lead.name if project.lead_id != membership.organisation_id else project.get_state_display(),
        region=project.region_id,
    )


def _of_lead(project: Project, owed: set[int]) -> str:
    if project.state in (State.PUBLISHED, State.CLOSED):
        if project.asking:
            return _("%(project)s: answer who asks to join")
        if project.is_gated and project.gate == Gate.CHANGES:
            return _("%(project)s: the bureau asks for changes of the reservation")
    if project.state == State.CLOSED and (not project.is_gated or project.gate == Gate.SIGNED_OFF):
        return _("%(project)s: freeze the terms for signature")
    if project.state == State.AGREED and not project.has_signed:
        return _("%(project)s: sign the agreement")
    if project.state == State.ACCEPTED:
        return _("%(project)s: record the payments") if project.pk in owed else _("%(project)s: finish the project")
    return ""


def _of_party(project: Project) -> str:
    if project.state == State.PUBLISHED and project.is_invited:
        return _("%(project)s: you are invited to take part")
    if not project.is_taken:
        return ""
    if project.state == State.AGREED and not project.has_signed:
        return _("%(project)s: sign the agreement")
    if project.state == State.INSPECTING and not project.has_passed:
        return _("%(project)s: inspect the works")
    return ""


def _at_the_gate(membership: Membership) -> Iterable[WorkItem]:
    """Reservations that lie before the bureaus of the works' region, nearest clock first."""
    rows = Project.objects.visible_to(membership).filter(
        gate__in=WITH_BUREAU, region__code__startswith=membership.organisation.region.prefix
    )
    rows = rows.filter(state__in=[State.PUBLISHED, State.CLOSED]).select_related("lead").defer("place", "terms")
    for project in rows.order_by(F("gate_due_at").asc(nulls_last=True), "pk")[:SHOWN]:
        yield WorkItem(
            title=_("Reservation of %(project)s to sign off") % {"project": project.title},
            url=project.get_absolute_url(),
            due_at=project.gate_due_at,
            group=MINE if membership.has_role(*DECIDING) else OTHERS,
            kind=_("Planned works"),
            note=project.lead.name,
            region=project.region_id,
        )
