"""Who may read and write in a thread."""

from accounts.models import Membership
from accounts.models.organisations import Role

from .models import Thread

WRITING_ROLES = (Role.ADMIN, Role.NEGOTIATOR, Role.SIGNATORY, Role.MEDIATOR, Role.PUBLISHER, Role.CURATOR)


def may_read(membership: Membership | None, thread: Thread) -> bool:
    """Whether the member's organisation is a party of the thread now. Queries once."""
    return bool(membership) and Thread.objects.readable_by(membership).filter(pk=thread.pk).exists()


def may_post(membership: Membership | None, thread: Thread) -> bool:
    """Readers who hold a role that speaks for the organisation. Queries once."""
    return bool(membership) and membership.has_role(*WRITING_ROLES) and may_read(membership, thread)  # type: ignore[union-attr]
