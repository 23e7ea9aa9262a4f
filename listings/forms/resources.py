"""Forms of the supply side. What is right is decided by the action; a form only reads and shows."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.gis.forms import GeometryField
from django.db.models import Q, QuerySet
from django.forms.models import fields_for_model, model_to_dict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from accounts.rules import rule
from listings.freshness import months_earlier
from listings.kinds.pools import PoolData, price_of
from listings.kinds.registry import SPECS
from listings.models import Kind, Resource
from listings.models.resources import SharingMode
from listings.problems import Problem, errors
from listings.widgets import MapWidget

IDENTITY = ["name", "owner_code", "sector"]
STATUS = ["lifecycle", "condition", "ownership_mode", "available_from", "available_until"]
TERMS = ["price_note", "access_note"]
EVIDENCE = ["accuracy", "quality", "source", "facts_on"]
SECRECY = ["grade", "disclosure"]
COMMON = [*IDENTITY, "address", *STATUS, *TERMS, *EVIDENCE, *SECRECY]
WITHHELD, UNKNOWN = "withheld", "unknown"


def _date_input(field: Any, **kwargs: Any) -> forms.Field | None:
    """A model field's form field, with the browser's own date picker where it is a date."""
    form_field = field.formfield(**kwargs)
    if isinstance(form_field, forms.DateField):
        form_field.widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return form_field


class Group:
    """Bound fields under a heading, as the template shows them."""

    def __init__(self, title: Any, fields: list[forms.BoundField], note: Any = "", is_folded: bool = False):
        self.title, self.fields, self.note, self.is_folded = title, fields, note, is_folded


class ResourceForm(forms.Form):
    """One resource of a kind: what all kinds share, the kind's facts, the place."""

    region = forms.CharField(
        label=_("Region"),
        required=False,
        max_length=60,
        help_text=_("Found from the place. Give a division code or name only to have the place checked against it."),
    )
    manager_name = forms.CharField(
        label=_("Manager"),
        required=False,
        max_length=160,
        help_text=_("Name or credit code of the organisation that manages it. Empty: you do."),
    )
    sharing_modes = forms.MultipleChoiceField(
        label=_("Sharing modes"), required=False, widget=forms.CheckboxSelectMultiple
    )
    withheld = forms.MultipleChoiceField(
        label=_("Values you withhold"), required=False, widget=forms.CheckboxSelectMultiple
    )
    unknown = forms.MultipleChoiceField(
        label=_("Values you do not know"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, kind: str, resource: Resource | None = None, owner: Organisation):
        self.spec, self.resource, self.owner = SPECS[kind], resource, owner
        super().__init__(data, initial=self._initial())
        self.fields |= fields_for_model(Resource, COMMON, formfield_callback=_date_input)
        self.fields |= fields_for_model(self.spec.model, list(self.spec.fields), formfield_callback=_date_input)
        for name, label in self.spec.labels.items():
            self.fields[name].label = label
        self.fields["place"] = GeometryField(
            label=_("Place"),
            srid=4326,
            widget=MapWidget(geometry=self.spec.geometry),
            help_text=_("Draw the line on the map, or type its WKT.")
            if self.spec.is_line
            else _("Click on the map, or type longitude and latitude."),
            error_messages={"required": _("Give the place: on the map or typed.")},
        )
        usual = [(m, SharingMode(m).label) for m in self.spec.sharing_modes]
        self.fields["sharing_modes"].choices = usual  # type: ignore[attr-defined]
        optional = [n for n in self.spec.fields if not self.fields[n].required]
        words = [(name, str(self.fields[name].label)) for name in optional]
        for name in (WITHHELD, UNKNOWN):
            self.fields[name].choices = words  # type: ignore[attr-defined]

    def _initial(self) -> dict[str, Any]:
        resource = self.resource
        if resource is None:
            return {
                "sector": self.owner.sector,
                "sharing_modes": list(self.spec.sharing_modes[:1]),
                "facts_on": timezone.localdate(),
            }
        initial = model_to_dict(resource, fields=[*COMMON, "sharing_modes"])
        initial |= model_to_dict(resource.facts, fields=list(self.spec.fields))
        initial["place"] = resource.place
        initial["manager_name"] = resource.manager.name_zh if resource.manager else ""
        for reason in (WITHHELD, UNKNOWN):
            initial[reason] = [name for name, why in resource.missing.items() if why == reason]
        return initial

    @property
    def groups(self) -> list[Group]:
        """The form's parts in the order a person fills them in."""

        def some(names: list[str] | tuple[str, ...]) -> list[forms.BoundField]:
            return [self[name] for name in names]

        return [
            Group(_("What it is"), some([*IDENTITY, "manager_name"])),
            Group(_("Where it is"), some(["place", "address", "region"])),
            *(Group(group.title, some(group.fields)) for group in self.spec.groups),
            Group(_("State and availability"), some(STATUS)),
            Group(_("Modes, price and access"), some(["sharing_modes", *TERMS])),
            Group(_("Who may see the place"), some(SECRECY), _("A visitor is never shown more than a cell of 1 km.")),
            Group(_("How good the facts are"), some(EVIDENCE)),
            Group(
                _("Values left empty"),
                some([WITHHELD, UNKNOWN]),
                _("Readers are told why a value is missing."),
                is_folded=not (self.initial.get(WITHHELD) or self.initial.get(UNKNOWN) or self.is_bound),
            ),
        ]

    def clean_manager_name(self) -> Organisation | None:
        name = self.cleaned_data["manager_name"].strip()
        if not name or name in (self.owner.name_zh, self.owner.name_en, self.owner.uscc):
            return None
        found = Organisation.objects.filter(Q(uscc=name) | Q(name_zh=name) | Q(name_en__iexact=name)).order_by("pk")
        if not found:
            raise forms.ValidationError(_("No organisation on this portal has this name or code."))
        return found[0]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        both = set(cleaned.get(WITHHELD, [])) & set(cleaned.get(UNKNOWN, []))
        if both:
            self.add_error(UNKNOWN, _("A value cannot be withheld and unknown at once."))
        for reason in (WITHHELD, UNKNOWN):
            filled = [name for name in cleaned.get(reason, []) if cleaned.get(name) not in (None, "")]
            for name in filled:
                self.add_error(reason, _("%(field)s has a value.") % {"field": self.fields[name].label})
        return cleaned

    def row(self) -> dict[str, Any]:
        """The arguments save_resource() takes, pools apart."""
        cleaned = self.cleaned_data
        data = {name: cleaned[name] for name in [*COMMON, "sharing_modes"] if name != "owner_code"}
        data["manager"] = cleaned["manager_name"]
        data["missing"] = {name: reason for reason in (WITHHELD, UNKNOWN) for name in cleaned[reason]}
        if cleaned["region"]:
            data["region"] = cleaned["region"]
        return {
            "kind": self.spec.kind,
            "owner_code": cleaned["owner_code"],
            "data": data,
            "facts": {name: cleaned[name] for name in self.spec.fields},
            "place": cleaned["place"],
        }

    def add_problems(self, problems: list[Problem]) -> None:
        """Shows what the action refused, each beside its field."""
        for problem in errors(problems):
            text = " ".join(filter(None, [str(problem.message), str(problem.fix)]))
            self.add_error(problem.field if problem.field in self.fields else None, text)


class PoolForm(forms.Form):
    """One pool: which, how much, how much is in use, at what price."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    label = forms.CharField(label=_("Label"), max_length=80, required=False)
    height_m = forms.DecimalField(
        label=_("Mounting height (m)"), max_digits=6, decimal_places=1, min_value=0, required=False
    )
    bore_mm = forms.DecimalField(
        label=_("Inner diameter (mm)"), max_digits=6, decimal_places=1, min_value=0, required=False
    )
    total = forms.DecimalField(label=_("Total"), max_digits=12, decimal_places=2, min_value=0)
    in_use = forms.DecimalField(label=_("In use"), max_digits=12, decimal_places=2, min_value=0, required=False)
    price_yuan = forms.DecimalField(label=_("Price (¥)"), max_digits=14, decimal_places=2, min_value=0, required=False)


class BasePoolFormSet(forms.BaseFormSet):
    """The pools of one resource; rows left empty are passed over. Rooms have their two rows fixed."""

    def __init__(self, *args: Any, kind: str, resource: Resource | None = None, **kwargs: Any):
        self.spec, self.resource = SPECS[kind], resource
        self.pools = {pool.pk: pool for pool in resource.pools.order_by("pk")} if resource else {}
        super().__init__(*args, prefix="pools", initial=self._initial(), **kwargs)

    def _initial(self) -> list[dict[str, Any]]:
        rows = [
            {
                "id": pool.pk,
                "label": pool.label,
                "height_m": pool.height_m,
                "bore_mm": pool.bore_mm,
                "total": pool.total.normalize() + 0,
                "in_use": pool.in_use.normalize() + 0,
                "price_yuan": None
                if pool.price_fen_per_unit_year is None
                else Decimal(pool.price_fen_per_unit_year) / 100,
            }
            for pool in self._ordered()
        ]
        if self.spec.pools[0].is_single:
            by_unit = {pool.unit: row for pool, row in zip(self._ordered(), rows, strict=True)}
            return [by_unit.get(spec.unit, {}) for spec in self.spec.pools]
        return rows

    def _ordered(self) -> list[Any]:
        return list(self.pools.values())

    @property
    def is_fixed(self) -> bool:
        """Whether the rows are given by the kind (a room's U and kW)."""
        return self.spec.pools[0].is_single

    def unit_of_row(self, index: int) -> str:
        return self.spec.pools[index].unit if self.is_fixed else self.spec.pools[0].unit

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        for extra in ("height_m", "bore_mm"):
            if extra not in self.spec.pools[0].extra:
                del form.fields[extra]
        if self.is_fixed:
            del form.fields["label"]
            form.fields.pop("DELETE", None)
        form.title = self.spec.pools[index or 0].title if self.is_fixed else ""  # type: ignore[attr-defined]
        form.unit = self.unit_of_row(index or 0)  # type: ignore[attr-defined]

    def data_rows(self) -> list[PoolData]:
        """The pools as given, rows left empty or taken away apart."""
        rows = []
        for index, form in enumerate(self.forms):
            cleaned = form.cleaned_data
            if not cleaned or cleaned.get("DELETE") or cleaned.get("total") is None:
                continue
            rows.append(
                PoolData(
                    unit=self.unit_of_row(index),
                    label=cleaned.get("label", "").strip(),
                    height_m=cleaned.get("height_m"),
                    bore_mm=cleaned.get("bore_mm"),
                    total=cleaned["total"],
                    in_use=cleaned.get("in_use") or Decimal(0),
                    price_fen_per_unit_year=price_of(cleaned.get("price_yuan")),
                    pk=cleaned["id"] if cleaned.get("id") in self.pools else None,
                )
            )
        return rows


def pool_formset(kind: str, data: Any = None, resource: Resource | None = None) -> BasePoolFormSet:
    """The formset of a kind's pools, with some empty rows so that it works without JavaScript."""
    spec = SPECS[kind]
    is_fixed = spec.pools[0].is_single
    rows = len(spec.pools) if is_fixed else 40
    factory = forms.formset_factory(
        PoolForm,
        formset=BasePoolFormSet,
        extra=0 if is_fixed else spec.empty_rows if resource else spec.empty_rows + 1,
        can_delete=not is_fixed,
        max_num=rows,
        absolute_max=rows,
        validate_max=True,
    )
    return factory(data, kind=kind, resource=resource)


class PhotoForm(forms.Form):
    """A photo and its caption; the picture itself is looked at by the action."""

    photo = forms.FileField(label=_("Photo"), help_text=_("JPEG, PNG or WebP; place and camera data are taken out."))
    caption = forms.CharField(label=_("Caption"), max_length=160, required=False)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["photo"].widget.attrs["accept"] = "image/jpeg,image/png,image/webp"


class GrantForm(forms.Form):
    """What the exact place is needed for."""

    purpose = forms.CharField(
        label=_("What do you need the exact place for?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The owner reads this and decides; it is kept in both organisations' logs."),
    )


class OwnListForm(forms.Form):
    """Filters and order of one's own resources; a GET form that never refuses."""

    SORTS = {
        "-updated": ("-updated_at", _("Latest change")),
        "name": ("name", _("Name")),
        "code": ("owner_code", _("Own code")),
        "-published": ("-published_at", _("Latest published")),
    }

    q = forms.CharField(label=_("Text"), required=False, max_length=80)
    kind = forms.ChoiceField(label=_("Kind"), required=False, choices=[("", _("All kinds")), *Kind.choices])
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("All states")), *Resource.State.choices]
    )
    stale = forms.BooleanField(label=_("Stale facts only"), required=False)
    sort = forms.ChoiceField(
        label=_("Order"), required=False, choices=[(key, label) for key, (_field, label) in SORTS.items()]
    )

    def apply(self, queryset: QuerySet, owner: Organisation) -> QuerySet:
        """The owner's resources as filtered and sorted; a value that makes no sense is passed over."""
        self.is_valid()
        wanted = self.cleaned_data
        if text := wanted.get("q", "").strip():
            queryset = queryset.filter(
                Q(name__icontains=text) | Q(owner_code__icontains=text) | Q(address__icontains=text)
            )
        for name in ("kind", "state"):
            if wanted.get(name):
                queryset = queryset.filter(**{name: wanted[name]})
        if wanted.get("stale"):
            months = rule("freshness.stale_months", owner.region_id).whole
            limit = months_earlier(timezone.localdate(), months)
            queryset = queryset.published().filter(Q(facts_on=None) | Q(facts_on__lte=limit))
        order = self.SORTS.get(wanted.get("sort", ""), self.SORTS["-updated"])[0]
        return queryset.order_by(order, "pk")

    @property
    def is_filtered(self) -> bool:
        return any(self.cleaned_data.get(name) for name in ("q", "kind", "state", "stale"))
