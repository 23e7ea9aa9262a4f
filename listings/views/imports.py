"""Importing a file in four steps: file → columns → place check → report. Nothing is stored before the last."""

import io

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.errors import Refused
from accounts.numbers import row_id
from accounts.views.base import attempt, member_required
from listings.actions import imports
from listings.demand_permissions import works_for
from listings.forms.imports import PlaceForm, UploadForm, read_columns, read_words
from listings.imports import pages, report, systems, targets, templates
from listings.imports.findings import FileRefused
from listings.kinds.part_columns import PART_KINDS
from listings.kinds.registry import SPECS
from listings.models import DemandList, ImportJob
from listings.views.calls import get_call

State = ImportJob.State
PAGE_SIZE = 50
RECENT = 10
PAGE_OF = {
    State.MAPPING: "import_mapping",
    State.PLACING: "import_place",
    State.READY: "import_report",
    State.DONE: "import_report",
    State.UNDONE: "import_report",
    State.FAILED: "import_report",
    State.CANCELLED: "import_new",
}


def own_job(request, pk: int) -> ImportJob:
    """An import of the own organisation; another's is 404."""
    if not request.membership:
        raise Http404
    jobs = ImportJob.objects.select_related("organisation__region", "demand_list__bureau", "demand_list__region")
    jobs = jobs.defer("organisation__region__polygon", "organisation__region__label_point")
    return get_object_or_404(jobs, pk=pk, organisation=request.membership.organisation_id)


def _answerable(request, pk: int) -> ImportJob:
    """The same, for whoever may carry it on; 403 for one's own without the role."""
    job = own_job(request, pk)
    if denied := imports.refusal(job, request.membership):
        raise PermissionDenied(str(denied.message))
    return job


def _list_of(request, reference: str) -> DemandList | None:
    """The call of that reference, else the demand list named by ?list=; another bureau's is 404."""
    if reference:
        return get_call(request, reference)
    pk = request.GET.get("list") or request.POST.get("list")
    if not pk:
        return None
    lists = DemandList.objects.select_related("bureau", "region").defer("region__polygon")
    found = get_object_or_404(lists, pk=row_id(pk))
    if not works_for(request.membership, found):
        raise Http404
    return found


@member_required()
def import_new(request, reference=""):
    """GET: step 1. POST: takes the file; it goes on with an open import of the same file. reference: a call's."""
    demand_list = _list_of(request, reference)
    target = imports.target_for(request.membership, demand_list)
    blank = ImportJob(organisation=request.membership.organisation, target=target, demand_list=demand_list)
    if denied := imports.refusal(blank, request.membership):
        raise PermissionDenied(str(denied.message))
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*posted, is_demand=demand_list is not None)
    if request.method == "POST" and form.is_valid():
        made = attempt(
            request,
            imports.upload_file,
            form=form,
            field="file",
            membership=request.membership,
            file=form.cleaned_data["file"],
            kind=form.cleaned_data.get("kind", ""),
            demand_list=demand_list,
        )
        if made:
            return redirect("import_detail", made[0].pk)
    recent = ImportJob.objects.filter(organisation=request.membership.organisation_id, demand_list=demand_list)
    context = {
        "form": form,
        "demand_list": demand_list,
        "target": target,
        "desk_url": _desk(blank),
        "recent": recent.exclude(state=State.CANCELLED).select_related("created_by")[:RECENT],
        "kinds": [] if demand_list else pages.template_links(),
        "steps": pages.steps(None, 1),
    }
    return render(request, "listings/import_new.html", context, status=422 if form.errors else 200)


@require_GET
@member_required()
def import_detail(request, pk):
    """Leads to the page of the step the import is at."""
    job = own_job(request, pk)
    name = PAGE_OF.get(State(job.state))
    if name == "import_new":
        return redirect(_start(job))
    if name:
        return redirect(name, pk)
    return redirect("import_progress", pk)


def _desk(job: ImportJob) -> str:
    """Where the lines are looked after: the list's page on the bureau's desk, or the call's; "" for resources."""
    if job.target == ImportJob.Target.HAND_IN:
        return reverse("call_detail", args=[job.demand_list.reference])
    return reverse("bureau_lists:inspect", args=[job.demand_list_id]) if job.demand_list_id else ""


def _start(job: ImportJob) -> str:
    if job.target == ImportJob.Target.HAND_IN:
        return reverse("call_import", args=[job.demand_list.reference])
    return reverse("import_new") + (f"?list={job.demand_list_id}" if job.demand_list_id else "")


