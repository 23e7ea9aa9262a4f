"""Supply and demand as data."""

from listings.kinds.models import Cable, Duct, Room, Tower

from .build_checks import BuildCheck
from .capacity import CapacityPool, Reservation, Unit
from .demand import DemandLine, DemandList
from .demand_life import CoSigner, LineCorrection, LineVersion, Objection
from .documents import ResourceDocument
from .ducts import Bore, Carriage, Chamber, DuctChamber
from .imports import ImportJob, ImportMapping, ImportRow
from .resources import DisclosureGrant, Kind, Resource, ResourcePhoto
from .sites import Site
from .standards import Standard, StandardItem
from .tally import SearchBits, SearchBlock, SearchDirty, SearchFold, Tally, Tone

__all__ = [
    "Bore",
    "BuildCheck",
    "Cable",
    "CapacityPool",
    "Carriage",
    "Chamber",
    "CoSigner",
    "DemandLine",
    "DemandList",
    "DisclosureGrant",
    "Duct",
    "DuctChamber",
    "ImportJob",
    "ImportMapping",
    "ImportRow",
    "Kind",
    "LineCorrection",
    "LineVersion",
    "Objection",
    "Reservation",
    "Resource",
    "ResourceDocument",
    "ResourcePhoto",
    "Room",
    "SearchBits",
    "SearchBlock",
    "SearchDirty",
    "SearchFold",
    "Site",
    "Standard",
    "StandardItem",
    "Tally",
    "Tone",
    "Tower",
    "Unit",
]
