import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Organisation, User
from accounts.models.organisations import Sector
from accounts.uscc import validate_uscc
from accounts.wording import verb_text

from .regions import RegionField


class UsccField(forms.CharField):
    """A credit code as people copy it: spaces, hyphens, small and full-width letters are put right."""

    def __init__(self, **kwargs):
        super().__init__(**{"label": _("Unified social credit code"), **kwargs})
        self.widget.attrs.update(
            {"autocomplete": "off", "spellcheck": "false", "maxlength": 30, "class": "font-monospace"}
        )

    def to_python(self, value) -> str:
        text = unicodedata.normalize("NFKC", super().to_python(value)).upper()
        return "".join(char for char in text if not char.isspace() and char != "-")


class OrganisationForm(forms.ModelForm):
    """The facts a bureau verifies."""

    uscc = UsccField(help_text=_("18 characters, as on the business licence; the last one is a check character."))
    region = RegionField(label=_("Seat"), help_text=_("The bureau of this region verifies your organisation."))

    class Meta:
        model = Organisation
        fields = ["name_zh", "name_en", "uscc", "sector"]
        help_texts = {
            "name_zh": _("As on the business licence."),
            "name_en": _("Shown to readers of English; may stay empty."),
        }

    field_order = ["name_zh", "name_en", "uscc", "sector", "region"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sector"].choices = [("", _("Choose the sector")), *Sector.choices]

    def clean_name_zh(self):
        return " ".join(self.cleaned_data["name_zh"].split())

    def clean_uscc(self):
        uscc = self.cleaned_data["uscc"]
        validate_uscc(uscc)
        return uscc

    @property
    def facts(self) -> dict:
        """The cleaned facts, as the actions take them."""
        return {name: self.cleaned_data[name] for name in self.field_order}


class JoinSearchForm(forms.Form):
    q = forms.CharField(
        label=_("Name or unified social credit code"),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "organization"}),
    )

    def clean_q(self):
        return " ".join(self.cleaned_data["q"].split())


class JoinForm(forms.Form):
    organisation = forms.ModelChoiceField(Organisation.objects.order_by("pk"), widget=forms.HiddenInput)
    message = forms.CharField(
        label=_("A word to the administrator"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Who you are and what you will do here."),
    )


class VerificationAnswerForm(forms.Form):
    """One form, two buttons: verify, or send back with a note."""

    decision = forms.ChoiceField(choices=[("verify", _("Verify")), ("send_back", _("Send back"))])
    note = forms.CharField(
        label=_("What has to be mended"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("decision") == "send_back" and not cleaned.get("note"):
            raise ValidationError(
                {"note": _("Say what has to be mended, so that the organisation can do it.")}, code="note_missing"
            )
        return cleaned


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["name"]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["name"].label = _("Your name")
        self.fields["name"].help_text = _("How colleagues and the other side of a request see you.")


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class EventFilterForm(forms.Form):
    """GET filter of the audit log."""

    verb = forms.ChoiceField(label=pgettext_lazy("event", "What"), required=False)
    actor = forms.ModelChoiceField(
        User.objects.none(), label=pgettext_lazy("event", "Who"), required=False, empty_label=_("everybody"),
    )  # fmt: skip
    since = forms.DateField(label=pgettext_lazy("day", "From"), required=False, widget=_day())
    until = forms.DateField(label=pgettext_lazy("day", "Until"), required=False, widget=_day())

    def __init__(self, data, *, verbs, people):
        super().__init__(data)
        named = sorted(((verb, verb_text(verb)) for verb in verbs), key=lambda pair: pair[1])
        self.fields["verb"].choices = [("", _("everything")), *named]
        self.fields["actor"].queryset = people

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("since") and cleaned.get("until") and cleaned["since"] > cleaned["until"]:
            raise ValidationError({"until": _("This day lies before the first one.")}, code="order")
        return cleaned
