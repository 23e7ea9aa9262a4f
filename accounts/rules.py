"""Numbers the law or a region sets: read here, never written into code.

DEFAULTS holds the value, unit and source that hold where no region says otherwise; RegionRule rows
override them. The pages show value, unit and source together.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .models import Region, RegionRule


@dataclass(frozen=True)
class Default:
    label: str | Promise
    value: Decimal
    unit: str | Promise
    source: str | Promise
    is_example: bool = False  # a figure seen only in a weak or secondary source


@dataclass(frozen=True)
class Rule:
    """A rule as it holds for a region on a day."""

    key: str
    label: str | Promise
    value: Decimal
    unit: str | Promise
    source: str | Promise
    is_example: bool
    region: Region | None = None  # None: the product's default

    @property
    def whole(self) -> int:
        """The value as a whole number (days, metres)."""
        return int(self.value)


WORKING_DAYS = _("working days")
PRACTICE = _("common practice in provincial methods; confirm with your bureau")
QUOTA = _("an order of size only; replace it by your province's construction quota")

ROOMS = _("GB 50174-2017 counts 2 to 4 m² per rack at design; the middle is taken: set your own")
SUPPLY = _("rules of electricity supply ask users of 100 kVA and more for 0.90; confirm with your supplier")
PRODUCT = _("this product's default; set your own")
NEC = _("NFPA 70 (NEC), chapter 9, table 1: one cable in a pipe; confirm against the standard you build by")
TOWER_PRACTICE = _("practice of the tower company since 2018 by secondary sources; confirm before use")
TAX = _(
    "rate for leases of immovable property under the rules of value-added tax; check what your contract falls under"
)


def _days(label, days: int) -> Default:
    return Default(label, Decimal(days), WORKING_DAYS, PRACTICE, is_example=True)


DEFAULTS: dict[str, Default] = {
    "clock.objection": _days(_("objections to a demand list"), 15),
    "clock.objection_decision": _days(_("decision on an objection"), 10),
    "notice.correction_days": _days(_("notice left at least after a correction"), 5),
    "notice.correction_restarts": Default(
        _("a correction begins the notice anew (1) or extends it (0)"), Decimal(0), _("1 or 0"), PRACTICE,
        is_example=True,
    ),
    "clock.completeness": _days(_("completeness check"), 10),
    "clock.resubmission": _days(_("resubmission"), 5),
    "clock.survey": _days(_("joint survey"), 45),
    "clock.offer": _days(_("first offer"), 14),
    "clock.offer_validity": _days(_("validity of an offer"), 14),
    "clock.signing": _days(_("signing of agreed terms"), 10),
    "clock.hold": _days(_("hold on capacity"), 10),
    "clock.mediation": _days(_("bureau mediation"), 20),
    "clock.contest": _days(_("contesting a refusal"), 10),
    "clock.legs": _days(_("how an all-or-nothing joint request goes on after a leg failed"), 10),
    "clock.proposal": _days(_("answer to the bureau's proposal"), 10),
    "clock.on_hold": _days(_("longest hold-up of a request"), 30),
    "clock.warning": _days(_("warning before a clock runs out"), 3),
    "clock.use": Default(
        _("reserved capacity taken into use"), Decimal(120), _("days"), PRACTICE, is_example=True
    ),
    "clock.build": _days(_("works, until acceptance is called for"), 60),
    "clock.acceptance": _days(_("acceptance of works"), 10),
    "clock.rectification": _days(_("rectification after an inspection"), 15),
    "clock.exit_notice": Default(_("notice before an exit"), Decimal(90), _("days"), PRACTICE, is_example=True),
    "warning.use": Default(
        _("warning before unused capacity lapses or a notice ends"), Decimal(30), _("days"), PRACTICE, is_example=True
    ),
    "warning.term": Default(
        _("warning before an agreement's period ends"), Decimal(60), _("days"), PRACTICE, is_example=True
    ),
    **{
        f"money.{name}": Default(label, Decimal(value), "%", TOWER_PRACTICE, is_example=True)
        for name, label, value in (
            ("markup_pct", _("mark-up on cost, cost-based price"), 10),
            ("discount_two_pct", _("sharing discount with two tenants"), 30),
            ("discount_three_pct", _("sharing discount with three tenants and more"), 40),
            ("anchor_pct", _("further discount for the anchor tenant"), 5),
        )
    },
    "money.tax_pct": Default(_("value-added tax in prices"), Decimal(9), "%", TAX, is_example=True),
    "money.index_cap_pct": Default(
        _("largest change a year by indexation"), Decimal(5), "%", PRODUCT, is_example=True
    ),
    "clock.grant": _days(_("length of a grant of an exact place"), 20),
    "clock.invitation": _days(_("validity of an invitation"), 10),
    "clock.verification": _days(_("verification of an organisation"), 5),
    "filing.cutoff_minutes": Default(
        _("cut-off after which a filing counts as the next day"), Decimal(16 * 60 + 30), _("minutes after midnight"),
        PRACTICE, is_example=True,
    ),
    "cap.open_holds": Default(
        _("open requests with a hold, per organisation and owner"), Decimal(50), pgettext_lazy("unit", "requests"),
        PRACTICE, is_example=True,
    ),
    "cap.queue_places": Default(
        _("places in queues, per organisation"), Decimal(20), pgettext_lazy("unit", "places"), PRODUCT, is_example=True
    ),
    "cap.pool_percent": Default(
        _("of one capacity pool, kept by one organisation at most"), Decimal(100), "%", PRODUCT, is_example=True
    ),
    "works.join_days": Default(
        _("time to join planned works, at least, from publication"), Decimal(20), _("days"), PRACTICE, is_example=True
    ),
    "works.alert_m": Default(
        _("distance of a demand line at which planned works are announced to its applicant"), Decimal(1000),
        pgettext_lazy("unit", "m"), PRODUCT, is_example=True,
    ),
    "works.room_m2_per_rack": Default(
        _("floor of a machine room that one rack takes, with its aisles"), Decimal(3), _("m² per rack"), ROOMS,
        is_example=True,
    ),
    "works.power_factor_pct": Default(
        _("power factor: what of a reserved kVA can be used as kW"), Decimal(90), "%", SUPPLY, is_example=True
    ),
    "clock.reservation": _days(_("bureau's answer to space and power reserved in subways, tunnels and bridges"), 15),
    "clock.queue_offer": _days(_("taking up the offer of a queue"), 5),
    "cap.hold_ups": Default(
        _("hold-ups of one request, per side"), Decimal(2), _("times"), PRACTICE, is_example=True
    ),
    "cap.open_invitations": Default(
        _("open invitations, per organisation"), Decimal(30), _("invitations"), PRACTICE, is_example=True
    ),
    "same_route.m": Default(_("same route, to either side"), Decimal(500), "m", PRACTICE, is_example=True),
    "same_route.direction_degrees": Default(
        _("same direction, angle at most"), Decimal(30), "°", PRACTICE, is_example=True
    ),
    "same_site.barred_years": Default(
        _("who declines to co-build is barred there for"), Decimal(3), _("years"), PRACTICE, is_example=True
    ),
    "duplicate.line_m": Default(
        _("two lines ask for the same place within"), Decimal(50), "m", PRACTICE, is_example=True
    ),
    "cap.saved_searches": Default(
        _("saved searches, per person"), Decimal(30), _("searches"), PRODUCT, is_example=True
    ),
    "export.rows_per_day": Default(
        _("rows of other owners in files, per organisation and day"), Decimal(100_000), _("rows"), PRODUCT,
        is_example=True,
    ),
    "export.rows_unverified": Default(
        _("rows in one file for visitors and organisations not verified"), Decimal(1_000), _("rows"), PRODUCT,
        is_example=True,
    ),
    "export.important": Default(
        _("other owners' important data in files (0: kept out, 1: as shown)"), Decimal(0), _("yes or no"), PRODUCT,
        is_example=True,
    ),
    "export.days_kept": Default(
        _("how long a finished file waits to be fetched"), Decimal(7), _("days"), PRODUCT, is_example=True
    ),
    "duct.fill_pct": Default(
        _("share of a bore's cross-section one cable may fill"), Decimal(53), "%", NEC, is_example=True
    ),
    "match.radius_m": Default(_("search radius where a line names none"), Decimal(500), "m", PRACTICE, is_example=True),
    **{
        f"build.{name}_yuan_per_m": Default(label, Decimal(yuan), _("yuan per metre"), QUOTA, is_example=True)
        for name, label, yuan in (
            ("carriageway", _("digging under a carriageway"), 600),
            ("footway", _("digging under a footway"), 350),
            ("verge", _("digging in a verge or field"), 180),
            ("pole_line", _("a new pole line"), 90),
        )
    },
    "build.life_years": Default(_("years over which building is written off"), Decimal(20), _("years"), QUOTA,
        is_example=True),
    "build.tower_yuan": Default(_("a new tower with its foundation"), Decimal(300_000), _("yuan"), QUOTA,
        is_example=True),
    "build.tower_steel_kg": Default(_("steel of a new tower"), Decimal(8_000), "kg", QUOTA, is_example=True),
    "build.trench_steel_kg_per_m": Default(_("steel of a new duct"), Decimal(2), "kg/m", QUOTA, is_example=True),
    "carbon.steel_kg_per_kg": Default(_("carbon dioxide per kilogram of steel"), Decimal("1.85"), "kg/kg",
        _("world average of steelmaking; replace it by the factor your province prescribes"), is_example=True),
    "carbon.trench_kg_per_m": Default(_("carbon dioxide of digging"), Decimal(25), "kg/m", QUOTA, is_example=True),
    "build.share_radius_m": Default(_("a new tower serves lines within"), Decimal(500), "m", PRACTICE,
        is_example=True),
    "build.tower_tenants": Default(_("antenna positions of a new tower"), Decimal(9), _("positions"), PRACTICE,
        is_example=True),
    "route.transfer_yuan_per_year": Default(_("cost of a transfer to another owner's line"), Decimal(1_000),
        _("yuan per year"), PRACTICE, is_example=True),
    "route.snap_m": Default(_("ends nearer than this are one chamber"), Decimal(5), "m", PRACTICE, is_example=True),
    "route.gap_max_m": Default(_("longest gap that is offered to be built"), Decimal(300), "m", PRACTICE,
        is_example=True),
    "same_site.settled_m": Default(_("same site, settled area"), Decimal(500), "m", PRACTICE, is_example=True),
    "same_site.elsewhere_m": Default(_("same site, elsewhere"), Decimal(3000), "m", PRACTICE, is_example=True),
    "freshness.stale_months": Default(_("facts are stale after"), Decimal(12), _("months"), PRACTICE, is_example=True),
}  # fmt: skip


def rule(key: str, region: Region | str | None = None, *, on: dt.date | None = None) -> Rule:
    """The rule as it holds in the region (or code) on the day; None means nowhere in particular.

    Queries once when a region is given. KeyError for an unknown key.
    """
    default = DEFAULTS[key]
    code = region.code if isinstance(region, Region) else region
    if code:
        on = on or timezone.localdate()
        above = {"100000", code[:2] + "0000", code[:4] + "00", code}
        row = (
            RegionRule.objects.filter(key=key, region_id__in=above, valid_from__lte=on)
            .filter(Q(valid_until=None) | Q(valid_until__gte=on))
            .select_related("region")
            .order_by("-region__level", "-valid_from")
            .first()
        )
        if row:
            return Rule(key, default.label, row.value, default.unit, row.source, False, row.region)
    return Rule(key, default.label, default.value, default.unit, default.source, default.is_example)
