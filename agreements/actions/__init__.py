"""The verbs of requests and agreements in one place, as pages, the demo world and other rooms call them."""

from .acceptance import add_case_document, record_acceptance
from .approvals import answer_approval, end_approval_rule, set_approval_rule
from .bundles import (
    go_on_partly,
    lapse_undecided,
    replace_leg,
    request_together,
    warn_undecided,
    withdraw_together,
)
from .changes import propose_change
from .clocks import expire_due, warn_due
from .findings import take_findings
from .offers import accept_offer, make_offer
from .queue import join_queue, leave_queue, take_place
from .queue_offers import pass_due, serve_all
from .requests import refuse, request_space, withdraw
from .signing import sign
from .steps import take_step

__all__ = [
    "accept_offer",
    "add_case_document",
    "answer_approval",
    "end_approval_rule",
    "expire_due",
    "go_on_partly",
    "join_queue",
    "lapse_undecided",
    "leave_queue",
    "make_offer",
    "pass_due",
    "propose_change",
    "record_acceptance",
    "refuse",
    "replace_leg",
    "request_space",
    "request_together",
    "serve_all",
    "set_approval_rule",
    "sign",
    "take_findings",
    "take_place",
    "take_step",
    "warn_due",
    "warn_undecided",
    "withdraw",
    "withdraw_together",
]
