"""Around a conversation: the bureau is asked in, files, pinned places on a map, mail about it, the PDF."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.views.base import attempt
from messaging import actions, presenters
from messaging.access import thread_of
from messaging.models import Attachment, Message, Thread, ThreadExport

CLOSED_CSP = "default-src 'none'; sandbox"


def _back(request, thread: Thread) -> HttpResponseRedirect:
    return redirect("thread_detail", pk=thread.pk)


@login_required
@require_POST
def thread_bureau(request, pk: int):
    """Asks the bureau to join."""
    thread = thread_of(request, pk)
    bureau = attempt(
        request, actions.ask_bureau, thread=thread, by=request.user, membership=request.membership,
        reason=request.POST.get("reason", ""),
    )  # fmt: skip
    if bureau:
        messages.success(request, _("%(bureau)s takes part now and reads the conversation.") % {"bureau": bureau})
    return _back(request, thread)


@login_required
@require_POST
def thread_mail(request, pk: int):
    """How one wants mail about this conversation."""
    thread = thread_of(request, pk)
    mail = request.POST.get("mail", "")
    if attempt(request, actions.choose_mail, by=request.user, thread=thread, thread_mail=mail):
        messages.success(request, _("Noted."))
    return _back(request, thread)


@login_required
@require_POST
def thread_export(request, pk: int):
    """Has the conversation written as a PDF."""
    thread = thread_of(request, pk)
    if attempt(request, actions.ask_export, thread=thread, by=request.user, membership=request.membership):
        messages.success(request, _("The PDF is being written; it shows below the conversation in a moment."))
    return _back(request, thread)


@login_required
@require_safe
def thread_export_file(request, pk: int, export_id: int):
    """A PDF that one's own organisation asked for."""
    export = get_object_or_404(
        ThreadExport, pk=export_id, thread=thread_of(request, pk), organisation=request.membership.organisation_id,
        state=ThreadExport.State.DONE,
    )  # fmt: skip
    name = f"{export.thread.title[:60]} 1-{export.up_to_number}.pdf"
    return _download(
        FileResponse(export.file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")
    )


@login_required
@require_safe
def attachment_file(request, pk: int):
    """A picture to look at, a document to download, for those who take part; 404 to others, and once taken back."""
    readable = Thread.objects.readable_by(request.membership).order_by().values("pk")
    files = Attachment.objects.filter(message__thread__in=readable).exclude(
        message__corrections__kind=Message.Kind.RETRACT
    )
    attachment = get_object_or_404(files, pk=pk)
    response = FileResponse(
        attachment.file.open("rb"), as_attachment=not attachment.is_picture, filename=attachment.name,
        content_type=attachment.content_type,
    )  # fmt: skip
    return _download(response)


def _download(response: FileResponse) -> FileResponse:
    response["Content-Security-Policy"] = CLOSED_CSP
    response["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(response, private=True, no_store=True)
    return response


@login_required
@require_GET
def thread_map(request, pk: int):
    """All places and lines pinned in the conversation, on one map with an equal list."""
    thread = thread_of(request, pk)
    context = {"thread": thread, "items": _pinned(thread), "at": request.GET.get("at", "")}
    return render(request, "messaging/thread_map.html", context)


@login_required
@require_GET
def thread_places(request, pk: int):
    """The same as GeoJSON (WGS 84), for the map."""
    features = [
        {
            "type": "Feature",
            "id": item.number,
            "geometry": {"type": item.shape.geom_type, "coordinates": item.shape.coords},
            "properties": {
                "label": f"{item.author}: {item.said[:80] or item.place}",
                "url": f"{reverse('thread_detail', args=[pk])}?at={item.number}#m{item.number}",
                "kind": "demand",
                "tone": "demand",
            },
        }
        for item in _pinned(thread_of(request, pk))
    ]
    response = JsonResponse({"type": "FeatureCollection", "features": features})
    response["Cache-Control"] = "no-store"
    return response


def _pinned(thread: Thread) -> list[Message]:
    """Messages with a place that were not taken back, oldest first."""
    return [item for item in presenters.pinned(thread) if not item.is_retracted]
