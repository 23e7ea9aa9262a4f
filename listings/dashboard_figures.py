"""An owner's figures: how fresh its facts are, how full what it has is, who looked. Sums made by the database.

Units as assessments report them (domain, section 3): towers in sites, ducts in route-km and bore-km, cables in
sheath-km and core-km, rooms in U and kW.
"""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, F, Q, Sum, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Organisation
from accounts.rules import rule
from listings.freshness import months_earlier
from listings.looks import days_back
from listings.models import CapacityPool, DisclosureGrant, Kind, LookCount, Resource
from listings.models.capacity import Unit

LOOK_DAYS = 30
TOP = 8
KM = DecimalField(max_digits=20, decimal_places=3)
LIVE = ("published", "suspended")


@dataclass(frozen=True)
class Age:
    """Published resources whose facts are of this age; is_stale: over the region's rule, or never dated."""

    label: str
    count: int
    pct: float
    is_stale: bool


@dataclass(frozen=True)
class Occupancy:
    """One line: what of one unit there is, taken and free; unit is a word of the report."""

    kind: str
    what: str
    unit: str
    total: Decimal
    used: Decimal
    held: Decimal
    free: Decimal

    @property
    def used_pct(self) -> float:
        return float(100 * self.used / self.total) if self.total else 0.0

    @property
    def held_pct(self) -> float:
        return float(100 * self.held / self.total) if self.total else 0.0

    @property
    def taken_pct(self) -> float:
        return self.used_pct + self.held_pct


@dataclass(frozen=True)
class Day:
    day: dt.date
    organisations: int
    visitors: int

    @property
    def total(self) -> int:
        return self.organisations + self.visitors


