"""What a file out is asked for with."""

from django import forms
from django.utils.translation import gettext_lazy as _

from listings.models import ExportJob

FILE_FORMATS = [choice for choice in ExportJob.Format.choices if choice[0] != ExportJob.Format.SHEET]


class ExportForm(forms.Form):
    """Format and coordinate system; the filter comes along unseen."""

    format = forms.ChoiceField(
        label=_("Format"), choices=FILE_FORMATS, widget=forms.RadioSelect, initial=ExportJob.Format.XLSX,
        help_text=_("Excel and CSV are for people: words in your language, one sheet or file per kind. GeoJSON and "
                    "GeoPackage are for GIS programs: geometry and field names."),
    )  # fmt: skip
    crs = forms.ChoiceField(
        label=_("Coordinate system"), choices=ExportJob.System.choices, widget=forms.RadioSelect,
        initial=ExportJob.System.WGS84,
        help_text=_("Longitude first, then latitude, in degrees. The two agree to within centimetres."),
    )  # fmt: skip
    scope = forms.ChoiceField(
        choices=[(s.value, s.label) for s in (ExportJob.Scope.OWN, ExportJob.Scope.MAP)], widget=forms.HiddenInput
    )
    query = forms.CharField(required=False, max_length=30_000, widget=forms.HiddenInput)
