"""Forms of the bureau's desk. They check by listings.demand_rules, the same as a file's rows are."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Region
from listings.forms.demand import DemandLineForm
from listings.models import DemandLine, DemandList, Kind, Objection


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
    co_signers = forms.ModelMultipleChoiceField(
        label=_("Co-signing bureaus"), required=False, queryset=Organisation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Across provinces: their regions count as the list's, and each signs off before the notice."),
    )  # fmt: skip

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
        others = Organisation.objects.bureaus().verified().exclude(pk=membership.organisation_id)
        self.fields["co_signers"].queryset = others.order_by("region__code", "pk")
        if self.instance.pk:
            self.fields["co_signers"].initial = list(self.instance.co_signers.values_list("bureau", flat=True))
        batches = half_years()
        if self.instance.batch and self.instance.batch not in batches:
            batches.insert(0, self.instance.batch)
        self.fields["batch"] = forms.ChoiceField(
            label=_("Batch"), choices=[(batch, batch) for batch in batches], initial=half_years()[1],
            help_text=_("The half-year the list is for."),
        )  # fmt: skip


class CorrectionForm(DemandLineForm):
    """How a line under notice should read, and why."""

    reason = forms.CharField(
        label=_("Reason of the correction"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("A second person reads it before the line changes; then it stands on the public page."),
    )  # fmt: skip
    field_order = [*DemandLineForm.field_order, "reason"]


class CallForm(forms.Form):
    """Until when operators hand lines in, and what the call asks for."""

    closes_on = forms.DateField(
        label=_("Lines are handed in until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Including this day."),
    )  # fmt: skip
    note = forms.CharField(
        label=_("What the call asks for"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class CopyForm(forms.Form):
    """The head of the next batch."""

    batch = forms.ChoiceField(label=_("Batch"))
    title_zh = forms.CharField(label=_("Chinese title"), max_length=160)
    title_en = forms.CharField(label=_("English title"), max_length=200, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["batch"].choices = [(batch, batch) for batch in half_years()]


class DecisionForm(forms.Form):
    """The bureau's answer to an objection."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=Objection.Outcome.choices, widget=forms.RadioSelect)
    decision = forms.CharField(
        label=_("Reason of the decision"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The objector is answered with it, and it stands on the public page without the objector's name."),
    )  # fmt: skip
    withdraw = forms.BooleanField(label=_("Withdraw the line by this decision"), required=False)

    def __init__(self, *args, may_withdraw: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not may_withdraw:
            del self.fields["withdraw"]


class SplitForm(forms.Form):
    """Into which quantities a line falls apart."""

    quantities = forms.CharField(
        label=_("Quantities of the parts"), help_text=_("Whole numbers with commas, adding up to the line's: 2, 1, 1")
    )

    def clean_quantities(self) -> list[int]:
        parts = self.cleaned_data["quantities"].replace("，", ",").replace("、", ",").split(",")
        try:
            return [int(part) for part in parts]
        except ValueError:
            raise forms.ValidationError(_("Whole numbers with commas, for example 2, 1, 1.")) from None


class CalendarDayForm(forms.Form):
    """A day that differs from the calendar the product carries."""

    region = RegionChoiceField(label=_("Region"), queryset=Region.objects.none())
    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    is_workday = forms.TypedChoiceField(
        label=_("It is"), coerce=lambda value: value == "1", choices=[("1", _("a working day")), ("0", _("a day off"))]
    )
    name = forms.CharField(label=_("What day it is"), max_length=80)
    source = forms.CharField(label=_("Source"), max_length=300, help_text=_("The decree that sets the day."))

    def __init__(self, *args, membership, **kwargs):
        super().__init__(*args, **kwargs)
        own = membership.organisation.region
        self.fields["region"].queryset = Region.objects.within(own).defer("polygon").order_by("code")
        self.fields["region"].initial = own.pk


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
        label=_("Order"), required=False,
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
