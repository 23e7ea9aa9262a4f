"""What one was told, how one wants to be told, and the way out of mails."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models.organisations import Role
from accounts.views.base import attempt
from messaging import actions, mailing
from messaging.context_processors import unread_notifications, unread_threads
from messaging.forms import MailForm
from messaging.kinds import KINDS
from messaging.models import Letter, MailChoice, NoticeChoice, Notification, PresenceChoice

from .threads import language_prefix

PAGE_SIZE = 50


@login_required
@require_GET
def notification_list(request):
    """Everything one was told, unread first in sight."""
    rows = Notification.objects.filter(user=request.user).select_related("organisation")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    has_unread = rows.filter(read_at=None).exists()
    return render(request, "messaging/notification_list.html", {"page": page, "has_unread": has_unread})


@login_required
@require_GET
def notification_count(request):
    """The two counts of the top bar, for pages that were rung."""
    response = JsonResponse({"notifications": unread_notifications(request), "threads": unread_threads(request)})
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def notification_open(request, pk: int):
    """Marks one as read and leads to what it speaks of, in the reader's language."""
    note = get_object_or_404(Notification, pk=pk, user=request.user)
    Notification.objects.filter(pk=note.pk, read_at=None).update(read_at=timezone.now())
    return redirect(language_prefix() + note.url)


@login_required
@require_POST
def notification_read(request):
    """Marks all as read."""
    Notification.objects.filter(user=request.user, read_at=None).update(read_at=timezone.now())
    return redirect("notification_list")


@login_required
@require_http_methods(["GET", "POST"])
def notification_settings(request):
    """How one is told: mail by kind, quiet hours, digest; and whether one's organisation is shown as present."""
    hours = MailChoice.objects.filter(user=request.user).first() or MailChoice()
    chosen = dict(NoticeChoice.objects.filter(user=request.user).values_list("kind", "mail"))
    form = MailForm(request.POST or None, instance=hours, chosen=chosen)
    if request.method == "POST" and form.is_valid():
        values = {"kinds": form.kinds(), "hours": form.instance}
        if attempt(request, actions.choose_mail, form=form, by=request.user, **values):  # fills the form if refused
            messages.success(request, _("Saved."))
            return redirect("notification_settings")
    shown = (
        PresenceChoice.objects.filter(organisation=request.membership.organisation_id) if request.membership else None
    )
    context = {
        "form": form,
        "is_shown": shown is not None and not shown.filter(is_shown=False).exists(),
        "may_choose_presence": bool(request.membership) and request.membership.has_role(Role.ADMIN),
        "undelivered": Letter.objects.filter(user=request.user, state=Letter.State.DEAD).first(),
    }
    return render(request, "messaging/notification_settings.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def presence_choose(request):
    """Whether one's organisation is shown as present in conversations; its administrators decide."""
    is_shown = request.POST.get("is_shown") == "1"
    if attempt(request, actions.choose_presence, by=request.user, membership=request.membership, is_shown=is_shown):
        messages.success(request, _("Saved."))
    return redirect("notification_settings")


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the signed token says who and what
@require_http_methods(["GET", "POST"])
def notification_unsubscribe(request):
    """The way out of a kind of mails, without signing in: the page asks, its button (or the mail program) acts."""
    token = request.GET.get("token", "")
    found = mailing.read_token(token) if len(token) < 2000 else None
    if found is None:
        raise Http404
    user, kinds = found
    if request.method == "POST":
        actions.unsubscribe(user=user, kinds=kinds)
        if request.POST.get("List-Unsubscribe") == "One-Click":
            return HttpResponse(_("Unsubscribed."), content_type="text/plain; charset=utf-8")
    context = {"is_done": request.method == "POST", "kinds": [KINDS[kind][0] for kind in kinds], "token": token}
    return render(request, "messaging/unsubscribe.html", context)


def _require_operator(request) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied(_("Only the portal's operators look after the mails."))


@login_required
@require_GET
def letter_list(request):
    """Mails that were not taken, for the portal's operators: why, how often tried, when again."""
    _require_operator(request)
    rows = mailing.given_up().select_related("user").order_by("state", "due_at", "pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "messaging/letter_list.html", {"page": page})


@login_required
@require_POST
def letter_retry(request, pk: int):
    """Has a mail that was given up tried again."""
    _require_operator(request)
    mailing.retry(get_object_or_404(Letter, pk=pk))
    messages.success(request, _("It is tried again within a minute."))
    return redirect("letter_list")
