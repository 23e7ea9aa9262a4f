"""The verbs of works built together, as pages, the demonstration world and other rooms call them."""

from .agreeing import agree, sign
from .from_proposals import open_from_proposal
from .joining import answer, join, leave
from .notice import cancel, close, publish, save
from .reservation import answer_reservation, escalate_due, reserve
from .works import advance, judge

__all__ = [
    "advance", "agree", "answer", "answer_reservation", "cancel", "close", "escalate_due", "join", "judge",
    "leave", "open_from_proposal", "publish", "reserve", "save", "sign",
]  # fmt: skip
