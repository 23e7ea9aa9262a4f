"""Putting a draft in order: many lines changed alike, merged, split, marked as duplicates, copied to the next batch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.events import record
from accounts.models import Membership
from accounts.rules import rule
from listings import copying
from listings import demand_permissions as permissions
from listings.demand_rules import FIELDS, NOTES_MAX, QUANTITY_MAX, ROOM_U_MAX, TITLE_MAX, Jurisdiction, check_line
from listings.demand_shots import acting, as_json
from listings.models import DemandLine, DemandList

from .demand_lines import BATCH_ROWS, close_ranks, fill, next_number, writable
from .demand_lists import create_list, lock_list

ALIKE = ("needed_by", "months", "priority", "tolerance_m", "ceiling_fen_per_year", "sectors", "sharing_modes")


def _chosen(row: DemandList, line_ids: Iterable[int]) -> list[DemandLine]:
    """The lines of the list with these numbers of row, locked in order; Refused where one has gone."""
    ids = set(line_ids)
    lines = list(row.lines.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk"))
    if not lines or len(lines) != len(ids):
        raise Refused(_("Some of these lines are no longer on the list."), code="gone")
    return sorted(lines, key=lambda line: line.number)


@transaction.atomic
def edit_lines_alike(
    *, demand_list: DemandList, membership: Membership, line_ids: Iterable[int], fields: Mapping[str, Any]
) -> int:
    """Gives many lines of a draft the same values (ALIKE names which fields), all or none; gives how many.

    One UPDATE however many lines. Raises ValidationError("line N: …") for the first that would be wrong.
    """
    if unknown := set(fields) - set(ALIKE):
        raise TypeError(f"not set for many lines at once: {sorted(unknown)}")
    row = writable(demand_list, membership)
    lines = _chosen(row, line_ids)
    fill(lines[0], fields)
    lines[0].demand_list = row
    try:
        check_line(lines[0], Jurisdiction.of(row))  # the values are the same for all, and none depends on another field
    except ValidationError as error:
        raise Refused(" ".join(error.messages), code="invalid") from error
    row.lines.filter(pk__in=[line.pk for line in lines]).update(**fields, updated_at=timezone.now())
    numbers = [line.number for line in lines]
    record(
        "list.edit_lines", row, by=membership.user, organisation=membership.organisation,
        after={"count": len(lines), "first": numbers[0], "last": numbers[-1]} | as_json(lines[0], fields),
    )  # fmt: skip
    return len(lines)


@transaction.atomic
def merge_lines(
    *, demand_list: DemandList, membership: Membership, line_ids: Sequence[int], is_sum: bool
) -> DemandLine:
    """The first of the lines (by number) takes the others in. is_sum: quantities, rack units and power add up; else the
    largest stays. The thickest cable stays in any case.

    The others leave the draft; their versions stay, and the notes name them. Refused for lines of two kinds.
    """
    row = writable(demand_list, membership)
    lines = _chosen(row, line_ids)
    if len(lines) < 2:
        raise Refused(_("Choose at least two lines to merge."), code="too_few")
    if len({line.kind for line in lines}) > 1:
        raise Refused(_("Lines of different kinds cannot be merged."), code="kinds")
    kept, others = lines[0], lines[1:]
    before = as_json(kept)
    kept.quantity = sum(line.quantity for line in lines) if is_sum else max(line.quantity for line in lines)
    if kept.quantity > QUANTITY_MAX:
        raise Refused(_("The quantity lies between 1 and %(max)d.") % {"max": QUANTITY_MAX}, code="quantity")
    for name, chosen in (("room_u", sum if is_sum else max), ("power_kw", sum if is_sum else max), ("cable_mm", max)):
        asked = [value for line in lines if (value := getattr(line, name)) is not None]
        setattr(kept, name, chosen(asked) if asked else None)
    if (kept.room_u or 0) > ROOM_U_MAX:
        raise Refused(
            _("Rack units at the same site lie between 1 and %(max)d.") % {"max": ROOM_U_MAX}, code="quantity"
        )
    names = ", ".join(f"{line.number} {line.title}" for line in others)
    merged = _("Merged with: %(lines)s") % {"lines": names}
    kept.notes = f"{kept.notes} {merged}".strip()[:NOTES_MAX]
    kept.priority = min(line.priority for line in lines)
    kept.needed_by = min((line.needed_by for line in lines if line.needed_by), default=None)
    kept.duplicate_of = None
    told = [
        "quantity",
        "room_u",
        "power_kw",
        "cable_mm",
        "notes",
        "priority",
        "needed_by",
        "duplicate_of",
        "updated_at",
    ]
    kept.save(update_fields=told)
    record(
        "line.merge", kept, by=membership.user, organisation=membership.organisation, before=before,
        after=as_json(kept) | {"merged": [as_json(line) | {"number": line.number} for line in others[:200]]},
    )  # fmt: skip
    row.lines.filter(pk__in=[line.pk for line in others]).delete()
    close_ranks(row)
    kept.refresh_from_db()
    return kept


@transaction.atomic
def split_line(*, line: DemandLine, membership: Membership, quantities: Sequence[int]) -> list[DemandLine]:
    """The line keeps the first quantity, new lines at the end of the draft take the others. They must add up."""
    row = writable(line.demand_list, membership)
    fresh = _chosen(row, [line.pk])[0]
    if len(quantities) < 2 or min(quantities) < 1 or sum(quantities) != fresh.quantity:
        raise Refused(
            _("The parts must be whole numbers that add up to %(quantity)d.") % {"quantity": fresh.quantity},
            code="parts",
        )
    before, number = as_json(fresh), next_number(row)
    parts = []
    for position, quantity in enumerate(quantities[1:], start=2):
        part = DemandLine(demand_list=row, number=number + position - 2, handed_in_by_id=fresh.handed_in_by_id)
        fill(part, {name: getattr(fresh, name) for name in FIELDS})
        part.quantity = quantity
        part.title = f"{fresh.title[: TITLE_MAX - 8]} ({position})"
        part.applicant_code = f"{fresh.applicant_code[:70]}/{position}" if fresh.applicant_code else ""
        part.full_clean()
        parts.append(part)
    DemandLine.objects.bulk_create(parts)
    fresh.quantity = quantities[0]
    fresh.save(update_fields=["quantity", "updated_at"])
    record(
        "line.split", fresh, by=membership.user, organisation=membership.organisation, before=before,
        after={"quantity": fresh.quantity, "parts": [[part.number, part.quantity] for part in parts]},
    )  # fmt: skip
    return [fresh, *parts]


# A line is a duplicate of the first line of the same kind and applicant whose place lies within the region's rule.
DUPLICATES_SQL = """
WITH pairs AS (
  SELECT l.id, min(o.number) AS first
    FROM listings_demandline l
    JOIN listings_demandline o ON o.demand_list_id = l.demand_list_id AND o.kind = l.kind AND o.number < l.number
     AND o.applicant_id IS NOT DISTINCT FROM l.applicant_id AND o.applicant_name = l.applicant_name
     AND o.state = 'open' AND o.place && ST_Expand(l.place, %(degrees)s)
     AND ST_DWithin(o.place::geography, l.place::geography, %(metres)s)
   WHERE l.demand_list_id = %(list)s AND l.state = 'open' AND l.duplicate_of_id IS NULL
   GROUP BY l.id
)
UPDATE listings_demandline l SET duplicate_of_id = o.id, updated_at = now()
  FROM pairs JOIN listings_demandline o ON o.demand_list_id = %(list)s AND o.number = pairs.first
 WHERE l.id = pairs.id
