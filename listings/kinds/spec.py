"""What the four kinds have in common as descriptions: facts, pools, columns of files. Pure: no queries.

listings/kinds/<kind>.py each give one KindSpec; listings.kinds.registry.SPECS holds them by kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.functional import Promise

from listings.problems import Problem

# Cell texts that say why a value is missing (domain, section 3) instead of giving one.
MISSING_WORDS: dict[str, tuple[str, ...]] = {
    "unknown": ("unknown", "未知", "不详", "不明", "不清楚", "n/k", "?", "？"),
    "unpopulated": ("n/a", "na", "none", "null", "-", "--", "—", "/", "\\", "暂无", "未填", "待补", "空"),
    "withheld": ("withheld", "confidential", "保密", "涉密", "不公开", "***"),
}

# What follows the last underscore(s) of a field's name → the unit shown (symbols are the same in both languages).
UNIT_SUFFIXES: tuple[tuple[str, str], ...] = (
    ("_db_per_km", "dB/km"),
    ("_kn_per_m2", "kN/m²"),
    ("_m2", "m²"),
    ("_mm", "mm"),
    ("_km", "km"),
    ("_kg", "kg"),
    ("_kva", "kVA"),
    ("_kv", "kV"),
    ("_kw", "kW"),
    ("_pct", "%"),
    ("_m", "m"),
    ("_v", "V"),
    ("_h", "h"),
    ("_u", "U"),
)


def unit_of(name: str) -> str:
    """The unit a field's name carries: "height_m" → "m"; "" where it carries none."""
    return next((unit for suffix, unit in UNIT_SUFFIXES if name.endswith(suffix)), "")


@dataclass(frozen=True)
class ColumnSpec:
    """One column a file may have.

    field: the key of the values given to listings.actions.resources.row_from_values().
    type: text | decimal | integer | boolean | date | choice | choices | numbers | longitude | latitude | wkt | region.
      choices is a list of choices and numbers a list of decimals in one cell, parted by / ; 、 , or a space.
      region is a GB/T 2260 code or a division's name, kept as text.
    choices: stored value → the words accepted for it, beside the value itself (any case).
    """

    field: str
    label_zh: str
    label_en: str
    aliases_zh: tuple[str, ...] = ()
    aliases_en: tuple[str, ...] = ()
    type: str = "text"
    unit: str = ""
    required: bool = False
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    example: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything this column is called, own field name first."""
        return (self.field, self.label_zh, self.label_en, *self.aliases_zh, *self.aliases_en)


@dataclass(frozen=True)
class FieldGroup:
    """Fields of the facts table that stand together in the form and on the page."""

    title: str | Promise
    fields: tuple[str, ...]


@dataclass(frozen=True)
class PoolSpec:
    """A kind of capacity a resource may offer: its unit and what a pool says beside total and in use."""

    unit: str
    title: str | Promise
    extra: tuple[str, ...] = ()  # "height_m", "bore_mm"
    is_labelled: bool = True
    is_single: bool = False  # exactly one pool of this unit
    help: str | Promise = ""


@dataclass(frozen=True)
class KindSpec:
    """All that differs between kinds. check(facts, pools) gives the kind's own problems; pools are PoolData."""

    kind: str
    model: type[models.Model]
    geometry: str  # "Point" or "LineString" (then MultiLineString is taken too)
    icon: str  # tabler outline name
    groups: tuple[FieldGroup, ...]
    pools: tuple[PoolSpec, ...]
    columns: tuple[ColumnSpec, ...]
    check: Callable[[Mapping[str, Any], Sequence[Any]], list[Problem]]
    pools_from_values: Callable[[Mapping[str, Any]], tuple[list[Any], list[Problem]]]
    # What a file leaves unsaid: (values, pools) → facts to add, and what to say of them.
    assume: Callable[[Mapping[str, Any], Sequence[Any]], tuple[dict[str, Any], list[Problem]]] | None = None
    sharing_modes: tuple[str, ...] = ()  # those that make sense, first is the usual one
    labels: Mapping[str, str | Promise] = field(default_factory=dict)  # where a field's own name says too little
    empty_rows: int = 1  # extra rows of the pools' formset, so that it works without JavaScript

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for group in self.groups for name in group.fields)

    @property
    def column_by_field(self) -> dict[str, ColumnSpec]:
        return {column.field: column for column in self.columns}

    @property
    def is_line(self) -> bool:
        return self.geometry == "LineString"
