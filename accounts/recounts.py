"""A changed working-day calendar: the clocks of verifications that are under way are counted anew."""

from .clocks import deadline_for, recounts
from .events import record
from .models import Organisation, Region


@recounts
def recount_verifications(region: Region, why: str) -> int:
    """Organisations of the region that were handed in and wait for their bureau; gives how many clocks moved."""
    moved = 0
    rows = Organisation.objects.awaiting_verification().within(region).select_for_update(of=("self",))
    for row in rows.order_by("pk"):
        if row.submitted_at is None or row.verification_due_at is None:
            continue
        due_at = deadline_for("clock.verification", row.region_id, at=row.submitted_at)
        if due_at == row.verification_due_at:
            continue
        before, row.verification_due_at = row.verification_due_at, due_at
        row.save(update_fields=["verification_due_at"])
        record("organisation.recount_clock", row, by=None, organisation=row, reason=why,
               before={"verification_due_at": before.isoformat()},
               after={"verification_due_at": due_at.isoformat()})  # fmt: skip
        moved += 1
    return moved
