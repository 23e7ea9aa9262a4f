"""Many rows into one table by COPY: the quickest way in; constraints, defaults and triggers hold as for any INSERT."""

import datetime as dt
import io
import json
import struct
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib.gis.geos import GEOSGeometry
from django.db import connection, models

from listings.places import LonLat

POINT = struct.Struct("<BIIdd")  # EWKB of a point with its SRID: byte order, type with flag, SRID, x, y
POINT_TYPE = 0x20000001
BLOCK_CHARS = 1 << 20
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def text(value: Any) -> str:
    """A value in COPY's text format."""
    kind = value.__class__
    if kind is str or isinstance(value, str):
        return value.translate(ESCAPES)
    if value is None:
        return "\\N"
    if kind is bool:
        return "t" if value else "f"
    if kind in (int, float, Decimal, dt.date, uuid.UUID):
        return str(value)
    if kind is LonLat:
        return POINT.pack(1, POINT_TYPE, 4326, value.lon, value.lat).hex()
    if kind is dict:
        return json.dumps(value, ensure_ascii=False).translate(ESCAPES)
    if kind is list:
        quoted = [str(part).replace("\\", "\\\\").replace('"', '\\"') for part in value]
        return ("{" + ",".join(f'"{part}"' for part in quoted) + "}").translate(ESCAPES)
    if kind is dt.datetime:
        return value.isoformat()
    if isinstance(value, GEOSGeometry):
        return value.hexewkb.decode() if isinstance(value.hexewkb, bytes) else str(value.hexewkb)
    if isinstance(value, models.Model):
        return text(value.pk)
    raise TypeError(f"{kind.__name__} has no place in a COPY")


class Table:
    """The columns of a model that can be written, with the text of each one's default."""

    def __init__(self, model: type[models.Model], *, with_key: bool = False, **fixed: Any):
        """fixed: values by field for all rows of this batch. with_key: the lines bring their own key."""
        self.name = model._meta.db_table
        fields = [f for f in model._meta.concrete_fields if not isinstance(f, models.GeneratedField)]
        fields = [f for f in fields if with_key or not isinstance(f, models.AutoField)]
        self.columns = [f.column for f in fields]
        self.place_of = {name: i for i, f in enumerate(fields) for name in (f.name, f.attname)}
        self.is_json = {f.name for f in fields if isinstance(f, models.JSONField)}
        self.blank = [text(None if f.primary_key or f.is_relation else f.get_default()) for f in fields]
        for name, value in fixed.items():
            self.blank[self.place_of[name]] = text(value)

    def line(self, values: Mapping[str, Any]) -> str:
        """One row; what is not named has its default."""
        cells = self.blank.copy()
        place_of = self.place_of
        for name, value in values.items():
            if value is not None and name in self.is_json:
                cells[place_of[name]] = json.dumps(value, ensure_ascii=False).translate(ESCAPES)
            else:
                cells[place_of[name]] = text(value)
        return "\t".join(cells)


def copy(table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Writes the lines (COPY text format, without line ends). Database errors come as Django's own."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', _Stream(lines))  # names are the models' own


def insert(objects: Sequence[models.Model]) -> None:
    """New rows of one model by COPY, each value as it stands on the object; gives every object its key.

    Like bulk_create(), without its cost per field: no signals, no full_clean(). auto_now fields must be set.
    Nothing for an empty list. Raises IntegrityError as any INSERT.
    """
    if not objects:
        return
    model = type(objects[0])
    fields = [f for f in model._meta.concrete_fields if not isinstance(f, models.GeneratedField)]
    for row, pk in zip(objects, next_ids(model, len(objects)), strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, connection.alias
    names = [f.attname for f in fields]
    lines = ("\t".join([text(getattr(row, name)) for name in names]) for row in objects)
    copy(model._meta.db_table, [f.column for f in fields], lines)


class _Stream(io.TextIOBase):
    """Lines as a file that COPY reads block by block, so that none of it is held twice."""

    def __init__(self, lines: Iterable[str]):
        self._lines = iter(lines)
        self._rest = ""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> str:
        wanted = size if size and size > 0 else BLOCK_CHARS
        parts, held = [self._rest], len(self._rest)
        while held < wanted:
            line = next(self._lines, None)
            if line is None:
                break
            parts.append(line + "\n")
            held += len(line) + 1
        whole = "".join(parts)
        self._rest = whole[wanted:]
        return whole[:wanted]


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """`count` fresh keys from the table's own sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [model._meta.db_table, model._meta.pk.column, count],
        )
        return [row[0] for row in cursor.fetchall()]
