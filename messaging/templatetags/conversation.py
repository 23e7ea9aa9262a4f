from django import template

from messaging import presenters
from messaging.wording import words

register = template.Library()


@register.simple_tag
def conversation_of(thread, membership):
    """What messaging/_thread.html shows of a thread to this member. Queries a fixed number of times."""
    return presenters.conversation(thread, membership)


@register.filter
def worded(row):
    """An event message or a notification as a sentence in the reader's language."""
    code = getattr(row, "event_code", None) or row.code
    return words(code, row.payload)
