"""The audit log: one's own, for administrators, filtered; nobody rewrites it."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from accounts import events
from accounts.models import Event
from tests.accounts.addresses import english


@pytest.fixture
def log(world):
    """One event of the power company, one of the operator's, one the bureau did to the power company."""
    with transaction.atomic():
        events.record(
            "membership.change_roles", world.as_["bob"], by=world.alice, organisation=world.power,
            before={"roles": ["viewer"]}, after={"roles": ["editor", "negotiator"]},
        )  # fmt: skip
        events.record("invitation.send", world.as_["dave"], by=world.dave, organisation=world.operator)
        events.record(
            "organisation.verify", world.power, by=world.carol, organisation=world.bureau,
            before={"verification": "submitted"}, after={"verification": "verified"}, reason="register seen",
        )  # fmt: skip


def read(client, **query):
    """The table alone: the filter's choices name verbs too."""
    page = client.get(english("event_log"), query)
    assert page.status_code == 200
    return page.content.decode().partition("<tbody>")[2]


def test_it_tells_who_did_what_before_and_after(client_as, world, log):
    table = read(client_as("alice"))
    assert "changed a member" in table
    assert "Viewer → Editor (resources), Negotiator (requests)" in table
    assert "verified the organisation" in table
    assert "Awaiting verification → Verified" in table
    assert "register seen" in table
    assert "Guangdong Bureau" in table
    assert "sent an invitation" not in table  # the operator's


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"verb": "organisation.verify"}, {"verified"}),
        ({"actor": "alice"}, {"changed"}),
        ({"since": "2999-01-01"}, set()),
        ({"until": "2999-01-01"}, {"verified", "changed"}),
        ({"since": "2000-01-01", "until": "2000-12-31"}, set()),
    ],
)
def test_it_is_filtered(client_as, world, log, query, shown):
    if "actor" in query:
        query = {"actor": world.user(query["actor"]).pk}
    table = read(client_as("alice"), **query)
    assert {word for word in ("verified", "changed") if word in table} == shown


def test_a_filter_that_makes_no_sense_is_named(client_as, world, log):
    page = client_as("alice").get(english("event_log"), {"since": "2026-02-01", "until": "2026-01-01"})
    assert "lies before the first one" in page.content.decode()
    page = client_as("alice").get(english("event_log"), {"actor": world.dave.pk})  # not a person of this log
    assert "Select a valid choice" in page.content.decode()


@pytest.mark.parametrize(("who", "code"), [("bob", 403), ("vera", 403), ("nora", 302), ("dave", 200)])
def test_it_is_for_administrators(client_as, world, log, who, code):
    answer = client_as(who).get(reverse("event_log"))
    assert answer.status_code == code
    assert "Bob" not in answer.content.decode() if code == 200 else True


def test_it_asks_no_more_for_more_rows(client_as, world, log, django_assert_max_num_queries):
    with transaction.atomic():
        for _ in range(60):
            events.record("membership.end", world.as_["bob"], by=world.alice, organisation=world.power)
    client = client_as("alice")
    read(client)
    with django_assert_max_num_queries(14):
        assert read(client).count("<tr>") == 50
    assert read(client, page=2).count("<tr>") == 12


@pytest.mark.parametrize(
    "statement",
    ["UPDATE accounts_event SET verb = 'x'", "DELETE FROM accounts_event", "UPDATE accounts_event SET reason = ''"],
)
def test_nobody_rewrites_it(world, log, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Event.objects.count() == 3


def test_nobody_empties_it(db):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL gongjian.may_truncate = 'off'")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute("TRUNCATE accounts_event CASCADE")
        cursor.execute("SET LOCAL gongjian.may_truncate = 'on'")


def test_an_event_is_written_in_the_transaction_of_its_act(world):
    caught = []

    def record_elsewhere():  # another thread has a connection of its own, without a transaction
        try:
            events.record("organisation.change", world.power, by=None)
        except RuntimeError as error:
            caught.append(str(error))

    thread = threading.Thread(target=record_elsewhere)
    thread.start()
    thread.join()
    assert caught == ["events.record('organisation.change') outside a transaction"]
