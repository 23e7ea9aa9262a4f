"""The case page of a request, and the steps taken on it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import NotPermitted, Refused
from agreements import actions, presenters, states
from agreements.forms import OfferForm, RefuseForm, StepForm, WithdrawForm
from agreements.models import CaseStep, Offer, RequestItem, ShareRequest, Signature
from agreements.story import folded
from listings.models import Resource


def case_of(request, pk: int) -> ShareRequest:
    """The request with all the page needs, if the person's organisation is a party or its bureau; 404 otherwise."""
    rows = (
        ShareRequest.objects.readable_by(request.membership)
        .with_parties()
        .select_related("agreement", "paused_by")
        .prefetch_related(
            Prefetch("offers", Offer.objects.select_related("organisation", "sheet").order_by("number")),
            Prefetch("items", RequestItem.objects.select_related("pool", "reservation").order_by("pool_id")),
            Prefetch("steps", CaseStep.objects.select_related("organisation").order_by("number")),
            Prefetch("agreement__signatures", Signature.objects.select_related("organisation").order_by("pk")),
        )
    )
    return get_object_or_404(rows, pk=pk)


def _require(request, case: ShareRequest, verb: str) -> None:
    """403 before the form is looked at, for somebody whose role or side may never take this step."""
    problem = states.refusal(case, request.membership, verb)
    if isinstance(problem, NotPermitted):
        raise PermissionDenied(str(problem.message))


def _page(request, case: ShareRequest, status: int = 200, **forms: Any):
    context = presenters.case_context(case, request.membership, forms)
    if request.GET.get("steps") != "all":
        context["steps"], context["steps_hidden"] = folded(context["steps"])
    return render(request, "agreements/request_detail.html", context, status=status)


def attempt(act: Callable[[], Any], form) -> Any:
    """The action's result; what it refuses becomes an error of the form, and None."""
    try:
        return act()
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
    except ValidationError as error:
        form.add_error(None, error.messages)
    return None


@login_required
@require_GET
def request_detail(request, pk: int):
    """States and clocks, the conversation, the terms with their versions, and what one can do now."""
    return _page(request, case_of(request, pk))


@login_required
@require_POST
def offer_make(request, pk: int):
    """The next version of the terms."""
    case = case_of(request, pk)
    _require(request, case, "offer")
    form = OfferForm(request.POST, items=list(case.items.all()))
    if form.is_valid():
        values = form.cleaned_data
        offer = attempt(
            lambda: actions.make_offer(
                request=case,
                by=request.user,
                membership=request.membership,
                answers=values["answers"],
                quantities=form.quantities(),
                price_fen_per_year=form.price_fen_per_year,
                starts_on=values["starts_on"],
                months=values["months"],
                note=values["note"],
            ),
            form,
        )
        if offer:
            messages.success(request, _("Offer v%(number)d is made.") % {"number": offer.number})
            return redirect(case)
    return _page(request, case, 422, offer=form)


@login_required
@require_POST
def offer_accept(request, pk: int):
    """Accepts the open offer; leads to the agreement that both sides sign."""
    offer = get_object_or_404(Offer.objects.select_related("request"), pk=pk)
    case = case_of(request, offer.request_id)
    try:
        agreement = actions.accept_offer(offer=offer, by=request.user, membership=request.membership)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(case)
    messages.success(request, _("Terms agreed. The agreement awaits the signatures of both sides."))
    return redirect(agreement)


@login_required
@require_POST
def request_refuse(request, pk: int):
    """The owner refuses, with a reason."""
    case = case_of(request, pk)
    _require(request, case, "refuse")
    form = RefuseForm(request.POST, resources=Resource.objects.visible_to(request.membership))
    if form.is_valid() and attempt(
        lambda: actions.refuse(request=case, by=request.user, membership=request.membership, **form.cleaned_data), form
    ):
        messages.success(request, _("Refused. What was held is free again."))
        return redirect(case)
    return _page(request, case, 422, refuse=form)


@login_required
@require_POST
def request_step(request, pk: int, verb: str):
    """Every step without terms: examination, survey, verdict, hold-up, and the bureau's part."""
    case = case_of(request, pk)
    if verb not in states.LABELS or verb in states.OWN_ACTIONS:
        raise Http404
    _require(request, case, verb)
    move = states.transition(case.state, verb)
    form = StepForm(request.POST, verb=verb, needs_note=bool(move and move.needs_reason), case=case)
    if form.is_valid() and attempt(
        lambda: actions.take_step(
            request=case, verb=verb, by=request.user, membership=request.membership, note=form.cleaned_data["note"],
            data=form.data_given(), key=form.cleaned_data["key"],
        ),
        form,
    ):  # fmt: skip
        messages.success(request, _("Done: %(step)s.") % {"step": states.LABELS[verb]})
        return redirect(case)
    return _page(request, case, 422, **{verb: form})


@login_required
@require_POST
def findings_take(request, pk: int):
    """Takes what the joint survey found over into the resource."""
    case = case_of(request, pk)
    try:
        taken = actions.take_findings(request=case, by=request.user, membership=request.membership)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        said = ngettext(
            "%(count)d fact taken over into the resource.", "%(count)d facts taken over into the resource.", len(taken)
        )
        messages.success(request, said % {"count": len(taken)})
    return redirect(case)


@login_required
@require_POST
def request_withdraw(request, pk: int):
    """The applicant takes the request back."""
    case = case_of(request, pk)
    form = WithdrawForm(request.POST)
    if form.is_valid() and attempt(
        lambda: actions.withdraw(request=case, by=request.user, membership=request.membership, **form.cleaned_data),
        form,
    ):
        messages.success(request, _("Withdrawn. What was held is free again."))
        return redirect(case)
    return _page(request, case, 422, withdraw=form)
