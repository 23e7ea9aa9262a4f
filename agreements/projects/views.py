"""Pages of works built together."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.gis.db.models.functions import AsGeoJSON
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.errors import NotPermitted, Refused
from agreements.codes import tidy_code
from agreements.documents import document, qr_data_uri, signature_rows, verification_url
from agreements.forms import SignForm
from agreements.models import Project
from agreements.projects import actions, presenters, states
from agreements.projects.actions.notice import may_write
from agreements.projects.approvals import steps_of
from agreements.projects.forms import JoinForm, ProjectFilterForm, ProjectForm, ReasonForm, ReserveForm
from matching.models import Proposal

PAGE_SIZE = 30


def project_of(request, pk: int) -> Project:
    """The works, where the person may see them; 404 otherwise."""
    rows = Project.objects.visible_to(request.membership).select_related("lead", "region").defer("region__polygon")
    return get_object_or_404(rows, pk=pk)


def _posted(request):
    """What was sent; None where the page is only read. An empty form sent is still sent."""
    return request.POST if request.method == "POST" else None


def _try(request, form, act, *args, **kwargs):
    """Takes the step; gives what it returns, or None with the reason on the form (or as a message)."""
    try:
        return act(*args, by=request.user, membership=request.membership, **kwargs)
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except (Refused, ValidationError) as refusal:
        said = [str(refusal.message)] if isinstance(refusal, Refused) else refusal.messages
        for sentence in said:
            if form is None:
                messages.error(request, sentence)
            else:
                form.add_error(None, sentence)
    return None


@require_GET
def project_list(request):
    """Planned works others may join: as a list and on a map."""
    form = ProjectFilterForm(request.GET)
    cleaned = form.cleaned_data if form.is_valid() else {}
    rows = Project.objects.visible_to(request.membership).search(**cleaned).listed().annotate(shape=AsGeoJSON("place"))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "form": form,
        "is_filtered": any(cleaned.values()),
        "may_write": may_write(request.membership),
        "geojson": presenters.collection([presenters.feature(one, one.shape) for one in page.object_list]),
    }
    return render(request, "agreements/projects/project_list.html", context)


@require_GET
def project_detail(request, pk: int):
    """The notice, who takes part, what each would pay, and what can be done now."""
    project = project_of(request, pk)
    return render(request, "agreements/projects/project_detail.html", presenters.page(project, request.membership))


def _edit(request, project: Project | None):
    form = ProjectForm(_posted(request), instance=project)
    if request.method == "POST" and form.is_valid():
        saved = _try(request, form, actions.save, project=project, data=form.project_data())
        if saved:
            messages.success(request, _("The notice was saved."))
            return redirect(saved)
    context = {"form": form, "project": project}
    return render(request, "agreements/projects/project_form.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def project_new(request):
    """A new notice, as a draft."""
    if not may_write(request.membership):
        raise PermissionDenied(_("Announcing works takes the role negotiator in a verified organisation."))
    return _edit(request, None)


def _check(request, project: Project, verb: str) -> bool:
    """Whether the step may be taken now; says why not. 403 where it is not for this person."""
    problem = states.refusal(project, request.membership, verb)
    if isinstance(problem, NotPermitted):
        raise PermissionDenied(str(problem.message))
    if problem:
        messages.error(request, problem.message)
    return problem is None


@login_required
@require_http_methods(["GET", "POST"])
def project_edit(request, pk: int):
    """Changes a notice until joining closes."""
    project = project_of(request, pk)
    return _edit(request, project) if _check(request, project, "edit") else redirect(project)


@login_required
@require_http_methods(["GET", "POST"])
def project_join(request, pk: int):
    """Asks to join with what one needs."""
    project = project_of(request, pk)
    if not _check(request, project, "join"):
        return redirect(project)
    form = JoinForm(_posted(request), instance=states.party_of(project, request.membership))
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and _try(request, form, actions.join, project=project, **form.join_data()):
        messages.success(request, _("Your need was sent to the lead party."))
        return redirect(project)
    context = {"form": form, "project": project, "title": states.LABELS["join"]}
    return render(request, "agreements/projects/project_step.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def project_answer(request, pk: int, party: int):
    """The lead takes in who asks to join, or declines with a reason."""
    project = project_of(request, pk)
    found = get_object_or_404(project.parties, pk=party)
    is_taken, reason = request.POST.get("answer") == "take", request.POST.get("reason", "")[:500]
    _try(request, None, actions.answer, party=found, is_taken=is_taken, reason=reason)
    return redirect(project)


def _act(request, project: Project, verb: str, form):
    """The action of each step's verb."""
    reason = form.cleaned_data.get("reason", "") if form else ""
    calls = {
        "publish": (actions.publish, {}), "close": (actions.close, {}), "agree": (actions.agree, {}),
        "cancel": (actions.cancel, {"reason": reason}), "leave": (actions.leave, {"reason": reason}),
        "call": (actions.advance, {"verb": "call"}), "finish": (actions.advance, {"verb": "finish"}),
        "reserve": (actions.reserve, {"data": form.cleaned_data if form else {}}),
        "sign_off": (actions.answer_reservation, {"is_signed_off": True}),
        "ask_changes": (actions.answer_reservation, {"is_signed_off": False, "reason": reason}),
    }  # fmt: skip
    act, given = calls[verb]
    return _try(request, form, act, project=project, **given)


