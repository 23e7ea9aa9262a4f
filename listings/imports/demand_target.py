"""Files of demand lines, into one draft list of a bureau: judged by listings.demand_rules, stored by actions.demand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.errors import NotPermitted, Refused
from accounts.models import Membership, Organisation
from listings import demand_permissions
from listings.actions import demand as actions
from listings.demand_rules import FIELDS, Jurisdiction, check_line
from listings.demand_shots import as_json, from_json
from listings.imports.findings import Finding, error
from listings.imports.resource_target import LANGUAGES
from listings.imports.targets import Draft, Progress, Stored
from listings.kinds.common import KIND_WORDS, LINE_PLACE, POINT_PLACE, SECTORS, SHARING_MODES
from listings.kinds.spec import ColumnSpec
from listings.models import DemandLine, ImportJob, ImportRow
from listings.places import geos

LINES_MAX = 10_000  # domain: section 4, "lists hold up to 10,000 lines"
PRIORITIES = {"1": ("高", "紧急", "high"), "2": ("中", "普通", "一般", "normal"), "3": ("低", "low")}

COLUMNS: tuple[ColumnSpec, ...] = (
    ColumnSpec(
        "applicant_code",
        "需求编号",
        "Applicant's code",
        ("编号", "需求编码", "申请编号", "编码"),
        ("code", "id", "ref", "demand id"),
        required=True,
        example="XQ-0001",
    ),
    ColumnSpec(
        "title",
        "需求名称",
        "Title",
        ("名称", "需求标题", "站点名称", "需求点名称", "项目名称"),
        ("name", "site name", "description"),
        required=True,
        example="天河公园宏站",
    ),
    ColumnSpec(
        "applicant_name",
        "申请单位",
        "Applicant",
        ("需求单位", "运营商", "建设单位", "单位"),
        ("operator", "company", "organisation"),
        required=True,
        example="南方通信",
    ),
    ColumnSpec(
        "kind",
        "资源类型",
        "Kind",
        ("需求类型", "类型", "类别", "设施类型"),
        ("type",),
        type="choice",
        choices=KIND_WORDS,
        required=True,
        example="铁塔",
    ),
    ColumnSpec(
        "quantity",
        "数量",
        "Quantity",
        ("需求数量", "需求量", "孔数", "芯数", "天线位数", "U数"),
        ("qty", "count", "units"),
        type="integer",
        required=True,
        example="3",
    ),
    *POINT_PLACE,
    *(spec for spec in LINE_PLACE if spec.field != "wkt"),
    ColumnSpec(
        "room_u",
        "机房U数",
        "Room at the same site",
        ("机房需求", "同站机房U数", "机柜U数", "机房(U)"),
        ("room u", "room units", "rack units at the site"),
        type="integer",
        unit="U",
    ),
    ColumnSpec(
        "power_kw",
        "电力需求",
        "Power",
        ("功率", "功率kW", "用电需求", "电力(kW)"),
        ("kw", "power kw"),
        type="decimal",
        unit="kW",
    ),
    ColumnSpec(
        "tolerance_m",
        "偏移容差",
        "Tolerance",
        ("允许偏移", "搜索半径", "容差", "偏离距离"),
        ("radius", "search radius"),
        type="integer",
        unit="m",
        example="300",
    ),
    ColumnSpec(
        "height_min_m",
        "最低挂高",
        "Height from",
        ("挂高下限", "挂高", "天线挂高"),
        ("min height",),
        type="decimal",
        unit="m",
    ),
    ColumnSpec("height_max_m", "最高挂高", "Height to", ("挂高上限",), ("max height",), type="decimal", unit="m"),
    ColumnSpec(
        "bore_mm", "最小孔径", "Inner diameter at least", ("孔径", "管孔内径"), ("diameter",), type="decimal", unit="mm"
    ),
    ColumnSpec(
        "cable_mm",
        "缆径",
        "Cable diameter",
        ("电缆外径", "光缆外径", "缆线外径", "缆径mm"),
        ("cable diameter", "cable outer diameter", "cable mm"),
        type="decimal",
        unit="mm",
    ),
    ColumnSpec(
        "needed_by",
        "需求日期",
        "Needed by",
        ("需求时间", "要求日期", "计划日期", "完成时限"),
        ("date", "due", "by"),
        type="date",
    ),
    ColumnSpec("months", "使用期限", "Months", ("使用月数", "期限(月)", "租期"), ("term", "duration"), type="integer"),
    ColumnSpec("priority", "优先级", "Priority", ("紧急程度",), (), type="choice", choices=PRIORITIES),
    ColumnSpec(
        "ceiling_yuan",
        "预算上限",
        "Budget ceiling",
        ("年预算", "预算", "预算上限(元/年)"),
        ("budget", "ceiling"),
        type="decimal",
        unit="元/年",
    ),
    ColumnSpec(
        "sectors", "可接受行业", "Sectors accepted", ("接受行业",), ("sectors",), type="choices", choices=SECTORS
    ),
    ColumnSpec(
        "sharing_modes",
        "可接受共享方式",
        "Sharing modes accepted",
        ("共享方式", "共建共享方式"),
        ("modes",),
        type="choices",
        choices=SHARING_MODES,
    ),
    ColumnSpec("notes", "备注", "Notes", ("说明",), ("remarks", "comment")),
)
SPECS = {spec.field: spec for spec in COLUMNS}


def fields_of(draft: Draft, applicants: Mapping[str, Organisation]) -> dict[str, Any]:
    """The draft as add_lines() takes it. An applicant that is on this portal is linked by name or credit code."""
    values = dict(draft.typed)
    ceiling = values.pop("ceiling_yuan", None)
    fields = {name: value for name, value in values.items() if name in FIELDS}
    if ceiling is not None:
        fields["ceiling_fen_per_year"] = int(ceiling * 100)
    if "priority" in fields:
        fields["priority"] = int(fields["priority"])
    name = str(fields.get("applicant_name", "")).strip()
    applicant = applicants.get(name)
    fields |= {"applicant": applicant, "applicant_name": "" if applicant else name}
    return {"place": geos(draft.place), **fields} if draft.place is not None else fields


def applicants_of(names: Iterable[str]) -> dict[str, Organisation]:
    """Enterprises by Chinese name, English name or credit code. Queries once, if any name is given."""
    wanted = {str(name).strip() for name in names} - {""}
    if not wanted:
        return {}
    rows = Organisation.objects.enterprises().order_by("pk")
    found: dict[str, Organisation] = {}
    for field in ("name_zh", "name_en", "uscc"):
        for organisation in rows.filter(**{f"{field}__in": wanted}):
            found.setdefault(getattr(organisation, field), organisation)
    return found


class DemandJudge:
    """Judges rows against the list's rules and its lines, in both languages."""

    def __init__(self, job: ImportJob):
        self.job = job
        self.jurisdiction = Jurisdiction.of(job.demand_list)  # type: ignore[arg-type]
        lines = self.known_lines().exclude(applicant_code="").order_by("pk")
        self.lines = {(line.applicant_id, line.applicant_code): line for line in lines}
        self.room = LINES_MAX - job.demand_list.lines.count()  # type: ignore[union-attr]

    def known_lines(self) -> QuerySet[DemandLine]:
        """The lines that a row with the same applicant and code is held against."""
        return self.job.demand_list.lines.all()  # type: ignore[union-attr]

    def fields_of(self, drafts: Sequence[Draft]) -> list[dict[str, Any]]:
        """The drafts as the actions take them. May query once."""
        applicants = applicants_of(draft.values.get("applicant_name", "") for draft in drafts)
        return [fields_of(draft, applicants) for draft in drafts]

    def judge(self, drafts: Sequence[Draft]) -> None:
        for draft, fields in zip(drafts, self.fields_of(drafts), strict=True):
            line = self.line(fields)
            for name in ("applicant_code", "title", "kind", "quantity"):
                if fields.get(name) in (None, "") and not draft.has_error_on(name):
                    draft.findings.append(error(name, "required_missing", label_word=SPECS[name].label_en))
            draft.findings += self._rules(line, draft)
            if all(draft.values.get(n) == SPECS[n].example for n in ("applicant_code", "title")):
                draft.findings.append(error("", "example_row"))
            if line.pk is None and not draft.is_bad:
                self.room -= 1
                if self.room < 0:
                    draft.findings.append(error("", "list_full", max=LINES_MAX))
            draft.verdict = "error" if draft.is_bad else "create" if line.pk is None else self.changed(line, fields)

    def line(self, fields: Mapping[str, Any]) -> DemandLine:
        applicant = fields.get("applicant")
        old = self.lines.get((applicant.pk if applicant else None, fields.get("applicant_code", "")))
        line = DemandLine(demand_list=self.job.demand_list)
        if old is not None:
            for field in DemandLine._meta.concrete_fields:
                setattr(line, field.attname, getattr(old, field.attname))
        for name, value in fields.items():
            setattr(line, name, value)
        return line

    def _rules(self, line: DemandLine, draft: Draft) -> list[Finding]:
        told: dict[str, dict[str, list[str]]] = {}
        try:
            check_line(line, self.jurisdiction)
        except ValidationError:
            pass  # worded below, in both languages
        else:
            return []
        for language in LANGUAGES:
            with override(language):
                try:
                    check_line(line, self.jurisdiction)
                except ValidationError as failure:
                    for name, sentences in failure.message_dict.items():
                        told.setdefault(name, {})[language] = [" ".join(sentences), ""]
        place_columns = ("place", "wkt", "coordinates", "longitude", "latitude")
        return [
            Finding("error", name, "line_refused", {}, texts)
            for name, texts in told.items()
            if not draft.has_error_on(name) and not (name == "place" and draft.has_error_on(*place_columns))
        ]

    def changed(self, line: DemandLine, fields: Mapping[str, Any]) -> str:
        old = self.lines[(line.applicant_id, line.applicant_code)]
        for name, value in fields.items():
            before = getattr(old, name) if name != "applicant" else old.applicant_id
            if name == "applicant":
                value = value.pk if value else None
            if name == "place":
                if not value.equals_exact(before, 1e-8):
                    return "update"
            elif before != value:
                return "update"
        return "same"


