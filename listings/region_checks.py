"""Where checked rows lie: the region under each place, held against what was declared. A few queries for all rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation, Region
from listings.places import outside, telling_spots
from listings.problems import Problem, error, warning
from listings.region_lookup import Outlines, common_region, has_outline, regions_at

if TYPE_CHECKING:
    from listings.checks import Checked


def find_regions(checked: "Sequence[Checked]", owner: Organisation, outlines: Outlines | None = None) -> None:
    """Gives each placed row its region, or says why it has none. outlines: for many rows, see regions_at()."""
    placed = [item for item in checked if item.place is not None]
    declared = _declared_regions(checked)
    spots = [(item, spot) for item in placed for spot in telling_spots(item.place)]  # type: ignore[arg-type]
    outlined: dict[str, bool] = {}
    names: dict[str, Region | None] = {}
    codes_of: dict[int, list[str | None]] = {}
    for (item, _spot), code in zip(spots, regions_at([s for _item, s in spots], outlines), strict=True):
        codes_of.setdefault(id(item), []).append(code)
    for item in placed:
        codes = [code for code in codes_of[id(item)] if code]
        word = str(item.row.data.get("region") or "").strip()
        choices = declared.get(word, [])
        if word and not choices:
            item.problems.append(
                warning(
                    "region",
                    "region_unknown",
                    _("%(region)s is no region we know.") % {"region": word},
                    _("Give the six-digit division code or its full name; the place decides meanwhile."),
                )
            )
        if codes:
            item.region_id = common_region(codes)
            if len(codes) < len(codes_of[id(item)]):
                item.problems.append(
                    warning("place", "partly_outside", _("Part of the line lies outside China's divisions."))
                )
            if choices and not any(region.covers(code) for region in choices for code in codes):
                item.problems.append(_elsewhere(choices[0], item.region_id, names))
            continue
        if item.row.is_abroad:
            item.region_id = owner.region_id
            item.problems.append(
                warning("place", "abroad", _("The place lies outside China's divisions; it is kept under %(region)s.")
                        % {"region": owner.region}, _("Nothing to do if that is right.")))  # fmt: skip
            continue
        # Abroad, or a division without an outline: what the owner declares (or where it is seated) holds.
        without_outline = [region for region in (choices or [owner.region]) if not _outlined(region, outlined)]
        if without_outline:
            item.region_id = without_outline[0].code
            item.problems.append(
                warning(
                    "place",
                    "region_unchecked",
                    _("%(region)s has no outline here: the place could not be checked against it.")
                    % {"region": without_outline[0]},
                )
            )
        else:
            item.problems.append(outside(item.place))  # type: ignore[arg-type]


def _outlined(region: Region, known: dict[str, bool]) -> bool:
    if region.code not in known:
        known[region.code] = has_outline(region)
    return known[region.code]


def _elsewhere(declared: Region, found: str, names: dict[str, Region | None]) -> Problem:
    if found not in names:
        names[found] = Region.objects.defer("polygon").filter(pk=found).first()
    there = names[found]
    return error(
        "place",
        "outside_declared",
        _("The place lies in %(found)s, not in %(declared)s as declared.")
        % {"found": there or found, "declared": declared},
        _("Correct the coordinates or the region."),
    )


def _declared_regions(checked: "Sequence[Checked]") -> dict[str, list[Region]]:
    """The regions each declared word can mean (names are not unique). Queries once, if any word is given."""
    words = {str(item.row.data.get("region") or "").strip() for item in checked} - {""}
    if not words:
        return {}
    meant: dict[str, list[Region]] = {}
    rows = Region.objects.defer("polygon")
    rows = rows.filter(models.Q(code__in=words) | models.Q(name_zh__in=words) | models.Q(name_en__in=words))
    for region in rows.order_by("level", "code"):
        for word in {region.code, region.name_zh, region.name_en} & words:
            meant.setdefault(word, []).append(region)
    return meant
