"""The facts of a resource as rows for the page: label, value with its unit, or why it is missing. No queries."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from listings.freshness import freshness
from listings.kinds.registry import SPECS
from listings.kinds.spec import KindSpec, unit_of
from listings.models import Resource
from listings.wording import plain_number

SILENT = {"spacing_reason"}  # says something only where it is set
TELLING = {"line_tower_no", "end_a_odf", "end_b_odf"}  # these name a place as well as co-ordinates do
_UNIT_IN_LABEL = re.compile(r"\s*[（(][^()（）]*[)）]$")


@dataclass(frozen=True)
class Fact:
    label: str
    value: str  # "" when missing
    unit: str = ""
    missing: str = ""  # the reason in words, when missing
    source: str = ""  # where it differs from the record's
    as_of: dt.date | None = None  # the same for its date
    stale_since: dt.date | None = None  # of its own date only; the record's badge speaks for the others


@dataclass(frozen=True)
class FactGroup:
    title: str
    facts: list[Fact]


def missing_text(reason: str) -> str:
    """unknown | unpopulated | withheld in words; anything else reads as not filled in."""
    return str(
        {
            "unknown": _("unknown to the owner"),
            "withheld": _("withheld by the owner"),
        }.get(reason, _("not filled in yet"))
    )


def value_text(field: models.Field, value: Any) -> str:
    """A field's value as people read it: choices by label, yes/no, grouped numbers, local dates; "" for nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, Decimal):
        return plain_number(value, getattr(field, "decimal_places", 2) or 2)
    if isinstance(value, int):
        return plain_number(value, 0)
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    return str(value)


def label_of(spec: KindSpec, name: str) -> str:
    """What a fact is called, without the unit, which stands at its value."""
    label = str(spec.labels.get(name) or capfirst(spec.model._meta.get_field(name).verbose_name))
    return _UNIT_IN_LABEL.sub("", label) if unit_of(name) else label


def _as_of(said: dict[str, str]) -> dt.date | None:
    try:
        return dt.date.fromisoformat(said.get("on", ""))
    except ValueError:
        return None


def fact_of(resource: Resource, name: str, label: str, text: str, *, stale_months: int) -> Fact:
    """One fact with its unit, why it is missing, and its own source and date where it has them."""
    if name in TELLING and not resource.is_exact:  # type: ignore[attr-defined]  # visible_to() annotates it
        return Fact(label, "", missing=_("shown with the exact place"))
    if not text:
        return Fact(label, "", missing=missing_text(resource.missing.get(name, "")))
    said = resource.provenance.get(name, {})
    as_of = _as_of(said)
    stale = freshness(as_of, stale_months=stale_months, today=timezone.localdate()) if as_of else None
    return Fact(label, text, unit_of(name), "", said.get("source", ""), as_of, stale.stale_since if stale else None)


def common_facts(resource: Resource, names: Sequence[str], *, stale_months: int) -> list[Fact]:
    """Facts of the table all kinds share."""
    fields = [resource._meta.get_field(name) for name in names]
    return [
        fact_of(
            resource,
            field.name,
            _UNIT_IN_LABEL.sub("", str(capfirst(field.verbose_name))),
            value_text(field, getattr(resource, field.name)),
            stale_months=stale_months,
        )
        for field in fields
    ]


def fact_groups(resource: Resource, *, stale_months: int) -> list[FactGroup]:
    """The kind's own facts in their groups, in the reader's language."""
    spec = SPECS[resource.kind]
    facts = resource.facts
    groups = []
    for group in spec.groups:
        rows = []
        for name in group.fields:
            if name in SILENT and not getattr(facts, name):
                continue
            text = value_text(spec.model._meta.get_field(name), getattr(facts, name))
            rows.append(fact_of(resource, name, label_of(spec, name), text, stale_months=stale_months))
        groups.append(FactGroup(str(group.title), rows))
    return groups
