"""The verbs of requests and agreements in one place, as pages, the demo world and other rooms call them."""

from .acceptance import add_case_document, record_acceptance
from .clocks import expire_due, warn_due
from .offers import accept_offer, make_offer
from .queue import join_queue, leave_queue, take_place
from .queue_offers import pass_due, serve_all
from .requests import refuse, request_space, request_together, withdraw
from .signing import sign
from .steps import take_step

__all__ = [
    "accept_offer",
    "add_case_document",
    "expire_due",
    "join_queue",
    "leave_queue",
    "make_offer",
    "pass_due",
    "record_acceptance",
    "refuse",
    "request_space",
    "request_together",
    "serve_all",
    "sign",
    "take_place",
    "take_step",
    "warn_due",
    "withdraw",
]
