"""The life of a demand list and of its lines: who owns each state, and what leads from it where.

Buttons, actions and the diagram in docs all read these dicts; tests hold them total.
"""

from dataclasses import dataclass

from accounts.models.organisations import Role
from listings.models import DemandLine, DemandList

CLOCK = "clock"  # moved by a sweep, never by a person
AGREEMENT = "agreement"  # moved by what happens to a request for the line

ListState = DemandList.State
LineState = DemandLine.State


@dataclass(frozen=True)
class Move:
    """One transition: where it leads, which roles of the list's bureau make it (empty: nobody, see owner)."""

    to: str
    roles: tuple[str, ...] = ()
    needs_reason: bool = False


# Who has to act while a list is in the state.
LIST_OWNERS: dict[str, str | None] = {
    ListState.DRAFT: Role.CURATOR,
    ListState.SUBMITTED: Role.PUBLISHER,
    ListState.NOTICE: CLOCK,
    ListState.IN_FORCE: Role.CURATOR,
    ListState.CLOSED: None,
}

LIST_MOVES: dict[str, dict[str, Move]] = {
    ListState.DRAFT: {"submit": Move(ListState.SUBMITTED, (Role.CURATOR,))},
    ListState.SUBMITTED: {
        "publish": Move(ListState.NOTICE, (Role.PUBLISHER,)),
        "send_back": Move(ListState.DRAFT, (Role.PUBLISHER,), needs_reason=True),
    },
    ListState.NOTICE: {
        "bring_into_force": Move(ListState.IN_FORCE),
        "close": Move(ListState.CLOSED, (Role.CURATOR, Role.PUBLISHER), needs_reason=True),
    },
    ListState.IN_FORCE: {"close": Move(ListState.CLOSED, (Role.CURATOR, Role.PUBLISHER), needs_reason=True)},
    ListState.CLOSED: {},
}

LINE_OWNERS: dict[str, str | None] = {
    LineState.OPEN: AGREEMENT,
    LineState.REQUESTED: AGREEMENT,
    LineState.FULFILLED: None,
    LineState.WITHDRAWN: None,
}

LINE_MOVES: dict[str, dict[str, Move]] = {
    LineState.OPEN: {
        "mark_requested": Move(LineState.REQUESTED),
        "fulfil": Move(LineState.FULFILLED),
        "withdraw": Move(LineState.WITHDRAWN, (Role.CURATOR,), needs_reason=True),
    },
    LineState.REQUESTED: {
        "reopen": Move(LineState.OPEN),
        "fulfil": Move(LineState.FULFILLED),
        "withdraw": Move(LineState.WITHDRAWN, (Role.CURATOR,), needs_reason=True),
    },
    LineState.FULFILLED: {"reopen": Move(LineState.OPEN)},  # its agreement lapsed or was given up before operation
    LineState.WITHDRAWN: {},
}

# In which states of its list a line can be written, and withdrawn.
LINES_WRITABLE_IN = (ListState.DRAFT,)
LINES_WITHDRAWABLE_IN = (ListState.NOTICE, ListState.IN_FORCE)


def move(state: str, verb: str) -> Move | None:
    """The list's transition by this verb out of the state; None where there is none."""
    return LIST_MOVES[state].get(verb)


def line_move(state: str, verb: str) -> Move | None:
    """The line's transition by this verb out of the state; None where there is none."""
    return LINE_MOVES[state].get(verb)
