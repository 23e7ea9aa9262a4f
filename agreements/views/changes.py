"""Amending or renewing an agreement in operation: the form of the first version."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.errors import NotPermitted
from agreements import actions
from agreements.actions.changes import Terms, change_refusal
from agreements.models import Agreement, ShareRequest
from agreements.sheets.change_form import ChangeForm
from agreements.sheets.draft import basis_of, carried_over, next_sheet
from listings.wording import yearly_text

from .agreements import agreement_of
from .cases import attempt


@login_required
@require_http_methods(["GET", "POST"])
def change_new(request, pk: int, change: str):
    """Proposes an amendment or a renewal; leads to its case."""
    if change not in ShareRequest.Change.values:
        raise Http404
    agreement = agreement_of(request, pk)
    problem = change_refusal(agreement, request.membership, change)
    if isinstance(problem, NotPermitted):
        raise PermissionDenied(str(problem.message))
    if problem:
        messages.error(request, problem.message)
        return redirect(agreement)
    side = request.membership.organisation_id
    data = request.POST if request.method == "POST" else None
    form = ChangeForm(data, agreement=agreement, change=change, side=side)
    if form.is_bound and form.is_valid():
        if "work_out" in request.POST:
            attempt(lambda: _say_price(request, agreement, form), form)
        elif made := attempt(lambda: _propose(request, agreement, change, form), form):
            messages.success(request, _("Proposed. The other side answers next."))
            return redirect(made)
    context = {"agreement": agreement, "case": agreement.request, "form": form,
               "is_renewal": change == ShareRequest.Change.RENEWAL}  # fmt: skip
    return render(request, "agreements/change_new.html", context, status=422 if form.errors else 200)


def _say_price(request, agreement: Agreement, form: ChangeForm) -> bool:
    """What the figures give, without sending anything."""
    case, months = agreement.request, form.cleaned_data["months"]
    items = [bound.field for bound in form.quantity_fields]
    basis = basis_of(case, items, form.quantities(), months)
    before = carried_over(agreement.offer, agreement.terms["clauses"])
    _sheet, fen = next_sheet(form.draft(), before, basis, price_fen=form.price_fen_per_year, side=form.side)
    messages.info(request, _("These figures give %(price)s.") % {"price": yearly_text(fen)})
    return True


def _propose(request, agreement: Agreement, change: str, form: ChangeForm) -> ShareRequest:
    values = form.cleaned_data
    terms = Terms(form.quantities(), form.price_fen_per_year, values["months"], values["note"])
    return actions.propose_change(
        agreement=agreement, change=change, by=request.user, membership=request.membership, terms=terms,
        sheet=form.draft(), key=values["key"],
    )  # fmt: skip
