"""Forms of the supply side. What is right is decided by the action; a form only reads and shows."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.gis.forms import GeometryField
from django.db.models import Q, QuerySet
from django.forms.models import fields_for_model, model_to_dict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Organisation, Region
from accounts.rules import rule
from listings.freshness import months_earlier
from listings.kinds.pools import PoolData, price_of
from listings.kinds.registry import SPECS
from listings.models import Kind, Resource
from listings.models.resources import JOINABLE, SharingMode
from listings.problems import Problem, errors
from listings.widgets import MapWidget

IDENTITY = ["name", "owner_code"]
STATUS = ["lifecycle", "available_from", "available_until"]
TERMS = ["price_note"]
EVIDENCE = ["source", "facts_on", "accuracy", "survey_method", "quality"]
SECRECY = ["grade", "disclosure"]
SUBSTANCE = ["condition", "occupancy", "ownership_mode"]
ACCESS = ["access_hours", "access_permit", "access_safety", "access_contact", "access_note"]
WORKS = ["project_type", "project_name", "reserved_area_m2", "reserved_kva", "join_until"]
COMMON = [*IDENTITY, "sector", "address", *STATUS, *TERMS, *EVIDENCE, *SECRECY, *SUBSTANCE, *ACCESS, *WORKS]
PARTIES = ("manager", "user")


def date_input(field: Any, **kwargs: Any) -> forms.Field | None:
    """A model field's form field, with the browser's own date picker where it is a date."""
    form_field = field.formfield(**kwargs)
    if isinstance(form_field, forms.DateField):
        form_field.widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return form_field


class Group:
    """Bound fields under a heading, as the template shows them; folded while nothing in it is filled in or wrong."""

    def __init__(self, title: Any, fields: list[forms.BoundField], note: Any = "", is_folded: bool = False):
        self.title, self.fields, self.note = title, fields, note
        self.is_folded = is_folded and not any(field.errors or _says_something(field) for field in fields)


def _says_something(field: forms.BoundField) -> bool:
    value = field.value()
    if field.name == "sector":  # always has one
        return False
    return value not in (None, "", False, []) and value != field.field.initial


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
        help_text=_("Name or credit code of the organisation that manages it; its editors keep the record too."),
    )
    user_name = forms.CharField(
        label=_("User"),
        required=False,
        max_length=160,
        help_text=_("Name or credit code of the organisation that mainly uses it."),
    )
    sharing_modes = forms.MultipleChoiceField(
        label=_("Sharing modes"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self,
        data: Any = None,
        *,
        kind: str,
        resource: Resource | None = None,
        owner: Organisation,
        is_owners: bool = True,
    ):
        self.spec, self.resource, self.owner, self.is_owners = SPECS[kind], resource, owner, is_owners
        super().__init__(data, initial=self._initial())
        self.fields |= fields_for_model(Resource, COMMON, formfield_callback=date_input)
        self.fields |= fields_for_model(self.spec.model, list(self.spec.fields), formfield_callback=date_input)
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
        if resource is None:
            self.fields["place"].widget.around = Region.objects.box(owner.region_id)  # type: ignore[attr-defined]
        usual = [(m, SharingMode(m).label) for m in self.spec.sharing_modes]
        self.fields["sharing_modes"].choices = usual  # type: ignore[attr-defined]
        if not is_owners:  # the manager's editors: docs/adr/0012
            for name in (*SECRECY, "sector", "owner_code", "manager_name", "user_name"):
                self.fields[name].disabled = True

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
        for party in PARTIES:
            organisation = getattr(resource, party)
            initial[f"{party}_name"] = organisation.name_zh if organisation else ""
        return initial

    @property
    def groups(self) -> list[Group]:
        """The form's parts in the order a person fills them in; after the second comes the capacity."""

        def some(names: list[str] | tuple[str, ...]) -> list[forms.BoundField]:
            return [self[name] for name in names]

        first, *others = self.spec.groups
        is_planned = self["lifecycle"].value() in JOINABLE
        return [
            Group(pgettext_lazy("group of fields", "What it is"), some(IDENTITY)),
            Group(_("Where it is"), some(["place", "address", "region"])),
            Group(first.title, some(first.fields)),
            *(Group(group.title, some(group.fields), is_folded=True) for group in others),
            Group(_("State and availability"), some(STATUS)),
            Group(_("Modes and price"), some(["sharing_modes", *TERMS])),
            Group(_("Who may see the place"), some(SECRECY), _("A visitor is never shown more than a cell of 1 km.")),
            Group(_("How good the facts are"), some(EVIDENCE)),
            Group(
                _("Planned works"),
                some(WORKS),
                _("For a new subway, tunnel, bridge or road: what it keeps free for communications, and until when."),
                is_folded=not is_planned,
            ),
            Group(_("Condition, occupancy, ownership"), some(SUBSTANCE), is_folded=True),
            Group(_("Sector, manager, user"), some(["sector", "manager_name", "user_name"]), is_folded=True),
            Group(_("Access on site"), some(ACCESS), _("Shown with the exact place only."), is_folded=True),
        ]

    def _party(self, name: str) -> Organisation | None:
        said = self.cleaned_data[name].strip()
        if not said:
            return None
        found = Organisation.objects.filter(Q(uscc=said) | Q(name_zh=said) | Q(name_en__iexact=said)).order_by("pk")
        if not found:
            raise forms.ValidationError(_("No organisation on this portal has this name or code."))
        return found[0]

    def clean_manager_name(self) -> Organisation | None:
        found = self._party("manager_name")
        return None if found == self.owner else found  # None: the owner manages

    def clean_user_name(self) -> Organisation | None:
        return self._party("user_name")

    def row(self) -> dict[str, Any]:
        """The arguments save_resource() takes, pools, notes and parts apart."""
        cleaned = self.cleaned_data
        data = {name: cleaned[name] for name in [*COMMON, "sharing_modes"] if name != "owner_code"}
        data |= {party: cleaned[f"{party}_name"] for party in PARTIES}
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
    height_top_m = forms.DecimalField(
        label=_("up to height (m)"), max_digits=6, decimal_places=1, min_value=0, required=False
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
                "height_top_m": pool.height_top_m,
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
        for extra in ("height_m", "height_top_m", "bore_mm"):
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
                    height_top_m=cleaned.get("height_top_m"),
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
