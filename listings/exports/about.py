"""What a file says of itself: what, when, for whom, which filter, which coordinates, on which terms."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from listings.exports.source import Counts
from listings.models import ExportJob, Kind
from listings.wording import plain_number

AXES = {
    ExportJob.System.WGS84: "EPSG:4326",
    ExportJob.System.CGCS2000: "EPSG:4490",
}


def facts(job: ExportJob, counts: Counts) -> list[tuple[str, str]]:
    """(name, value) pairs in the active language, for the sheet, table or text beside the rows."""
    for_whom = job.organisation.name if job.organisation else _("a visitor, without an account")
    if job.created_by:
        for_whom = f"{for_whom} · {job.created_by.name or job.created_by.email}"
    kinds = ", ".join(f"{Kind(kind).label} {plain_number(n)}" for kind, n in counts.by_kind.items())
    rows: list[tuple[str, str]] = [
        (_("What"), _("Resources from 共建 Gongjian, %(address)s") % {"address": settings.BASE_URL}),
        (_("List"), str(job.get_scope_display())),
        (_("Filter"), job.filter_text or _("none: everything on the list")),
        (_("As of"), timezone.localtime(job.created_at).strftime("%Y-%m-%d %H:%M %Z")),
        (_("For whom"), for_whom),
        (_("Rows"), f"{plain_number(counts.total)} ({kinds})" if kinds else "0"),
        (_("Coordinate system"), _system(job)),
        (_("How exact the places are"), _exactness()),
        (_("Conditions of use"), _terms(job)),
    ]
    if counts.left_out:
        left = _("%(count)s resources of other owners are important data and not handed out in files.")
        rows.append((_("Left out"), left % {"count": plain_number(counts.left_out)}))
    if job.scope == ExportJob.Scope.OWN:
        rows.append((_("Reading it back"), _reading_back()))
    return rows


def _system(job: ExportJob) -> str:
    if job.crs == ExportJob.System.CGCS2000:
        return _(
            "CGCS2000, EPSG:4490, degrees. Longitude first, then latitude, as programs write it; the register itself "
            "(EPSG) names latitude first. It agrees with WGS84 to within centimetres: the numbers are the same."
        )
    return _("WGS84, EPSG:4326, degrees. Longitude first, then latitude.")


def _exactness() -> str:
    return _(
        "Each row says it under “Place given as”. A blurred place is the middle of a cell of at least 1 km or a line "
        "laid over such cells; it is the same each time and its coordinates must not be read as the real ones."
    )


def _terms(job: ExportJob) -> str:
    return _(
        "For planning the sharing of these resources, by the organisation named above. Not to be passed on or "
        "published; exact places least of all. The owner's word on its own page prevails."
    )


def _reading_back() -> str:
    return _(
        "Changed here, the file can be imported again: rows are found by your own code, an empty cell changes nothing, "
        "and capacity that one row cannot say in full is left empty."
    )


def as_text(pairs: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in pairs)
