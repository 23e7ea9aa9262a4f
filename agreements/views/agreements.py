"""Agreements: the register, the document, signing, the PDF."""

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.errors import NotPermitted, Refused
from agreements import actions, states
from agreements.actions.changes import change_refusal
from agreements.chain import chain
from agreements.documents import document, qr_data_uri, signature_rows, verification_url
from agreements.forms import AgreementFilterForm, SignForm
from agreements.models import Agreement, ShareRequest, Signature
from agreements.presenters import own_steps

PAGE_SIZE = 30


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"


def agreement_of(request, pk: int) -> Agreement:
    """The agreement, if the person's organisation is a party or its bureau; 404 otherwise."""
    rows = (
        Agreement.objects.readable_by(request.membership)
        .with_parties()
        .prefetch_related(Prefetch("signatures", Signature.objects.select_related("organisation").order_by("pk")))
    )
    return get_object_or_404(rows, pk=pk)


def _shown(agreement: Agreement, membership) -> dict:
    """What the document's pages share."""
    moves = {move.verb: move for move in states.allowed(agreement.request, membership)}
    return {
        "agreement": agreement,
        "case": agreement.request,
        "document": document(agreement.terms, _language()),
        "signatures": signature_rows(agreement, agreement.signatures.all(), _language()),
        "qr": qr_data_uri(agreement),
        "verification_url": verification_url(agreement),
        "sign_move": moves.get("sign"),
        "chain": chain(agreement),
        "approvals": own_steps(agreement.request, agreement.offer, membership),
    }


@login_required
@require_GET
def agreement_list(request):
    """The register: one's own agreements; for a bureau those of its region."""
    form = AgreementFilterForm(request.GET)
    cleaned = form.cleaned_data if form.is_valid() else {}
    rows = Agreement.objects.readable_by(request.membership).with_parties().search(**cleaned)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "is_filtered": any(cleaned.values()), "membership": request.membership}
    return render(request, "agreements/agreement_list.html", context)


@login_required
@require_GET
def agreement_detail(request, pk: int):
    """The agreement as a document, with its signatures and verification code at the end."""
    agreement = agreement_of(request, pk)
    agreement.request.agreement = agreement  # signatures are fetched: states need not ask again
    context = _shown(agreement, request.membership)
    for change in ShareRequest.Change.values:
        context[f"may_{change}"] = change_refusal(agreement, request.membership, change) is None
    context["open_change"] = agreement.changes.open().first() if context["case"].is_in_force else None
    return render(request, "agreements/agreement_detail.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def agreement_sign(request, pk: int):
    """Shows exactly what is signed and takes the signature, after the password is typed again."""
    agreement = agreement_of(request, pk)
    agreement.request.agreement = agreement
    problem = states.refusal(agreement.request, request.membership, "sign")
    if isinstance(problem, NotPermitted):
        raise PermissionDenied(str(problem.message))
    form = SignForm(request.POST or None, initial={"terms_sha256": agreement.terms_sha256})
    if request.method == "POST":
        # Guessing a password here is limited as at signing in (allauth: 10 a minute and person).
        if not ratelimit.consume(request, action="reauthenticate", user=request.user):
            form.add_error(None, _("Too many attempts. Wait a few minutes, then try again."))
        elif form.is_valid() and _sign(request, agreement, form):
            return redirect(agreement)
    elif problem:
        messages.info(request, problem.message)
        return redirect(agreement)
    context = {**_shown(agreement, request.membership), "form": form}
    return render(request, "agreements/agreement_sign.html", context, status=422 if form.errors else 200)


def _sign(request, agreement: Agreement, form: SignForm) -> bool:
    try:
        actions.sign(
            agreement=agreement,
            by=request.user,
            membership=request.membership,
            password=form.cleaned_data["password"],
            terms_sha256=form.cleaned_data["terms_sha256"],
        )
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal.message)) from refusal
    except Refused as refusal:
        form.add_error("password" if refusal.code == "password" else None, str(refusal.message))
        return False
    messages.success(request, _("Signed for %(organisation)s.") % {"organisation": request.membership.organisation})
    return True


@login_required
@require_GET
def agreement_pdf(request, pk: int):
    """The signed PDF; while it is being written, htmx asks here for its state."""
    agreement = agreement_of(request, pk)
    if agreement.state != Agreement.State.SIGNED:
        raise Http404
    if request.htmx:
        return render(request, "agreements/_pdf.html", {"agreement": agreement})
    if not agreement.pdf:
        messages.info(request, _("The PDF is being prepared; it takes a few seconds."))
        return redirect(agreement)
    response = FileResponse(
        agreement.pdf.open("rb"), as_attachment=True, filename=f"{agreement.reference}.pdf",
        content_type="application/pdf",
    )  # fmt: skip
    response["Cache-Control"] = "private, no-store"
    return response
