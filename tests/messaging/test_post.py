"""Saying something in a thread: stored once, numbered without gaps, read by the parties alone."""

import threading
from uuid import uuid4

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.urls import reverse

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from messaging import actions
from messaging.models import Message, Notification, ReadMark, Thread
from messaging.relay import relay_once


def say(world, thread, name="dave", body="Is there room?", key=None):
    return actions.post(
        thread=thread, by=world.user(name), membership=world.as_[name], body=body, client_uuid=key or uuid4()
    )


def test_message_is_stored_numbered_logged_and_told(world, thread):
    message = say(world, thread)
    assert (message.number, message.body) == (1, "Is there room?")
    assert Event.objects.about(message).get().verb == "message.post"
    relay_once()
    assert set(Notification.objects.values_list("user__name", flat=True)) == {"Alice"}  # Bob edits, Vera views


def test_same_key_again_is_the_same_message(world, thread):
    key = uuid4()
    first, second = say(world, thread, key=key), say(world, thread, key=key)
    assert first == second
    assert Message.objects.count() == 1


@pytest.mark.parametrize(("body", "code"), [("   ", "empty"), ("x" * 4001, "too_long")])
def test_empty_and_endless_messages_are_refused(world, thread, body, code):
    with pytest.raises(Refused) as refusal:
        say(world, thread, body=body)
    assert refusal.value.code == code
    assert not Message.objects.exists()


def test_closed_thread_takes_no_more(world, thread):
    actions.close(thread=thread)
    with pytest.raises(Refused) as refusal:
        say(world, thread)
    assert refusal.value.code == "closed"


@pytest.mark.parametrize("name", ["eve", "vera", "bob"])
def test_strangers_and_readers_do_not_write(world, thread, name):
    with pytest.raises(NotPermitted):
        say(world, thread, name=name)


def test_second_message_before_the_first_is_read_does_not_notify_again(world, thread):
    say(world, thread)
    relay_once()
    say(world, thread)
    relay_once()
    assert Notification.objects.filter(user=world.alice).count() == 1
    actions.mark_read(thread=thread, by=world.alice, number=2)
    assert not Notification.objects.filter(user=world.alice, read_at=None).exists()


def test_read_mark_moves_forward_only_and_not_past_the_end(world, thread):
    say(world, thread)
    say(world, thread)
    actions.mark_read(thread=thread, by=world.alice, number=2)
    actions.mark_read(thread=thread, by=world.alice, number=1)
    actions.mark_read(thread=thread, by=world.alice, number=99)
    assert ReadMark.objects.get(user=world.alice).last_number == 2


@pytest.mark.parametrize("sql", ["UPDATE messaging_message SET body = 'other'", "DELETE FROM messaging_message"])
def test_database_refuses_to_rewrite_what_was_said(world, thread, sql):
    say(world, thread)
    with pytest.raises((IntegrityError, InternalError), match="append-only"), transaction.atomic():
        connection.cursor().execute(sql)


def test_database_refuses_a_number_twice(world, thread):
    say(world, thread)
    with pytest.raises(IntegrityError, match="message_number_once"), transaction.atomic():
        connection.cursor().execute(
            "INSERT INTO messaging_message"
            " (thread_id, number, kind, topic, body, about_label, attachment_count, event_code, payload, client_uuid,"
            " created_at)"
            " VALUES (%s, 1, 'event', '', '', '', 0, 'x.y', '{}', %s, now())",
            [thread.pk, str(uuid4())],
        )


def test_stranger_gets_404_on_every_thread_address(client_as, thread):
    eve = client_as("eve")
    for name in ("thread_detail", "thread_messages", "thread_people", "thread_map", "thread_places"):
        assert eve.get(reverse(name, args=[thread.pk]), {"after": 0}).status_code == 404
    for name in ("message_send", "thread_read", "thread_typing", "thread_bureau", "thread_mail", "thread_export"):
        assert eve.post(reverse(name, args=[thread.pk]), {"body": "x", "number": 1}).status_code == 404
    assert "Tower T-1" not in eve.get(reverse("inbox")).content.decode()


