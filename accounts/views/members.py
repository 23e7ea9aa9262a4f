"""The members of one's own organisation."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.actions import members as actions
from accounts.forms.members import JoinAnswerForm, RolesForm
from accounts.models import Invitation, JoinRequest, Membership
from accounts.models.organisations import Role
from accounts.permissions import may_manage_members

from .base import attempt, member_required


@require_GET
@member_required()
def organisation_members(request):
    """Who belongs, who is invited, who asks. All members read it; administrators act."""
    organisation = request.membership.organisation
    members = Membership.objects.active().filter(organisation=organisation).select_related("user")
    is_admin = may_manage_members(request.membership, organisation)
    invitations = Invitation.objects.filter(organisation=organisation, accepted_at=None, withdrawn_at=None)
    requests = JoinRequest.objects.filter(organisation=organisation, state="pending").select_related("user")
    context = {
        "organisation": organisation,
        "members": members.order_by("user__name", "user__email"),
        "is_admin": is_admin,
        "invitations": invitations.select_related("invited_by").order_by("expires_at") if is_admin else [],
        "join_requests": requests.order_by("created_at") if is_admin else [],
        "answer_form": JoinAnswerForm(organisation=organisation),
    }
    return render(request, "accounts/organisation_members.html", context)


def _own_membership(request, pk: int) -> Membership:
    """A membership of the organisation acted for; any other is 404."""
    return get_object_or_404(
        Membership.objects.active().select_related("organisation", "user"),
        pk=pk,
        organisation=request.membership.organisation_id,
    )


@member_required(Role.ADMIN)
def membership_edit(request, pk: int):
    """Changes a colleague's (or one's own) roles."""
    membership = _own_membership(request, pk)
    form = RolesForm(
        request.POST or None, organisation=request.membership.organisation, initial={"roles": membership.roles}
    )
    if request.method == "POST" and form.is_valid():
        done = attempt(
            request, actions.change_roles, form=form, field="roles",
            membership=membership, by=request.membership, roles=form.cleaned_data["roles"],
        )  # fmt: skip
        if done:
            messages.success(request, _("The roles of %(name)s are changed.") % {"name": membership.user})
            return redirect("organisation_members")
    return render(request, "accounts/membership_form.html", {"form": form, "edited": membership})


@require_POST
@login_required
def membership_end(request, pk: int):
    """Leaves an organisation oneself, or ends a colleague's membership as administrator."""
    membership = Membership.objects.active().filter(pk=pk, user=request.user).select_related("organisation").first()
    if membership is None:
        membership = _own_membership(request, pk) if request.membership else get_object_or_404(Membership, pk=None)
    is_own = membership.user_id == request.user.pk
    acting = request.membership if request.membership else None
    if attempt(request, actions.end_membership, membership=membership, by=request.user, acting=acting):
        text = (
            _("You have left %(organisation)s.") if is_own else _("%(name)s is no member of %(organisation)s any more.")
        )
        messages.success(request, text % {"name": membership.user, "organisation": membership.organisation})
    return redirect("profile" if is_own else "organisation_members")
