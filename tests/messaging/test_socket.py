"""The bell: rings the parties on commit, nobody else, over a real server and real Redis."""

import json
import time
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from accounts.actions.members import change_roles, end_membership
from messaging import actions, bell
from messaging.relay import relay_once
from tests.live import serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address(settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with serving() as http_address:
        yield http_address


def signed_in(world, name):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(world.user(name), backend="accounts.backends.PasswordBackend")
    return client


def cookies_of(client):
    return "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())


def socket_for(world, address, name, thread, origin=None, client=None):
    client = client or (signed_in(world, name) if name else Client())
    url = address.replace("http", "ws") + "/ws/bell/" + (f"?thread={thread.pk}" if thread else "")
    return connect(url, origin=origin or address, additional_headers={"Cookie": cookies_of(client)}, open_timeout=5)


def next_frame(socket, key, timeout=5):
    """The next frame that carries the key; presence and others go by."""
    until = time.monotonic() + timeout
    while True:
        frame = json.loads(socket.recv(timeout=max(0.01, until - time.monotonic())))
        if key in frame:
            return frame


def hears_nothing(socket, key, seconds):
    with pytest.raises(TimeoutError):
        next_frame(socket, key, seconds)


def say(world, thread, name="dave", body="secret words"):
    return actions.post(thread=thread, by=world.user(name), membership=world.as_[name], body=body, client_uuid=uuid4())


def event(thread):
    actions.tell(thread=thread, code="x.y", by=None, organisation=None, payload={})


def close_code(socket, within):
    """The code it is closed with, having heard of no growth; fails where it stays open."""
    until = time.monotonic() + within
    while True:
        try:
            frame = json.loads(socket.recv(timeout=max(0.01, until - time.monotonic())))
        except ConnectionClosed as closed:
            return closed.rcvd.code
        assert "number" not in frame


def test_other_party_is_rung_with_ids_only(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        say(world, thread)
        grown = next_frame(socket, "number")
        relay_once()
        told = next_frame(socket, "notifications")
    assert grown == {"thread": thread.pk, "number": 1}
    assert told == {"notifications": True}


def test_a_number_is_rung_once_however_often_it_is_owed(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        say(world, thread)
        next_frame(socket, "number")
        relay_once()  # rings again: the web process could have died before it rang
        hears_nothing(socket, "number", 0.5)


def test_what_was_never_rung_is_rung_by_the_relay(world, thread, address, monkeypatch):
    monkeypatch.setattr(bell.ringer, "put", lambda *rings: None)
    with socket_for(world, address, "alice", thread) as socket:
        say(world, thread)
        hears_nothing(socket, "number", 0.3)
        relay_once()
        assert next_frame(socket, "number")["number"] == 1


def test_idle_socket_still_hears(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        hears_nothing(socket, "number", 6)  # longer than redis-py reads without a word
        event(thread)
        assert next_frame(socket, "number") == {"thread": thread.pk, "number": 1}


@pytest.mark.parametrize("name", ["eve", None])
def test_strangers_are_not_let_in(world, thread, address, name):
    with pytest.raises(InvalidStatus) as refused:
        socket_for(world, address, name, thread)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://127.0.0.1:1",
        "https://127.0.0.1",
        "null",
        "http://127.0.0.1.evil.example",
        "file://",
    ],
)
def test_other_origin_is_refused(world, thread, address, origin):
    with pytest.raises(InvalidStatus):
        socket_for(world, address, "alice", thread, origin=origin)


def test_frame_over_the_cap_ends_the_socket(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        socket.send("x" * (64 * 1024 + 1))
        assert close_code(socket, 5) == 1009


def test_talkative_socket_is_ended(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        for _ in range(61):
            socket.send("{}")
        assert close_code(socket, 5) == 1008


# Who may open which socket: the bell of oneself, that of a conversation of Alice's and Dave's organisations, of one
# that the bureau has joined, of one that Alice's has left, of none. In the order of tests.access_table.ROLES.
SOCKETS = {
    "bell": "403 101 101 101 101 101 101 101 101",
    "bell of a conversation": "403 403 403 101 101 403 101 403 403",
    "bell of one the bureau joined": "403 403 403 101 101 403 101 101 403",
    "bell of one that was left": "403 403 403 403 403 403 101 403 403",
    "bell of one that ended": "403 403 403 403 403 403 403 403 403",
    "bell of nothing": "403 403 403 403 403 403 403 403 403",
}


def test_every_socket_answers_each_role_as_the_table_says(world, address):
    from messaging.routing import websocket_urlpatterns
    from tests.access_table import ROLES
    from tests.world import make_resource

    assert [pattern.name for pattern in websocket_urlpatterns] == ["ws_bell"], "a socket the table does not list"
    sides = [world.power, world.operator]
    talks = [
        actions.open_thread(subject=make_resource(world.power), title=str(i), organisations=sides) for i in range(4)
    ]
    actions.join(thread=talks[1], organisation=world.bureau, by=None)
    actions.leave(thread=talks[2], organisation=world.power, by=None)
    actions.close(thread=talks[3])
    asked = dict(zip(SOCKETS, [None, *(talk.pk for talk in talks), 999_999_999], strict=True))
    wrong = []
    for index, role in enumerate(ROLES):
        cookies = cookies_of(Client() if role == "visitor" else signed_in(world, role))
        for name, pk in asked.items():
            code = _opens(address, f"?thread={pk}" if pk else "", cookies)
            if code != int(SOCKETS[name].split()[index]):
                wrong.append(f"{name} as {role}: {code}")
    assert not wrong, "\n".join(wrong)


def _opens(address, query, cookies):
    url = address.replace("http", "ws") + "/ws/bell/" + query
    try:
        with connect(url, origin=address, additional_headers={"Cookie": cookies}, open_timeout=5, close_timeout=1):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_nothing_in_the_address_lets_anybody_in(world, thread, address):
    """The session comes by cookie alone: addresses stand in logs."""
    key = signed_in(world, "alice").cookies["sessionid"].value
    for name in ("sessionid", "session", "token", "access_token"):
        assert _opens(address, f"?thread={thread.pk}&{name}={key}", "") == 403
    assert _opens(address, f"?thread={thread.pk}", f"sessionid={key}") == 101


# --- Revocation ---------------------------------------------------------------------------------


def _end(world, client):
    end_membership(membership=world.as_["alice"], by=world.alice)


def _lose_a_role(world, client):
    change_roles(membership=world.as_["alice"], by=world.as_["alice"], roles=["admin", "editor"])


def _row_alone(world, client):
    membership = world.as_["alice"]
    membership.ended_at = timezone.now()
    membership.save(update_fields=["ended_at"])


def _sign_out(world, client):
    client.post("/accounts/logout/")


def _new_password(world, client):
    world.alice.set_password("another long enough one 8")
    world.alice.save()


def _switched_off(world, client):
    world.alice.is_active = False
    world.alice.save()


@pytest.fixture
def second_admin(world):
    """Alice may leave: Bob looks after the company too."""
    bob = world.as_["bob"]
    bob.roles = ["admin", "editor"]
    bob.save()


REVOCATIONS = [
    (_end, 4404), (_lose_a_role, 4403), (_row_alone, 4404), (_sign_out, 4401), (_new_password, 4401),
    (_switched_off, 4401),
]  # fmt: skip


@pytest.mark.parametrize(("revoke", "code"), REVOCATIONS)
def test_revoked_socket_hears_nothing_and_closes(world, thread, address, second_admin, revoke, code):
    client = signed_in(world, "alice")
    with socket_for(world, address, "alice", thread, client=client) as socket:
        next_frame_or_none(socket)
        revoke(world, client)
        event(thread)
        assert close_code(socket, 5) == code


def next_frame_or_none(socket):
    """Lets what comes at the beginning go by."""
    try:
        socket.recv(timeout=0.2)
    except TimeoutError:
        return


def test_end_of_the_case_closes_its_sockets(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        actions.close(thread=thread)
        assert close_code(socket, 5) == 4410


def test_party_that_left_is_closed_out_and_the_other_stays(world, thread, address):
    with socket_for(world, address, "alice", thread) as left, socket_for(world, address, "dave", thread) as stays:
        actions.leave(thread=thread, organisation=world.power, by=world.alice)
        assert next_frame(stays, "number")["number"] == 1
        with pytest.raises(ConnectionClosed):
            next_frame(left, "nothing", 5)


@contextmanager
def deaf_to_redis(settings):
    """A hub that cannot reach Redis: nothing listens there."""
    before = django_settings.REDIS_URL
    settings.REDIS_URL = "unix:///nonexistent/redis.sock"
    try:
        yield
    finally:
        settings.REDIS_URL = before


def test_without_redis_the_outbox_is_heard(world, thread, settings, monkeypatch):
    """Another process stored it: its own rings reach nobody here."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with deaf_to_redis(settings), serving() as address, socket_for(world, address, "alice", thread) as socket:
        monkeypatch.setattr(bell.ringer, "put", lambda *rings: None)
        say(world, thread)
        assert next_frame(socket, "number", 6)["number"] == 1


def test_a_break_too_short_to_be_deaf_loses_no_ring(world, thread, address, monkeypatch):
    """Redis was gone for a moment and is back: what was rung meanwhile went nowhere, and no silence tells of it."""
    from messaging import hub

    monkeypatch.setattr(hub, "AFTER_BREAK_SECONDS", 3)
    with socket_for(world, address, "alice", thread) as socket:
        time.sleep(hub.AFTER_BREAK_SECONDS + 1)  # it no longer looks because it has only just begun to listen
        put = bell.ringer.put
        monkeypatch.setattr(bell.ringer, "put", lambda *rings: put(*[ring for ring in rings if ring[0] != bell.GROWN]))
        names = {f"hub-{one.name}" for one in hub._hubs.values()}
        with bell.connection() as redis:
            broken = [redis.client_kill_filter(_id=row["id"]) for row in redis.client_list() if row["name"] in names]
        assert broken
        say(world, thread)
        assert next_frame(socket, "number", 4)["number"] == 1


def test_without_redis_a_revoked_socket_is_closed_too(world, thread, settings, monkeypatch, second_admin):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with deaf_to_redis(settings), serving() as address, socket_for(world, address, "alice", thread) as socket:
        monkeypatch.setattr(bell.ringer, "put", lambda *rings: None)
        end_membership(membership=world.as_["alice"], by=world.alice)
        assert close_code(socket, 5) == 4404


def test_what_no_signal_tells_is_found_by_the_timer(world, thread, settings, monkeypatch):
    """The rows changed behind everybody's back: the regular question finds it."""
    from messaging import hub

    monkeypatch.setattr(hub, "RECHECK_SECONDS", 1)
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with serving() as address, socket_for(world, address, "alice", thread) as socket:
        type(world.as_["alice"]).objects.filter(user=world.alice).update(ended_at=timezone.now())
        assert close_code(socket, 5) == 4404


# --- Typing, presence, receipts, restart --------------------------------------------------------


def test_typing_is_rung_to_the_other_side_alone(world, thread, address):
    dave = signed_in(world, "dave")
    with socket_for(world, address, "alice", thread) as alice, socket_for(world, address, "dave", thread) as own:
        assert dave.post(f"/messages/{thread.pk}/typing/").status_code == 204
        assert next_frame(alice, "typing") == {"thread": thread.pk, "typing": world.operator.pk}
        hears_nothing(own, "typing", 0.3)


def test_presence_comes_and_goes(world, thread, address):
    with socket_for(world, address, "alice", thread) as alice:
        with socket_for(world, address, "dave", thread) as dave:
            assert next_frame(alice, "here")["here"] == [world.operator.pk]
            assert next_frame(dave, "here")["here"] == [world.power.pk]
        assert next_frame(alice, "here")["here"] == []


def test_organisation_that_chose_so_is_not_shown(world, thread, address):
    actions.choose_presence(by=world.dave, membership=world.as_["dave"], is_shown=False)
    with socket_for(world, address, "alice", thread) as alice, socket_for(world, address, "dave", thread):
        hears_nothing(alice, "here", 1)


def test_choice_about_presence_holds_for_open_sockets(world, thread, address):
    with socket_for(world, address, "alice", thread) as alice, socket_for(world, address, "dave", thread):
        assert next_frame(alice, "here")["here"] == [world.operator.pk]
        actions.choose_presence(by=world.dave, membership=world.as_["dave"], is_shown=False)
        assert next_frame(alice, "here")["here"] == []


def test_reading_is_rung_to_the_other_side(world, thread, address):
    say(world, thread)
    with socket_for(world, address, "dave", thread) as dave:
        actions.mark(thread=thread, by=world.alice, read=1)
        assert next_frame(dave, "marks") == {"thread": thread.pk, "marks": True}


def test_restart_closes_with_1012(world, thread, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    server = serving()
    with socket_for(world, server.__enter__(), "alice", thread) as socket:
        server.__exit__(None, None, None)
        assert close_code(socket, 5) == 1012


def test_thousand_doors_cost_two_queries(world, thread, django_assert_num_queries):
    from messaging.rights import Admission, Card, admissions

    clients = [signed_in(world, name) for name in ("alice", "dave", "eve", "vera")]
    cards = [Card(client.session.session_key, thread.pk) for client in clients]
    with django_assert_num_queries(2):
        found = admissions(cards * 50)
    assert [isinstance(found[card], Admission) for card in cards] == [True, True, False, True]
