"""What people type about works: the points of an inspection, and the papers that go with them."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from listings.actions.as_built import measured_fields
from listings.models import Standard
from listings.models.documents import CONTENT_TYPES

from .models import CaseDocument

RESULTS = (
    ("pass", pgettext_lazy("acceptance", "Passed")),
    ("fail", pgettext_lazy("acceptance", "Failed")),
    ("na", pgettext_lazy("acceptance", "Does not apply")),
)


class AcceptanceForm(forms.Form):
    """One inspection: a result and what was measured per point, facts as built, a note. kind "": no facts."""

    note = forms.CharField(
        label=_("Note"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed where a point fails: what is to be rectified."),
    )  # fmt: skip
    key = forms.UUIDField(widget=forms.HiddenInput)
    checklist = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, checklist: Standard, kind: str, **options: Any):
        options.setdefault("initial", {"key": uuid.uuid4(), "checklist": checklist.pk})
        super().__init__(*args, **options)
        self.items = list(checklist.items.all())
        for item in self.items:
            choices = [choice for choice in RESULTS if choice[0] != "na" or not item.is_required]
            self.fields[f"r_{item.number}"] = forms.ChoiceField(
                label=item.text, choices=choices, widget=forms.RadioSelect(attrs={"class": "form-check-input"}),
                error_messages={"required": gettext("Point %(number)d has no result.") % {"number": item.number}},
            )  # fmt: skip
            self.fields[f"m_{item.number}"] = forms.CharField(
                label=gettext("Measured, point %(number)d") % {"number": item.number}, required=False, max_length=200,
            )  # fmt: skip
        self.fact_names = []
        for field in measured_fields(kind) if kind else []:
            made = field.formfield(required=False)
            if made is not None:
                self.fields[f"b_{field.name}"] = made
                self.fact_names.append(field.name)

    @property
    def points(self) -> list[dict[str, Any]]:
        return [{"item": item, "result": self[f"r_{item.number}"], "measured": self[f"m_{item.number}"]}
                for item in self.items]  # fmt: skip

    @property
    def fact_fields(self) -> list[forms.BoundField]:
        return [self[f"b_{name}"] for name in self.fact_names]

    def results(self) -> dict[int, tuple[str, str]]:
        values = self.cleaned_data
        return {i.number: (values[f"r_{i.number}"], values[f"m_{i.number}"]) for i in self.items}

    def as_built(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(f"b_{name}") for name in self.fact_names}


class CaseDocumentForm(forms.Form):
    """A paper, drawing or photo; the file itself is looked at by the action."""

    sort = forms.ChoiceField(label=_("What it is"), choices=CaseDocument.Sort.choices)
    file = forms.FileField(
        label=_("File"), help_text=_("Photos: JPEG, PNG or WebP. Papers and drawings: PDF, DOCX, XLSX or DWG."),
        widget=forms.ClearableFileInput(
            attrs={"accept": ",".join(["image/jpeg,image/png,image/webp", *(f".{name}" for name in CONTENT_TYPES)])}
        ),
    )  # fmt: skip
    title = forms.CharField(label=_("Title"), max_length=160, required=False)
