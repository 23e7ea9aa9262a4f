"""Forms of works built together. Money is typed in yuan and handed on in fen."""

from decimal import Decimal

from django import forms
from django.contrib.gis.forms import GeometryField
from django.utils.translation import gettext_lazy as _

from agreements.models import Project, ProjectParty
from listings.widgets import MapWidget

DAY = {"type": "date"}


def _yuan(label, help_text=""):
    return forms.DecimalField(
        label=label, required=False, min_value=0, max_digits=13, decimal_places=2, help_text=help_text
    )  # fmt: skip


def fen(yuan: Decimal | None) -> int:
    return int((yuan or Decimal(0)) * 100)


class ProjectForm(forms.ModelForm):
    """The notice. Yields project_data() for the action."""

    place = GeometryField(
        label=_("Place"), srid=4326, widget=MapWidget(geometry="Geometry"),
        help_text=_("A point, a line or an area; drawn, typed, or pasted as GeoJSON or WKT."),
    )  # fmt: skip
    common_yuan = _yuan(_("Common cost (¥)"), _("What all parties need and share, tax included."))
    lead_own_yuan = _yuan(_("The lead's own extra cost (¥)"), _("What only the lead needs beyond the common works."))

    class Meta:
        model = Project
        fields = [
            "title", "kind", "method", "place", "joinable", "disclosure", "join_until", "starts_on", "ends_on", "unit",
            "lead_units", "split",
        ]  # fmt: skip
        widgets = {
            "joinable": forms.Textarea(attrs={"rows": 3}),
            "join_until": forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
            "starts_on": forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
        }

    field_order = [
        "title", "kind", "method", "place", "joinable", "disclosure", "join_until", "starts_on", "ends_on", "unit",
        "lead_units", "common_yuan", "lead_own_yuan", "split",
    ]  # fmt: skip

    def __init__(self, *args, **kwargs):
        project = kwargs.get("instance")
        if project:
            kwargs["initial"] = {
                "common_yuan": Decimal(project.common_fen) / 100, "lead_own_yuan": Decimal(project.lead_own_fen) / 100
            }  # fmt: skip
        super().__init__(*args, **kwargs)

    def clean_lead_units(self):
        units = self.cleaned_data["lead_units"]
        if units <= 0:
            raise forms.ValidationError(_("Say how much you need: more than zero."))
        return units

    def project_data(self) -> dict:
        data = {name: value for name, value in self.cleaned_data.items() if not name.endswith("_yuan")}
        data["common_fen"] = fen(self.cleaned_data["common_yuan"])
        data["lead_own_fen"] = fen(self.cleaned_data["lead_own_yuan"])
        return data


class JoinForm(forms.ModelForm):
    """What one needs of the works."""

    own_yuan = _yuan(_("Own extra cost (¥)"), _("What building for you costs beyond the common works, if known."))

    class Meta:
        model = ProjectParty
        fields = ["units", "power_kva", "note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}

    field_order = ["units", "power_kva", "own_yuan", "note"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["units"].min_value = 0
        self.fields["units"].label = _("What you need")

    def clean_units(self):
        units = self.cleaned_data["units"]
        if units <= 0:
            raise forms.ValidationError(_("Say how much you need: more than zero."))
        return units

    def join_data(self) -> dict:
        data = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return data | {"own_fen": fen(self.cleaned_data["own_yuan"])}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The other parties read it."),
    )  # fmt: skip


class ReserveForm(forms.ModelForm):
    """Space and power reserved for communications."""

    class Meta:
        model = Project
        fields = ["reserved_bores", "reserved_room_m2", "reserved_positions", "reserved_kva"]
        help_texts = {
            "reserved_bores": _(
                "Bores, rooms, positions: one of them at least. Bores lie along the line of the works."
            ),
            "reserved_room_m2": _("Floor for the racks of all parties."),
            "reserved_positions": _("For antennas, or brackets of leaky cable."),
            "reserved_kva": _("For all parties together, at least what those taking part need."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reserved_kva"].required = True


class ProjectFilterForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Kind of works"), required=False, choices=[("", _("All kinds")), *Project.Kind.choices]
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("All states")), *Project.State.choices]
    )  # fmt: skip


class MilestoneForm(forms.Form):
    """A point of the works' timetable."""

    title = forms.CharField(label=_("Milestone"), max_length=120)
    planned_for = forms.DateField(label=_("Planned for"), widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
