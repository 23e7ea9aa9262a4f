"""The worker: task processes kept alive, and sweeps run by their rhythm (docs/adr/0005-jobs.md).

django-tasks-db runs tasks but neither retries nor takes back a task whose process was killed. So each task
process holds a name, this process holds an advisory lock for that name, and whoever finds a running task whose
name nobody holds marks it as failed. The work itself is a row of its own (an import, a match run) with a
heartbeat; a sweep of its app enqueues it again.
"""

import contextlib
import datetime as dt
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from zlib import crc32

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, connections, transaction
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from .jobs import ERRANDS, SWEEPS, Errand, Sweep
from .models import SweepRun

logger = logging.getLogger("accounts.worker")

SWEEP_LOCKS, WORKER_LOCKS = 7301, 7302  # first half of the advisory lock's key; the second is the name's checksum
POLL_SECONDS = 1.0
RESTART_SECONDS_MAX = 30.0  # a process that keeps dying is started ever more slowly
ALIVE_SECONDS = 5.0  # how soon a task process notices that its lock went with its connection
ERRAND_PAUSE_MAX = 15.0
STOP_SECONDS = 15.0  # how long a running task may go on after SIGTERM before it is cut off


def _key(name: str) -> int:
    return crc32(name.encode()) - 2**31  # a signed 32-bit number


@contextlib.contextmanager
def advisory_lock(space: int, name: str) -> Iterator[bool]:
    """Whether the lock was free and is now held, until the block ends (or the connection does)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [space, _key(name)])
        taken = bool(cursor.fetchone()[0])
    try:
        yield taken
    finally:
        if taken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [space, _key(name)])


# --- Sweeps -------------------------------------------------------------------------------------


def run_sweep(sweep: Sweep, *, now: dt.datetime | None = None) -> bool:
    """Runs one sweep if it is due and no other worker runs it; gives whether it ran.

    An exception in it is logged and kept on its row; it is tried again at its next turn.
    """
    now = now or timezone.now()
    with advisory_lock(SWEEP_LOCKS, sweep.name) as taken:
        if not taken:
            return False
        last = SweepRun.objects.filter(name=sweep.name).values_list("started_at", flat=True).first()
        if last and last > now - dt.timedelta(seconds=sweep.seconds):
            return False
        SweepRun.objects.update_or_create(name=sweep.name, defaults={"started_at": now})
        try:
            with transaction.atomic() if connection.in_atomic_block else contextlib.nullcontext():
                sweep.run()
        except Exception as error:
            logger.exception("sweep %s failed", sweep.name)
            SweepRun.objects.filter(name=sweep.name).update(error=f"{type(error).__name__}: {error}"[:500])
        else:
            SweepRun.objects.filter(name=sweep.name).update(succeeded_at=timezone.now(), error="")
        return True


def run_due_sweeps(*, stop: threading.Event | None = None) -> int:
    """Runs all sweeps that are due, one after the other; gives how many ran. Stops between two when asked to."""
    ran = 0
    for sweep in list(SWEEPS.values()):
        if stop is not None and stop.is_set():
            break
        ran += run_sweep(sweep)
    return ran


def run_errand(errand: Errand, stop: threading.Event) -> None:
    """Takes turn after turn until told to stop; one that fails is logged and tried again after a growing pause."""
    pause = errand.seconds
    while not stop.is_set():
        try:
            close_old_connections()
            is_more = errand.turn()
            pause = errand.seconds
        except Exception:
            logger.exception("errand %s failed", errand.name)
            connection.close()
            is_more, pause = False, min(max(pause, 0.5) * 2, ERRAND_PAUSE_MAX)
        if not is_more:
            stop.wait(pause)
    connection.close()


def fail_tasks_of_dead_workers() -> int:
    """Marks running tasks as failed whose process is gone; gives how many. Idempotent."""
    failed = 0
    for task in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING).order_by("started_at", "pk"):
        name = task.worker_ids[-1] if task.worker_ids else ""
        with advisory_lock(WORKER_LOCKS, name) as is_dead:
            if not is_dead:
                continue
            failed += DBTaskResult.objects.filter(pk=task.pk, status=TaskResultStatus.RUNNING).update(
                status=TaskResultStatus.FAILED,
                finished_at=timezone.now(),
                exception_class_path="accounts.worker.WorkerDied",
                traceback="The process that ran this task ended without finishing it.",
            )
    return failed


# --- Task processes -----------------------------------------------------------------------------


@dataclass
class TaskProcess:
    """One db_worker in a process of its own, started again whenever it ends."""

    name: str = ""
    process: subprocess.Popen | None = None
    not_before: float = 0.0
    delay: float = field(default=1.0)
    started: float = 0.0
    is_asked: bool = False

    def keep_alive(self, interval: float) -> None:
        """Starts the process if there is none; waits longer each time it dies young."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            logger.error("task process %s ended with %s", self.name, self.process.returncode)
            self.delay = 1.0 if time.monotonic() - self.started > 60 else min(self.delay * 2, RESTART_SECONDS_MAX)
            self.not_before = time.monotonic() + self.delay
            self.process = None
        if time.monotonic() < self.not_before:
            return
        self.name = secrets.token_hex(8)
        self.started = time.monotonic()
        self.is_asked = False
        self.process = subprocess.Popen(self.command(interval), cwd=settings.BASE_DIR, start_new_session=True)

    def command(self, interval: float) -> list[str]:
        """A process of its own and not a fork: after a crash it begins with clean memory."""
        return [sys.executable, "manage.py", "worker", "--tasks-only", "--name", self.name, "--poll", str(interval)]

    def ask_to_stop(self) -> None:
        """Asks once: a second SIGTERM would cut the running task off."""
        if self.process is not None and self.process.poll() is None and not self.is_asked:
            self.is_asked = True
            self.process.terminate()

    def wait(self, until: float) -> None:
        """Waits for the end of the process, and ends it by force when the time is up."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.error("task process %s did not stop in time", self.name)
            self.process.kill()
            self.process.wait()


def run_tasks(name: str, interval: float) -> None:
    """Runs tasks under the name until told to stop; what the child process does."""
    from django_tasks_db.management.commands.db_worker import Worker as TaskWorker

    end_with_parent()
    is_held = threading.Event()
    threading.Thread(target=_hold_name, args=(name, is_held), daemon=True).start()
    if not is_held.wait(30):
        sys.exit("cannot reach the database")
    worker = TaskWorker(
        queue_names=["*"], interval=interval, batch=False, backend_name="default", startup_delay=False,
        max_tasks=None, worker_id=name, excluded_queue_names=[],
    )  # fmt: skip
    worker.configure_signals()
    worker.run()


def _hold_name(name: str, is_held: threading.Event) -> None:
    """Holds the lock that says "alive" on a connection of this thread, and takes it again after a broken one."""
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s, %s)", [WORKER_LOCKS, _key(name)])
                is_held.set()
                while True:
                    time.sleep(ALIVE_SECONDS)
                    cursor.execute("SELECT 1")
        except DatabaseError:
            logger.exception("task process %s lost its database connection", name)
            connection.close()
            time.sleep(1)


def end_with_parent() -> None:
    """Asks Linux for SIGTERM when the parent dies, so that kill −9 of the worker leaves no orphan."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_pdeathsig = 1  # <linux/prctl.h>
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != parent or parent == 1:  # it died before we asked
        sys.exit(1)


