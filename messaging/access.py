"""The one way to a thread by its number: 404 for everybody who does not take part."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from .models import Message, Thread


def thread_of(request: HttpRequest, pk: int) -> Thread:
    """The thread, if the person's active organisation takes part through them; 404 otherwise."""
    return get_object_or_404(Thread.objects.readable_by(request.membership), pk=pk)  # type: ignore[attr-defined]


def message_of(request: HttpRequest, pk: int, number: int) -> Message:
    """A message of such a thread."""
    rows = Message.objects.select_related("thread", "author", "organisation")
    return get_object_or_404(rows, thread=thread_of(request, pk), number=number)
