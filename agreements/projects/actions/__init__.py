"""The verbs of works built together, as pages, the demonstration world and other rooms call them."""

from .agreeing import agree, sign
from .approving import answer_approval
from .from_proposals import open_from_proposal
from .joining import answer, join, leave
from .notice import cancel, close, publish, save
from .reservation import answer_reservation, escalate_due, reserve
from .works import (
    add_document,
    advance,
    checklist_for,
    inspect,
    missing_papers,
    plan_milestone,
    reach_milestone,
    record_payment,
)

__all__ = [
    "add_document", "advance", "agree", "answer", "answer_approval", "answer_reservation", "cancel", "checklist_for",
    "close", "escalate_due", "inspect", "join", "leave", "missing_papers", "open_from_proposal",
    "plan_milestone", "publish", "reach_milestone", "record_payment", "reserve", "save", "sign",
]  # fmt: skip
