"""Bores, chambers and carriers by file: judged as they will stand, stored as from the form, the same again nothing."""

import io

import openpyxl
import pytest
from django.contrib.gis.geos import LineString
from django.urls import reverse

from accounts.errors import Refused
from listings.actions import imports
from listings.models import Bore, Carriage, DuctChamber, ImportJob
from tests.imports.conftest import codes_of, upload, workbook
from tests.world import make_resource

pytestmark = pytest.mark.django_db
LINE = LineString((113.33, 23.13), (113.34, 23.13), srid=4326)

BORES = """管道编码,管孔编号,所在管孔,所在行,所在列,管材,内径(mm),外径(mm),孔内光缆数,堵塞位置
D-1,a1,,1,1,PVC,100,110,1,
D-1,a2,,1,2,PVC,100mm,110,0,
D-1,a1-1,a1,,,硅芯管,33,40,1,
"""


@pytest.fixture
def duct(world):
    return make_resource(world.power, "duct", place=LINE, owner_code="D-1", facts={"face_rows": 2, "face_columns": 2})


@pytest.fixture
def cable(world):
    return make_resource(world.power, "cable", place=LINE, owner_code="C-1")


def take(membership, content, kind, name="parts.csv") -> ImportJob:
    """A file of parts up to its report; the proposed columns taken as they are."""
    job, _is_new = imports.upload_file(membership=membership, file=upload(name, content), kind=kind)
    if job.state == "mapping":
        job = imports.set_columns(job=job, membership=membership, mapping=job.mapping)
        imports.advance_if_small(job)
        job.refresh_from_db()
    assert (job.target, job.state) == ("parts", "ready"), (job.refusal, job.mapping)
    return job


def store(membership, content, kind) -> ImportJob:
    job = take(membership, content, kind)
    assert job.counts["error"] == 0, [row.problems for row in job.rows.all()]
    return imports.confirm(job=job, membership=membership)


def bores(duct) -> list[tuple]:
    rows = Bore.objects.filter(duct=duct).order_by("label")
    return [(b.label, b.parent.label if b.parent else "", b.row, b.inner_mm, b.cable_count) for b in rows]


def test_bores_and_sub_ducts_come_in_and_the_same_file_changes_nothing(world, duct):
    alice = world.as_["alice"]
    job = take(alice, BORES, "bores")
    assert not duct.bores.exists()
    assert job.counts["create"] == 3, [row.problems for row in job.rows.all()]
    assert imports.confirm(job=job, membership=alice).state == "done"
    assert bores(duct) == [("a1", "", 1, 100, 1), ("a1-1", "a1", None, 33, 1), ("a2", "", 1, 100, 0)]
    again = take(alice, BORES, "bores")
    assert again.counts["same"] == 3
    with pytest.raises(Refused):
        imports.confirm(job=again, membership=alice)


def test_a_later_file_adds_and_changes_and_leaves_the_rest_and_is_undone(world, duct):
    alice = world.as_["alice"]
    store(alice, BORES, "bores")
    before = bores(duct)
    job = store(alice, "管道编码,管孔编号,所在行,所在列,孔内光缆数\nD-1,a2,,,2\nD-1,b1,2,1,0\n", "bores")
    assert (job.counts["create"], job.counts["update"]) == (1, 1)
    assert bores(duct) == [*before[:2], ("a2", "", 1, 100, 2), ("b1", "", 2, None, 0)]
    imports.undo(job=job, membership=alice)
    assert bores(duct) == before


def test_bores_changed_since_stay_when_the_import_is_undone(world, duct):
    alice = world.as_["alice"]
    job = store(alice, BORES, "bores")
    Bore.objects.filter(duct=duct, label="a2").update(cable_count=9)
    with pytest.raises(Refused, match="D-1"):
        imports.undo(job=job, membership=alice)
    assert imports.undo(job=job, membership=alice, keep_changed=True).state == "undone"
    assert len(bores(duct)) == 3


def test_a_duct_without_capacity_gets_it_from_its_bores(world):
    alice = world.as_["alice"]
    duct = make_resource(world.power, "duct", place=LINE, owner_code="D-1", pools=[])
    job = store(alice, BORES, "bores")
    assert {(pool.bore_mm, pool.total) for pool in duct.pools.all()} == {(100, 1), (33, 1)}
    imports.undo(job=job, membership=alice)
    assert not duct.pools.exists()
    assert not duct.bores.exists()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("X-9,a1,,1,1,,,,,", "part_duct_unknown"),
        (",a1,,1,1,,,,,", "part_holder_missing"),
        ("D-1,,,1,1,,,,,", "part_name_missing"),
        ("D-1,a1,,9,1,,,,,", "part_refused"),  # outside the face
        ("D-1,a1,,1,1,,110,100,,", "part_refused"),  # inner above outer
        ("D-1,a1-1,a9,,,,,,,", "part_refused"),  # lies in no bore
        ("D-1,a1,,1,1,,,,,9999999", "part_refused"),  # blocked beyond the end
        ("D-1,a1,,1,1,,,,1.5,", "not_whole"),
    ],
)
def test_every_bad_row_is_named_and_only_the_good_are_stored(world, duct, row, code):
    alice = world.as_["alice"]
    job = take(alice, BORES.splitlines()[0] + f"\n{row}\nD-1,z1,,2,2,,50,60,0,\n", "bores")
    bad, good = job.rows.order_by("number")
    assert code in codes_of(bad), bad.problems
    assert (bad.verdict, good.verdict) == ("error", "create")
    imports.confirm(job=job, membership=alice)
    assert [label for label, *_ in bores(duct)] == ["z1"]


