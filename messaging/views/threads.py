"""The inbox, a conversation, and what a browser pulls of it."""

import json

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from accounts.numbers import row_id
from messaging import actions, presenters
from messaging.access import thread_of
from messaging.bell import ring_typing
from messaging.forms import InboxForm
from messaging.models import ReadMark, Thread
from messaging.people import memberships_in
from messaging.search import messages_found

PAGE_SIZE = 30


def _inbox_threads(request):
    """The person's threads with read_number and unread; read marks are the person's own."""
    read = ReadMark.objects.filter(thread=OuterRef("pk"), user=request.user).values("last_number")[:1]
    return Thread.objects.readable_by(request.membership).annotate(
        read_number=Coalesce(Subquery(read), Value(0)), unread=F("last_number") - F("read_number")
    )


@login_required
@require_GET
def inbox(request):
    """The threads one takes part in, newest first, with what is unread; filters, and a search over all of them."""
    form = InboxForm(request.GET)
    threads = form.narrowed(_inbox_threads(request), request.user)
    threads = threads.order_by(F("last_message_at").desc(nulls_last=True), "-pk")
    page = Paginator(threads, PAGE_SIZE).get_page(request.GET.get("page"))
    presenters.attach_latest(page.object_list)
    found = messages_found(request.membership, form.query) if form.query else []
    context = {"page": page, "form": form, "query": form.query, "found": found, "is_narrowed": form.is_narrowed}
    return render(request, "messaging/inbox.html", context)


@login_required
@require_GET
def thread_detail(request, pk: int):
    """The conversation on a page of its own, with the way to what it is about; ?at=N shows that message."""
    thread = thread_of(request, pk)
    context = {"thread": thread, "at": min(row_id(request.GET.get("at")), thread.last_number)}
    return render(request, "messaging/thread_detail.html", context)


@login_required
@require_GET
def thread_messages(request, pk: int):
    """What came after ?after=N (HTML items), or what came before ?before=N; the browser asks after each ring.

    Headers: X-Last-Number, X-More (1: ask again), X-Receipts (how far each organisation has got).
    """
    thread = thread_of(request, pk)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if not (after.isdecimal() or before.isdecimal()) or len(after + before) > 12:
        return HttpResponse("after=N or before=N", status=400, content_type="text/plain")
    if after and int(after) >= thread.last_number:
        items = []
    else:
        items = presenters.items_after(thread, int(after)) if after else presenters.items_before(thread, int(before))
    context = {
        "items": items,
        "own_organisation_id": request.membership.organisation_id,
        "own_user_id": request.user.pk,
        "may_change": not thread.closed_at,
    }
    response = render(request, "messaging/_items.html", context) if items else HttpResponse()
    response["X-Last-Number"] = str(items[-1].number if items else after or 0)
    response["X-More"] = "1" if len(items) == presenters.PULL_MAX else "0"
    response["X-Receipts"] = json.dumps(presenters.receipts(thread))
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def thread_read(request, pk: int):
    """Moves the marks to the numbers given: number (read) and delivered (reached this browser)."""
    thread = thread_of(request, pk)
    read, delivered = request.POST.get("number", ""), request.POST.get("delivered", "")
    if not (read.isdecimal() or delivered.isdecimal()) or max(len(read), len(delivered)) > 9:
        raise Http404
    actions.mark(thread=thread, by=request.user, read=row_id(read), delivered=row_id(delivered))
    return HttpResponse(status=204)


@login_required
@require_POST
def thread_typing(request, pk: int):
    """Rings the others' pages: somebody of this organisation types. Nothing is stored."""
    thread = thread_of(request, pk)
    if not thread.closed_at:
        ring_typing(thread, request.membership.organisation_id)
    return HttpResponse(status=204)


@login_required
@require_GET
def thread_people(request, pk: int):
    """Who can be called by name: [{"name", "organisation"}]."""
    thread = thread_of(request, pk)
    people = {
        membership.user_id: {"name": str(membership.user), "organisation": membership.organisation.name}
        for _, membership in memberships_in([thread.pk])
        if membership.user_id != request.user.pk
    }
    response = JsonResponse({"people": sorted(people.values(), key=lambda person: person["name"])})
    patch_cache_control(response, private=True, max_age=60)
    return response


def language_prefix() -> str:
    """What stands before a neutral address for the reader of now."""
    return "/en" if (get_language() or "").startswith("en") else ""
