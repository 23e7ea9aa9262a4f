"""The bureau's queue: organisations of its jurisdiction that wait for verification."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.actions import organisations as actions
from accounts.forms.organisations import VerificationAnswerForm
from accounts.models import Organisation
from accounts.models.organisations import Role
from accounts.permissions import is_bureau_staff
from accounts.rules import rule

from .base import attempt

PER_PAGE = 20


def _require_bureau(request):
    """The membership of a bureau's administrator or publisher; 404 for those who are no bureau at all."""
    if not is_bureau_staff(request.membership or None):
        raise Http404
    if not is_bureau_staff(request.membership, Role.ADMIN, Role.PUBLISHER):
        raise PermissionDenied(_("An administrator or publisher of the bureau verifies organisations."))
    return request.membership


def _queue(membership):
    waiting = Organisation.objects.awaiting_verification().within(membership.organisation.region)
    return waiting.select_related("region__parent").defer("region__polygon", "region__parent__polygon")


def _page(request, membership, *, form=None, at: int | None = None):
    page = Paginator(_queue(membership).order_by("verification_due_at", "pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "form": form or VerificationAnswerForm(),
        "form_of": at,  # the organisation whose answer was not complete
        "bureau": membership.organisation,
        "clock": rule("clock.verification", membership.organisation.region_id),
    }
    return render(request, "accounts/verification_queue.html", context)


@require_GET
@login_required
def verification_queue(request):
    """Who waits, by clock."""
    return _page(request, _require_bureau(request))


@require_POST
@login_required
def verification_answer(request, pk: int):
    """Verifies an organisation of the jurisdiction, or sends it back with a note."""
    membership = _require_bureau(request)
    organisation = Organisation.objects.enterprises().within(membership.organisation.region).filter(pk=pk).first()
    if organisation is None:
        raise Http404
    form = VerificationAnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, membership, form=form, at=organisation.pk)
    if form.cleaned_data["decision"] == "verify":
        if attempt(request, actions.verify, organisation=organisation, by=membership):
            messages.success(request, _("%(name)s is verified.") % {"name": organisation})
    elif attempt(request, actions.send_back, organisation=organisation, by=membership, note=form.cleaned_data["note"]):
        messages.success(request, _("%(name)s has been told what to mend.") % {"name": organisation})
    return redirect("verification_queue")
