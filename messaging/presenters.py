"""Rows made ready for the conversation's templates: worded, grouped, bounded."""

from collections.abc import Iterable

from accounts.models import Membership

from .models import Message, Thread, ThreadParty
from .permissions import may_post

FIRST_LOAD = 100  # messages shown at first; older ones are fetched on demand


def items_after(thread: Thread, number: int, limit: int = 500) -> list[Message]:
    """Messages after a number, oldest first, at most `limit` (the browser asks again)."""
    rows = thread.messages.filter(number__gt=number).select_related("author", "organisation").order_by("number")
    return list(rows[:limit])


def items_before(thread: Thread, number: int, limit: int = FIRST_LOAD) -> list[Message]:
    """The messages just before a number, oldest first."""
    rows = thread.messages.filter(number__lt=number).select_related("author", "organisation").order_by("-number")
    return list(reversed(rows[:limit]))


def conversation(thread: Thread, membership: Membership | None) -> dict:
    """The context of messaging/_thread.html: the latest messages, whether older exist, whether one may write."""
    items = items_before(thread, thread.last_number + 1)
    return {
        "items": items,
        "has_older": bool(items) and items[0].number > 1,
        "may_post": may_post(membership, thread) and not thread.closed_at,
        "own_organisation_id": membership.organisation_id if membership else None,
        "parties": list(thread.parties.filter(left_at=None).select_related("organisation")),
    }


def attach_latest(threads: Iterable[Thread]) -> None:
    """Sets thread.latest to each thread's last message and thread.party_names, in two queries for all."""
    threads = list(threads)
    latest = {
        message.thread_id: message
        for message in Message.objects.filter(thread__in=threads)
        .select_related("author", "organisation")
        .order_by("thread_id", "-number")
        .distinct("thread_id")
    }
    parties: dict[int, list[str]] = {}
    for party in ThreadParty.objects.filter(thread__in=threads, left_at=None).select_related("organisation"):
        parties.setdefault(party.thread_id, []).append(party.organisation.name)
    for thread in threads:
        thread.latest = latest.get(thread.pk)
        thread.party_names = parties.get(thread.pk, [])
