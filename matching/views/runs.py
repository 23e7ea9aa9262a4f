import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.gis.db.models.functions import AsGeoJSON, Centroid
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import NotPermitted, Refused
from listings.models import DemandList, Resource
from matching import actions, charts, presenters, tallies
from matching.core.problem import Weights
from matching.forms import ResultFilter, WeightsForm
from matching.models import MatchRun
from matching.permissions import may_read_run, may_run
from matching.wording import STAGE_LABELS

PAGE_SIZE = 25  # each line carries its reasons: twice as many take twice the time


def run_of(request, pk: int) -> MatchRun:
    """The run, if the person's bureau oversees the list's region; 404 otherwise."""
    run = get_object_or_404(MatchRun.objects.select_related("demand_list__bureau", "demand_list__region"), pk=pk)
    if not may_read_run(request.membership, run):
        raise Http404
    return run


def list_of(request, pk: int) -> DemandList:
    """The list, if the person acts for a bureau that oversees its region; 404 otherwise."""
    demand_list = get_object_or_404(DemandList.objects.select_related("bureau", "region"), pk=pk)
    if not may_read_run(request.membership, MatchRun(demand_list=demand_list)):
        raise Http404
    return demand_list


@login_required
@require_POST
def run_start(request, pk: int):
    """Queues a run and leads to its page; since: a run of the list to be matched again."""
    demand_list = list_of(request, pk)
    form = WeightsForm(request.POST)
    since = request.POST.get("since", "")
    base = demand_list.runs.filter(pk=since).first() if since.isdecimal() and len(since) < 19 else None
    if not form.is_valid():
        messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
        return redirect("run_list", demand_list.pk)
    try:
        run = actions.start(
            demand_list=demand_list,
            by=request.user,
            membership=request.membership,
            since=base,
            **form.options(),
        )
    except NotPermitted as refusal:
        raise PermissionDenied(refusal.message) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("run_list", demand_list.pk)
    return redirect("run_detail", run.pk)


@login_required
@require_GET
def run_list(request, pk: int):
    """All runs of a list, and the form that starts the next with its weights shown."""
    demand_list = list_of(request, pk)
    runs = Paginator(demand_list.runs.select_related("started_by"), 30).get_page(request.GET.get("page"))
    weights = {name: getattr(Weights(), name) for name in Weights.__dataclass_fields__}
    refusal = ""
    try:
        actions.check_startable(request.membership, demand_list)
    except Refused as error:
        refusal = error.message
    context = {"demand_list": demand_list, "page": runs, "form": WeightsForm(initial=weights), "refusal": refusal}
    return render(request, "matching/run_list.html", context)


@login_required
@require_GET
def run_detail(request, pk: int):
    """One run: progress while it goes on, then figures, map and the table of verdicts."""
    run = run_of(request, pk)
    form = ResultFilter(request.GET)
    results = run.results.select_related("line__applicant").defer("line__place").order_by("line__number")
    if form.is_valid():
        if form.cleaned_data["verdict"]:
            results = results.filter(verdict=form.cleaned_data["verdict"])
        if form.cleaned_data["kind"]:
            results = results.filter(line__kind=form.cleaned_data["kind"])
        if form.cleaned_data["binding"]:
            results = results.filter(binding=form.cleaned_data["binding"])
        if text := form.cleaned_data["q"]:
            results = results.filter(
                Q(line__title__icontains=text)
                | Q(line__applicant__name_zh__icontains=text)
                | Q(line__applicant__name_en__icontains=text)
                | Q(line__applicant_name__icontains=text)
            )
    page = Paginator(results, PAGE_SIZE).get_page(request.GET.get("page"))
    page.object_list = presenters.attach(page.object_list, request.membership)
    previous = run.demand_list.runs.filter(state=MatchRun.State.DONE, pk__lt=run.pk).first()
    context = {
        "run": run,
        "page": page,
        "form": form,
        "stage": STAGE_LABELS.get(run.stage, run.stage),
        "previous": previous,
        "proposals": run.proposals.defer("place").annotate(party_count=Count("parties")).order_by("number")[:50],
        "served": tallies.served(run) if run.state == MatchRun.State.DONE else {},
        "bindings": charts.bindings(run.figures),
        "curves": charts.curves(run.figures),
        "may_run": may_run(request.membership, run.demand_list),
        "base": run.demand_list.runs.filter(pk=run.figures.get("since") or 0).first(),
    }
    template = (
        "matching/_results.html" if request.htmx and request.htmx.target == "results" else "matching/run_detail.html"
    )
    return render(request, template, context)


