"""What people type about approvals. Money is typed in yuan and handed on in fen."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, User
from agreements.models import Approval, ApprovalRule


class RuleForm(forms.Form):
    name = forms.CharField(
        label=_("Step"), max_length=60, help_text=_("As your people call it, such as: finance, board.")
    )
    basis = forms.ChoiceField(label=_("Measured by"), choices=ApprovalRule.Basis.choices)
    from_yuan = forms.DecimalField(
        label=_("From (¥)"), min_value=0, max_digits=13, decimal_places=2, initial=0,
        help_text=_("Asked for at this amount and above, tax included; 0: always."),
    )  # fmt: skip
    approver = forms.ModelChoiceField(User.objects.none(), label=_("Approver"), empty_label="—")
    deputy = forms.ModelChoiceField(
        User.objects.none(), label=_("Deputy"), required=False, empty_label="—",
        help_text=_("Either of the two approves."),
    )  # fmt: skip

    def __init__(self, *args, organisation: Organisation, **options):
        super().__init__(*args, **options)
        active = {"memberships__organisation": organisation, "memberships__ended_at": None}
        for name in ("approver", "deputy"):
            self.fields[name].queryset = User.objects.filter(**active).order_by("name", "pk")

    def rule_data(self) -> dict:
        values = dict(self.cleaned_data)
        values["from_fen"] = int(values.pop("from_yuan") * 100)
        return values


class AnswerForm(forms.Form):
    note = forms.CharField(
        label=_("Note"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Read inside your organisation only. Needed where you do not approve."),
    )  # fmt: skip
    version_sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
    verdict = forms.ChoiceField(choices=Approval.Verdict.choices, widget=forms.HiddenInput, required=True)
