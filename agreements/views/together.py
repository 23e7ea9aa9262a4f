"""Space in several resources asked for in one form: a site's, a route's, or those chosen. All are held, or none."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.clocks import deadline_for
from accounts.errors import NotPermitted, Refused
from accounts.numbers import row_id
from accounts.rules import rule
from agreements import actions
from agreements.fitting import given_pools, near_enough
from agreements.forms import SiteRequestForm
from agreements.legs import LEGS_MAX
from agreements.models import ShareRequest
from agreements.permissions import request_refusal
from agreements.views.requests import lines_of
from listings.models import DemandLine, DemandList, Kind, Resource, Unit
from listings.views.sites import readable_site


@login_required
@require_http_methods(["GET", "POST"])
def request_site(request, pk: int):
    """The form with the capacity of every member of a site that takes requests."""
    site, members = readable_site(request, pk)
    back = {"back": reverse("site_detail", args=[site.pk]), "back_label": site.name, "title_of": site.name}
    return _together(request, members, back)


@login_required
@require_http_methods(["GET", "POST"])
def request_many(request):
    """?r=…&r=…&line=…: the same for any resources this reader may see, of whatever owners, in that order."""
    asked = list(dict.fromkeys(pk for text in request.GET.getlist("r") if (pk := row_id(text))))[:LEGS_MAX]
    visible = Resource.objects.visible_to(request.membership).filter(pk__in=asked).select_related("owner", "region")
    found = {resource.pk: resource for resource in visible.prefetch_related("pools")}
    members = [found[pk] for pk in asked if pk in found]
    if not members:
        return redirect("resource_compare")
    line = _line(request)
    if line:
        back = {"back": reverse("line_matches", args=[line.pk]), "back_label": str(line), "title_of": str(line)}
    else:
        address = f"{reverse('resource_compare')}?{urlencode([('r', resource.pk) for resource in members])}"
        back = {"back": address, "back_label": "", "title_of": ""}
    return _together(request, members, back, line=line)


def _line(request) -> DemandLine | None:
    """The line of one's own the legs answer, if the address names one that is still open."""
    number = row_id(request.GET.get("line", ""))
    if not number or not request.membership:
        return None
    rows = DemandLine.objects.asked_by(request.membership.organisation).filter(
        pk=number, state__in=["open", "requested"], demand_list__state=DemandList.State.IN_FORCE
    )
    return rows.select_related("demand_list").first()


def _together(request, members: list[Resource], back: dict[str, str], line: DemandLine | None = None):
    refusals = [(resource, request_refusal(request.membership, resource)) for resource in members]
    open_ones = [resource for resource, why in refusals if why is None]
    if not open_ones:
        problem = next(why for _resource, why in refusals if why is not None)
        if isinstance(problem, NotPermitted) and problem.code != "not_verified":
            raise PermissionDenied(str(problem.message))
        messages.error(request, problem.message)
        return redirect(back["back"])
    lines, near = (DemandLine.objects.none(), []) if line else _lines_of(request.membership, open_ones)
    initial = _of_line(line, open_ones) if line else _initial(request, near, open_ones)
    data = request.POST if request.method == "POST" else None
    form = SiteRequestForm(data, resources=open_ones, lines=lines, fitting=near, initial=initial)
    if form.is_bound and form.is_valid() and (made := _ask(request, open_ones, form, line)):
        said = ngettext(
            "%(count)d request made. What you asked for is held for you.",
            "%(count)d requests made together. What you asked for is held for you.",
            len(made),
        )
        messages.success(request, said % {"count": len(made)})
        return redirect(made[0].bundle or made[0])
    region = open_ones[0].region
    context = back | {
        "form": form,
        "line": line,
        "closed": [(resource, str(why.message)) for resource, why in refusals if why is not None],
        "owner_count": len({resource.owner_id for resource in open_ones}),
        "hold_until": deadline_for("clock.completeness", region),
        "hold_rule": rule("clock.completeness", region),
        "decide_rule": rule("clock.legs", region),
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


def _of_line(line: DemandLine, resources: list[Resource]) -> dict[str, Any]:
    """What the line asks, filled in for every leg that has so much free."""
    initial: dict[str, Any] = {"months": line.months, "purpose": f"{line.demand_list.reference} · {line}"}
    for resource in resources:
        free = [pool for pool in resource.pools.all() if pool.unit != "kw" and pool.free >= line.quantity]
        if free:
            initial[f"q_{free[0].pk}"] = Decimal(f"{Decimal(line.quantity).normalize():f}")
    return initial


def _ask(request, resources: list[Resource], form: SiteRequestForm, line: DemandLine | None) -> list[ShareRequest]:
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
            line=line or values.get("line"),
            mode=values.get("mode") or "parts",
            key=values["key"],
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
    except ValidationError as error:
        form.add_error(None, error.messages)
    return []
