"""The relay: works the outbox off in the worker. Rings again what was rung (or was not), and tells people.

Fanning out is done here and not where the message is stored, so that saying something costs the same however many
read it. Everything it does can be done twice.
"""

import datetime as dt
from collections import defaultdict

from django.db import connection, transaction
from django.utils import timezone

from accounts.models.organisations import Role

from . import bell
from .hub import ring_of
from .models import Mention, Message, Notification, OutboxEntry, ReadMark, Thread
from .people import memberships_in

BATCH = 500
KEEP = dt.timedelta(minutes=10)  # hubs that were deaf look back 20 s
TOLD_ROLES = (Role.ADMIN, Role.NEGOTIATOR, Role.MEDIATOR, Role.CURATOR)  # who is told of messages of others
RELAY_LOCK = 7310  # advisory: one relay at a time


@transaction.atomic
def relay_once() -> int:
    """Works off up to BATCH entries; gives how many. 0 also where another relay is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [RELAY_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    entries = list(OutboxEntry.objects.filter(done_at=None).order_by("pk")[:BATCH])
    if not entries:
        return 0
    bell.publish([ring_of(entry.kind, entry.thread_id, entry.number, entry.user_id) for entry in entries])
    told = tell_people([(entry.thread_id, entry.number) for entry in entries if entry.kind == entry.Kind.MESSAGE])
    OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).update(done_at=timezone.now())
    transaction.on_commit(lambda: bell.publish([[bell.TOLD, user_id] for user_id in sorted(told)]))
    return len(entries)


def forget_done() -> int:
    """Drops entries worked off some time ago."""
    return OutboxEntry.objects.filter(done_at__lt=timezone.now() - KEEP).delete()[0]


def tell_people(said: list[tuple[int, int]]) -> set[int]:
    """Notifications for (thread, number) pairs; gives the ids of the people told.

    One unread notification per thread and person, however many messages come, and one for each time somebody is
    called by name. Who has read the message already, or said it, is told nothing. A fixed number of queries.
    """
    threads = {thread_id for thread_id, _ in said}
    numbers = {number for _, number in said}
    messages = [
        message
        for message in Message.objects.filter(thread__in=threads, number__in=numbers)
        .exclude(kind__in=[Message.Kind.EVENT, Message.Kind.RETRACT])
        .select_related("thread", "organisation", "author")
        .order_by("pk")
        if (message.thread_id, message.number) in set(said)
    ]
    if not messages:
        return set()
    read = {
        (mark.thread_id, mark.user_id): mark.last_number
        for mark in ReadMark.objects.filter(thread__in=threads).order_by("pk")
    }
    waiting = set(
        Notification.objects.filter(thread__in=threads, code="message.post", read_at=None).values_list(
            "thread_id", "user_id"
        )
    )
    mentioned = defaultdict(set)
    for message_id, user_id in Mention.objects.filter(message__in=messages).values_list("message_id", "user_id"):
        mentioned[message_id].add(user_id)
    there = defaultdict(list)
    for thread_id, membership in memberships_in(threads):
        there[thread_id].append(membership)
    rows: dict[tuple[int, str], Notification] = {}
    for message in messages:
        for membership in there[message.thread_id]:
            user_id = membership.user_id
            if user_id == message.author_id or read.get((message.thread_id, user_id), 0) >= message.number:
                continue
            if user_id in mentioned[message.pk]:
                row = _row(message, membership, "message.mention", f"thread:{message.thread_id}:at:{message.number}")
            elif (
                message.kind == Message.Kind.TEXT
                and membership.organisation_id != message.organisation_id
                and membership.has_role(*TOLD_ROLES)
                and (message.thread_id, user_id) not in waiting
            ):
                waiting.add((message.thread_id, user_id))
                row = _row(message, membership, "message.post", f"thread:{message.thread_id}:{message.number}")
            else:
                continue
            rows.setdefault((user_id, row.key), row)
    Notification.objects.bulk_create(rows.values(), ignore_conflicts=True)
    return {user_id for user_id, _ in rows}


def _row(message: Message, membership, code: str, key: str) -> Notification:
    """No word of what was said: the reader opens it where it may be read."""
    thread: Thread = message.thread
    return Notification(
        user_id=membership.user_id, organisation_id=membership.organisation_id, thread=thread, code=code, key=key,
        payload={
            "organisation": message.organisation.name_zh, "organisation_en": message.organisation.name_en,
            "author": str(message.author), "thread": thread.title,
        },  # fmt: skip
        url=f"/messages/{thread.pk}/",
    )  # fmt: skip
