"""Asking for space, and the list of what was asked."""

from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.numbers import row_id
from accounts.rules import rule
from agreements import actions
from agreements.fitting import fitting
from agreements.forms import RequestFilterForm, RequestForm
from agreements.models import QueuePlace, ShareRequest
from agreements.permissions import request_refusal
from agreements.pricing import worked_price
from listings.models import CapacityPool, DemandLine, DemandList, Resource

PAGE_SIZE = 30
FULL_CODES = ("no_space", "queue")  # refusals after which one may join the queue


def resource_of(request, pk: int) -> Resource:
    """The resource as this reader may read it; 404 otherwise."""
    rows = Resource.objects.visible_to(request.membership).select_related("owner", "region")
    return get_object_or_404(rows, pk=pk)


def lines_of(membership, resource: Resource):
    """The lines this request can answer: one's own organisation's, of the kind, still open, of lists in force."""
    if not membership:
        return DemandLine.objects.none()
    return (
        DemandLine.objects.asked_by(membership.organisation)
        .filter(kind=resource.kind, state__in=["open", "requested"], demand_list__state=DemandList.State.IN_FORCE)
        .select_related("demand_list")
        .order_by("demand_list_id", "number")
    )


def line_options(membership, resource: Resource) -> dict:
    """What RequestForm takes: every line that may be named, and those that fit."""
    lines = lines_of(membership, resource)
    return {"lines": lines, "fitting": fitting(lines, resource, membership) if membership else []}


def _initial(request, resource: Resource, pools, lines) -> dict:
    """What the line asks, filled into the form; then what the address carries (from a match, or recalculated)."""
    initial: dict = {}
    number = request.GET.get("line", "")
    line = next((row for row in lines if number.isdecimal() and row.pk == int(number)), None)
    if line:
        initial = {"line": line, "months": line.months, "purpose": f"{line.demand_list.reference} · {line}"}
        main = next((pool for pool in pools if pool.unit != "kw" and pool.free >= line.quantity), None)
        power = next((pool for pool in pools if pool.unit == "kw"), None)
        if main:
            initial[f"q_{main.pk}"] = line.quantity
        if power and line.power_kw:
            initial[f"q_{power.pk}"] = Decimal(f"{line.power_kw.normalize():f}")
    names = ["starts_on", "months", "purpose", *[f"q_{pool.pk}" for pool in pools]]
    return initial | {name: request.GET[name] for name in names if request.GET.get(name)}


def _typed_quantities(values, pools) -> dict[int, Decimal]:
    """Quantities as far as they can be read: the worked price follows the typing."""
    found = {}
    for pool in pools:
        try:
            quantity = Decimal(str(values.get(f"q_{pool.pk}") or 0))
        except InvalidOperation:
            continue
        if quantity.is_finite() and 0 < quantity < 10**9:
            found[pool.pk] = quantity
    return found


@login_required
@require_http_methods(["GET", "POST"])
def request_new(request, pk: int):
    """The form that asks for space on a resource; with htmx, the worked price alone."""
    resource = resource_of(request, pk)
    if problem := request_refusal(request.membership, resource):
        if isinstance(problem, NotPermitted) and problem.code != "not_verified":
            raise PermissionDenied(str(problem.message))
        messages.error(request, problem.message)
        return redirect("resource_detail", pk=resource.pk)
    pools = list(resource.pools.order_by("pk"))
    options = line_options(request.membership, resource)
    if request.method == "POST":
        form = RequestForm(request.POST, pools=pools, **options)
        if form.is_valid() and (case := _ask(request, resource, form)):
            messages.success(request, _("Requested. What you asked for is held for you."))
            return redirect(case.bundle or case)
    else:
        lines = [line for line, _metres in options["fitting"]]
        form = RequestForm(pools=pools, initial=_initial(request, resource, pools, lines), **options)
    return ask_page(request, resource, pools, form)


def ask_page(request, resource: Resource, pools: list[CapacityPool], form: RequestForm):
    """The page of the form, with what the refusal of a bound one says; with htmx, the worked price alone."""
    values = request.POST if form.is_bound else {**form.initial}
    price = worked_price(resource, _typed_quantities(values, pools), pools)
    if request.htmx and request.method == "GET":
        return render(request, "agreements/_worked_price.html", {"price": price})
    waiting = QueuePlace.objects.active().filter(resource=resource).count()
    context = {
        "resource": resource,
        "pools": pools,
        "form": form,
        "price": price,
        "hold_until": deadline_for("clock.completeness", resource.region),
        "hold_rule": rule("clock.completeness", resource.region),
        "waiting": waiting,
        "leg": _failed_leg(request),
        "may_queue": bool(waiting) or any(pool.free <= 0 for pool in pools) or form.code in FULL_CODES,
    }
    return render(request, "agreements/request_new.html", context, status=422 if form.errors else 200)


def _failed_leg(request) -> ShareRequest | None:
    """?leg=…: the leg of a joint request of one's own whose place this request takes."""
    number = row_id(request.GET.get("leg", ""))
    if not number or not request.membership:
        return None
    own = ShareRequest.objects.filter(requester=request.membership.organisation, bundle__isnull=False)
    return own.with_parties().filter(pk=number).first()


def _ask(request, resource: Resource, form: RequestForm) -> ShareRequest | None:
    """The one action; what it refuses becomes an error of the form."""
    values, leg = form.cleaned_data, _failed_leg(request)
    asked = {
        "by": request.user,
        "membership": request.membership,
        "resource": resource,
        "quantities": form.quantities(),
        **{name: values[name] for name in ("starts_on", "months", "purpose", "line", "key")},
    }
    try:
        return actions.replace_leg(leg=leg, **asked) if leg else actions.request_space(**asked)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        form.code = refusal.code
        form.add_error(None, str(refusal.message))
    except ValidationError as error:
        form.add_error(None, error.messages)
    return None


@login_required
@require_GET
def request_list(request):
    """Requests made and received, what runs out first on top; for a bureau those of its region, to read."""
    form = RequestFilterForm(request.GET)
    cleaned = form.cleaned_data if form.is_valid() else {}
    membership = request.membership
    rows = ShareRequest.objects.readable_by(membership).with_parties()
    if membership:
        rows = rows.search(**cleaned, organisation=membership.organisation).once_each().by_clock()
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "agreements/request_list.html",
        {"page": page, "form": form, "is_filtered": any(cleaned.values()), "membership": membership},
    )
