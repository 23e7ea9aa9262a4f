"""A person's own pages: My work, and the profile."""

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts import own_work, work
from accounts.actions.people import change_name
from accounts.forms.organisations import ProfileForm
from accounts.models import Invitation, Membership, User
from accounts.permissions import NOT_VERIFIED
from accounts.steps import steps_for

from .base import attempt


@require_GET
@login_required
def my_work(request):
    """What is due by clock, what waits on others, what is new, and the next steps."""
    membership = request.membership or None
    items = own_work.items_of_person(request.user) + (work.items_for(membership) if membership else [])
    steps = steps_for(request.user, membership)
    context = {
        "groups": work.grouped(items),
        "steps": steps,
        "steps_done": sum(step.is_done for step in steps),
        "next_step": next((step for step in steps if not step.is_done), None),
        "not_verified": NOT_VERIFIED if membership and not membership.organisation.is_verified else "",
    }
    return render(request, "accounts/my_work.html", context)


@login_required
def profile(request):
    """Name, memberships and the ways to e-mail, password and second factor."""
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=request.user.pk))
    is_ready = request.method == "POST" and form.is_valid()
    if is_ready and attempt(request, change_name, form=form, by=request.user, name=form.cleaned_data["name"]):
        messages.success(request, _("Your name is changed."))
        return redirect("profile")
    memberships = Membership.objects.active().filter(user=request.user).select_related("organisation")
    addresses = EmailAddress.objects.filter(user=request.user, verified=True).values("email")
    context = {
        "form": form,
        "own_memberships": memberships.order_by("created_at", "pk"),
        "invitations": Invitation.objects.open().filter(email__in=addresses).select_related("organisation"),
    }
    return render(request, "accounts/profile.html", context)
