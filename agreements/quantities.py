"""What quantities and periods can be asked for or offered. Each check raises Refused with a sentence."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.errors import Refused
from listings.models import CapacityPool, Kind, Resource, Unit
from listings.wording import quantity_text

from .periods import last_day

DIVISIBLE = (Unit.KW,)  # everything else is counted in whole units
MONTHS_MAX = 600


def check_quantities(resource: Resource, pools: Mapping[int, CapacityPool], asked: Mapping[int, Decimal]) -> None:
    """At least something, nothing negative, whole units, pools of this resource; a room's U and kW together.

    pools: those of the resource, by id.
    """
    for pool_id, quantity in asked.items():
        pool = pools.get(pool_id)
        if pool is None:
            raise Refused(_("This resource has no such capacity."), code="unknown_pool")
        if not quantity.is_finite() or quantity < 0:
            raise Refused(_("A quantity cannot be negative."), code="negative")
        if pool.unit not in DIVISIBLE and quantity != quantity.to_integral_value():
            raise Refused(
                _("%(pool)s: ask for a whole number.") % {"pool": pool.label or pool.get_unit_display()},
                code="not_whole",
            )
        if quantity != quantity.quantize(Decimal("0.01")):
            raise Refused(
                _("%(pool)s: at most two decimals.") % {"pool": pool.label or pool.get_unit_display()},
                code="too_fine",
            )
    wanted = {pools[pool_id].unit for pool_id, quantity in asked.items() if quantity > 0}
    if not wanted:
        raise Refused(_("Say how much you ask for: all quantities are zero."), code="zero")
    if resource.kind == Kind.ROOM:
        _check_room({pool.unit for pool in pools.values()}, wanted)


def _check_room(there: set[str], wanted: set[str]) -> None:
    missing = ({Unit.RACK_U, Unit.KW} & there) - wanted
    if Unit.KW in missing:
        raise Refused(_("Equipment in a room needs power: ask for kW beside the rack units."), code="power_missing")
    if Unit.RACK_U in missing:
        raise Refused(_("Power in a room goes with rack units: ask for U beside the kW."), code="rack_missing")


def check_within(pools: Mapping[int, CapacityPool], asked: Mapping[int, Decimal], held: Mapping[int, Decimal]) -> None:
    """Not more than the request holds."""
    for pool_id, quantity in asked.items():
        if quantity > held.get(pool_id, Decimal(0)):
            pool = pools[pool_id]
            raise Refused(
                _("%(pool)s: %(asked)s named, %(held)s held. More takes a new request.")
                % {
                    "pool": pool.label or pool.get_unit_display(),
                    "asked": quantity_text(quantity, pool.unit),
                    "held": quantity_text(held.get(pool_id, Decimal(0)), pool.unit),
                },
                code="over_hold",
            )


def check_period(resource: Resource, starts_on: dt.date, months: int) -> None:
    """Not in the past, 1 to 600 months, inside the time the owner opens the resource for."""
    if not 1 <= months <= MONTHS_MAX:
        raise Refused(_("The period is 1 to 600 months."), code="months")
    if starts_on < timezone.localdate():
        raise Refused(_("The period begins in the past: choose today or later."), code="past")
    if starts_on > timezone.localdate() + dt.timedelta(days=365 * 20):
        raise Refused(_("The period begins more than twenty years from now."), code="far")
    if resource.available_from and starts_on < resource.available_from:
        raise Refused(
            _("The resource is available from %(day)s: begin then or later.")
            % {"day": date_format(resource.available_from, "DATE_FORMAT")},
            code="before_available",
        )
    ends_on = last_day(starts_on, months)
    if resource.available_until and ends_on > resource.available_until:
        raise Refused(
            _("The resource is available until %(until)s; the period asked for ends on %(ends)s.")
            % {
                "until": date_format(resource.available_until, "DATE_FORMAT"),
                "ends": date_format(ends_on, "DATE_FORMAT"),
            },
            code="after_available",
        )
