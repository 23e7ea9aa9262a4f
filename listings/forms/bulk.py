"""What is to be changed on many resources: a tick per field, then its new value."""

from typing import Any

from django import forms
from django.forms.models import fields_for_model
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from listings.bulk_changes import ADD, ASK, PERCENT, PLAIN, REMOVE, SET
from listings.forms.resources import date_input
from listings.models import Resource
from listings.models.capacity import Unit
from listings.models.resources import SharingMode

CHANGE = "change_"
GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_("Terms"), ("price", "price_note", "sharing_modes", "available_from", "available_until")),
    (_("Who may see what"), ("disclosure", "grade")),
    (_("State"), ("condition", "lifecycle", "occupancy", "ownership_mode", "manager")),
    (_("Access on site"), ("access_hours", "access_permit", "access_safety", "access_contact", "access_note")),
    (_("Evidence"), ("facts_on", "source", "accuracy", "quality")),
)


class Row:
    """One line of the form: the tick, what it is called, and the controls it opens."""

    def __init__(self, tick: forms.BoundField, controls: list[forms.BoundField]):
        self.tick, self.controls = tick, controls


class BulkEditForm(forms.Form):
    """Only ticked fields count; an empty date or text that is ticked clears what stood there."""

    price_how = forms.ChoiceField(
        label=_("Price"), required=False,
        choices=[(SET, _("set to")), (PERCENT, _("raise or lower by")), (ASK, _("to be negotiated"))],
    )  # fmt: skip
    price_unit = forms.ChoiceField(label=_("Per unit and year"), required=False, choices=Unit.choices)
    price_value = forms.DecimalField(
        label=_("Amount: yuan, or per cent"), required=False, max_digits=12, decimal_places=2,
        help_text=_("Yuan per unit and year, per kilometre for bores and cores; −5 lowers by five per cent."),
    )  # fmt: skip
    modes_how = forms.ChoiceField(
        label=_("Sharing modes"), required=False,
        choices=[(SET, _("replace by")), (ADD, _("add")), (REMOVE, _("take away"))],
    )  # fmt: skip
    modes = forms.MultipleChoiceField(
        label=_("Sharing modes"), required=False, choices=SharingMode.choices, widget=forms.CheckboxSelectMultiple,
        help_text=_("Modes that make no sense for a kind are passed over."),
    )  # fmt: skip
    manager_name = forms.CharField(
        label=_("Manager"), required=False, max_length=160,
        help_text=_("Name or credit code of the organisation that manages them. Empty: you do."),
    )  # fmt: skip
    query = forms.CharField(required=False, max_length=30_000, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, **kwargs: Any):
        super().__init__(data, **kwargs)
        plain = fields_for_model(Resource, list(PLAIN), formfield_callback=date_input)
        for field in plain.values():
            field.required = False
            field.initial = None
            if isinstance(field, forms.TypedChoiceField) and field.choices and field.choices[0][0] != "":
                field.choices = [("", "—"), *field.choices]
        self.fields |= plain
        for _title, names in GROUPS:
            for name in names:
                self.fields[CHANGE + name] = forms.BooleanField(label=self._label(name), required=False)

    def _label(self, name: str) -> Any:
        special = {"price": "price_how", "sharing_modes": "modes_how", "manager": "manager_name"}
        return self.fields[special.get(name, name)].label

    @property
    def groups(self) -> list[tuple[Any, list[Row]]]:
        special = {
            "price": ("price_how", "price_value", "price_unit"), "sharing_modes": ("modes_how", "modes"),
            "manager": ("manager_name",),
        }  # fmt: skip
        return [
            (title, [Row(self[CHANGE + n], [self[control] for control in special.get(n, (n,))]) for n in names])
            for title, names in GROUPS
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.changes: dict[str, Any] = {}
        for name in PLAIN:
            if cleaned.get(CHANGE + name) and name not in self.errors:
                self._take_plain(name, cleaned.get(name))
        if cleaned.get(CHANGE + "price"):
            self._take_price(cleaned)
        if cleaned.get(CHANGE + "sharing_modes"):
            self._take_modes(cleaned)
        if cleaned.get(CHANGE + "manager"):
            self._take_manager(cleaned.get("manager_name", "").strip())
        if not self.changes and not self.errors:
            raise forms.ValidationError(_("Tick what is to be changed, and give its new value."))
        return cleaned

    def _take_plain(self, name: str, value: Any) -> None:
        field = Resource._meta.get_field(name)
        if not field.blank and value in (None, ""):
            self.add_error(name, _("Choose a value."))
            return
        self.changes[name] = value.isoformat() if hasattr(value, "isoformat") else value

    def _take_price(self, cleaned: dict[str, Any]) -> None:
        how, value = cleaned.get("price_how") or SET, cleaned.get("price_value")
        if how != ASK and value is None:
            self.add_error("price_value", _("Give the amount."))
        elif how == SET and value < 0:
            self.add_error("price_value", _("A price is not below 0; 0 is free opening."))
        elif how == PERCENT and not -100 <= value <= 1000:
            self.add_error("price_value", _("Between −100 and 1000 per cent."))
        else:
            self.changes["price"] = {
                "how": how, "unit": cleaned.get("price_unit") or Unit.POSITION.value,
                "yuan" if how == SET else "percent": str(value) if value is not None else "",
            }  # fmt: skip

    def _take_modes(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("modes"):
            self.add_error("modes", _("Choose at least one sharing mode."))
            return
        self.changes["sharing_modes"] = {"how": cleaned.get("modes_how") or SET, "modes": cleaned["modes"]}

    def _take_manager(self, name: str) -> None:
        if not name:
            self.changes["manager"] = None
            return
        from django.db.models import Q

        found = Organisation.objects.filter(Q(name_zh=name) | Q(name_en=name) | Q(uscc=name)).order_by("pk").first()
        if found is None:
            self.add_error("manager_name", _("There is no organisation of this name or code on the portal."))
        else:
            self.changes["manager"] = found.pk
