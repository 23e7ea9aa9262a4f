"""Forms of the import pages. The columns page is built from the file's own columns, so it is read by hand."""

from django import forms
from django.utils.translation import gettext_lazy as _

from listings.imports import systems, upload
from listings.imports.findings import FileRefused
from listings.kinds.part_columns import PART_KINDS
from listings.models.resources import Kind


class UploadForm(forms.Form):
    """Step 1: the file, and what is in it."""

    kind = forms.ChoiceField(
        label=_("What is in the file"),
        required=False,
        choices=[
            ("", _("Let the column names tell")),
            *Kind.choices,
            *((kind.name, kind.label) for kind in PART_KINDS.values()),
        ],
        help_text=_("One kind per file."),
    )
    file = forms.FileField(
        label=_("File"),
        max_length=255,
        help_text=_(
            "CSV, XLSX, GeoJSON, GeoPackage, KML, DXF or a Shapefile in a .zip; up to 200,000 rows. "
            "Nothing is stored before you confirm the report."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": upload.ACCEPT}),
        error_messages={"empty": _("The file is empty. Choose the file that holds the rows.")},
    )

    def __init__(self, *args, is_demand: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        if is_demand:
            del self.fields["kind"]


class PlaceForm(forms.Form):
    """Step 3: one reading of the coordinates, confirmed."""

    reading = forms.CharField(error_messages={"required": _("Choose the system that puts the places where they are.")})
    is_abroad = forms.BooleanField(required=False)

    def clean_reading(self):
        code, _sign, swapped = self.cleaned_data["reading"].partition("~")
        try:
            return systems.check(code), swapped == "swapped"
        except FileRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


def read_columns(data, columns: list[str], fields: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """(mapping, constants) of the posted columns page; columns are sent by number, so that any name can stand there."""
    mapping: dict[str, str] = {}
    constants: dict[str, str] = {}
    for field in fields:
        number = data.get(f"column-{field}", "")
        if number.isdecimal() and len(number) < 6 and int(number) < len(columns):
            mapping[field] = columns[int(number)]
        if constant := data.get(f"constant-{field}", "").strip():
            constants[field] = constant
    return mapping, constants


def read_words(data, rows) -> dict[str, dict[str, str]]:
    """{field: {text: value}}: what the file's own words mean."""
    words: dict[str, dict[str, str]] = {}
    for row in rows:
        for unknown in row.unknown:
            if value := data.get(unknown["name"], ""):
                words.setdefault(row.field, {})[unknown["text"]] = value
    return words
