"""The public page that says whether an agreement, or a copy of it, is genuine."""

import hashlib

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from agreements.codes import tidy_code
from agreements.forms import CompareForm, VerifyForm
from agreements.limits import within_limit
from agreements.models import Agreement
from agreements.presenters import public_facts

ATTEMPTS, WINDOW_SECONDS = 20, 600  # codes that fit nothing, and uploads, per address


def _sha256(file) -> str:
    whole = hashlib.sha256()
    for chunk in file.chunks():
        whole.update(chunk)
    return whole.hexdigest()


def _by_code(request, form: VerifyForm) -> Agreement | None:
    code = tidy_code(form.cleaned_data["code"])
    agreement = Agreement.objects.filter(verification_code=code).first() if code else None
    if agreement is None:
        if not within_limit(request, "verify", attempts=ATTEMPTS, seconds=WINDOW_SECONDS):
            form.add_error(None, _("Too many attempts from your address. Wait ten minutes, then try again."))
        else:
            form.add_error("code", _("No agreement has this code. Compare it letter by letter with the document."))
    return agreement


def _by_file(request, form: CompareForm) -> tuple[Agreement | None, str]:
    """The signed agreement this very file is, and the file's SHA-256."""
    if not within_limit(request, "verify", attempts=ATTEMPTS, seconds=WINDOW_SECONDS):
        form.add_error(None, _("Too many attempts from your address. Wait ten minutes, then try again."))
        return None, ""
    digest = _sha256(form.cleaned_data["file"])
    return Agreement.objects.filter(pdf_sha256=digest).first(), digest


@require_http_methods(["GET", "POST"])
def agreement_verify(request):
    """By code (GET, as the QR code asks) or by an uploaded PDF (POST; compared, never kept)."""
    form = VerifyForm(request.GET) if "code" in request.GET else VerifyForm()
    compare = CompareForm(request.POST, request.FILES) if request.method == "POST" else CompareForm()
    agreement, file_sha256, verdict = None, "", ""
    if form.is_bound and form.is_valid():
        agreement = _by_code(request, form)
    if compare.is_bound and compare.is_valid():
        found, file_sha256 = _by_file(request, compare)
        if file_sha256:
            verdict = "same" if found and agreement in (None, found) else "different"
            agreement = agreement or found
    context = {
        "form": form,
        "compare": compare,
        "facts": public_facts(agreement) if agreement else None,
        "file_sha256": file_sha256,
        "verdict": verdict,
    }
    status = 429 if _is_over(form) or _is_over(compare) else 422 if form.errors or compare.errors else 200
    response = render(request, "agreements/agreement_verify.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _is_over(form) -> bool:
    return bool(form.is_bound and form.non_field_errors())