@require_GET
@member_required()
def import_progress(request, pk):
    """How far the work is; leads on by itself once it is done."""
    job = own_job(request, pk)
    if job.state not in pages.BUSY:
        if request.htmx:
            return HttpResponse(headers={"HX-Redirect": reverse("import_detail", args=[pk])})
        return redirect("import_detail", pk)
    context = {"job": job, "progress": pages.progress(job), "steps": pages.steps(job, pages.STEP_OF[State(job.state)])}
    name = "listings/_import_progress.html" if request.htmx else "listings/import_progress.html"
    return render(request, name, context)


@member_required()
def import_mapping(request, pk):
    """GET: step 2, the columns. POST: confirms them, or reads another sheet or as another kind."""
    job = _answerable(request, pk)
    if job.state not in imports.ANSWERABLE:
        return redirect("import_detail", pk)
    rows = pages.field_rows(job)
    if request.method == "POST":
        if request.POST.get("again"):
            done = attempt(
                request,
                imports.choose_sheet,
                job=job,
                membership=request.membership,
                sheet=request.POST.get("sheet", ""),
                kind=request.POST.get("kind", ""),
            )
            if done:
                imports.advance_if_small(done)
            return redirect("import_detail", pk)
        names = report.raw_columns(job)
        mapping, constants = read_columns(request.POST, names, [row.field for row in rows])
        done = attempt(
            request,
            imports.set_columns,
            job=job,
            membership=request.membership,
            mapping=mapping,
            constants=constants,
            words=read_words(request.POST, rows),
        )
        if done:
            imports.advance_if_small(done)
            return redirect("import_mapping" if request.POST.get("stay") else "import_detail", pk)
        job.mapping = mapping
        rows = pages.field_rows(job)
    context = {
        "job": job,
        "groups": [[row for row in rows if row.is_open], [row for row in rows if not row.is_open]],
        "columns": list(enumerate(report.raw_columns(job))),
        "unused": [c for c in job.columns if c["name"] not in job.mapping.values()],
        "facts": pages.file_facts(job),
        "kinds": [] if job.demand_list_id else pages.kind_choices(),
        "has_place": targets.has_place(job),
        "sheets": job.detected.get("sheets", []),
        "sheet": job.detected.get("sheet", ""),
        "steps": pages.steps(job, 2),
    }
    return render(request, "listings/import_mapping.html", context)


@member_required()
def import_place(request, pk):
    """GET: step 3, the places under each likely system (?try=EPSG adds one). POST: confirms one, checks every row."""
    job = _answerable(request, pk)
    if job.state not in (State.PLACING, State.READY) or not targets.has_place(job):
        return redirect("import_detail", pk)
    form = PlaceForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        crs, is_swapped = form.cleaned_data["reading"]
        done = attempt(
            request,
            imports.set_place,
            form=form,
            job=job,
            membership=request.membership,
            crs=crs,
            is_swapped=is_swapped,
            is_abroad=form.cleaned_data["is_abroad"],
        )
        if done:
            return redirect("import_detail", pk)
    extra, extra_error = "", ""
    if asked := request.GET.get("try", "").strip():
        try:
            extra = systems.check(asked)
        except FileRefused as refusal:
            extra_error = str(refusal)
    readings, outside_pct, refusal = pages.readings(job, extra)
    region = job.demand_list.region if job.demand_list else job.organisation.region
    drawn = [{"key": r.key, "label": r.label, "features": r.features} for r in readings[: pages.COLOURS]]
    context = {
        "job": job,
        "form": form,
        "readings": readings,
        "refusal": refusal,
        "outside_pct": outside_pct,
        "asked": asked,
        "extra_error": extra_error,
        "is_sure": any(reading.is_checked for reading in readings),
        "data": {"readings": drawn, "region": pages.outline(region)},
        "region": region,
        "steps": pages.steps(job, 3),
    }
    return render(request, "listings/import_place.html", context, status=422 if form.errors else 200)


VERDICTS = ("create", "update", "same", "skip")
ALWAYS_TOLD = ("price_per_period", "price_negotiable", "total_row")  # notes that stand at their rows unasked


