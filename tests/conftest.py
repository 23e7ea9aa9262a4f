"""Fixtures everybody shares: the named world, clients signed in as its people, and guards."""

import asyncio
import os
import random
import sys

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection, models
from django.template import engines
from django.test import Client, TransactionTestCase
from django.utils import translation

from accounts import memory
from tests import wiping
from tests import world as world_module

# Test processes share one Redis: each keeps its keys and its socket groups apart.
_PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "main") + os.environ.get("TEST_DB_SUFFIX", "")
django_settings.CACHES["default"]["KEY_PREFIX"] = _PROCESS
django_settings.CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = f"asgi-{_PROCESS}"


class UndefinedVariable(str):
    """string_if_invalid that fails the test when one of OUR templates names a variable that is not there."""

    def __contains__(self, item):
        return item == "%s"

    def __mod__(self, name):
        frame = sys._getframe(1)
        while frame := frame.f_back:  # inspect.stack() would read every frame's source: half of the suite's time
            template = frame.f_locals.get("self")
            origin = getattr(getattr(template, "origin", None), "name", "")
            if origin:
                if origin.startswith(str(django_settings.BASE_DIR / "templates")):
                    raise AssertionError(f"undefined template variable {name!r} in {origin}")
                return ""
        return ""


@pytest.fixture(autouse=True)
def _strict_templates(monkeypatch):
    monkeypatch.setattr(engines["django"].engine, "string_if_invalid", UndefinedVariable("%s"))


@pytest.fixture(autouse=True)
def _english():
    """What is raised and sent outside a request reads English, the language of the code; a request sets its own."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _no_loop_left(request):
    """Fails the test that leaves an event loop running in this thread: async_to_sync would refuse in all later ones."""
    yield
    if request.node.get_closest_marker("browser") is None:
        assert asyncio._get_running_loop() is None, "an event loop was left running"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """What the process remembers of one world is not told of the next."""
    memory.forget()


@pytest.fixture
def fresh_limits():
    """Rate limits count in the shared cache and outlive a test. Drops this process's keys, and nobody else's."""
    redis = cache._cache.get_client()
    for key in redis.scan_iter(f"{cache.key_prefix}:*"):
        redis.delete(key)


@pytest.fixture(autouse=True)
def _plain_storage(settings, tmp_path):
    """Static addresses without a manifest, uploads in a folder of the test's own, mail kept in memory."""
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.PRIVATE_ROOT = str(tmp_path / "private")
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _random_order(monkeypatch):
    """A queryset nobody ordered comes back in any order, so that no test leans on the one it happens to get."""
    original = models.QuerySet._fetch_all

    def fetch_all(self):
        fresh = self._result_cache is None
        original(self)
        if fresh and not self.ordered and not self.query.is_sliced and isinstance(self._result_cache, list):
            random.shuffle(self._result_cache)

    monkeypatch.setattr(models.QuerySet, "_fetch_all", fetch_all)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Tests that commit are cleaned up by TRUNCATE, which the append-only log allows nobody else."""
    connection.settings_dict.setdefault("OPTIONS", {})["options"] = "-c gongjian.may_truncate=on"


@pytest.fixture
def world(db):
    """The named world of tests/world.py."""
    return world_module.build()


@pytest.fixture
def client_as(world):
    """client_as("alice") → a client signed in as her."""

    def sign_in(name: str) -> Client:
        client = Client()
        client.force_login(world.user(name), backend="accounts.backends.PasswordBackend")
        return client

    return sign_in


@pytest.fixture(autouse=True, scope="session")
def _quick_wiping():
    """Tests that commit leave the database as the migrations made it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_setup", classmethod(lambda case: wiping.remember()))
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: wiping.wipe())
    yield
    patch.undo()
