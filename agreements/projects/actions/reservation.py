"""Reserve before build: space and power for communications in subways, tunnels and bridges, before terms are agreed."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clocks import deadline_after
from accounts.errors import Refused
from accounts.models import Membership, Organisation, User
from accounts.rules import rule
from agreements.models import Project
from agreements.projects import states
from agreements.projects.planned import axis

from .records import begin, taking_part, tell, write
from .reserved import check_space, keep_planned

FIELDS = ["reserved_bores", "reserved_room_m2", "reserved_positions", "reserved_kva"]


def needed_kva(project: Project) -> Decimal:
    """What those taking part said they need, together."""
    return sum((party.power_kva or Decimal(0) for party in taking_part(project)), Decimal(0))


def check_power(project: Project) -> None:
    """Raises Refused where less power is reserved than those taking part need now: who joins later counts too."""
    needed, reserved = needed_kva(project), project.reserved_kva or Decimal(0)
    if needed > reserved:
        raise Refused(
            _("The parties need %(needed)s kVA together; %(reserved)s kVA are reserved.")
            % {"needed": f"{needed.normalize():f}", "reserved": f"{reserved.normalize():f}"},
            code="too_little",
        )


@transaction.atomic
def reserve(*, project: Project, by: User, membership: Membership, data: Mapping[str, Any]) -> Project:
    """The lead states what is reserved and lays it before the bureau; its clock starts in working days.

    What was signed off can be stated anew until terms are agreed, and is then signed off again.

    Refused where no power is stated, no space at all, or less power than the parties need.
    """
    fresh = begin(project, membership, "reserve")
    for name in FIELDS:
        setattr(fresh, name, data.get(name))
    if not fresh.reserved_kva or fresh.reserved_kva <= 0:
        raise Refused(_("State the power reserved, in kVA: space without power serves nobody."), code="power")
    if not (fresh.reserved_bores or fresh.reserved_room_m2 or fresh.reserved_positions):
        raise Refused(_("State the space reserved: bores, rooms or positions."), code="space")
    check_power(fresh)
    check_space(fresh)
    if fresh.reserved_bores:
        axis(fresh)  # refuses works without a line
    now = timezone.now()
    fresh.gate = Project.Gate.WAITING
    fresh.gate_due_at = deadline_after(now, rule("clock.reservation", fresh.region).whole, fresh.region)
    fresh.gate_note = ""
    fresh.full_clean(exclude=["place", "terms"])
    fresh.save(update_fields=[*FIELDS, "gate", "gate_due_at", "gate_note"])
    after = {name: str(getattr(fresh, name) or "") for name in FIELDS}
    write(fresh, "reserve", by=by, membership=membership, before=fresh.state, after=after)
    for bureau in Organisation.objects.bureaus().verified().select_related("region").order_by("pk"):
        if bureau.region.level == 1 and bureau.region.covers(fresh.region):
            tell(fresh, "reserve", bureau, key=f"project:{fresh.pk}:gate:{now.isoformat()}", by=fresh.lead)
    return fresh


@transaction.atomic
def answer_reservation(
    *, project: Project, by: User, membership: Membership, is_signed_off: bool, reason: str = ""
) -> Project:  # fmt: skip
    """The bureau signs off what is reserved, or asks for changes with a reason; its clock ends.

    Signing off makes the space reserved planned resources of the lead, or changes those it made before.
    """
    verb = "sign_off" if is_signed_off else "ask_changes"
    fresh = begin(project, membership, verb, reason=reason)
    fresh.gate = Project.Gate.SIGNED_OFF if is_signed_off else Project.Gate.CHANGES
    fresh.gate_note, fresh.gate_due_at = reason.strip()[:500], None
    fresh.save(update_fields=["gate", "gate_note", "gate_due_at"])
    if is_signed_off:
        check_power(fresh)
        check_space(fresh)
        keep_planned(fresh, by=by)
    write(fresh, verb, by=by, membership=membership, before=fresh.state, reason=reason)
    return fresh


def escalate_due(*, now: dt.datetime | None = None) -> int:
    """Reservations whose bureau let its clock run out are put before all bureaus above the works, once; gives how many.

    Silence signs nothing off: the clock stays overdue and whoever of the bureaus answers first ends it.
    """
    moment = now or timezone.now()
    due = Project.objects.filter(gate=Project.Gate.WAITING, gate_due_at__lte=moment).order_by("gate_due_at", "pk")
    return sum(_escalate(pk, moment) for pk in list(due.values_list("pk", flat=True)[:200]))


@transaction.atomic
def _escalate(project_id: int, now: dt.datetime) -> bool:
    rows = Project.objects.select_related("lead", "region").select_for_update(no_key=True, of=("self",))
    fresh = rows.defer("region__polygon").get(pk=project_id)
    is_due = fresh.gate == Project.Gate.WAITING and fresh.gate_due_at is not None and fresh.gate_due_at <= now
    if not is_due or "escalate" not in states.TRANSITIONS[fresh.state]:
        return False
    fresh.gate = Project.Gate.ESCALATED
    fresh.save(update_fields=["gate"])
    write(fresh, "escalate", by=None, membership=None, before=fresh.state)
    for bureau in Organisation.objects.bureaus().verified().select_related("region").order_by("pk"):
        if bureau.region.covers(fresh.region):
            tell(fresh, "escalate", bureau, key=f"project:{fresh.pk}:late:{fresh.gate_due_at}", by=fresh.lead)
    return True
