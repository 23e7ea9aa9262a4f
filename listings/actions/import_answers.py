"""The person's answers on the way: the file, its columns, its place."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Membership
from listings.actions.import_core import ANSWERABLE, OPEN, State, advance_if_small, enqueue, held, refusal, tell
from listings.imports import columns, guessing, spots, systems, targets, upload
from listings.imports.options import Options
from listings.imports.report import label_of
from listings.kinds.part_columns import PART_KINDS
from listings.kinds.registry import SPECS
from listings.kinds.spec import ColumnSpec
from listings.models import DemandList, ImportJob, ImportMapping


def upload_file(
    *, membership: Membership, file: "UploadedFile[Any]", kind: str = "", demand_list: DemandList | None = None
) -> tuple[ImportJob, bool]:
    """(job, is_new). The same file again while its import is open gives that import.

    kind: "" lets the headers tell. Raises FileRefused with one sentence for a file that cannot be taken.
    Small files are read before this returns; others by the worker.
    """
    name = upload.tidy_name(file.name or "")
    form = upload.format_of(file, name, file.size or 0)
    digest = hashlib.sha256()
    for block in upload.chunks(file):
        digest.update(block)
    job, is_new = _create(membership, file, name, form, digest.hexdigest(), kind, demand_list)
    if is_new:
        advance_if_small(job)
        job.refresh_from_db()
    return job, is_new


def target_for(membership: Membership, demand_list: DemandList | None, kind: str = "") -> ImportJob.Target:
    """What a file of this organisation holds: resources or their parts, a bureau's demand lines, lines for a call."""
    if demand_list is None:
        return ImportJob.Target.PARTS if kind in PART_KINDS else ImportJob.Target.RESOURCES
    return ImportJob.Target.DEMAND if membership.organisation.is_bureau else ImportJob.Target.HAND_IN


@transaction.atomic
def _create(
    membership: Membership,
    file: "UploadedFile[Any]",
    name: str,
    form: str,
    sha256: str,
    kind: str,
    demand_list: DemandList | None,
) -> tuple[ImportJob, bool]:
    target = target_for(membership, demand_list, kind)
    job = ImportJob(
        organisation=membership.organisation,
        target=target,
        demand_list=demand_list,
        file_name=name,
        file_sha256=sha256,
        format=form,
        kind=kind,
        created_by=membership.user,
    )
    if denied := refusal(job, membership):
        raise denied
    open_one = (
        ImportJob.objects.filter(
            organisation=membership.organisation,
            target=target,
            demand_list=demand_list,
            file_sha256=sha256,
            state__in=OPEN,
        )
        .order_by("-pk")
        .first()
    )
    if open_one:
        return open_one, False
    job.file.save(f"{sha256[:16]}.{form}", file, save=False)
    job.save(force_insert=True)
    tell("upload", job, membership.user, after={"file": name, "sha256": sha256, "target": str(target)})
    enqueue(job)
    return job, True


@transaction.atomic
def choose_sheet(*, job: ImportJob, membership: Membership, sheet: str = "", kind: str = "") -> ImportJob:
    """Reads the file again: another sheet or layer, or as another kind of resource."""
    row = held(job, membership, ANSWERABLE)
    options = Options.of(row.options)
    if sheet and sheet not in row.detected.get("sheets", []):
        raise Refused(_("The file has no such sheet."), code="no_sheet")
    if kind and (row.demand_list_id or kind not in (*SPECS, *PART_KINDS)):
        raise Refused(_("There is no such kind."), code="no_kind")
    if kind:
        row.target = target_for(membership, None, kind)
    row.options = (Options(sheet=sheet) if sheet else Options(sheet=options.sheet)).as_json()
    row.kind = kind or row.kind
    row.state = State.UPLOADED
    row.save(update_fields=["options", "kind", "target", "state"])
    enqueue(row)
    return row


