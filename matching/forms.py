import re

from django import forms
from django.utils.translation import gettext_lazy as _

from listings.models import Kind

from .core.problem import Weights
from .core.reasons import BINDINGS
from .models import MatchResult
from .wording import binding_label


class ResultFilter(forms.Form):
    """The filters above the table of a run's results; all optional."""

    q = forms.CharField(label=_("Line or applicant"), required=False, max_length=80)
    verdict = forms.ChoiceField(
        label=_("Verdict"), required=False, choices=[("", _("All verdicts")), *MatchResult.Verdict.choices]
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All kinds")), *Kind.choices])
    binding = forms.ChoiceField(
        label=_("What stands in the way"), required=False,
        choices=[("", _("Whatever stands in the way")), *((name, binding_label(name)) for name in BINDINGS)],
    )  # fmt: skip


WEIGHT_NAMES = tuple(Weights.__dataclass_fields__)


class WeightsForm(forms.Form):
    """What decides a run, all of it kept with the run: weights, radius, worth of priorities, fairness."""

    radius_m = forms.FloatField(label=_("Search radius (m)"), min_value=10, max_value=50_000, required=False)
    distance = forms.FloatField(label=_("Weight of distance"), min_value=0, max_value=1, required=False)
    price = forms.FloatField(label=_("Weight of price"), min_value=0, max_value=1, required=False)
    height_surplus = forms.FloatField(label=_("Weight of not wasting height"), min_value=0, max_value=1, required=False)
    in_service = forms.FloatField(
        label=_("Weight of being in service already"), min_value=0, max_value=1, required=False
    )
    fragmentation = forms.FloatField(label=_("Weight of leaving no remnants"), min_value=0, max_value=1, required=False)
    response = forms.FloatField(
        label=_("Weight of the owner's usual answering time"), min_value=0, max_value=1, required=False
    )
    priority = forms.ChoiceField(
        label=_("What comes first"), required=False, initial="lines",
        choices=[
            ("lines", _("As many lines as can be; priority decides who goes first")),
            ("priority", _("High counts four, normal two, low one")),
        ],
    )  # fmt: skip
    fairness_pct = forms.FloatField(
        label=_("Fair share between applicants (%)"), min_value=0, max_value=100, required=False,
        help_text=_("Nobody is served less than this part of their pro-rata share. Empty: not asked for."),
    )  # fmt: skip

    surface = forms.ChoiceField(
        label=_("Gaps in routes are built"), required=False, initial="footway",
        choices=[
            ("footway", _("under footways")), ("carriageway", _("under carriageways")),
            ("verge", _("in verges and fields")), ("pole_line", _("as pole lines")),
        ],
    )  # fmt: skip

    def clean(self):
        cleaned = super().clean()
        if all(cleaned.get(name) == 0 for name in WEIGHT_NAMES):
            raise forms.ValidationError(_("At least one weight must be above 0."))
        return cleaned

    def options(self) -> dict:
        """What actions.start() and what-ifs take: weights, radius_m, worth, fairness."""
        data = self.cleaned_data
        given = {name: data[name] for name in WEIGHT_NAMES if data[name] is not None}
        return {
            "weights": Weights(**given),
            "radius_m": data["radius_m"],
            "worth": (4, 2, 1) if data["priority"] == "priority" else (1, 1, 1),
            "fairness": data["fairness_pct"] / 100 if data["fairness_pct"] else None,
            "surface": data["surface"] or "footway",
        }


class WhatIfForm(WeightsForm):
    """The same, and resources to leave out."""

    leave_out = forms.CharField(
        label=_("Leave out these resources"), required=False, max_length=400,
        help_text=_("Their codes, such as T00000012, separated by spaces: as if their owner withdrew them."),
    )  # fmt: skip

    @staticmethod
    def initial_of(parameters: dict) -> dict:
        """A run's parameters as the form shows them."""
        return {
            "radius_m": parameters.get("radius_m"),
            **parameters.get("weights", {}),
            "priority": "priority" if parameters.get("worth") == [4, 2, 1] else "lines",
            "surface": parameters.get("surface", "footway"),
            "fairness_pct": parameters["fairness"] * 100 if parameters.get("fairness") else None,
        }

    def clean_leave_out(self):
        words = self.cleaned_data["leave_out"].replace(",", " ").split()
        wrong = [word for word in words if not re.fullmatch(r"[TDCRtdcr]\d{1,12}", word)]
        if wrong:
            raise forms.ValidationError(_("%(code)s is not the code of a resource.") % {"code": wrong[0]})
        return words

    def without(self) -> list[int]:
        """Ids of the resources to leave out."""
        return [int(word[1:]) for word in self.cleaned_data["leave_out"]]
