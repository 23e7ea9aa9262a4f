"""Supply and demand as data."""

from listings.kinds.models import Cable, Duct, Room, Tower

from .capacity import CapacityPool, Reservation, Unit
from .demand import DemandLine, DemandList, Objection
from .documents import ResourceDocument
from .ducts import Bore, Carriage, Chamber, DuctChamber
from .imports import ImportJob, ImportMapping, ImportRow
from .resources import DisclosureGrant, Kind, Resource, ResourcePhoto
from .sites import Site
from .tally import Tally, Tone

__all__ = [
    "Bore",
    "Cable",
    "CapacityPool",
    "Carriage",
    "Chamber",
    "DemandLine",
    "DemandList",
    "DisclosureGrant",
    "Duct",
    "DuctChamber",
    "ImportJob",
    "ImportMapping",
    "ImportRow",
    "Kind",
    "Objection",
    "Reservation",
    "Resource",
    "ResourceDocument",
    "ResourcePhoto",
    "Room",
    "Site",
    "Tally",
    "Tone",
    "Tower",
    "Unit",
]
