"""The states of a resource: which act leads where, and what the act is called. The owner owns every state.

Buttons and actions ask the same functions; listings/permissions.py adds who may.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from listings.models import Resource

State = Resource.State


@dataclass(frozen=True)
class Transition:
    """verb: sources → target. confirm: the consequence named before it is done, where it needs naming."""

    verb: str
    sources: tuple[str, ...]
    target: str
    label: str | Promise
    past: str | Promise
    confirm: str | Promise = ""


TRANSITIONS: dict[str, Transition] = {
    t.verb: t
    for t in (
        Transition("publish", (State.DRAFT,), State.PUBLISHED, _("Publish"), _("Published.")),
        Transition(
            "suspend",
            (State.PUBLISHED,),
            State.SUSPENDED,
            _("Suspend"),
            _("Suspended: it is no longer shown, and takes no new requests."),
            _("It will no longer be shown and take no new requests. What is reserved stays reserved."),
        ),
        Transition("resume", (State.SUSPENDED,), State.PUBLISHED, _("Publish again"), _("Published again.")),
        Transition(
            "retire",
            (State.PUBLISHED, State.SUSPENDED),
            State.RETIRED,
            _("Retire"),
            _("Retired."),
            _("A retired resource cannot be brought back. Its agreements and history stay readable."),
        ),
    )
}
DELETABLE = (State.DRAFT,)
EDITABLE = (State.DRAFT, State.PUBLISHED, State.SUSPENDED)


def why_not_from(verb: str, state: str) -> str:
    """The sentence why the state does not allow the act; "" when it does."""
    transition = TRANSITIONS[verb]
    if state in transition.sources:
        return ""
    return str(
        _("It is %(state)s; only %(wanted)s resources can do this.")
        % {
            "state": str(State(state).label).lower(),
            "wanted": " / ".join(str(State(s).label).lower() for s in transition.sources),
        }
    )
