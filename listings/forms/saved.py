"""A saved search's name and whether it alerts."""

from django import forms
from django.utils.translation import gettext_lazy as _

from listings.models import SavedSearch


class SavedSearchForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=SavedSearch._meta.get_field("name").max_length)
    is_alerting = forms.BooleanField(
        label=_("Tell me of resources that newly fit"), required=False, initial=True,
        help_text=_("In the portal within a minute or so; by e-mail as you chose under “How I am told”."),
    )  # fmt: skip
