"""Photos of a resource: looked at before they are decoded, written anew so that nothing but the picture stays."""

from typing import IO

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from accounts.pictures import FORMATS, FULL_PX, SMALL_PX, open_checked, rewritten
from listings.models import Resource, ResourcePhoto
from listings.permissions import require_keeper

PHOTOS_MAX = 20  # per resource


@transaction.atomic
def add_photo(
    *, resource: Resource, file: IO[bytes], size_bytes: int, caption: str, by: User, membership: Membership
) -> ResourcePhoto:
    """Stores a photo of one's own resource, re-encoded; the file handed in is not kept.

    Raises NotPermitted to all but the editors of owner and manager, Refused with a sentence for what cannot be taken.
    """
    require_keeper(membership, resource)
    Resource.objects.select_for_update(no_key=True).only("pk").get(pk=resource.pk)  # the count below holds
    if resource.photos.count() >= PHOTOS_MAX:
        raise Refused(
            _("There are %(max)d photos already: take one away first.") % {"max": PHOTOS_MAX}, code="too_many"
        )
    data = rewritten(open_checked(file, size_bytes), FULL_PX)
    photo = ResourcePhoto(resource=resource, caption=caption.strip(), added_by=by)
    photo.image.save(f"{resource.pk}.jpg", ContentFile(data), save=False)
    name, storage = str(photo.image.name), photo.image.storage
    try:
        photo.full_clean()
        photo.save()
        record("photo.add", photo, by=by, organisation=resource.owner, after={"resource": resource.pk})
    except BaseException:
        storage.delete(name)  # the row is rolled back; the file must not stay behind
        raise
    return photo


@transaction.atomic
def delete_photo(*, photo: ResourcePhoto, by: User, membership: Membership) -> None:
    """Takes a photo away, file included, once the transaction stands."""
    require_keeper(membership, photo.resource)
    record("photo.delete", photo, by=by, organisation=photo.resource.owner, before={"resource": photo.resource_id})
    storage, names = photo.image.storage, [str(photo.image.name), small_name(photo)]
    photo.delete()

    def remove_files() -> None:
        for name in names:
            storage.delete(name)

    transaction.on_commit(remove_files)


def small_name(photo: ResourcePhoto) -> str:
    """Where the preview lies, beside the photo."""
    return f"{str(photo.image.name).rsplit('.', 1)[0]}.small.jpg"


def small_file(photo: ResourcePhoto) -> IO[bytes]:
    """The preview, made the first time it is asked for (a file beside the photo, no row)."""
    storage, name = photo.image.storage, small_name(photo)
    if not storage.exists(name):
        with storage.open(str(photo.image.name)) as full, Image.open(full, formats=FORMATS) as image:
            storage.save(name, ContentFile(rewritten(image, SMALL_PX)))
    return storage.open(name)
