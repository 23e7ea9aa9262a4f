"""How far a resource is taken: as its pools say, unless the owner says what pools cannot. Pure."""

from collections.abc import Iterable

from listings.models import CapacityPool
from listings.models.resources import Occupancy


def occupancy_of(stated: str, pools: Iterable[CapacityPool]) -> str:
    """One of Occupancy; "" where nothing is known. stated (Resource.occupancy) holds where there are no pools,
    and where it says that the rest cannot be used: that, no count tells."""
    pools = list(pools)
    if stated == Occupancy.NOT_USABLE or not pools:
        return stated
    units = {pool.unit for pool in pools}
    if any(all(p.free <= 0 for p in pools if p.unit == unit) for unit in units):
        return Occupancy.FULL  # a room is full when either its U or its kW are used up
    return Occupancy.ROOM_LEFT if any(pool.in_use or pool.taken for pool in pools) else Occupancy.EMPTY
