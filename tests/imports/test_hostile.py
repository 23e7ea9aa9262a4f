"""Files that mean harm, or might: each is answered by one sentence, none opens anything outside, none crashes."""

import io
import json
import sqlite3
import stat
import subprocess
import sys
import zipfile

import numpy as np
import pyogrio
import pytest
import shapely

from accounts import enclosure
from listings.actions import imports
from listings.imports import limits, sandbox, tables, upload
from listings.imports.findings import FileRefused
from listings.models import ImportJob
from tests.imports import conftest
from tests.imports.conftest import TOWERS, workbook

_WHY_NOT = enclosure.why_unavailable()
needs_sandbox = pytest.mark.skipif(bool(_WHY_NOT), reason=f"no sandbox: {_WHY_NOT}")
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>CSV:/etc/passwd</SrcDataSource></OGRVRTLayer>'
    "</OGRVRTDataSource>"
)
POINT = {
    "type": "Feature",
    "properties": {"code": "T-1", "name": "一号"},
    "geometry": {"type": "Point", "coordinates": [113.33, 23.13]},
}


def collection(*features):
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def packed(members, *, compression=zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def shapefile(tmp_path, **more) -> dict[str, bytes]:
    path = tmp_path / "a.shp"
    pyogrio.raw.write(
        path,
        geometry=np.array([shapely.to_wkb(shapely.Point(113.33, 23.13))], dtype=object),
        field_data=[np.array(["T-1"], dtype=object)],
        fields=["code"],
        geometry_type="Point",
        crs="EPSG:4326",
        **more,
    )
    return {part.suffix: part.read_bytes() for part in tmp_path.glob("a.*")}


def refused_at_the_door(name, content) -> str:
    with pytest.raises(FileRefused) as refused:
        upload.format_of(io.BytesIO(content if isinstance(content, bytes) else content.encode()), name, len(content))
    assert str(refused.value)
    return refused.value.code


def link_in_zip() -> bytes:
    info = zipfile.ZipInfo("a.shp")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return packed([(info, "/etc/passwd"), ("a.dbf", b"x")])


def locked_zip() -> bytes:
    data = bytearray(packed([("a.shp", b"x")]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


DOOR = {
    "empty": ("a.csv", b"", "empty_file"),
    "unknown ending": ("a.exe", b"MZ", "unknown_extension"),
    "no ending": ("passwd", b"root:x", "unknown_extension"),
    "loose shapefile": ("a.shp", b"\x00\x00\x27\x0a", "loose_shp"),
    "old excel": ("a.xls", b"\xd0\xcf\x11\xe0", "old_xls"),
    "drawing": ("a.dwg", b"AC10", "no_dwg"),
    "vrt as geojson": ("a.geojson", VRT, "content_differs"),
    "vrt as csv stays text": ("a.gpkg", VRT, "content_differs"),
    "html as xlsx": ("a.xlsx", b"<html><table>", "content_differs"),
    "zip as csv": ("a.csv", packed([("a", "b")]), "content_differs"),
    "png as csv": ("a.csv", b"\x89PNG\r\n", "content_differs"),
    "encrypted workbook": ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "locked_or_old"),
    "zip slip": ("a.zip", packed([("../../etc/cron.d/x.shp", "x")]), "zip_path"),
    "zip absolute": ("a.zip", packed([("/etc/x.shp", "x")]), "zip_path"),
    "zip backslash": ("a.zip", packed([("..\\..\\x.shp", "x")]), "zip_path"),
    "zip link": ("a.zip", link_in_zip(), "zip_link"),
    "zip in zip": ("a.zip", packed([("a.shp", "x"), ("b.zip", packed([("c", "d")]))]), "zip_nested"),
    "zip bomb": ("a.zip", packed([("a.shp", b"\0" * 30_000_000)]), "zip_ratio"),
    "many members": ("a.zip", packed([(f"{i}.shp", "x") for i in range(300)]), "zip_members"),
    "locked zip": ("a.zip", locked_zip(), "locked_or_old"),
    "zip without shp": ("a.zip", packed([("readme.txt", "x")]), "no_shp_in_zip"),
    "cut zip": ("a.zip", packed([("a.shp", "x" * 500)])[:-30], "bad_zip"),
    "zip as workbook": ("a.xlsx", packed([("a.xml", "x")]), "content_differs"),
    "workbook bomb": (
        "a.xlsx",
        packed([("[Content_Types].xml", "x"), ("xl/worksheets/sheet1.xml", b"0" * 40_000_000)]),
        "zip_ratio",
    ),
    "workbook entities": (
        "a.xlsx",
        packed(
            [
                ("[Content_Types].xml", "x"),
                ("xl/sharedStrings.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>'),
            ]
        ),
        "xml_entities",
    ),
    "kml laughs": (
        "a.kml",
        '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><kml>&b;</kml>',
        "xml_entities",
    ),
    "kml laughs in utf-16": (
        "a.kml",
        '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "a">]><kml/>'.encode("utf-16"),
        "xml_entities",
    ),
    "kmz without kml": ("a.kmz", packed([("a.png", "x")]), "no_kml_in_kmz"),
}


@pytest.mark.parametrize("case", DOOR, ids=list(DOOR))
def test_refused_before_anything_is_opened(case):
    name, content, code = DOOR[case]
    assert refused_at_the_door(name, content) == code


def test_too_large_says_how_much_would_do(settings):
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    assert refused_at_the_door("a.csv", b"a" * (2 * 1024 * 1024)) == "too_large"


def test_size_is_counted_while_unpacking_whatever_the_archive_says(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    path.write_bytes(packed([("a.shp", b"\0" * 3_000_000), ("a.shx", b"x"), ("a.dbf", b"x")]))
    monkeypatch.setattr(limits, "ZIP_UNPACKED_MAX_BYTES", 1_000_000)
    with pytest.raises(FileRefused) as refused:
        upload.unpack_shapes(path, tmp_path)
    assert refused.value.code == "zip_unpacked"


# --- Inside the sandbox -------------------------------------------------------------------------


def read_all(form, content, tmp_path, name=None):
    name = name or f"data.{form}"
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(sandbox.read(form, tmp_path, name))


def outcome(form, content, tmp_path) -> str:
    """All that comes of a file, rows or sentence."""
    try:
        return str(read_all(form, content, tmp_path))
    except FileRefused as refused:
        return str(refused)


@needs_sandbox
@pytest.mark.parametrize("form", ["geojson", "gpkg", "kml", "shp"])
def test_a_vrt_under_any_name_reads_nothing(form, tmp_path):
    with pytest.raises(FileRefused) as refused:
        read_all(form, VRT, tmp_path)
    assert refused.value.code in ("spatial_unreadable", "no_features", "too_heavy")
    assert "root:" not in str(refused.value)


@needs_sandbox
def test_the_same_vrt_does_read_passwd_where_no_sandbox_and_no_named_driver_stand(tmp_path):
    """The control: without our two walls the attack works, so that the test above means something."""
    path = tmp_path / "x.geojson"
    path.write_text(
        VRT.replace("CSV:", "")
        .replace("<OGRVRTLayer", "<OGRVRTLayer")
        .replace("/etc/passwd", str(tmp_path / "secret.csv"))
    )
    (tmp_path / "secret.csv").write_text("a,b\nroot,secret\n")
    path.write_text(VRT.replace("CSV:/etc/passwd", str(tmp_path / "secret.csv")).replace('name="x"', 'name="secret"'))
    found = pyogrio.raw.read(path)
    assert "secret" in str(found[3])


@needs_sandbox
def test_the_sandbox_has_no_passwd_no_home_and_no_network():
    code = (
        "import os, socket\n"
        "print(os.path.exists('/etc/passwd'), os.path.exists('/proc/1'), os.path.exists('/var'))\n"
        "print(sorted(n for n in os.listdir('/root')) if os.path.exists('/root') else [])\n"
        "s = socket.socket()\n"
        "try:\n    s.connect(('192.0.2.1', 80)); print('net')\n"
        "except OSError as e:\n    print('no net')\n"
        "try:\n    open('/usr/x', 'w'); print('writes')\n"
        "except OSError:\n    print('read only')\n"
    )
    done = subprocess.run(
        [*enclosure.command(), sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "False False False", done.stderr
    assert set(eval(lines[1])) <= {".pyenv", ".local"}  # at most the interpreter's own prefix
    assert lines[2:] == ["no net", "read only"]


@needs_sandbox
def test_a_kml_network_link_is_not_followed(tmp_path):
    link = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><NetworkLink><Link><href>http://192.0.2.1/x.kml</href></Link></NetworkLink></Document></kml>'
    with pytest.raises(FileRefused) as refused:
        list(tables.open_table.__wrapped__(_write(tmp_path, "a.kml", link), "kml", frozenset()))
    assert refused.value.code in ("no_features", "spatial_unreadable")


def _write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def hostile_geopackage(tmp_path, statements) -> bytes:
    path = tmp_path / "h.gpkg"
    pyogrio.raw.write(
        path,
        geometry=np.array([shapely.to_wkb(shapely.Point(113.33, 23.13))], dtype=object),
        field_data=[np.array(["T-1"], dtype=object)],
        fields=["code"],
        geometry_type="Point",
        crs="EPSG:4326",
        layer="t",
        driver="GPKG",
    )
    base = sqlite3.connect(path)
    base.executescript(statements)
    base.commit()
    base.close()
    return path.read_bytes()


@needs_sandbox
def test_a_geopackage_with_triggers_is_read_without_running_them(tmp_path):
    content = hostile_geopackage(
        tmp_path, "CREATE TRIGGER boom AFTER INSERT ON t BEGIN SELECT load_extension('/tmp/x.so'); END;"
    )
    rows = read_all("gpkg", content, tmp_path)
    assert rows[1]["v"] == ["T-1"]


@needs_sandbox
def test_a_geopackage_view_over_other_files_gives_nothing_away(tmp_path):
    content = hostile_geopackage(
        tmp_path,
        "CREATE VIEW v AS SELECT 1 AS fid, NULL AS geom, load_extension('/etc/passwd') AS code;"
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('v', 'features', 'v', 4326);"
        "INSERT INTO gpkg_geometry_columns VALUES ('v', 'geom', 'POINT', 4326, 0, 0);",
    )
    assert "root:" not in outcome("gpkg", content, tmp_path)


@needs_sandbox
def test_a_geopackage_view_that_never_ends_runs_out_of_time(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "CHILD_CPU_S", 2)
    content = hostile_geopackage(
        tmp_path,
        "DROP TABLE t; DELETE FROM gpkg_contents; DELETE FROM gpkg_geometry_columns;"
        "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i AS fid, NULL AS geom, i AS code FROM n;"
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('v', 'features', 'v', 4326);"
        "INSERT INTO gpkg_geometry_columns VALUES ('v', 'geom', 'POINT', 4326, 0, 0);",
    )
    with pytest.raises(FileRefused) as refused:
        read_all("gpkg", content, tmp_path)
    assert refused.value.code in ("too_heavy", "spatial_unreadable", "no_features")


@needs_sandbox
@pytest.mark.parametrize(
    "content",
    [
        collection(),
        "{}",
        '{"type": "FeatureCollection"}',
        "[" * 100_000,
        '{"type":"FeatureCollection","features":[' + "[" * 200_000,
        '{"type": "Feature", "geometry": {"type": "Point", "coordinates": ["a", null]}}',
        '{"type":"Topology"}',
    ],
    ids=["no features", "empty", "no list", "deep", "deep inside", "no numbers", "topojson"],
)
def test_odd_geojson_ends_in_a_sentence(content, tmp_path):
    told = outcome("geojson", content, tmp_path)
    assert "'g': '" not in told  # no geometry came of it


@needs_sandbox
def test_a_broken_shapefile_and_one_without_parts_end_in_sentences(tmp_path):
    parts = shapefile(tmp_path)
    whole = {f"sub/管道{suffix}": content for suffix, content in parts.items()}
    cut = {name: content[:60] if name.endswith(".shp") else content for name, content in whole.items()}
    path = _write(tmp_path, "cut.zip", packed(cut.items()))
    with pytest.raises(FileRefused), tables.open_table(path, "shp", frozenset()) as table:
        list(table.rows)
    lacking = {name: content for name, content in whole.items() if not name.endswith((".dbf", ".shx"))}
    path = _write(tmp_path, "lacking.zip", packed(lacking.items()))
    with pytest.raises(FileRefused) as refused, tables.open_table(path, "shp", frozenset()):
        pass
    assert refused.value.code == "shp_parts"
    path = _write(tmp_path, "whole.zip", packed(whole.items()))
    with tables.open_table(path, "shp", frozenset()) as table:
        assert [row["code"] for _n, row in table.rows] == ["T-1"]


@needs_sandbox
def test_gbk_names_without_cpg_are_read_as_chinese(tmp_path):
    path = tmp_path / "a.shp"
    pyogrio.raw.write(
        path,
        geometry=np.array([shapely.to_wkb(shapely.Point(113.33, 23.13))], dtype=object),
        encoding="GBK",
        field_data=[np.array(["天河一号人井"], dtype=object)],
        fields=["code"],
        geometry_type="Point",
        crs="EPSG:4326",
    )
    parts = {part.name: part.read_bytes() for part in tmp_path.glob("a.*") if part.suffix != ".cpg"}
    parts["a.dbf"] = parts["a.dbf"][:29] + b"\0" + parts["a.dbf"][30:]  # no language mark either
    with tables.open_table(_write(tmp_path, "z.zip", packed(parts.items())), "shp", frozenset()) as table:
        assert next(table.rows)[1]["code"] == "天河一号人井"
        assert table.detected["encoding"] == "GBK"


@needs_sandbox
def test_a_workbook_of_many_long_cells_stays_within_its_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "CHILD_MEMORY_BYTES", 400 * 1024**2)
    long = "塔" * 30_000
    content = workbook({"a": [["编码", "名称"], *([i, long] for i in range(4_000))]})
    with pytest.raises(FileRefused) as refused:
        read_all("xlsx", content, tmp_path, "data.xlsx")
    assert refused.value.code in ("too_heavy", "xlsx_unreadable")


def test_without_bubblewrap_spatial_files_are_refused_with_a_hint(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no bwrap to be found
    enclosure.why_unavailable.cache_clear()
    try:
        with pytest.raises(FileRefused) as refused:
            read_all("geojson", collection(POINT), tmp_path)
        assert refused.value.code == "no_sandbox"
        assert "bubblewrap" in str(refused.value)
        rows = read_all("xlsx-peek", workbook({"a": [["编码", "名称"]]}), tmp_path, "data.xlsx")
        assert rows[0]["meta"]["sheets"][0]["name"] == "a"
    finally:
        enclosure.why_unavailable.cache_clear()


# --- Text ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xff\xff\x80abc", "encoding_unknown"),
        (b"a,b\x00\n1,2", "not_text"),
        (b"   \n  ", "empty_file"),
        (b"1,2\n3,4\n", "no_header"),
        (",".join(f"列{i}" for i in range(600)).encode(), "too_many_columns"),
        (b'a,b\n"' + b"x" * 1_100_000, "csv_broken"),
    ],
    ids=["bytes", "nul", "blank", "numbers only", "columns", "long cell"],
)
def test_odd_text_ends_in_a_sentence(content, code, tmp_path):
    with (
        pytest.raises(FileRefused) as refused,
        tables.open_table(_write(tmp_path, "a.csv", content), "csv", frozenset()) as table,
    ):
        list(table.rows)
    assert refused.value.code == code


def test_too_many_rows_are_refused_while_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ROWS_MAX", 3)
    path = _write(tmp_path, "a.csv", "编码,名称\n" + "1,a\n" * 5)
    with pytest.raises(FileRefused) as refused, tables.open_table(path, "csv", frozenset()) as table:
        list(table.rows)
    assert refused.value.code == "too_many_rows"


@pytest.mark.django_db
def test_a_refusal_while_reading_is_kept_and_leaves_no_rows(world):
    alice = world.as_["alice"]
    job, _new = imports.upload_file(membership=alice, file=conftest.upload("a.csv", b"1,2\n3,4\n"))
    assert (job.state, job.detected["refusal"]["code"], job.rows.count()) == ("failed", "no_header", 0)
    assert job.refusal
    again, is_new = imports.upload_file(membership=alice, file=conftest.upload("a.csv", TOWERS))
    assert is_new
    assert ImportJob.objects.count() == 2
    assert again.state == "mapping"


DXF = (
    "  0\nSECTION\n  2\nHEADER\n  9\n$ACADVER\n  1\nAC1015\n  9\n$DWGCODEPAGE\n  3\nANSI_936\n  0\nENDSEC\n"
    "  0\nSECTION\n  2\nBLOCKS\n  0\nBLOCK\n  8\n0\n  2\nTOWER\n 70\n2\n 10\n0\n 20\n0\n  0\nENDBLK\n  0\nENDSEC\n"
    "  0\nSECTION\n  2\nENTITIES\n  0\nINSERT\n  8\n铁塔\n 66\n1\n  2\nTOWER\n 10\n38533000.5\n 20\n2560000.25\n"
    "  0\nATTRIB\n  8\n铁塔\n 10\n1\n 20\n2\n 40\n1\n  1\nGD-1\n  2\nCODE\n  0\nSEQEND\n  0\nENDSEC\n  0\nEOF\n"
)


@needs_sandbox
def test_a_drawings_symbols_are_rows_with_their_attributes(tmp_path):
    path = tmp_path / "a.dxf"
    path.write_bytes(DXF.encode("gbk"))
    assert upload.format_of(io.BytesIO(path.read_bytes()), "a.dxf", 9) == "dxf"
    with tables.open_table(path, "dxf", frozenset()) as table:
        ((_number, row),) = list(table.rows)
    assert (row["Layer"], row["CODE"]) == ("铁塔", "GD-1")
    place = shapely.from_wkb(bytes.fromhex(row["__geometry__"]))
    assert (place.x, place.y) == (38533000.5, 2560000.25)
