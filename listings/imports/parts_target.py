"""Files of parts: bores with sub-ducts, chambers of ducts, and what carries which cable. See kinds/part_columns.py.

A row adds a part to what its duct or cable has, or changes the one of that name; a file never takes parts away. The
parts of one duct are judged together, as they will stand, and stored by save_resource() as from the form.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.errors import Refused
from accounts.models import Membership
from listings.actions.parts import carriers_named, parts_now
from listings.actions.resources import save_resource
from listings.imports.findings import Finding, error
from listings.imports.resource_target import LANGUAGES, RESOURCES
from listings.imports.targets import Draft, Progress, Stored
from listings.kinds.part_columns import PART_KINDS, PartKind, as_json, from_json
from listings.kinds.parts import Parts, fault_of_chamber, faults_of_bore, pools_from_bores
from listings.kinds.pools import PoolData
from listings.kinds.registry import SPECS
from listings.kinds.spec import ColumnSpec
from listings.models import ImportJob, ImportRow, Resource
from listings.states import EDITABLE

CODES_AT_ONCE = 500


@dataclass
class Holder:
    """One duct or cable with the parts it has and those the file gives it: row number → fields given."""

    resource: Resource
    now: dict[str, Any]  # by key
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)

    def standing(self, kind: PartKind, leave_out: Collection[int] = ()) -> dict[str, Any]:
        """The parts as they will stand, by key, without the rows to leave out."""
        found = dict(self.now)
        for number, given in self.rows.items():
            if number not in leave_out and not _lacks(kind, given, found.get(given[kind.key])):
                found[given[kind.key]] = kind.laid_over(found.get(given[kind.key]), given)
        return found


def _lacks(kind: PartKind, given: Mapping[str, Any], old: Any) -> bool:
    return kind.name == "chambers" and old is None and "end" not in given


def holders(job: ImportJob, kind: PartKind, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[str, Holder]:
    """The owner's ducts or cables that the rows (number, typed values) name, by code. Queries per 500 codes, and once
    per duct or cable for its parts."""
    by_code: dict[str, dict[int, dict[str, Any]]] = {}
    for number, values in rows:
        given = kind.given(values)
        if values.get("owner_code") and given.get(kind.key):
            by_code.setdefault(values["owner_code"], {})[number] = given
    found: dict[str, Holder] = {}
    codes = sorted(by_code)
    for start in range(0, len(codes), CODES_AT_ONCE):
        own = Resource.objects.filter(owner=job.organisation, owner_code__in=codes[start : start + CODES_AT_ONCE])
        for resource in own.filter(kind=kind.holder).select_related(kind.holder, "owner").order_by("pk"):
            now = {getattr(part, kind.key): part for part in parts_now(resource, kind.name)}
            found[resource.owner_code] = Holder(resource, now, by_code[resource.owner_code])
    return found


class PartsJudge:
    """Judges all rows of a file once, duct by duct, and hands the verdicts out chunk after chunk."""

    def __init__(self, job: ImportJob):
        self.job, self.kind = job, PART_KINDS[job.kind]
        self.found: dict[int, list[Finding]] = {}
        self.verdicts: dict[int, str] = {}
        self.carriers: dict[str, list[Resource]] = {}

    def judge(self, drafts: Sequence[Draft]) -> None:
        if not self.verdicts:
            self._judge_all()
        for draft in drafts:
            draft.findings += self.found.get(draft.number, [])
            draft.verdict = "error" if draft.is_bad else self.verdicts.get(draft.number, "error")

    def _judge_all(self) -> None:
        from listings.imports.checking import Checker

        checker = Checker(self.job)
        rows, unreadable = [], set()
        stored = ImportRow.objects.filter(job=self.job).order_by("number").only("number", "raw")
        for _row, draft in checker.drafts(stored.iterator(chunk_size=2_000)):
            rows.append((draft.number, draft.typed))
            if draft.is_bad:
                unreadable.add(draft.number)
        held = holders(self.job, self.kind, rows)
        for number, values in rows:
            self._name(number, values, held)
        for holder in held.values():
            self._judge_one(holder, unreadable)

    def _name(self, number: int, values: Mapping[str, Any], held: Mapping[str, Holder]) -> None:
        """What is wrong with the names in a row."""
        code, key = values.get("owner_code"), self.kind.given(values).get(self.kind.key)
        self.verdicts[number] = "error"
        if not code:
            self._say(number, error("owner_code", "part_holder_missing"))
        elif code not in held:
            self._say(number, error("owner_code", f"part_{self.kind.holder}_unknown", code=str(code)[:60]))
        elif held[code].resource.state not in EDITABLE:
            self._say(number, error("owner_code", "part_holder_retired", code=str(code)[:60]))
        elif not key:
            self._say(number, error(_column_of(self.kind), "part_name_missing"))
        else:
            self.verdicts[number] = "create"

    def _say(self, number: int, finding: Finding) -> None:
        self.found.setdefault(number, []).append(finding)

    def _judge_one(self, holder: Holder, unreadable: set[int]) -> None:
        """The rows of one duct or cable, again and again without those found bad, until the rest stands."""
        bad = unreadable & holder.rows.keys()
        while True:
            standing = holder.standing(self.kind, bad)
            newly = {n for n in holder.rows.keys() - bad if self._is_faulty(n, holder, standing)}
            if not newly:
                break
            bad |= newly
        for number, given in holder.rows.items():
            if number not in bad:
                key = given[self.kind.key]
                self.verdicts[number] = self._verdict(holder, key, standing[key])

    def _verdict(self, holder: Holder, key: str, part: Any) -> str:
        if self.kind.name != "carriers":
            old = holder.now.get(key)
            return "create" if old is None else "same" if as_json(old) == as_json(part) else "update"
        bores = {code: part.bore for code, part in holder.now.items()}
        named = [bores.get(carrier.code) for carrier in self._carriers(part.code)]
        if None in named:
            return "create"
        return "same" if all(bore == part.bore for bore in named) else "update"

    def _carriers(self, code: str) -> list[Resource]:
        if code not in self.carriers:
            self.carriers[code] = list(carriers_named(self.job.organisation_id, code))
        return self.carriers[code]

    def _is_faulty(self, number: int, holder: Holder, standing: Mapping[str, Any]) -> bool:
        """Says what is wrong with a row among the parts as they would stand; gives whether anything is."""
        given = holder.rows[number]
        part = standing.get(given[self.kind.key])
        if part is None:
            self._say(number, error("end", "part_end_missing"))
            return True
        if self.kind.name == "carriers":
            return self._is_carrier_faulty(number, part)
        texts: dict[str, list[str]] = {}
        for language in LANGUAGES:
            with override(language):
                if said := [str(text) for text in self._faults(part, holder.resource, standing)]:
                    texts[language] = [_("%(name)s: %(said)s.") % {"name": given[self.kind.key],
                                                                   "said": _("; ").join(said)}, ""]  # fmt: skip
        if texts:
            self._say(number, Finding("error", _column_of(self.kind), "part_refused", {}, texts))
        return bool(texts)

    def _faults(self, part: Any, resource: Resource, standing: Mapping[str, Any]) -> list[Any]:
        if self.kind.name == "bores":
            facts = {name: getattr(resource.facts, name) for name in SPECS[resource.kind].fields}
            faults = faults_of_bore(part, standing, facts, resource.length_m)
            same = [p for p in standing.values() if p.row is not None and (p.row, p.column) == (part.row, part.column)]
            return [*faults, _("another bore stands at this row and column")] if len(same) > 1 else faults
        length_m = float(resource.facts.surveyed_length_m or resource.length_m or 0)
        fault = fault_of_chamber(part, list(standing.values()), length_m)
        return [fault] if fault else []

    def _is_carrier_faulty(self, number: int, part: Any) -> bool:
        found = self._carriers(part.code)
        if not found:
            self._say(number, error("carrier", "part_carrier_unknown", code=part.code[:60]))
        elif part.bore and not all(carrier.bores.filter(label=part.bore).exists() for carrier in found):
            self._say(number, error("bore", "part_bore_unknown", code=part.code[:60], bore=part.bore[:20]))
        else:
            return False
        return True


def _column_of(kind: PartKind) -> str:
    return "carrier" if kind.name == "carriers" else kind.key


class PartsTarget:
    """Target of ImportJob.target "parts"."""

    name = "parts"
    refusal: Callable[..., Refused | None] = staticmethod(RESOURCES.refusal)

    def kinds(self) -> Sequence[str]:
        return list(PART_KINDS)

    def specs(self, kind: str) -> Sequence[ColumnSpec]:
        return PART_KINDS[kind].columns

    def geometry(self, kind: str) -> bool | None:
        return None

    def judge(self, job: ImportJob) -> PartsJudge:
        return PartsJudge(job)

    def known_places(self, job: ImportJob, codes: Sequence[str]) -> Mapping[str, GEOSGeometry]:
        return {}

    def store(
        self, job: ImportJob, rows: Iterable[tuple[ImportRow, Draft]], membership: Membership, on_progress: Progress
    ) -> Stored:
        kind = PART_KINDS[job.kind]
        drafts = [(row.pk, draft) for row, draft in rows]
        first: dict[str, int] = {}
        for pk, draft in drafts:
            first.setdefault(draft.typed["owner_code"], pk)
        held = holders(job, kind, [(draft.number, draft.typed) for _pk, draft in drafts])
        if first.keys() - held.keys():
            raise Refused(
                _("Some of these codes were given to resources since the report: have the rows checked again."),
                code="changed_since",
            )
        results, done = {}, 0
        for code, holder in sorted(held.items(), key=lambda pair: pair[1].resource.pk):
            before = [as_json(part) for part in holder.now.values()]
            pools = self._save(holder.resource, kind, list(holder.standing(kind).values()), membership)
            after = [as_json(part) for part in parts_now(holder.resource, kind.name)]
            results[first[code]] = {
                "id": holder.resource.pk, "before": before, "after": after, "made_pools": pools,
            }  # fmt: skip
            done += len(holder.rows)
            on_progress(done)
        return Stored(len(drafts), results)

    def _save(self, resource: Resource, kind: PartKind, parts: list[Any], membership: Membership) -> bool:
        """Stores the parts; a duct without any capacity gets it counted from its bores. Gives whether it did."""
        pools: list[PoolData] | None = None
        if kind.name == "bores" and not resource.pools.exists():
            pools = pools_from_bores(parts)
        save_resource(
            by=membership.user, membership=membership, resource=resource, data={}, facts={}, pools=pools, place=None,
            parts=Parts(**{kind.name: parts}),
        )  # fmt: skip
        return pools is not None

    def touched_since(self, job: ImportJob, rows: Sequence[ImportRow]) -> Mapping[int, str]:
        kind = PART_KINDS[job.kind]
        stored = {row.result["id"]: row.result for row in rows}
        found = {resource.pk: resource for resource in Resource.objects.filter(pk__in=list(stored)).order_by("pk")}
        column = job.mapping.get("owner_code", "")
        codes = {row.result["id"]: str(row.raw.get(column, row.number)) for row in rows}
        return {
            pk: codes[pk]
            for pk, result in stored.items()
            if pk not in found or [as_json(part) for part in parts_now(found[pk], kind.name)] != result["after"]
        }

    def undo(self, job: ImportJob, rows: Sequence[ImportRow], membership: Membership, keep: Collection[int]) -> int:
        kind = PART_KINDS[job.kind]
        back = {row.result["id"]: row.result for row in rows if row.result["id"] not in keep}
        with transaction.atomic():
            for resource in Resource.objects.filter(pk__in=list(back)).select_related("owner").order_by("pk"):
                result = back[resource.pk]
                parts = [from_json(kind, stored) for stored in result["before"]]
                save_resource(
                    by=membership.user, membership=membership, resource=resource, data={}, facts={},
                    pools=[] if result.get("made_pools") else None, place=None, parts=Parts(**{kind.name: parts}),
                )  # fmt: skip
        return len(back)


PARTS = PartsTarget()
