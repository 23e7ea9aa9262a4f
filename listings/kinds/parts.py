"""What a duct or cable is made of, as a form or file gives it: bores, chambers, carrying lines. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import Point
from django.utils.translation import gettext_lazy as _

from listings.kinds.pools import PoolData, plain
from listings.problems import Problem, error

NESTING_MAX = 3  # bore, sub-duct, micro-duct; as trigger rule bore_depth


@dataclass(frozen=True)
class BoreData:
    """One bore (row and column on the face) or sub-duct (parent: the label of the bore it lies in)."""

    label: str
    row: int | None = None
    column: int | None = None
    parent: str = ""
    material: str = ""
    inner_mm: Decimal | None = None
    outer_mm: Decimal | None = None
    cable_count: int = 0
    occupancy_pct: Decimal | None = None
    cable_max_mm: Decimal | None = None
    mandrel_tested_on: dt.date | None = None
    blocked_at_m: Decimal | None = None

    @property
    def is_taken(self) -> bool:
        """Whether nothing more goes in: full, or blocked."""
        return self.blocked_at_m is not None or (self.occupancy_pct is not None and self.occupancy_pct >= 100)


@dataclass(frozen=True)
class ChamberData:
    """A chamber of the owner by its number, at an end or between. place None: the line's end, or where it stands."""

    code: str
    end: str
    chamber_type: str = "manhole"
    at_m: Decimal | None = None
    depth_m: Decimal | None = None
    place: Point | None = None


@dataclass(frozen=True)
class CarrierData:
    """A duct or pole that carries a cable, by our code or the owner's own; "line:NAME" means every pole of a line."""

    code: str
    bore: str = ""


@dataclass(frozen=True)
class Parts:
    """What is given beside facts and pools; None leaves that part as it is."""

    bores: Sequence[BoreData] | None = None
    chambers: Sequence[ChamberData] | None = None
    carriers: Sequence[CarrierData] | None = None


def pools_from_bores(bores: Sequence[BoreData]) -> list[PoolData]:
    """Capacity as the face says it: bores without sub-ducts, and sub-ducts, counted by inner diameter."""
    parents = {bore.parent for bore in bores if bore.parent}
    counted: dict[Decimal | None, list[int]] = {}
    for bore in bores:
        if bore.label not in parents:
            total_taken = counted.setdefault(bore.inner_mm, [0, 0])
            total_taken[0] += 1
            total_taken[1] += bore.is_taken
    return [
        PoolData(
            unit="bore",
            total=Decimal(total),
            in_use=Decimal(taken),
            label=f"⌀{plain(inner)}" if inner is not None and len(counted) > 1 else "",
            bore_mm=inner,
        )
        for inner, (total, taken) in sorted(counted.items(), key=lambda pair: -(pair[0] or 0))
    ]


def check_bores(bores: Sequence[BoreData], facts: Mapping[str, Any], length_m: float | None) -> list[Problem]:
    """What the CHECKs and triggers of bores say, in words and per bore."""
    problems: list[Problem] = []
    by_label = {bore.label: bore for bore in bores}
    seen: set[str] = set()
    places: set[tuple[int | None, int | None]] = set()
    for bore in bores:
        found = faults_of_bore(bore, by_label, facts, length_m)
        if bore.label in seen:
            found.append(_("another bore has this label"))
        if bore.row is not None and (bore.row, bore.column) in places:
            found.append(_("another bore stands at this row and column"))
        seen.add(bore.label)
        places.add((bore.row, bore.column))
        for said in found:
            message = _("Bore %(label)s: %(said)s.") % {"label": bore.label, "said": said}
            problems.append(error("bores", "bore", message))
    return problems


def faults_of_bore(
    bore: BoreData, by_label: Mapping[str, BoreData], facts: Mapping[str, Any], length_m: float | None
) -> list[Any]:
    """What is wrong with one bore among those of its duct, as parts of a sentence."""
    said: list[Any] = []
    if (bore.row is None) != (bore.column is None):
        said.append(_("give both row and column"))
    if bore.parent and bore.row is not None:
        said.append(_("a sub-duct has no row and column, the bore it lies in has"))
    for name, most in (("row", facts.get("face_rows")), ("column", facts.get("face_columns"))):
        at = getattr(bore, name)
        if at is not None and (at < 1 or (most and at > most)):
            said.append(_("it lies outside the rows and columns of the face"))
            break
    if bore.inner_mm is not None and bore.outer_mm is not None and bore.inner_mm >= bore.outer_mm:
        said.append(_("the inner diameter must be smaller than the outer"))
    if bore.cable_max_mm is not None and bore.inner_mm is not None and bore.cable_max_mm > bore.inner_mm:
        said.append(_("the largest cable is wider than the bore"))
    length = facts.get("surveyed_length_m") or length_m
    if bore.blocked_at_m is not None and length and float(bore.blocked_at_m) > float(length):
        said.append(_("“blocked at” lies beyond the end of the duct"))
    if bore.parent:
        said += _of_sub_duct(bore, by_label)
    return said


def _of_sub_duct(bore: BoreData, by_label: Mapping[str, BoreData]) -> list[Any]:
    outer = by_label.get(bore.parent)
    if outer is None or outer is bore:
        return [_("no other bore is called %(parent)s") % {"parent": bore.parent}]
    depth, above = 2, outer
    while above.parent in by_label and depth <= NESTING_MAX:
        above, depth = by_label[above.parent], depth + 1
    if depth > NESTING_MAX:
        return [_("sub-ducts go three deep at most")]
    width = bore.outer_mm if bore.outer_mm is not None else bore.inner_mm
    if width is not None and outer.inner_mm is not None and width >= outer.inner_mm:
        return [_("it is not narrower than the bore it lies in")]
    return []


def check_chambers(chambers: Sequence[ChamberData], length_m: float | None) -> list[Problem]:
    """One chamber per end, metres for those between, each number once."""
    problems: list[Problem] = []
    codes = [chamber.code for chamber in chambers]
    for chamber in chambers:
        said = _("named twice on the same duct") if codes.count(chamber.code) > 1 else None
        said = said or fault_of_chamber(chamber, chambers, length_m)
        if said is not None:
            message = _("Chamber %(code)s: %(said)s.") % {"code": chamber.code, "said": said}
            problems.append(error("chambers", "chamber", message))
    return problems


def fault_of_chamber(chamber: ChamberData, chambers: Sequence[ChamberData], length_m: float | None) -> Any:
    """What is wrong with one chamber among those of its duct, as part of a sentence; None: nothing."""
    if chamber.end == "between" and chamber.at_m is None:
        return _("say at how many metres from end A it stands")
    if chamber.end != "between" and chamber.at_m is not None:
        return _("at an end it has no metres")
    if chamber.at_m is not None and length_m and float(chamber.at_m) > length_m:
        return _("it lies beyond the end of the duct")
    if chamber.end != "between" and sum(c.end == chamber.end for c in chambers) > 1:
        return _("a duct has one chamber at each end")
    return None
