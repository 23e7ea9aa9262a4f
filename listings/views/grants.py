"""Exact places: asked for, answered, taken back. And the region over a point, for forms."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Region
from accounts.views.base import attempt, member_required
from listings.actions.grants import answer_grant, ask_grant, end_grant
from listings.forms.page import GrantForm
from listings.models import DisclosureGrant
from listings.places import Spot
from listings.region_lookup import regions_at
from listings.views.resources import own_resource, visible_resource


@require_POST
@login_required
def grant_ask(request, pk: int):
    """Asks the owner of a resource one may read for its exact place."""
    resource = visible_resource(request, pk)
    form = GrantForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(message for errors in form.errors.values() for message in errors))
    elif attempt(
        request,
        ask_grant,
        resource=resource,
        by=request.user,
        membership=request.membership,
        purpose=form.cleaned_data["purpose"],
    ):
        messages.success(request, _("The owner was asked. You are told when the answer comes."))
    return redirect("resource_detail", pk=pk)


@require_POST
@login_required
def grant_answer(request, pk: int):
    """Grants, refuses or ends (answer=grant|refuse|end) a question about one of one's own resources."""
    grant = get_object_or_404(DisclosureGrant, pk=pk)
    resource = own_resource(request, grant.resource_id)
    answer = request.POST.get("answer", "")
    who = {"grant": grant, "by": request.user, "membership": request.membership}
    if answer == "end":
        done = attempt(request, end_grant, **who)
    elif answer in ("grant", "refuse"):
        reason = request.POST.get("reason", "")[:300]
        done = attempt(request, answer_grant, is_granted=answer == "grant", reason=reason, **who)
    else:
        raise Http404
    if done:
        messages.success(
            request, _("Answered; the other side was told.") if answer != "end" else _("The grant has ended.")
        )
    return redirect("resource_detail", pk=resource.pk)


@require_safe
@member_required()
def region_at(request):
    """GET ?lon=&lat= → {"code", "name", "path"} of the smallest region there; nulls where there is none."""
    try:
        spot = Spot(float(request.GET["lon"]), float(request.GET["lat"]))
    except (KeyError, ValueError):
        return JsonResponse({"error": _("Give lon and lat in degrees.")}, status=400)
    if not (-180 <= spot.lon <= 180 and -90 <= spot.lat <= 90):
        return JsonResponse({"error": _("Give lon and lat in degrees.")}, status=400)
    (code,) = regions_at([spot])
    if code is None:
        return JsonResponse({"code": None, "name": None, "path": None})
    above = [code[:2] + "0000", code[:4] + "00", code]
    names = [region.name for region in Region.objects.filter(code__in=above).defer("polygon").order_by("level")]
    return JsonResponse({"code": code, "name": names[-1], "path": " / ".join(names)})
