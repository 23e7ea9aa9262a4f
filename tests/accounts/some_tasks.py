"""Tasks for the test of the worker."""

import time
from pathlib import Path

from django_tasks import task


@task()
def note(path: str) -> None:
    Path(path).write_text("ran")


@task()
def sleep_long() -> None:
    time.sleep(60)
