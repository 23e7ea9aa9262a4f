"""What people type about requests and agreements. What is possible is the actions' business."""

import re
import uuid
from collections.abc import Sequence
from decimal import Decimal

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from listings.actions.as_built import found_fields
from listings.models import CapacityPool, DemandLine, Resource, Unit
from listings.wording import distance_text, plain_number

from .models import Agreement, Bundle, Offer, RequestItem, ShareRequest
from .states import State
from .step_inputs import INPUTS, NOTE_LABELS, TEXT_MAX, Input
from .works import milestones

PDF_MAX_BYTES = 20 * 1024 * 1024  # ours are about 100 kB


def _tidy(value: Decimal | None) -> Decimal | None:
    """48.00 → 48: as a person would type it."""
    return None if value is None else Decimal(f"{value.normalize():f}")


class QuantityField(forms.DecimalField):
    """Units of one pool; empty counts as none."""

    def __init__(self, pool: CapacityPool, *, at_most: Decimal, hint: str = "", **options):
        is_whole = pool.unit != Unit.KW
        super().__init__(
            label=pool_label(pool),
            min_value=0,
            max_digits=12,
            decimal_places=2,
            help_text=hint,
            widget=forms.NumberInput(
                attrs={"step": "1" if is_whole else "0.1", "max": f"{at_most.normalize():f}", "inputmode": "decimal"}
            ),
            **options,
        )
        self.pool = pool

    def clean(self, value):
        return Decimal(0) if value in self.empty_values else super().clean(value)


def pool_label(pool: CapacityPool) -> str:
    """ "P1 · 35 m · antenna positions"."""
    parts = [pool.label] if pool.label else []
    parts += [f"{plain_number(pool.height_m)} m"] if pool.height_m is not None else []
    parts += [f"⌀ {plain_number(pool.bore_mm)} mm"] if pool.bore_mm is not None else []
    return " · ".join([*parts, str(pool.get_unit_display())])


class Quantities:
    """Mixed into forms that carry one quantity per pool, as fields named q_<pool id>."""

    @property
    def quantity_fields(self):
        return [self[name] for name in self.fields if name.startswith("q_")]

    @property
    def other_fields(self):
        return [field for field in self.visible_fields() if not field.name.startswith("q_")]

    def quantities(self) -> dict[int, Decimal]:
        """{pool id: quantity}, empty ones as 0."""
        values = self.cleaned_data
        return {int(name[2:]): values.get(name) or Decimal(0) for name in self.fields if name.startswith("q_")}


class RequestForm(Quantities, forms.Form):
    """Ask for space: a quantity per pool, from when, how long, what for, for which demand line."""

    starts_on = forms.DateField(label=_("Starts on"), initial=timezone.localdate, widget=forms.DateInput)
    months = forms.IntegerField(label=_("For (months)"), min_value=1, max_value=600, initial=60)
    line = forms.ModelChoiceField(
        DemandLine.objects.none(),
        label=_("For demand line"),
        required=False,
        empty_label=_("no demand line"),
        help_text=_(
            "Lines this resource can meet, the nearest first. "
            "Fulfilled once an agreement that gives all it asks for is signed."
        ),
    )
    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What the space is used for; it becomes part of the agreement."),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    code = ""  # of the refusal the action answered with

    def __init__(
        self, *args, pools: Sequence[CapacityPool], lines, fitting: Sequence[tuple[DemandLine, float]] = (), **options
    ):
        """lines: all that may be named, so that the action says why one does not do; fitting: the lines to choose
        from, each with its distance (m)."""
        super().__init__(*args, **options)
        for pool in pools:
            self.fields[f"q_{pool.pk}"] = QuantityField(pool, at_most=max(pool.free, Decimal(0)))
        self.fields["line"].queryset = lines
        self.fields["line"].choices = [("", self.fields["line"].empty_label), *map(_line_choice, fitting)]
        if not fitting and not self.is_bound:
            self.fields["line"].widget = forms.HiddenInput()


def _line_choice(pair: tuple[DemandLine, float]) -> tuple[int, str]:
    line, metres = pair
    return line.pk, f"{line.demand_list.reference} · {line} · {distance_text(metres)}"


MODES = [
    (
        Bundle.Mode.PARTS,
        _("Each leg by itself: what is accepted is signed and takes effect, whatever becomes of the rest"),
    ),
    (
        Bundle.Mode.WHOLE,
        _("All or nothing: agreements are signed when every leg is accepted, and take effect together"),
    ),
]


