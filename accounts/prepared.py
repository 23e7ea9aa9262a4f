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


class _Plans:
    """What is prepared on one connection of the driver."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.outdated_count = 0  # in the names: what an aborted transaction left behind cannot be deallocated there


_plans: WeakKeyDictionary[Any, _Plans] = WeakKeyDictionary()


def execute(cursor: CursorWrapper, sql: str, values: Mapping[str, Any], types: Mapping[str, str]) -> None:
    """Runs the statement as cursor.execute(sql, values) would, with placeholders %(name)s.

    types: the PostgreSQL type of each name. The first time on a connection it asks once more, to prepare it. Where a
    migration changed the type of a column under the plan it is planned anew: at once, or, inside a transaction (which
    PostgreSQL has then aborted: NotSupportedError), the next time.
    """
    try:
        _execute(cursor, sql, values, types)
    except NotSupportedError:
        _plans[connection.connection].outdated_count += 1
        if connection.in_atomic_block:
            raise
        _execute(cursor, sql, values, types)


def _execute(cursor: CursorWrapper, sql: str, values: Mapping[str, Any], types: Mapping[str, str]) -> None:
    plans = _plans.setdefault(connection.connection, _Plans())
    name = f"gj_{sha256(sql.encode()).hexdigest()[:16]}_{plans.outdated_count}"
    places = list(dict.fromkeys(_PLACE.findall(sql)))  # in the order they first stand
    if name not in plans.names:
        numbered = _PLACE.sub(lambda found: f"${places.index(found[1]) + 1}", sql)
        cursor.execute(f"PREPARE {name} ({', '.join(types[place] for place in places)}) AS {numbered}")
        plans.names.add(name)
    marks = ", ".join(["%s"] * len(places))
    cursor.execute(f"EXECUTE {name} ({marks})", [values[place] for place in places])
