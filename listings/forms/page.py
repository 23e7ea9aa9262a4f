"""The small forms on the page of one resource: a photo, a document, a question for the exact place."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from listings.models.documents import ACCEPTED


class PhotoForm(forms.Form):
    """A photo and its caption; the picture itself is looked at by the action."""

    photo = forms.FileField(label=_("Photo"), help_text=_("JPEG, PNG or WebP; place and camera data are taken out."))
    caption = forms.CharField(label=_("Caption"), max_length=160, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["photo"].widget.attrs["accept"] = "image/jpeg,image/png,image/webp"


class DocumentForm(forms.Form):
    """A paper and its title; the file itself is looked at by the action."""

    document = forms.FileField(
        label=_("Document"),
        help_text=_(
            "PDF, DOCX or XLSX. Who made it, when and where is taken out before it is kept, and so are scripts and "
            "files inside; what it shows stays as it is."
        ),
    )
    title = forms.CharField(label=_("Title"), max_length=160, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["document"].widget.attrs["accept"] = ",".join(f".{name}" for name in ACCEPTED)


class GrantForm(forms.Form):
    """What the exact place is needed for."""

    purpose = forms.CharField(
        label=_("What do you need the exact place for?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The owner reads this and decides; it is kept in both organisations' logs."),
    )
