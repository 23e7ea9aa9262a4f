"""Finding conversations and messages among those one may read; words of one and two characters as well."""

from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, TextField

from accounts.models import Membership

from .models import Attachment, Mention, Message, Thread, ThreadParty

QUERY_MAX = 100
FOUND_MAX = 20  # messages shown above the threads


class Grams(Func):
    """message_grams(body), as the index holds it (migration 0004)."""

    function = "message_grams"
    output_field = ArrayField(TextField())


def grams(query: str) -> list[str]:
    """What message_grams() of a text that holds the query must hold: its pairs, or its one Chinese character.

    Empty where the index cannot help (one Latin letter). Pure; mirrors the function in migration 0004.
    """
    text = query.lower()
    if len(text) == 1:
        return [text] if ord(text) >= 0x2E80 else []
    return sorted({text[i : i + 2] for i in range(len(text) - 1)})


def saying(rows: QuerySet[Message], query: str) -> QuerySet[Message]:
    """Messages whose body holds the query, letter case aside. By index where the query has two characters or more."""
    if found := grams(query):
        rows = rows.annotate(grams=Grams(F("body"))).filter(grams__contains=found)
    return rows.filter(body__icontains=query)


def messages_found(membership: Membership | None, query: str) -> list[Message]:
    """The latest messages one may read that say the query, or carry a file of that name. Queries twice."""
    readable = Thread.objects.readable_by(membership).order_by().values("pk")
    said = saying(Message.objects.filter(thread__in=readable), query).order_by().values("pk")
    files = Attachment.objects.filter(name__icontains=query, message__thread__in=readable).order_by().values("message")
    rows = Message.objects.filter(Q(pk__in=said) | Q(pk__in=files)).select_related("thread", "author", "organisation")
    return list(rows.order_by("-created_at", "-pk")[:FOUND_MAX])


def threads_found(threads: QuerySet[Thread], query: str) -> QuerySet[Thread]:
    """Of these threads the ones whose title, parties, files or messages hold the query."""
    readable = threads.order_by().values("pk")
    said = saying(Message.objects.filter(thread__in=readable), query).order_by().values("thread")
    files = Attachment.objects.filter(name__icontains=query, message__thread__in=readable).order_by()
    named = ThreadParty.objects.present().filter(thread__in=readable)
    named = named.filter(Q(organisation__name_zh__icontains=query) | Q(organisation__name_en__icontains=query))
    return threads.filter(
        Q(title__icontains=query)
        | Q(pk__in=said)
        | Q(pk__in=files.values("message__thread"))
        | Q(pk__in=named.order_by().values("thread"))
    )


def mentioning(threads: QuerySet[Thread], user) -> QuerySet[Thread]:
    """Threads in which the person is called by name."""
    return threads.filter(Exists(Mention.objects.filter(user=user, message__thread=OuterRef("pk"))))


def excerpt(text: str, query: str, around: int = 40) -> str:
    """The piece of the text around the query, with dots where it was cut. Pure."""
    at = text.lower().find(query.lower())
    begin = max(0, at - around)
    end = min(len(text), max(at, 0) + len(query) + around)
    return f"{'…' if begin else ''}{' '.join(text[begin:end].split())}{'…' if end < len(text) else ''}"