@login_required
@require_GET
def run_progress(request, pk: int):
    """The progress bar while a run goes on; when it has ended the page is loaded anew."""
    run = run_of(request, pk)
    response = render(
        request,
        "matching/_progress.html",
        {
            "run": run,
            "stage": STAGE_LABELS.get(run.stage, run.stage),
            "may_run": may_run(request.membership, run.demand_list),
        },
    )
    if not run.is_live:
        response["HX-Refresh"] = "true"
    return response


@login_required
@require_POST
def run_cancel(request, pk: int):
    """Asks a run to stop."""
    run = run_of(request, pk)
    try:
        actions.cancel(run=run, by=request.user, membership=request.membership)
    except NotPermitted as refusal:
        raise PermissionDenied(refusal.message) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect("run_detail", run.pk)


@login_required
@require_GET
def run_compare(request, pk: int):
    """What changed from an earlier run (?with=) of the same list to this one."""
    run = run_of(request, pk)
    others = run.demand_list.runs.filter(state=MatchRun.State.DONE).exclude(pk=run.pk)
    asked = request.GET.get("with", "")
    other = (
        others.filter(pk=asked).first()
        if asked.isdecimal() and len(asked) < 19
        else others.filter(pk__lt=run.pk).first()
    )
    found = presenters.difference(other, run) if other else {"rows": [], "counts": {}}
    page = Paginator(found["rows"], PAGE_SIZE).get_page(request.GET.get("page"))
    if other:
        presenters.explain(list(page.object_list), other, run)
    context = {"run": run, "other": other, "others": others[:50], "counts": found["counts"], "page": page}
    return render(request, "matching/run_compare.html", context)


@login_required
@require_GET
def run_map(request, pk: int):
    """GeoJSON of a run: demand points by verdict, supply as this reader is shown it, and lines between them."""
    run = run_of(request, pk)
    rows = run.results.select_related("line").annotate(line_point=AsGeoJSON(Centroid("line__place"), precision=6))
    rows = list(rows.defer("told").order_by("line__number")[:2000])
    shown = {
        r.pk: r
        for r in Resource.objects.visible_to(request.membership)
        .filter(pk__in={row.resource_id for row in rows if row.resource_id})
        .annotate(point=AsGeoJSON(Centroid("shown_place"), precision=6))
    }
    features = []
    for row in rows:
        demand = json.loads(row.line_point)
        tone = "demand" if row.verdict == "met" else "unmet"
        features.append(
            _feature(demand, label=str(row.line), kind=row.line.kind, tone=tone, url=f"#line-{row.line_id}")
        )
        resource = shown.get(row.resource_id)
        if resource:
            supply = json.loads(resource.point)
            between = {"type": "LineString", "coordinates": [demand["coordinates"], supply["coordinates"]]}
            features.append(_feature(between, label="", kind="link", tone="link", url=""))
            url = reverse("resource_detail", args=[resource.pk])
            features.append(
                _feature(
                    supply,
                    label=resource.name,
                    kind=resource.kind,
                    tone="free",
                    url=url,
                    is_blurred=not resource.is_exact,
                )
            )
    return JsonResponse(
        {"type": "FeatureCollection", "features": features}, headers={"Cache-Control": "private, no-store"}
    )


def _feature(geometry: dict, **properties) -> dict:
    return {"type": "Feature", "geometry": geometry, "properties": {"is_blurred": False, **properties}}
