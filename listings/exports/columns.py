"""The columns of a file out, each an SQL expression over one row of the source. Named as our own import knows them.

Two manners: "people" (XLSX, CSV: headers and words in the reader's language) and "machines" (GeoJSON, GeoPackage:
field names and stored values). A cell is left empty where the import, reading it back, would have to guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from listings.facts import TELLING
from listings.imports.headers import fold
from listings.kinds.registry import SPECS
from listings.kinds.spec import MISSING_WORDS, ColumnSpec, KindSpec
from listings.models import Resource

PLACE_FIELDS = (
    "longitude", "latitude", "wkt", "start_longitude", "start_latitude", "end_longitude", "end_latitude",
)  # fmt: skip
# What tells the place as well as coordinates do: goes with the exact place (listings/disclosure.py).
WITH_EXACT_PLACE = (
    "owner_code", "address", "access_hours", "access_permit", "access_safety", "access_contact", "access_note",
)  # fmt: skip
OWNER_ONLY = ("grade", "disclosure")
# Free numbers count what is held here too; the import's own columns of that name do not know holds.
NEVER = ("positions_free", "bores_free", "cores_free", "rack_u_free", "kw_free", "racks_free")


@dataclass(frozen=True)
class Column:
    """key: its name for machines; header: for people; sql: over s (the source's row) and p (its pools).

    type: text (somebody typed it), word (one of ours), number, float, integer, boolean or date.
    """

    key: str
    header: str
    type: str
    sql: str
    missing: str = ""  # expression of the word that stands there when there is no value


def quoted(text: str) -> str:
    """An SQL string literal. For words of ours only: what a person typed goes in as a parameter."""
    return "'" + str(text).replace("'", "''") + "'"


def word_for(spec: ColumnSpec, value: str, label: str, *, chinese: bool) -> str:
    """How a choice is written for people: the label where the import knows it, else a word it does know."""
    words = spec.choices.get(value, ())
    known = {fold(word) for word in (value, *words)}
    if fold(label) in known:
        return label
    if chinese:
        return next((word for word in words if not word.isascii()), words[0] if words else value)
    return value


def _labels(field: models.Field | None) -> dict[str, str]:
    base = getattr(field, "base_field", field)
    return {str(value): str(label) for value, label in (getattr(base, "flatchoices", None) or ())}


class Columns:
    """All columns of one kind in one manner, in the active language."""

    def __init__(self, kind: str, *, for_people: bool, own_id: int, base_url: str):
        self.spec: KindSpec = SPECS[kind]
        self.for_people = for_people
        self.own_id, self.base_url = own_id, base_url
        self.chinese = not (get_language() or "").startswith("en")
        self.fact_fields = {name: self.spec.model._meta.get_field(name) for name in self.spec.fields}
        self.base_fields = {field.name: field for field in Resource._meta.concrete_fields}

    def all(self) -> list[Column]:
        """Known to the import first, in the order of its template; then what only this portal says."""
        known = [column for spec in self.spec.columns if (column := self._of_spec(spec)) is not None]
        return [*known, *self._ours()]

    # --- Columns the import knows -----------------------------------------------------------

    def _of_spec(self, spec: ColumnSpec) -> Column | None:
        name = spec.field
        if name in NEVER:
            return None
        if name in PLACE_FIELDS:
            return self._place(spec)
        if name in self.fact_fields:
            return self._fact(spec)
        if name in SPECIAL:
            kind, sql = SPECIAL[name]
            return Column(name, self.header(spec), kind, sql)
        if name in self.base_fields:
            return self._base(spec)
        if name in POOL_COLUMNS[self.spec.kind]:
            return Column(name, self.header(spec), "word" if spec.type == "numbers" else "number", f"p.{name}")
        return None

    def header(self, spec: ColumnSpec) -> str:
        label = spec.label_zh if self.chinese else spec.label_en
        return f"{label}({spec.unit})" if spec.unit and "(" not in label else label

    def _place(self, spec: ColumnSpec) -> Column | None:
        if not self.for_people:
            return None  # the geometry says it
        if self.spec.is_line:
            return Column("wkt", self.header(spec), "word", "ST_AsText(s.shape)") if spec.field == "wkt" else None
        axis = {"longitude": "ST_X(s.shape)", "latitude": "ST_Y(s.shape)"}.get(spec.field)
        return Column(spec.field, self.header(spec), "float", axis) if axis else None

    def _value(self, spec: ColumnSpec, field: models.Field, sql: str) -> tuple[str, str]:
        """(type, expression) of a model field's value."""
        if spec.type in ("choice", "choices") and self.for_people:
            return "word", self._choice_sql(spec, field, sql)
        if isinstance(field, models.BooleanField):
            if not self.for_people:
                return "boolean", sql
            return "word", f"CASE WHEN {sql} THEN {quoted(_('yes'))} WHEN NOT {sql} THEN {quoted(_('no'))} END"
        if isinstance(field, models.DateField):
            return "date", sql
        if isinstance(field, models.DecimalField):
            return "number", f"trim_scale({sql})"
        if isinstance(field, (models.IntegerField, models.FloatField)):
            return "integer" if isinstance(field, models.IntegerField) else "float", sql
        if spec.type == "choices":
            return "word", f"nullif(array_to_string({sql}, '/'), '')"
        if spec.type == "choice":
            return "word", f"nullif({sql}::text, '')"
        return "text", f"nullif({sql}::text, '')"

    def _choice_sql(self, spec: ColumnSpec, field: models.Field, sql: str) -> str:
        labels = _labels(field)

        def cases(of: str) -> str:
            words = {
                value: word_for(spec, value, labels.get(value, value), chinese=self.chinese)
                for value in {**spec.choices, **labels}
            }
            whens = " ".join(f"WHEN {quoted(value)} THEN {quoted(word)}" for value, word in words.items())
            return f"CASE {of} {whens} ELSE nullif({of}::text, '') END"

        if spec.type != "choices":
            return cases(sql)
        several = f"(SELECT string_agg({cases('m')}, '/' ORDER BY n) FROM unnest({sql}) WITH ORDINALITY AS u(m, n))"
        one = cases(f"({sql})[1]")
        return f"CASE cardinality({sql}) WHEN 0 THEN NULL WHEN 1 THEN {one} ELSE {several} END"

    def _fact(self, spec: ColumnSpec) -> Column:
        name = spec.field
        type_, sql = self._value(spec, self.fact_fields[name], f"s.f_{name}")
        missing = self._missing_sql(name) if self.for_people else ""
        if name in TELLING:
            sql = f"CASE WHEN s.is_exact THEN {sql} END"
            missing = missing and f"CASE WHEN s.is_exact THEN {missing} END"
        return Column(name, self.header(spec), type_, sql, missing)

    def _missing_sql(self, name: str) -> str:
        """Why a fact is missing, in a word the import reads as that reason; NULL where it is not said."""
        words = {
            reason: next(w for w in told if w.isascii() is not self.chinese and len(w) > 1)
            for reason, told in MISSING_WORDS.items()
        }
        whens = " ".join(f"WHEN {quoted(reason)} THEN {quoted(word)}" for reason, word in words.items())
        return f"CASE WHEN s.missing <> '{{}}' THEN CASE s.missing->>{quoted(name)} {whens} END END"

    def _base(self, spec: ColumnSpec) -> Column:
        name = spec.field
        type_, sql = self._value(spec, self.base_fields[name], f"s.{name}")
        if name in (*WITH_EXACT_PLACE, *TELLING):
            sql = f"CASE WHEN s.is_exact THEN {sql} END"
        elif name in OWNER_ONLY:
            sql = f"CASE WHEN s.owner_id = {int(self.own_id)} THEN {sql} END"
        return Column(name, self.header(spec), type_, sql)

    # --- Columns of this portal -------------------------------------------------------------

    def _ours(self) -> Iterator[Column]:
        def say(key: str, header: str, type_: str, sql: str) -> Column:
            return Column(key, header, type_, sql)

        zone = quoted(settings.TIME_ZONE)
        code = f"{quoted(self.spec.kind[0].upper())} || lpad(s.id::text, 8, '0')"
        yield say("public_code", _("Portal code"), "word", code)
        if self.for_people:
            yield say("region_name", _("Name of the region"), "word", "s.region_name")
        yield say("place_given_as", _("Place given as"), "word", self._exactness())
        yield say("listing_state", _("Publication"), "word", self._listing_state())
        yield say("capacity", _("Capacity in words"), "text", "p.words")
        yield say("free_now", _("Free now (holds deducted)"), "number", "trim_scale(s.free_units)")
        if self.spec.kind == "room":
            yield say("free_now_kw", _("Free power now (kW)"), "number", "trim_scale(s.free_kw)")
        if self.spec.is_line:
            yield say("line_length_m", _("Length as drawn (m)"), "number", "round(s.length_m::numeric, 1)")
        yield say("published_on", _("Published on"), "date", f"(s.published_at AT TIME ZONE {zone})::date")
        yield say("changed_on", _("Last changed on"), "date", f"(s.updated_at AT TIME ZONE {zone})::date")
        address = f"{quoted(self.base_url + '/resources/')} || s.id || '/'"
        yield say("address_of_page", _("Page"), "word", address)

    def _exactness(self) -> str:
        words = {
            "own": _("exact (yours)"),
            "disclosed": _("exact (disclosed to verified organisations)"),
            "granted": _("exact (granted to you)"),
            "blurred": _("blurred to a cell of 1 km or more"),
        }
        told = {key: quoted(word if self.for_people else key) for key, word in words.items()}
        own = int(self.own_id)
        return (
            f"CASE WHEN NOT s.is_exact THEN {told['blurred']}"
            f" WHEN s.owner_id = {own} OR s.manager_id = {own} THEN {told['own']}"
            f" WHEN s.disclosure = 'exact' THEN {told['disclosed']} ELSE {told['granted']} END"
        )

    def _listing_state(self) -> str:
        if not self.for_people:
            return "s.state"
        whens = " ".join(f"WHEN {quoted(v)} THEN {quoted(str(label))}" for v, label in Resource.State.choices)
        return f"CASE s.state {whens} END"


SPECIAL: dict[str, tuple[str, str]] = {
    "owner_name": ("text", "s.owner_name"),
    "manager_name": ("text", "s.manager_name"),
    "user_name": ("text", "s.user_name"),
    "region": ("word", "s.region_id"),
}

# Columns of the import that are made of pools: filled only where one flat row says all that the pools say
# (p.is_flat), so that reading the file back never takes a label or a price away. "capacity" says it in words always.
POOL_COLUMNS: dict[str, tuple[str, ...]] = {
    "tower": ("platform_heights_m", "platform_tops_m", "positions_total", "positions_in_use", "price_yuan"),
    "duct": ("bores_total", "bores_in_use", "price_yuan"),
    "cable": ("cores_total", "cores_in_use", "price_yuan"),
    "room": ("rack_u_total", "rack_u_in_use", "kw_total", "kw_in_use", "price_yuan", "price_yuan_kw"),
}

DECLARED_SPECIAL = tuple(SPECIAL)
