"""The working-day calendar as bureaus keep it: a day set or taken out recounts every open clock it touches."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import memory, workdays
from accounts.clocks import RECOUNTS
from accounts.errors import NotPermitted, Refused
from accounts.events import record, snapshot
from accounts.models import CalendarDay, Membership, Region
from accounts.models.organisations import Role
from accounts.permissions import is_bureau_staff

FIELDS = ["region", "day", "is_workday", "name", "source"]


def refusal(membership: Membership | None, region: Region) -> Refused | None:
    """Why this person may not set days for the region; None: one may. No queries beyond the membership's."""
    if not is_bureau_staff(membership, Role.PUBLISHER, Role.ADMIN):
        return NotPermitted(_("The calendar is kept by a bureau's publishers and administrators."))
    if not membership.organisation.region.covers(region):  # type: ignore[union-attr]
        return NotPermitted(_("The region lies outside your bureau's jurisdiction."))
    return None


@transaction.atomic
def set_day(
    *, membership: Membership, region: Region, day: dt.date, is_workday: bool, name: str, source: str
) -> tuple[CalendarDay, int]:
    """Sets a day of the region's calendar; gives it and how many open clocks moved.

    Raises NotPermitted outside the jurisdiction, Refused for a day gone by or one that is so already,
    ValidationError for wrong fields or a day that is set.
    """
    if problem := refusal(membership, region):
        raise problem
    if day < timezone.localdate():
        raise Refused(_("This day lies behind: clocks that ran then are not counted again."), code="past")
    own = CalendarDay.objects.holding_in(region).as_calendar()
    if workdays.is_workday(day, own) == is_workday:
        raise Refused(
            _("It is a working day already.") if is_workday else _("It is a day off already."), code="same_already"
        )
    made = CalendarDay(
        region=region, day=day, is_workday=is_workday, name=name.strip(), source=source.strip(), set_by=membership.user
    )
    made.full_clean()
    made.save(force_insert=True)
    record("calendar.set_day", made, by=membership.user, organisation=membership.organisation,
           after=snapshot(made, FIELDS))  # fmt: skip
    return made, _recount(region, made)


@transaction.atomic
def take_out_day(*, calendar_day: CalendarDay, membership: Membership) -> int:
    """The day is again as the package has it; gives how many open clocks moved."""
    row = CalendarDay.objects.select_for_update(of=("self",)).select_related("region").get(pk=calendar_day.pk)
    if problem := refusal(membership, row.region):
        raise problem
    if row.day < timezone.localdate():
        raise Refused(_("This day lies behind: clocks that ran then are not counted again."), code="past")
    record("calendar.take_out_day", row, by=membership.user, organisation=membership.organisation,
           before=snapshot(row, FIELDS))  # fmt: skip
    row.delete()
    return _recount(row.region, row)


def _recount(region: Region, day: CalendarDay) -> int:
    transaction.on_commit(memory.forget)  # this process shows it at once, others within memory.SECONDS
    why = _("The working-day calendar changed: %(day)s") % {"day": f"{day.day:%Y-%m-%d} {day.name}"}
    return sum(recount(region, why) for recount in RECOUNTS)