class Worker:
    """Keeps the task processes alive and runs the sweeps, until SIGTERM or SIGINT."""

    def __init__(self, *, processes: int = 1, interval: float = POLL_SECONDS):
        self.children = [TaskProcess() for _ in range(processes)]
        self.interval = interval
        self.stop = threading.Event()
        self.errands = [
            threading.Thread(target=run_errand, args=(errand, self.stop), name=errand.name, daemon=True)
            for errand in ERRANDS.values()
        ]

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        logger.info("worker started: %s task processes, %s sweeps", len(self.children), len(SWEEPS))
        for errand in self.errands:
            errand.start()
        try:
            while not self.stop.is_set():
                for child in self.children:
                    child.keep_alive(self.interval)
                self._sweep()
                self.stop.wait(self.interval)
        finally:
            self._stop_children()
        logger.info("worker stopped")

    def _on_signal(self, number: int, frame: object) -> None:
        self.stop.set()
        for child in self.children:
            child.ask_to_stop()

    def _sweep(self) -> None:
        close_old_connections()
        try:
            run_due_sweeps(stop=self.stop)
        except DatabaseError:  # the database is away: the connection is dropped and the next turn tries again
            logger.exception("sweeps cannot reach the database")
            connections.close_all()
        close_old_connections()

    def _stop_children(self) -> None:
        for child in self.children:
            child.ask_to_stop()
        until = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.wait(until)
        for errand in self.errands:
            errand.join(max(0.1, until - time.monotonic()))
        connections.close_all()
