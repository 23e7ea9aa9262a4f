"""One's own file out, read back by the import: nothing changes. Changed in one cell: that changes, nothing else."""

import datetime as dt
import zipfile
from decimal import Decimal

import pytest
from django.contrib.gis.geos import LineString, Point
from django.core.files.uploadedfile import SimpleUploadedFile

from listings.actions import imports
from listings.kinds.pools import PoolData
from listings.models import ImportJob, Resource
from tests.listings.supply import save

KINDS = ("tower", "duct", "cable", "room")
FACTS = {
    "tower": {"height_m": Decimal("40.5"), "structure": "angle_steel", "has_fibre": True, "mains_v": 380,
              "load_kg": Decimal("120.25"), "reinforcement": "not_allowed", "line_name": "珠江线"},
    "duct": {"inner_mm": Decimal(100), "outer_mm": Decimal(110), "network": "power", "cover_depth_m": Decimal("0.8")},
    "cable": {"cable_level": "backbone", "carrier": "opgw", "attenuation_db_per_km": Decimal("0.21"), "end_a": "甲局"},
    "room": {"area_m2": Decimal("60.5"), "has_ups": False, "cooling_kw": Decimal(35),
             "tenure_ends_on": dt.date(2031, 5, 1)},
}  # fmt: skip
POOLS = {
    "tower": [PoolData("position", Decimal(3), Decimal(1), label="P1", height_m=Decimal(35),
                       price_fen_per_unit_year=120050),
              PoolData("position", Decimal(3), label="P2", height_m=Decimal(30), price_fen_per_unit_year=120050)],
    "duct": [PoolData("bore", Decimal(4), Decimal(1), bore_mm=Decimal(100), price_fen_per_unit_year=0)],
    "cable": [PoolData("core", Decimal(48), Decimal(12))],
    "room": [PoolData("rack_u", Decimal(84), Decimal(10), price_fen_per_unit_year=30000), PoolData("kw", Decimal(10))],
}  # fmt: skip


@pytest.fixture
def supply(world):
    """One of each kind, full of facts, and a tower that no flat row can say in full."""
    alice = world.as_["alice"]
    made = {}
    for kind in KINDS:
        line = kind in ("duct", "cable")
        place = Point(113.331234567, 23.131234567, srid=4326)
        if line:
            place = LineString((113.331234567, 23.131234567), (113.341234567, 23.132), srid=4326)
        made[kind] = save(
            alice, kind, owner_code=f"00{kind}", facts=FACTS[kind], pools=POOLS[kind], place=place,
            data={"name": f"{kind}·天河（一）", "address": "天河路1号", "access_note": "工作日 9:00–17:00",
                  "price_note": "面议", "lifecycle": "in_service", "condition": "good", "accuracy": "0.5",
                  "quality": "valid", "available_from": dt.date(2026, 1, 1), "grade": "general",
                  "disclosure": "exact", "facts_on": dt.date(2026, 3, 1), "source": "普查",
                  "missing": {"fire_system": "withheld"} if kind == "room" else {}},
        )  # fmt: skip
    made["odd"] = save(
        alice, "tower", owner_code="odd", pools=[
            PoolData("position", Decimal(2), label="north", height_m=Decimal(20), price_fen_per_unit_year=100),
            PoolData("position", Decimal(2), label="south", height_m=Decimal(25)),
        ],
    )  # fmt: skip
    return made


def read_back(membership, content: bytes, name: str, kind: str, *, sheet: str = "") -> ImportJob:
    """The file through the import's own actions up to its report."""
    job, _new = imports.upload_file(membership=membership, file=SimpleUploadedFile(name, content), kind=kind)
    if sheet and sheet != job.detected.get("sheet"):
        job = imports.choose_sheet(job=job, membership=membership, sheet=sheet, kind=kind)
        imports.advance_if_small(job)
        job.refresh_from_db()
    assert job.state == "mapping", job.refusal
    job = imports.set_columns(job=job, membership=membership, mapping=job.mapping)
    job = imports.set_place(job=job, membership=membership, crs="EPSG:4326")
    assert job.state == "ready", job.refusal
    return job


def verdicts(job) -> dict[str, int]:
    return {name: job.counts[name] for name in ("create", "update", "same", "error")}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_own_csv_read_back_changes_nothing(world, supply, written, kind, language):
    path = written(world.as_["alice"], "csv", scope="own", language=language)
    with zipfile.ZipFile(path) as bundle:
        content = bundle.read(f"{kind}.csv")
    job = read_back(world.as_["alice"], content, f"{kind}.csv", kind)
    found = [(row.verdict, row.problems, row.raw) for row in job.rows.all() if row.verdict != "same"]
    assert verdicts(job) == {"create": 0, "update": 0, "same": 2 if kind == "tower" else 1, "error": 0}, found


def test_own_workbook_read_back_changes_nothing(world, supply, written):
    content = written(world.as_["alice"], "xlsx", scope="own", language="zh-hans").read_bytes()
    for kind, sheet in (("tower", "Tower"), ("room", "Machine")):
        job, _new = imports.upload_file(
            membership=world.as_["alice"], file=SimpleUploadedFile("own.xlsx", content), kind=kind
        )
        names = job.detected["sheets"]
        imports.cancel(job=job, membership=world.as_["alice"])
        wanted = next(n for n in names if n.startswith((sheet, {"tower": "铁塔", "room": "机房"}[kind])))
        job = read_back(world.as_["alice"], content, "own.xlsx", kind, sheet=wanted)
        assert verdicts(job)["same"] == (2 if kind == "tower" else 1), [(r.verdict, r.problems) for r in job.rows.all()]
        imports.cancel(job=job, membership=world.as_["alice"])


def test_one_changed_cell_changes_that_and_no_pool(world, supply, written):
    with zipfile.ZipFile(written(world.as_["alice"], "csv", scope="own")) as bundle:
        text = bundle.read("tower.csv").decode()
    job = read_back(world.as_["alice"], text.replace("天河路1号", "天河路2号").encode(), "t.csv", "tower")
    assert verdicts(job) == {"create": 0, "update": 1, "same": 1, "error": 0}
    imports.confirm(job=job, membership=world.as_["alice"])
    tower = Resource.objects.get(pk=supply["tower"].pk)
    assert tower.address == "天河路2号"
    assert [p.label for p in supply["odd"].pools.order_by("pk")] == ["north", "south"]
