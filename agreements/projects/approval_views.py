"""The page on which a person named in their organisation's rules answers the agreed terms of works."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.views.base import attempt
from agreements.approvals.forms import AnswerForm
from agreements.documents import document
from agreements.models import Project
from agreements.projects import actions
from agreements.projects.approvals import share_of, steps_of
from agreements.projects.views import project_of


@login_required
@require_http_methods(["GET", "POST"])
def project_approval(request, pk: int):
    """The agreed terms, what the own organisation pays, its steps of approval, and one's answer; 404 to others."""
    project = project_of(request, pk)
    share_fen = share_of(project, request.membership.organisation_id) if request.membership else None
    if share_fen is None:
        raise Http404
    form = AnswerForm(request.POST if request.method == "POST" else None,
                      initial={"version_sha256": project.terms_sha256})  # fmt: skip
    if request.method == "POST" and form.is_valid():
        done = attempt(
            request, actions.answer_approval, form=form, project=project, by=request.user,
            membership=request.membership, verdict=form.cleaned_data["verdict"], note=form.cleaned_data["note"],
            terms_sha256=form.cleaned_data["version_sha256"],
        )  # fmt: skip
        if done:
            messages.success(request, _("Done: %(step)s.") % {"step": done.get_verdict_display()})
            return redirect("project_approval", project.pk)
    found = steps_of(project, request.membership.organisation_id)
    is_open = project.state == Project.State.AGREED
    is_mine = is_open and any(step.is_open and step.is_of(request.user.pk) for step in found)
    context = {
        "project": project, "share_fen": share_fen, "steps": found, "is_open": is_open,
        "form": form if is_mine else None, "errors_form": form,
        "document": document(project.terms, "en" if (get_language() or "").startswith("en") else "zh"),
    }  # fmt: skip
    return render(request, "agreements/projects/project_approval.html", context, status=422 if form.errors else 200)
