"""Photos of a resource: looked at before they are decoded, written anew so that nothing but the picture stays."""

import io
import warnings
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership, User
from listings.models import Resource, ResourcePhoto
from listings.permissions import require_editor

FORMATS = ("JPEG", "PNG", "WEBP")
FULL_PX = 2560  # longest side kept
SMALL_PX = 480  # longest side of the preview
QUALITY = 85
PHOTOS_MAX = 20  # per resource


def _sized(number_of_bytes: int) -> str:
    return f"{number_of_bytes / 1024 / 1024:.1f} MB"


def open_checked(file: IO[bytes], size_bytes: int) -> Image.Image:
    """The picture, its header read and found within the limits, its pixels not decoded yet.

    Raises Refused, saying what is wrong: too large, not JPEG/PNG/WebP, too many pixels, several frames.
    """
    if size_bytes > settings.PHOTO_MAX_BYTES:
        raise Refused(
            _("The photo has %(size)s; at most %(max)s can be taken.")
            % {"size": _sized(size_bytes), "max": _sized(settings.PHOTO_MAX_BYTES)},
            code="too_large",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit follows, and is lower
            image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as bomb:
        raise _too_many_pixels(0) from bomb
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as failure:
        raise Refused(_("This is no JPEG, PNG or WebP picture."), code="not_a_picture") from failure
    pixels = image.width * image.height
    if pixels > settings.PHOTO_MAX_PIXELS:
        raise _too_many_pixels(pixels)
    if getattr(image, "n_frames", 1) > 1:
        raise Refused(_("Moving pictures are not taken: give a single picture."), code="animated")
    return image


def _too_many_pixels(pixels: int) -> Refused:
    most = settings.PHOTO_MAX_PIXELS // 1_000_000
    if not pixels:
        return Refused(
            _("The picture has far more pixels than the %(max)d million allowed.") % {"max": most}, code="bomb"
        )
    return Refused(
        _("The picture has %(count)d million pixels; at most %(max)d million can be taken.")
        % {"count": pixels // 1_000_000, "max": most},
        code="bomb",
    )


def rewritten(image: Image.Image, longest_px: int) -> bytes:
    """The picture as JPEG, turned upright, at most longest_px on its longer side, without any metadata."""
    try:
        image.draft("RGB", (longest_px, longest_px))  # JPEG: decodes at a fraction where that is enough
        if image.mode == "P":
            image = image.convert("RGBA")
        image.thumbnail((longest_px, longest_px))  # before turning, so that only the small one is copied
        upright = ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as failure:
        raise Refused(_("The picture is damaged: it cannot be read to its end."), code="damaged") from failure
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        ground = Image.new("RGBA", upright.size, "white")
        ground.alpha_composite(upright.convert("RGBA"))
        upright = ground
    clean = Image.new("RGB", upright.size)
    clean.paste(upright.convert("RGB"))  # a fresh image carries no EXIF, XMP, ICC or comment
    target = io.BytesIO()
    clean.save(target, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return target.getvalue()


@transaction.atomic
def add_photo(
    *, resource: Resource, file: IO[bytes], size_bytes: int, caption: str, by: User, membership: Membership
) -> ResourcePhoto:
    """Stores a photo of one's own resource, re-encoded; the file handed in is not kept.

    Raises NotPermitted to all but the owner's editors, Refused with a sentence for what cannot be taken.
    """
    require_editor(membership, resource.owner)
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
    require_editor(membership, photo.resource.owner)
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
