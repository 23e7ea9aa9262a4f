"""Writes made-up supply set by set: tables bared of indexes and constraints, COPY, everything built again after."""

import contextlib
import datetime as dt
import io
import os
import time
from collections.abc import Callable, Iterator

import numpy as np
from django.apps import apps
from django.db import connection, models, transaction

from listings.models import CapacityPool, Resource, SearchFold, Tally
from listings.search_index import fold, wire
from listings.synth.draw import COLUMNS, Numbers, Tables, draw_county
from listings.synth.places import counties, shares
from listings.synth.words import SOURCE, owners, synthetic_owners

BARE_FROM = 20_000  # fewer rows are stored with the indexes in place
CHUNK = 50_000
NULL = "\\N"
TALLY = "listings_tally"
SEARCH_TABLES = ("listings_searchblock", "listings_searchbits", "listings_searchdirty")


class NotSynthetic(RuntimeError):
    """The database holds resources that this command did not make."""


def has_others() -> bool:
    """Whether there are resources that were not made up here."""
    return Resource.objects.exclude(source=SOURCE).exists()


def load(*, count: int, seed: int, day: dt.date, say: Callable[[str], object]) -> None:
    """Makes `count` resources, all or none. Deterministic in count, seed and day but for the keys."""
    began = time.monotonic()
    with transaction.atomic():
        owner_ids = owners()
        with bare(say) if count >= BARE_FROM else as_they_are():
            _copy_all(count, seed, day, owner_ids, say, began)
            say(f"{time.monotonic() - began:6.1f} s  summing up and building indexes")
        _after(say)
    with connection.cursor() as cursor:
        for table in [*COLUMNS, TALLY, "listings_searchblock", "listings_searchbits"]:
            cursor.execute(f"ANALYZE {table}")
    say(f"{time.monotonic() - began:6.1f} s  {count} resources")


def _after(say: Callable[[str], object]) -> None:
    blocks = Tally.objects.exclude(slot=None).aggregate(top=models.Max("slot"))["top"]
    began = time.monotonic()
    fold.write(range((blocks or 0) // fold.FINE + 1))
    SearchFold.objects.update(folds=int.from_bytes(os.urandom(7), "big"))
    say(f"         search blocks: {time.monotonic() - began:.1f} s")
    for table in ("listings_resource", "listings_capacitypool"):
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce((SELECT max(id) FROM {table}), 1))"
            )


def _copy_all(count, seed, day, owner_ids, say, began) -> None:  # type: ignore[no-untyped-def]
    numbers = Numbers(_next(Resource), _next(CapacityPool))
    tables, waiting = Tables(), 0
    for nth, (county, share) in enumerate(zip(counties(), shares(count, seed), strict=True), start=1):
        if share:
            rng = np.random.default_rng([seed, nth])
            draw_county(tables, county, share, rng=rng, owners=owner_ids, numbers=numbers, day=day)
            waiting += share
        if waiting >= CHUNK:
            _copy(tables)
            tables, waiting = Tables(), 0
            say(f"{time.monotonic() - began:6.1f} s  {nth} of {len(counties())} counties")
    _copy(tables)


def _next(model: type[models.Model]) -> int:
    return (model._default_manager.aggregate(top=models.Max("pk"))["top"] or 0) + 1


def _copy(tables: Tables) -> None:
    for table, lines in tables.lines.items():
        if not lines:
            continue
        columns, tail = _defaults(table)
        text = "".join(f"{line[:-1]}{tail}\n" for line in lines) if tail else "".join(lines)
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", io.StringIO(text))


def _defaults(table: str) -> tuple[list[str], str]:
    """The columns to copy, and what follows each line for those that are not drawn: the model's own defaults."""
    (model,) = (m for m in apps.get_app_config("listings").get_models() if m._meta.db_table == table)
    columns, tail = list(COLUMNS[table]), ""
    for column in model._meta.concrete_fields:
        if column.generated or column.column in columns or column.primary_key:
            continue
        columns.append(column.column)
        value = column.get_db_prep_save(column.get_default(), connection)
        tail += "\t" + _text(value, column)
    return columns, tail


def _text(value: object, column: models.Field) -> str:
    if isinstance(column, models.JSONField):
        return "{}"
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list):
        return "{" + ",".join(map(str, value)) + "}"
    return str(value)


