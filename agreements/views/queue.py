"""Queues behind full capacity: joining, one's places and those on one's resources, taking up an offer, leaving."""

from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import NotPermitted, Refused
from agreements import actions
from agreements.forms import RequestForm
from agreements.models import QueuePlace
from agreements.permissions import request_refusal
from agreements.states import NEGOTIATING_ROLES
from listings.models import CapacityPool
from listings.wording import quantity_text

from .requests import ask_page, line_options, resource_of

ENDED_SHOWN = 10
ROWS_SHOWN = 200


def _place_of(request, pk: int) -> QueuePlace:
    """One's own organisation's place; 404 otherwise."""
    organisation = request.membership.organisation if request.membership else None
    return get_object_or_404(QueuePlace.objects.select_related("resource"), pk=pk, organisation=organisation)


def _with_words(places: list[QueuePlace]) -> list[tuple[QueuePlace, str]]:
    """Each with what it waits for, in words. Queries once."""
    pools = CapacityPool.objects.in_bulk({pool_id for place in places for pool_id in place.asked})
    return [
        (place, " · ".join(_units(pools[pool_id], units) for pool_id, units in place.asked.items() if pool_id in pools))
        for place in places
    ]


def _units(pool: CapacityPool, units: Decimal) -> str:
    return " ".join(part for part in (pool.label, quantity_text(units, pool.unit)) if part)


@login_required
@require_GET
def queue_list(request):
    """What one's organisation waits for, and who waits for what it owns."""
    membership = request.membership
    rows = QueuePlace.objects.select_related("organisation", "resource__owner", "resource__region", "request")
    rows = rows.defer("resource__place", "resource__shown_cell").with_position().order_by("resource_id", "pk")
    organisation = membership.organisation if membership else None
    own = rows.filter(organisation=organisation)
    context = {
        "membership": membership,
        "may_act": bool(membership and membership.has_role(*NEGOTIATING_ROLES)),
        "own": _with_words(list(own.active()[:ROWS_SHOWN])),
        "ended": _with_words(list(own.exclude(state__in=QueuePlace.ACTIVE).order_by("-ended_at")[:ENDED_SHOWN])),
        "others": _with_words(list(rows.active().filter(resource__owner=organisation)[:ROWS_SHOWN])),
    }
    return render(request, "agreements/queue_list.html", context)


@login_required
@require_POST
def queue_join(request, pk: int):
    """The form of a request, sent to the end of the line instead."""
    resource = resource_of(request, pk)
    if problem := request_refusal(request.membership, resource):
        if isinstance(problem, NotPermitted) and problem.code != "not_verified":
            raise PermissionDenied(str(problem.message))
        messages.error(request, problem.message)
        return redirect("resource_detail", pk=resource.pk)
    pools = list(resource.pools.order_by("pk"))
    form = RequestForm(request.POST, pools=pools, **line_options(request.membership, resource))
    if form.is_valid() and _join(request, resource, form):
        messages.success(request, _("You are in the queue. You are told when your turn comes."))
        return redirect("queue_list")
    return ask_page(request, resource, pools, form)


def _join(request, resource, form: RequestForm) -> QueuePlace | None:
    """The one action; what it refuses becomes an error of the form."""
    values = {name: form.cleaned_data[name] for name in ("starts_on", "months", "purpose", "line", "key")}
    try:
        return actions.join_queue(
            by=request.user, membership=request.membership, resource=resource, quantities=form.quantities(), **values
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
    except ValidationError as error:
        form.add_error(None, error.messages)
    return None


@login_required
@require_POST
def queue_take(request, pk: int):
    """Takes up the offer: it becomes a request."""
    place = _place_of(request, pk)
    try:
        case = actions.take_place(place=place, by=request.user, membership=request.membership)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("queue_list")
    messages.success(request, _("Requested. What you asked for is held for you."))
    return redirect(case)


@login_required
@require_POST
def queue_leave(request, pk: int):
    """Gives up one's place or its offer."""
    place = _place_of(request, pk)
    try:
        actions.leave_queue(place=place, by=request.user, membership=request.membership)
        messages.success(request, _("You have left the queue."))
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("queue_list")
