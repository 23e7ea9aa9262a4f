"""What stands in the files: the same rule of disclosure as everywhere, in every format, and no formulas."""

import json
import re
import sqlite3
import zipfile
from decimal import Decimal

import openpyxl
import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import connection
from django.utils import timezone

from accounts.models import RegionRule
from listings.exports.columns import NEVER, PLACE_FIELDS, Columns
from listings.kinds.registry import SPECS
from listings.models import DisclosureGrant, Resource
from tests import world as make
from tests.exports.conftest import tables

EXACT = Point(113.331234567, 23.131234567, srid=4326)
LINE = LineString((113.331234567, 23.131234567), (113.345678912, 23.141234567), srid=4326)


def cell_of(resource) -> Point:
    return Resource.objects.values_list("shown_cell", flat=True).get(pk=resource.pk)


def everything(path) -> str:
    """All of a file as text, whatever its format."""
    if path.suffix == ".gpkg":
        return path.read_bytes().decode("latin-1")
    with zipfile.ZipFile(path) as bundle:
        return "\n".join(bundle.read(name).decode("utf-8") for name in bundle.namelist())


@pytest.mark.parametrize("format_", ["csv", "xlsx", "geojson", "gpkg"])
def test_a_visitor_gets_blurred_places_and_nothing_that_names_them(world, written, format_):
    shown = make.make_resource(
        world.power, place=EXACT, disclosure="exact", address="SECRET-STREET 1", owner_code="SECRET-CODE",
        access_note="SECRET-KEY", access_contact="SECRET-KEEPER", name="Shown tower",
        facts={"height_m": 40, "line_tower_no": "SECRET-NO-7"},
    )  # fmt: skip
    make.make_resource(world.power, place=EXACT, disclosure="existence", name="Counted only")
    make.make_resource(world.power, place=EXACT, state="draft", name="Draft tower")
    text = everything(written(None, format_))
    assert "Shown tower" in text
    assert "Counted only" not in text
    assert "Draft tower" not in text
    assert "SECRET" not in text
    assert "113.3312345" not in text
    if format_ != "gpkg":
        assert f"{cell_of(shown).x}"[:9] in text


def test_csv_tells_owner_other_and_granted_apart(world, written):
    blurred = make.make_resource(world.power, place=EXACT, disclosure="blurred", owner_code="B-1", address="Road 9")
    make.make_resource(world.power, place=EXACT, disclosure="exact", owner_code="E-1")

    def row(name, code="B-1"):
        rows = tables(written(world.as_[name], "csv"))["tower"]
        return next((r for r in rows if r["Own code"] == code), None) or next(r for r in rows if not r["Own code"])

    own = row("alice")
    assert float(own["Longitude(°)"]) == EXACT.x
    assert own["Place given as"] == "exact (yours)"
    assert own["Address"] == "Road 9"
    assert own["Disclosure"] == "blurred"
    other = row("dave")
    assert float(other["Longitude(°)"]) == cell_of(blurred).x
    assert other["Address"] == other["Disclosure"] == other["Data grade"] == ""
    assert other["Place given as"].startswith("blurred")
    assert row("dave", "E-1")["Place given as"].startswith("exact (disclosed")
    DisclosureGrant.objects.create(
        resource=blurred, organisation=world.operator, purpose="survey", state="granted", asked_by=world.dave,
        expires_at=timezone.now() + timezone.timedelta(days=2),
    )  # fmt: skip
    assert row("dave")["Place given as"] == "exact (granted to you)"
    assert row("uma", "E-1")["Place given as"].startswith("blurred"), "not verified: as a visitor"


def test_important_data_of_others_stay_out_and_the_file_says_so(world, written):
    make.make_resource(world.power, grade="important", disclosure="blurred", name="Important tower")
    make.make_resource(world.power, name="Plain tower")
    text = everything(written(world.as_["dave"], "csv"))
    assert "Important tower" not in text
    assert "1 resources of other owners are important data" in text
    assert "Important tower" in everything(written(world.as_["alice"], "csv"))
    RegionRule.objects.create(
        key="export.important", region_id="440100", value=1, valid_from=timezone.localdate(), source="test"
    )
    assert "Important tower" in everything(written(world.as_["dave"], "csv"))


def test_no_cell_is_a_formula_and_negative_numbers_stay(world, written):
    nasty = ['=HYPERLINK("x")', "+SUM(A1)", "-2+3", "@cmd", "＝1+1", "\t=1", "-5.2", 'quote "x", comma', "a_x0041_b<&>"]
    for number, name in enumerate(nasty):
        make.make_resource(world.power, name=name, owner_code=f"N-{number}")
    names = [row["Name"] for row in tables(written(world.as_["alice"], "csv"))["tower"]]
    assert names == [
        "'=HYPERLINK(\"x\")", "'+SUM(A1)", "'-2+3", "'@cmd", "'＝1+1", "'\t=1", "-5.2", 'quote "x", comma',
        "a_x0041_b<&>",
    ]  # fmt: skip
    book = openpyxl.load_workbook(written(world.as_["alice"], "xlsx"))
    sheet = book["Tower / pole".replace("/", "-")]
    found = [sheet.cell(row, 2) for row in range(2, sheet.max_row + 1)]
    # Excel and LibreOffice read _x005F_ as the underscore it stands for; openpyxl leaves it.
    assert [str(cell.value).replace("_x005F_", "_") for cell in found] == nasty
    assert {cell.data_type for cell in found} == {"s"}


