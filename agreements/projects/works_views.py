"""Pages of works under construction: acceptance by the checklist, papers, milestones, payments."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.errors import NotPermitted, Refused
from agreements.models import Project, ProjectDocument, ProjectInspection
from agreements.projects import actions, built, presenters, states
from agreements.projects.forms import MilestoneForm
from agreements.views.works import paper_response
from agreements.work_forms import AcceptanceForm, CaseDocumentForm

from .views import _try, project_of


def _inside(request, pk: int) -> tuple[Project, object]:
    """The works and one's own row, for those who read needs and money; 404 otherwise."""
    project = project_of(request, pk)
    own = states.party_of(project, request.membership)
    if not presenters.is_inside(project, request.membership, own):
        raise Http404
    return project, own


def _inspect(request, project: Project, form: AcceptanceForm, checklist) -> ProjectInspection:
    if form.cleaned_data["checklist"] != checklist.pk:
        raise Refused(_("Another checklist is in force now. Open the page again."), code="other_checklist")
    return actions.inspect(
        project=project, by=request.user, membership=request.membership, checklist=checklist, results=form.results(),
        as_built=form.as_built(), note=form.cleaned_data["note"], key=form.cleaned_data["key"],
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def project_acceptance(request, pk: int):
    """GET: the inspections so far and, for a party whose turn it is, the checklist in force. POST: one inspection."""
    project, own = _inside(request, pk)
    problem = states.refusal(project, request.membership, "pass")
    if request.method == "POST" and isinstance(problem, NotPermitted):
        raise PermissionDenied(str(problem.message))
    checklist = actions.checklist_for(project)
    may_inspect = checklist is not None and (problem is None and not own.passed_at or request.method == "POST")
    kind = built.kind_of(project) if built.makes_shares(project) else ""
    form = AcceptanceForm(request.POST or None, checklist=checklist, kind=kind) if may_inspect else None
    if form is not None and request.method == "POST" and form.is_valid():
        made = _try(request, form, lambda by, membership: _inspect(request, project, form, checklist))
        if made:
            passed = made.verdict == ProjectInspection.Verdict.PASSED
            messages.success(request, _("Your acceptance was recorded.") if passed else _("Sent back to be rectified."))
            return redirect(project)
    context = {
        "project": project, "form": form, "checklist": checklist, "is_done": bool(own and own.passed_at),
        "acceptances": project.inspections.select_related("organisation").order_by("-number"),
        "missing": actions.missing_papers(project), "is_english": (get_language() or "").startswith("en"),
    }  # fmt: skip
    return render(
        request, "agreements/projects/project_acceptance.html", context, status=422 if form and form.errors else 200
    )


def _posted(request, project: Project, form, act, **kwargs):
    """Takes the step a small form on the works' page asks for; leads back there, with what went wrong as a message."""
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
    elif _try(request, None, act, project=project, **kwargs):
        messages.success(request, _("Done."))
    return redirect(f"{project.get_absolute_url()}#works")


@login_required
@require_POST
def project_document_add(request, pk: int):
    """Hands in one paper, drawing or photo."""
    project, _own = _inside(request, pk)
    form = CaseDocumentForm(request.POST, request.FILES)
    given = {}
    if form.is_valid():
        file = form.cleaned_data["file"]
        given = {"sort": form.cleaned_data["sort"], "title": form.cleaned_data["title"]}
        given |= {"file": file.file, "name": file.name, "size_bytes": file.size}
    return _posted(request, project, form, actions.add_document, **given)


@login_required
@require_GET
def project_document(request, pk: int):
    """The file as an attachment, to those taking part and the bureau; 404 to others."""
    shown = Project.objects.visible_to(request.membership).order_by().values("pk")
    document = get_object_or_404(ProjectDocument, pk=pk, project__in=shown)
    _inside(request, document.project_id)
    return paper_response(document, f"P{document.project_id}-{document.pk}")


@login_required
@require_POST
def project_milestone_add(request, pk: int):
    """Plans a milestone."""
    project, _own = _inside(request, pk)
    form = MilestoneForm(request.POST)
    given = form.cleaned_data if form.is_valid() else {}
    return _posted(request, project, form, actions.plan_milestone, **given)


@login_required
@require_POST
def project_milestone_reach(request, pk: int, milestone: int):
    """Reports a milestone as reached today."""
    project, _own = _inside(request, pk)
    found = get_object_or_404(project.milestones, pk=milestone)
    _try(request, None, actions.reach_milestone, milestone=found)
    return redirect(f"{project.get_absolute_url()}#works")


@login_required
@require_POST
def project_payment(request, pk: int, party: int):
    """The lead records that a party paid its share."""
    project, _own = _inside(request, pk)
    found = get_object_or_404(project.parties, pk=party)
    _try(request, None, actions.record_payment, party=found)
    return redirect(f"{project.get_absolute_url()}#works")
