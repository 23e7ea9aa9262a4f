"""Hostile files by families, made from a seed: nothing of it lies in the repository.

Each family makes as many different files as asked for. `lure` is a file outside that must never be read, `call` an
address on loopback that must never be called; both are woven into whatever can name a path or an address.
"""

import io
import json
import random
import sqlite3
import stat
import string
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio
import shapely


@dataclass(frozen=True)
class Trap:
    lure: str
    call: str


@dataclass(frozen=True)
class Hostile:
    family: str
    name: str
    content: bytes


Maker = Callable[[random.Random, Trap], tuple[str, bytes]]
FAMILIES: dict[str, Maker] = {}
# Opened in the sandbox when they pass the door; all others end at the door or in plain text.
SANDBOXED = {"flipped workbook", "flipped drawing", "flipped package", "flipped shapes", "flipped geojson", "flipped kml",
             "kml links", "sqlite tricks", "lying dbf", "geojson of nonsense", "workbook that calls", "drawing that calls",
             "deep json", "foreign json"}  # fmt: skip


def family(name: str) -> Callable[[Maker], Maker]:
    def keep(maker: Maker) -> Maker:
        FAMILIES[name] = maker
        return maker

    return keep


def files(count: int, seed: int, trap: Trap, sandboxed_share: float = 0.2) -> Iterator[Hostile]:
    """`count` files, all families in turn; those that cost a sandbox in the share given."""
    dice = random.Random(seed)
    dear = sorted(SANDBOXED)
    cheap = sorted(set(FAMILIES) - SANDBOXED)
    for i in range(count):
        if int((i + 1) * sandboxed_share) > int(i * sandboxed_share):
            name = dear[int(i * sandboxed_share) % len(dear)]
        else:
            name = cheap[(i - int(i * sandboxed_share)) % len(cheap)]
        file_name, content = FAMILIES[name](dice, trap)
        yield Hostile(name, file_name, content)


