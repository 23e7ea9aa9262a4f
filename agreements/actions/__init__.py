"""The verbs of requests and agreements in one place, as pages, the demo world and other rooms call them."""

from .acceptance import add_case_document, record_acceptance
from .approvals import answer_approval, end_approval_rule, set_approval_rule
from .changes import propose_change
from .clocks import expire_due, warn_due
from .findings import take_findings
from .offers import accept_offer, make_offer
from .queue import join_queue, leave_queue, take_place
from .queue_offers import pass_due, serve_all
from .requests import refuse, request_space, request_together, withdraw
from .signing import sign
from .steps import take_step

__all__ = [
    "accept_offer",
    "add_case_document",
    "answer_approval",
    "end_approval_rule",
    "expire_due",
    "join_queue",
    "leave_queue",
    "make_offer",
    "pass_due",
    "propose_change",
    "record_acceptance",
    "refuse",
    "request_space",
    "request_together",
    "serve_all",
    "set_approval_rule",
    "sign",
    "take_findings",
    "take_place",
    "take_step",
    "warn_due",
    "withdraw",
]
