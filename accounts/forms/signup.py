from django import forms
from django.utils.translation import gettext_lazy as _


class SignupExtra(forms.Form):
    """What sign-up asks beyond e-mail and password (allauth mixes it into its own form)."""

    name = forms.CharField(label=_("Your name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ["name", "email", "password1", "password2"]

    def signup(self, request, user):
        """Nothing more to do: the adapter has stored the name."""