def test_what_lies_in_a_bad_row_is_bad_too(world, duct):
    job = take(world.as_["alice"], BORES.replace("D-1,a1,,1,1", "D-1,a1,,9,1"), "bores")
    assert list(job.rows.order_by("number").values_list("verdict", flat=True)) == ["error", "create", "error"]


def test_the_same_bore_twice_in_a_file_is_named(world, duct):
    job = take(world.as_["alice"], BORES + "D-1,a2,,2,2,PVC,50,60,0,\n", "bores")
    assert "code_twice_in_file" in codes_of(job.rows.order_by("number").last())


def test_chambers_come_in_at_their_ends_and_are_shared(world, duct):
    alice = world.as_["alice"]
    make_resource(world.power, "duct", place=LINE, owner_code="D-2")
    text = "管道编码,人手孔编号,位置,类型,距A端(m),井深(m)\nD-1,R-1,A端,人孔,,1.8\n"
    text += "D-1,R-2,中间,手孔,200,\nD-2,R-1,终点,,,\n"
    store(alice, text, "chambers")
    links = DuctChamber.objects.order_by("duct__owner_code", "end").values_list(
        "duct__owner_code", "chamber__code", "end", "at_m", "chamber__chamber_type"
    )
    assert list(links) == [
        ("D-1", "R-1", "a", None, "manhole"), ("D-1", "R-2", "between", 200, "handhole"),
        ("D-2", "R-1", "b", None, "manhole"),
    ]  # fmt: skip
    job = take(alice, "管道编码,人手孔编号,位置,距A端(m)\nD-1,R-3,中间,\nD-1,R-4,A端,\nD-1,R-5,B端,\n", "chambers")
    assert list(job.rows.order_by("number").values_list("verdict", flat=True)) == ["error", "error", "create"]


def test_carriers_by_code_and_by_line_come_in_once(world, duct, cable):
    alice = world.as_["alice"]
    store(alice, BORES, "bores")
    poles = [make_resource(world.power, owner_code=f"P-{n}", facts={"line_name": "北线"}) for n in range(2)]
    text = "光缆编码,承载设施编码,管孔编号\nC-1,D-1,a2\nC-1,line:北线,\n"
    job = store(alice, text, "carriers")
    assert set(Carriage.objects.values_list("cable", "carrier", "bore__label")) == {
        (cable.pk, duct.pk, "a2"), *((cable.pk, pole.pk, None) for pole in poles),
    }  # fmt: skip
    assert take(alice, text, "carriers").counts["same"] == 2
    moved = store(alice, "光缆编码,承载设施编码,管孔编号\nC-1,D-1,a1-1\n", "carriers")
    assert moved.counts["update"] == 1
    assert Carriage.objects.get(carrier=duct).bore.label == "a1-1"
    imports.undo(job=moved, membership=alice)
    assert Carriage.objects.get(carrier=duct).bore.label == "a2"
    imports.undo(job=job, membership=alice)
    assert not Carriage.objects.exists()


@pytest.mark.parametrize(
    ("row", "code"),
    [("C-9,D-1,", "part_cable_unknown"), ("C-1,E-1,", "part_carrier_unknown"), ("C-1,D-1,q9", "part_bore_unknown")],
)
def test_a_carrier_that_is_not_ours_or_has_no_such_bore_is_named(world, duct, cable, row, code):
    make_resource(world.evil, "duct", place=LINE, owner_code="E-1")
    job = take(world.as_["alice"], f"光缆编码,承载设施编码,管孔编号\n{row}\n", "carriers")
    assert code in codes_of(job.rows.get())


def test_another_owners_duct_of_the_same_code_is_not_touched(world, duct):
    theirs = make_resource(world.evil, "duct", place=LINE, owner_code="D-1")
    store(world.as_["alice"], BORES, "bores")
    assert not theirs.bores.exists()
    assert duct.bores.count() == 3


@pytest.mark.parametrize("kind", ["bores", "chambers", "carriers"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_template_is_known_without_a_word_and_asks_nothing(world, client, duct, kind, language):
    client.force_login(world.alice)
    prefix = "/en" if language == "en" else ""
    response = client.get(f"{prefix}/imports/template/{kind}/")
    data = b"".join(response.streaming_content)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert len(book.worksheets) == 2
    job, _is_new = imports.upload_file(membership=world.as_["alice"], file=upload("t.xlsx", data))
    assert (job.target, job.kind, job.state) == ("parts", kind, "ready"), job.refusal


def test_a_sheet_of_a_workbook_is_read_as_parts_from_the_pages(world, client, duct):
    client.force_login(world.alice)
    rows = [line.split(",") for line in BORES.splitlines()]
    data = workbook({"说明": [["本表为管孔台账"]], "管孔": rows})
    response = client.post(reverse("import_new"), {"kind": "", "file": upload("book.xlsx", data)}, follow=True)
    job = ImportJob.objects.get()
    again = {"again": "1", "kind": "bores", "sheet": "管孔"}
    response = client.post(reverse("import_mapping", args=[job.pk]), again, follow=True)
    assert response.status_code == 200
    job.refresh_from_db()
    assert (job.target, job.kind) == ("parts", "bores")
    names = [column["name"] for column in job.columns]
    form = {f"column-{name}": str(names.index(column)) for name, column in job.mapping.items()}
    response = client.post(reverse("import_mapping", args=[job.pk]), form, follow=True)
    assert response.redirect_chain[-1][0].endswith(reverse("import_report", args=[job.pk]))
    assert "a1-1" in response.content.decode()
    client.post(reverse("import_confirm", args=[job.pk]))
    assert duct.bores.count() == 3
