"""Files of resources: judged by listings.checks and stored by listings.actions.resources, as forms are."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.errors import NotPermitted, Refused
from accounts.models import Event, Membership, Organisation
from accounts.models.organisations import Role
from listings.actions import resources as actions
from listings.checks import stored
from listings.deleting import delete_set
from listings.imports import rules, shapes, systems
from listings.imports.findings import Finding
from listings.imports.neighbours import Neighbours
from listings.imports.options import Options
from listings.imports.region_names import RegionNames
from listings.imports.targets import Draft, Progress, Stored
from listings.kinds.pools import PoolData
from listings.kinds.registry import SPECS
from listings.kinds.spec import ColumnSpec
from listings.models import ImportJob, ImportRow, Reservation, Resource
from listings.region_lookup import Outlines

LANGUAGES = ("zh-hans", "en")
MANY = 50  # rows, from which regions are looked up together
QUANTITIES = ("_total", "_in_use", "_free")
OURS_INSTEAD = {"code_twice"}  # judged over the whole file by staging, with the row's number


class ResourceJudge:
    """Judges rows of one job through check_rows(), in both languages, so that a report reads in the reader's."""

    def __init__(self, job: ImportJob):
        self.job = job
        self.owner: Organisation = job.organisation
        self.specs = {spec.field: spec for spec in SPECS[job.kind].columns}
        self.options = Options.of(job.options)
        self.regions = RegionNames()
        self.outlines = Outlines()
        self.is_degrees = systems.is_degrees(job.crs or systems.WGS84)
        self.neighbours = Neighbours(job)
        # (code, message, fix in the first language) → the same in the second
        self.told: dict[tuple[str, ...], dict[str, list[str]]] = {}

    def judge(self, drafts: Sequence[Draft]) -> None:
        with override(LANGUAGES[0]):
            rows = [self.row(draft) for draft in drafts]
            existing = stored(self.owner, {row.owner_code for row in rows})
            quick = self.outlines if len(rows) >= MANY else None
            checked = actions.check_rows(rows, owner=self.owner, existing=existing, seen=set(), outlines=quick)
            first = [_texts(item) for item in checked]
        self._learn_second_language(drafts, checked, first, existing)
        for draft, item, texts in zip(drafts, checked, first, strict=True):
            for problem, text in zip(item.problems, texts, strict=True):
                if problem.code in OURS_INSTEAD or self._is_said(draft, problem):
                    continue
                told = {LANGUAGES[0]: text} | self.told.get((problem.code, *text), {})
                draft.findings.append(Finding(problem.level, problem.field, problem.code, {}, told))
            ours_only = item.verdict == "error" and not draft.is_bad  # a double code, judged by staging
            draft.verdict = ("update" if item.existing else "create") if ours_only else item.verdict
            draft.findings += rules.of_resource(draft, self.job.kind, self.specs)
            draft.findings += shapes.of_place(draft.place, self.job.kind, is_degrees=self.is_degrees)
            if draft.is_bad:
                draft.verdict = "error"
        self.neighbours.hold(drafts)

    def _is_said(self, draft: Draft, problem: Any) -> bool:
        """Whether a finding of ours explains this one already (a place that could not be read is not "missing")."""
        if any(finding.code == "total_row" for finding in draft.findings):
            return True
        if problem.code == "no_capacity":  # a quantity that cannot be read is given, only badly
            return draft.has_error_on(*(name for name in self.specs if name.endswith(QUANTITIES)))
        return problem.code == "place_missing" and draft.has_error_on(
            "place", "wkt", "coordinates", "longitude", "latitude"
        )

    def _learn_second_language(
        self,
        drafts: Sequence[Draft],
        checked: Sequence[Any],
        first: Sequence[list[list[str]]],
        existing: Mapping[str, Any],
    ) -> None:
        """Checks rows whose words were not met before again, in the other language, and keeps what they become."""
        new = [
            i
            for i, (item, texts) in enumerate(zip(checked, first, strict=True))
            if any((p.code, *t) not in self.told for p, t in zip(item.problems, texts, strict=True))
        ]
        twice = {i for i in new if any(p.code in OURS_INSTEAD for p in checked[i].problems)}
        with override(LANGUAGES[1]):
            for part in ([i for i in new if i not in twice], sorted(twice)):
                rows = [self.row(drafts[i]) for i in part]
                seen = {row.owner_code for row in rows} if part and part[0] in twice else set()
                again = actions.check_rows(rows, owner=self.owner, existing=existing, seen=seen) if rows else []
                for i, item in zip(part, again, strict=True):
                    pairs = zip(checked[i].problems, first[i], item.problems, _texts(item), strict=False)
                    for problem, text, other, other_text in pairs:
                        if problem.code == other.code:
                            self.told[(problem.code, *text)] = {LANGUAGES[1]: other_text}

    def row(self, draft: Draft) -> Any:
        """The draft as the supply side takes it."""
        values = draft.typed
        if "region" in values:
            values = dict(values)
            values["region"] = self.regions.code_of(values["region"]) or values["region"]
        row = actions.row_from_values(
            self.job.kind,
            values,
            number=draft.number,
            place=draft.place,
            source_srid=self.job.crs or "EPSG:4326",
            missing=draft.missing,
        )
        return replace(row, is_abroad=True) if self.options.is_abroad else row