@transaction.atomic
def set_columns(
    *,
    job: ImportJob,
    membership: Membership,
    mapping: Mapping[str, str],
    constants: Mapping[str, str] | None = None,
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> ImportJob:
    """Confirms which column is which field (mapping {field: column}), values for all rows, and what words mean.

    Raises Refused when a place or the own code is not named, or a column is not in the file.
    """
    row = held(job, membership, ANSWERABLE)
    target = targets.get(row.target)
    specs = {spec.field: spec for spec in columns.specs_with_place(target.specs(row.kind))}
    names = {column["name"] for column in row.columns}
    chosen = {field: column for field, column in mapping.items() if column}
    if unknown := [field for field, column in chosen.items() if field not in specs or column not in names]:
        raise Refused(_("There is no such column: %(names)s.") % {"names": ", ".join(unknown)}, code="no_column")
    _require(row, chosen)
    options = Options.of(row.options)
    options.constants = {
        f: v.strip()[:200] for f, v in (constants or {}).items() if f in specs and v.strip() and f not in chosen
    }
    options.words = {
        f: {text: value for text, value in pairs.items() if value in specs[f].choices}
        for f, pairs in (words or {}).items()
        if f in specs
    }
    stand_ins = [
        field for field in ("owner_code", "name", "applicant_code", "title") if _stands_in(field, chosen, specs)
    ]
    row.mapping, row.options, row.state = chosen, options.as_json(), State.PLACING
    row.detected = {**row.detected, "stand_ins": stand_ins}
    row.save(update_fields=["mapping", "options", "state", "detected"])
    if not targets.has_place(row):
        _check_again(row)
        _remember(row)
    return row


def _check_again(row: ImportJob) -> None:
    """Has every row checked; the job is locked."""
    row.state, row.heartbeat_at, row.done_count, row.is_cancel_asked = State.CHECKING, None, 0, False
    row.save(update_fields=["state", "heartbeat_at", "done_count", "is_cancel_asked"])
    enqueue(row)


def _require(job: ImportJob, chosen: Mapping[str, str]) -> None:
    if job.target == ImportJob.Target.PARTS:
        needed = [spec for spec in targets.get(job.target).specs(job.kind) if spec.required]
        if lacking := [label_of(spec) for spec in needed if spec.field not in chosen]:
            raise Refused(_("Say which column holds: %(names)s.") % {"names": _(", ").join(lacking)}, code="no_column")
        return
    code = "owner_code" if job.target == "resources" else "applicant_code"
    if code not in chosen:
        raise Refused(
            _("Say which column holds your own code: it is how the same file again changes nothing twice."),
            code="no_code",
        )
    ways = (
        {"geometry"},
        {"wkt"},
        {"coordinates"},
        {"longitude", "latitude"},
        {"start_longitude", "start_latitude", "end_longitude", "end_latitude"},
    )
    if not any(way <= set(chosen) for way in ways):
        raise Refused(
            _("Say which columns hold the place: longitude and latitude, both in one cell, or a geometry (WKT)."),
            code="no_place",
        )


def _stands_in(field: str, chosen: Mapping[str, str], specs: Mapping[str, ColumnSpec]) -> bool:
    """Whether the field shares its column with the other of code and name, the column being called like the other."""
    pairs = {"owner_code": "name", "name": "owner_code", "applicant_code": "title", "title": "applicant_code"}
    other = pairs[field]
    if field not in chosen or chosen.get(other) != chosen[field]:
        return False
    own, others = (columns.name_score(chosen[field], specs[one]) for one in (field, other))
    return own < others or (own == others and field in ("name", "title"))


def set_place(
    *,
    job: ImportJob,
    membership: Membership,
    crs: str,
    is_swapped: bool = False,
    is_abroad: bool = False,
    swap_rows: bool = False,
) -> ImportJob:
    """Confirms the coordinate system and has every row checked. Small files are checked before this returns.

    crs: "EPSG:n", GCJ-02 or BD-09. is_swapped: both columns exchanged in the whole file. is_abroad: places outside
    China are kept under the owner's region. swap_rows: exchange the rows named "swapped".
    """
    row = _set_place(job, membership, systems.check(crs), is_swapped, is_abroad, swap_rows)
    advance_if_small(row)
    row.refresh_from_db()
    return row


@transaction.atomic
def _set_place(
    job: ImportJob, membership: Membership, crs: str, is_swapped: bool, is_abroad: bool, swap_rows: bool
) -> ImportJob:
    row = held(job, membership, (State.PLACING, State.READY))
    rows, found = guessing.sample_spots(row)
    options = Options.of(row.options)
    options.is_swapped, options.is_abroad, options.swap_rows, options.middle = is_swapped, is_abroad, swap_rows, []
    spots.place(found, crs=crs, options=options, is_line=targets.get(row.target).geometry(row.kind))
    options.middle = spots.middle_of([spot.place for spot in found if spot.place is not None])
    row.crs, row.options = crs, options.as_json()
    row.save(update_fields=["crs", "options"])
    _remember(row)
    _check_again(row)
    return row


def swap_rows(*, job: ImportJob, membership: Membership) -> ImportJob:
    """Has the rows named "swapped" exchanged and everything checked again."""
    options = Options.of(job.options)
    return set_place(
        job=job,
        membership=membership,
        crs=job.crs,
        is_swapped=options.is_swapped,
        is_abroad=options.is_abroad,
        swap_rows=True,
    )


def _remember(job: ImportJob) -> None:
    names = [column["name"] for column in job.columns]
    ImportMapping.objects.update_or_create(
        organisation=job.organisation,
        header_hash=columns.header_hash(names, target=job.target, kind=job.kind),
        defaults={"mapping": job.mapping, "crs": job.crs},
    )
