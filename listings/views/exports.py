"""Files out: what is taken, in which form; how far the writing is; the file itself, to who asked for it."""

import shutil
from urllib.parse import urlencode

from django.http import FileResponse, Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.permissions import is_verified_member
from accounts.rules import rule
from accounts.views.base import attempt, member_required
from listings import selection
from listings.actions import exports
from listings.exports import source
from listings.exports.formats import media_type_of
from listings.forms.exports import ExportForm
from listings.models import ExportJob, Kind
from listings.wording import plain_number

State = ExportJob.State
RECENT = 20
BACK = {"own": "resource_list_own", "map": "resource_map"}
NOT_CARRIED = ("page", "view", "csrfmiddlewaretoken", "scope")


def own_export(request, pk: int) -> ExportJob:
    """A file the person asked for under the membership they act with; anything else is 404."""
    if not request.membership:
        raise Http404
    return get_object_or_404(ExportJob, pk=pk, membership=request.membership.pk)


def _query(request) -> str:
    query = request.GET.copy()
    for name in NOT_CARRIED:
        query.pop(name, None)
    return query.urlencode()


def export_new(request):
    """GET: what would go out, and the choices. POST: starts it; small files are there at once."""
    scope = request.POST.get("scope") or request.GET.get("scope", "map")
    if scope not in BACK or (scope == "own" and not request.membership):
        raise Http404
    form = ExportForm(request.POST or None, initial={"scope": scope, "query": _query(request)})
    if request.method == "POST" and form.is_valid():
        job = attempt(
            request, exports.start, form=form, membership=request.membership or None, language=get_language(),
            format_=form.cleaned_data["format"], **{k: form.cleaned_data[k] for k in ("crs", "scope", "query")},
        )  # fmt: skip
        if job:
            return _handed_out(job)
    query = form.data.get("query", "") if form.is_bound else _query(request)
    context = {"form": form, **_facts(request, scope, query)}
    return render(request, "listings/export_new.html", context, status=422 if form.errors else 200)


def _handed_out(job: ExportJob):
    """A visitor's file in the answer itself; a member's on its page, or straight away where it is ready."""
    if job.membership_id is None:
        path = exports.write_for_visitor(job)
        response = FileResponse(path.open("rb"), as_attachment=True, filename=job.file_name)
        shutil.rmtree(path.parent, ignore_errors=True)  # the open file stays readable until the answer is sent
        response["Cache-Control"] = "private, no-store"
        return response
    exports.write_if_small(job)
    return redirect("export_detail", job.pk)


def _facts(request, scope: str, query: str) -> dict:
    """What would go out: counts by kind, filter in words, what stays here and why."""
    reader = request.membership or None
    asked = QueryDict(query)
    job = ExportJob(scope=scope, query=query)
    counts = source.count(job, reader)
    text = selection.own_filter_text(asked) if scope == "own" else selection.map_filter_text(reader, asked)
    region = reader.organisation.region_id if reader else None
    key = "export.rows_per_day" if is_verified_member(reader) else "export.rows_unverified"
    limit = rule(key, region)
    return {
        "scope": scope,
        "counts": counts,
        "by_kind": [(Kind(kind).label, n) for kind, n in counts.by_kind.items()],
        "filter_text": text,
        "limit": limit,
        "is_too_much": counts.foreign > limit.value,
        "is_verified": is_verified_member(reader),
        "back_url": f"{reverse(BACK[scope])}?{query}" if query else reverse(BACK[scope]),
    }


@require_safe
@member_required()
def export_list(request):
    """The person's latest files: those that wait to be fetched, and what became of the others."""
    jobs = ExportJob.objects.filter(membership=request.membership.pk).order_by("-pk")[:RECENT]
    return render(request, "listings/export_list.html", {"jobs": jobs})


def _context(job: ExportJob) -> dict:
    pct = 100 if job.state == State.DONE else int(100 * job.done_count / job.row_count) if job.row_count else 0
    count_text = _("%(done)s of %(count)s rows") % {
        "done": plain_number(job.done_count), "count": plain_number(job.row_count),
    }  # fmt: skip
    back = {"own": reverse("resource_list_own"), "map": reverse("resource_map")}.get(job.scope, reverse("export_list"))
    if job.query and job.scope in BACK:
        back = f"{back}?{job.query}"
    return {
        "job": job,
        "is_busy": job.state in ExportJob.OPEN,
        "progress": {"pct": min(pct, 100), "stage": job.get_state_display(), "count_text": count_text},
        "back_url": back,
        "again_url": f"{reverse('export_new')}?{urlencode({'scope': job.scope})}&{job.query}",
    }


@require_safe
@member_required()
def export_detail(request, pk):
    """One file: how far it is, or the way to fetch it and until when."""
    job = own_export(request, pk)
    if request.htmx:
        if job.state not in ExportJob.OPEN:
            return HttpResponse(headers={"HX-Redirect": reverse("export_detail", args=[pk])})
        return render(request, "listings/_export_progress.html", _context(job))
    return render(request, "listings/export_detail.html", _context(job))


@require_GET
@member_required()
def export_file(request, pk):
    """The file, to who asked for it and until it expires."""
    job = own_export(request, pk)
    if job.state != State.DONE or not job.file:
        return redirect("export_detail", pk)
    response = FileResponse(
        job.file.open("rb"), as_attachment=True, filename=job.file_name, content_type=media_type_of(job.format)
    )
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@member_required()
def export_cancel(request, pk):
    """Stops the writing, or takes a finished file away."""
    job = own_export(request, pk)
    attempt(request, exports.cancel, job=job, membership=request.membership)
    return redirect("export_detail", pk)
