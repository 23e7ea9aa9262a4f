"""Rows made ready for the conversation's templates: worded, grouped, bounded."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import F, Max, Prefetch, QuerySet
from django.utils.translation import gettext as _

from accounts.models import Membership, Organisation

from . import subjects
from .models import Attachment, Message, ReadMark, Thread, ThreadChoice, ThreadExport, ThreadParty
from .permissions import may_post

FIRST_LOAD = 100  # messages shown at first; older ones are fetched on demand
PULL_MAX = 500  # at most so many at once; the browser asks again


def _rows(thread: Thread) -> QuerySet[Message]:
    """Messages with all that a page shows of them. A fixed number of queries."""
    return _rows_of(thread.messages.all())


def _rows_of(messages: QuerySet[Message]) -> QuerySet[Message]:
    corrections = Message.objects.select_related("author").order_by("number")
    files = Attachment.objects.order_by("pk")
    return messages.select_related(
        "author", "organisation", "corrects__author", "corrects__organisation"
    ).prefetch_related(
        Prefetch("corrections", corrections, to_attr="history"),
        Prefetch("corrects__corrections", corrections, to_attr="history"),
        Prefetch("attachments", files, to_attr="files"),
        Prefetch("corrects__attachments", files, to_attr="files"),
    )


def items_chosen(chosen: Any) -> list[Message]:
    """The messages whose ids the expression gives, by thread and number. They have only just been said: what corrects
    one of them is among them, so the rest is asked for only where it is there. Queries once, or up to four times."""
    rows = Message.objects.filter(pk__in=chosen).order_by("thread_id", "number")
    items = list(rows.select_related("author", "organisation", "thread"))
    if any(item.corrects_id for item in items):
        return _ready(_rows_of(rows.select_related("thread")))
    files: dict[int, list[Attachment]] = defaultdict(list)
    if carrying := [item.pk for item in items if item.attachment_count]:
        for file in Attachment.objects.filter(message__in=carrying).order_by("pk"):
            files[file.message_id].append(file)
    threads: dict[int, Thread] = {}
    for item in items:
        item.history, item.files = [], files[item.pk]
        item.thread = threads.setdefault(item.thread_id, item.thread)
    return _ready(items)


def word_places(items: Iterable[Message]) -> None:
    """Pinned places anew in the words of the language that is active."""
    for item in items:
        for message in filter(None, [item, item.corrects]):
            message.place = place_text(message)


def _ready(messages: Iterable[Message]) -> list[Message]:
    """With what each says now: item.said, item.is_retracted, item.was (earlier wordings), item.place."""
    items = list(messages)
    for item in items:
        if item.corrects:
            item.corrects.thread = item.thread
        for message in filter(None, [item, item.corrects]):
            _settle(message)
    return items


def _settle(message: Message) -> None:
    edits = [row for row in message.history if row.kind == Message.Kind.EDIT]
    wordings = [message, *edits]
    message.said = wordings[-1].body
    message.was = wordings[:-1]
    message.is_retracted = any(row.kind == Message.Kind.RETRACT for row in message.history)
    if message.is_retracted:
        message.was = [row for row in wordings if row.body]
    message.place = place_text(message)


def place_text(message: Message) -> str:
    """The pinned point or line in words: longitude, latitude in degrees (WGS 84)."""
    if message.shape is None:
        return ""
    if message.shape.geom_type == "Point":
        return f"{message.shape.x:.6f}, {message.shape.y:.6f}"
    metres = sum_metres(message.shape.coords)
    return _("line with %(count)d corners, %(metres)d m") % {"count": len(message.shape.coords), "metres": metres}


def sum_metres(coords) -> int:
    """Length along the corners (lon, lat) on the sphere of radius 6,371,008.8 m, in whole metres. Pure."""
    from math import asin, cos, radians, sin, sqrt

    total = 0.0
    for (lon1, lat1), (lon2, lat2) in zip(coords, coords[1:], strict=False):
        a, b = radians(lat1), radians(lat2)
        h = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(lon2 - lon1) / 2) ** 2
        total += 2 * 6_371_008.8 * asin(sqrt(min(1.0, h)))
    return round(total)


def items_after(thread: Thread, number: int, limit: int = PULL_MAX) -> list[Message]:
    """Messages after a number, oldest first, at most `limit` (the browser asks again)."""
    return _ready(_rows(thread).filter(number__gt=number).order_by("number")[:limit])


def items_before(thread: Thread, number: int, limit: int = FIRST_LOAD) -> list[Message]:
    """The messages just before a number, oldest first."""
    return list(reversed(_ready(_rows(thread).filter(number__lt=number).order_by("-number")[:limit])))


def pinned(thread: Thread) -> list[Message]:
    """Messages that carry a place or a line, oldest first."""
    return _ready(_rows(thread).filter(shape__isnull=False).order_by("number"))


def whole_thread(thread: Thread, up_to: int) -> list[Message]:
    """Everything up to a number, oldest first."""
    return _ready(_rows(thread).filter(number__lte=up_to).order_by("number"))


def receipts(thread: Thread) -> dict[int, list[int]]:
    """By organisation how far the thread has reached it and how far it was read: {id: [delivered, read]}. Queries once.

    Of each organisation the furthest counts: read by one is read by the organisation.
    """
    return receipts_of([thread.pk]).get(thread.pk, {})


def receipts_of(thread_ids: Iterable[int]) -> dict[int, dict[int, list[int]]]:
    """The same for several threads: {thread: {organisation: [delivered, read]}}. Queries once."""
    rows = (
        ReadMark.objects.filter(
            thread__in=list(thread_ids),
            user__memberships__ended_at=None,
            user__memberships__organisation__thread_parties__thread=F("thread"),
            user__memberships__organisation__thread_parties__left_at=None,
        )
        .order_by()
        .values("thread", "user__memberships__organisation")
        .annotate(delivered=Max("delivered_number"), read=Max("last_number"))
    )
    found: dict[int, dict[int, list[int]]] = {}
    for row in rows:
        organisation_id = row["user__memberships__organisation"]
        found.setdefault(row["thread"], {})[organisation_id] = [row["delivered"], row["read"]]
    return found


def parties_of(thread: Thread) -> list[Organisation]:
    """The organisations taking part now, in the order they joined. Queries once."""
    parties = ThreadParty.objects.present().filter(thread=thread).select_related("organisation").order_by("pk")
    return [party.organisation for party in parties.defer("organisation__region")]


def conversation(thread: Thread, membership: Membership | None, around: int = 0) -> dict:
    """The context of messaging/_thread.html: messages, whether older exist, whether one may write.

    around: a number that must be among them (from a search). A fixed number of queries.
    """
    items = items_before(thread, thread.last_number + 1)
    while around and items and items[0].number > max(1, around - 5) and len(items) < 2_000:
        items = items_before(thread, items[0].number, limit=500) + items
    subject = subjects.of(thread)
    may_write = may_post(membership, thread) and not thread.closed_at
    parties = parties_of(thread)
    there = {party.pk for party in parties}
    choice = ThreadChoice.objects.filter(thread=thread, user=membership.user_id).first() if membership else None
    return {
        "items": items,
        "has_older": bool(items) and items[0].number > 1,
        "may_post": may_write,
        "own_organisation_id": membership.organisation_id if membership else None,
        "own_user_id": membership.user_id if membership else None,
        "parties": parties,
        "party_names": json.dumps({party.pk: party.name for party in parties}, ensure_ascii=False),
        "receipts": json.dumps(receipts(thread)),
        "things": list(subject.things(thread.subject, membership)) if may_write else [],
        "topics": Message.Topic.choices,
        "bureaus": [b for b in subject.bureaus(thread.subject) if b.pk not in there] if may_write else [],
        "mail_choice": choice.mail if choice else "",
        "has_places": thread.messages.filter(shape__isnull=False).exists(),
        "export": (
            ThreadExport.objects.filter(thread=thread, organisation=membership.organisation_id).first()
            if membership
            else None
        ),
    }


def attach_latest(threads: Iterable[Thread]) -> None:
    """Sets thread.latest to each thread's last message and thread.party_names, in two queries for all."""
    threads = list(threads)
    rows = (
        Message.objects.filter(thread__in=threads)
        .exclude(kind__in=[Message.Kind.EDIT, Message.Kind.RETRACT])
        .select_related("author", "organisation")
        .prefetch_related(Prefetch("corrections", Message.objects.order_by("number"), to_attr="history"))
        .order_by("thread_id", "-number")
        .distinct("thread_id")
    )
    latest = {message.thread_id: message for message in rows}
    for message in latest.values():
        _settle(message)
    parties: dict[int, list[str]] = defaultdict(list)
    for party in ThreadParty.objects.present().filter(thread__in=threads).select_related("organisation"):
        parties[party.thread_id].append(party.organisation.name)
    for thread in threads:
        thread.latest = latest.get(thread.pk)
        thread.party_names = parties.get(thread.pk, [])
        thread.kind = subjects.of(thread).kind
