"""Pictures on their way in: header read and limits held before a pixel is decoded, then written anew. No ORM.

Nothing else of what was handed in is kept: no EXIF, no place, no colour profile, no comment, nothing behind its end.
"""

import io
import warnings
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _
from PIL import Image, ImageFile, UnidentifiedImageError

from accounts.errors import Refused

FORMATS = ("JPEG", "PNG", "WEBP")
FULL_PX = 2560  # longest side kept
SMALL_PX = 480  # longest side of the preview
QUALITY = 85
ORIENTATION = 0x0112  # EXIF tag
TURNS = {  # as EXIF 2.3 section 4.6.4 numbers them; 1 is upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
    if not image.width or not image.height:
        raise Refused(_("This is no JPEG, PNG or WebP picture."), code="not_a_picture")
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


def eight_bit(image: Image.Image) -> Image.Image:
    """The picture in RGB, RGBA or L, 8 bits a channel: 16-bit greys are scaled, not cut off; CMYK is turned."""
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N"):
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in ("I", "F"):
        low, high = image.getextrema()
        span = (float(high) - float(low)) or 1.0  # type: ignore[arg-type]
        return image.point(lambda value: (value - float(low)) * (255 / span)).convert("L")  # type: ignore[arg-type]
    if image.mode in ("RGB", "RGBA", "L"):
        return image
    is_clear = image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info
    return image.convert("RGBA" if is_clear else "RGB")


def upright(image: Image.Image, longest_px: int) -> Image.Image:
    """Decoded, at most longest_px on its longer side, turned as its EXIF says. Refused when it is damaged."""
    try:
        image.draft("RGB", (longest_px, longest_px))  # JPEG: decodes at a fraction where that is enough
        ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint switches it on for its whole process
        turn = image.getexif().get(ORIENTATION, 1)
        image.load()
        image = eight_bit(image)
        image.thumbnail((longest_px, longest_px))  # before turning, so that only the small one is copied
        return image.transpose(TURNS[turn]) if turn in TURNS else image
    except (OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError) as failure:
        raise Refused(_("The picture is damaged: it cannot be read to its end."), code="damaged") from failure


def rewritten(image: Image.Image, longest_px: int) -> bytes:
    """The picture as JPEG, turned upright, at most longest_px on its longer side, without any metadata."""
    picture = upright(image, longest_px)
    if picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture)
        picture = ground
    return _saved(picture.convert("RGB"), "JPEG")


def rewritten_as_given(image: Image.Image, longest_px: int) -> tuple[bytes, str]:
    """The same for pictures on pages, which may be clear in parts: (bytes, ending) as PNG where it is, else JPEG."""
    picture = upright(image, longest_px)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255):
        return _saved(picture, "PNG"), "png"
    return _saved(picture.convert("RGB"), "JPEG"), "jpg"


def _saved(picture: Image.Image, form: str) -> bytes:
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)  # a fresh image carries no EXIF, XMP, ICC or comment
    target = io.BytesIO()
    options = {"quality": QUALITY, "progressive": True} if form == "JPEG" else {}
    clean.save(target, form, optimize=True, **options)  # type: ignore[arg-type]
    return target.getvalue()
