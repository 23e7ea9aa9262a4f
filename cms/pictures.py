"""Pictures handed in through Wagtail go the same way as photos of resources: limits first, then written anew.

The form is WAGTAILIMAGES_IMAGE_FORM_BASE, so every door of Wagtail's admin has it (single, many at once, chooser);
the signal holds for whatever saves an Image without a form. Renditions are made from what is kept: they are clean too.
"""

import os

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

from accounts.errors import Refused
from accounts.pictures import FULL_PX, open_checked, rewritten_as_given


class CleanImageField(WagtailImageField):
    """Wagtail's own field decodes the pixels before it counts them: here the header is read first."""

    def to_python(self, data):
        if not isinstance(data, UploadedFile):
            return super().to_python(data)
        try:
            data.seek(0)
            picture, ending = rewritten_as_given(open_checked(data, data.size), FULL_PX)
        except Refused as refusal:
            raise ValidationError(str(refusal.message)) from refusal
        kind = "image/png" if ending == "png" else "image/jpeg"
        clean = SimpleUploadedFile(_named(data.name, ending), picture, kind)
        clean.is_clean_picture = True
        return super().to_python(clean)


class CleanImageForm(BaseImageForm):
    """Wagtail's form of a picture, which keeps a clean copy of what is handed in."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if old := self.fields.get("file"):
            self.fields["file"] = CleanImageField(
                label=old.label, required=old.required, help_text=old.help_text, widget=old.widget
            )


def clean_before_save(sender, instance, **kwargs):
    """pre_save of Wagtail's Image: a new file that came by no form is rewritten all the same. Raises Refused."""
    fresh = getattr(instance.file, "_committed", True) is False
    inner = getattr(instance.file, "_file", None)
    if not fresh or getattr(inner, "is_clean_picture", False):
        return
    instance.file.seek(0)
    data, ending = rewritten_as_given(open_checked(instance.file.file, instance.file.size), FULL_PX)
    clean = ContentFile(data, _named(instance.file.name, ending))
    clean.is_clean_picture = True  # type: ignore[attr-defined]
    instance.file = clean
    instance.file_size, instance.file_hash = len(data), ""
    instance._set_file_hash()


def _named(name: str, ending: str) -> str:
    return f"{os.path.splitext(os.path.basename(name))[0]}.{ending}"
