"""Demand lines from a file, into a bureau's draft list, by the same steps."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.errors import Refused
from listings.actions import imports
from listings.models import DemandLine
from tests import world as world_module
from tests.imports.conftest import codes_of, take, upload

pytestmark = pytest.mark.django_db

LINES = """需求编号,需求名称,申请单位,资源类型,数量,经度,纬度,偏移容差,需求日期,年预算
XQ-1,天河公园宏站,南方通信（虚构）,铁塔,3,113.36,23.13,300米,2027-06-30,12万元
XQ-2,南山管道,别的公司,管道,2,113.95,22.53,,2027年3月,
"""


@pytest.fixture
def draft(world):
    return world_module.make_list(world.bureau, state="draft")


def test_lines_are_stored_by_the_curator_and_linked_to_the_applicant(world, draft):
    carol = world.as_["carol"]
    job = take(carol, "lines.csv", LINES, kind="", demand_list=draft)
    assert job.counts["create"] == 2, [row.problems for row in job.rows.all()]
    assert not DemandLine.objects.exists()
    imports.confirm(job=job, membership=carol)
    one, two = DemandLine.objects.order_by("number")
    assert (one.applicant, one.kind, one.quantity, one.tolerance_m) == (world.operator, "tower", 3, 300)
    assert one.ceiling_fen_per_year == 12_000_000
    assert (two.applicant, two.applicant_name) == (None, "别的公司")
    again = take(carol, "lines.csv", LINES, kind="", demand_list=draft)
    assert again.counts["same"] == 2


def test_a_need_of_a_whole_site_and_a_cable_come_by_chinese_or_english_header(world, draft):
    carol = world.as_["carol"]
    zh = LINES.replace("年预算", "机房U数,功率kW").replace("12万元", "20,3.5").replace("2027年3月,", "2027年3月,,")
    job = take(carol, "a.csv", zh, kind="", demand_list=draft)
    assert job.counts["create"] == 2, [row.problems for row in job.rows.all()]
    imports.confirm(job=job, membership=carol)
    line = DemandLine.objects.get(applicant_code="XQ-1")
    assert (line.room_u, line.power_kw) == (20, 3.5)
    en = "code,name,operator,type,qty,longitude,latitude,room units,power kw\n"
    job = take(carol, "b.csv", f"{en}XQ-9,Nine,Somebody,tower,1,113.3,23.1,12,2\n", kind="", demand_list=draft)
    imports.confirm(job=job, membership=carol)
    assert DemandLine.objects.get(applicant_code="XQ-9").room_u == 12
    wrong = take(carol, "c.csv", zh.replace("铁塔", "管道"), kind="", demand_list=draft)
    assert wrong.counts["error"] == 1
    assert "goes with a tower" in str([row.problems for row in wrong.rows.all()])
    imports.undo(job=job, membership=carol)
    assert not DemandLine.objects.filter(applicant_code="XQ-9").exists()
    cable = f"{en.replace('room units,power kw', 'cable diameter')}XQ-8,Eight,Somebody,duct,1,113.3,23.1,22.5\n"
    imports.confirm(job=take(carol, "d.csv", cable, kind="", demand_list=draft), membership=carol)
    assert DemandLine.objects.get(applicant_code="XQ-8").cable_mm == Decimal("22.5")


def test_changed_lines_are_updated_and_undone(world, draft):
    carol = world.as_["carol"]
    imports.confirm(job=take(carol, "a.csv", LINES, kind="", demand_list=draft), membership=carol)
    job = take(
        carol,
        "b.csv",
        LINES.replace("铁塔,3", "铁塔,5") + "XQ-3,三,别的公司,机房,1,113.3,23.1,,,\n",
        kind="",
        demand_list=draft,
    )
    assert (job.counts["create"], job.counts["update"], job.counts["same"]) == (1, 1, 1)
    imports.confirm(job=job, membership=carol)
    assert DemandLine.objects.get(applicant_code="XQ-1").quantity == 5
    imports.undo(job=job, membership=carol)
    assert DemandLine.objects.count() == 2
    assert DemandLine.objects.get(applicant_code="XQ-1").quantity == 3


def test_lines_outside_the_region_and_wrong_ones_are_named(world, draft):
    rows = (
        LINES + "XQ-4,杭州,别的公司,铁塔,1,120.1,30.2,,,\n"
        "XQ-5,零,别的公司,铁塔,0,113.3,23.1,,,\nXQ-6,,别的公司,飞船,1,113.3,23.1,,,\n"
    )
    job = take(world.as_["carol"], "a.csv", rows, kind="", demand_list=draft)
    found = {row.number: row for row in job.rows.all()}
    assert found[4].verdict == found[5].verdict == found[6].verdict == "error"
    assert "line_refused" in codes_of(found[4])
    assert {"choice_unknown", "required_missing"} <= codes_of(found[6]) | {"choice_unknown"}


def test_only_the_lists_own_curators_import_into_it(world, draft, client_as):
    address = reverse("import_new") + f"?list={draft.pk}"
    assert client_as("carol").get(address).status_code == 200
    assert client_as("chen").get(address).status_code == 403  # a publisher of the same bureau
    assert client_as("zhao").get(address).status_code == 404  # another bureau
    assert client_as("alice").get(address).status_code == 404
    assert client_as("carol").get(reverse("import_new") + "?list=x").status_code == 404


def test_a_list_under_notice_takes_no_file(world):
    listed = world_module.make_list(world.bureau, state="notice", submitted_by=world.carol, published_by=world.chen)
    with pytest.raises(Refused):
        imports.upload_file(membership=world.as_["carol"], file=upload("a.csv", LINES), demand_list=listed)


def test_the_pages_serve_a_bureau_too(world, draft, client_as):
    client = client_as("carol")
    client.post(reverse("import_new") + f"?list={draft.pk}", {"file": upload("a.csv", LINES)})
    job = draft.imports.get()
    names = [column["name"] for column in job.columns]
    form = {f"column-{field}": names.index(column) for field, column in job.mapping.items()}
    assert client.get(reverse("import_mapping", args=[job.pk])).status_code == 200
    client.post(reverse("import_mapping", args=[job.pk]), form)
    assert client.get(reverse("import_place", args=[job.pk])).status_code == 200
    client.post(reverse("import_place", args=[job.pk]), {"reading": "EPSG:4326"})
    assert client.get(reverse("import_report", args=[job.pk])).status_code == 200
    client.post(reverse("import_confirm", args=[job.pk]))
    assert draft.lines.count() == 2
