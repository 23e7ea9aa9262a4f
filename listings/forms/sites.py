"""The form of a site: its name, its mains, and which of the owner's resources stand there."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from listings.models import Resource, Site

CHOICES_MAX = 300


class SiteForm(forms.ModelForm):
    """members: the resources chosen; candidates are those ticked before, those of the site, and those near them."""

    members = forms.ModelMultipleChoiceField(
        Resource.objects.none(), label=_("Resources at this place"), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Site
        fields = ["name", "owner_code", "members", "mains_v", "mains_kva", "mains_spare_kva", "has_backup", "note"]

    def __init__(self, *args: Any, owner: Organisation, ids: list[int], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.instance.owner = owner
        own = Resource.objects.owned_by(owner).exclude(state=Resource.State.RETIRED).defer("shown_cell")
        chosen = list(own.filter(Q(pk__in=ids) | Q(site=self.instance.pk or -1)).order_by("pk")[:CHOICES_MAX])
        near = [row.pk for row in chosen]
        if chosen:
            free = own.filter(site=None, place__dwithin=(chosen[0].place, 0.005)).order_by("pk")  # about 500 m
            near += [row.pk for row in free[: CHOICES_MAX - len(chosen)]]
        field = self.fields["members"]
        field.queryset = own.filter(pk__in=near).order_by("kind", "name", "pk")  # type: ignore[attr-defined]
        field.label_from_instance = (  # type: ignore[attr-defined]
            lambda row: f"{row.get_kind_display()} · {row.name} ({row.owner_code})"
        )
        field.initial = [row.pk for row in chosen]

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields if name != "members"}
