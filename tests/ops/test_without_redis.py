"""Redis rings bells and remembers for a while; without it pages are served and messages are stored."""

import uuid

import pytest

from cms import wordings
from messaging import actions as messaging
from messaging.models import Message
from tests import world as make
from tests.agreements.story import ask


@pytest.fixture
def redis_is_away(settings, monkeypatch):
    away = "unix:///nowhere/redis.sock"
    settings.REDIS_URL = away
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": away}}
    monkeypatch.setitem(wordings._state, "looked_at", 0)


@pytest.mark.parametrize("address", ["/en/", "/en/resources/", "/en/work/", "/en/messages/", "/en/requests/"])
def test_a_page_is_served(world, client_as, redis_is_away, address):
    make.make_resource(world.power)
    assert client_as("alice").get(address, follow=True).status_code == 200


def test_a_message_is_stored(world, client_as, redis_is_away):
    thread = messaging.thread_about(ask(world, make.make_resource(world.power)))
    answer = client_as("alice").post(
        f"/en/messages/{thread.pk}/send/", {"body": "Still here", "client_uuid": str(uuid.uuid4())}
    )
    assert answer.status_code < 400, answer.content
    assert Message.objects.filter(thread=thread, body="Still here").count() == 1
