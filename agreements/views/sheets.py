"""The term sheet of a case, version by version, with its form; and the ledger of core swaps."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.errors import NotPermitted, Refused
from agreements import actions, states
from agreements.models import Offer, ShareRequest, TermSheet
from agreements.presenters import asked_fen_with_tax, values_of
from agreements.sheets import presenters
from agreements.sheets.clauses import library
from agreements.sheets.draft import basis_of, next_sheet, sheet_of
from agreements.sheets.forms import SheetForm, renewed
from agreements.sheets.ledger import balances
from messaging.actions import thread_about

from .cases import attempt, case_of


def _latest_sheet(case: ShareRequest, latest: Offer | None) -> TermSheet:
    return sheet_of(latest) if latest else TermSheet(clauses=library(case.resource.kind))


def _form(request, case: ShareRequest, data: Any = None) -> SheetForm:
    offers, items = list(case.offers.all()), list(case.items.all())
    latest = offers[-1] if offers else None
    sheet = _latest_sheet(case, latest)
    price = asked_fen_with_tax(case, items)
    return SheetForm(
        data, items=items, kind=case.resource.kind, sheet=sheet, side=request.membership.organisation_id,
        initial=SheetForm.start_of(case, items, latest, sheet, price),
    )  # fmt: skip


def _chosen(case: ShareRequest, values: Any) -> tuple[Offer | None, Offer | None]:
    """The two versions to compare: as the address says, else the last with the one before it."""
    offers = list(case.offers.all())
    by_number = {str(offer.number): offer for offer in offers}
    if not offers:
        return None, None
    before = by_number.get(values.get("from", ""), offers[max(0, len(offers) - 2)])
    return before, by_number.get(values.get("to", ""), offers[-1])


def _page(request, case: ShareRequest, form: SheetForm | None, *, status: int = 200, working: dict | None = None):
    offers, items = list(case.offers.all()), list(case.items.all())
    before, after = _chosen(case, request.GET)
    rows = {offer.pk: values_of(offer, items) for offer in (before, after) if offer}
    shown = working or (sheet_of(after).working if after else {})
    context = {
        "case": case, "offers": offers, "before": before, "after": after, "form": form,
        "compared": presenters.compared(before, after, rows, case) if before and after else [],
        "working": shown, "is_preview": working is not None,
        "working_rows": presenters.working_rows(shown), "side_by_side": presenters.side_by_side(shown),
        "rounding": presenters.rounding_words(),
        "why_closed": states.refusal(case, request.membership, "offer"),
        "thread": thread_about(case) if states.side_of(case, request.membership) else None,
    }  # fmt: skip
    return render(request, "agreements/sheet_detail.html", context, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def sheet_detail(request, pk: int):
    """The versions compared, what each price scheme gives, and the form of the next version for whose turn it is."""
    case = case_of(request, pk)
    problem = states.refusal(case, request.membership, "offer")
    if request.method == "GET":
        return _page(request, case, None if problem else _form(request, case))
    if isinstance(problem, NotPermitted):
        raise PermissionDenied(str(problem.message))
    form = _form(request, case, request.POST)
    if not form.is_valid():
        return _page(request, case, form, status=422)
    if "work_out" in request.POST:
        working = attempt(lambda: _worked(case, form), form)
        return _page(request, case, form, status=200 if working else 422, working=working)
    return _make(request, case, form)


def _worked(case: ShareRequest, form: SheetForm) -> dict[str, Any]:
    offers, items = list(case.offers.all()), list(case.items.all())
    basis = basis_of(case, items, form.quantities(), form.cleaned_data["months"])
    latest = offers[-1] if offers else None
    sheet, _price = next_sheet(form.draft(), latest, basis, price_fen=form.price_fen_per_year, side=form.side)
    return sheet.working


def _make(request, case: ShareRequest, form: SheetForm):
    values = form.cleaned_data
    try:
        offer = attempt_offer(request, case, form, values)
    except Refused as refusal:
        if isinstance(refusal, NotPermitted):
            raise PermissionDenied(str(refusal.message)) from refusal
        fresh = case_of(request, case.pk)
        latest = list(fresh.offers.all())[-1:]
        if latest and latest[0].number != values["answers"]:
            form = _form(request, fresh, renewed(request.POST, sheet_of(latest[0]), latest[0].number))
            form.is_valid()
        form.add_error(None, _with_advice(refusal))
        return _page(request, fresh, form, status=422)
    messages.success(request, _("Offer v%(number)d is made.") % {"number": offer.number})
    return redirect("sheet_detail", pk=case.pk)


def _with_advice(refusal: Refused) -> str:
    if refusal.code in ("stale", "not_your_turn"):
        return _("%(why)s What you typed is kept below.") % {"why": refusal.message}
    return str(refusal.message)


def attempt_offer(request, case: ShareRequest, form: SheetForm, values: dict[str, Any]) -> Offer:
    return actions.make_offer(
        request=case, by=request.user, membership=request.membership, answers=values["answers"],
        quantities=form.quantities(), price_fen_per_year=form.price_fen_per_year, starts_on=values["starts_on"],
        months=values["months"], note=values["note"], sheet=form.draft(),
    )  # fmt: skip


@login_required
@require_GET
def swap_ledger(request):
    """Balances of core swaps of one's organisation with every other, and the entries behind them."""
    membership = request.membership
    rows = balances(membership.organisation) if membership and not membership.organisation.is_bureau else []
    return render(request, "agreements/swap_ledger.html", {"balances": rows, "membership": membership})