"""
METRES_PER_DEGREE = 50_000  # a degree of longitude in the far north of China is about this; the box only narrows down


@transaction.atomic
def find_duplicates(*, demand_list: DemandList, membership: Membership) -> int:
    """Marks lines that ask for the same place, kind and operator as an earlier one; gives how many were marked.

    How near is the region's rule duplicate.line_m. A mark changes nothing else: the curator merges, deletes or unmarks.
    """
    row = writable(demand_list, membership)
    metres = rule("duplicate.line_m", row.region).whole
    with connection.cursor() as cursor:
        cursor.execute(
            DUPLICATES_SQL, {"list": row.pk, "metres": metres, "degrees": max(metres, 1) / METRES_PER_DEGREE}
        )
        count = cursor.rowcount
    if count:
        record("list.find_duplicates", row, by=membership.user, organisation=membership.organisation,
               after={"count": count, "within_m": metres})  # fmt: skip
    return int(count)


@transaction.atomic
def mark_duplicates(
    *, demand_list: DemandList, membership: Membership, line_ids: Sequence[int], is_duplicate: bool
) -> int:
    """Marks the lines as duplicates of the first of them, or takes their marks away; gives how many changed."""
    row = writable(demand_list, membership)
    lines = _chosen(row, line_ids)
    if is_duplicate and len(lines) < 2:
        raise Refused(_("Choose the line and its duplicates: at least two."), code="too_few")
    marked = lines[1:] if is_duplicate else lines
    if is_duplicate:  # the first stays: it is nobody's duplicate, so that no two lines name each other
        row.lines.filter(pk=lines[0].pk, duplicate_of__isnull=False).update(
            duplicate_of=None, updated_at=timezone.now()
        )
    row.lines.filter(pk__in=[line.pk for line in marked]).update(
        duplicate_of=lines[0] if is_duplicate else None, updated_at=timezone.now()
    )
    numbers = [line.number for line in marked[:200]]
    record(
        "list.mark_duplicates", row, by=membership.user, organisation=membership.organisation,
        after={"numbers": numbers, "of": lines[0].number if is_duplicate else None},
    )  # fmt: skip
    return len(marked)


@transaction.atomic
def copy_list(
    *, demand_list: DemandList, membership: Membership, batch: str, title_zh: str, title_en: str = ""
) -> DemandList:
    """The next batch as a draft: every line still open or asked for, under the same lineage. Few queries.

    Raises as create_list, and Refused for a list that has not been published.
    """
    old = lock_list(demand_list)
    if not permissions.works_for(membership, old):
        raise permissions.other_bureau()
    if not old.is_public:
        raise Refused(_("Only a published list is copied to the next batch."), code="wrong_state")
    if batch <= old.batch:
        raise Refused(_("The next batch comes after %(batch)s.") % {"batch": old.batch}, code="batch")
    if twin := old.followers.filter(batch=batch).order_by("pk").first():
        raise Refused(
            _("This list has been copied to %(batch)s already: %(reference)s.")
            % {"batch": batch, "reference": twin.reference},
            code="copied",
        )
    made = create_list(
        membership=membership, region=old.region, title_zh=title_zh, title_en=title_en, batch=batch,
        summary_zh=old.summary_zh, summary_en=old.summary_en, previous=old, is_demo=old.is_demo,
        co_signers=[mark.bureau for mark in old.co_signers.select_related("bureau")],
    )  # fmt: skip
    acting(membership.user)
    rows = old.lines.filter(state__in=["open", "requested"]).order_by("number")
    lines, now = [], timezone.now()
    for number, line in enumerate(rows.iterator(chunk_size=BATCH_ROWS), start=1):
        copy = DemandLine(demand_list=made, number=number, lineage=line.lineage, created_at=now, updated_at=now)
        fill(copy, {name: getattr(line, name) for name in FIELDS if name != "applicant"})
        copy.applicant_id = line.applicant_id
        lines.append(copy)
    copying.insert(lines)
    record("list.copy", made, by=membership.user, organisation=membership.organisation,
           after={"from": old.reference, "count": len(lines)})  # fmt: skip
    return made
