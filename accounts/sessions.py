"""Sessions in the database, and who asks: the session, its person and the memberships in one statement.

Every page and every message begins with these questions; through the ORM they are three queries, whose composing costs
more than all the rest of a short answer (docs/adr/0068). Django still decides whether the session's person is believed:
django.contrib.auth.get_user compares the password's hash, accounts.backends hands it the person found here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db import connection, models
from django.utils import timezone

from . import prepared
from .models import Membership, Organisation, Region, Session, User

# Of a region: its polygon has thousands of corners, and no page reads either from here.
_LEFT_OUT = {"polygon", "label_point"}
_TYPES = {"key": "varchar", "now": "timestamptz"}


@dataclass(frozen=True)
class Known:
    """Who a session is of: the person, and the active memberships with organisation and region, oldest first."""

    user: User
    memberships: list[Membership] = field(default_factory=list)


@dataclass(frozen=True)
class _Part:
    """The columns of one model within the rows of the statement."""

    model: type[models.Model]
    fields: tuple[models.Field, ...]
    begin: int

    def made(self, row: Sequence[Any]) -> Any:
        """The instance the row holds, as the ORM would have made it; None where a join found nothing."""
        found = row[self.begin : self.begin + len(self.fields)]
        if found[0] is None:
            return None
        names = [one.attname for one in self.fields]
        values = [_value(one, value) for one, value in zip(self.fields, found, strict=True)]
        return self.model.from_db("default", names, values)


def _value(one: models.Field, value: Any) -> Any:
    convert = getattr(one, "from_db_value", None)
    return convert(value, None, connection) if convert else value


def _columns(model: type[models.Model]) -> tuple[models.Field, ...]:
    """The model's columns, its key first."""
    fields = [one for one in model._meta.concrete_fields if one.name not in _LEFT_OUT]
    return tuple(sorted(fields, key=lambda one: not one.primary_key))


@cache
def _statement() -> tuple[str, dict[type[models.Model], _Part]]:
    parts, names, begin = {}, ["s.session_data"], 1
    for alias, model in (("u", User), ("m", Membership), ("o", Organisation), ("r", Region)):
        fields = _columns(model)
        parts[model] = _Part(model, fields, begin)
        for one in fields:
            names.append(f'{alias}."{one.column}"')
        begin += len(fields)
    sql = (
        f"SELECT {', '.join(names)} FROM {Session._meta.db_table} s"
        f" LEFT JOIN {User._meta.db_table} u ON u.id = s.user_id"
        f" LEFT JOIN {Membership._meta.db_table} m ON m.user_id = u.id AND m.ended_at IS NULL"
        f" LEFT JOIN {Organisation._meta.db_table} o ON o.id = m.organisation_id"
        f" LEFT JOIN {Region._meta.db_table} r ON r.code = o.region_id"
        " WHERE s.session_key = %(key)s AND s.expire_date > %(now)s ORDER BY m.created_at, m.id"
    )
    return sql, parts


def find(session_key: str) -> tuple[str, Known | None] | None:
    """The sealed data of a session that still runs and who it is of; None without one. Queries once."""
    sql, parts = _statement()
    with connection.cursor() as cursor:
        prepared.execute(cursor, sql, {"key": session_key, "now": timezone.now()}, _TYPES)
        rows = cursor.fetchall()
    if not rows:
        return None
    user = parts[User].made(rows[0])
    if user is None:
        return rows[0][0], None
    return rows[0][0], Known(user, [_membership(row, user, parts) for row in rows if row[parts[Membership].begin]])


def _membership(row: Sequence[Any], user: User, parts: dict[type[models.Model], _Part]) -> Membership:
    membership = parts[Membership].made(row)
    membership.user = user
    membership.organisation = parts[Organisation].made(row)
    membership.organisation.region = parts[Region].made(row)
    return membership


class SessionStore(db.SessionStore):
    """Django's own, with the person beside the data. known: who was found with the session when it was read."""

    known: Known | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        found = find(self.session_key)
        if found is None:
            self._session_key = None
            return {}
        data, known = found
        values = self.decode(data)
        # The seal counts, not the column beside it.
        if known and str(values.get(SESSION_KEY)) == str(known.user.pk):
            self.known = known
        return values

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session = super().create_model_instance(data)
        session.user_id = data.get(SESSION_KEY)
        return session


# Whom the session of the request being answered is of, while Django asks a backend for that person.
_asked: ContextVar[Known | None] = ContextVar("asked", default=None)


@contextmanager
def told(known: Known | None) -> Iterator[None]:
    """Within it, person() answers from what is known."""
    token = _asked.set(known)
    try:
        yield
    finally:
        _asked.reset(token)


def person(user_id: int) -> User | None:
    """The person of that number, where the session has told of them already; None: ask the database."""
    known = _asked.get()
    return known.user if known and known.user.pk == user_id else None
