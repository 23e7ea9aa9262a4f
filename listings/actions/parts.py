"""Bores, chambers and carrying lines of one resource: replaced as a whole, inside save_resource()'s transaction."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.gis.geos import LineString, Point
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from listings.kinds.parts import BoreData, CarrierData, ChamberData, Parts
from listings.models import Bore, Carriage, Chamber, DuctChamber, Kind, Reservation, Resource
from listings.problems import Invalid, error

BORE_FIELDS = [
    "row", "column", "material", "inner_mm", "outer_mm", "cable_count", "occupancy_pct", "cable_max_mm",
    "mandrel_tested_on", "blocked_at_m",
]  # fmt: skip


def replace_parts(resource: Resource, parts: Parts, membership: Membership) -> dict[str, tuple[Any, Any]]:
    """Stores what is given; gives name → (before, after) in words for what changed. The resource is locked already.

    Raises Invalid for a carrier that is not there or may not be named. Checks of bores and chambers came before.
    """
    changed: dict[str, tuple[Any, Any]] = {}
    if parts.bores is not None:
        changed["bores"] = _changed(_bore_words, resource, lambda: _replace_bores(resource, parts.bores or ()))
    if parts.chambers is not None:
        changed["chambers"] = _changed(
            _chamber_words, resource, lambda: _replace_chambers(resource, parts.chambers or ())
        )
    if parts.carriers is not None:
        changed["carriers"] = _changed(
            _carrier_words, resource, lambda: _replace_carriers(resource, parts.carriers or (), membership)
        )
    return {name: pair for name, pair in changed.items() if pair[0] != pair[1]}


def _changed(
    words: Callable[[Resource], list[str]], resource: Resource, replace: Callable[[], None]
) -> tuple[list[str], list[str]]:
    before = words(resource)
    replace()
    return before, words(resource)


def parts_now(resource: Resource, name: str) -> list[Any]:
    """The resource's bores, chambers or carriers as they stand, as a form or file gives them. Queries once."""
    if name == "bores":
        rows = resource.bores.select_related("parent").order_by("label")
        return [
            BoreData(b.label, parent=b.parent.label if b.parent else "", **{n: getattr(b, n) for n in BORE_FIELDS})
            for b in rows
        ]
    if name == "chambers":
        links = resource.chamber_links.select_related("chamber").order_by("chamber__code")
        return [
            ChamberData(li.chamber.code, li.end, li.chamber.chamber_type, li.at_m, li.chamber.depth_m) for li in links
        ]
    held = resource.carriers.select_related("carrier", "bore").order_by("pk")
    return [CarrierData(row.carrier.code, row.bore.label if row.bore else "") for row in held]


def _bore_words(resource: Resource) -> list[str]:
    rows = resource.bores.select_related("parent").order_by("label")
    return [
        f"{b.label}{f' in {b.parent.label}' if b.parent else ''}: "
        + ", ".join(f"{name} {getattr(b, name)}" for name in BORE_FIELDS if getattr(b, name) not in (None, "", 0))
        for b in rows
    ]


def _replace_bores(resource: Resource, given: Sequence[BoreData]) -> None:
    """By label: changed, added, taken away. Parents are set once all have their keys."""
    old = {bore.label: bore for bore in resource.bores.order_by("pk")}
    wanted = {data.label: data for data in given}
    Bore.objects.filter(pk__in=[bore.pk for label, bore in old.items() if label not in wanted]).delete()
    # Places are swapped by way of none, as each row is looked at on its own by the unique constraint.
    Bore.objects.filter(duct=resource).update(row=None, column=None, parent=None)
    for label, data in wanted.items():
        bore = old.get(label) or Bore(duct=resource, label=label)
        for name in BORE_FIELDS:
            setattr(bore, name, getattr(data, name))
        bore.parent = None
        bore.save()
        old[label] = bore
    for label, data in wanted.items():
        if data.parent:
            Bore.objects.filter(pk=old[label].pk).update(parent=old[data.parent])


