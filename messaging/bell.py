"""The doorbell: says over the channel layer that something is new, never what. Losing a ring loses nothing:
browsers pull after their last number on every ring, on reconnect and by a timer."""

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from accounts.models import User

from .models import Thread

log = logging.getLogger(__name__)


def user_group(user_id: int) -> str:
    return f"user.{user_id}"


def _ring(group: str, message: dict[str, object]) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group, message)
    except Exception:
        # Redis away: the message is stored, browsers find it by their timer. Never fail the request for a bell.
        log.warning("could not ring %s", group, exc_info=True)


def ring_thread(thread: Thread, number: int) -> None:
    """Tells open browsers on the thread that it has grown to this number."""
    _ring(thread.group_name, {"type": "thread.grown", "thread": thread.pk, "number": number})


def ring_user(user: User) -> None:
    """Tells the person's open browsers that there is a notification."""
    _ring(user_group(user.pk), {"type": "person.told"})
