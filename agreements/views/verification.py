"""The public page that says whether an agreement or a certificate, or a copy of one, is genuine."""

import hashlib

from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from agreements.codes import tidy_code
from agreements.forms import CompareForm, VerifyForm
from agreements.limits import within_limit
from agreements.models import Agreement, Project
from agreements.presenters import public_facts
from agreements.sealing import SealVerdict
from agreements.sealing import verdict as verdict_of
from listings.models import BuildCheck

ATTEMPTS, WINDOW_SECONDS = 20, 600  # codes that fit nothing, and uploads, per address


def _by_code(request, form: VerifyForm) -> Agreement | None:
    code = tidy_code(form.cleaned_data["code"])
    agreement = Agreement.objects.filter(verification_code=code).first() if code else None
    if agreement is None:
        if not within_limit(request, "verify", attempts=ATTEMPTS, seconds=WINDOW_SECONDS):
            form.add_error(None, _("Too many attempts from your address. Wait ten minutes, then try again."))
        else:
            form.add_error("code", _("No agreement has this code. Compare it letter by letter with the document."))
    return agreement


Sealed = Agreement | BuildCheck | Project


def _by_file(request, form: CompareForm) -> tuple[Sealed | None, str, SealVerdict | None]:
    """The agreement or certificate this very file is, its SHA-256, and what its seal says."""
    if not within_limit(request, "verify", attempts=ATTEMPTS, seconds=WINDOW_SECONDS):
        form.add_error(None, _("Too many attempts from your address. Wait ten minutes, then try again."))
        return None, "", None
    content = form.cleaned_data["file"].read()  # the form has held its size
    digest = hashlib.sha256(content).hexdigest()
    found: Sealed | None = Agreement.objects.filter(pdf_sha256=digest).first()
    found = found or Project.objects.defer("place").filter(pdf_sha256=digest).first()
    found = found or BuildCheck.objects.select_related("region").filter(pdf_sha256=digest).first()
    return found, digest, verdict_of(content)


@require_http_methods(["GET", "POST"])
def agreement_verify(request):
    """By code (GET, as the QR code asks) or by an uploaded PDF (POST; compared, never kept).

    The code of a duplicate-build check leads to its certificate, that of works built together to their agreement.
    """
    if (code := tidy_code(request.GET.get("code", ""))) and BuildCheck.objects.filter(verification_code=code).exists():
        return redirect("build_check_detail", code=code)
    if code and Project.objects.filter(verification_code=code).exists():
        return redirect("project_verify", code=code)
    form = VerifyForm(request.GET) if "code" in request.GET else VerifyForm()
    compare = CompareForm(request.POST, request.FILES) if request.method == "POST" else CompareForm()
    agreement, check, project, file_sha256, verdict, seal, other = None, None, None, "", "", None, ""
    if form.is_bound and form.is_valid():
        agreement = _by_code(request, form)
    if compare.is_bound and compare.is_valid():
        found, file_sha256, seal = _by_file(request, compare)
        if file_sha256:
            verdict = "same" if found and agreement in (None, found) else "different"
            if verdict == "different":
                other = found.reference if found else ""  # genuine, and of another agreement than the code's
            else:
                check = found if isinstance(found, BuildCheck) else None
                project = found if isinstance(found, Project) else None
            agreement = agreement or (found if isinstance(found, Agreement) else None)
    context = {
        "form": form,
        "compare": compare,
        "facts": public_facts(agreement) if agreement else None,
        "check": check,
        "project": project,
        "other": other,
        "file_sha256": file_sha256,
        "verdict": verdict,
        "seal": seal,
    }
    status = 429 if _is_over(form) or _is_over(compare) else 422 if form.errors or compare.errors else 200
    response = render(request, "agreements/agreement_verify.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _is_over(form) -> bool:
    return bool(form.is_bound and form.non_field_errors())