class SiteRequestForm(RequestForm):
    """The same for several resources of a site; a quantity left empty asks nothing of that one. The lines it may answer
    are those that ask for a whole site."""

    def __init__(self, *args, resources, **options):
        self.resources = resources
        pools = [pool for resource in resources for pool in resource.pools.all()]
        super().__init__(*args, pools=pools, **options)
        self.fields["line"].help_text = _(
            "Lines that ask for a tower, a room and power at one site. "
            "Fulfilled once the agreements on all of it are signed."
        )
        if not self.fields["line"].queryset:
            del self.fields["line"]
        if len(resources) > 1:
            self.fields["mode"] = forms.ChoiceField(
                label=_("What holds"), choices=MODES, initial=Bundle.Mode.PARTS, widget=forms.RadioSelect
            )

    @property
    def line_field(self):
        """The field of the demand line where there is one to choose; None: none asks for a site here."""
        is_shown = "line" in self.fields and not self.fields["line"].widget.is_hidden
        return self["line"] if is_shown else None

    @property
    def members(self):
        """(resource, its quantity fields) in the order of the page."""
        return [(resource, [self[f"q_{pool.pk}"] for pool in resource.pools.all()]) for resource in self.resources]


class OfferForm(Quantities, forms.Form):
    """One version of the terms; starts from the latest, or from what was asked."""

    price_yuan = forms.DecimalField(
        label=_("Price per year (¥)"),
        min_value=0,
        max_digits=13,
        decimal_places=2,
        help_text=_(
            "For everything together, tax included. 0: free opening. Starts from the published price with tax added."
        ),
        widget=forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"}),
    )
    starts_on = forms.DateField(label=_("Starts on"), widget=forms.DateInput)
    months = forms.IntegerField(label=_("For (months)"), min_value=1, max_value=600)
    note = forms.CharField(
        label=_("Further terms"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Part of the agreement when accepted."),
    )
    answers = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args, items: Sequence[RequestItem], **options):
        super().__init__(*args, auto_id="offer_%s", **options)
        quantities = {}
        for item in items:
            is_whole_hold = (
                item.reservation and not item.request.is_amendment
            )  # of an amendment only what is more is held
            kept = item.reservation.quantity if is_whole_hold else item.quantity
            hint = gettext("%(held)s held") % {"held": plain_number(kept)}
            quantities[f"q_{item.pool_id}"] = QuantityField(item.pool, at_most=kept, hint=hint)
        self.fields = {**quantities, **self.fields}

    @property
    def price_fen_per_year(self) -> int:
        return int(self.cleaned_data["price_yuan"] * 100)

    @staticmethod
    def initial_for(request: ShareRequest, items: Sequence[RequestItem], latest: Offer | None, price_fen: int | None):
        """The latest offer's terms, or what was asked at the published price (price_fen; None: to be negotiated)."""
        if latest is None:
            values = {f"q_{item.pool_id}": _tidy(item.quantity) for item in items}
            terms = {"starts_on": request.starts_on, "months": request.months, "note": "", "answers": 0}
            price = price_fen
        else:
            values = {f"q_{item.pool_id}": Decimal(latest.quantities.get(str(item.pool_id), 0)) for item in items}
            terms = {name: getattr(latest, name) for name in ("starts_on", "months", "note")}
            terms["answers"], price = latest.number, latest.price_fen_per_year
        return {**values, **terms, "price_yuan": _tidy(Decimal(price) / 100) if price is not None else None}


class RefuseForm(forms.Form):
    code = forms.ChoiceField(label=_("Reason"), choices=[("", "—"), *ShareRequest.Refusal.choices])
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Show your own future need, or name the alternative, where that is the reason."),
    )
    needed_from = forms.DateField(
        label=_("Own need from"),
        required=False,
        widget=forms.DateInput,
        help_text=_("Where the reason is an own need."),
    )
    alternative = forms.CharField(
        label=_("Alternative"), required=False, max_length=300,
        help_text=_("Where the reason is an alternative: the address of the other resource's page, or its number."),
    )  # fmt: skip

    def __init__(self, *args, resources=None, **options):
        super().__init__(*args, auto_id="refuse_%s", **options)
        self.resources = resources  # those that can be named; None: the form is only shown

    def clean_alternative(self) -> Resource | None:
        text = self.cleaned_data["alternative"].strip()
        if not text:
            return None
        number = re.search(r"(\d{1,12})\D*$", text)
        found = self.resources.filter(pk=int(number[1])).first() if number and self.resources is not None else None
        if found is None:
            raise forms.ValidationError(_("No resource is found there: copy the address of its page."))
        return found


