"""Checks rows against the rules, the regions and what is stored; stores nothing. Forms and files alike.

A batch costs a handful of queries however many rows it has, so an import calls it in chunks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from listings import cleaning
from listings.differences import changes, pool_data
from listings.kinds.pools import PoolData
from listings.kinds.ranges import RANGES
from listings.kinds.registry import SPECS
from listings.models import CapacityPool, Resource
from listings.models.resources import JOINABLE
from listings.places import Place, check_length, check_place, flat
from listings.problems import Problem, error, info, warning
from listings.region_checks import find_regions
from listings.region_lookup import Outlines
from listings.rows import DATA_FIELDS, CleanRow, defaults_of

UNCLEANED = ("manager", "user", "is_demo", "missing", "provenance")  # looked up or built by code
CREATE, UPDATE, SAME, ERROR = "create", "update", "same", "error"


@dataclass
class Checked:
    """A row after the checks: what it would do (verdict: create, update, same or error) and with which values."""

    row: CleanRow
    existing: Resource | None = None
    values: dict[str, Any] = field(default_factory=dict)  # Resource fields, cleaned
    facts: dict[str, Any] = field(default_factory=dict)
    pools: list[PoolData] | None = None
    place: Place | None = None
    region_id: str | None = None
    problems: list[Problem] = field(default_factory=list)
    verdict: str = CREATE

    @property
    def has_errors(self) -> bool:
        return any(problem.is_error for problem in self.problems)


def stored(owner: Organisation, codes: Collection[str], *, lock: bool = False) -> dict[str, Resource]:
    """The owner's resources by own code, with facts and pools; locked in id order where asked. Queries twice."""
    rows = Resource.objects.filter(owner=owner, owner_code__in=codes).order_by("pk")
    rows = rows.select_related(*SPECS).prefetch_related(models.Prefetch("pools", CapacityPool.objects.order_by("pk")))
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    return {resource.owner_code: resource for resource in rows}


def check_rows(
    rows: Sequence[CleanRow],
    *,
    owner: Organisation,
    existing: Mapping[str, Resource] | None = None,
    seen: set[str] | None = None,
    outlines: Outlines | None = None,
) -> list[Checked]:
    """What each row would do, and what is wrong with it.

    existing: the owner's stored resources by own code; None looks them up.
    seen: own codes of earlier chunks of the same file (added to), so that a code used twice is found.
    outlines: the same for all chunks of a file, so that regions are looked up quickly.
    """
    if existing is None:
        existing = stored(owner, {row.owner_code for row in rows})
    seen = set() if seen is None else seen
    parties = _parties(rows)
    checked = [_check(row, owner, existing.get(row.owner_code), parties, seen) for row in rows]
    find_regions(checked, owner, outlines)
    for item in checked:
        item.verdict = _verdict(item)
    return checked


def _check(
    row: CleanRow, owner: Organisation, old: Resource | None, parties: Mapping[str, Organisation], seen: set[str]
) -> Checked:
    item = Checked(row, existing=old, problems=list(row.problems))
    say = item.problems.append
    if not row.owner_code:
        say(
            error(
                "owner_code",
                "code_missing",
                _("The owner's own code is missing."),
                _("Give each resource a code of its own."),
            )
        )
    elif row.owner_code in seen:
        say(
            error(
                "owner_code",
                "code_twice",
                _("The code %(code)s stands in more than one row.") % {"code": row.owner_code},
                _("Give each resource a code of its own."),
            )
        )
    seen.add(row.owner_code)
    if old and old.kind != row.kind:
        say(
            error(
                "kind", "kind_differs", _("A resource of another kind has this code already."), _("Use another code.")
            )
        )
        return item
    if old and old.state == Resource.State.RETIRED:
        say(
            error(
                "owner_code",
                "retired",
                _("This resource is retired and is not changed any more."),
                _("Use another code."),
            )
        )
    _clean_values(item, owner, parties)
    _clean_facts(item)
    _clean_place(item)
    _check_pools(item)
    _check_together(item)
    return item


