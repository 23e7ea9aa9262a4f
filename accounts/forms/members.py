from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Organisation
from accounts.models.organisations import Role


class RolesField(forms.MultipleChoiceField):
    """The roles of one organisation as check boxes."""

    widget = forms.CheckboxSelectMultiple
    default_error_messages = {"required": _("Choose at least one role.")}

    def __init__(self, organisation: Organisation, **kwargs):
        kwargs.setdefault("label", _("Roles"))
        super().__init__(choices=[(role.value, role.label) for role in organisation.roles], **kwargs)


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("The invitation can be accepted only by whoever proves to own this address."),
    )

    def __init__(self, *args, organisation: Organisation, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["roles"] = RolesField(
            organisation, initial=[Role.VIEWER], help_text=_("You can change them later on the members page.")
        )


class RolesForm(forms.Form):
    def __init__(self, *args, organisation: Organisation, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["roles"] = RolesField(organisation)


class JoinAnswerForm(forms.Form):
    """Accept with roles, or decline; roles are asked for only when accepting."""

    answer = forms.ChoiceField(choices=[("accept", pgettext_lazy("join request", "Accept")), ("decline", _("Decline"))])

    def __init__(self, *args, organisation: Organisation, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["roles"] = RolesField(organisation, required=False, initial=[Role.VIEWER])

    @property
    def is_accepted(self) -> bool:
        return self.cleaned_data["answer"] == "accept"
