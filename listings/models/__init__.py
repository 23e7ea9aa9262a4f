"""Supply and demand as data."""

from listings.kinds.models import Cable, Duct, Room, Tower

from .build_checks import BuildCheck
from .bulk import BulkJob, BulkRow
from .capacity import CapacityPool, Reservation, Unit
from .demand import DemandLine, DemandList
from .demand_life import CoSigner, DeskComment, LineCorrection, LineVersion, Objection
from .documents import ResourceDocument
from .ducts import Bore, Carriage, Chamber, DuctChamber
from .exports import ExportJob
from .imports import ImportJob, ImportMapping, ImportRow
from .looks import LookCount
from .resources import DisclosureGrant, Kind, Resource, ResourcePhoto
from .saved import SavedFind, SavedSearch, SearchChange
from .sites import Site
from .standards import Standard, StandardItem
from .tally import SearchBits, SearchBlock, SearchDirty, SearchFold, Tally, Tone

__all__ = [
    "Bore",
    "BuildCheck",
    "BulkJob",
    "BulkRow",
    "Cable",
    "CapacityPool",
    "Carriage",
    "Chamber",
    "CoSigner",
    "DemandLine",
    "DemandList",
    "DeskComment",
    "DisclosureGrant",
    "Duct",
    "DuctChamber",
    "ExportJob",
    "ImportJob",
    "ImportMapping",
    "ImportRow",
    "Kind",
    "LineCorrection",
    "LineVersion",
    "LookCount",
    "Objection",
    "Reservation",
    "Resource",
    "ResourceDocument",
    "ResourcePhoto",
    "Room",
    "SavedFind",
    "SavedSearch",
    "SearchBits",
    "SearchBlock",
    "SearchChange",
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