def _chamber_words(resource: Resource) -> list[str]:
    links = resource.chamber_links.select_related("chamber").order_by("chamber__code")
    return [
        f"{link.chamber.code} ({link.chamber.chamber_type}) {link.end}{'' if link.at_m is None else f' {link.at_m} m'}"
        for link in links
    ]


def _replace_chambers(resource: Resource, given: Sequence[ChamberData]) -> None:
    """Chambers of the owner are found by number or made; one that no duct names any more goes."""
    before = list(resource.chamber_links.values_list("chamber_id", flat=True))
    resource.chamber_links.all().delete()
    for data in given:
        chamber = Chamber.objects.filter(owner_id=resource.owner_id, code=data.code).first()
        if chamber is None:
            chamber = Chamber(owner_id=resource.owner_id, code=data.code, place=_place(resource, data))
        elif data.place is not None:
            chamber.place = data.place
        chamber.chamber_type, chamber.depth_m = data.chamber_type, data.depth_m
        chamber.save()
        DuctChamber.objects.create(duct=resource, chamber=chamber, end=data.end, at_m=data.at_m)
    Chamber.objects.filter(pk__in=before, duct_links=None).delete()


def _place(resource: Resource, data: ChamberData) -> Point:
    """Where a chamber stands if nothing is said: the line's end, or so many metres along it."""
    if data.place is not None:
        return data.place
    place = resource.place
    parts = [LineString(part) for part in place.coords] if place.geom_type == "MultiLineString" else [place]
    if data.end == "b":
        spot = Point(parts[-1][-1])
    elif data.end == "a" or not resource.length_m:
        spot = Point(parts[0][0])
    else:
        spot = parts[0].interpolate_normalized(min(1.0, float(data.at_m or 0) / resource.length_m))
    spot.srid = 4326
    return spot


def _carrier_words(resource: Resource) -> list[str]:
    rows = resource.carriers.select_related("carrier", "bore").order_by("carrier__owner_code")
    return [f"{row.carrier.code}{f' {row.bore.label}' if row.bore else ''}" for row in rows]


def _replace_carriers(cable: Resource, given: Sequence[CarrierData], membership: Membership) -> None:
    wanted: dict[int, Bore | None] = {}
    problems = []
    for data in given:
        found = list(carriers_named(cable.owner_id, data.code))
        if not found:
            message = _("%(code)s is no duct or pole of yours, or one you have space in.") % {"code": data.code}
            problems.append(error("carriers", "carrier_unknown", message, _("Give its code, or line:NAME for a line.")))
        for carrier in found:
            bore = carrier.bores.filter(label=data.bore).first() if data.bore else None
            if data.bore and bore is None:
                message = _("%(code)s has no bore called %(bore)s.") % {"code": data.code, "bore": data.bore}
                problems.append(error("carriers", "carrier_bore", message))
            wanted[carrier.pk] = bore
    if problems:
        raise Invalid(problems)
    cable.carriers.exclude(carrier_id__in=wanted).delete()
    for carrier_id, bore in wanted.items():
        Carriage.objects.update_or_create(cable=cable, carrier_id=carrier_id, defaults={"bore": bore})


def carriers_named(owner: int, code: str) -> QuerySet[Resource]:
    """Ducts and poles an owner of cables has (or manages, or holds reserved space in), by code or line name."""
    reserved = Reservation.objects.active().filter(organisation=owner).values("pool__resource")
    own = Q(owner=owner) | Q(manager=owner) | Q(pk__in=reserved)
    rows = Resource.objects.filter(own, kind__in=[Kind.DUCT, Kind.TOWER]).only("pk", "kind", "owner_id", "owner_code")
    if code.lower().startswith("line:"):
        return rows.filter(kind=Kind.TOWER, tower__line_name=code[5:].strip()).exclude(tower__line_name="")[:2000]
    if code[:1].upper() in ("D", "T") and code[1:].isdecimal() and len(code) == 9:
        return rows.filter(pk=int(code[1:]))
    return rows.filter(owner_code=code)[:1]
