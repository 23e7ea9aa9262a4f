"""The works of a signed case: inspections by the checklist, papers, and the file of one's clocks."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.errors import NotPermitted, Refused
from accounts.views.base import member_required
from agreements import actions, states
from agreements.actions.acceptance import checklist_for, missing_papers
from agreements.calendar_file import calendar_of
from agreements.inspection_models import WorksPaper
from agreements.models import Acceptance, CaseDocument, ShareRequest
from agreements.work_forms import AcceptanceForm, CaseDocumentForm

from .cases import attempt, case_of


@login_required
@require_http_methods(["GET", "POST"])
def acceptance(request, pk: int):
    """GET: the inspections so far and, for the owner whose turn it is, the checklist in force. POST: one inspection."""
    case = case_of(request, pk)
    problem = states.refusal(case, request.membership, "pass_works")
    if request.method == "POST" and isinstance(problem, NotPermitted):
        raise PermissionDenied(str(problem.message))
    checklist = checklist_for(case)
    may_inspect = checklist is not None and (problem is None or request.method == "POST")
    form = AcceptanceForm(request.POST or None, checklist=checklist, kind=case.resource.kind) if may_inspect else None
    if (
        form is not None
        and form.is_valid()
        and (made := attempt(lambda: _record(request, case, checklist, form), form))
    ):
        is_passed = made.verdict == Acceptance.Verdict.PASSED
        messages.success(request, _("Passed: the price runs now.") if is_passed else _("Sent back to be rectified."))
        return redirect(case)
    context = {
        "case": case, "form": form, "checklist": checklist, "problem": str(problem.message) if problem else "",
        "acceptances": case.acceptances.select_related("organisation").order_by("-number"),
        "missing": missing_papers(case), "is_english": (get_language() or "").startswith("en"),
    }  # fmt: skip
    return render(request, "agreements/acceptance.html", context, status=422 if form and form.errors else 200)


def _record(request, case: ShareRequest, checklist, form: AcceptanceForm) -> Acceptance:
    if form.cleaned_data["checklist"] != checklist.pk:
        raise Refused(_("Another checklist is in force now. Open the page again."), code="other_checklist")
    return actions.record_acceptance(
        request=case, by=request.user, membership=request.membership, checklist=checklist, results=form.results(),
        as_built=form.as_built(), note=form.cleaned_data["note"], key=form.cleaned_data["key"],
    )  # fmt: skip


@login_required
@require_POST
def case_document_add(request, pk: int):
    """Hands in one paper, drawing or photo."""
    case = case_of(request, pk)
    form = CaseDocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
        return redirect(f"{case.get_absolute_url()}#works")
    file = form.cleaned_data["file"]
    try:
        actions.add_case_document(
            request=case, by=request.user, membership=request.membership, sort=form.cleaned_data["sort"],
            file=file.file, name=file.name, size_bytes=file.size, title=form.cleaned_data["title"],
        )  # fmt: skip
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Handed in: %(title)s.") % {"title": form.cleaned_data["title"] or file.name})
    return redirect(f"{case.get_absolute_url()}#works")


@login_required
@require_GET
def case_document(request, pk: int):
    """The file as an attachment, to the parties of its case and their bureau; 404 to others."""
    readable = ShareRequest.objects.readable_by(request.membership).order_by().values("pk")
    document = get_object_or_404(CaseDocument, pk=pk, request__in=readable)
    return paper_response(document, f"{document.request_id}-{document.pk}")


def paper_response(document: WorksPaper, stem: str) -> FileResponse:
    """A paper of works as an attachment that runs nothing and stays in no shared cache."""
    response = FileResponse(
        document.file.open("rb"), as_attachment=True, content_type=document.content_type,
        filename=f"{stem}.{document.extension}",
    )  # fmt: skip
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


@require_GET
@member_required()
def clock_calendar(request):
    """The running clocks and ends of agreements of the organisation one acts for, as a calendar file."""
    response = HttpResponse(calendar_of(request.membership), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="gongjian-clocks.ics"'
    response["Cache-Control"] = "private, no-store"
    return response
