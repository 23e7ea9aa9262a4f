"""Rows beside the form of a resource: bores, chambers, carriers, and notes on single facts."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.models import fields_for_model
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from listings.kinds.parts import BoreData, CarrierData, ChamberData
from listings.kinds.registry import SPECS
from listings.models import Bore, Chamber, DuctChamber, Resource
from listings.models.resources import Missing
from listings.widgets import parse_place

from .resources import date_input

ROWS_MAX = 120  # of one part; a form has at most DATA_UPLOAD_MAX_NUMBER_FIELDS fields
# Facts all kinds have whose source, date or absence can be worth a note of its own.
COMMON_FACTS = ("place", "address", "condition", "access_hours", "access_contact", "reserved_area_m2", "reserved_kva")


class Rows(forms.BaseFormSet):
    """Rows of one part; those left empty or ticked off are passed over."""

    def rows(self) -> Iterable[dict[str, Any]]:
        for form in self.forms:
            cleaned = form.cleaned_data
            if cleaned and not cleaned.get("DELETE"):  # an empty extra row has no cleaned data
                yield cleaned

    @property
    def has_rows(self) -> bool:
        return bool(self.initial_form_count() or self.is_bound)


class BoreForm(forms.Form):
    label = forms.CharField(label=pgettext_lazy("of a bore", "Label"), max_length=20)
    parent = forms.CharField(label=_("inside bore"), max_length=20, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        names = [
            "row", "column", "occupancy_pct", "cable_count", "inner_mm", "outer_mm", "material", "cable_max_mm",
            "blocked_at_m", "mandrel_tested_on",
        ]  # fmt: skip
        self.fields |= fields_for_model(Bore, names, formfield_callback=date_input)
        self.fields["cable_count"].required = False
        self.order_fields(["label", "row", "column", "parent", *names[2:]])


class ChamberForm(forms.Form):
    code = forms.CharField(label=_("Number"), max_length=80)
    chamber_type = forms.ChoiceField(label=_("Type"), choices=Chamber.Type.choices)
    end = forms.ChoiceField(label=_("Where"), choices=DuctChamber.End.choices)
    at_m = forms.DecimalField(label=_("at (m)"), min_value=0, max_digits=8, decimal_places=2, required=False)
    depth_m = forms.DecimalField(label=_("Depth (m)"), min_value=0, max_value=50, decimal_places=2, required=False)
    spot = forms.CharField(
        label=_("Longitude, latitude"), max_length=60, required=False, help_text=_("Empty: where the line has it.")
    )

    def clean_spot(self) -> Any:
        text = self.cleaned_data["spot"].strip()
        spot = parse_place(text) if text else None
        if text and (spot is None or spot.geom_type != "Point"):
            raise forms.ValidationError(_("Give longitude and latitude, as in 113.33, 23.13."))
        return spot


class CarrierForm(forms.Form):
    code = forms.CharField(
        label=_("Duct or pole"), max_length=90, help_text=_("Its code or your own code; line:NAME for a whole line.")
    )
    bore = forms.CharField(label=_("in bore"), max_length=20, required=False)


class NoteForm(forms.Form):
    """Of one fact: why it is missing, or whence and of when it is."""

    field = forms.ChoiceField(label=_("Fact"))
    reason = forms.ChoiceField(
        label=_("Missing, because"), required=False, choices=[("", _("it is given")), *Missing.choices]
    )
    source = forms.CharField(label=_("Source"), max_length=160, required=False)
    on = forms.DateField(
        label=_("As of"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["field"].choices = [("", "—"), *choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("field") and not any(cleaned.get(name) for name in ("reason", "source", "on")):
            self.add_error("reason", _("Say why it is missing, or give its source or date."))
        if cleaned.get("reason") and (cleaned.get("source") or cleaned.get("on")):
            self.add_error("reason", _("A missing value has no source and no date."))
        return cleaned


def _rows(form: type[forms.Form], prefix: str, initial: list[dict[str, Any]], data: Any, **kwargs: Any) -> Any:
    """The formset; unbound where the data does not speak of it, so that it stays as it is."""
    factory = forms.formset_factory(
        form, formset=Rows, extra=2, can_delete=True, max_num=ROWS_MAX, absolute_max=ROWS_MAX, validate_max=True
    )
    if data is not None and f"{prefix}-TOTAL_FORMS" not in data:
        data = None
    return factory(data, prefix=prefix, initial=initial, form_kwargs=kwargs)


def bore_rows(data: Any, resource: Resource | None) -> Any:
    bores = resource.bores.select_related("parent").order_by("row", "column", "label") if resource else ()
    initial = [
        {name: getattr(bore, name) for name in BoreData.__dataclass_fields__}
        | {"parent": bore.parent.label if bore.parent else ""}
        for bore in bores
    ]
    return _rows(BoreForm, "bores", initial, data)


def chamber_rows(data: Any, resource: Resource | None) -> Any:
    links = resource.chamber_links.select_related("chamber").order_by("pk") if resource else ()
    initial = [
        {
            "code": link.chamber.code,
            "chamber_type": link.chamber.chamber_type,
            "end": link.end,
            "at_m": link.at_m,
            "depth_m": link.chamber.depth_m,
            "spot": f"{link.chamber.place.x:.6f}, {link.chamber.place.y:.6f}",
        }
        for link in links
    ]
    return _rows(ChamberForm, "chambers", initial, data)


def carrier_rows(data: Any, resource: Resource | None) -> Any:
    rows = resource.carriers.select_related("carrier", "bore").order_by("pk") if resource else ()
    initial = [{"code": row.carrier.code, "bore": row.bore.label if row.bore else ""} for row in rows]
    return _rows(CarrierForm, "carriers", initial, data)


def fact_choices(kind: str) -> list[tuple[str, str]]:
    """(field, label) of every fact a note can speak of."""
    spec = SPECS[kind]
    own = [(name, str(spec.labels.get(name) or spec.model._meta.get_field(name).verbose_name)) for name in spec.fields]
    return own + [(name, str(Resource._meta.get_field(name).verbose_name)) for name in COMMON_FACTS]


def note_rows(data: Any, kind: str, resource: Resource | None) -> Any:
    initial: list[dict[str, Any]] = []
    if resource:
        initial += [{"field": name, "reason": reason} for name, reason in resource.missing.items()]
        initial += [{"field": name, **said} for name, said in resource.provenance.items()]
    return _rows(NoteForm, "notes", initial, data, choices=fact_choices(kind))


def bores_of(rows: Any) -> list[BoreData]:
    return [_bore(row) for row in rows.rows()]


def _bore(row: dict[str, Any]) -> BoreData:
    values = {name: row.get(name) for name in BoreData.__dataclass_fields__}
    values |= {"label": row["label"].strip(), "parent": row["parent"].strip(), "cable_count": row["cable_count"] or 0}
    return BoreData(**values)


def chambers_of(rows: Any) -> list[ChamberData]:
    return [
        ChamberData(
            code=row["code"].strip(),
            chamber_type=row["chamber_type"],
            end=row["end"],
            at_m=row["at_m"],
            depth_m=row["depth_m"],
            place=row["spot"],
        )
        for row in rows.rows()
    ]


def carriers_of(rows: Any) -> list[CarrierData]:
    return [CarrierData(row["code"].strip(), row["bore"].strip()) for row in rows.rows()]
