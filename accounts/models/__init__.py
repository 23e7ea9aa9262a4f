"""Who there is: people, organisations, regions, and the log of what they did."""

from .calendar import CalendarDay
from .events import Event
from .jobs import SweepRun
from .organisations import Invitation, JoinRequest, Membership, Organisation
from .regions import Region, RegionRule
from .sessions import Session
from .users import User

__all__ = [
    "CalendarDay",
    "Event",
    "Invitation",
    "JoinRequest",
    "Membership",
    "Organisation",
    "Region",
    "RegionRule",
    "Session",
    "SweepRun",
    "User",
]
