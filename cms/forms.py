"""Forms of the bureau's desk. They check by listings.demand_rules, the same as a file's rows are."""

from decimal import Decimal

from django import forms
from django.contrib.gis.forms import GeometryField
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Region
from accounts.models.organisations import Sector
from listings.demand_rules import FIELDS, Jurisdiction, line_problems
from listings.models import DemandLine, DemandList, Kind
from listings.models.resources import SharingMode
from listings.widgets import MapWidget

FEN_PER_YUAN = 100


def half_years(around=None) -> list[str]:
    """The batches one plans for: this half-year, the one before and the next three."""
    today = around or timezone.localdate()
    now = today.year * 2 + (today.month > 6)
    return [f"{half // 2}H{half % 2 + 1}" for half in range(now - 1, now + 4)]


class RegionChoiceField(forms.ModelChoiceField):
    """Regions by code, indented by level, so that the tree can be read in a plain select."""

    def label_from_instance(self, region):
        return "　" * max(region.level - 1, 0) + f"{region.name} · {region.pk}"


class DemandListForm(forms.ModelForm):
    """The head of a list; regions are those of the bureau's jurisdiction."""

    region = RegionChoiceField(label=_("Region"), queryset=Region.objects.none())

    class Meta:
        model = DemandList
        fields = ["title_zh", "title_en", "region", "batch", "summary_zh", "summary_en"]
        widgets = {
            "summary_zh": forms.Textarea(attrs={"rows": 3}),
            "summary_en": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args, membership, **kwargs):
        super().__init__(*args, **kwargs)
        own = membership.organisation.region
        self.fields["region"].queryset = Region.objects.within(own).defer("polygon").order_by("code")
        self.fields["region"].initial = own.pk
        batches = half_years()
        if self.instance.batch and self.instance.batch not in batches:
            batches.insert(0, self.instance.batch)
        self.fields["batch"] = forms.ChoiceField(
            label=_("Batch"), choices=[(batch, batch) for batch in batches], initial=half_years()[1],
            help_text=_("The half-year the list is for."),
        )  # fmt: skip


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
            "title", "kind", "quantity", "power_kw", "place", "tolerance_m", "height_min_m", "height_max_m", "bore_mm",
            "needed_by", "months", "priority", "sectors", "sharing_modes", "applicant_code", "notes",
        ]  # fmt: skip
        widgets = {
            "needed_by": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "notes": forms.Textarea(attrs={"rows": 2}),
        }

    field_order = [
        "title", "applicant_text", "applicant_code", "kind", "quantity", "power_kw", "place", "tolerance_m",
        "height_min_m", "height_max_m", "bore_mm", "needed_by", "months", "priority", "ceiling_yuan", "sectors",
        "sharing_modes", "notes",
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

    def clean(self):
        data = super().clean()
        for field, sentence in line_problems(
            DemandLine(demand_list=self.demand_list, **self.line_fields()), Jurisdiction(self.demand_list.region)
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


class ReasonForm(forms.Form):
    """Why a list is sent back or closed, or a line withdrawn."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the audit log and shown to those concerned."),
    )  # fmt: skip


class LineFilterForm(forms.Form):
    """The filters of a public list page; anything odd counts as not given."""

    SORTS = {
        "number": ["number"],
        "-number": ["-number"],
        "quantity": ["-quantity", "number"],
        "needed_by": ["needed_by", "number"],
        "priority": ["priority", "number"],
    }

    text = forms.CharField(
        label=_("Search lines"), required=False, max_length=60, widget=forms.TextInput(attrs={"type": "search"})
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All kinds")), *Kind.choices])
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("All states")), *DemandLine.State.choices]
    )
    sort = forms.ChoiceField(
        label=_("Sort"), required=False,
        choices=[("number", _("By number")), ("-number", _("Latest first")), ("quantity", _("Largest first")),
                 ("needed_by", _("Soonest needed")), ("priority", _("By priority"))],
    )  # fmt: skip

    def cleaned_filters(self) -> dict[str, str]:
        """text, kind and state as far as they are valid."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in ("text", "kind", "state")}

    def order(self) -> list[str]:
        self.is_valid()
        return self.SORTS.get(self.cleaned_data.get("sort", ""), self.SORTS["number"])


class ListFilterForm(forms.Form):
    """The filters of the index of public lists."""

    text = forms.CharField(
        label=_("Search lists"), required=False, max_length=60, widget=forms.TextInput(attrs={"type": "search"})
    )
    state = forms.ChoiceField(label=_("State"), required=False)
    region = forms.ChoiceField(label=_("Region"), required=False)
    batch = forms.ChoiceField(label=_("Batch"), required=False)

    def __init__(self, *args, regions, batches, **kwargs):
        super().__init__(*args, **kwargs)
        states = [choice for choice in DemandList.State.choices if choice[0] in DemandList.PUBLIC]
        self.fields["state"].choices = [("", _("All states")), *states]
        self.fields["region"].choices = [("", _("All regions")), *((r.pk, r.name) for r in regions)]
        self.fields["batch"].choices = [("", _("All batches")), *((batch, batch) for batch in batches)]

    def cleaned_filters(self) -> dict[str, str]:
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}


class ObjectionForm(forms.Form):
    """Somebody objects to the list, or to one of its lines."""

    line = forms.IntegerField(
        label=_("Line number"), required=False, min_value=1, help_text=_("Empty: the whole list.")
    )
    text = forms.CharField(
        label=_("Your objection"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What is wrong, and what would be right. The bureau reads it with your organisation's name."),
    )  # fmt: skip
