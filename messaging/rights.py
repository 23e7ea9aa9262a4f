"""Who may hear at a socket: asked for many sockets at once, in two queries, when they open and again and again."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import Session, User
from accounts.sessions import SessionStore

SIGNED_OUT, RIGHTS_CHANGED, NOT_A_PARTY, CLOSED = 4401, 4403, 4404, 4410  # what a socket is closed with

# For each pair of a person and a thread asked about: the person's memberships, and whether the organisation takes part
# through them. By pairs: where an organisation has many people and threads, all by all would be a square of rows.
SQL = """
SELECT u.id, u.password, m.organisation_id, m.roles, t.id, t.closed_at IS NOT NULL, coalesce(c.is_shown, true)
FROM unnest(%s::bigint[], %s::bigint[]) AS asked (user_id, thread_id)
JOIN accounts_user u ON u.id = asked.user_id AND u.is_active
LEFT JOIN accounts_membership m ON m.user_id = u.id AND m.ended_at IS NULL
LEFT JOIN messaging_threadparty p ON p.thread_id = asked.thread_id AND p.organisation_id = m.organisation_id
  AND p.left_at IS NULL AND (p.roles = '{}' OR p.roles && m.roles)
LEFT JOIN messaging_thread t ON t.id = p.thread_id
LEFT JOIN messaging_presencechoice c ON c.organisation_id = m.organisation_id
"""


class Card(NamedTuple):
    """What a socket shows at the door: its session, and the thread it asks about (0: none)."""

    session_key: str
    thread_id: int


@dataclass(frozen=True, slots=True)
class Admission:
    """user_id; rights: (organisation, role) pairs; speaks_for: organisations that take part in the thread through
    this person; shown: those of them that let others see they are there."""

    user_id: int
    rights: frozenset[tuple[int, str]]
    speaks_for: tuple[int, ...]
    shown: tuple[int, ...]


def admissions(cards: Iterable[Card], *, now: dt.datetime | None = None) -> dict[Card, Admission | int]:
    """For each card who it is, or the code its socket is to be closed with. Queries twice however many there are."""
    cards = set(cards)
    users = _users_of({card.session_key for card in cards}, now or timezone.now())
    pairs = sorted({(users[card.session_key][0], card.thread_id) for card in cards if card.session_key in users})
    with connection.cursor() as cursor:
        cursor.execute(SQL, [[user_id for user_id, _ in pairs], [thread_id for _, thread_id in pairs]])
        rows = cursor.fetchall()
    hashes, rights, talks = {}, {}, {}  # type: ignore[var-annotated]
    for user_id, password, organisation_id, roles, thread_id, is_closed, is_shown in rows:
        hashes[user_id] = password
        for role in roles or []:
            rights.setdefault(user_id, set()).add((organisation_id, role))
        if thread_id:
            talks.setdefault((user_id, thread_id), {})[organisation_id] = (is_closed, is_shown)
    valid = {user_id: _session_hashes(password) for user_id, password in hashes.items()}
    answers: dict[Card, Admission | int] = {}
    for card in cards:
        user_id, session_hash = users.get(card.session_key, (0, ""))
        if not any(constant_time_compare(session_hash, good) for good in valid.get(user_id, ())):
            answers[card] = SIGNED_OUT
            continue
        talk = talks.get((user_id, card.thread_id), {})
        if card.thread_id and not talk:
            answers[card] = NOT_A_PARTY
        elif card.thread_id and any(is_closed for is_closed, _ in talk.values()):
            answers[card] = CLOSED
        else:
            shown = tuple(sorted(pk for pk, (_, is_shown) in talk.items() if is_shown))
            answers[card] = Admission(user_id, frozenset(rights.get(user_id, ())), tuple(sorted(talk)), shown)
    return answers


def _users_of(session_keys: set[str], now: dt.datetime) -> dict[str, tuple[int, str]]:
    """By session key: who signed in with it, and the hash of the password it was made with."""
    found = {}
    store = SessionStore()
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=now)
    for key, data in sessions.order_by().values_list("session_key", "session_data"):
        values = store.decode(data)
        if str(values.get(SESSION_KEY, "")).isdecimal():
            found[key] = (int(values[SESSION_KEY]), values.get(HASH_SESSION_KEY, ""))
    return found


def _session_hashes(password: str) -> list[str]:
    """What a session of somebody with this password hash carries; also under keys that are being changed."""
    user = User(password=password)
    return [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
