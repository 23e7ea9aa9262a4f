"""The bell: rings the parties on commit, nobody else, over a real server and real Redis."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from messaging import actions
from tests.live import serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address(settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with serving() as http_address:
        yield http_address


def socket_for(world, address, name, thread, origin=None):
    client = Client()
    if name:
        client.force_login(world.user(name), backend="allauth.account.auth_backends.AuthenticationBackend")
    cookies = "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())
    url = address.replace("http", "ws") + f"/ws/bell/?thread={thread.pk}"
    return connect(url, origin=origin or address, additional_headers={"Cookie": cookies}, open_timeout=5)


def frames_of(socket, count):
    return [json.loads(socket.recv(timeout=5)) for _ in range(count)]


def test_other_party_is_rung_with_ids_only(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        actions.post(
            thread=thread, by=world.dave, membership=world.as_["dave"], body="secret words", client_uuid=uuid4()
        )
        frames = frames_of(socket, 2)
    assert {"thread": thread.pk, "number": 1} in frames
    assert {"notifications": True} in frames
    assert "secret" not in str(frames)


def test_idle_socket_still_hears(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        with pytest.raises(TimeoutError):
            socket.recv(timeout=6)  # longer than the layer's own waiting for a message
        actions.tell(thread=thread, code="x.y", by=None, organisation=None, payload={})
        assert {"thread": thread.pk, "number": 1} in frames_of(socket, 1)


@pytest.mark.parametrize("name", ["eve", None])
def test_strangers_are_not_let_in(world, thread, address, name):
    with pytest.raises(InvalidStatus):
        socket_for(world, address, name, thread)


def test_other_origin_is_refused(world, thread, address):
    with pytest.raises(InvalidStatus):
        socket_for(world, address, "alice", thread, origin="https://evil.example")


def test_somebody_removed_hears_nothing_more(world, thread, address):
    with socket_for(world, address, "alice", thread) as socket:
        membership = world.as_["alice"]
        membership.ended_at = timezone.now()
        membership.save(update_fields=["ended_at"])
        actions.tell(thread=thread, code="x.y", by=None, organisation=None, payload={})
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)
