"""Supply and demand as data."""

from listings.kinds.models import Cable, Duct, Room, Tower

from .capacity import CapacityPool, Reservation, Unit
from .demand import DemandLine, DemandList, Objection
from .imports import ImportJob, ImportMapping, ImportRow
from .resources import DisclosureGrant, Kind, Resource, ResourcePhoto
from .tally import Tally, Tone

__all__ = [
    "Cable",
    "CapacityPool",
    "DemandLine",
    "DemandList",
    "DisclosureGrant",
    "Duct",
    "ImportJob",
    "ImportMapping",
    "ImportRow",
    "Kind",
    "Objection",
    "Reservation",
    "Resource",
    "ResourcePhoto",
    "Room",
    "Tally",
    "Tone",
    "Tower",
    "Unit",
]
