"""Photos: added and taken away by the owner's editors, shown to whoever may see the resource."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.views.base import attempt
from listings.actions.photos import add_photo, delete_photo, small_file
from listings.forms.page import PhotoForm
from listings.models import Resource, ResourcePhoto
from listings.views.resources import keeper_or_403, kept_resource

CACHE = "private, max-age=86400, immutable"  # a photo never changes; a reader's own browser may keep it a day


@require_POST
@login_required
def photo_add(request, pk: int):
    """Adds one photo to one of one's own resources."""
    resource = kept_resource(request, pk)
    keeper_or_403(request, resource)
    form = PhotoForm(request.POST, request.FILES)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(errors))
    else:
        file = form.cleaned_data["photo"]
        added = attempt(
            request,
            add_photo,
            resource=resource,
            file=file.file,
            size_bytes=file.size,
            caption=form.cleaned_data["caption"],
            by=request.user,
            membership=request.membership,
        )
        if added:
            messages.success(request, _("The photo is stored, without its place and camera data."))
    return redirect("resource_detail", pk=pk)


@require_POST
@login_required
def photo_delete(request, pk: int):
    """Takes a photo of a resource one keeps away."""
    photo = get_object_or_404(ResourcePhoto.objects.select_related("resource__owner", "resource__manager"), pk=pk)
    resource = kept_resource(request, photo.resource_id)
    if attempt(request, delete_photo, photo=photo, by=request.user, membership=request.membership):
        messages.success(request, _("The photo is taken away."))
    return redirect("resource_detail", pk=resource.pk)


@require_safe
def photo_image(request, pk: int):
    """The picture (?size=small for the preview) to whoever may see its resource; 404 to others."""
    readable = Resource.objects.visible_to(request.membership).order_by().values("pk")
    photo = get_object_or_404(ResourcePhoto, pk=pk, resource__in=readable)
    is_small = request.GET.get("size") == "small"
    file = small_file(photo) if is_small else photo.image.open("rb")
    response = FileResponse(file, content_type="image/jpeg")
    response["Cache-Control"] = CACHE
    response["Content-Security-Policy"] = "default-src 'none'"
    return response
