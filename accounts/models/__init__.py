"""Who there is: people, organisations, regions, and the log of what they did."""

from .events import Event
from .jobs import SweepRun
from .organisations import Invitation, JoinRequest, Membership, Organisation
from .regions import Region, RegionRule
from .users import User

__all__ = [
    "Event",
    "Invitation",
    "JoinRequest",
    "Membership",
    "Organisation",
    "Region",
    "RegionRule",
    "SweepRun",
    "User",
]
