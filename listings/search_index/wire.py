"""Columns out of PostgreSQL in bulk, by its binary COPY: millions of numbers a second instead of rows of objects."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection

_HEADER = 19  # signature, flags, length of an extension that is never there
_NUMPY = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float8": ">f8", "bool": "?"}


def body(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> bytes:
    """The answer's rows as they came: count of fields, then length and bytes of each."""
    return _copy(sql, params)[_HEADER:-2]  # the last two bytes end the copy


def _copy(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    with connection.cursor() as cursor:
        text = cursor.mogrify(sql, params) if params else sql
        if isinstance(text, bytes):
            text = text.decode()
        cursor.copy_expert(f"COPY ({text}) TO STDOUT (FORMAT binary)", out)
    return out.getvalue()


def columns(sql: str, params: Sequence[Any] | Mapping[str, Any] = (), **types: str) -> dict[str, np.ndarray]:
    """The answer as arrays by the given names, in the order of the selected columns; none may hold NULL."""
    parts: list[tuple[str, str]] = [("_fields", ">i2")]
    for name, sort in types.items():
        parts += [(f"_{name}", ">i4"), (name, _NUMPY[sort])]
    layout = np.dtype(parts)
    data = body(sql, params)
    rows = np.frombuffer(data, dtype=layout, count=len(data) // layout.itemsize)
    return {name: rows[name].astype(rows[name].dtype.newbyteorder("=")) for name in types}


def blobs(sql: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[list[bytes]]:
    """The answer's fields as they came, for columns of bytes: meant for hundreds of rows, not for millions."""
    data = memoryview(_copy(sql, params))
    at, rows = _HEADER, []
    while (count := int.from_bytes(data[at : at + 2], "big", signed=True)) >= 0:
        at += 2
        row = []
        for _ in range(count):
            size = int.from_bytes(data[at : at + 4], "big", signed=True)
            row.append(bytes(data[at + 4 : at + 4 + size]))
            at += 4 + size
        rows.append(row)
    return rows
