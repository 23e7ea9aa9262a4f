"""Real files through the real path. The messy Chinese ones are held against their truth, the big one against GDAL."""

import csv
import math
import resource as rusage
import sys
import time
import zipfile

import pyogrio
import pytest
from django.contrib.gis.geos import GEOSGeometry
from django.core.management import call_command
from django.db import transaction

from accounts.models import Membership, Region
from listings.actions import imports
from listings.imports import guessing
from listings.models import ImportRow, Resource
from tests.imports.conftest import cleaned, codes_of, take, upload
from tests.world import make_organisation, make_regions, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]
RIGHT_DEG = 1e-5
TENTH_OF_A_SECOND_DEG = 0.05 / 3600 + 1e-7  # a quarter of the DMS file gives tenths of a second: rounded by up to half


@pytest.fixture(scope="module")
def divisions(django_db_setup, django_db_blocker):
    """Real divisions and an owner seated in the nation as a whole, loaded once: each test undoes only its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        make_regions()
        owner = make_organisation("All China Grid", region="100000")
        user = make_user("Ning", owner, "admin", "editor")
        call_command("load_regions", verbosity=0)
        yield user.pk
        transaction.set_rollback(True)


@pytest.fixture
def nation(divisions, db):
    return Membership.objects.select_related("organisation__region", "user").get(user_id=divisions)


def truth_of(folder, name):
    with (folder / "messy_cn" / "truth.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if row["file"] == name]


def by_key(job, field):
    column = job.mapping[field]
    found = {}
    for row in ImportRow.objects.filter(job=job).order_by("number"):
        found.setdefault(str(row.raw.get(column, "")).strip(), []).append(row)
    return found


def is_right(row, truth, within_deg=RIGHT_DEG):
    place = GEOSGeometry(cleaned(row)["place"], srid=4326)
    lon, lat = float(truth["wgs84_lon"]), float(truth["wgs84_lat"])
    return abs(place.x - lon) <= within_deg and abs(place.y - lat) <= within_deg


def propose_system(job):
    rows, found = guessing.sample_spots(job)
    return guessing.guess_system(job, rows, found)


def messy(membership, folder, file, *, kind="tower", key, **more):
    """The file through the path with the system the portal itself proposes; (job, rows by key, truth)."""
    if file.endswith(".shp"):
        from io import BytesIO

        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for part in sorted((folder / "messy_cn").glob(file[:-4] + ".*")):
                archive.write(part, f"管道/{part.name}")
        content, name = buffer.getvalue(), file[:-4] + ".zip"
    else:
        content, name = (folder / "messy_cn" / file).read_bytes(), file
    job, _new = imports.upload_file(membership=membership, file=upload(name, content), kind=kind)
    assert job.state == "mapping", job.refusal
    imports.set_columns(job=job, membership=membership, mapping=job.mapping, **more)
    job.refresh_from_db()
    candidates = propose_system(job)
    job = imports.set_place(job=job, membership=membership, crs=candidates[0].code, is_swapped=candidates[0].is_swapped)
    assert job.state == "ready", job.refusal
    return job, candidates, by_key(job, key), truth_of(folder, file)


@pytest.mark.parametrize(
    ("file", "kind", "key", "system", "sure", "more"),
    [
        ("铁塔资源表_GBK.csv", "tower", "name", "GCJ-02", True, {}),
        ("机房_BD09.csv", "room", "name", "BD-09", True, {"constants": {"kw_total": "0"}}),
        ("杆塔台账_度分秒.xlsx", "tower", "owner_code", "EPSG:4326", False, {}),
        ("管道人井_CGCS2000_114E.shp", "tower", "name", "EPSG:4547", True, {}),
        ("站址.kml", "tower", "name", "EPSG:4326", False, {}),
    ],
)
def test_messy_chinese_files_come_out_as_their_truth_says(nation, shared_data, file, kind, key, system, sure, more):
    job, candidates, rows, truth = messy(nation, shared_data, file, kind=kind, key=key, **more)
    assert candidates[0].code == system
    assert (candidates[0].confidence >= 0.8) is sure  # unsaid systems are never preselected
    good, right, wrong_and_silent, unnamed = 0, 0, [], []
    for line in truth:
        found = rows[line["row_key"]]
        row = found[-1] if line["expect"].startswith("duplicate") else found[0]
        if line["expect"] == "ok":
            good += 1
            within = TENTH_OF_A_SECOND_DEG if "style c" in line["note"] else RIGHT_DEG
            if row.verdict != "error" and is_right(row, line, within):
                right += 1
            elif row.verdict != "error":
                wrong_and_silent.append(line["row_key"])
        elif row.verdict != "error" or not row.problems:
            unnamed.append(line["row_key"])
    assert not wrong_and_silent
    assert not unnamed
    assert right >= 0.99 * good, [(r.number, r.problems) for r in job.rows.filter(verdict="error")[:5]]


def test_swapped_rows_of_the_messy_file_come_right_when_exchanged(nation, shared_data):
    job, _candidates, rows, truth = messy(nation, shared_data, "铁塔资源表_GBK.csv", key="name")
    swapped = [line for line in truth if line["expect"] == "swapped"]
    assert all("swapped" in codes_of(rows[line["row_key"]][0]) for line in swapped)
    job = imports.swap_rows(job=job, membership=nation)
    rows = by_key(job, "name")
    assert all(
        is_right(rows[line["row_key"]][0], line) and rows[line["row_key"]][0].verdict == "create" for line in swapped
    )


@pytest.mark.slow
def test_transpower_structures_land_where_gdal_puts_them(nation, shared_data, capsys):
    path = shared_data / "power_nz_transpower" / "Structures-shp.zip"
    begun = time.monotonic()
    job, _new = imports.upload_file(
        membership=nation, file=upload("Structures-shp.zip", path.read_bytes()), kind="tower"
    )
    imports.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.row_count) == ("mapping", 38_128)
    read_s = time.monotonic() - begun
    kinds = ImportRow.objects.filter(job=job).values_list("raw__LongType", flat=True).distinct().order_by()
    words = {
        "tower_type": {word: "power_pole" if "Pole" in word else "power_pylon" for word in kinds if word},
        "lifecycle": {"COMMISSIONED": "in_service", "DECOMMISSIONED": "retired"},
    }
    imports.set_columns(
        job=job,
        membership=nation,
        mapping=job.mapping | {"owner_code": "MXLOCATION", "tower_type": "LongType"},
        words=words,
    )
    job.refresh_from_db()
    candidates = propose_system(job)
    assert (candidates[0].code, candidates[0].confidence >= 0.9) == ("EPSG:2193", True)
    begun = time.monotonic()
    imports.set_place(job=job, membership=nation, crs="EPSG:2193", is_abroad=True)
    imports.work(job.pk)
    job.refresh_from_db()
    check_s = time.monotonic() - begun
    assert job.counts["create"] + job.counts["error"] == 38_128
    doubled = ImportRow.objects.filter(job=job, verdict="error")
    assert all(
        codes_of(row)
        & {
            "code_twice_in_file",
            "same_row_again",
            "required_missing",
            "code_missing",
            "choice_unknown",
            "choice_unknown_near",
        }
        for row in doubled[:50]
    )
    assert job.counts["create"] > 37_000, job.counts["by_code"][:8]
    begun = time.monotonic()
    imports.confirm(job=job, membership=nation)
    imports.work(job.pk)
    job.refresh_from_db()
    store_s = time.monotonic() - begun
    assert job.state == "done", job.refusal
    assert Resource.objects.filter(import_job=job).count() == job.counts["create"]
    peak_mb = rusage.getrusage(rusage.RUSAGE_SELF).ru_maxrss / 1024
    with capsys.disabled():
        sys.stdout.write(
            f"\n38,128 structures: read {read_s:.1f} s, check {check_s:.1f} s, store {store_s:.1f} s, "
            f"peak {peak_mb:.0f} MB"
        )
    _spot_checks(job, path)


def _spot_checks(job, path):
    """GDAL's own transform of the same file, as GeoDjango runs it, for 50 rows spread over it."""
    meta, _index, geometries, (codes,) = pyogrio.raw.read(f"/vsizip/{path}", columns=["MXLOCATION"])
    assert meta["crs"] == "EPSG:2193"
    compared = 0
    for i in range(0, len(codes), len(codes) // 50):
        resource = Resource.objects.filter(import_job=job, owner_code=codes[i]).first()
        if resource is None or list(codes).count(codes[i]) > 1:
            continue
        there = GEOSGeometry(memoryview(geometries[i]), srid=2193)
        there.transform(4326)
        lon, lat = (there.x, there.y) if there.x > 90 else (there.y, there.x)
        assert math.hypot(resource.place.x - lon, resource.place.y - lat) < 1e-6
        compared += 1
    assert compared > 40


def test_watra_links_become_cables_and_the_empty_one_is_named(nation, shared_data):
    for country in ("CIV", "SEN"):
        content = (shared_data / "telecom_fibre_watra" / f"{country}_lines.geojson").read_bytes()
        job, _new = imports.upload_file(membership=nation, file=upload(f"{country}.geojson", content))
        assert job.kind == "cable"
        mapping = job.mapping
        if country == "SEN":  # its distance is in metres and says so nowhere: the rows come out of range, by name
            mapping = {field: column for field, column in mapping.items() if field != "sheath_km"}
        imports.set_columns(job=job, membership=nation, mapping=mapping)
        job.refresh_from_db()
        assert propose_system(job)[0].code == "EPSG:4326"
        job = imports.set_place(job=job, membership=nation, crs="EPSG:4326", is_abroad=True)
        bad = job.rows.filter(verdict="error")
        if country == "CIV":
            assert {row.number for row in bad if "geometry_missing" in codes_of(row)} == {174}  # 173 counted from 0
        errors = [
            (r["code"], r["column"], r["count"], r.get("texts")) for r in job.counts["by_code"] if r["level"] == "error"
        ]
        assert job.counts["create"] > 0.9 * job.row_count, errors
        imports.confirm(job=job, membership=nation)
        made = Resource.objects.filter(import_job=job)
        assert made.count() == job.counts["create"]
        assert all(r.place.geom_type in ("LineString", "MultiLineString") and r.length_m > 0 for r in made)


def test_linknyc_kiosks_come_from_csv(nation, shared_data):
    content = (shared_data / "municipal_linknyc" / "LinkNYC_Locations.csv").read_bytes()
    job, _new = imports.upload_file(membership=nation, file=upload("LinkNYC_Locations.csv", content), kind="tower")
    assert (job.mapping["latitude"], job.mapping["longitude"]) == ("Latitude", "Longitude")
    assert job.mapping["owner_code"] in ("CB Link ID", "Link Site ID")
    mapping = job.mapping | {"owner_code": "CB Link ID", "name": "Street Address"}
    mapping = {
        field: column
        for field, column in mapping.items()
        if field not in ("available_from", "facts_on", "lifecycle", "region")
    }
    imports.set_columns(job=job, membership=nation, mapping=mapping, constants={"tower_type": "smart_pole"})
    job = imports.set_place(job=job, membership=nation, crs="EPSG:4326", is_abroad=True)
    assert job.row_count == 1_868
    assert job.counts["create"] > 1_850, job.counts["by_code"][:6]
    kiosk = job.rows.get(raw__contains={"CB Link ID": "LINK-019315"})
    place = GEOSGeometry(cleaned(kiosk)["place"])
    assert (place.x, place.y) == (-73.910282, 40.850173)


def test_helsinki_points_come_from_geojson(nation, shared_data):
    content = (shared_data / "osm_helsinki" / "helsinki_infra_points.geojson").read_bytes()
    job, _new = imports.upload_file(membership=nation, file=upload("points.geojson", content), kind="tower")
    assert job.row_count == 1_337
    imports.set_columns(
        job=job,
        membership=nation,
        mapping={"owner_code": "@id", "name": "@id", "geometry": "__geometry__"},
        constants={"tower_type": "lamp_pole"},
    )
    job = imports.set_place(job=job, membership=nation, crs="EPSG:4326", is_abroad=True)
    assert job.counts["create"] == 1_337, job.counts["by_code"][:6]


def test_the_abroad_places_are_refused_unless_said_to_be_abroad(nation, shared_data):
    content = (shared_data / "power_nz_transpower" / "Sites-shp.zip").read_bytes()
    job = take(nation, "Sites.zip", content, crs="EPSG:2193", mapping={"tower_type": "", "lifecycle": ""})
    assert job.counts["error"] == job.row_count == 217
    job = imports.set_place(job=job, membership=nation, crs="EPSG:2193", is_abroad=True)
    assert job.counts["error"] == 0, job.counts["by_code"][:5]
    assert Region.objects.filter(pk="100000").exists()


def test_a_spilled_spreadsheet_is_refused_with_what_to_do(nation, shared_data):
    content = (shared_data / "power_nz_transpower" / "tp_shapes.xlsx").read_bytes()
    job, _new = imports.upload_file(membership=nation, file=upload("tp_shapes.xlsx", content), kind="cable")
    imports.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.detected["refusal"]["code"]) == ("failed", "too_many_columns")


def test_wkt_with_semicolons_is_read(nation, shared_data):
    content = (shared_data / "power_nz_transpower" / "wkt_semicolon_lines.csv").read_bytes()
    job, _new = imports.upload_file(membership=nation, file=upload("lines.csv", content), kind="cable")
    imports.work(job.pk)
    job.refresh_from_db()
    assert job.state == "mapping", job.refusal
    assert job.detected["delimiter"] == ";"
    assert "wkt" in job.mapping
