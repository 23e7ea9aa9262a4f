"""What changed: between two batches, during a notice, from version to version of a line. Readable, field by field."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Organisation
from listings.demand_exports import FEN_PER_YUAN
from listings.demand_rules import FIELDS
from listings.models import DemandLine, DemandList

SHOWN_MOST = 300  # of each sort, on one page
# Columns that make a change; the number is the list's own matter.
COLUMNS = tuple(DemandLine._meta.get_field(name).column for name in FIELDS)

# A line is the same need where its lineage is, or else where the applicant's own code is.
SQL = """
WITH old AS (SELECT * FROM listings_demandline WHERE demand_list_id = %(old)s),
new AS (SELECT * FROM listings_demandline WHERE demand_list_id = %(new)s),
o AS (
  SELECT old.*, CASE WHEN applicant_code = '' OR EXISTS (SELECT 1 FROM new WHERE new.lineage = old.lineage)
    THEN lineage::text ELSE concat(applicant_id, '|', applicant_name, '|', applicant_code) END AS key FROM old
), n AS (
  SELECT new.*, CASE WHEN applicant_code = '' OR EXISTS (SELECT 1 FROM old WHERE old.lineage = new.lineage)
    THEN lineage::text ELSE concat(applicant_id, '|', applicant_name, '|', applicant_code) END AS key FROM new
), told AS (
  SELECT CASE WHEN o.id IS NULL THEN 'added' WHEN n.id IS NULL THEN 'gone' ELSE 'changed' END AS sort,
         coalesce(n.number, o.number) AS number, coalesce(n.title, o.title) AS title, o.state AS old_state,
         CASE WHEN o.id IS NOT NULL AND n.id IS NOT NULL THEN ({old_json}) END AS before,
         CASE WHEN o.id IS NOT NULL AND n.id IS NOT NULL THEN ({new_json}) END AS after
    FROM o FULL JOIN n USING (key)
   WHERE o.id IS NULL OR n.id IS NULL OR ({old_row}) IS DISTINCT FROM ({new_row})
), numbered AS (
  SELECT *, row_number() OVER (PARTITION BY sort ORDER BY number) AS nth, count(*) OVER (PARTITION BY sort) AS many
    FROM told
)
SELECT sort, number, title, old_state, before, after, many FROM numbered WHERE nth <= %(most)s ORDER BY sort, number
"""


@dataclass
class Line:
    """A line that came, went or changed. differences: [{label, before, after}]; state: how a line that went stood."""

    number: int
    title: str
    state: str = ""
    differences: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Changes:
    """added, gone, changed: at most SHOWN_MOST of each, by number; counts: how many in all."""

    added: list[Line] = field(default_factory=list)
    gone: list[Line] = field(default_factory=list)
    changed: list[Line] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"added": 0, "gone": 0, "changed": 0})


def between(old: DemandList, new: DemandList) -> Changes:
    """What differs in the new batch from the old one. One query, and one for applicants' names."""

    def record(alias: str) -> str:
        return ", ".join(f"{alias}.{column}" for column in COLUMNS)

    def as_json(alias: str) -> str:
        pairs = ", ".join(
            f"'{name}', {f'ST_AsText({alias}.{column})' if name == 'place' else f'{alias}.{column}'}"
            for name, column in zip(FIELDS, COLUMNS, strict=True)
        )
        return f"jsonb_build_object({pairs})"

    sql = SQL.format(old_json=as_json("o"), new_json=as_json("n"), old_row=record("o"), new_row=record("n"))
    with connection.cursor() as cursor:
        cursor.execute(sql, {"old": old.pk, "new": new.pk, "most": SHOWN_MOST})
        rows = cursor.fetchall()
    made = Changes()
    states = dict(DemandLine.State.choices)
    pairs = []
    for sort, number, title, old_state, before, after, many in rows:
        line = Line(number, title, str(states.get(old_state, "")) if sort == "gone" else "")
        getattr(made, sort).append(line)
        made.counts[sort] = many
        if sort == "changed":
            load = json.loads if isinstance(before, str) else lambda value: value
            pairs.append((line, load(before), load(after)))
    names = names_of([shot for _line, before, after in pairs for shot in (before, after)])
    for line, before, after in pairs:
        line.differences = differences(before, after, names)
    return made


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[int, str] | None = None
) -> list[dict[str, str]]:
    """[{label, before, after}] for the fields of a line that differ; shots as listings.demand_shots writes them.

    Queries once for applicants' names unless they are given.
    """
    changed = [name for name in FIELDS if name in after and not _same(before.get(name), after[name])]
    known = names if names is not None else names_of([before, after])
    return [
        {
            "label": str(DemandLine._meta.get_field(name).verbose_name),
            "before": _shown(name, before.get(name), known),
            "after": _shown(name, after[name], known),
        }
        for name in changed
    ]


def _same(before: Any, after: Any) -> bool:
    return before == after or (before is not None and after is not None and str(before) == str(after))


def names_of(shots: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The names of the applicants the shots mention, by key. Queries once, if any."""
    ids = {shot["applicant"] for shot in shots if shot.get("applicant")}
    return {row.pk: row.name for row in Organisation.objects.filter(pk__in=ids).order_by("pk")} if ids else {}


def _shown(name: str, value: Any, names: Mapping[int, str]) -> str:
    if value in (None, "", []):
        return "–"
    if name == "applicant":
        return names.get(value, str(value))
    if name == "ceiling_fen_per_year":
        return f"¥{int(value) / FEN_PER_YUAN:,.2f}"
    if name == "place":
        return str(value) if len(str(value)) < 90 else _("%(start)s … (a longer shape)") % {"start": str(value)[:70]}
    described = DemandLine._meta.get_field(name)
    base = getattr(described, "base_field", described)
    choices = dict(getattr(base, "flatchoices", None) or [])
    if isinstance(value, list):
        return ", ".join(str(choices.get(item, item)) for item in value)
    return str(choices.get(value, value))
