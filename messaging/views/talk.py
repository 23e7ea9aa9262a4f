"""Sending a message, changing it, taking it back. JSON for the live page, a redirect for a plain form."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import NotPermitted, Refused
from messaging import actions, subjects, uploads
from messaging.access import message_of, thread_of
from messaging.actions.talk import NeedsConfirmation
from messaging.forms import read_shape
from messaging.limits import TooMany
from messaging.models import Message, Thread


def _key(request: HttpRequest) -> UUID:
    """The UUID the browser made for this message; a plain form without one sends once."""
    try:
        return UUID(request.POST.get("client_uuid", ""))
    except ValueError:
        return uuid4()


def _is_live(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _refused(refusal: Refused) -> JsonResponse:
    """The sentence, with a status by which the page knows: 409 asks, 429 waits, 422 and 403 give the text back."""
    status = {NeedsConfirmation: 409, TooMany: 429, NotPermitted: 403}.get(type(refusal), 422)
    response = JsonResponse({"error": str(refusal.message), "code": refusal.code}, status=status)
    if isinstance(refusal, TooMany):
        response["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def _check_person(request: HttpRequest) -> None:
    """A message typed by one person must not go out under another who has signed in to the same browser since."""
    author = request.POST.get("author", "")
    if author and author != str(request.user.pk):
        raise Refused(
            _("This browser is signed in as %(email)s now. Sign in as who wrote it, or send it as yourself.")
            % {"email": request.user.email},
            code="other_person",
        )


def _addressed(request: HttpRequest, pk: int) -> Thread:
    """The thread a message is for. A plain message needs no more of it than its number: the action asks who takes
    part under the row's lock, and one question less is what most messages are."""
    if request.POST.get("about") or request.POST.get("shape"):
        return thread_of(request, pk)
    return Thread(pk=pk)


def _thing(thread: Thread, membership, key: str) -> subjects.Thing | None:
    if not key:
        return None
    found = subjects.of(thread).things(thread.subject, membership)
    return next((thing for thing in found if thing.key == key), None)


@login_required
@require_POST
def message_send(request, pk: int):
    """Stores one message with its files and place. 201 {"number"}, or what _refused says."""
    thread = _addressed(request, pk)
    try:
        _check_person(request)
        message = actions.post(
            thread=thread,
            by=request.user,
            membership=request.membership,
            body=request.POST.get("body", ""),
            client_uuid=_key(request),
            topic=request.POST.get("topic", ""),
            about=_thing(thread, request.membership, request.POST.get("about", "")),
            shape=read_shape(request.POST.get("shape", "")),
            uploads=[uploads.checked(file, file.name, file.size) for file in request.FILES.getlist("files")[:10]],
            is_place_confirmed=request.POST.get("confirmed") == "1",
        )
    except (Refused, Thread.DoesNotExist) as refusal:
        thread = thread_of(request, pk)  # who takes no part is told of nothing
        if isinstance(refusal, Thread.DoesNotExist):
            raise Http404 from refusal
        if _is_live(request):
            return _refused(refusal)
        if isinstance(refusal, NeedsConfirmation):
            context = {"thread": thread, "question": refusal.message, "typed": request.POST}
            return render(request, "messaging/confirm_place.html", context, status=409)
        messages.error(request, refusal.message)
        return _back(request, thread)
    return _said(request, thread, message)


def _said(request: HttpRequest, thread: Thread, message: Message) -> HttpResponse:
    if _is_live(request):
        return JsonResponse({"number": message.number}, status=201)
    return _back(request, thread)


@login_required
@require_http_methods(["GET", "POST"])
def message_correct(request, pk: int, number: int):
    """Says a message of one's own anew; the page for it works without scripts."""
    message = message_of(request, pk, number)
    if request.method == "GET":
        if message.author_id != request.user.pk or message.kind != Message.Kind.TEXT:
            raise PermissionDenied(_("Only its author changes a message or takes it back."))
        latest = message.corrections.filter(kind=Message.Kind.EDIT).order_by("-number").first()
        context = {"thread": message.thread, "message": message, "body": (latest or message).body}
        return render(request, "messaging/message_correct.html", context)
    return _change(request, message, actions.correct, body=request.POST.get("body", ""))


@login_required
@require_POST
def message_retract(request, pk: int, number: int):
    """Takes a message of one's own back."""
    return _change(request, message_of(request, pk, number), actions.retract)


def _change(request: HttpRequest, message: Message, act, **kwargs) -> HttpResponse:
    try:
        _check_person(request)
        made = act(message=message, by=request.user, membership=request.membership, client_uuid=_key(request), **kwargs)
    except Refused as refusal:
        if _is_live(request):
            return _refused(refusal)
        messages.error(request, refusal.message)
        return _back(request, message.thread)
    return _said(request, message.thread, made)


def thread_url(thread: Thread) -> str:
    return reverse("thread_detail", args=[thread.pk])


def _back(request: HttpRequest, thread: Thread) -> HttpResponse:
    url = request.POST.get("next")
    is_own = bool(url) and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    return redirect(url if is_own else thread_url(thread))
