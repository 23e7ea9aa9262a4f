from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from listings.demand_exports import asked_text
from listings.models import DemandLine
from matching import guide, presenters
from matching.models import MatchResult, MatchRun

PAGE_SIZE = 25


def latest_results():
    """Results of the newest finished run of each public list."""
    newest = (
        MatchRun.objects.filter(demand_list=OuterRef("run__demand_list"), state=MatchRun.State.DONE)
        .order_by("-pk")
        .values("pk")[:1]
    )
    return MatchResult.objects.filter(
        run=Subquery(newest), run__demand_list__state__in=["notice", "in_force"], line__state__in=["open", "requested"]
    )


@login_required
@require_GET
def my_matches(request):
    """An applicant's own lines with the newest verdict on each, and the way to request what was found."""
    if not request.membership:
        raise Http404
    results = (
        latest_results()
        .filter(line__applicant=request.membership.organisation_id)
        .select_related("line__demand_list")
        .defer("line__place")
        .order_by("line__demand_list_id", "line__number")
    )
    page = Paginator(results, PAGE_SIZE).get_page(request.GET.get("page"))
    page.object_list = presenters.attach(page.object_list, request.membership)
    return render(request, "matching/my_matches.html", {"page": page})


@login_required
@require_GET
def line_matches(request, pk: int):
    """One line's newest verdict with reasons and alternatives: for its applicant and the overseeing bureau."""
    line = get_object_or_404(
        DemandLine.objects.select_related("demand_list__bureau", "demand_list__region", "applicant", "duplicate_of"),
        pk=pk,
    )
    readable = MatchResult.objects.readable_by(request.membership)
    result = (
        readable.filter(line=line, run__state=MatchRun.State.DONE)
        .select_related("line__applicant", "run", "resource")
        .order_by("-run_id")
        .first()
    )
    is_applicant = bool(request.membership) and line.applicant_id == request.membership.organisation_id
    if result is None and not (is_applicant and line.demand_list.is_public):
        raise Http404
    if result:
        presenters.attach([result], request.membership)
    found = presenters.routes(result, request.membership) if result and result.line.place.dims == 1 else None
    asked = asked_text(line.kind, line.quantity, line.power_kw, line.room_u)
    context = {"line": line, "asked": asked, "result": result, "is_applicant": is_applicant, "routes": found}
    return render(request, "matching/line_matches.html", context)


@require_GET
def method(request):
    """The guide to the method: open to everybody."""
    language = "en" if (get_language() or "").startswith("en") else "zh"
    title, body = guide.page(language)
    return render(request, "matching/method.html", {"title": title, "body": body})
