"""Reserve before build: space and power for communications in subways, tunnels and bridges, before terms are agreed."""

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

from .records import begin, taking_part, tell, write

FIELDS = ["reserved_bores", "reserved_room_m2", "reserved_positions", "reserved_kva"]


def needed_kva(project: Project) -> Decimal:
    """What those taking part said they need, together."""
    return sum((party.power_kva or Decimal(0) for party in taking_part(project)), Decimal(0))


@transaction.atomic
def reserve(*, project: Project, by: User, membership: Membership, data: Mapping[str, Any]) -> Project:
    """The lead states what is reserved and lays it before the bureau; its clock starts in working days.

    Refused where no power is stated, no space at all, or less power than the parties need.
    """
    fresh = begin(project, membership, "reserve")
    for name in FIELDS:
        setattr(fresh, name, data.get(name))
    if not fresh.reserved_kva or fresh.reserved_kva <= 0:
        raise Refused(_("State the power reserved, in kVA: space without power serves nobody."), code="power")
    if not (fresh.reserved_bores or fresh.reserved_room_m2 or fresh.reserved_positions):
        raise Refused(_("State the space reserved: bores, rooms or positions."), code="space")
    if (needed := needed_kva(fresh)) > fresh.reserved_kva:
        raise Refused(
            _("The parties need %(needed)s kVA together; %(reserved)s kVA are reserved.")
            % {"needed": needed, "reserved": fresh.reserved_kva},
            code="too_little",
        )
    now = timezone.now()
    fresh.gate = Project.Gate.WAITING
    fresh.gate_due_at = deadline_after(now, rule("clock.reservation", fresh.region).whole, fresh.region)
    fresh.gate_note = ""
    fresh.full_clean(exclude=["place", "terms"])
    fresh.save(update_fields=[*FIELDS, "gate", "gate_due_at", "gate_note"])
    after = {name: str(getattr(fresh, name) or "") for name in FIELDS}
    write(fresh, "reserve", by=by, membership=membership, before=fresh.state, after=after)
    for bureau in Organisation.objects.bureaus().verified().select_related("region").order_by("pk"):
        if bureau.region.level == 1 and fresh.region.code.startswith(bureau.region.prefix):
            tell(fresh, "reserve", bureau, key=f"project:{fresh.pk}:gate:{now.isoformat()}", by=fresh.lead)
    return fresh


@transaction.atomic
def answer_reservation(
    *, project: Project, by: User, membership: Membership, is_signed_off: bool, reason: str = ""
) -> Project:  # fmt: skip
    """The bureau signs off what is reserved, or asks for changes with a reason; its clock ends."""
    verb = "sign_off" if is_signed_off else "ask_changes"
    fresh = begin(project, membership, verb, reason=reason)
    fresh.gate = Project.Gate.SIGNED_OFF if is_signed_off else Project.Gate.CHANGES
    fresh.gate_note, fresh.gate_due_at = reason.strip()[:500], None
    fresh.save(update_fields=["gate", "gate_note", "gate_due_at"])
    write(fresh, verb, by=by, membership=membership, before=fresh.state, reason=reason)
    return fresh