class WithdrawForm(forms.Form):
    note = forms.CharField(label=_("Note"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args, **options):
        super().__init__(*args, auto_id="withdraw_%s", **options)


class StepForm(forms.Form):
    """A step without terms: a note, what agreements.step_inputs asks for the verb, and a key so that twice is once."""

    def __init__(self, *args, verb: str, needs_note: bool, case: ShareRequest, **options):
        super().__init__(*args, auto_id=f"{verb}_%s", **options)
        for asked in INPUTS.get(verb, ()):
            self.fields[asked.name] = _step_field(asked, case)
        self.found_names = []
        for field in found_fields(case.resource.kind) if verb == "report_findings" else ():
            made = field.formfield(required=False, label=gettext("Found: %(fact)s") % {"fact": field.verbose_name})
            self.fields[f"found_{field.name}"] = made
            self.found_names.append(field.name)
        self.fields["note"] = forms.CharField(
            label=NOTE_LABELS.get(verb, _("Note")), required=needs_note, max_length=2000,
            widget=forms.Textarea(attrs={"rows": 3 if needs_note else 2}),
        )  # fmt: skip
        self.fields["key"] = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def data_given(self) -> dict[str, object]:
        values = self.cleaned_data
        found = {name: values.get(f"found_{name}") for name in self.found_names}
        return {name: values[name] for name in values if name not in ("note", "key")} | {
            "found": {name: str(value) for name, value in found.items() if value is not None}
        }


def _step_field(asked: Input, case: ShareRequest) -> forms.Field:
    common = {"label": asked.label, "required": asked.is_required, "help_text": asked.help}
    if asked.kind == "moment":
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        return forms.DateTimeField(widget=widget, **common)
    if asked.kind == "day":
        return forms.DateField(widget=forms.DateInput, **common)
    if asked.kind == "percent":
        return forms.IntegerField(min_value=0, max_value=100, **common)
    if asked.kind == "line":
        return forms.CharField(max_length=120, **common)
    if asked.kind == "milestone":
        open_ones = [one for one in milestones(case.steps.all()) if not one.reached_on]
        return forms.ChoiceField(choices=[("", "—"), *((str(one.number), one.title) for one in open_ones)], **common)
    if asked.kind == "choice":
        return forms.ChoiceField(choices=[("", "—"), *(asked.choices or {}).items()], **common)
    return forms.CharField(max_length=TEXT_MAX, widget=forms.Textarea(attrs={"rows": 2}), **common)


class SignForm(forms.Form):
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=_("Typing it again shows that it is you who signs."),
    )
    terms_sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)
    has_read = forms.BooleanField(label=_("I have read the agreement above and sign it for my organisation."))

    field_order = ["has_read", "password", "terms_sha256"]


class RequestFilterForm(forms.Form):
    """The list of requests as a GET form."""

    text = forms.CharField(label=_("Search"), required=False, max_length=100)
    side = forms.ChoiceField(
        label=_("Direction"),
        required=False,
        choices=[("", _("Made and received")), ("made", _("Made by us")), ("received", _("Received by us"))],
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("All states")), ("open", _("All open")), *State.choices]
    )


class AgreementFilterForm(forms.Form):
    text = forms.CharField(label=_("Search"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("All states")), *Agreement.State.choices]
    )
    ending = forms.ChoiceField(
        label=_("Ends"), required=False,
        choices=[
            ("", _("Whenever they end")), ("60", _("Ending within 60 days")), ("180", _("Ending within 180 days")),
            ("365", _("Ending within a year")), ("20000", _("All in force, by their end")),
        ],
    )  # fmt: skip


class VerifyForm(forms.Form):
    code = forms.CharField(
        label=_("Verification code"),
        max_length=40,
        help_text=_("Sixteen letters and digits, at the end of the agreement and on every page of its PDF."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class CompareForm(forms.Form):
    """A PDF to be compared with the one that was signed."""

    file = forms.FileField(label=_("PDF file"), widget=forms.ClearableFileInput(attrs={"accept": "application/pdf"}))

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > PDF_MAX_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(max)d MB: agreements are much smaller."),
                params={"max": PDF_MAX_BYTES // 1024 // 1024},
            )
        return file
