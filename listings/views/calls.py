"""Calls as operators see them: what is asked for, until when, and their own lines. Nobody else's are read here."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.errors import NotPermitted, Refused
from listings import demand_changes, demand_permissions
from listings.actions import demand
from listings.demand_exports import asked_text
from listings.demand_rules import FIELDS
from listings.demand_shots import as_json
from listings.forms.demand import HandedInLineForm
from listings.models import DemandLine, DemandList

PER_PAGE = 50


def _calls():
    return DemandList.objects.exclude(call_closes_at=None).select_related("bureau", "region").defer("region__polygon")


def get_call(request, reference: str) -> DemandList:
    """The call: open ones to everybody signed in, a closed one to who handed in to it; else 404."""
    row = get_object_or_404(_calls(), reference=reference)
    if not row.is_call_open and not _own_lines(request, row).exists():
        raise Http404("no open call")
    return row


def _own_lines(request, call: DemandList):
    return DemandLine.objects.filter(demand_list=call).handed_in_for(request.membership or None)


@login_required
def call_list(request):
    """Open calls, soonest closing first, and those one handed in to."""
    now = timezone.now()
    mine = DemandLine.objects.handed_in_for(request.membership or None).order_by().values("demand_list")
    context = {
        "open_calls": list(_calls().open_calls(now).order_by("call_closes_at", "pk")[:100]),
        "closed_calls": list(_calls().filter(pk__in=mine).exclude(pk__in=_calls().open_calls(now).values("pk"))
                             .order_by("-call_closes_at", "pk")[:50]),
    }  # fmt: skip
    return render(request, "listings/call_list.html", context)


@login_required
def call_detail(request, reference):
    """One call with one's own lines."""
    call = get_call(request, reference)
    rows = Paginator(_own_lines(request, call).defer("place").order_by("number"), PER_PAGE)
    page = rows.get_page(request.GET.get("page"))
    for row in page:
        row.asked = asked_text(row.kind, row.quantity, row.power_kw, row.room_u)
    refusal = demand_permissions.hand_in_refusal(call, request.membership or None)
    context = {
        "call": call,
        "rows": page,
        "may_hand_in": refusal is None,
        "why_not": str(refusal.message) if refusal else "",
    }
    return render(request, "listings/call_detail.html", context)


def _line_page(request, call, form, line=None, differences=(), status=200):
    context = {"call": call, "form": form, "line": line, "differences": differences}
    return render(request, "listings/call_line.html", context, status=status)


@login_required
def call_line_new(request, reference):
    """A line of one's own into the open call."""
    call = get_call(request, reference)
    if refusal := demand_permissions.hand_in_refusal(call, request.membership or None):
        return _turned_back(request, call, refusal)
    form = HandedInLineForm(request.POST or None, demand_list=call, membership=request.membership)
    if request.method == "POST" and form.is_valid():
        try:
            demand.hand_in(demand_list=call, membership=request.membership, **form.line_fields())
        except (Refused, ValidationError) as error:
            _say(form, error)
        else:
            messages.success(request, _("Handed in. You can change it until the call closes."))
            return redirect("call_line_new" if "another" in request.POST else "call_detail", reference=reference)
    return _line_page(request, call, form, status=422 if form.errors else 200)


@login_required
def call_line_edit(request, reference, pk):
    """One's own line, while the call is open. Saved by a colleague in between: both versions are shown."""
    call = get_call(request, reference)
    line = get_object_or_404(_own_lines(request, call).select_related("applicant"), pk=pk)
    if refusal := demand_permissions.hand_in_refusal(call, request.membership or None):
        return _turned_back(request, call, refusal)
    form = HandedInLineForm(request.POST or None, demand_list=call, membership=request.membership, instance=line)
    differences = []
    if request.method == "POST" and form.is_valid():
        try:
            demand.change_handed_in(line=line, membership=request.membership, seen_at=form.seen(), **form.line_fields())
        except (Refused, ValidationError) as error:
            differences = _say(form, error, line)
        else:
            messages.success(request, _("Saved."))
            return redirect("call_detail", reference=reference)
    return _line_page(request, call, form, line, differences, 422 if form.errors else 200)


@login_required
@require_POST
def call_line_take_back(request, reference, pk):
    """One's own line leaves the call."""
    call = get_call(request, reference)
    line = get_object_or_404(_own_lines(request, call).select_related("demand_list"), pk=pk)
    try:
        demand.take_back(line=line, membership=request.membership)
    except Refused as refusal:
        return _turned_back(request, call, refusal)
    messages.success(request, _("Taken back: %(line)s.") % {"line": line.title})
    return redirect("call_detail", reference=reference)


def _turned_back(request, call, refusal):
    if isinstance(refusal, NotPermitted):
        return render(request, "listings/call_detail.html", {
            "call": call, "rows": Paginator([], PER_PAGE).get_page(1), "may_hand_in": False, "why_not": str(refusal),
        }, status=403)  # fmt: skip
    messages.error(request, str(refusal.message))
    return redirect("call_detail", reference=call.reference)


def _say(form, error, line=None) -> list[dict[str, str]]:
    """Puts the refusal into the form; where a colleague saved in between, gives what differs."""
    if isinstance(error, ValidationError):
        for field, sentences in error.update_error_dict({}).items():
            form.add_error(field if field in form.fields else None, sentences)
        return []
    form.add_error(None, str(error.message))
    if error.code != "stale" or line is None:
        return []
    theirs = DemandLine.objects.get(pk=line.pk)
    form.data = form.data.copy()
    form.data["seen_at"] = theirs.updated_at.isoformat()
    mine = DemandLine(**{name: getattr(theirs, name) for name in FIELDS} | form.line_fields())
    return demand_changes.differences(as_json(theirs), as_json(mine))
