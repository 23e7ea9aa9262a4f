"""Documents: attached and taken away by who keeps the record, handed out to whoever sees the exact place."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.views.base import attempt
from listings.actions.documents import add_document, delete_document
from listings.forms.page import DocumentForm
from listings.models import Resource, ResourceDocument
from listings.views.resources import keeper_or_403, kept_resource


@require_POST
@login_required
def document_add(request, pk: int):
    """Attaches one document to a resource one keeps."""
    resource = kept_resource(request, pk)
    keeper_or_403(request, resource)
    form = DocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
        return redirect("resource_detail", pk=pk)
    file = form.cleaned_data["document"]
    added = attempt(
        request,
        add_document,
        resource=resource,
        file=file.file,
        name=file.name,
        size_bytes=file.size,
        title=form.cleaned_data["title"],
        by=request.user,
        membership=request.membership,
    )
    if added:
        messages.success(request, _("The document is attached. Who sees the exact place can download it."))
    return redirect("resource_detail", pk=pk)


@require_POST
@login_required
def document_delete(request, pk: int):
    """Takes a document of a resource one keeps away."""
    document = get_object_or_404(ResourceDocument.objects.select_related("resource__owner", "resource__manager"), pk=pk)
    resource = kept_resource(request, document.resource_id)
    if attempt(request, delete_document, document=document, by=request.user, membership=request.membership):
        messages.success(request, _("The document is taken away."))
    return redirect("resource_detail", pk=resource.pk)


@require_safe
def document_file(request, pk: int):
    """The file as an attachment to whoever sees its resource's exact place; 404 to others."""
    readable = Resource.objects.visible_to(request.membership).filter(is_exact=True).order_by().values("pk")
    document = get_object_or_404(ResourceDocument, pk=pk, resource__in=readable)
    response = FileResponse(
        document.file.open("rb"),
        as_attachment=True,
        filename=f"{document.resource_id}-{document.pk}.{document.extension}",
        content_type=document.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
