"""The verbs of requests and agreements in one place, as pages, the demo world and other rooms call them."""

from .clocks import expire_due, warn_due
from .offers import accept_offer, make_offer
from .requests import refuse, request_space, request_together, withdraw
from .signing import sign
from .steps import take_step

__all__ = [
    "accept_offer",
    "expire_due",
    "make_offer",
    "refuse",
    "request_space",
    "request_together",
    "sign",
    "take_step",
    "warn_due",
    "withdraw",
]
