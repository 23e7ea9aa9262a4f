"""The page of a joint request, and what its applicant decides there."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import NotPermitted, Refused
from accounts.numbers import without_nul
from agreements import actions
from agreements.actions.bundles import bundle_refusal
from agreements.bundle_page import bundle_context, candidates
from agreements.forms import WithdrawForm
from agreements.models import Bundle, ShareRequest


def bundle_of(request, pk: int) -> Bundle:
    """The joint request, if the person may read a leg of it; 404 otherwise."""
    rows = Bundle.objects.readable_by(request.membership).select_related("requester__region")
    return get_object_or_404(rows, pk=pk)


@login_required
@require_GET
def bundle_detail(request, pk: int):
    """All legs in one table, with whose turn it is, one map, the sums, and how to go on where a leg failed."""
    bundle = bundle_of(request, pk)
    context = bundle_context(bundle, request.membership) | {"withdraw_form": WithdrawForm()}
    return render(request, "agreements/bundle_detail.html", context)


@login_required
@require_POST
def bundle_partly(request, pk: int):
    """From all or nothing to each leg by itself."""
    bundle = bundle_of(request, pk)
    try:
        actions.go_on_partly(bundle=bundle, by=request.user, membership=request.membership)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Each leg now goes on by itself; all owners are told."))
    return redirect(bundle)


@login_required
@require_POST
def bundle_withdraw(request, pk: int):
    """Withdraws every leg that is open."""
    bundle = bundle_of(request, pk)
    form = WithdrawForm(request.POST)
    note = form.cleaned_data["note"] if form.is_valid() else ""
    try:
        actions.withdraw_together(bundle=bundle, by=request.user, membership=request.membership, note=note)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("All open legs are withdrawn. What was held is free again."))
    return redirect(bundle)


@login_required
@require_GET
def bundle_replace(request, pk: int, leg: int):
    """What could take the place of a leg that failed: the nearest of its kind, or those a text names."""
    bundle = bundle_of(request, pk)
    problem = bundle_refusal(bundle, request.membership)
    if isinstance(problem, NotPermitted):
        raise PermissionDenied(str(problem.message))
    failed = get_object_or_404(
        ShareRequest.objects.readable_by(request.membership).with_parties().filter(bundle=bundle).counting(), pk=leg
    )
    text = without_nul(request.GET.get("text", "")).strip()[:80]
    context = {
        "bundle": bundle,
        "leg": failed,
        "text": text,
        "candidates": candidates(failed, request.membership, text),
    }
    return render(request, "agreements/bundle_replace.html", context)
