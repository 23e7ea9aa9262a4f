"""Coming in: find one's organisation and ask, or take up an invitation."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actions import members as actions
from accounts.forms.members import InvitationForm, JoinAnswerForm
from accounts.forms.organisations import JoinForm, JoinSearchForm, UsccField
from accounts.middleware import SESSION_KEY
from accounts.models import Invitation, JoinRequest, Membership, Organisation
from accounts.models.organisations import Role

from .base import attempt, member_required

FOUND_LIMIT = 20


def _found(query: str, user) -> list[Organisation]:
    """Organisations by credit code or part of a name, with what the person is to them already."""
    if not query:
        return []
    code = UsccField().to_python(query)
    own = Membership.objects.active().filter(user=user, organisation=OuterRef("pk"))
    asked = JoinRequest.objects.filter(user=user, organisation=OuterRef("pk"), state=JoinRequest.State.PENDING)
    matches = Q(name_zh__icontains=query) | Q(name_en__icontains=query) | Q(uscc=code)
    found = Organisation.objects.filter(matches).annotate(is_member=Exists(own), is_asked=Exists(asked))
    return list(found.select_related("region").defer("region__polygon").order_by("name_zh", "pk")[:FOUND_LIMIT])


@login_required
def organisation_join(request):
    """Finds an organisation (GET q) and asks its administrator to be let in (POST)."""
    search = JoinSearchForm(request.GET or None)
    query = search.cleaned_data["q"] if search.is_bound and search.is_valid() else ""
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, actions.ask_to_join, form=form, by=request.user, **form.cleaned_data)
        if done:
            messages.success(
                request,
                _("%(name)s has been asked. You will get a mail with the answer.") % {"name": done.organisation},
            )
            return redirect("my_work")
    context = {
        "search": search,
        "query": query,
        "found": _found(query, request.user),
        "form": form,
        "pending": JoinRequest.objects.filter(user=request.user, state="pending").select_related("organisation"),
    }
    return render(request, "accounts/organisation_join.html", context)


@require_POST
@member_required()
def join_request_answer(request, pk: int):
    """An administrator accepts with roles, or declines."""
    join_request = get_object_or_404(
        JoinRequest.objects.select_related("organisation", "user"),
        pk=pk,
        organisation=request.membership.organisation_id,
    )
    form = JoinAnswerForm(request.POST, organisation=request.membership.organisation)
    if not form.is_valid():
        messages.error(request, _("Choose to accept or to decline."))
        return redirect("organisation_members")
    done = attempt(
        request, actions.answer_join_request, join_request=join_request, by=request.membership,
        is_accepted=form.is_accepted, roles=form.cleaned_data["roles"],
    )  # fmt: skip
    if done:
        text = _("%(name)s is a member now.") if form.is_accepted else _("%(name)s has been told that you declined.")
        messages.success(request, text % {"name": join_request.user})
    return redirect("organisation_members")


@member_required(Role.ADMIN)
def invitation_new(request):
    """Invites a colleague by e-mail."""
    organisation = request.membership.organisation
    form = InvitationForm(request.POST or None, organisation=organisation)
    if request.method == "POST" and form.is_valid():
        invitation = attempt(
            request, actions.invite, form=form, organisation=organisation, by=request.membership, **form.cleaned_data
        )
        if invitation:
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": invitation.email})
            return redirect("organisation_members")
    return render(request, "accounts/invitation_form.html", {"form": form, "organisation": organisation})


@require_POST
@member_required()
def invitation_withdraw(request, pk: int):
    """Takes an open invitation of one's own organisation back."""
    invitation = get_object_or_404(
        Invitation.objects.select_related("organisation"), pk=pk, organisation=request.membership.organisation_id
    )
    if attempt(request, actions.withdraw_invitation, invitation=invitation, by=request.membership):
        messages.success(request, _("The invitation to %(email)s is withdrawn.") % {"email": invitation.email})
    return redirect("organisation_members")


def invitation_accept(request, token: str):
    """What an invitation offers; whoever is signed in with its address takes it up by POST."""
    invitation = get_object_or_404(Invitation.objects.select_related("organisation", "invited_by"), token=token)
    user = request.user
    if request.method == "POST" and user.is_authenticated:
        membership = attempt(request, actions.accept_invitation, invitation=invitation, by=user)
        if membership:
            request.session[SESSION_KEY] = membership.organisation_id
            messages.success(request, _("Welcome to %(name)s.") % {"name": membership.organisation})
            return redirect("my_work")
        return redirect("invitation_accept", token)
    role_labels = [str(Role(role).label) for role in invitation.roles]
    context = {
        "invitation": invitation,
        "role_labels": role_labels,
        "is_for_reader": user.is_authenticated and actions.owns_address(user, invitation.email),
    }
    return render(request, "accounts/invitation_accept.html", context)
