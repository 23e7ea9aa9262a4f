"""The term sheet as a form: quantities and period, price scheme with its figures, and the clauses one by one."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from agreements.clauses import MODES_BY_KIND, Text
from agreements.forms import OfferForm
from agreements.models import Offer, RequestItem, ShareRequest
from listings.models import Kind
from listings.models.resources import SharingMode

from . import clauses as moves
from .draft import Draft
from .models import Scheme, TermSheet
from .prices import INPUT_WORDS, METHOD_WORDS, default_figures, plain

CLAUSE_MAX = 3_000
NUMBERS = {
    Scheme.COST: ("build", "life", "maintenance", "markup", "tenants", "site", "power"),
    Scheme.JOINT: ("common", "owner_part", "applicant_part", "owner_units", "applicant_units", "joint_life"),
}
UNITS = {
    "build": "¥", "maintenance": "¥", "site": "¥", "power": "¥", "common": "¥", "owner_part": "¥",
    "applicant_part": "¥", "markup": "%",
}  # fmt: skip


def _in_language(words: Text) -> str:
    return words.en if (get_language() or "").startswith("en") else words.zh


said = lazy(_in_language, str)


def _number(label: Any, unit: str = "", **more: Any) -> forms.Field:
    worded = lazy(lambda: f"{label} ({unit})" if unit else str(label), str)()
    widget = forms.NumberInput(attrs={"step": "any", "min": "0", "inputmode": "decimal"})
    return forms.DecimalField(
        label=worded, required=False, min_value=0, max_digits=15, decimal_places=4, widget=widget, **more
    )


class SheetForm(OfferForm):
    """One version of the term sheet. Clause fields are named c_<code>_zh, _en, _open and _remark."""

    scheme = forms.ChoiceField(label=_("Price scheme"), choices=Scheme.choices)
    mode = forms.ChoiceField(label=_("Sharing mode"), required=False)
    is_net = forms.BooleanField(label=_("The figures are without tax: tax is added"), required=False)
    tax_pct = _number(_("Tax rate"), "%")
    index = forms.ChoiceField(
        label=_("Indexation"), required=False,
        choices=[("none", _("Fixed over the period")), ("cpi", _("Consumer price index, once a year"))],
    )  # fmt: skip
    index_cap_pct = _number(_("Changed at most by"), "%")

    def __init__(
        self, *args: Any, items: Sequence[RequestItem], kind: str, sheet: TermSheet, side: int, **options: Any
    ):
        super().__init__(*args, items=items, **options)
        self.side, self.clauses, self.scheme_names = side, sheet.clauses, {}
        self.fields["price_yuan"].required = False
        modes = [(mode, SharingMode(mode).label) for mode in MODES_BY_KIND[kind]]
        self.fields["mode"].choices = [("", _("Not named")), *modes]
        if kind != Kind.CABLE:
            self.fields["scheme"].choices = [row for row in Scheme.choices if row[0] != Scheme.SWAP]
        self._add_tariff(items)
        self._add_figures()
        self._add_clauses()

    def _add_tariff(self, items: Sequence[RequestItem]) -> None:
        names = []
        for item in items:
            name = f"rate_{item.pool_id}"
            per = item.pool.label or item.pool.get_unit_display()
            self.fields[name] = _number(gettext("Rate a year, %(unit)s") % {"unit": per}, "¥")
            names.append(name)
        self.scheme_names[Scheme.TARIFF] = names

    def _add_figures(self) -> None:
        for scheme, names in NUMBERS.items():
            for name in names:
                words = INPUT_WORDS["life" if name == "joint_life" else name]
                self.fields[name] = _number(said(words), UNITS.get(name, ""))
            self.scheme_names[scheme] = list(names)
        self.fields["is_anchor"] = forms.BooleanField(label=_("The applicant is the anchor tenant"), required=False)
        methods = [(code, said(words)) for code, words in METHOD_WORDS.items()]
        self.fields["method"] = forms.ChoiceField(label=_("Apportioned by"), required=False, choices=methods)
        self.fields["method"].initial = "shapley"
        self.scheme_names[Scheme.COST].append("is_anchor")
        self.scheme_names[Scheme.JOINT].append("method")

    def _add_clauses(self) -> None:
        for clause in [*self.clauses, {"code": "new", "stand": moves.STRUCK}]:
            code, words = clause["code"], start_words(clause)
            for tongue, label in (("zh", _("Words in Chinese")), ("en", _("Words in English"))):
                self.fields[f"c_{code}_{tongue}"] = forms.CharField(
                    label=label, required=False, max_length=CLAUSE_MAX, initial=words[tongue],
                    widget=forms.Textarea(attrs={"rows": 3, "lang": "zh-Hans" if tongue == "zh" else "en"}),
                )  # fmt: skip
            if code == "new":
                self.fields["c_new_title"] = forms.CharField(
                    label=_("Title of the clause"), required=False, max_length=80
                )
                continue
            self.fields[f"c_{code}_open"] = forms.BooleanField(
                label=_("In dispute: not agreed yet, no better words"), required=False,
                initial=clause["stand"] == moves.DISPUTED and clause["by"] == self.side,
            )  # fmt: skip
            self.fields[f"c_{code}_remark"] = forms.CharField(
                label=_("Remark for the other side"), required=False, max_length=300, initial=""
            )

    # --- read by the page ---

    def clause_fields(self) -> list[dict[str, Any]]:
        """[{"clause", "zh", "en", "open", "remark", "is_touched"}] in order."""
        rows = []
        for clause in self.clauses:
            found = {part: self[f"c_{clause['code']}_{part}"] for part in ("zh", "en", "open", "remark")}
            is_touched = clause["stand"] != moves.AGREED or any(found[part].errors for part in ("zh", "en"))
            rows.append(
                {"clause": clause, "title": _in_language(Text(**clause["title"])), "is_open": is_touched, **found}
            )
        return rows

    def scheme_groups(self) -> list[dict[str, Any]]:
        """[{"scheme", "label", "fields"}] of the schemes that take figures."""
        labels = dict(Scheme.choices)
        return [
            {"scheme": scheme, "label": labels[scheme], "fields": [self[name] for name in names]}
            for scheme, names in self.scheme_names.items()
        ]

    # --- read by the action ---

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("scheme") == Scheme.AGREED and values.get("price_yuan") is None:
            self.add_error("price_yuan", gettext("Say the sum a year; 0 is free opening."))
        for code in [*(clause["code"] for clause in self.clauses), "new"]:
            if values.get(f"c_{code}_en") and not values.get(f"c_{code}_zh") and f"c_{code}_zh" not in self.errors:
                said = gettext("A clause needs its Chinese words: they prevail. English may be left empty.")
                self.add_error(f"c_{code}_zh", said)
        for clause in self.clauses:
            code, was = clause["code"], clause["text"]
            zh, en = values.get(f"c_{code}_zh", ""), values.get(f"c_{code}_en", "")
            if self._is_given(code) and zh and zh != was["zh"] and en and en == was["en"]:
                self.add_error(
                    f"c_{code}_en",
                    gettext("The Chinese words changed and the English did not: change them too, or empty them."),
                )
        return values

    def _is_given(self, code: str) -> bool:
        """A clause that came in with a newer version than the one the form was opened on is not answered by it."""
        return f"c_{code}_zh" in self.data

    @property
    def price_fen_per_year(self) -> int:
        return int((self.cleaned_data.get("price_yuan") or 0) * 100)

    def draft(self) -> Draft:
        values = self.cleaned_data
        answers = {}
        for clause in self.clauses:
            code = clause["code"]
            if self._is_given(code):
                answers[code] = moves.Answer(
                    _lines(values[f"c_{code}_zh"]), _lines(values[f"c_{code}_en"]), values[f"c_{code}_open"],
                    values[f"c_{code}_remark"],
                )  # fmt: skip
        if values["c_new_zh"] or values["c_new_en"]:
            title = values["c_new_title"] or gettext("Further clause")
            answers[self._new_code()] = moves.Answer(
                _lines(values["c_new_zh"]), _lines(values["c_new_en"]), title_zh=title, title_en=title
            )
        return Draft(values["scheme"], values["mode"], self._inputs(), answers)

    def _new_code(self) -> str:
        taken = {clause["code"] for clause in self.clauses}
        return next(f"{moves.OWN}{n}" for n in range(1, 1_000) if f"{moves.OWN}{n}" not in taken)

    def _inputs(self) -> dict[str, str]:
        """As stored; figures of the other schemes stay, so that they can be compared."""
        values, names = self.cleaned_data, ["tax_pct", "index", "index_cap_pct"]
        names += [name for group in self.scheme_names.values() for name in group if name != "is_anchor"]
        given = {name: value for name in names if (value := values.get(name)) not in (None, "")}
        kept = {name: plain(value) if isinstance(value, Decimal) else value for name, value in given.items()}
        return kept | {name: "1" for name in ("is_net", "is_anchor") if values.get(name)}

    @staticmethod
    def start_of(case: ShareRequest, items: Sequence[RequestItem], latest: Offer | None, sheet: TermSheet, price: Any):
        """What the form starts from: the latest version, else what was asked with the owner's published rates."""
        figures = {name: plain(value) for name, value in default_figures(case.resource.region).items()}
        rates = {
            f"rate_{item.pool_id}": plain_yuan(item.pool.price_fen_per_unit_year)
            for item in items
            if item.pool.price_fen_per_unit_year is not None
        }
        start = {
            "tax_pct": figures["tax_pct"],
            "index_cap_pct": figures["index_cap_pct"],
            "markup": figures["markup_pct"],
        }
        start |= {"tenants": "2", "life": "10", "joint_life": "10", "owner_units": "1", "applicant_units": "1"}
        flags = {name: True for name in ("is_net", "is_anchor") if sheet.inputs.get(name)}
        if latest is None:
            flags["is_net"] = True  # published rates are before tax
        given = {"scheme": sheet.scheme, "mode": sheet.mode, **start, **rates, **sheet.inputs, **flags}
        return OfferForm.initial_for(case, items, latest, price) | given


def plain_yuan(fen: int) -> str:
    return f"{fen / 100:.2f}".rstrip("0").rstrip(".")


def start_words(clause: Any) -> dict[str, str]:
    """The words a clause's fields start from: empty where it is proposed to leave it out."""
    return {"zh": "", "en": ""} if clause["stand"] == moves.STRUCK else dict(clause["text"])


def _lines(text: str) -> str:
    """As browsers send it, with one sort of line end."""
    return text.replace("\r\n", "\n").strip()


def renewed(data: Any, sheet: TermSheet, number: int) -> Any:
    """What was typed as an answer to a newer version: its number, and its words for clauses the form did not have."""
    copy = data.copy()
    copy["answers"] = str(number)
    for clause in sheet.clauses:
        if f"c_{clause['code']}_zh" not in data:
            for tongue, words in start_words(clause).items():
                copy[f"c_{clause['code']}_{tongue}"] = words
    return copy