@require_GET
@member_required()
def import_report(request, pk):
    """Step 4: every row's verdict, cause and fix. ?format=json gives all rows, ?format=xlsx the bad ones to mend."""
    job = own_job(request, pk)
    if job.state in (*pages.BUSY, State.MAPPING, State.PLACING, State.CANCELLED):
        return redirect("import_detail", pk)
    rows = job.rows.order_by("number")
    wanted = request.GET.get("format", "")
    if wanted == "json":
        name = f"import-{job.pk}.json"
        return StreamingHttpResponse(
            report.as_json(job, rows),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    if wanted == "xlsx":
        out = io.BytesIO()
        report.as_workbook(job, rows.filter(verdict="error"), out)
        out.seek(0)
        return FileResponse(out, as_attachment=True, filename=f"import-{job.pk}.xlsx")
    level, code, column = (request.GET.get(name, "") for name in ("level", "code", "column"))
    if level in ("error", "warning", "info"):
        wanted_problem = (
            {"level": level}
            | ({"code": code} if code else {})
            | ({"column": column} if "column" in request.GET else {})
        )
        rows = rows.filter(problems__contains=[wanted_problem])
    elif level in VERDICTS:
        rows = rows.filter(verdict=level)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "listings/import_report.html", _report_context(request, job, page, level))


def _report_context(request, job: ImportJob, page, level: str) -> dict:
    names = report.labels(job)
    summary = pages.summary(job)
    swapped = sum(row["count"] for row in summary if row["code"] == "swapped")
    code_column = job.mapping.get("owner_code") or job.mapping.get("applicant_code") or ""
    name_column = next(filter(None, (job.mapping.get(name) for name in report.NAMES)), "")
    return {
        "job": job,
        "page": page,
        "level": level,
        "summary": summary,
        "swapped": swapped,
        "rows": [
            (
                row,
                [
                    p
                    for p in report.told(row, names)
                    if p["level"] != "info" or level == "info" or p["code"] in ALWAYS_TOLD
                ],
                row.raw.get(code_column, ""),
                row.raw.get(name_column, ""),
            )
            for row in page
        ],
        "counts": {name: job.counts.get(name, 0) for name in (*VERDICTS, "error", "warning", "info")},
        "to_store": job.counts.get("create", 0) + job.counts.get("update", 0),
        "refusal": pages.refusal_of(job),
        "querystring": request.GET.urlencode(),
        "steps": pages.steps(job, 4),
        "may_go_on": imports.refusal(job, request.membership) is None,
        "touched": imports.touched_since(job) if job.state == State.DONE else [],
        "has_place": targets.has_place(job),
        "system": systems.label(job.crs) if job.crs else "",
        "start_url": _start(job),
        "desk_url": _desk(job),
    }


@require_POST
@member_required()
def import_confirm(request, pk):
    """Stores what the report found good."""
    job = _answerable(request, pk)
    attempt(request, imports.confirm, job=job, membership=request.membership)
    return redirect("import_detail", pk)


@require_POST
@member_required()
def import_swap(request, pk):
    """Exchanges longitude and latitude in the rows named so, and checks again."""
    job = _answerable(request, pk)
    attempt(request, imports.swap_rows, job=job, membership=request.membership)
    return redirect("import_detail", pk)


@require_POST
@member_required()
def import_cancel(request, pk):
    """Ends an import before anything is stored; stops one that is being stored."""
    job = _answerable(request, pk)
    done = attempt(request, imports.cancel, job=job, membership=request.membership)
    if done and done.state == State.CANCELLED:
        return redirect(_start(job))
    return redirect("import_detail", pk)


@require_POST
@member_required()
def import_undo(request, pk):
    """Takes a stored import back as a whole; with keep=1 all but what was changed since."""
    job = _answerable(request, pk)
    keep = request.POST.get("keep") == "1"
    attempt(request, imports.undo, job=job, membership=request.membership, keep_changed=keep)
    return redirect("import_detail", pk)


@require_GET
@member_required()
def import_template(request, kind):
    """A table of the kind ("demand", "hand_in": lines of a list) with an example and notes; ?format=csv: bare."""
    if kind not in (*SPECS, *PART_KINDS, "demand", "hand_in"):
        raise Http404
    of = ("resources", kind) if kind in SPECS else ("parts", kind) if kind in PART_KINDS else (kind, "")
    name = _("template") + f"-{kind}"
    if request.GET.get("format") == "csv":
        out = io.BytesIO(templates.text(*of).encode())
        return FileResponse(out, as_attachment=True, filename=f"{name}.csv", content_type="text/csv; charset=utf-8")
    out = io.BytesIO()
    templates.workbook(*of, out)
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"{name}.xlsx")


__all__ = [
    "Refused",
    "import_cancel",
    "import_confirm",
    "import_detail",
    "import_mapping",
    "import_new",
    "import_place",
    "import_progress",
    "import_report",
    "import_swap",
    "import_template",
    "import_undo",
]