def _texts(item: Any) -> list[list[str]]:
    """[message, fix] of each problem, worded now: lazy ones would speak another language later."""
    return [[str(problem.message), str(problem.fix)] for problem in item.problems]


class ResourceTarget:
    """Target of ImportJob.target "resources"."""

    name = "resources"

    def kinds(self) -> Sequence[str]:
        return list(SPECS)

    def specs(self, kind: str) -> Sequence[ColumnSpec]:
        return SPECS[kind].columns

    def geometry(self, kind: str) -> bool | None:
        return SPECS[kind].is_line

    def refusal(self, job: ImportJob, membership: Membership | None) -> Refused | None:
        if not membership or membership.ended_at or membership.organisation_id != job.organisation_id:
            return NotPermitted(_("This import belongs to another organisation."))
        if membership.organisation.is_bureau:
            return NotPermitted(_("A bureau owns no resources: it imports demand lines into its lists."))
        if not membership.has_role(Role.EDITOR, Role.ADMIN):
            return NotPermitted(_("Importing resources takes the role of editor."))
        return None

    def judge(self, job: ImportJob) -> ResourceJudge:
        return ResourceJudge(job)

    def known_places(self, job: ImportJob, codes: Sequence[str]) -> Mapping[str, GEOSGeometry]:
        rows = Resource.objects.filter(owner=job.organisation, owner_code__in=list(codes)).order_by("pk")
        return dict(rows.values_list("owner_code", "place"))

    def store(
        self, job: ImportJob, rows: Iterable[tuple[ImportRow, Draft]], membership: Membership, on_progress: Progress
    ) -> Stored:
        judge = ResourceJudge(job)
        mark = Event.objects.aggregate(last=models.Max("pk"))["last"] or 0
        changed: dict[str, int] = {}

        def clean() -> Iterator[actions.CleanRow]:
            for row, draft in rows:
                ready = judge.row(draft)
                if row.verdict == ImportRow.Verdict.UPDATE:
                    changed[ready.owner_code] = row.pk
                yield ready

        counts = actions.store_resources(
            by=membership.user, membership=membership, rows=clean(), job=job, on_progress=on_progress
        )
        if counts["update"] > len(changed):
            raise Refused(
                _("Some of these codes were given to resources since the report: have the rows checked again."),
                code="changed_since",
            )
        return Stored(counts["create"] + counts["update"], self._results(job, membership, mark, changed))

    def _results(
        self, job: ImportJob, membership: Membership, mark: int, changed: Mapping[str, int]
    ) -> dict[int, dict[str, Any]]:
        """What an undo needs of the resources that were changed; new ones are found by their import."""
        if not changed:
            return {}
        stored = Resource.objects.filter(owner=job.organisation, owner_code__in=list(changed)).order_by("pk")
        found = {str(pk): (code, updated) for pk, code, updated in stored.values_list("pk", "owner_code", "updated_at")}
        events = Event.objects.filter(
            pk__gt=mark, organisation=job.organisation, actor=membership.user, reason=str(job), verb="resource.update"
        ).order_by("pk")
        results: dict[int, dict[str, Any]] = {}
        for subject_id, before in events.values_list("subject_id", "before").iterator(chunk_size=5_000):
            if subject_id in found:
                code, updated = found[subject_id]
                results[changed[code]] = {"id": int(subject_id), "updated_at": updated.isoformat(), "before": before}
        return results

    def touched_since(self, job: ImportJob, rows: Sequence[ImportRow]) -> Mapping[int, str]:
        made = Resource.objects.filter(import_job=job).order_by("pk")
        draft = models.Q(state=Resource.State.DRAFT, updated_at=models.F("created_at"))
        used = models.Exists(Reservation.objects.filter(pool__resource=models.OuterRef("pk")))
        touched = dict(made.exclude(draft & ~used).values_list("pk", "owner_code"))
        stamps = {row.result["id"]: row for row in rows}
        now = Resource.objects.filter(pk__in=list(stamps)).order_by("pk")
        current = {pk: updated.isoformat() for pk, updated in now.values_list("pk", "updated_at")}
        column = job.mapping.get("owner_code", "")
        return touched | {
            pk: str(row.raw.get(column, row.number))
            for pk, row in stamps.items()
            if current.get(pk) != row.result["updated_at"]
        }

    def undo(self, job: ImportJob, rows: Sequence[ImportRow], membership: Membership, keep: Collection[int]) -> int:
        ids = [row.result["id"] for row in rows if row.result["id"] not in keep]
        made = Resource.objects.filter(import_job=job).exclude(pk__in=list(keep)).order_by("pk")
        list(Resource.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
        try:
            with transaction.atomic():
                count = delete_set(made.order_by())
        except (models.ProtectedError, models.RestrictedError) as error:
            raise Refused(
                _("Some of the imported resources were reserved or asked for since: the import cannot be undone."),
                code="used_since",
            ) from error
        self._restore(job, [row for row in rows if row.result["id"] not in keep], membership)
        return count + len(ids)

    def _restore(self, job: ImportJob, rows: Sequence[ImportRow], membership: Membership) -> None:
        """The changed fields back to what the event of the change kept as before."""
        back = []
        ids = [row.result["id"] for row in rows]
        codes = dict(Resource.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "owner_code"))
        for row in rows:
            before = dict(row.result["before"])
            place = before.pop("place", None)
            pools = before.pop("pools", None)
            before.pop("region", None)
            facts = {name: before.pop(name) for name in SPECS[job.kind].fields if name in before}
            if "manager" in before:
                before["manager"] = Organisation.objects.filter(pk=before["manager"]).first()
            back.append(
                actions.CleanRow(
                    kind=job.kind,
                    owner_code=codes[row.result["id"]],
                    data=before,
                    facts=facts,
                    pools=None if pools is None else [PoolData(**_numbers(pool)) for pool in pools],
                    place=GEOSGeometry(place, srid=4326) if place else None,
                    number=row.number,
                    is_abroad=Options.of(job.options).is_abroad,
                )
            )
        if back:
            actions.store_resources(by=membership.user, membership=membership, rows=back, job=None)


def _numbers(pool: Mapping[str, Any]) -> dict[str, Any]:
    decimals = ("total", "in_use", "height_m", "height_top_m", "bore_mm")
    return {name: Decimal(value) if name in decimals and value is not None else value for name, value in pool.items()}


RESOURCES = ResourceTarget()