def remove(say: Callable[[str], object]) -> int:
    """Takes all made-up resources and their owners away again, all or none; gives how many.

    Raises django.db.IntegrityError where something real (a request, say) hangs on one of them.
    """
    count = Resource.objects.filter(source=SOURCE).count()
    with transaction.atomic():
        with bare(say) if count >= BARE_FROM else as_they_are(), connection.cursor() as cursor:
            if count >= BARE_FROM and not has_others():
                cursor.execute(f"TRUNCATE {', '.join([*_own_tables(), *SEARCH_TABLES])}")
            else:
                mine = "SELECT id FROM listings_resource WHERE source = %s"
                for table in _own_tables():
                    if table != "listings_resource":
                        cursor.execute(f"DELETE FROM {table} WHERE resource_id IN ({mine})", [SOURCE])
                cursor.execute("DELETE FROM listings_resource WHERE source = %s", [SOURCE])
        synthetic_owners().delete()
        SearchFold.objects.update(folds=int.from_bytes(os.urandom(7), "big"))
    fold.fold()
    return count


def _own_tables() -> list[str]:
    return [*(t for t in COLUMNS if t != "listings_resource"), "listings_tally", "listings_resource"]


@contextlib.contextmanager
def as_they_are() -> Iterator[None]:
    """Few rows: indexes, constraints and triggers stay in place."""
    yield


OTHERS_SQL = """
SELECT 'i', indexrelid::regclass::text, indrelid::regclass::text, pg_get_indexdef(indexrelid)
  FROM pg_index WHERE indrelid = ANY(%(tables)s::regclass[]) AND NOT indisprimary
   AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = indexrelid AND c.contype IN ('u', 'x'))
UNION ALL
SELECT contype::text, quote_ident(conname), conrelid::regclass::text, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE contype IN ('f', 'u', 'c')
   AND (conrelid = ANY(%(tables)s::regclass[]) OR (contype = 'f' AND confrelid = ANY(%(tables)s::regclass[])))
"""


@contextlib.contextmanager
def bare(say: Callable[[str], object]) -> Iterator[None]:
    """The supply tables without indexes, foreign keys, checks and triggers, inside the caller's transaction.

    Afterwards each is made again, which checks every row: a broken one raises and nothing is stored. The tables are
    locked meanwhile. The tally is summed in one statement at the end.
    """
    tables = _own_tables()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(OTHERS_SQL, {"tables": tables})
        found = cursor.fetchall()
        for sort, name, table, _definition in sorted(found, key=lambda row: row[0] not in "f"):
            cursor.execute(f"DROP INDEX {name}" if sort == "i" else f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        # The tally is summed over indexed pools, and gets its own indexes after.
        for sort, name, table, definition in sorted(found, key=lambda row: (row[2] == TALLY, "ucif".index(row[0]))):
            if table == TALLY and tables:
                _sum_up(cursor, say)
                tables = []
            began = time.monotonic()
            cursor.execute(definition if sort == "i" else f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
            if time.monotonic() - began > 5:
                say(f"         {name}: {time.monotonic() - began:.1f} s")


def _sum_up(cursor, say) -> None:  # type: ignore[no-untyped-def]
    """The tallies of all resources that have none yet, written in the order of their search blocks."""
    began = time.monotonic()
    cursor.execute("ANALYZE listings_resource, listings_capacitypool, listings_tower")
    cursor.execute(f"SELECT coalesce(max(slot) / {fold.FINE} + 1, 0) FROM {TALLY}")
    first = cursor.fetchone()[0]
    lacking = f"NOT EXISTS (SELECT FROM {TALLY} t WHERE t.resource_id = r.id)"
    boxes = wire.columns(
        "SELECT id, floor(ST_XMin(shown_cell) * 1e6)::int, floor(ST_YMin(shown_cell) * 1e6)::int,"
        " ceil(ST_XMax(shown_cell) * 1e6)::int, ceil(ST_YMax(shown_cell) * 1e6)::int, state = 'published'"
        f" FROM listings_resource r WHERE {lacking} ORDER BY id",
        **fold.BOX_TYPES, listed="bool",
    )  # fmt: skip
    listed = boxes.pop("listed")
    boxes = {name: column[listed] for name, column in boxes.items()}
    fold.placed(boxes["ids"], fold.slots_for(boxes, first))
    columns = ", ".join(f.column for f in Tally._meta.concrete_fields if f.column != "slot")
    for low in range(0, max(1, len(boxes["ids"])), CHUNK):
        cursor.execute(
            f"INSERT INTO {TALLY} ({columns}, slot) SELECT {columns}, p.slot FROM tally_now((SELECT array_agg(id)"
            " FROM placed WHERE nth >= %(low)s AND nth < %(high)s)) AS n JOIN placed p ON p.id = n.resource_id"
            " ORDER BY p.slot", {"low": low, "high": low + CHUNK},
        )  # fmt: skip
    cursor.execute(
        f"INSERT INTO {TALLY} ({columns}) SELECT {columns}"
        f" FROM tally_now((SELECT array_agg(id) FROM listings_resource r WHERE {lacking}))"
    )
    cursor.execute("DROP TABLE placed")
    say(f"         summed up: {time.monotonic() - began:.1f} s")
