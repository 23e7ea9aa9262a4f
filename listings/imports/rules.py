"""Rules of a row that only a file needs: plausible sizes, dates that have passed. Pure."""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal

from django.utils import timezone

from listings.imports.findings import Finding, error, info, warning
from listings.imports.targets import Draft
from listings.kinds.spec import ColumnSpec

# Usual sizes (low, high) by field: outside, a unit is often wrong. Practice in inventories, not a standard.
USUAL: dict[str, tuple[str, str]] = {
    "cover_depth_m": ("0.2", "10"),
    "inner_mm": ("10", "2000"),
    "outer_mm": ("10", "2500"),
    "surveyed_length_m": ("1", "20000"),
    "sheath_km": ("0.01", "3000"),
    "cores_total": ("2", "1152"),
    "bores_total": ("1", "100"),
    "area_m2": ("2", "20000"),
    "clear_height_m": ("2", "12"),
    "floor_load_kn_per_m2": ("1.5", "25"),
    "mains_v": ("100", "1000"),
    "line_kv": ("1", "1100"),
    "attenuation_db_per_km": ("0.15", "0.6"),
}
TOWER_HEIGHTS_M: dict[str, tuple[int, int]] = {
    "lamp_pole": (4, 20), "traffic_signal": (3, 15), "surveillance": (3, 15), "smart_pole": (4, 25), "gantry": (4, 15),
    "power_pole": (6, 30), "roof_pole": (2, 30), "telecom_tower": (10, 120), "power_pylon": (10, 400), "mast": (5, 250),
}  # fmt: skip
MANGLED = re.compile(r"\d(?:\.\d+)?e\+\d{2}", re.I)  # 4.40106E+11, as spreadsheets write long numbers
STALE_DAYS = 3 * 365
ASSUMED = {
    "tower": "tower_type",
    "duct": "network",
    "cable": "cable_level",
}  # what new ones are taken for is the model's default


def of_resource(draft: Draft, kind: str, specs: Mapping[str, ColumnSpec]) -> list[Finding]:
    """Findings about one resource's values; the kind's own and the database's rules are checked elsewhere."""
    values = draft.typed
    found = [*_sizes(values, specs), *_days(values)]
    if kind == "tower" and values.get("height_m") is not None:
        low, high = TOWER_HEIGHTS_M.get(values.get("tower_type") or "", (3, 250))
        height = values["height_m"]
        if not low <= height <= high:
            found.append(warning("height_m", "height_implausible", value=str(height), low=low, high=high))
    field = ASSUMED.get(kind, "")
    if field and draft.verdict == "create" and field not in values and not draft.has_error_on(field):
        found.append(warning(field, "type_assumed", taken_word=_default_word(kind)))
    code = draft.values.get("owner_code", "")
    if MANGLED.fullmatch(code):
        found.append(error("owner_code", "code_mangled", value=code))
    if is_example(draft, specs):
        found.append(error("", "example_row"))
    for prefix in ("bores", "cores", "rack_u", "kw"):
        total, used, free = (values.get(f"{prefix}_{part}") for part in ("total", "in_use", "free"))
        if free == 0 or (total is not None and used is not None and total == used and total > 0):
            found.append(info(f"{prefix}_free" if free == 0 else f"{prefix}_in_use", "all_in_use"))
    return found


def _default_word(kind: str) -> str:
    """The English label of what is assumed; worded in the reader's language when shown."""
    return {"tower": "Telecom tower", "duct": "Telecom", "cable": "Metropolitan"}[kind]


def is_example(draft: Draft, specs: Mapping[str, ColumnSpec]) -> bool:
    """Whether this is the row our own template shows as an example."""
    shown = [(name, specs[name].example) for name in ("owner_code", "name") if name in specs and specs[name].example]
    return bool(shown) and all(draft.values.get(name) == example for name, example in shown)


def _sizes(values: Mapping[str, object], specs: Mapping[str, ColumnSpec]) -> list[Finding]:
    found = []
    for name, (low, high) in USUAL.items():
        value = values.get(name)
        if value is None:
            continue
        if isinstance(value, (Decimal, int)) and value > 0 and not Decimal(low) <= value <= Decimal(high):
            unit = specs[name].unit
            found.append(warning(name, "value_implausible", value=str(value), unit=unit, low=low, high=high))
    return found


def _days(values: Mapping[str, object]) -> list[Finding]:
    today = timezone.localdate()
    found = []
    ready = values.get("ready_on") or values.get("available_from")
    if values.get("lifecycle") in ("planned", "under_construction") and isinstance(ready, dt.date) and ready < today:
        column = "ready_on" if values.get("ready_on") else "available_from"
        found.append(warning(column, "planned_past", day=ready.isoformat()))
    until = values.get("available_until")
    if isinstance(until, dt.date) and until < today:
        found.append(warning("available_until", "available_past", day=until.isoformat()))
    facts = values.get("facts_on")
    if isinstance(facts, dt.date):
        if facts > today:
            found.append(error("facts_on", "facts_in_future", day=facts.isoformat()))
        elif (today - facts).days > STALE_DAYS:
            found.append(warning("facts_on", "facts_old", day=facts.isoformat()))
    return found