def _parties(rows: Sequence[CleanRow]) -> dict[str, Organisation]:
    """Organisations by name or credit code, for the names the rows mention. Queries once, if any."""
    said = ("manager_name", "user_name")
    names = {str(row.data[key]).strip() for row in rows for key in said if row.data.get(key)}
    if not names:
        return {}
    found = Organisation.objects.filter(
        models.Q(name_zh__in=names) | models.Q(name_en__in=names) | models.Q(uscc__in=names)
    ).order_by("pk")
    return {
        key: organisation
        for organisation in found
        for key in (organisation.name_zh, organisation.name_en, organisation.uscc)
    }


def _clean(item: Checked, model: type[models.Model], name: str, value: Any) -> Any:
    """One value through its model field; a problem is noted and None returned where it does not fit."""
    try:
        return cleaning.clean(model, name, value)
    except ValidationError as failure:
        label = str(model._meta.get_field(name).verbose_name)
        for message in failure.messages:
            item.problems.append(
                error(name, "invalid", _("%(label)s: %(message)s") % {"label": label, "message": message})
            )
    return None


def _clean_values(item: Checked, owner: Organisation, parties: Mapping[str, Organisation]) -> None:
    row = item.row
    given = {} if item.existing else {"sector": owner.sector, "name": row.owner_code, **defaults_of(row.kind)}
    given |= {name: row.data[name] for name in DATA_FIELDS if name in row.data}
    if not item.existing and "name" not in row.data:
        item.problems.append(info("name", "name_from_code", _("No name given: the code stands in for it.")))
    for name, value in given.items():
        item.values[name] = value if name in UNCLEANED else _clean(item, Resource, name, value)
    _clean(item, Resource, "owner_code", row.owner_code) if row.owner_code else None
    _name_parties(item, owner, parties)
    said = str(row.data.get("owner_name") or "").strip()
    if said and said.casefold() not in (owner.name_zh.casefold(), owner.name_en.casefold(), owner.uscc.casefold()):
        item.problems.append(
            warning(
                "owner_name",
                "owner_differs",
                _("The file names %(name)s as owner; it is stored for %(owner)s.") % {"name": said, "owner": owner},
                _("Only the owner publishes. Take the row out if it is not yours."),
            )
        )


PARTIES = (
    ("manager", "manager_name", _("%(name)s is not on this portal; no manager is stored.")),
    ("user", "user_name", _("%(name)s is not on this portal; no user is stored.")),
)


def _name_parties(item: Checked, owner: Organisation, parties: Mapping[str, Organisation]) -> None:
    """Manager and user by the names a file gives; the owner's own name says nothing of a manager."""
    for party, column, message in PARTIES:
        named = str(item.row.data.get(column) or "").strip()
        is_owner = named in (owner.name_zh, owner.name_en, owner.uscc)
        if not named or (is_owner and party == "manager"):
            continue
        item.values[party] = owner if is_owner else parties.get(named)
        if item.values[party] is None:
            fix = _("Invite the organisation, or leave the field empty.")
            item.problems.append(warning(column, f"{party}_unknown", message % {"name": named}, fix))


def _clean_facts(item: Checked) -> None:
    spec = SPECS[item.row.kind]
    limits = RANGES[item.row.kind]
    for name, value in item.row.facts.items():
        cleaned = _clean(item, spec.model, name, value)
        if isinstance(cleaned, (Decimal, int)) and not isinstance(cleaned, bool):
            label = spec.labels.get(name) or spec.model._meta.get_field(name).verbose_name
            low, high = limits.get(name, (Decimal(0), None))
            if cleaned < 0:
                item.problems.append(error(name, "negative", _("%(label)s must not be negative.") % {"label": label}))
            elif cleaned < low or (high is not None and cleaned > high):
                between = _("%(label)s: a value between %(low)s and %(high)s is expected.")
                words = between % {"label": label, "low": low, "high": high}
                item.problems.append(error(name, "out_of_range", words, _("Check the unit.")))
        item.facts[name] = cleaned


def _clean_place(item: Checked) -> None:
    place = item.row.place
    if place is None:
        if item.existing is None:
            item.problems.append(
                error(
                    "place", "place_missing", _("The place is missing."), _("Give coordinates or draw it on the map.")
                )
            )
        return
    place = flat(place)
    found = check_place(place, SPECS[item.row.kind])
    item.problems += found
    if not found:
        item.place = place


