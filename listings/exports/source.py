"""The rows a file is made of, as SQL: the querysets that lists and pages use, told to fetch raw columns."""

from dataclasses import dataclass
from typing import Any

from django.contrib.gis.db import models
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce, NullIf
from django.http import QueryDict
from django.utils.translation import get_language

from accounts.models import Membership
from accounts.rules import rule
from listings import selection
from listings.exports.columns import DECLARED_SPECIAL
from listings.kinds.registry import SPECS
from listings.models import ExportJob, Kind, Resource

IMPORTANT = ("important", "core")


class _Raw(models.Func):
    """The geometry column itself: selected as a GeometryField it would be cast to bytes first."""

    template = "(%(expressions)s)"
    output_field = models.TextField()


@dataclass(frozen=True)
class Counts:
    """Rows by kind, how many of them are other owners', and how many were kept out for their data grade."""

    by_kind: dict[str, int]
    foreign: int
    left_out: int

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())


def _chosen(job: ExportJob, reader: Membership | None) -> QuerySet:
    query = QueryDict(job.query)
    if job.scope == ExportJob.Scope.OWN:
        assert reader is not None
        return selection.own_visible_rows(reader, query)
    if job.scope == ExportJob.Scope.ONE:
        return Resource.objects.visible_to(reader).filter(pk__in=selection.picked_ids(query))
    return selection.map_rows(reader, query)


def _foreign(reader: Membership | None) -> Q:
    return ~Q(owner_id=reader.organisation_id) if reader else Q(pk__isnull=False)


def _important_may_go_out(reader: Membership | None) -> bool:
    """Rule export.important of the reader's region: whether other owners' important data go into files."""
    return bool(rule("export.important", reader.organisation.region_id if reader else None).whole)


def rows_of(job: ExportJob, reader: Membership | None) -> QuerySet:
    """What goes into the file, unordered: what the reader sees, less other owners' important data."""
    rows = _chosen(job, reader)
    if not _important_may_go_out(reader):
        rows = rows.exclude(_foreign(reader) & Q(grade__in=IMPORTANT))
    return rows


def count(job: ExportJob, reader: Membership | None) -> Counts:
    """Counts of what rows_of() gives. Queries twice."""
    groups = (
        _chosen(job, reader).order_by().values_list("kind")
        .annotate(
            n=Count("pk"),
            foreign=Count("pk", filter=_foreign(reader)),
            important=Count("pk", filter=_foreign(reader) & Q(grade__in=IMPORTANT)),
        )
    )  # fmt: skip
    keep = _important_may_go_out(reader)
    by_kind: dict[str, int] = {}
    foreign = left_out = 0
    for kind, n, others, important in groups:
        dropped = 0 if keep else important
        by_kind[kind] = n - dropped
        foreign += others - dropped
        left_out += dropped
    ordered = {kind: by_kind[kind] for kind in Kind.values if by_kind.get(kind)}
    return Counts(ordered, foreign, left_out)


def source_sql(rows: QuerySet, kind: str) -> tuple[str, list[Any], list[str]]:
    """(SQL, parameters, names of its columns) of one kind's rows in id order, every raw value a Column leans on."""
    english = (get_language() or "").startswith("en")

    def name_of(path: str) -> Coalesce:
        names = [NullIf(f"{path}__name_en", models.Value("")), F(f"{path}__name_zh")]
        return Coalesce(*(names if english else reversed(names)), output_field=models.CharField())

    spec = SPECS[kind]
    annotated = rows.filter(kind=kind).order_by("pk").annotate(
        x_shape=_Raw(F("shown_place")), x_owner_name=name_of("owner"), x_manager_name=name_of("manager"),
        x_user_name=name_of("user"), x_region_name=name_of("region"),
    )  # fmt: skip
    paths = {
        "id": "pk", "shape": "x_shape", "is_exact": "is_exact", "owner_id": "owner_id", "manager_id": "manager_id",
        "region_id": "region_id", "owner_name": "x_owner_name", "manager_name": "x_manager_name",
        "user_name": "x_user_name",
        "region_name": "x_region_name", "state": "state", "missing": "missing", "length_m": "length_m",
        "published_at": "published_at", "updated_at": "updated_at", "free_units": "tally__free_units",
        "free_kw": "tally__free_kw", "kind": "kind",
    }  # fmt: skip
    base = {field.name for field in Resource._meta.concrete_fields}
    for column in spec.columns:
        if column.field in base and column.field not in DECLARED_SPECIAL:
            paths.setdefault(column.field, column.field)
    paths |= {"disclosure": "disclosure"}
    paths |= {f"f_{name}": f"{kind}__{name}" for name in spec.fields}
    sql, params = annotated.values_list(*paths.values()).query.sql_with_params()
    return sql, list(params), list(paths)
