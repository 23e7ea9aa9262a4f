"""The audit log of one's own organisation."""

from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import Q
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.forms.organisations import EventFilterForm
from accounts.models import Event, Organisation, User
from accounts.models.organisations import Role
from accounts.wording import changes, verb_text

from .base import member_required

PER_PAGE = 50


def _own_events(organisation):
    """What was done for the organisation, and what was done to it (its bureau's verification)."""
    about = Q(subject_type=ContentType.objects.get_for_model(Organisation), subject_id=str(organisation.pk))
    return Event.objects.filter(Q(organisation=organisation) | about)


def _filtered(events, form):
    if not form.is_valid():
        return events
    chosen = form.cleaned_data
    if chosen["verb"]:
        events = events.filter(verb=chosen["verb"])
    if chosen["actor"]:
        events = events.filter(actor=chosen["actor"])
    if chosen["since"]:
        events = events.filter(at__date__gte=chosen["since"])
    if chosen["until"]:
        events = events.filter(at__date__lte=chosen["until"])
    return events


@require_GET
@member_required(Role.ADMIN)
def event_log(request):
    """Who did what, when, before and after; filtered by what, who and day."""
    events = _own_events(request.membership.organisation)
    verbs = events.order_by().values_list("verb", flat=True).distinct()
    people = User.objects.filter(pk__in=events.order_by().values("actor")).order_by("name", "email")
    form = EventFilterForm(request.GET or None, verbs=verbs, people=people)
    found = _filtered(events, form).select_related("actor", "subject_type", "organisation")
    page = Paginator(found.order_by("-at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"event": event, "verb": verb_text(event.verb), "changes": changes(event)} for event in page]
    return render(request, "accounts/event_log.html", {"form": form, "page": page, "rows": rows})