class DemandTarget:
    """Target of ImportJob.target "demand"."""

    name = "demand"
    add = staticmethod(actions.add_lines)
    change = staticmethod(actions.edit_lines)
    remove = staticmethod(actions.delete_draft_lines)

    def kinds(self) -> Sequence[str]:
        return ("",)

    def specs(self, kind: str) -> Sequence[ColumnSpec]:
        return COLUMNS

    def geometry(self, kind: str) -> bool | None:
        return None

    def refusal(self, job: ImportJob, membership: Membership | None) -> Refused | None:
        if job.demand_list is None:
            return NotPermitted(_("This import belongs to no list."))
        return demand_permissions.edit_refusal(membership, job.demand_list)

    def judge(self, job: ImportJob) -> DemandJudge:
        return DemandJudge(job)

    def lines(self, job: ImportJob) -> QuerySet[DemandLine]:
        """The lines an import of this sort reads and writes."""
        assert job.demand_list is not None
        return job.demand_list.lines.all()

    def known_places(self, job: ImportJob, codes: Sequence[str]) -> Mapping[str, GEOSGeometry]:
        rows = self.lines(job).filter(applicant_code__in=list(codes)).order_by("pk")
        return dict(rows.values_list("applicant_code", "place"))

    def store(
        self, job: ImportJob, rows: Iterable[tuple[ImportRow, Draft]], membership: Membership, on_progress: Progress
    ) -> Stored:
        assert job.demand_list is not None
        pairs = list(rows)
        judge = self.judge(job)
        added, changes = [], {}
        results: dict[int, dict[str, Any]] = {}
        for (row, _draft), fields in zip(pairs, judge.fields_of([draft for _row, draft in pairs]), strict=True):
            line = judge.line(fields)
            if line.pk is None:
                added.append((row, fields))
            elif judge.changed(line, fields) == "update":
                old = judge.lines[(line.applicant_id, line.applicant_code)]
                results[row.pk] = {"id": old.pk, "before": as_json(old, fields)}
                changes[old.pk] = fields
        try:
            lines = self.add(
                demand_list=job.demand_list, membership=membership, rows=[fields for _row, fields in added]
            )
            if changes:
                self.change(demand_list=job.demand_list, membership=membership, changes=changes)
        except ValidationError as failure:
            raise Refused(" ".join(failure.messages), code="invalid") from failure
        for (row, _fields), line in zip(added, lines, strict=True):
            results[row.pk] = {"id": line.pk, "before": None}
        made = DemandLine.objects.filter(pk__in=[result["id"] for result in results.values()]).order_by("pk")
        stamps = {pk: stamp.isoformat() for pk, stamp in made.values_list("pk", "updated_at")}
        on_progress(len(results))
        told = {pk: result | {"updated_at": stamps[result["id"]]} for pk, result in results.items()}
        return Stored(len(told), told)

    def touched_since(self, job: ImportJob, rows: Sequence[ImportRow]) -> Mapping[int, str]:
        ids = [row.result["id"] for row in rows]
        now = dict(self.lines(job).filter(pk__in=ids).order_by("pk").values_list("pk", "updated_at"))
        column = job.mapping.get("applicant_code", "")
        return {
            row.result["id"]: str(row.raw.get(column, row.number))
            for row in rows
            if row.result["id"] not in now or now[row.result["id"]].isoformat() != row.result["updated_at"]
        }

    def undo(self, job: ImportJob, rows: Sequence[ImportRow], membership: Membership, keep: Collection[int]) -> int:
        assert job.demand_list is not None
        results = [row.result for row in rows if row.result["id"] not in keep]
        made = [result["id"] for result in results if result["before"] is None]
        back = {result["id"]: from_json(result["before"]) for result in results if result["before"] is not None}
        if back:
            self.change(demand_list=job.demand_list, membership=membership, changes=back)
        if made:
            self.remove(demand_list=job.demand_list, membership=membership, line_ids=made)
        return len(results)


DEMAND = DemandTarget()
