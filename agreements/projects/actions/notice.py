"""The notice of planned works: written, published, changed, closed to joining, cancelled."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused
from accounts.events import record, snapshot
from accounts.models import Membership, Organisation, User
from accounts.regions import region_at
from accounts.rules import rule
from agreements.models import Project
from agreements.projects import states
from listings.build_check import ring
from listings.models import DemandLine, DemandList
from messaging import actions as messaging

from .records import begin, tell, write
from .reserved import keep_planned, withdraw_planned

FIELDS = [
    "title", "kind", "method", "disclosure", "joinable", "starts_on", "ends_on", "join_until", "unit", "lead_units",
    "lead_own_fen", "common_fen", "split",
]  # fmt: skip


def may_write(membership: Membership | None) -> bool:
    """Whether the person may announce works for their organisation."""
    if not membership or membership.ended_at:
        return False
    organisation = membership.organisation
    return organisation.is_verified and not organisation.is_bureau and membership.has_role(*states.NEGOTIATING)


@transaction.atomic
def save(*, project: Project | None, by: User, membership: Membership, data: Mapping[str, Any]) -> Project:
    """A new draft (project=None) or a changed notice. data: FIELDS and "place"; what is not named stays.

    Raises NotPermitted, Refused where the place lies in no region or a date does not fit, ValidationError else.
    """
    if project is None:
        if not may_write(membership):
            raise NotPermitted(_("Announcing works takes the role negotiator in a verified organisation."))
        fresh = Project(lead=membership.organisation)
    else:
        fresh = begin(project, membership, "edit")
    before = snapshot(fresh, FIELDS) if project else None
    if fresh.published_at and data.get("kind", fresh.kind) != fresh.kind:  # or a tunnel passed its gate as a pipe
        raise Refused(_("The kind of published works stays. Cancel them and announce others."), code="kind")
    for name in [*FIELDS, "place"]:
        if name in data:
            setattr(fresh, name, data[name])
    region = region_at(fresh.place.point_on_surface)
    if region is None:
        raise Refused(_("The place lies in no region of this portal."), code="region")
    fresh.region = region
    if project and fresh.state != Project.State.DRAFT:
        _check_dates(fresh)
    fresh.full_clean()
    fresh.save()
    verb = "project.edit" if project else "project.draft"
    record(verb, fresh, by=by, organisation=membership.organisation, before=before, after=snapshot(fresh, FIELDS))
    keep_planned(fresh, by=by)
    return fresh


def _check_dates(project: Project) -> None:
    """The region's lead time between publication and the end of joining."""
    days = rule("works.join_days", project.region).whole
    from_day = timezone.localdate(project.published_at) if project.published_at else timezone.localdate()
    first = from_day + dt.timedelta(days=days)
    if project.join_until < first:
        raise Refused(
            _("Others need %(days)d days to join at least: set “join until” to %(day)s or later.")
            % {"days": days, "day": first.isoformat()},
            code="lead_time",
        )


@transaction.atomic
def publish(*, project: Project, by: User, membership: Membership) -> Project:
    """Opens a draft to joining, opens its conversation, and tells the organisations whose demand lies there, once."""
    fresh = begin(project, membership, "publish")
    _check_dates(fresh)
    before, fresh.state, fresh.published_at = fresh.state, Project.State.PUBLISHED, timezone.now()
    fresh.save(update_fields=["state", "published_at"])
    messaging.open_thread(subject=fresh, title=fresh.title, organisations=[fresh.lead])
    write(fresh, "publish", by=by, membership=membership, before=before)
    for organisation in concerned(fresh):
        tell(fresh, "alert", organisation, key=f"project:{fresh.pk}:alert", by=fresh.lead)
    return fresh


def concerned(project: Project) -> list[Organisation]:
    """Verified organisations with a demand line in force near the works; nobody where the works are not shown to them.

    Near: the region's rule works.alert_m.
    """
    if project.disclosure == Project.Disclosure.PARTIES:
        return []
    near = ring(project.place, rule("works.alert_m", project.region).whole)
    lines = DemandLine.objects.filter(
        demand_list__state=DemandList.State.IN_FORCE,
        state=DemandLine.State.OPEN,
        applicant__isnull=False,
        place__intersects=near,
    )
    rows = Organisation.objects.verified().filter(pk__in=lines.values("applicant"), is_bureau=False)
    return list(rows.exclude(pk=project.lead_id).order_by("pk"))


@transaction.atomic
def close(*, project: Project, by: User, membership: Membership) -> Project:
    """Nobody joins any more; not before the day the notice names."""
    fresh = begin(project, membership, "close")
    if timezone.localdate() <= fresh.join_until and not fresh.proposal_id:
        raise Refused(
            _("Others may join until %(day)s. Close joining after that day.") % {"day": fresh.join_until.isoformat()},
            code="join_until",
        )
    before, fresh.state = fresh.state, Project.State.CLOSED
    fresh.save(update_fields=["state"])
    write(fresh, "close", by=by, membership=membership, before=before)
    return fresh


@transaction.atomic
def cancel(*, project: Project, by: User, membership: Membership, reason: str) -> Project:
    """Ends the works before they begin, with a reason for those who wanted to take part.

    What was planned with them is retired; Refused while somebody holds capacity in it.
    """
    fresh = begin(project, membership, "cancel", reason=reason)
    withdraw_planned(fresh, by=by, reason=reason.strip())
    before, fresh.state, fresh.reason = fresh.state, Project.State.CANCELLED, reason.strip()[:500]
    fresh.save(update_fields=["state", "reason"])
    write(fresh, "cancel", by=by, membership=membership, before=before, reason=fresh.reason)
    return fresh
