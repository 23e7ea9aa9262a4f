"""A GeoPackage 1.3 written row by row with SQLite: a layer per kind and a table that says what the file is.

No spatial index is written: it is an extension that needs triggers; a GIS makes one on opening where it wants it.
"""

import datetime as dt
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pyproj import CRS

from listings.exports.columns import Column
from listings.kinds.registry import SPECS

APPLICATION_ID, VERSION = 0x47504B47, 10300
BATCH = 5_000
SEPARATOR = b"\x1f"
TYPES = {
    "text": "TEXT",
    "word": "TEXT",
    "number": "REAL",
    "float": "REAL",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
SCHEMA = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
  srs_id INTEGER, CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE about (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT, value TEXT);
"""


class GeoPackageWriter:
    """One file; geometries in WKB behind the package's own header, attributes typed."""

    for_people: ClassVar[bool] = False
    suffix, media_type = "gpkg", "application/geopackage+sqlite3"
    copy_options = "FORMAT text, DELIMITER E'\\x1f', NULL ''"

    def __init__(self, path: Path, srid: int):
        self.srid = srid
        path.unlink(missing_ok=True)
        self.base = sqlite3.connect(path, isolation_level=None)
        for pragma in (f"application_id = {APPLICATION_ID}", f"user_version = {VERSION}", "journal_mode = OFF",
                       "synchronous = OFF", "cache_size = -8000"):  # fmt: skip
            self.base.execute(f"PRAGMA {pragma}")
        self.base.executescript(SCHEMA)
        self._systems()
        self.insert, self.width = "", 0
        self.batch: list[list[bytes | str | None]] = []

    def _systems(self) -> None:
        rows = [("Undefined Cartesian", -1, "NONE", -1, "undefined", ""),
                ("Undefined geographic", 0, "NONE", 0, "undefined", "")]  # fmt: skip
        for srid in sorted({4326, self.srid}):
            system = CRS.from_epsg(srid)
            rows.append((system.name, srid, "EPSG", srid, system.to_wkt("WKT1_GDAL"), "longitude/latitude in degrees"))
        self.base.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", rows)

    def line_sql(self, columns: Sequence[Column]) -> str:
        srid = self.srid.to_bytes(4, "little").hex()
        shape = f"'47500001{srid}' || encode(ST_AsBinary(shape, 'NDR'), 'hex')"
        cells = [f'"{c.key}"::int' if c.type == "boolean" else f'"{c.key}"' for c in columns]
        return ", ".join(["id", shape, *cells])

    def begin(self, kind: str, title: str, columns: Sequence[Column]) -> None:
        self._flush()
        self.base.execute("BEGIN") if not self.base.in_transaction else None
        fields = ", ".join(f'"{column.key}" {TYPES[column.type]}' for column in columns)
        self.base.execute(f'CREATE TABLE "{kind}" (fid INTEGER PRIMARY KEY NOT NULL, geom BLOB, {fields})')
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change, srs_id)"
            " VALUES (?, 'features', ?, ?, ?)", (kind, title, now, self.srid),
        )  # fmt: skip
        geometry = "GEOMETRY" if SPECS[kind].is_line else "POINT"  # a line may come in several parts
        self.base.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, 0, 0)", (kind, geometry, self.srid)
        )
        self.width = len(columns) + 2
        self.insert = f'INSERT INTO "{kind}" VALUES ({", ".join("?" * self.width)})'

    def write(self, line: bytes) -> int:
        cells: list[bytes | str | None] = [cell or None for cell in line.rstrip(b"\n").decode().split("\x1f")]
        if b"\\" in line:
            cells = [_unescaped(cell) if isinstance(cell, str) else cell for cell in cells]
        cells[1] = bytes.fromhex(str(cells[1])) if cells[1] else None
        self.batch.append(cells)
        if len(self.batch) >= BATCH:
            self._flush()
        return len(line)

    def _flush(self) -> None:
        if self.batch:
            self.base.executemany(self.insert, self.batch)
            self.batch = []

    def close(self, about: Sequence[tuple[str, str]]) -> None:
        self._flush()
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change)"
            " VALUES ('about', 'attributes', 'about', ?)",
            (now,),
        )
        self.base.executemany("INSERT INTO about (name, value) VALUES (?, ?)", about)
        if self.base.in_transaction:
            self.base.execute("COMMIT")
        self.base.close()


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "\\": "\\"}


def _unescaped(cell: str) -> str:
    """COPY's text format undone: "\\n" is a line end, "\\\\" a backslash."""
    parts, position = [], 0
    while (at := cell.find("\\", position)) >= 0:
        parts += [cell[position:at], _ESCAPES.get(cell[at + 1 : at + 2], cell[at + 1 : at + 2])]
        position = at + 2
    return "".join([*parts, cell[position:]])