def _check_pools(item: Checked) -> None:
    pools = item.row.pools
    item.pools = pools
    old = {(pool.unit, pool.label): pool for pool in item.existing.pools.all()} if item.existing else {}
    by_pk = {pool.pk: pool for pool in old.values()}
    if pools is None:
        if item.existing is None:
            item.pools = []
        if not old:
            item.problems.append(
                warning(
                    "",
                    "no_capacity",
                    _("No capacity is given: it can be stored, not published."),
                    _("Say how much there is and how much is in use."),
                )
            )
        return
    known = {spec.unit for spec in SPECS[item.row.kind].pools}
    names = [(pool.unit, pool.label) for pool in pools]
    for pool in pools:
        label = pool.label or pool.unit
        if pool.unit not in known:
            item.problems.append(error("", "unit_unknown", _("This kind has no capacity in this unit.")))
        if pool.total < 0 or pool.in_use < 0:
            item.problems.append(
                error("", "pool_negative", _("%(pool)s: quantities must not be negative.") % {"pool": label})
            )
        before = by_pk.get(pool.pk) if pool.pk else old.get((pool.unit, pool.label))
        taken = before.taken if before else Decimal(0)
        if pool.total < pool.in_use + taken:
            item.problems.append(_oversold(pool, label, taken))
        if names.count((pool.unit, pool.label)) > 1:
            item.problems.append(
                error(
                    "",
                    "pool_label_twice",
                    _("Two pools are called %(pool)s.") % {"pool": label},
                    _("Give each a label of its own."),
                )
            )
    if not pools:
        item.problems.append(
            warning(
                "",
                "no_capacity",
                _("No capacity is given: it can be stored, not published."),
                _("Say how much there is and how much is in use."),
            )
        )


def _oversold(pool: PoolData, label: str, taken: Decimal) -> Problem:
    if taken:
        message = _(
            "%(pool)s: in use (%(in_use)s) and held or confirmed here (%(taken)s) exceed the total (%(total)s)."
        )
        fix = _("Release the reservations first, or give a higher total.")
    else:
        message, fix = (
            _("%(pool)s: in use (%(in_use)s) exceeds the total (%(total)s)."),
            _("Correct one of the two numbers."),
        )
    return error(
        "", "pool_oversold", message % {"pool": label, "in_use": pool.in_use, "taken": taken, "total": pool.total}, fix
    )


def _check_together(item: Checked) -> None:
    """Rules over several fields, over the values as they would stand after storing."""
    old = item.existing
    spec = SPECS[item.row.kind]

    def value(name: str) -> Any:
        return (
            item.values[name]
            if name in item.values
            else getattr(old, name)
            if old
            else cleaning.default(Resource, name)
        )

    grade, disclosure = value("grade"), value("disclosure")
    if (grade == "important" and disclosure == "exact") or (grade == "core" and disclosure != "existence"):
        item.problems.append(
            error(
                "disclosure",
                "grade_limits_disclosure",
                _("Important data may be blurred at most, core data only counted: choose a closer disclosure level."),
            )
        )
    start, end = value("available_from"), value("available_until")
    if start and end and end < start:
        item.problems.append(
            error("available_until", "available_order", _("“Available until” lies before “available from”."))
        )
    if value("join_until") and value("lifecycle") not in JOINABLE:
        item.problems.append(
            error(
                "join_until",
                "join_until_planned",
                _("Only what is planned or under construction has a date until which others may join."),
                _("Clear the date, or correct the lifecycle."),
            )
        )
    for name in ("reserved_area_m2", "reserved_kva"):
        if (value(name) or 0) < 0:
            item.problems.append(error(name, "reserved_negative", _("Space and power reserved must not be negative.")))
    facts = {name: getattr(old.facts, name) for name in spec.fields} | item.facts if old else item.facts
    pools = item.pools
    if pools is None and old:
        pools = [pool_data(pool) for pool in old.pools.all()]
    item.problems += spec.check(facts, pools or [])
    if item.place is not None and spec.is_line:
        name, factor = ("sheath_km", 1000) if "sheath_km" in spec.fields else ("surveyed_length_m", 1)
        said = item.facts.get(name)
        item.problems += check_length(item.place, stated_m=float(said) * factor if said else None, field=name)


def _verdict(item: Checked) -> str:
    if item.has_errors:
        return ERROR
    if item.existing is None:
        return CREATE
    return UPDATE if changes(item) else SAME
