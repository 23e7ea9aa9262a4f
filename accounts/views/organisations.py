"""Set an organisation up, show it, hand it in, switch to it."""

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.actions import organisations as actions
from accounts.forms.organisations import OrganisationForm
from accounts.forms.regions import PARTS, RegionPicker, deepest, is_choosing, picker_context
from accounts.middleware import SESSION_KEY
from accounts.models import Organisation
from accounts.models.organisations import Role
from accounts.organisation_parts import parts_of
from accounts.permissions import may_verify
from accounts.rules import rule

from .base import attempt, member_required


def _refilled(request, **kwargs) -> OrganisationForm:
    """The form as typed, not checked yet: shown again so that the next select of the region can be chosen."""
    typed = {name: request.POST.get(name, "") for name in ("name_zh", "name_en", "uscc", "sector")}
    region = RegionPicker().value_from_datadict(request.POST, {}, "region")
    return OrganisationForm(initial={**typed, "region": region}, **kwargs)


@login_required
def organisation_new(request):
    """Sets an organisation up; the person becomes its administrator and acts for it from now on."""
    form = _refilled(request) if is_choosing(request) else OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_bound and form.is_valid():
        membership = attempt(request, actions.create, form=form, by=request.user, **form.facts)
        if membership:
            request.session[SESSION_KEY] = membership.organisation_id
            messages.success(
                request, _("%(name)s is set up. Hand it in for verification next.") % {"name": membership.organisation}
            )
            return redirect("organisation_detail", membership.organisation_id)
    return render(request, "accounts/organisation_form.html", {"form": form, "organisation": None})


@member_required(Role.ADMIN)
def organisation_edit(request):
    """Changes one's own organisation's facts while no bureau has them or has verified them."""
    organisation = Organisation.objects.get(pk=request.membership.organisation_id)
    kwargs = {"instance": organisation}
    if is_choosing(request):
        form = _refilled(request, **kwargs)
    else:
        form = OrganisationForm(request.POST or None, initial={"region": organisation.region_id}, **kwargs)
    if request.method == "POST" and form.is_bound and form.is_valid():
        done = attempt(
            request, actions.change_facts, form=form,
            organisation=organisation, by=request.membership, **form.facts,
        )  # fmt: skip
        if done:
            messages.success(request, _("The facts are changed."))
            return redirect("organisation_detail", organisation.pk)
    return render(request, "accounts/organisation_form.html", {"form": form, "organisation": organisation})


@require_GET
def organisation_detail(request, pk: int):
    """The public facts of any organisation; its members also see what to do next."""
    organisation = get_object_or_404(
        Organisation.objects.select_related("region__parent").defer("region__polygon", "region__parent__polygon"), pk=pk
    )
    membership = request.membership
    is_own = bool(membership) and membership.organisation_id == organisation.pk
    is_admin = is_own and membership.has_role(Role.ADMIN)
    is_open = organisation.verification in ("unverified", "rejected")
    context = {
        "organisation": organisation,
        "is_own": is_own,
        "may_edit": is_admin and is_open and not organisation.is_bureau,
        "may_answer": bool(membership)
        and organisation.verification == "submitted"
        and may_verify(membership, organisation),
        "bureaus": actions.bureaus_of(organisation.region) if is_own and not organisation.is_verified else [],
        "clock": rule("clock.verification", organisation.region_id),
        "parts": parts_of(organisation, membership or None),
    }
    return render(request, "accounts/organisation_detail.html", context)


@require_POST
@member_required(Role.ADMIN)
def organisation_submit_verification(request):
    """Hands one's own organisation in to the bureau of its region."""
    organisation = request.membership.organisation
    done = attempt(request, actions.submit_for_verification, organisation=organisation, by=request.membership)
    if done:
        messages.success(request, _("Handed in. You will get a mail when the bureau has answered."))
    return redirect("organisation_detail", organisation.pk)


@require_POST
@login_required
def organisation_switch(request):
    """From now on the person acts for another of their organisations."""
    membership = next(
        (m for m in (request.membership and request.memberships) or []
         if str(m.organisation_id) == request.POST.get("organisation")),
        None,
    )  # fmt: skip
    if membership is None:
        raise Http404
    request.session[SESSION_KEY] = membership.organisation_id
    messages.success(request, _("You act for %(name)s now.") % {"name": membership.organisation})
    target = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return redirect(target if allowed else "my_work")


@require_GET
def region_options(request):
    """The region picker again, for what is chosen so far (fetched by htmx)."""
    name = request.GET.get("picker", "region")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,40}", name):
        raise Http404
    code = deepest(*(request.GET.get(f"{name}_{part}", "") for part in PARTS))
    if code and not re.fullmatch(r"[1-9][0-9]{5}", code):
        raise Http404
    return render(request, "accounts/_region_picker.html", picker_context(name, code))
