from django import template
from django.contrib.contenttypes.models import ContentType

from messaging import presenters, search, subjects
from messaging.wording import words

register = template.Library()


@register.simple_tag
def conversation_of(thread, membership, around=0):
    """What messaging/_thread.html shows of a thread to this member. Queries a fixed number of times."""
    return presenters.conversation(thread, membership, int(around or 0))


@register.simple_tag
def case_url(thread) -> str:
    """The page of what the thread is about; "" where there is none."""
    return subjects.of(thread).url(thread.subject)


@register.filter
def about_url(message) -> str:
    """The page of what a message speaks of; "" where there is none."""
    model = message.about_type_id and ContentType.objects.get_for_id(message.about_type_id).model_class()
    return subjects.of(message.thread).thing_url(message.thread, model, message.about_id) if model else ""


@register.simple_tag
def point_or_line() -> dict:
    """The context of the place control (listings/widgets/map_widget.html) for a point or a line."""
    widget = {"name": "drawn", "value": "", "attrs": {"rows": 3, "class": "form-control", "aria-label": "GeoJSON"}}
    return {"widget": widget, "geometry": "Geometry", "modes": ["point", "linestring"]}


@register.filter
def around(text, query):
    """The piece of a text around what was searched for."""
    return search.excerpt(text, query or "")


@register.filter
def worded(row):
    """An event message or a notification as a sentence in the reader's language."""
    code = getattr(row, "event_code", None) or row.code
    return words(code, row.payload)