def test_xlsx_has_typed_cells_and_a_sheet_about_itself(world, written):
    resource = make.make_resource(world.power, facts={"height_m": Decimal("40.5")}, missing={"structure": "withheld"})
    book = openpyxl.load_workbook(written(world.as_["alice"], "xlsx", crs="EPSG:4490"))
    sheet = book.worksheets[0]
    head = {sheet.cell(1, column).value: column for column in range(1, sheet.max_column + 1)}
    assert sheet.cell(2, head["Height(m)"]).value == 40.5
    assert sheet.cell(2, head["Facts as of"]).value.date() == resource.facts_on
    assert sheet.cell(2, head["Structure"]).value == "withheld"
    about = {row[0].value: row[1].value for row in book["About this file"].iter_rows()}
    assert "Pearl Power" in about["For whom"]
    assert "EPSG:4490" in about["Coordinate system"]
    assert "Longitude first" in about["Coordinate system"]
    assert about["Rows"].startswith("1 ")


def test_a_full_sheet_goes_on_in_the_next(world, written, monkeypatch):
    for _i in range(5):
        make.make_resource(world.power)
    monkeypatch.setattr("listings.exports.workbook.ROWS_MOST", 3)
    book = openpyxl.load_workbook(written(world.as_["alice"], "xlsx"))
    assert book.sheetnames == ["Tower - pole", "Tower - pole 2", "Tower - pole 3", "About this file"]
    assert [sheet.max_row for sheet in book.worksheets[:3]] == [3, 3, 2]


def test_geojson_and_geopackage_are_what_gis_reads(world, written):
    make.make_resource(world.power, place=EXACT, disclosure="exact", name='Tower "1"\\n', owner_code="T\\1")
    make.make_resource(world.power, "duct", place=LINE, disclosure="exact")
    alice = world.as_["alice"]
    with zipfile.ZipFile(written(alice, "geojson", crs="EPSG:4490")) as bundle:
        collection = json.loads(bundle.read("tower.geojson"))
        lines = json.loads(bundle.read("duct.geojson"))
    assert collection["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::4490"
    feature = collection["features"][0]
    assert feature["geometry"]["coordinates"] == [EXACT.x, EXACT.y]
    assert feature["properties"]["name"] == 'Tower "1"\\n'
    assert feature["properties"]["height_m"] == 40
    assert lines["features"][0]["geometry"]["type"] == "LineString"
    path = written(alice, "gpkg", crs="EPSG:4490")
    import pyogrio

    layers = {name for name, _type in pyogrio.list_layers(path)}
    assert {"tower", "duct", "about"} <= layers
    info = pyogrio.read_info(path, layer="tower")
    assert info["crs"] == "EPSG:4490"
    meta, _fids, geometry, fields = pyogrio.raw.read(path, layer="tower", columns=["name", "height_m", "owner_code"])
    found = {name: values[0] for name, values in zip(meta["fields"], fields, strict=True)}
    assert found == {"name": 'Tower "1"\\n', "owner_code": "T\\1", "height_m": 40}
    import shapely

    assert shapely.from_wkb(geometry[0]).x == EXACT.x
    base = sqlite3.connect(path)
    assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert base.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
    base.close()


def test_cgcs2000_and_wgs84_have_the_same_numbers(db):
    """Why no coordinate is changed: the database's own transformation between the two is the identity."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ST_AsText(ST_Transform('SRID=4326;POINT(113.331234567 23.131234567)', 4490))")
        assert cursor.fetchone()[0] == "POINT(113.331234567 23.131234567)"


@pytest.mark.parametrize("kind", SPECS)
def test_every_column_of_the_import_goes_out_or_is_named_here(kind):
    columns = {c.key for c in Columns(kind, for_people=True, own_id=1, base_url="").all()}
    missing = {spec.field for spec in SPECS[kind].columns} - columns - set(PLACE_FIELDS) - set(NEVER)
    assert not missing, f"no export for {missing}: say in listings/exports/columns.py how it is written"


def test_words_are_chinese_for_chinese_readers(world, written):
    make.make_resource(world.power, state="published", facts={"has_fibre": True})
    (row,) = tables(written(world.as_["alice"], "csv", language="zh-hans"))["tower"]
    assert row["行业"] == "电力"
    assert row["光缆到站"] == "是"
    assert re.match(r"铁塔|通信", row["铁塔类型"])
