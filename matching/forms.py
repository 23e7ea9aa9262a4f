from django import forms
from django.utils.translation import gettext_lazy as _

from listings.models import Kind

from .models import MatchResult


class ResultFilter(forms.Form):
    """The filters above the table of a run's results; all optional."""

    q = forms.CharField(label=_("Line or applicant"), required=False, max_length=80)
    verdict = forms.ChoiceField(
        label=_("Verdict"), required=False, choices=[("", _("All verdicts")), *MatchResult.Verdict.choices]
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All kinds")), *Kind.choices])


class WeightsForm(forms.Form):
    """What the soft criteria count for, and the radius for lines without a tolerance; shown before a run starts."""

    radius_m = forms.FloatField(label=_("Search radius (m)"), min_value=10, max_value=50_000, required=False)
    distance = forms.FloatField(label=_("Weight of distance"), min_value=0, max_value=1, required=False)
    price = forms.FloatField(label=_("Weight of price"), min_value=0, max_value=1, required=False)
    height_surplus = forms.FloatField(label=_("Weight of not wasting height"), min_value=0, max_value=1, required=False)
    in_service = forms.FloatField(
        label=_("Weight of being in service already"), min_value=0, max_value=1, required=False
    )

    def clean(self):
        cleaned = super().clean()
        given = [cleaned.get(name) for name in ("distance", "price", "height_surplus", "in_service")]
        if all(value == 0 for value in given):
            raise forms.ValidationError(_("At least one weight must be above 0."))
        return cleaned
