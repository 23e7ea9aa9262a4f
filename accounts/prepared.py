"""Statements that every page or message runs, planned once per connection instead of each time.

PostgreSQL plans a join of five tables for longer than it runs it. A prepared statement lives as long as its connection,
so the portal needs connections of its own (or a pooler in session mode).
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from weakref import WeakKeyDictionary

from django.db import NotSupportedError, connection
from django.db.backends.utils import CursorWrapper

_PLACE = re.compile(r"%\((\w+)\)s")
_done: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()  # by connection of the driver: the names prepared on it


def execute(cursor: CursorWrapper, sql: str, values: Mapping[str, Any], types: Mapping[str, str]) -> None:
    """Runs the statement as cursor.execute(sql, values) would, with placeholders %(name)s.

    types: the PostgreSQL type of each name. The first time on a connection it asks once more, to prepare it.
    """
    name = f"gj_{sha256(sql.encode()).hexdigest()[:16]}"
    places = _places(sql)
    done = _done.setdefault(connection.connection, set())
    if name not in done:
        numbered = _PLACE.sub(lambda found: f"${places.index(found[1]) + 1}", sql)
        cursor.execute(f"PREPARE {name} ({', '.join(types[place] for place in places)}) AS {numbered}")
        done.add(name)
    marks = ", ".join(["%s"] * len(places))
    try:
        cursor.execute(f"EXECUTE {name} ({marks})", [values[place] for place in places])
    except NotSupportedError:  # a migration changed the type of a column under the plan
        done.discard(name)
        if connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
            raise
        cursor.execute(f"DEALLOCATE {name}")
        execute(cursor, sql, values, types)


def _places(sql: str) -> list[str]:
    """The names in the order they first stand."""
    return list(dict.fromkeys(_PLACE.findall(sql)))
