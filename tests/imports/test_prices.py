"""Prices as files give them: a month's rent is twelve times as much a year, and no basis is guessed."""

import pytest

from listings.imports import columns, pages, values
from listings.imports.findings import worded
from listings.kinds.registry import SPECS
from tests.imports.conftest import codes_of, take

PRICE = {kind: {spec.field: spec for spec in SPECS[kind].columns}["price_yuan"] for kind in SPECS}
FREE = {spec.field: spec for spec in SPECS["tower"].columns}["positions_free"]


@pytest.mark.parametrize(
    ("cell", "header", "kind", "expected", "is_told"),
    [
        ("1,200元/月", "单价", "tower", "14400", True),
        ("1200", "月租金", "tower", "14400", True),
        ("1200", "费用/月租金(元)", "tower", "14400", True),
        ("1200", "monthly rent", "tower", "14400", True),
        ("1200", "租金（元/位·月）", "tower", "14400", True),
        ("每月一千二百元", "租金", "tower", "14400", True),
        ("1200 per month", "price", "tower", "14400", True),
        ("100.35", "月费", "tower", "1204.2", True),
        ("1500元/季", "租金", "tower", "6000", True),
        ("9000/半年", "租金", "tower", "18000", True),
        ("100元/天", "租金", "tower", "36500", True),
        ("1,200元/年", "月租金", "tower", "1200", False),  # the cell's own word comes first
        ("RMB 1,200 / a", "租金", "tower", "1200", False),
        ("￥1500", "单价", "tower", "1500", False),
        ("¥ 1,500", "单价", "tower", "1500", False),
        ("1.5万元", "单价", "room", "15000", False),
        ("12", "年租金/万元", "room", "120000", False),
        ("500元/孔公里·年", "单价(元/孔公里·年)", "duct", "500", False),
        ("500", "Price (yuan per bore-km and year)", "duct", "500", False),
    ],
)
def test_a_price_is_taken_per_year_and_what_was_converted_is_told(cell, header, kind, expected, is_told):
    value, findings = values.parse(cell, PRICE[kind], header=header)
    assert value == expected
    assert [finding.code for finding in findings] == (["price_per_period"] if is_told else [])
    assert all(expected in worded(finding.as_json())["message"] for finding in findings)


@pytest.mark.parametrize(
    ("cell", "header", "word"),
    [
        ("500元/次", "单价", "次"),
        ("12元/平米", "单价", "平米"),
        ("12", "租金(元/平米·月)", "平米"),
        ("$90", "单价", "$"),
    ],
)
def test_a_price_by_another_measure_is_refused_and_the_measure_named(cell, header, word):
    value, (finding,) = values.parse(cell, PRICE["tower"], header=header)
    assert value is None
    assert finding.is_error
    assert finding.code == "price_basis_unknown"
    assert word in worded(finding.as_json())["message"]


@pytest.mark.parametrize("cell", ["面议", "协商", "Negotiable"])
def test_a_price_to_be_negotiated_is_no_price_and_no_error(cell):
    value, (finding,) = values.parse(cell, PRICE["tower"], header="月租金")
    assert value is None
    assert finding.level == "info"
    assert finding.code == "price_negotiable"


@pytest.mark.parametrize("cell", ["500-800元", "1e999", "贵", True])
def test_what_is_no_price_is_said(cell):
    value, (finding,) = values.parse(cell, PRICE["tower"])
    assert value is None
    assert finding.code in ("number_unreadable", "price_basis_unknown")


@pytest.mark.parametrize(("cell", "expected"), [("2 个", ["2"]), ("3 / 2 个", ["3", "2"]), ("3 2", ["3", "2"])])
def test_a_space_before_the_unit_parts_no_number(cell, expected):
    assert values.parse(cell, FREE) == (expected, [])


ROWS = """\
某某公司铁塔清单
编码,名称,经度,纬度,塔型,塔高,挂高,剩余挂载平台,月租金
T-1,一号,113.33,23.13,角钢塔,45,35,2 个,"1,200元/月"
T-2,二号,113.34,23.14,单管塔,40,30,3个,￥1500
T-3,三号,113.35,23.15,角钢塔,45,35,两三个,面议
合计,,,,,,,5,2700
"""


def test_a_list_as_companies_keep_it(world, client_as):
    job = take(world.as_["alice"], "towers.csv", ROWS.encode("gb18030"))
    assert job.mapping["structure"] == "塔型"
    assert "tower_type" not in job.mapping
    assert job.mapping["positions_free"] == "剩余挂载平台"
    assert job.mapping["price_yuan"] == "月租金"
    first, second, third, total = job.rows.order_by("number")
    assert "price_per_period" in codes_of(first)
    assert "number_unreadable" not in codes_of(first)
    (second_price,) = (p for p in second.problems if p["code"] == "price_per_period")
    assert second_price["params"]["result"] == "18000"
    assert {"price_negotiable", "number_unreadable"} <= codes_of(third)
    assert "no_capacity" not in codes_of(third)
    assert codes_of(total) == {"total_row"}
    assert (total.verdict, total.problems[0]["level"]) == ("skip", "info")
    assert (job.counts["skip"], job.counts["error"]) == (1, 1)  # the error is the third row's "两三个"
    text = client_as("alice").get(f"/en/imports/{job.pk}/report/").content.decode()
    assert "skipped: totals" in text
    assert "14400" in text  # told at the row, unasked
    assert "Skipped" in client_as("alice").get(f"/en/imports/{job.pk}/report/?level=skip").content.decode()


def test_the_columns_page_shows_what_a_price_is_taken_for(world):
    job = take(world.as_["alice"], "towers.csv", ROWS.encode("gb18030"))
    (row,) = (row for row in pages.field_rows(job) if row.field == "price_yuan")
    assert "1,200元/月 → 14400 元/天线位·年" in row.samples


def test_the_words_of_the_cells_come_before_a_header_of_another_vocabulary():
    specs = SPECS["tower"].columns
    found = columns.propose(specs, ["编码", "塔型"], {"塔型": ["角钢塔", "单管塔", "角钢塔"]}).mapping
    assert found["structure"] == "塔型"
    found = columns.propose(specs, ["编码", "塔型"], {"塔型": ["路灯杆", "监控杆", "路灯杆"]}).mapping
    assert found["tower_type"] == "塔型"
