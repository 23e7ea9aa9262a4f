"""What import tests share: files made in the test, real regions where the shared folder has them."""

import io
import os
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from listings.actions import imports
from listings.imports.checking import Checker
from listings.models import ImportJob

SHARED = Path(os.environ.get("SHARED_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


@pytest.fixture
def shared_data():
    """The folder of real files; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared data at {SHARED}: set SHARED_DATA")
    return SHARED


def upload(name: str, content: bytes | str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def workbook(sheets: dict[str, list[list]], merges: dict[str, list[str]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for merge in (merges or {}).get(title, []):
            sheet.merge_cells(merge)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def take(
    membership,
    name: str,
    content,
    *,
    kind: str = "tower",
    crs: str = "EPSG:4326",
    demand_list=None,
    constants=None,
    words=None,
    mapping=None,
    **place,
):
    """A file through all steps to its report, the proposed mapping taken as it is."""
    job, _is_new = imports.upload_file(
        membership=membership, file=upload(name, content), kind=kind, demand_list=demand_list
    )
    assert job.state in ("mapping", "placing"), job.refusal  # our own template asks for no columns
    imports.set_columns(
        job=job, membership=membership, mapping={**job.mapping, **(mapping or {})}, constants=constants, words=words
    )
    return imports.set_place(job=job, membership=membership, crs=crs, **place)


def codes_of(row) -> set[str]:
    return {problem["code"] for problem in row.problems}


TOWERS = """编码,名称,经度,纬度,塔高(米),天线位总数,空闲天线位
T-1,天河一号,113.33,23.13,40,3,2
T-2,天河二号,113.34,23.14,45米,3,1
"""


def cleaned(row) -> dict:
    """What a row of the report becomes: its values by field, the place as WKT under "place"."""
    (draft,) = Checker(ImportJob.objects.get(pk=row.job_id)).read([row])
    return draft.values | ({"place": draft.place.wkt} if draft.place is not None else {})
