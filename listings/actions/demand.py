"""The demand side's verbs in one place, as other rooms call them: demand.publish(…), demand.fulfil(…)."""

from .demand_lines import (
    add_line,
    add_lines,
    delete_draft_line,
    delete_draft_lines,
    edit_line,
    edit_lines,
    fulfil,
    mark_requested,
    reopen,
    withdraw_line,
)
from .demand_lists import (
    bring_into_force,
    close,
    create_list,
    edit_list,
    make_objection,
    publish,
    send_back,
    submit,
)

__all__ = [
    "add_line",
    "add_lines",
    "bring_into_force",
    "close",
    "create_list",
    "delete_draft_line",
    "delete_draft_lines",
    "edit_line",
    "edit_lines",
    "edit_list",
    "fulfil",
    "make_objection",
    "mark_requested",
    "publish",
    "reopen",
    "send_back",
    "submit",
    "withdraw_line",
]
