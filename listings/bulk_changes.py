"""What can be changed on many resources at once, and what a change means for one of them. No queries.

Changes are kept as JSON: {field: value} for plain fields (dates as text, None clears), "manager" an organisation's id,
"sharing_modes" {"how": set|add|remove, "modes": […]}, "price" {"how": set|percent|ask, "unit": …, "yuan"/"percent": …}.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from accounts.models import Organisation
from listings.differences import pool_data
from listings.kinds.registry import SPECS
from listings.models import CapacityPool, Resource
from listings.problems import Problem, error
from listings.rows import CleanRow

PLAIN = (
    "disclosure", "grade", "lifecycle", "condition", "occupancy", "available_from", "available_until", "ownership_mode",
    "price_note", "access_hours", "access_permit", "access_safety", "access_contact", "access_note", "accuracy",
    "quality", "source", "facts_on",
)  # fmt: skip
SET, ADD, REMOVE, PERCENT, ASK = "set", "add", "remove", "percent", "ask"
# Columns of Resource that a bulk row may carry in before and after, and how SQL reads them out of JSON.
COLUMNS: dict[str, str] = {
    **dict.fromkeys(PLAIN, "text"), "available_from": "date", "available_until": "date", "facts_on": "date",
    "manager_id": "bigint", "sharing_modes": "text[]", "state": "text", "published_at": "timestamptz",
}  # fmt: skip


def _plain_value(name: str, value: Any) -> Any:
    """A JSON value as its field takes it."""
    field = Resource._meta.get_field(name)
    if isinstance(field, models.DateField):
        return dt.date.fromisoformat(value) if value else None
    return value if value is not None else ""


def modes_after(resource: Resource, change: Mapping[str, Any]) -> list[str]:
    """The sharing modes as they would be; those that make no sense for the kind are never added."""
    fitting = [mode for mode in change["modes"] if mode in SPECS[resource.kind].sharing_modes]
    if change["how"] == SET:
        return fitting
    if change["how"] == ADD:
        return [*resource.sharing_modes, *(mode for mode in fitting if mode not in resource.sharing_modes)]
    return [mode for mode in resource.sharing_modes if mode not in change["modes"]]


def price_after(pool: CapacityPool, change: Mapping[str, Any]) -> int | None:
    """Fen per unit and year as it would be. A share of a price that is not there stays not there."""
    before = pool.price_fen_per_unit_year
    if pool.unit != change["unit"]:
        return before
    if change["how"] == ASK:
        return None
    if change["how"] == SET:
        return int(Decimal(str(change["yuan"])) * 100)
    if before is None:
        return None
    exact = Decimal(before) * (100 + Decimal(str(change["percent"]))) / 100
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def row_for(resource: Resource, changes: Mapping[str, Any], managers: Mapping[int, Organisation]) -> CleanRow:
    """What the change is for this resource, as a form would hand it in. Its facts and pools are loaded."""
    data = {name: _plain_value(name, value) for name, value in changes.items() if name in PLAIN}
    problems: list[Problem] = []
    if "manager" in changes:
        data["manager"] = managers.get(changes["manager"]) if changes["manager"] else None
    if "sharing_modes" in changes:
        data["sharing_modes"] = modes_after(resource, changes["sharing_modes"])
        if changes["sharing_modes"]["how"] != REMOVE and not data["sharing_modes"]:
            problems.append(
                error("sharing_modes", "modes_misfit", _("None of these sharing modes fits this kind of resource."))
            )
    pools = None
    if "price" in changes:
        stored = list(resource.pools.all())
        if not any(pool.unit == changes["price"]["unit"] for pool in stored):
            problems.append(error("", "no_such_unit", _("It has no capacity in the unit the price is for.")))
        pools = [
            replace(pool_data(pool), price_fen_per_unit_year=price_after(pool, changes["price"])) for pool in stored
        ]
    return CleanRow(
        kind=resource.kind, owner_code=resource.owner_code, data=data, pools=pools, problems=tuple(problems)
    )


def before_and_after(resource: Resource, row: CleanRow) -> tuple[dict[str, Any], dict[str, Any]]:
    """(before, after) of what differs, as a bulk row keeps it: columns by name, "prices" by pool id."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, value in row.data.items():
        old, new = getattr(resource, name), value
        if name == "manager":
            name, old, new = "manager_id", resource.manager_id, value.pk if value else None
        if old != new:
            before[name], after[name] = _json(old), _json(new)
    prices = {
        str(pool.pk): (pool.price_fen_per_unit_year, data.price_fen_per_unit_year)
        for pool, data in zip(resource.pools.all() if row.pools is not None else (), row.pools or (), strict=True)
        if pool.price_fen_per_unit_year != data.price_fen_per_unit_year
    }
    if prices:
        before["prices"] = {pk: pair[0] for pk, pair in prices.items()}
        after["prices"] = {pk: pair[1] for pk, pair in prices.items()}
    return before, after


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
