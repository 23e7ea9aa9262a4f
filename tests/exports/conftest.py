"""What the tests of files out share: a file made and read."""

import csv
import io
import zipfile

import pytest
from django.utils import timezone

from listings.exports.make import produce
from listings.models import ExportJob


@pytest.fixture
def written(tmp_path, db):
    """written(membership, "csv", …) → the path of the file produce() makes for this reader."""

    def make(membership, format_, *, scope="map", query="", crs="EPSG:4326", language="en"):
        job = ExportJob(
            organisation=membership and membership.organisation, membership=membership,
            created_by=membership and membership.user, format=format_, scope=scope, query=query, crs=crs,
            language=language, created_at=timezone.now(),
        )  # fmt: skip
        path = tmp_path / f"out.{format_}"
        produce(job, membership, path)
        return path

    return make


def tables(path) -> dict[str, list[dict[str, str]]]:
    """{kind: rows} of a CSV export."""
    with zipfile.ZipFile(path) as bundle:
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(bundle.read(name).decode("utf-8-sig"))))
            for name in bundle.namelist()
            if name.endswith(".csv")
        }
