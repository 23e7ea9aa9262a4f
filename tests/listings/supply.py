"""What the supply tests share: arguments of save_resource() that are right, to be made wrong one at a time."""

import datetime as dt
import uuid
from decimal import Decimal

from django.contrib.gis.geos import LineString, Point
from django.utils import timezone

from listings.actions import capacity
from listings.actions.resources import save_resource
from listings.kinds.pools import PoolData

IN_TIANHE = Point(113.33, 23.13, srid=4326)
LINE_IN_TIANHE = LineString((113.33, 23.13), (113.34, 23.13), srid=4326)

POOLS = {
    "tower": [PoolData("position", Decimal(3), label="P1", height_m=Decimal(35))],
    "duct": [PoolData("bore", Decimal(4), bore_mm=Decimal(100))],
    "cable": [PoolData("core", Decimal(48))],
    "room": [PoolData("rack_u", Decimal(84)), PoolData("kw", Decimal(10))],
}


def save(membership, kind="tower", *, resource=None, **changes):
    """save_resource() with sensible values; `data` and `facts` given are laid over them."""
    line = kind in ("duct", "cable")
    arguments = {
        "owner_code": "A-1",
        "place": LINE_IN_TIANHE if line else IN_TIANHE,
        "pools": POOLS[kind],
    }
    if resource is not None:
        arguments = {"owner_code": resource.owner_code, "place": None, "pools": None}
    arguments |= {key: value for key, value in changes.items() if key not in ("data", "facts")}
    data = {} if resource else {"name": "Tower one", "facts_on": timezone.localdate()}
    facts = {"height_m": Decimal(40)} if kind == "tower" and not resource else {}
    return save_resource(
        by=membership.user,
        membership=membership,
        resource=resource,
        kind=kind,
        data=data | changes.get("data", {}),
        facts=facts | changes.get("facts", {}),
        **arguments,
    )


def hold(pool, organisation, quantity, *, starts_on=None, ends_on=None, minutes=60, key=None):
    """Units of one pool held through the action."""
    return capacity.hold(
        quantities={pool.pk: Decimal(quantity)},
        organisation=organisation,
        by=None,
        starts_on=starts_on or timezone.localdate(),
        ends_on=ends_on,
        expires_at=timezone.now() + dt.timedelta(minutes=minutes),
        key=key or uuid.uuid4(),
    )[0]
