"""Up to four resources side by side, as one reader sees them: groups of rows, those that differ marked. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Membership
from accounts.rules import rule
from listings.capacity_view import PoolView, views_of
from listings.facts import FactGroup, fact_groups
from listings.kinds.registry import SPECS
from listings.models import CapacityPool, Resource
from listings.models.resources import SharingMode
from listings.pricing import unit_price_text
from listings.wording import plain_number, quantity_text

MOST = 4
NOT_HERE = "–"  # a row of another kind


@dataclass
class Row:
    label: str
    cells: list[str]

    @property
    def differs(self) -> bool:
        """Whether two of those that have the row say different things."""
        return len({cell for cell in self.cells if cell != NOT_HERE}) > 1


@dataclass
class Group:
    title: str
    rows: list[Row] = field(default_factory=list)


def readable(membership: Membership | None, ids: Sequence[int]) -> list[Resource]:
    """The resources asked for that this reader may read, in the order asked for, MOST at most. Queries once."""
    wanted = list(dict.fromkeys(ids))[:MOST]
    rows = Resource.objects.visible_to(membership).filter(pk__in=wanted)
    rows = rows.select_related("owner", "manager", "region", "tally", *SPECS).prefetch_related("pools")
    found = {row.pk: row for row in rows.defer("region__polygon", "region__label_point").order_by("pk")}
    return [found[pk] for pk in wanted if pk in found]


def compare(resources: Sequence[Resource]) -> list[Group]:
    """All rows by group, in the reader's language. Queries for reservations, and per resource for its region."""
    pools = [pool for resource in resources for pool in resource.pools.all()]
    views: dict[int, list[PoolView]] = {}
    for view in views_of(pools, today=timezone.localdate()):
        views.setdefault(view.pool.resource_id, []).append(view)
    groups = [_basics(resources), _capacity(resources, views), *_facts(resources), _terms(resources)]
    return [group for group in groups if group.rows]


def _basics(resources: Sequence[Resource]) -> Group:
    def place(resource: Any) -> str:
        return str(_("exact") if resource.is_exact else _("blurred to a 1 km cell"))

    rows = [
        Row(_("Kind"), [r.get_kind_display() for r in resources]),
        Row(_("Owner"), [r.owner.name for r in resources]),
        Row(_("Manager"), [r.manager.name if r.manager else str(_("the owner")) for r in resources]),
        Row(_("Sector"), [r.get_sector_display() for r in resources]),
        Row(_("Region"), [r.region.name for r in resources]),
        Row(_("Place"), [place(r) for r in resources]),
        Row(_("Lifecycle"), [r.get_lifecycle_display() for r in resources]),
        Row(_("Condition"), [r.get_condition_display() for r in resources]),
        Row(_("Facts as of"), [_day(r.facts_on) for r in resources]),
    ]
    if any(r.length_m for r in resources):
        lengths = [f"{plain_number(r.length_m / 1000, 2)} km" if r.length_m else NOT_HERE for r in resources]
        rows.insert(6, Row(_("Length of the line"), lengths))
    return Group(_("Overview"), rows)


def _day(day: Any) -> str:
    return date_format(day, "DATE_FORMAT") if day else str(_("no date"))


def _pool_name(pool: CapacityPool) -> str:
    size = f" {plain_number(pool.height_m, 1)} m" if pool.height_m is not None else ""
    size += f" Ø {plain_number(pool.bore_mm, 1)} mm" if pool.bore_mm is not None else ""
    return f"{pool.label}{size}".strip() or str(pool.get_unit_display())


def _capacity(resources: Sequence[Resource], views: dict[int, list[PoolView]]) -> Group:
    units = list(dict.fromkeys(pool.unit for resource in resources for pool in resource.pools.all()))
    group = Group(_("Capacity"))
    for unit in units:
        cells = {name: [] for name in ("free", "next", "price")}  # type: dict[str, list[str]]
        for resource in resources:
            own = [view for view in views.get(resource.pk, []) if view.pool.unit == unit]
            cells["free"].append(_free(own, unit))
            cells["next"].append(_next(own))
            cells["price"].append(_price(own, unit))
        name = str(CapacityPool(unit=unit).get_unit_display())
        group.rows.append(Row(_("%(unit)s: free of total") % {"unit": name}, cells["free"]))
        group.rows.append(Row(_("%(unit)s: next free on") % {"unit": name}, cells["next"]))
        group.rows.append(Row(_("%(unit)s: price") % {"unit": name}, cells["price"]))
    platforms = [
        [_pool_name(v.pool) for v in views.get(r.pk, []) if v.pool.label or v.pool.height_m] for r in resources
    ]
    if any(platforms):
        group.rows.append(Row(_("Components"), ["; ".join(names) or NOT_HERE for names in platforms]))
    return group


def _free(views: list[PoolView], unit: str) -> str:
    if not views:
        return NOT_HERE
    free, total = sum(v.pool.free for v in views), sum(v.pool.total for v in views)
    return f"{plain_number(free)} / {quantity_text(total, unit)}"


def _next(views: list[PoolView]) -> str:
    if not views:
        return NOT_HERE
    if any(view.pool.free >= 1 for view in views):
        return str(_("now"))
    days = [view.next_free_on for view in views if view.next_free_on]
    return _day(min(days)) if days else str(_("not in sight"))


def _price(views: list[PoolView], unit: str) -> str:
    if not views:
        return NOT_HERE
    fen = sorted({v.pool.price_fen_per_unit_year for v in views if v.pool.price_fen_per_unit_year is not None})
    if not fen:
        return str(_("to be negotiated"))
    return " – ".join(unit_price_text(unit, n) if n else str(_("free")) for n in dict.fromkeys((fen[0], fen[-1])))


def _facts(resources: Sequence[Resource]) -> list[Group]:
    """The kinds' own groups; a row of one kind is NOT_HERE for another's."""
    made: dict[tuple[str, str], Row] = {}
    order: dict[str, list[str]] = {}
    for position, resource in enumerate(resources):
        months = rule("freshness.stale_months", resource.region_id).whole
        kind_groups: list[FactGroup] = fact_groups(resource, stale_months=months)
        for group in kind_groups:
            for fact in group.facts:
                key = (group.title, fact.label)
                if key not in made:
                    made[key] = Row(fact.label, [NOT_HERE] * len(resources))
                    order.setdefault(group.title, []).append(fact.label)
                made[key].cells[position] = f"{fact.value} {fact.unit}".strip() if fact.value else fact.missing
    return [Group(title, [made[title, label] for label in labels]) for title, labels in order.items()]


def _terms(resources: Sequence[Resource]) -> Group:
    def modes(resource: Resource) -> str:
        return _(", ").join(str(SharingMode(m).label) for m in resource.sharing_modes) or str(_("not filled in yet"))

    def available(resource: Resource) -> str:
        if not (resource.available_from or resource.available_until):
            return str(_("without limit"))
        days = [
            date_format(d, "DATE_FORMAT") if d else "…" for d in (resource.available_from, resource.available_until)
        ]
        return " – ".join(days)

    return Group(
        _("Terms and evidence"),
        [
            Row(_("Sharing modes"), [modes(r) for r in resources]),
            Row(_("Available"), [available(r) for r in resources]),
            Row(_("Price terms"), [r.price_note or str(_("not filled in yet")) for r in resources]),
            Row(_("Position accuracy"), [r.get_accuracy_display() for r in resources]),
            Row(_("Information quality"), [r.get_quality_display() for r in resources]),
        ],
    )