@login_required
@require_http_methods(["GET", "POST"])
def project_step(request, pk: int, verb: str):
    """One step: by its button, or on a page of its own where a reason or figures are asked."""
    project = project_of(request, pk)
    if verb not in presenters.PLAIN + presenters.WORDED:
        raise Http404
    if not _check(request, project, verb) or (verb in presenters.PLAIN and request.method == "GET"):
        return redirect(project)
    form = None
    if verb == "reserve":
        form = ReserveForm(_posted(request), instance=project)
    elif verb in presenters.WORDED:
        form = ReasonForm(_posted(request))
    if request.method == "POST" and (form is None or form.is_valid()):
        if _act(request, project, verb, form):
            messages.success(request, _("Done: %(step)s.") % {"step": states.LABELS[verb]})
            return redirect("project_list" if verb == "leave" else project)
        if form is None:
            return redirect(project)
    context = {"form": form, "project": project, "title": states.LABELS[verb]}
    return render(request, "agreements/projects/project_step.html", context, status=422 if form.errors else 200)


def _agreed(request, pk: int) -> Project:
    """Works whose terms are frozen, for those who read them; 404 otherwise."""
    project = project_of(request, pk)
    own = states.party_of(project, request.membership)
    if not project.terms or not presenters.is_inside(project, request.membership, own):
        raise Http404
    return project


@login_required
@require_http_methods(["GET", "POST"])
def project_agreement(request, pk: int):
    """The agreement of all parties as a document; a signatory signs it here, after typing the password again."""
    project = _agreed(request, pk)
    form = SignForm(_posted(request), initial={"terms_sha256": project.terms_sha256})
    signatures = list(project.signatures.select_related("organisation").order_by("pk"))
    has_signed = any(one.organisation_id == request.membership.organisation_id for one in signatures)
    if request.method == "POST":
        if has_signed or not _check(request, project, "sign"):
            return redirect("project_agreement", project.pk)
        if not ratelimit.consume(request, action="reauthenticate", user=request.user):
            form.add_error(None, _("Too many attempts. Wait a few minutes, then try again."))
        elif form.is_valid():
            given = {name: form.cleaned_data[name] for name in ("password", "terms_sha256")}
            if _try(request, form, actions.sign, project=project, **given):
                messages.success(
                    request, _("Signed for %(organisation)s.") % {"organisation": request.membership.organisation}
                )
                return redirect(project)
    language = "en" if (get_language() or "").startswith("en") else "zh"
    context = {
        "project": project,
        "form": form,
        "document": document(project.terms, language),
        "signatures": signature_rows(project, signatures, language),
        "qr": qr_data_uri(project),
        "verification_url": verification_url(project),
        "approvals": steps_of(project, request.membership.organisation_id),
        "may_sign": not has_signed and states.refusal(project, request.membership, "sign") is None,
    }
    return render(request, "agreements/projects/project_agreement.html", context, status=422 if form.errors else 200)


@login_required
@require_GET
def project_pdf(request, pk: int):
    """The signed and sealed PDF."""
    project = _agreed(request, pk)
    if not project.signed_at:
        raise Http404
    if not project.pdf:
        messages.info(request, _("The PDF is being prepared; it takes a few seconds."))
        return redirect(project)
    response = FileResponse(
        project.pdf.open("rb"), as_attachment=True, filename=f"{project.reference}.pdf", content_type="application/pdf"
    )
    response["Cache-Control"] = "private, no-store"
    return response


@require_GET
def project_verify(request, code: str):
    """What anyone with the code of a signed agreement of works may read: who, what kind, when, signed or not."""
    project = get_object_or_404(Project, verification_code=tidy_code(code) or "-")
    context = {
        "project": project,
        "parties": project.terms["parties"],
        "signatures": list(project.signatures.select_related("organisation").order_by("pk")),
        "is_english": (get_language() or "").startswith("en"),
    }
    response = render(request, "agreements/projects/project_verify.html", context)
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_POST
def project_from_proposal(request, pk: int):
    """Opens works from a co-build proposal, its parties invited; leads to them where they are open already."""
    proposal = get_object_or_404(Proposal.objects.readable_by(request.membership), pk=pk)
    made = Project.objects.visible_to(request.membership).filter(proposal=proposal).first()
    made = made or _try(request, None, actions.open_from_proposal, proposal=proposal)
    return redirect(made) if made else redirect("proposal_detail", pk)
