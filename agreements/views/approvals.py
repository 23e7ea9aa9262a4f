"""Approval inside an organisation: the page of a case's version, and the rules."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.views.base import attempt, member_required
from agreements import actions, states
from agreements.actions.approvals import rules_refusal
from agreements.approvals.forms import AnswerForm, RuleForm
from agreements.approvals.steps import OPEN_IN, steps, total_fen, version_digest
from agreements.models import ApprovalRule
from agreements.presenters import values_of

from .cases import case_of


@member_required()
@require_http_methods(["GET", "POST"])
def approval(request, pk: int):
    """The latest version of a case's terms with the steps of approval in one's own organisation, and one's answer."""
    case = case_of(request, pk)
    offers = list(case.offers.all())
    if states.side_of(case, request.membership) is None or not offers:
        raise Http404
    offer = offers[-1]
    found = steps(offer, request.membership.organisation_id)
    if request.method == "POST":
        form = AnswerForm(request.POST)
        if form.is_valid():
            given = {name: form.cleaned_data[name] for name in ("verdict", "note", "version_sha256")}
            done = attempt(
                request, actions.answer_approval, form=form, offer=offer, by=request.user,
                membership=request.membership, **given,
            )  # fmt: skip
            if done:
                messages.success(request, _("Done: %(step)s.") % {"step": done.get_verdict_display()})
                return redirect("approval", case.pk)
    else:
        form = AnswerForm(initial={"version_sha256": version_digest(offer)})
    is_mine = any(step.is_open and step.is_of(request.user.pk) for step in found)
    context = {
        "case": case, "offer": offer, "rows": values_of(offer, list(case.items.all())), "steps": found,
        "total_fen": total_fen(offer), "agreement": getattr(case, "agreement", None),
        "form": form if is_mine and case.state in OPEN_IN else None, "errors_form": form,
        "is_open": case.state in OPEN_IN,
    }  # fmt: skip
    return render(request, "agreements/approval.html", context, status=422 if form.errors else 200)


@member_required()
@require_http_methods(["GET", "POST"])
def approval_rules(request):
    """The organisation's rules of approval; administrators set and end them."""
    organisation = request.membership.organisation
    if organisation.is_bureau:
        raise Http404
    problem = rules_refusal(request.membership)
    form = RuleForm(request.POST if request.method == "POST" else None, organisation=organisation)
    if request.method == "POST" and problem:
        raise PermissionDenied(str(problem.message))
    if request.method == "POST" and form.is_valid():
        given = {"by": request.user, "membership": request.membership, **form.rule_data()}
        if attempt(request, actions.set_approval_rule, form=form, **given):
            messages.success(request, _("The rule is set. It holds for every agreement not signed yet."))
            return redirect("approval_rules")
    rules = organisation.approval_rules.live().select_related("approver", "deputy")
    context = {"rules": rules, "form": None if problem else form, "organisation": organisation}
    return render(request, "agreements/approval_rules.html", context, status=422 if form.errors else 200)


@member_required()
@require_POST
def approval_rule_end(request, pk: int):
    """Ends a rule."""
    rule = get_object_or_404(ApprovalRule, pk=pk, organisation=request.membership.organisation)
    if attempt(request, actions.end_approval_rule, rule=rule, by=request.user, membership=request.membership):
        messages.success(request, _("The rule has ended."))
    return redirect("approval_rules")