def packed(members, compression=zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def word(dice: random.Random) -> str:
    return "".join(dice.choices(string.ascii_lowercase, k=8))


@lru_cache(maxsize=1)
def honest() -> dict[str, bytes]:
    """One honest file of each format, for bending."""
    made: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        geometry = np.array([shapely.to_wkb(shapely.Point(113.3 + i / 100, 23.1)) for i in range(20)], dtype=object)
        codes = np.array([f"T-{i}" for i in range(20)], dtype=object)
        for driver, ending in (("GPKG", "gpkg"), ("ESRI Shapefile", "shp"), ("GeoJSON", "geojson"), ("KML", "kml"),
                               ("DXF", "dxf")):  # fmt: skip
            path = folder / f"a.{ending}"
            fields = ([], []) if ending == "dxf" else ([codes], ["code"])
            pyogrio.raw.write(path, geometry, *fields, geometry_type="Point", crs="EPSG:4326", driver=driver)
            made[ending] = path.read_bytes()
        made["zip"] = packed((p.name, p.read_bytes()) for p in sorted(folder.glob("a.*")) if p.suffix[1:] in SHAPE)
    book = openpyxl.Workbook()
    for i in range(20):
        book.active.append([f"T-{i}", 113.3, 23.1])
    out = io.BytesIO()
    book.save(out)
    made["xlsx"] = out.getvalue()
    return made


SHAPE = ("shp", "shx", "dbf", "prj", "cpg")


def flipped(content: bytes, dice: random.Random, most: int = 30) -> bytes:
    data = bytearray(content)
    for _ in range(dice.randrange(1, most)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    if dice.random() < 0.3:
        data = data[: dice.randrange(1, len(data))]
    return bytes(data)


# --- At the door ---------------------------------------------------------------------------------


@family("empty")
def _(dice, trap):
    return f"{word(dice)}.{dice.choice(['csv', 'xlsx', 'zip', 'kml'])}", b""


@family("noise under any ending")
def _(dice, trap):
    ending = dice.choice(["xlsx", "geojson", "zip", "kml", "kmz", "gpkg", "dxf"])
    return f"{word(dice)}.{ending}", dice.randbytes(dice.randrange(1, 5000))


@family("strange endings")
def _(dice, trap):
    return (
        f"{word(dice)}.{dice.choice(['exe', 'vrt', 'py', 'html', 'svg', 'tif', 'jp2', 'gml', 'sql', 'db', ''])}",
        b"x" * 99,
    )


@family("vrt in disguise")
def _(dice, trap):
    source = dice.choice([trap.lure, f"/vsicurl/{trap.call}", f"CSV:{trap.lure}", f"/vsizip/{trap.lure}"])
    text = f'<OGRVRTDataSource><OGRVRTLayer name="{word(dice)}"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    return f"{word(dice)}.{dice.choice(['geojson', 'gpkg', 'json', 'zip', 'dxf'])}", text.encode()


@family("xml that reads files")
def _(dice, trap):
    kind = dice.choice(["SYSTEM", 'PUBLIC "x"'])
    source = dice.choice([f"file://{trap.lure}", trap.call])
    text = f'<?xml version="1.0"?><!DOCTYPE k [<!ENTITY {word(dice)} {kind} "{source}">]><kml><Document/></kml>'
    return f"{word(dice)}.kml", text.encode(dice.choice(["utf-8", "utf-16"]))


@family("billion laughs")
def _(dice, trap):
    lines = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha"}">' for i in range(dice.randrange(5, 12)))
    return f"{word(dice)}.kml", f'<?xml version="1.0"?><!DOCTYPE k [{lines}]><kml>&a9;</kml>'.encode()


@family("paths out of the archive")
def _(dice, trap):
    path = dice.choice(["../" * dice.randrange(1, 9) + "etc/x.shp", trap.lure + ".shp", "..\\..\\x.shp", "C:/x.shp"])
    return f"{word(dice)}.zip", packed([(path, "x"), ("a.dbf", "x")])


@family("links in the archive")
def _(dice, trap):
    info = zipfile.ZipInfo(f"{word(dice)}.{dice.choice(['shp', 'dbf', 'kml'])}")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return f"{word(dice)}.zip", packed([(info, trap.lure), ("b.shp", "x")])


@family("archive bombs")
def _(dice, trap):
    name = dice.choice(["a.shp", "doc.kml", "xl/worksheets/sheet1.xml"])
    ending = {"a.shp": "zip", "doc.kml": "kmz"}.get(name, "xlsx")
    members = [(name, b"\0" * dice.randrange(11_000_000, 14_000_000)), ("[Content_Types].xml", "x")]
    return f"{word(dice)}.{ending}", packed(members)


@family("too many members")
def _(dice, trap):
    members = [(f"{i}.shp", "x") for i in range(dice.randrange(201, 400))]
    return f"{word(dice)}.zip", packed(members, zipfile.ZIP_STORED)


@family("archives in archives")
def _(dice, trap):
    inner = packed([("b.shp", "x")])
    for _depth in range(dice.randrange(1, 5)):
        inner = packed([("a.shp", "x"), (f"{word(dice)}.{dice.choice(['zip', 'kmz', '7z', 'tar', 'gz'])}", inner)])
    return f"{word(dice)}.zip", inner


@family("locked archives")
def _(dice, trap):
    data = bytearray(packed([("a.shp", word(dice))]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return f"{word(dice)}.zip", bytes(data)


@family("archives that lie")
def _(dice, trap):
    data = bytearray(packed([("a.shp", word(dice) * 200), ("a.dbf", "x"), ("a.shx", "x")]))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, dice.choice([0, 1, 2**31, 2**32 - 2]))
    return f"{word(dice)}.zip", bytes(data)


@family("archives cut short")
def _(dice, trap):
    data = honest()[dice.choice(["zip", "xlsx"])]
    return f"{word(dice)}.{dice.choice(['zip', 'xlsx', 'kmz'])}", data[: dice.randrange(4, len(data) - 30)]


@family("workbook entities")
def _(dice, trap):
    evil = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file://{trap.lure}">]><a>&b;</a>'
    part = dice.choice(["xl/sharedStrings.xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"])
    return f"{word(dice)}.xlsx", packed([("[Content_Types].xml", "x"), (part, evil)])


@family("old and locked workbooks")
def _(dice, trap):
    return f"{word(dice)}.{dice.choice(['xlsx', 'zip'])}", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + dice.randbytes(600)


@family("pictures and programs as tables")
def _(dice, trap):
    start = dice.choice([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"%PDF-1.7\n", b"PK\x03\x04", b"SQLite format 3\0"])
    return f"{word(dice)}.csv", start + dice.randbytes(200)


@family("text that is none")
def _(dice, trap):
    text = dice.choice(
        [b"a,b\n\x00\x00,1\n", b"\xff\xfea", b"\xfe\xff\xd8", b"a,b\n1,\x80\xff\xff\n", dice.randbytes(300)]
    )
    return f"{word(dice)}.csv", text


@family("quotes that never end")
def _(dice, trap):
    return f"{word(dice)}.csv", ('code,name\nT-1,"' + "x\n" * dice.randrange(10, 5000)).encode()


@family("tables too wide")
def _(dice, trap):
    wide = dice.randrange(501, 3000)
    return f"{word(dice)}.csv", (",".join(f"c{i}" for i in range(wide)) + "\n" + "1," * wide + "\n").encode()


@family("cells too long")
def _(dice, trap):
    return (
        f"{word(dice)}.csv",
        f"编码,名称,经度,纬度\nT-1,{'x' * dice.randrange(1_000_001, 1_100_000)},113,23\n".encode(),
    )


@family("names that lead elsewhere")
def _(dice, trap):
    return f"../../{word(dice)}\u202e\x00\n.{dice.choice(['exe', 'sh', 'shp', 'dwg'])}", b"x" * 9


@family("no header at all")
def _(dice, trap):
    return f"{word(dice)}.csv", "\n".join(str(dice.randrange(10**9)) for _i in range(9)).encode()


@family("formulas and commands")
def _(dice, trap):
    evil = dice.choice(
        ["=cmd|'/c calc'!A1", f'=HYPERLINK("{trap.call}")', f"@SUM({trap.lure})", "+1+1", f"-{trap.call}"]
    )
    return f"{word(dice)}.csv", f'编码,名称,经度,纬度\nT-1,"{evil.replace(chr(34), chr(34) * 2)}",113.3,23.1\n'.encode()


@family("geometry bombs in text")
def _(dice, trap):
    deep = dice.randrange(50, 400)
    wkt = dice.choice(
        ["GEOMETRYCOLLECTION(" * deep + "POINT(1 1)" + ")" * deep, "POINT (1e999 nan)", "POLYGON ((", "POINT EMPTY",
         f"LINESTRING ({', '.join('1 1' for _i in range(deep))})", "SRID=999999;POINT (1e308 -1e308)"]
    )  # fmt: skip
    return f"{word(dice)}.csv", f'编码,名称,wkt\nT-1,一号,"{wkt}"\n'.encode()


@family("numbers at the edge")
def _(dice, trap):
    number = dice.choice(["1e308", "-1e308", "nan", "inf", "9" * 400, "1e-400", "0x7f", "１e５", "--1", "1_000"])
    return f"{word(dice)}.csv", f"编码,名称,经度,纬度,塔高\nT-1,一号,{number},{number},{number}\n".encode()


# --- Into the sandbox ----------------------------------------------------------------------------


def _flip(name: str, ending: str) -> None:
    @family(name)
    def _(dice, trap):
        return f"{word(dice)}.{ending}", flipped(honest()[ending], dice)


_flip("flipped package", "gpkg")
_flip("flipped geojson", "geojson")
_flip("flipped kml", "kml")
_flip("flipped drawing", "dxf")


@family("flipped workbook")
def _(dice, trap):
    with zipfile.ZipFile(io.BytesIO(honest()["xlsx"])) as archive:
        members = [(m.filename, archive.read(m)) for m in archive.infolist()]
    at = dice.randrange(len(members))
    members[at] = (members[at][0], flipped(members[at][1], dice))
    return f"{word(dice)}.xlsx", packed(members)


@family("flipped shapes")
def _(dice, trap):
    with zipfile.ZipFile(io.BytesIO(honest()["zip"])) as archive:
        members = [(m.filename, archive.read(m)) for m in archive.infolist()]
    at = dice.randrange(len(members))
    members[at] = (members[at][0], flipped(members[at][1], dice))
    return f"{word(dice)}.zip", packed(members)


@family("kml links")
def _(dice, trap):
    source = dice.choice([trap.call, f"file://{trap.lure}", trap.lure, f"/vsicurl/{trap.call}"])
    link = f"<NetworkLink><Link><href>{source}</href></Link></NetworkLink>"
    icon = f"<Style><IconStyle><Icon><href>{source}</href></Icon></IconStyle></Style>"
    mark = f"<Placemark><name>T</name>{icon}<Point><coordinates>113.3,23.1</coordinates></Point></Placemark>"
    schema = f'<Schema name="s" id="s"><SimpleField type="string" name="{source}"/></Schema>'
    body = dice.choice([link, mark + link, schema + mark, link * 50])
    return (
        f"{word(dice)}.kml",
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'.encode(),
    )


@family("sqlite tricks")
def _(dice, trap):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gpkg"
        path.write_bytes(honest()["gpkg"])
        base = sqlite3.connect(path)
        trick = dice.choice(
            [f"CREATE VIEW v AS SELECT readfile('{trap.lure}') AS x", "DELETE FROM gpkg_geometry_columns",
             f"UPDATE gpkg_contents SET table_name = '{trap.lure}'", "UPDATE gpkg_spatial_ref_sys SET definition = 'x'",
             f"CREATE TABLE t AS SELECT load_extension('{trap.lure}') AS x",
             "CREATE TABLE b AS WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c LIMIT 20000) SELECT x FROM c"]
        )  # fmt: skip
        try:
            base.execute("DROP TRIGGER IF EXISTS x")
            base.execute(trick)
            base.commit()
        except sqlite3.Error:
            pass
        base.close()
        return f"{word(dice)}.gpkg", path.read_bytes()


@family("lying dbf")
def _(dice, trap):
    with zipfile.ZipFile(io.BytesIO(honest()["zip"])) as archive:
        members = {m.filename: bytearray(archive.read(m)) for m in archive.infolist()}
    struct.pack_into("<I", members["a.dbf"], 4, dice.choice([2**31, 2**32 - 1, 0, 10**6]))
    struct.pack_into("<H", members["a.dbf"], 8, dice.choice([0, 65535, 33]))
    struct.pack_into(">I", members["a.shp"], 24, dice.choice([2**31, 0, 50]))
    return f"{word(dice)}.zip", packed([(name, bytes(data)) for name, data in members.items()])


@family("geojson of nonsense")
def _(dice, trap):
    nonsense = [
        {"type": "Point", "coordinates": [1e308, -1e308]}, {"type": "Point", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0]]]}, {"type": "Point", "coordinates": ["a", {}]},
        {"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}] * 99}, None,
        {"type": "LineString", "coordinates": [[113, 23]] * 3},
    ]  # fmt: skip
    features = [
        {
            "type": "Feature",
            "properties": {word(dice): dice.choice([None, [1], {"a": 1}, "x" * 9999, 10**30])},
            "geometry": g,
        }
        for g in dice.choices(nonsense, k=5)
    ]
    crs = {"type": "link", "properties": {"href": trap.call, "type": "proj4"}}
    return f"{word(dice)}.geojson", json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}).encode()


