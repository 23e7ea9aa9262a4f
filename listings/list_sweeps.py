"""Clocks of demand lists: a notice that has ended brings its list into force."""

from django.utils import timezone

from accounts.jobs import every
from listings.actions.demand_lists import bring_into_force
from listings.models import DemandList


@every(seconds=60)
def end_notices() -> int:
    """Brings every list whose notice is over into force, each in its own transaction; gives how many.

    Idempotent, and catches up after downtime: in_force_at is the end of the notice, not the time of the sweep.
    """
    now = timezone.now()
    due = DemandList.objects.notice_over(now).order_by("pk")
    return sum(bring_into_force(demand_list=demand_list, now=now) for demand_list in due)
