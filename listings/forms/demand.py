"""The form of one demand line: for curators, and for operators who hand their own lines in."""

from decimal import Decimal

from django import forms
from django.contrib.gis.forms import GeometryField
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Region
from accounts.models.organisations import Sector
from listings.demand_rules import FIELDS, Jurisdiction, line_problems
from listings.models import DemandLine
from listings.models.resources import SharingMode
from listings.widgets import MapWidget

FEN_PER_YUAN = 100


class ApplicantField(forms.CharField):
    """An applicant by credit code or name: (organisation, "") where it is here, else (None, name)."""

    def clean(self, value):
        text = super().clean(value).strip()
        enterprises = Organisation.objects.enterprises().order_by("pk")
        found = enterprises.filter(uscc__iexact=text).first()
        if not found:
            named = list(enterprises.filter(name_zh=text)[:2]) or list(enterprises.filter(name_en__iexact=text)[:2])
            found = named[0] if len(named) == 1 else None
        return (found, "") if found else (None, text)


class DemandLineForm(forms.ModelForm):
    """One line. Yields line_fields() for the actions; says what is wrong with the place in words."""

    applicant_text = ApplicantField(
        label=_("Applicant"), max_length=160,
        help_text=_("Unified social credit code or full name. Somebody not on this portal is kept by name."),
    )  # fmt: skip
    place = GeometryField(
        label=_("Place"), srid=4326, widget=MapWidget(geometry="Geometry"),
        help_text=_("A point, a route A–B or an area, inside the list's region."),
        error_messages={"required": _("Give the place: on the map or typed.")},
    )  # fmt: skip
    ceiling_yuan = forms.DecimalField(
        label=_("Budget ceiling per year (¥)"), required=False, min_value=0, max_digits=14, decimal_places=2,
        help_text=_("For the whole line. Empty: none."),
    )  # fmt: skip
    sectors = forms.MultipleChoiceField(
        label=_("Sectors accepted"), required=False, choices=Sector.choices, widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all."),
    )  # fmt: skip
    sharing_modes = forms.MultipleChoiceField(
        label=_("Sharing modes accepted"), required=False, choices=SharingMode.choices,
        widget=forms.CheckboxSelectMultiple, help_text=_("None chosen: all."),
    )  # fmt: skip
    seen_at = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = DemandLine
        fields = [
            "title", "kind", "quantity", "room_u", "power_kw", "place", "tolerance_m", "height_min_m", "height_max_m",
            "bore_mm", "cable_mm", "needed_by", "months", "priority", "sectors", "sharing_modes", "applicant_code",
            "notes",
        ]  # fmt: skip
        widgets = {
            "needed_by": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "notes": forms.Textarea(attrs={"rows": 2}),
        }
        help_texts = {"notes": _("At most 500 characters.")}

    field_order = [
        "title", "applicant_text", "applicant_code", "kind", "quantity", "room_u", "power_kw", "place",
        "tolerance_m", "height_min_m", "height_max_m", "bore_mm", "cable_mm", "needed_by", "months", "priority",
        "ceiling_yuan", "sectors", "sharing_modes", "notes",
    ]  # fmt: skip

    def __init__(self, *args, demand_list, membership, **kwargs):
        self.demand_list = demand_list
        line = kwargs.get("instance")
        if line and line.pk:
            kwargs["initial"] = (kwargs.get("initial") or {}) | {
                "applicant_text": line.applicant.name_zh if line.applicant_id else line.applicant_name,
                "ceiling_yuan": None
                if line.ceiling_fen_per_year is None
                else Decimal(line.ceiling_fen_per_year) / FEN_PER_YUAN,
                "seen_at": line.updated_at.isoformat(),
            }
        super().__init__(*args, **kwargs)
        if not (line and line.pk):
            self.fields["place"].widget.around = Region.objects.box(demand_list.region_id)

    def clean(self):
        data = super().clean()
        for field, sentence in line_problems(
            DemandLine(demand_list=self.demand_list, **self.line_fields()), Jurisdiction.of(self.demand_list)
        ):
            field = "applicant_text" if field == "applicant_name" else field
            if field not in self.errors:
                self.add_error(field, sentence)
        return data

    def line_fields(self) -> dict:
        """What the form says of the line, under the model's names."""
        data = self.cleaned_data
        fields = {name: data[name] for name in FIELDS if name in data}
        if "applicant_text" in data:
            fields["applicant"], fields["applicant_name"] = data["applicant_text"]
        if "ceiling_yuan" in data:
            yuan = data["ceiling_yuan"]
            fields["ceiling_fen_per_year"] = None if yuan is None else int(yuan * FEN_PER_YUAN)
        return fields

    def seen(self):
        """When the line the person looked at was last changed; None for a new one."""
        text = self.cleaned_data.get("seen_at")
        try:
            return timezone.datetime.fromisoformat(text) if text else None
        except ValueError:
            return None

    def _post_clean(self):
        """Nothing: the form does not touch the instance, the action does."""


class HandedInLineForm(DemandLineForm):
    """An operator's own line: the applicant is its organisation, which is not asked."""

    applicant_text = None
    field_order = [name for name in DemandLineForm.field_order if name != "applicant_text"]

    def __init__(self, *args, membership, **kwargs):
        self.applicant = membership.organisation
        super().__init__(*args, membership=membership, **kwargs)

    def line_fields(self) -> dict:
        return super().line_fields() | {"applicant": self.applicant, "applicant_name": ""}