def test_plain_form_sends_and_page_shows_it(client_as, thread):
    dave = client_as("dave")
    answer = dave.post(reverse("message_send", args=[thread.pk]), {"body": "Hello <b>you</b>"}, follow=True)
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in answer.content.decode()


def test_live_form_gets_the_number_or_the_sentence(client_as, thread):
    dave = client_as("dave")
    url = reverse("message_send", args=[thread.pk])
    assert dave.post(url, {"body": "a"}, headers={"accept": "application/json"}).json() == {"number": 1}
    refused = dave.post(url, {"body": " "}, headers={"accept": "application/json"})
    assert refused.status_code == 422
    assert refused.json()["error"]


def test_send_does_not_redirect_to_another_host(client_as, thread):
    answer = client_as("dave").post(
        reverse("message_send", args=[thread.pk]), {"body": "a", "next": "//evil.example/x"}
    )
    assert answer["Location"] == reverse("thread_detail", args=[thread.pk])


def test_browser_pulls_only_what_it_lacks(world, client_as, thread):
    for i in range(3):
        say(world, thread, body=f"message {i}")
    answer = client_as("alice").get(reverse("thread_messages", args=[thread.pk]), {"after": 2})
    assert "message 2" in answer.content.decode()
    assert "message 1" not in answer.content.decode()
    assert answer["X-Last-Number"] == "3"
    assert client_as("alice").get(reverse("thread_messages", args=[thread.pk]), {"after": "x"}).status_code == 400


def test_inbox_search_and_unread(world, client_as, thread):
    say(world, thread, body="需要两个管孔")
    alice = client_as("alice")
    assert "Tower T-1" in alice.get(reverse("inbox"), {"q": "管孔"}).content.decode()
    assert "Tower T-1" not in alice.get(reverse("inbox"), {"q": "不存在"}).content.decode()
    alice.post(reverse("thread_read", args=[thread.pk]), {"number": 1})
    assert "Tower T-1" not in alice.get(reverse("inbox"), {"show": "unread"}).content.decode()


def test_inbox_queries_do_not_grow_with_threads(world, client_as, django_assert_max_num_queries):
    from tests.world import make_resource

    for i in range(12):
        made = actions.open_thread(
            subject=make_resource(world.power), title=f"T {i}", organisations=[world.power, world.operator]
        )
        say(world, made)
    alice = client_as("alice")
    with django_assert_max_num_queries(16):
        assert alice.get(reverse("inbox")).status_code == 200


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_numbers_stay_dense_when_many_write_at_once(world, thread):
    errors: list[Exception] = []

    def write(i):
        try:
            for n in range(10):
                say(world, thread, body=f"{i}-{n}")
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors
    numbers = list(Message.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, 61))
    assert Thread.objects.get(pk=thread.pk).last_number == 60


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_control_without_the_row_lock_numbers_collide(world, thread, monkeypatch):
    """The failing control: with the lock taken out, the race above must show itself."""
    from messaging import storing

    number = "SELECT last_number + 1 AS last_number, clock_timestamp() AS last_message_at, pg_sleep(0.02)"
    careless = f"{number} FROM messaging_thread WHERE id = %(thread)s"
    for name in ("SAY", "STORE"):
        sql = getattr(storing, name)
        begin, end = sql.index("UPDATE messaging_thread"), sql.index("), said AS")
        monkeypatch.setattr(storing, name, sql[:begin] + careless + sql[end:])
    monkeypatch.setattr(storing, "LOCK", storing.FACTS)
    errors: list[Exception] = []

    def write(i):
        try:
            say(world, thread, body=str(i))
        except IntegrityError as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert any("message_number_once" in str(error) for error in errors)


def test_what_the_database_cannot_hold_is_no_fault_page(world, client_as, thread):
    dave = client_as("dave")
    answer = dave.post(
        reverse("message_send", args=[thread.pk]), {"body": "a\x00b"}, headers={"accept": "application/json"}
    )
    assert answer.status_code == 201
    assert Message.objects.get().body == "ab"
    assert dave.get(reverse("inbox"), {"q": "\x00"}).status_code == 200