@dataclass
class Looks:
    days: list[Day] = field(default_factory=list)
    by_organisation: list[tuple[Organisation, int]] = field(default_factory=list)
    by_resource: list[tuple[Resource, int]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(day.total for day in self.days)

    @property
    def visitors(self) -> int:
        return sum(day.visitors for day in self.days)


def by_state(owner: Organisation) -> dict[str, int]:
    """{state: how many of the owner's resources}."""
    own = Resource.objects.owned_by(owner).order_by()
    return dict(own.values_list("state").annotate(n=Count("pk")))


def ages(owner: Organisation, *, today: dt.date | None = None) -> tuple[list[Age], int]:
    """(ages of published facts, youngest first; the months after which facts are stale here). Queries twice."""
    today = today or timezone.localdate()
    stale = rule("freshness.stale_months", owner.region_id).whole
    steps = sorted({max(1, stale // 4), max(1, stale // 2), stale, stale * 2})
    bounds = [months_earlier(today, months) for months in steps]
    conditions = [Q(facts_on__gt=bounds[0])]
    conditions += [Q(facts_on__lte=a, facts_on__gt=b) for a, b in zip(bounds, bounds[1:], strict=False)]
    conditions += [Q(facts_on__lte=bounds[-1]), Q(facts_on=None)]
    labels = [_("up to %(n)d months") % {"n": steps[0]}]
    labels += [_("%(a)d to %(b)d months") % {"a": a, "b": b} for a, b in zip(steps, steps[1:], strict=False)]
    labels += [_("over %(n)d months") % {"n": steps[-1]}, _("without a date")]
    counted = Resource.objects.owned_by(owner).published().aggregate(
        **{f"n{i}": Count("pk", filter=condition) for i, condition in enumerate(conditions)}
    )  # fmt: skip
    counts = [counted[f"n{i}"] for i in range(len(conditions))]
    whole = sum(counts) or 1
    fresh_until = steps.index(stale)
    return [
        Age(label, n, 100 * n / whole, i > fresh_until) for i, (label, n) in enumerate(zip(labels, counts, strict=True))
    ], stale


def occupancy(owner: Organisation) -> list[Occupancy]:
    """What the owner has in the units of the reports, live resources only. Queries twice."""
    live = Resource.objects.owned_by(owner).filter(state__in=LIVE)
    lengths = live.aggregate(
        towers=Count("pk", filter=Q(kind=Kind.TOWER)),
        towers_full=Count("pk", filter=Q(kind=Kind.TOWER, tally__tone="full")),
        duct_m=Sum("length_m", filter=Q(kind=Kind.DUCT)),
        duct_full_m=Sum("length_m", filter=Q(kind=Kind.DUCT, tally__tone="full")),
        cable_km=Sum(_cable_km(""), filter=Q(kind=Kind.CABLE)),
        cable_full_km=Sum(_cable_km(""), filter=Q(kind=Kind.CABLE, tally__tone="full")),
    )
    km = _km_of_pool()
    sums = (
        CapacityPool.objects.filter(resource__owner=owner, resource__state__in=LIVE)
        .order_by()
        .values("unit")
        .annotate(
            total_sum=Sum("total"), used=Sum("in_use"), held=Sum("taken"), free_sum=Sum("free"),
            total_km=Sum(F("total") * km, output_field=KM), used_km=Sum(F("in_use") * km, output_field=KM),
            held_km=Sum(F("taken") * km, output_field=KM), free_km=Sum(F("free") * km, output_field=KM),
        )
    )  # fmt: skip
    by_unit = {row["unit"]: row for row in sums}
    return [line for line in _lines(lengths, by_unit) if line.total]


def _cable_km(path: str) -> Coalesce:
    """A cable's sheath length as recorded, else as drawn."""
    return Coalesce(F(f"{path}cable__sheath_km"), Cast(F(f"{path}length_m") / 1000.0, KM), output_field=KM)


def _km_of_pool() -> Case:
    return Case(
        When(unit=Unit.CORE, then=_cable_km("resource__")),
        When(unit=Unit.BORE, then=Cast(F("resource__length_m") / 1000.0, KM)),
        default=Value(Decimal(0)),
        output_field=KM,
    )


def _lines(lengths: dict[str, Any], by_unit: dict[str, Any]) -> list[Occupancy]:
    def whole(kind: str, what: str, unit: str, total: Any, full: Any) -> Occupancy:
        total, full = Decimal(str(total or 0)), Decimal(str(full or 0))
        return Occupancy(kind, what, unit, total, full, Decimal(0), total - full)

    def pool(kind: str, what: str, unit_word: str, unit: str, suffix: str = "") -> Occupancy:
        row = by_unit.get(unit, {})
        names = (f"total{suffix or '_sum'}", f"used{suffix}", f"held{suffix}", f"free{suffix or '_sum'}")
        return Occupancy(kind, what, unit_word, *(row.get(name) or Decimal(0) for name in names))

    return [
        whole("tower", _("Towers and poles"), pgettext("unit", "sites"), lengths["towers"], lengths["towers_full"]),
        pool("tower", _("Antenna positions"), _("positions"), Unit.POSITION),
        whole(
            "duct", _("Ducts, by route"), _("route-km"), _thousandth(lengths["duct_m"]),
            _thousandth(lengths["duct_full_m"]),
        ),
        pool("duct", _("Ducts, by bore"), _("bore-km"), Unit.BORE, "_km"),
        whole("cable", _("Cables, by sheath"), _("sheath-km"), lengths["cable_km"], lengths["cable_full_km"]),
        pool("cable", _("Cables, by core"), _("core-km"), Unit.CORE, "_km"),
        pool("room", _("Rooms, space"), "U", Unit.RACK_U),
        pool("room", _("Rooms, power"), "kW", Unit.KW),
    ]  # fmt: skip


def _thousandth(metres: float | None) -> Decimal:
    return Decimal(str(round(metres or 0, 1))) / 1000


def looks(owner: Organisation, *, today: dt.date | None = None) -> Looks:
    """Who opened the owner's pages in the last LOOK_DAYS days. Organisations, never persons. Queries four times."""
    today = today or timezone.localdate()
    since = today - dt.timedelta(days=LOOK_DAYS - 1)
    rows = LookCount.objects.filter(resource__owner=owner, day__gte=since).order_by()
    per_day = {
        row["day"]: row
        for row in rows.values("day").annotate(
            inside=Sum("count", filter=Q(organisation__isnull=False)),
            outside=Sum("count", filter=Q(organisation=None)),
        )
    }
    days = [
        Day(day, per_day.get(day, {}).get("inside") or 0, per_day.get(day, {}).get("outside") or 0)
        for day in days_back(LOOK_DAYS, today)
    ]
    top = rows.filter(organisation__isnull=False).values_list("organisation").annotate(n=Sum("count"))
    pairs = list(top.order_by("-n", "organisation")[:TOP])
    organisations = Organisation.objects.in_bulk([pk for pk, _n in pairs])
    seen = list(rows.values_list("resource").annotate(n=Sum("count")).order_by("-n", "resource")[:TOP])
    resources = Resource.objects.only("name", "kind").in_bulk([pk for pk, _n in seen])
    return Looks(
        days,
        [(organisations[pk], n) for pk, n in pairs],
        [(resources[pk], n) for pk, n in seen],
    )


def places_asked(owner: Organisation) -> int:
    """Questions for exact places that wait for an answer."""
    return DisclosureGrant.objects.filter(resource__owner=owner, state=DisclosureGrant.State.ASKED).count()
