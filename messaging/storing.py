"""The statements by which something is said, written by hand: this is the path every message takes, and what the ORM
spends on composing them was more than the database spends on running them.

SAY does all of an ordinary message at once, a transaction of its own (docs/adr/0111). What carries files, calls
somebody by name or corrects is stored in two, LOCK and STORE, with the rest of its transaction around them.
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from accounts import prepared

from .models import Message, Thread

FACTS = """
SELECT t.last_number, t.closed_at,
  EXISTS (
    SELECT 1 FROM messaging_threadparty p WHERE p.thread_id = t.id AND p.left_at IS NULL
    AND p.organisation_id = %(organisation)s AND (p.roles = '{}' OR p.roles && %(roles)s::varchar[])
  ),
  (SELECT m.id FROM messaging_message m
   WHERE m.thread_id = t.id AND m.author_id = %(author)s AND m.client_uuid = %(key)s),
  (SELECT count(*) FROM messaging_message m
   WHERE m.author_id = %(author)s AND m.created_at > now() - %(window)s AND m.kind <> 'event')
FROM messaging_thread t WHERE t.id = %(thread)s
"""
LOCK = f"{FACTS}FOR NO KEY UPDATE OF t\n"

# The thread grows by one: its row is locked by this until the transaction ends, which makes the numbers dense.
GROW = """
  UPDATE messaging_thread t SET last_number = t.last_number + 1, last_message_at = clock_timestamp()"""
# The number, the message, what it owes the world, the author's own mark (who says something has read the rest) and the
# row of the audit log.
_REST = """
  RETURNING t.last_number, t.last_message_at
), said AS (
  INSERT INTO messaging_message (thread_id, number, kind, topic, author_id, organisation_id, body, corrects_id,
    about_type_id, about_id, about_label, shape, attachment_count, event_code, payload, client_uuid, created_at)
  SELECT %(thread)s, last_number, %(kind)s, %(topic)s, %(author)s, %(organisation)s, %(body)s, %(corrects)s,
    %(about_type)s, %(about_id)s, %(about_label)s, ST_GeomFromEWKT(%(shape)s), %(attachment_count)s, %(event_code)s,
    %(payload)s::jsonb, %(key)s, last_message_at
  FROM grown RETURNING id, number, created_at
), owed AS (
  INSERT INTO messaging_outboxentry (kind, thread_id, number, created_at)
  SELECT 'message', %(thread)s, number, created_at FROM said
), marked AS (
  INSERT INTO messaging_readmark AS mark (thread_id, user_id, last_number, delivered_number, updated_at)
  SELECT %(thread)s, %(author)s, number, number, created_at FROM said WHERE %(kind)s <> 'event'
  ON CONFLICT (thread_id, user_id) DO UPDATE
  SET last_number = excluded.last_number, delivered_number = excluded.delivered_number, updated_at = excluded.updated_at
), told AS (
  INSERT INTO accounts_event (at, actor_id, organisation_id, verb, subject_type_id, subject_id, subject_label, before,
    after, reason)
  SELECT created_at, %(author)s, %(organisation)s, %(verb)s, %(message_type)s, id::text,
    concat(%(thread)s::text, '#', number), NULL, jsonb_build_object('number', number), ''
  FROM said WHERE %(verb)s <> ''
)
"""
STORE = f"WITH grown AS ({GROW} WHERE t.id = %(thread)s{_REST}SELECT id, number, created_at FROM said"
# The rules of actions/talk.py stand here as conditions; where one does not hold nothing is stored, and the facts tell
# the action which. Two at once with one key: the second waits for the row, and the constraint stops it.
SAY = f"""
WITH facts (last_number, closed_at, is_party, made, sent_lately) AS MATERIALIZED ({FACTS}), grown AS ({GROW}
  FROM facts
  WHERE t.id = %(thread)s AND t.closed_at IS NULL AND facts.is_party AND facts.made IS NULL
  AND facts.sent_lately < %(cap)s{_REST}
SELECT facts.*, said.id, said.number, said.created_at FROM facts LEFT JOIN said ON true
"""
TYPES = {
    "thread": "bigint", "author": "bigint", "organisation": "bigint", "roles": "varchar[]", "key": "uuid",
    "window": "interval", "kind": "varchar", "topic": "varchar", "body": "text", "corrects": "bigint",
    "about_type": "integer", "about_id": "bigint", "about_label": "varchar", "shape": "text",
    "attachment_count": "integer", "event_code": "varchar", "payload": "jsonb", "verb": "varchar",
    "message_type": "integer", "cap": "integer",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What is known of a thread once its row is locked. made: the message sent with this key before."""

    last_number: int
    closed_at: dt.datetime | None
    is_party: bool
    made: int | None
    sent_lately: int


def lock(
    thread_id: int,
    *,
    author_id: int | None,
    organisation_id: int | None,
    roles: list[str],
    key: UUID,
    window: dt.timedelta,
) -> Facts:
    """Locks the thread's row until the transaction ends. Raises Thread.DoesNotExist."""
    with connection.cursor() as cursor:
        values = {
            "thread": thread_id, "author": author_id, "organisation": organisation_id, "roles": list(roles),
            "key": str(key), "window": window,
        }  # fmt: skip
        prepared.execute(cursor, LOCK, values, TYPES)
        row = cursor.fetchone()
    if row is None:
        raise Thread.DoesNotExist
    return Facts(*row)


def store(thread: Thread, *, client_uuid: UUID, verb: str = "", **fields: Any) -> Message:
    """Gives the next number and stores the message with what it owes. The thread's row is locked by the caller.

    verb: what the audit log says was done ("message.post"); "" where the caller records the event himself.
    """
    message = Message(thread=thread, client_uuid=client_uuid, **fields)
    with connection.cursor() as cursor:
        prepared.execute(cursor, STORE, _values(message, verb), TYPES)
        _stored(message, *cursor.fetchone())
    return message


def say(
    thread: Thread,
    *,
    client_uuid: UUID,
    roles: list[str],
    window: dt.timedelta,
    cap: int,
    verb: str,
    **fields: Any,
) -> tuple[Facts, Message | None]:
    """Stores an ordinary message of somebody who may write, if the facts allow it; None where they do not.

    cap: how many the author may have sent within the window before this one. Raises Thread.DoesNotExist, and
    IntegrityError where the same key is being stored at the same moment.
    """
    message = Message(thread=thread, client_uuid=client_uuid, **fields)
    values = {**_values(message, verb), "roles": list(roles), "window": window, "cap": cap}
    with connection.cursor() as cursor:
        prepared.execute(cursor, SAY, values, TYPES)
        row = cursor.fetchone()
    if row is None:
        raise Thread.DoesNotExist
    facts, found = Facts(*row[:5]), row[5:]
    return facts, _stored(message, *found) if found[0] else None


def _values(message: Message, verb: str) -> dict[str, Any]:
    return {
        "thread": message.thread_id, "kind": message.kind, "topic": message.topic, "author": message.author_id,
        "organisation": message.organisation_id, "body": message.body, "corrects": message.corrects_id,
        "about_type": message.about_type_id, "about_id": message.about_id, "about_label": message.about_label,
        "shape": message.shape.ewkt if message.shape else None, "attachment_count": message.attachment_count,
        "event_code": message.event_code, "payload": json.dumps(message.payload), "key": str(message.client_uuid),
        "verb": verb, "message_type": ContentType.objects.get_for_model(Message).pk,
    }  # fmt: skip


def _stored(message: Message, pk: int, number: int, created_at: dt.datetime) -> Message:
    """The message with what the database gave it."""
    message.pk, message.number, message.created_at = pk, number, created_at
    message._state.adding, message._state.db = False, "default"
    return message
