"""Statements planned once per connection outlive a migration that changes a column under their plan."""

import pytest
from django.db import NotSupportedError, connection, transaction

from accounts import prepared

SQL = "SELECT * FROM gj_changing WHERE number = %(number)s"


def ask(number):
    with connection.cursor() as cursor:
        prepared.execute(cursor, SQL, {"number": number}, {"number": "int"})
        return cursor.fetchall()


@pytest.fixture
def changing(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE gj_changing (number int, text varchar(9))")
        cursor.execute("INSERT INTO gj_changing VALUES (1, '1'), (2, '2')")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE gj_changing")


def alter(column_type):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE gj_changing ALTER text TYPE {column_type} USING text::{column_type}")


def test_a_plan_outdated_by_a_migration_is_made_anew(changing):
    assert ask(1) == [(1, "1")]
    alter("int")
    assert ask(2) == [(2, 2)]


def test_inside_a_transaction_it_fails_once_and_works_again_after(changing):
    assert ask(1) == [(1, "1")]
    alter("int")
    with pytest.raises(NotSupportedError), transaction.atomic():
        ask(1)
    with transaction.atomic():
        assert ask(1) == [(1, 1)]
    alter("bigint")
    assert ask(1) == [(1, 1)]


def test_what_never_works_is_refused_and_not_tried_for_ever(changing):
    with connection.cursor() as cursor, pytest.raises(NotSupportedError):
        prepared.execute(
            cursor,
            "SELECT count(*) FROM gj_changing WHERE number = %(number)s FOR UPDATE",
            {"number": 1},
            {"number": "int"},
        )
