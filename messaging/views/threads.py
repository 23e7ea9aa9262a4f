from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import NotPermitted, Refused
from accounts.numbers import without_nul
from messaging import actions, presenters
from messaging.models import ReadMark, Thread

PAGE_SIZE = 30


def thread_of(request, pk: int) -> Thread:
    """The thread, if the person's active organisation is a party; 404 otherwise."""
    return get_object_or_404(Thread.objects.readable_by(request.membership).distinct(), pk=pk)


@login_required
@require_GET
def inbox(request):
    """The threads of one's organisation, newest first, with what is unread."""
    read = ReadMark.objects.filter(thread=OuterRef("pk"), user=request.user).values("last_number")[:1]
    threads = (
        Thread.objects.readable_by(request.membership)
        .distinct()
        .annotate(read_number=Coalesce(Subquery(read), Value(0)), unread=F("last_number") - F("read_number"))
    )
    query = without_nul(request.GET.get("q", "")).strip()[:100]
    only_unread = request.GET.get("unread") == "1"
    if query:
        threads = threads.filter(Q(title__icontains=query) | Q(messages__body__icontains=query)).distinct()
    if only_unread:
        threads = threads.filter(unread__gt=0)
    threads = threads.order_by(F("last_message_at").desc(nulls_last=True), "-pk")
    page = Paginator(threads, PAGE_SIZE).get_page(request.GET.get("page"))
    presenters.attach_latest(page.object_list)
    context = {"page": page, "query": query, "only_unread": only_unread}
    return render(request, "messaging/inbox.html", context)


@login_required
@require_GET
def thread_detail(request, pk: int):
    """The conversation on a page of its own, with the way to what it is about."""
    thread = thread_of(request, pk)
    context = {"thread": thread, **presenters.conversation(thread, request.membership)}
    return render(request, "messaging/thread_detail.html", context)


@login_required
@require_GET
def thread_messages(request, pk: int):
    """What came after ?after=N (HTML items), or what came before ?before=N; the browser asks after each ring."""
    thread = thread_of(request, pk)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if not (after.isdecimal() or before.isdecimal()) or len(after + before) > 12:
        return HttpResponse("after=N or before=N", status=400, content_type="text/plain")
    items = presenters.items_after(thread, int(after)) if after else presenters.items_before(thread, int(before))
    context = {"items": items, "own_organisation_id": request.membership.organisation_id}
    response = render(request, "messaging/_items.html", context)
    response["X-Last-Number"] = str(items[-1].number if items else after or 0)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def message_send(request, pk: int):
    """Stores one message; JSON for the live form, a redirect for a plain one."""
    thread = thread_of(request, pk)
    is_live = request.headers.get("Accept", "").startswith("application/json")
    try:
        key = UUID(request.POST.get("client_uuid", ""))
    except ValueError:
        key = uuid4()
    try:
        message = actions.post(
            thread=thread,
            by=request.user,
            membership=request.membership,
            body=request.POST.get("body", ""),
            client_uuid=key,
        )
    except Refused as refusal:
        if is_live:
            return JsonResponse(
                {"error": str(refusal.message)}, status=403 if isinstance(refusal, NotPermitted) else 422
            )
        messages.error(request, refusal.message)
    else:
        if is_live:
            return JsonResponse({"number": message.number}, status=201)
    return redirect(request.POST.get("next") if _is_own_path(request.POST.get("next")) else thread_url(thread))


@login_required
@require_POST
def thread_read(request, pk: int):
    """Moves the read mark to the number given."""
    thread = thread_of(request, pk)
    number = request.POST.get("number", "")
    if not number.isdecimal() or len(number) > 9:
        raise Http404
    actions.mark_read(thread=thread, by=request.user, number=int(number))
    return HttpResponse(status=204)


def thread_url(thread: Thread) -> str:
    return reverse("thread_detail", args=[thread.pk])


def _is_own_path(url: str | None) -> bool:
    return bool(url) and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
