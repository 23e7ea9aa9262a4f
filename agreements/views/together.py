"""Space in several resources of one site, asked for in one form: one request each, all held or none."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.rules import rule
from agreements import actions
from agreements.fitting import given_pools, near_enough
from agreements.forms import SiteRequestForm
from agreements.models import ShareRequest
from agreements.permissions import request_refusal
from agreements.views.requests import lines_of
from listings.models import DemandLine, Kind, Resource, Unit
from listings.views.sites import readable_site


@login_required
@require_http_methods(["GET", "POST"])
def request_site(request, pk: int):
    """The form with the capacity of every member that takes requests."""
    site, members = readable_site(request, pk)
    refusals = [request_refusal(request.membership, resource) for resource in members]
    open_ones = [resource for resource, why in zip(members, refusals, strict=True) if why is None]
    if not open_ones:
        problem = next(why for why in refusals if why is not None)
        if isinstance(problem, NotPermitted) and problem.code != "not_verified":
            raise PermissionDenied(str(problem.message))
        messages.error(request, problem.message)
        return redirect("site_detail", pk=site.pk)
    lines, near = _lines_of(request.membership, open_ones)
    form = SiteRequestForm(
        request.POST if request.method == "POST" else None,
        resources=open_ones, lines=lines, fitting=near, initial=_initial(request, near, open_ones),
    )  # fmt: skip
    if form.is_bound and form.is_valid() and (made := _ask(request, open_ones, form)):
        said = ngettext(
            "%(count)d request made. What you asked for is held for you.",
            "%(count)d requests made together. What you asked for is held for you.",
            len(made),
        )
        messages.success(request, said % {"count": len(made)})
        return redirect("request_detail", pk=made[0].pk)
    region = open_ones[0].region
    context = {
        "site": site,
        "form": form,
        "hold_until": deadline_for("clock.hold", region),
        "hold_rule": rule("clock.hold", region),
    }
    return render(request, "agreements/request_site.html", context, status=422 if form.errors else 200)


def _lines_of(membership, resources: list[Resource]) -> tuple[QuerySet[DemandLine], list[tuple[DemandLine, float]]]:
    """The own lines that ask for a whole site, and of them those this site's tower is near enough to, nearest first."""
    tower = next((resource for resource in resources if resource.kind == Kind.TOWER), None)
    if tower is None or not any(resource.kind == Kind.ROOM for resource in resources):
        return DemandLine.objects.none(), []
    lines = lines_of(membership, tower).filter(room_u__isnull=False)
    return lines, near_enough(list(lines), tower, membership)


def _initial(request, near: list[tuple[DemandLine, float]], resources: list[Resource]) -> dict[str, Any]:
    """What the line in the address asks: in the pools its match was given, else in the first that have it."""
    number = request.GET.get("line", "")
    line = next((row for row, _metres in near if number.isdecimal() and row.pk == int(number)), None)
    if line is None:
        return {}
    asked = {Unit.POSITION: line.quantity, Unit.RACK_U: line.room_u, Unit.KW: line.power_kw}
    pools = [pool for resource in resources for pool in resource.pools.all()]
    given = given_pools(line, pools)
    initial: dict[str, Any] = {"line": line, "months": line.months, "purpose": f"{line.demand_list.reference} · {line}"}
    for unit, quantity in asked.items():
        fitting = [pool for pool in pools if pool.unit == unit and quantity and pool.free >= quantity]
        if fitting:
            pool = next((pool for pool in fitting if pool.pk in given), fitting[0])
            initial[f"q_{pool.pk}"] = Decimal(f"{Decimal(quantity or 0).normalize():f}")
    return initial


def _ask(request, resources, form: SiteRequestForm) -> list[ShareRequest]:
    """The one action; what it refuses becomes an error of the form."""
    values = form.cleaned_data
    try:
        return actions.request_together(
            by=request.user,
            membership=request.membership,
            resources=resources,
            quantities=form.quantities(),
            starts_on=values["starts_on"],
            months=values["months"],
            purpose=values["purpose"],
            line=values.get("line"),
            key=values["key"],
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
    except ValidationError as error:
        form.add_error(None, error.messages)
    return []
