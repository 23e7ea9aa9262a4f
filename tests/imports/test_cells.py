"""Cells and headers as people write them."""

import datetime as dt
import re
from decimal import Decimal

import pytest

from listings.imports import columns, coordinates, headers, tables, values
from listings.imports.findings import sentence
from listings.imports.sentences import REASONS, SENTENCES
from listings.kinds.registry import SPECS
from listings.kinds.spec import ColumnSpec
from tests.imports.conftest import workbook


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [
        ("45米", "m", "45"),
        ("1.2km", "m", "1200"),
        ("30 kVA", "kVA", "30"),
        ("４５．５", "m", "45.5"),
        ("1,200", "m", "1200"),
        (40.0, "m", "40"),
        ("350mm", "m", "0.35"),
        ("2吨", "kg", "2000"),
        ("3芯", "", "3"),
        ("80%", "%", "80"),
        ("10 kW", "kW", "10"),
        ("65㎡", "m²", "65"),
        ("-48V", "V", "-48"),
        ("30分钟", "h", "0.5"),
        ("四十", "m", "40"),
        ("三十五米", "m", "35"),
        ("一点五公里", "m", "1500"),
        ("十二孔", "", "12"),
        ("二〇", "m", "20"),
        ("五十千克", "kg", "50"),  # the thousand belongs to the unit
        ("两千瓦", "kW", "2"),
    ],
)
def test_numbers_with_units(cell, unit, expected):
    value, wrong = values.number(cell, unit)
    assert (value, wrong) == (Decimal(expected), "")


@pytest.mark.parametrize(
    ("cell", "unit", "code"),
    [
        ("很高", "m", "number_unreadable"),
        ("40kg", "m", "unit_unknown"),
        ("1.2.3", "m", "unit_unknown"),
        (True, "m", "number_unreadable"),
        ("12,5", "m", "unit_unknown"),
    ],
)
def test_what_is_no_number_is_said(cell, unit, code):
    value, wrong = values.number(cell, unit)
    assert value is None
    assert wrong in (code, "number_unreadable")


def test_the_headers_unit_counts_where_the_cell_has_none():
    assert values.number("1.2", "m", headers.hint("长度(km)"))[0] == 1200
    assert values.number("1.2m", "m", headers.hint("长度(km)"))[0] == Decimal("1.2")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("—", "unpopulated"),
        ("", "unpopulated"),
        ("未知", "unknown"),
        ("保密", "withheld"),
        ("N/A", "unpopulated"),
        ("－－", "unpopulated"),
        ("0", None),
        ("无锡", None),
    ],
)
def test_missing_values_say_why(cell, reason):
    assert values.missing_reason(cell) == reason


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2025-03-31", (2025, 3, 31)),
        ("2025/3/1", (2025, 3, 1)),
        ("2025年3月1日", (2025, 3, 1)),
        ("2025年3月", (2025, 3, 1)),
        ("20250301", (2025, 3, 1)),
        ("07/13/2018", (2018, 7, 13)),
        ("13.07.2018", (2018, 7, 13)),
        (45717, (2025, 3, 1)),
        ("2025-03-31 10:00:00", (2025, 3, 31)),
    ],
)
def test_days(cell, day):
    assert values.date(cell) == (dt.date(*day), "")


@pytest.mark.parametrize(
    ("cell", "code"), [("03/04/2018", "date_ambiguous"), ("2025-02-30", "date_unreadable"), ("soon", "date_unreadable")]
)
def test_days_that_are_none_or_two(cell, code):
    assert values.date(cell) == (None, code)


def test_choices_are_understood_guessed_or_asked_back():
    spec = SPECS["tower"].column_by_field["structure"]
    assert values.choice("角钢塔", spec, {}) == ("angle_steel", "", "")
    assert values.choice("ANGLE_STEEL", spec, {}) == ("angle_steel", "", "")
    assert values.choice("旧角钢塔", spec, {})[:2] == ("angle_steel", "guessed")
    assert values.choice("怪物", spec, {})[1] == "unknown"
    assert values.choice("怪物", spec, {"怪物": "guyed"}) == ("guyed", "", "")
    lifecycle = SPECS["tower"].column_by_field["lifecycle"]
    for opposite in ("COMMISSIONED", "inactive", "未在用", "不正常", "not in service", "停用中"):
        assert values.choice(opposite, lifecycle, {})[0] in (None, "suspended"), opposite
    assert values.choice("Double Circuit Single Pole", SPECS["tower"].column_by_field["tower_type"], {})[:2] == (
        "power_pole",
        "guessed",
    )
    _value, findings = values.parse("monopol", spec)
    assert findings[0].code in ("choice_guessed", "choice_unknown_near")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("109 35 41.06", 109.594739),
        ("东经111度33分41.7秒", 111.561583),
        ("108°39'01.42\"", 108.650394),
        ("108°20′59.48″E", 108.349856),
        ("１１８．８８６８６２", 118.886862),
        (" 114.8948492　", 114.8948492),
        ("W73.91", -73.91),
        ("41°17'S", -41.283333),
        ("113-33-41.7", 113.561583),
        ("北纬23.5", 23.5),
        (23.5, 23.5),
        ("-41.5", -41.5),
    ],
)
def test_coordinates(cell, expected):
    assert coordinates.one(cell)[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("cell", ["", "abc", "113 75 10", "113°61'", "1 2 3 4", "2025年"])
def test_what_is_no_coordinate(cell):
    assert coordinates.one(cell)[0] is None


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("(40.850173, -73.91028173)", (40.850173, -73.91028173, False)),
        ("113.33 23.13", (113.33, 23.13, False)),
        ("23°6′51.95″N,109°35′41.06″E", (109.594739, 23.114431, True)),
        ("东经111度33分41.7秒 北纬24度24分23.8秒", (111.561583, 24.406611, True)),
    ],
)
def test_pairs(cell, expected):
    assert coordinates.pair(cell) == pytest.approx(expected, abs=1e-6)