@family("deep json")
def _(dice, trap):
    deep = dice.randrange(1_000, 60_000)
    return f"{word(dice)}.geojson", b'{"type":"FeatureCollection","features":' + b"[" * deep + b"]" * deep + b"}"


@family("foreign json")
def _(dice, trap):
    other = dice.choice(
        [{"type": "Topology", "objects": {}, "arcs": []}, {"stac_version": "1.0", "href": trap.call},
         {"geometryType": "esriGeometryPoint", "features": [], "next": trap.call}, {"url": trap.call}, {"path": trap.lure},
         {"type": "FeatureCollection", "features": [], "links": [{"rel": "next", "href": trap.call}]}]
    )  # fmt: skip
    return f"{word(dice)}.json", json.dumps(other).encode()


@family("workbook that calls")
def _(dice, trap):
    with zipfile.ZipFile(io.BytesIO(honest()["xlsx"])) as archive:
        members = [(m.filename, archive.read(m)) for m in archive.infolist()]
    link = f'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="x/externalLinkPath" Target="{dice.choice([trap.call, trap.lure])}" TargetMode="External"/></Relationships>'
    members.append(("xl/externalLinks/_rels/externalLink1.xml.rels", link.encode()))
    members.append((f"xl/media/{word(dice)}.bin", dice.randbytes(2000)))
    return f"{word(dice)}.xlsx", packed(members)


@family("drawing that calls")
def _(dice, trap):
    path = dice.choice([trap.lure, trap.call])
    block = f"  0\nSECTION\n  2\nBLOCKS\n  0\nBLOCK\n  8\n0\n  2\nX\n 70\n4\n  1\n{path}\n  3\nX\n 10\n0\n 20\n0\n  0\nENDBLK\n  0\nENDSEC\n"
    insert = "  0\nINSERT\n  8\n0\n  2\nX\n 10\n1\n 20\n2\n" * dice.randrange(1, 50)
    return f"{word(dice)}.dxf", f"{block}  0\nSECTION\n  2\nENTITIES\n{insert}  0\nENDSEC\n  0\nEOF\n".encode()
