"""Acts on many of one's own resources: choose, look over, confirm, take back."""

import csv
from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.numbers import row_id
from accounts.views.base import attempt, member_required
from listings import bulk_page, selection
from listings.actions import bulk
from listings.exports.formats import FORMULA_STARTS
from listings.forms.bulk import BulkEditForm
from listings.models import BulkJob, BulkRow
from listings.permissions import may_edit

PAGE_SIZE = 50
COMPARED_MOST = 4
FILTERS = ("q", "kind", "state", "stale")


def own_bulk(request, pk: int) -> BulkJob:
    """A bulk act of the own organisation; another's is 404."""
    if not request.membership:
        raise Http404
    return get_object_or_404(BulkJob.objects.select_related("organisation"), pk=pk,
                             organisation=request.membership.organisation_id)  # fmt: skip


def _require_editor(request) -> None:
    if not may_edit(request.membership, request.membership.organisation):
        raise PermissionDenied(_("Resources are changed by the owner's editors and administrators."))


def _chosen_query(post: QueryDict) -> str:
    """The list's filter where all that was found is meant, else the rows ticked, as a query string."""
    if post.get("scope") == "all":
        return urlencode([(name, post[name]) for name in FILTERS if post.get(name)])
    return urlencode([("pk", pk) for text in post.getlist("pk") if (pk := row_id(text))])


@require_POST
@member_required()
def resource_bulk(request):
    """From the own list: leads to the form, to the comparison, or looks publish or suspend over."""
    _require_editor(request)
    query, act = _chosen_query(request.POST), request.POST.get("act", "")
    back = redirect(f"{reverse('resource_list_own')}?{request.POST.get('querystring', '')}")
    if not query and request.POST.get("scope") != "all":
        messages.error(request, _("Tick at least one resource first."))
        return back
    if act == "edit":
        return redirect(f"{reverse('bulk_edit')}?{query}")
    if act == "compare":
        ids = selection.picked_ids(QueryDict(query))[:COMPARED_MOST]
        return redirect(f"{reverse('resource_compare')}?{urlencode([('r', pk) for pk in ids])}")
    if act not in (BulkJob.Verb.PUBLISH, BulkJob.Verb.SUSPEND):
        messages.error(request, _("Choose what to do with the resources ticked."))
        return back
    job = attempt(request, bulk.start, membership=request.membership, verb=act, query=query, changes={})
    return redirect("bulk_detail", job.pk) if job else back


@member_required()
def bulk_edit(request):
    """GET: which values, for how many. POST: looks the change over; nothing is changed yet."""
    _require_editor(request)
    query = request.POST.get("query", "") if request.method == "POST" else request.GET.urlencode()
    form = BulkEditForm(request.POST or None, initial={"query": query})
    if request.method == "POST" and form.is_valid():
        job = attempt(
            request, bulk.start, form=form, membership=request.membership, verb="edit", query=query,
            changes=form.changes,
        )  # fmt: skip
        if job:
            return redirect("bulk_detail", job.pk)
    chosen = selection.own_rows(request.membership, QueryDict(query))
    context = {
        "form": form,
        "chosen_count": chosen.count(),
        "filter_text": selection.own_filter_text(QueryDict(query)),
        "back_url": f"{reverse('resource_list_own')}?{query}",
    }
    return render(request, "listings/bulk_edit.html", context, status=422 if form.errors else 200)


@require_safe
@member_required()
def bulk_detail(request, pk):
    """How far it is; what would change, what is refused and why; afterwards what was done, and the way back."""
    job = own_bulk(request, pk)
    if request.htmx:
        if job.state not in BulkJob.BUSY:
            return HttpResponse(headers={"HX-Redirect": reverse("bulk_detail", args=[pk])})
        return render(request, "listings/_bulk_progress.html", {"job": job, "progress": bulk_page.progress(job)})
    verdict = request.GET.get("verdict", "")
    rows = job.rows.order_by("pk")
    if verdict in BulkRow.Verdict.values:
        rows = rows.filter(verdict=verdict)
    page = Paginator(rows, PAGE_SIZE if verdict else bulk_page.SAMPLE).get_page(request.GET.get("page"))
    found = bulk_page.counts(job)
    context = {
        "job": job,
        "counts": found,
        "bad_count": found["refused"] + found["kept"],
        "reasons": bulk_page.reasons(job, "refused", "kept"),
        "page": page,
        "rows": bulk_page.worded(page.object_list),
        "verdict": verdict,
        "progress": bulk_page.progress(job),
        "is_busy": job.state in BulkJob.BUSY,
        "may_go_on": bulk.refusal(job, request.membership) is None,
        "querystring": request.GET.urlencode(),
        "back_url": f"{reverse('resource_list_own')}?{job.query}" if "pk=" not in job.query
        else reverse("resource_list_own"),
    }  # fmt: skip
    return render(request, "listings/bulk_detail.html", context)


class _Echo:
    def write(self, value: str) -> str:
        return value


@require_GET
@member_required()
def bulk_refused(request, pk):
    """The rows refused or kept, with the reason, as CSV."""
    job = own_bulk(request, pk)
    rows = job.rows.filter(verdict__in=["refused", "kept"]).order_by("pk")
    head = [_("Own code and name"), _("Verdict"), _("Why")]

    language = get_language() or "en"

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield "\ufeff" + writer.writerow(head)
        with override(language):  # the stream is read after the view has returned
            for row in rows.iterator(chunk_size=2_000):
                label = f"'{row.label}" if row.label.startswith(tuple(FORMULA_STARTS)) else row.label
                why = " ".join(bulk_page.told(reason) for reason in row.reasons)
                yield writer.writerow([label, row.get_verdict_display(), why])

    name = f'attachment; filename="bulk-{job.pk}.csv"'
    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


ACTS = {"confirm": bulk.confirm, "cancel": bulk.cancel, "undo": bulk.undo}


@require_POST
@member_required()
def bulk_act(request, pk, verb):
    """Confirms, cancels or takes back."""
    job = own_bulk(request, pk)
    _require_editor(request)
    attempt(request, ACTS[verb], job=job, membership=request.membership)
    return redirect("bulk_detail", pk)