def header_of(rows, merges=()):
    words = headers.words_of(columns.specs_with_place(SPECS["tower"].columns))
    return headers.find(list(enumerate(rows, 1)), words, merges)


def test_titles_stand_above_the_header():
    found = header_of([["某公司台账", ""], ["填报日期：2025年3月", ""], ["编码", "名称"], ["1", "a"]])
    assert (found.columns, found.numbers, "2025年3月" in found.title) == (["编码", "名称"], [3], True)


def test_a_line_about_the_table_is_no_group_of_columns():
    found = header_of(
        [["台账", "", ""], ["填报单位：甲公司", "", "填报日期：三月"], ["编码", "名称", "经度"], ["1", "a", "113.3"]]
    )
    assert (found.columns, found.numbers) == (["编码", "名称", "经度"], [3])


def test_two_header_rows_become_one():
    found = header_of([["编码", "名称", "坐标", ""], ["", "", "经度", "纬度"], ["1", "a", "113.3", "23.1"]])
    assert found.columns == ["编码", "名称", "坐标/经度", "坐标/纬度"]
    assert found.rows_used == 2


def test_the_table_is_found_among_notes_sheets_and_merged_cells_carry_on(tmp_path):
    content = workbook(
        {
            "填写说明": [["请填写以下内容"], ["一、编码必填"], ["二、名称必填"]],
            "数据": [
                ["铁塔台账", None, None, None, None],
                ["编码", "名称", "地市", "坐标", None],
                [None, None, None, "经度", "纬度"],
                ["T-1", "一号", "广州市", 113.33, 23.13],
                ["T-2", "二号", None, 113.34, 23.14],
            ],
        },
        {"数据": ["A1:E1", "A2:A3", "B2:B3", "C2:C3", "D2:E2", "C4:C5"]},
    )
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    words = headers.words_of(columns.specs_with_place(SPECS["tower"].columns))
    with tables.open_table(path, "xlsx", words) as table:
        rows = list(table.rows)
        assert table.detected["sheet"] == "数据"
        assert table.columns == ["编码", "名称", "地市", "坐标/经度", "坐标/纬度"]
        assert table.detected["title"] == "铁塔台账"
    assert rows[1] == (5, {"编码": "T-2", "名称": "二号", "地市": "广州市", "坐标/经度": 113.34, "坐标/纬度": 23.14})


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_in_every_usual_dress(tmp_path, sign, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(f"编码{sign}名称\nT-1{sign}天河一号\n".encode(encoding))
    with tables.open_table(path, "csv", headers.words_of(SPECS["tower"].columns)) as table:
        assert list(table.rows) == [(2, {"编码": "T-1", "名称": "天河一号"})]
        assert table.detected["delimiter"] == sign


def propose(kind, names, samples=None):
    return columns.propose(columns.specs_with_place(SPECS[kind].columns), names, samples or {}).mapping


def test_columns_are_proposed_from_chinese_and_english_headers():
    assert propose("tower", ["站址编码", "站址名称", "经度(GCJ-02)", "纬度(GCJ-02)", "塔高(米)", "备注"]) == {
        "owner_code": "站址编码",
        "name": "站址名称",
        "longitude": "经度(GCJ-02)",
        "latitude": "纬度(GCJ-02)",
        "height_m": "塔高(米)",
    }
    assert propose("cable", ["ID", "From", "To", "Fiber count", "Geometry"])["cores_total"] == "Fiber count"


def test_values_speak_against_a_name():
    found = propose("tower", ["Code", "Location"], {"Code": ["a"], "Location": ["(40.85, -73.91)", "(40.74, -73.98)"]})
    assert found["coordinates"] == "Location"
    assert "address" not in found


def test_a_name_stands_in_for_a_missing_code_and_running_numbers_do_not():
    found = propose("tower", ["序号", "资源名称", "经度", "纬度"])
    assert found["owner_code"] == found["name"] == "资源名称"


def test_every_sentence_is_worded_with_any_parameters():
    for code, texts in SENTENCES.items():
        names = re.findall(r"%\((\w+)\)", " ".join(map(str, texts)))
        message, fix = sentence(code, dict.fromkeys(names, "x"))
        assert message
        assert "%(" not in message + fix
    assert all(str(text) for text in REASONS.values())


def test_column_specs_of_all_kinds_are_of_known_types():
    known = {
        "text",
        "decimal",
        "integer",
        "boolean",
        "date",
        "choice",
        "choices",
        "numbers",
        "longitude",
        "latitude",
        "wkt",
        "region",
    }
    for spec in SPECS.values():
        assert {column.type for column in spec.columns} <= known
    assert isinstance(columns.PLACE_SPECS[0], ColumnSpec)
