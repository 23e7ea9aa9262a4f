"""Changing a message and taking it back: the history stays, others see it, the rest is refused."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.urls import reverse

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from messaging import actions, presenters
from messaging.models import Message


@pytest.fixture
def said(world, thread):
    return actions.post(
        thread=thread, by=world.dave, membership=world.as_["dave"], body="Tuesday?", client_uuid=uuid4()
    )


def change(world, said, name="dave", body="Wednesday?", key=None):
    return actions.correct(
        message=said, by=world.user(name), membership=world.as_[name], body=body, client_uuid=key or uuid4()
    )


def take_back(world, said, name="dave"):
    return actions.retract(message=said, by=world.user(name), membership=world.as_[name], client_uuid=uuid4())


def shown(thread):
    return presenters.items_after(thread, 0)


def test_change_is_a_message_of_its_own_and_the_old_wording_stays(world, thread, said):
    edit = change(world, said)
    assert (edit.number, edit.corrects) == (2, said)
    first = shown(thread)[0]
    assert (first.said, [row.body for row in first.was]) == ("Wednesday?", ["Tuesday?"])
    assert Event.objects.about(edit).get().verb == "message.correct"
    assert Message.objects.get(pk=said.pk).body == "Tuesday?"


def test_taken_back_message_is_not_shown_but_kept(world, thread, said, client_as):
    change(world, said)
    take_back(world, said)
    first = shown(thread)[0]
    assert first.is_retracted
    assert [row.body for row in first.was] == ["Tuesday?", "Wednesday?"]
    page = client_as("alice").get(reverse("thread_detail", args=[thread.pk])).content.decode()
    assert "This message was taken back." in page or "撤回" in page
    assert "Tuesday?" in page  # in its history


def test_other_browser_pulls_the_change_as_the_next_number(world, thread, said, client_as):
    change(world, said)
    answer = client_as("alice").get(reverse("thread_messages", args=[thread.pk]), {"after": 1})
    text = answer.content.decode()
    assert answer["X-Last-Number"] == "2"
    assert 'data-corrects="1"' in text
    assert "Wednesday?" in text


def test_same_key_again_changes_once(world, thread, said):
    key = uuid4()
    assert change(world, said, key=key) == change(world, said, key=key)
    assert Message.objects.filter(kind="edit").count() == 1


@pytest.mark.parametrize("name", ["alice", "dora"])
def test_only_the_author_changes_or_takes_back(world, thread, said, name):
    with pytest.raises(NotPermitted):
        change(world, said, name)
    with pytest.raises(NotPermitted):
        take_back(world, said, name)


def test_what_was_taken_back_is_changed_no_more(world, thread, said):
    take_back(world, said)
    for act in (change, take_back):
        with pytest.raises(Refused) as refusal:
            act(world, said)
        assert refusal.value.code == "retracted"


def test_nothing_is_changed_once_the_thread_is_closed(world, thread, said):
    actions.close(thread=thread)
    with pytest.raises(Refused) as refusal:
        change(world, said)
    assert refusal.value.code == "closed"


def test_events_are_not_changed(world, thread):
    event = actions.tell(thread=thread, code="x.y", by=world.dave, organisation=world.operator, payload={})
    with pytest.raises(Refused) as refusal:
        change(world, event)
    assert refusal.value.code == "kind"


def test_change_to_nothing_is_refused(world, thread, said):
    with pytest.raises(Refused) as refusal:
        change(world, said, body="  ")
    assert refusal.value.code == "empty"


def test_page_for_changing_works_without_scripts(world, thread, said, client_as):
    dave = client_as("dave")
    url = reverse("message_correct", args=[thread.pk, said.number])
    assert "Tuesday?" in dave.get(url).content.decode()
    dave.post(url, {"body": "Friday?"})
    dave.post(reverse("message_retract", args=[thread.pk, said.number]))
    assert [row.kind for row in Message.objects.order_by("number")] == ["text", "edit", "retract"]
    assert client_as("alice").get(url).status_code == 403


@pytest.mark.parametrize(
    ("kind", "corrects", "body"),
    [("edit", None, "x"), ("edit", "said", ""), ("retract", None, ""), ("text", "said", "x")],
)
def test_database_refuses_a_correction_of_nothing(world, thread, said, kind, corrects, body):
    with pytest.raises(IntegrityError, match="message_says_something"), transaction.atomic():
        connection.cursor().execute(
            "INSERT INTO messaging_message (thread_id, number, kind, topic, author_id, organisation_id, body,"
            " corrects_id, about_label, attachment_count, event_code, payload, client_uuid, created_at)"
            " VALUES (%s, 9, %s, '', %s, %s, %s, %s, '', 0, '', '{}', %s, now())",
            [
                thread.pk, kind, world.dave.pk, world.operator.pk, body, said.pk if corrects else None, str(uuid4()),
            ],
        )  # fmt: skip


@pytest.mark.parametrize("table", ["mention", "attachment"])
def test_database_refuses_to_rewrite_what_went_with_it(world, thread, said, table):
    sql = {
        "mention": f"INSERT INTO messaging_mention (message_id, user_id) VALUES ({said.pk}, {world.alice.pk})",
        "attachment": "INSERT INTO messaging_attachment (message_id, file, name, content_type, size_bytes, sha256,"
        f" is_picture) VALUES ({said.pk}, 'a', 'a', 'text/plain', 1, 'x', false)",
    }[table]
    connection.cursor().execute(sql)
    with pytest.raises((IntegrityError, InternalError), match="append-only"), transaction.atomic():
        connection.cursor().execute(f"DELETE FROM messaging_{table}")
