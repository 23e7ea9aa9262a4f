"""How far people have got: what reached their browser, and what they read."""

from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from messaging.bell import ring_marks
from messaging.models import Notification, Thread

# Forward only, and never past the last message. Gives nothing where nothing moved.
SQL = """
INSERT INTO messaging_readmark AS mark (thread_id, user_id, last_number, delivered_number, updated_at)
SELECT t.id, %(user)s, least(%(read)s, t.last_number), least(greatest(%(read)s, %(delivered)s), t.last_number), now()
FROM messaging_thread t WHERE t.id = %(thread)s
ON CONFLICT (thread_id, user_id) DO UPDATE
SET last_number = greatest(mark.last_number, excluded.last_number),
    delivered_number = greatest(mark.delivered_number, excluded.delivered_number), updated_at = now()
WHERE mark.last_number < excluded.last_number OR mark.delivered_number < excluded.delivered_number
RETURNING last_number
"""


@transaction.atomic
def mark(*, thread: Thread, by: User, read: int = 0, delivered: int = 0, is_told: bool = True) -> bool:
    """Moves a person's marks forward, never back; whether one moved. The others' pages are rung (is_told), and
    notifications about the thread count as read with it."""
    with connection.cursor() as cursor:
        cursor.execute(SQL, {"user": by.pk, "thread": thread.pk, "read": read, "delivered": delivered})
        has_moved = cursor.fetchone() is not None
    if is_told and has_moved:
        if read:
            Notification.objects.filter(user=by, thread=thread, code__startswith="message.", read_at=None).update(
                read_at=timezone.now()
            )
        transaction.on_commit(partial(ring_marks, thread), robust=True)
    return has_moved


def mark_read(*, thread: Thread, by: User, number: int) -> None:
    """The person has read the thread up to the number."""
    mark(thread=thread, by=by, read=number)
