"""The facts of a resource as rows for the page: label, value with its unit, or why it is missing. No queries."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from listings.kinds.registry import SPECS
from listings.kinds.spec import KindSpec, unit_of
from listings.models import Resource
from listings.wording import plain_number

_UNIT_IN_LABEL = re.compile(r"\s*[（(][^()（）]*[)）]$")


@dataclass(frozen=True)
class Fact:
    label: str
    value: str  # "" when missing
    unit: str = ""
    missing: str = ""  # the reason in words, when missing


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


def fact_groups(resource: Resource) -> list[FactGroup]:
    """The kind's own facts in their groups, in the reader's language."""
    spec = SPECS[resource.kind]
    facts = resource.facts
    groups = []
    for group in spec.groups:
        rows = []
        for name in group.fields:
            text = value_text(spec.model._meta.get_field(name), getattr(facts, name))
            reason = "" if text else missing_text(resource.missing.get(name, ""))
            rows.append(Fact(label_of(spec, name), text, unit_of(name), reason))
        groups.append(FactGroup(str(group.title), rows))
    return groups
