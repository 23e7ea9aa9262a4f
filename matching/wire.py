"""Rows out of PostgreSQL straight into numpy arrays, and text into its tables: COPY both ways."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection, transaction

Arrays = dict[str, np.ndarray]

COPY_BYTES = 1 << 20
_HEADER = 19  # signature, flags and extension length of COPY BINARY
_SIZES = {"f8": ">f8", "i8": ">i8", "i4": ">i4", "b": "?"}


def fetch(sql: str, params: Mapping[str, Any], columns: Mapping[str, str]) -> Arrays:
    """The query's columns as arrays. columns: name → "f8" float8, "i8" bigint, "i4" integer, "b" boolean.

    The query must give exactly these types, in this order, and no NULL (coalesce to 'NaN'): every row then has the
    same length, and the whole answer is read as one array. Raises ValueError otherwise.
    """
    buffer = io.BytesIO()
    with transaction.atomic(), connection.cursor() as cursor:
        # What is asked for is a few in a hundred of large tables: by index, also where the planner's price of a
        # random page is a disk's; and too short for compiling.
        cursor.execute("SET LOCAL random_page_cost = 1.1; SET LOCAL jit = off")
        statement = cursor.cursor.mogrify(sql, params).decode()
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", buffer)
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, code in columns.items():
        fields += [(f"{name} length", ">i4"), (name, _SIZES[code])]
    record = np.dtype(fields)
    body = memoryview(buffer.getbuffer())[_HEADER:-2]
    if len(body) % record.itemsize:
        raise ValueError("a row is longer or shorter than its columns: NULL, or another type")
    rows = np.frombuffer(body, dtype=record)
    for name, code in columns.items():
        if len(rows) and (rows[f"{name} length"] != np.dtype(_SIZES[code]).itemsize).any():
            raise ValueError(f"column {name} is NULL somewhere or not of type {code}")
    native = {"f8": np.float64, "i8": np.int64, "i4": np.int64, "b": np.bool_}
    return {name: rows[name].astype(native[code]) for name, code in columns.items()}


def load(table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Appends lines in COPY's text form (tabs between values, \\N for NULL, each ending in a newline)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", _Lines(lines), size=COPY_BYTES)


class _Lines:
    """Lines as a file to read from, made as they are asked for: of a long list's rows only some are there at once."""

    def __init__(self, lines: Iterable[str]):
        self.lines, self.rest = iter(lines), b""

    def read(self, size: int) -> bytes:
        parts, have = [self.rest], len(self.rest)
        while have < size and (line := next(self.lines, None)) is not None:
            parts.append(line.encode())
            have += len(parts[-1])
        whole = b"".join(parts)
        self.rest = whole[size:]
        return whole[:size]


def next_ids(table: str, count: int) -> np.ndarray:
    """(count,) fresh values of the table's id sequence."""
    sql = "SELECT nextval(pg_get_serial_sequence(%(table)s, 'id')) FROM generate_series(1, %(count)s)"
    return fetch(sql, {"table": table, "count": count}, {"id": "i8"})["id"]
