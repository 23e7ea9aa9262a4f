"""What was said is brought to open pages: whole, in their language, to those who may read it, and once."""

import json
import time
from uuid import uuid4

import pytest

from accounts.actions.members import end_membership
from messaging import actions, bell, delivery
from messaging.presenters import receipts, receipts_of
from tests.world import make_resource

from .test_socket import address, close_code, cookies_of, event, hears_nothing, next_frame, say, second_admin, signed_in

__all__ = ["address", "second_admin"]  # the fixtures
pytestmark = pytest.mark.django_db(transaction=True)


def page_of(address, world, name, thread, language="en"):
    from websockets.sync.client import connect

    url = f"{address.replace('http', 'ws')}/ws/bell/?thread={thread.pk}&lang={language}"
    headers = {"Cookie": cookies_of(signed_in(world, name))}
    return connect(url, origin=address, additional_headers=headers, open_timeout=5)


def test_message_is_brought_whole_to_the_others_and_rung_to_its_author(world, thread, address):
    with page_of(address, world, "alice", thread) as alice, page_of(address, world, "dave", thread) as dave:
        message = say(world, thread, body="<b>How much?</b>")
        frame = next_frame(alice, "number")
        assert (frame["thread"], frame["number"], frame["after"]) == (thread.pk, 1, 0)
        assert str(message.client_uuid) in frame["html"]
        assert "&lt;b&gt;How much?" in frame["html"]
        assert "gj-message-own" not in frame["html"]
        assert next_frame(dave, "number") == {"thread": thread.pk, "number": 1}


def test_same_side_sees_it_as_its_own_without_buttons(world, thread, address):
    with page_of(address, world, "vera", thread) as colleague:
        say(world, thread, "alice")
        html = next_frame(colleague, "number")["html"]
        assert "gj-message-own" in html
        assert "<form" not in html


def test_each_page_reads_it_in_its_language(world, thread, address):
    with (
        page_of(address, world, "alice", thread, "zh-Hans") as chinese,
        page_of(address, world, "vera", thread, "en") as english,
    ):
        say(world, thread, body="35 m")
        pages = [next_frame(socket, "number")["html"] for socket in (chinese, english)]
        assert world.operator.name_zh in pages[0]
        assert world.operator.name_zh not in pages[1]


@pytest.mark.parametrize("language", ["", "xx", "../en"])
def test_page_without_a_language_is_rung_with_ids(world, thread, address, language):
    with page_of(address, world, "alice", thread, language) as alice:
        say(world, thread)
        assert next_frame(alice, "number") == {"thread": thread.pk, "number": 1}


def test_corrections_and_events_are_brought_too(world, thread, address):
    with page_of(address, world, "alice", thread) as alice:
        message = say(world, thread, body="35 m")
        first = next_frame(alice, "number")
        actions.correct(message=message, by=world.dave, membership=world.as_["dave"], body="36 m", client_uuid=uuid4())
        second = next_frame(alice, "number")
        event(thread)
        third = next_frame(alice, "number")
        assert [frame["after"] for frame in (first, second, third)] == [0, 1, 2]
        assert 'data-corrects="1"' in second["html"]
        assert "36 m" in second["html"]
        assert "35 m" in second["html"]  # its history
        assert "gj-event" in third["html"]


def test_who_lost_the_right_is_brought_nothing_even_if_no_ring_told(world, thread, address, monkeypatch, second_admin):
    """The only thing that is heard is that the thread has grown; the rights are read with what was said."""
    put = bell.ringer.put
    with page_of(address, world, "alice", thread) as alice, page_of(address, world, "vera", thread) as vera:
        next_until_quiet(alice)
        monkeypatch.setattr(bell.ringer, "put", lambda *rings: put(*[r for r in rings if r[0] == bell.GROWN]))
        end_membership(membership=world.as_["alice"], by=world.alice)
        say(world, thread)
        assert close_code(alice, 5) == 4404
        assert "html" in next_frame(vera, "number")


def test_control_without_asking_for_rights_it_is_brought(world, thread, address, monkeypatch, second_admin):
    """The failing control of the test above."""
    from messaging import hub

    put = bell.ringer.put
    monkeypatch.setattr(hub, "rights_since", lambda: [])
    with page_of(address, world, "alice", thread) as alice:
        next_until_quiet(alice)
        monkeypatch.setattr(bell.ringer, "put", lambda *rings: put(*[r for r in rings if r[0] == bell.GROWN]))
        end_membership(membership=world.as_["alice"], by=world.alice)
        say(world, thread)
        assert "html" in next_frame(alice, "number")


def next_until_quiet(socket):
    """Its hub has looked into the outbox after it began to listen, and beats."""
    from messaging import hub

    time.sleep(0.2)
    for one in list(hub._hubs.values()):
        one._look_until = 0.0
    hears_nothing(socket, "number", 1.2)


def test_who_is_far_behind_is_rung_and_pulls(world, thread, address, monkeypatch):
    monkeypatch.setattr(delivery, "BEHIND_MAX", 2)
    put = bell.ringer.put
    with page_of(address, world, "alice", thread) as alice:
        say(world, thread)
        assert next_frame(alice, "html")["number"] == 1
        monkeypatch.setattr(bell.ringer, "put", lambda *rings: None)
        for _ in range(3):
            say(world, thread)
        put([bell.GROWN, thread.pk, 4, 0])
        assert next_frame(alice, "number") == {"thread": thread.pk, "number": 4}


def test_message_too_long_for_a_frame_is_rung(world, thread, address, monkeypatch):
    monkeypatch.setattr(delivery, "FRAME_MAX_CHARS", 500)
    with page_of(address, world, "alice", thread) as alice:
        say(world, thread, body="x" * 600)
        assert next_frame(alice, "number") == {"thread": thread.pk, "number": 1}


def test_who_has_read_is_brought(world, thread, address):
    say(world, thread)
    with page_of(address, world, "dave", thread) as dave:
        actions.mark(thread=thread, by=world.alice, read=1)
        found = next_frame(dave, "receipts")["receipts"]
        assert found[str(world.power.pk)] == [1, 1]
        assert found == json.loads(json.dumps(receipts(thread)))


def test_many_threads_cost_one_question(world, thread, django_assert_num_queries):
    other = actions.open_thread(
        subject=make_resource(world.power, name="T-2"), title="T", organisations=[world.power, world.operator]
    )
    for room in (thread, other):
        for _ in range(3):
            say(world, room)
    actions.mark(thread=other, by=world.alice, read=2)
    with django_assert_num_queries(1):
        found = delivery.grown({thread.pk: 1, other.pk: 0})
    assert {pk: [item.number for item in items] for pk, items in found.items()} == {
        thread.pk: [2, 3],
        other.pk: [1, 2, 3],
    }
    with django_assert_num_queries(1):
        both = receipts_of([thread.pk, other.pk])
    assert both == {room.pk: receipts(room) for room in (thread, other)}
