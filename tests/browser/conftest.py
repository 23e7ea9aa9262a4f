"""A real Chromium against the real server, in a process of its own (script/test): Playwright keeps an event loop."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django_tasks_db.management.commands.db_worker import Worker

from tests.live import serving

FOLDER = Path(__file__).parent
FLAGS = [
    "--use-angle=swiftshader",
    "--disable-gpu-compositing",  # maps still draw; pages take a third less of the processor
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    """Whatever lies in this folder drives Chromium: the mark cannot be forgotten, so no loop gets into other tests."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's sync API keeps a loop in this thread
    path = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")
    options = {**browser_type_launch_args, "chromium_sandbox": False, "args": FLAGS}
    return {**options, "executable_path": path} if path else options


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "zh-CN", "viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def address(transactional_db, settings):
    """The running product with its Wagtail pages, and a worker beside it."""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.WAGTAIL_AUTOSAVE_INTERVAL = 0
    call_command("ensure_site")
    worker = TaskThread()
    with serving() as http_address:
        settings.BASE_URL = http_address
        worker.start()
        yield http_address
        worker.stop()
    connections.close_all()


class TaskThread(threading.Thread):
    """The library's own worker loop in a thread, taking tasks as `manage.py worker`'s process does."""

    def __init__(self):
        super().__init__(daemon=True)
        self.loop = Worker(
            queue_names=["*"], interval=0.2, batch=False, backend_name="default", startup_delay=False,
            max_tasks=None, worker_id="browser-tests", excluded_queue_names=[],
        )  # fmt: skip

    def run(self):
        self.loop.run()
        connection.close()

    def stop(self):
        self.loop.running = False
        self.join(20)


@pytest.fixture
def new_person(browser, browser_context_args, address):
    """new_person() → a page in a browser of its own; nothing but this machine can be reached from it."""
    contexts = []
    outside: list[str] = []

    def make(**options):
        context = browser.new_context(**{**browser_context_args, **options})
        context.route(
            lambda url: not url.startswith((address, "data:", "blob:")),
            lambda route: (outside.append(route.request.url), route.abort()),
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not outside, f"the pages asked for other hosts: {outside}"


@pytest.fixture
def enter(new_person, address):
    """enter(user) → a page of a browser signed in as that person."""

    def signed_in(user):
        client = Client()
        client.force_login(user, backend="accounts.backends.PasswordBackend")
        page = new_person()
        page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
        return page

    return signed_in
