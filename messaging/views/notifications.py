from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from messaging.models import Notification

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
@require_POST
def notification_open(request, pk: int):
    """Marks one as read and leads to what it speaks of, in the reader's language."""
    note = get_object_or_404(Notification, pk=pk, user=request.user)
    Notification.objects.filter(pk=note.pk, read_at=None).update(read_at=timezone.now())
    prefix = "/en" if (get_language() or "").startswith("en") else ""
    return redirect(prefix + note.url)


@login_required
@require_POST
def notification_read(request):
    """Marks all as read."""
    Notification.objects.filter(user=request.user, read_at=None).update(read_at=timezone.now())
    return redirect("notification_list")
