"""Sweeps keep one rhythm for all workers; tasks run, and those of a killed process do not stay running."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import uuid

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from accounts import jobs, sweeps, worker
from accounts.jobs import Sweep
from accounts.models import Session, SweepRun

TASKS = DBTaskResult._meta.db_table


@pytest.fixture
def other():
    """Another worker's connection to the same database."""
    made = connection.copy()
    made.connect()
    yield made
    made.close()


@pytest.fixture
def no_tasks(db):
    """What other tests have queued does not count here."""
    DBTaskResult.objects.all().delete()


def task_row(**fields) -> DBTaskResult:
    return DBTaskResult(
        **{
            "task_path": "tests.accounts.some_tasks.note", "args_kwargs": {"args": ["x"], "kwargs": {}},
            "backend_name": "default", "run_after": get_date_max(), **fields,
        }
    )  # fmt: skip


def test_a_sweep_runs_when_due_and_not_before(db):
    runs = []
    sweep = Sweep("tests.tick", lambda: runs.append(1), 60)
    now = timezone.now()
    assert worker.run_sweep(sweep, now=now)
    assert not worker.run_sweep(sweep, now=now + dt.timedelta(seconds=59))
    assert worker.run_sweep(sweep, now=now + dt.timedelta(seconds=61))
    assert len(runs) == 2
    assert SweepRun.objects.get(name="tests.tick").succeeded_at


def test_one_sweep_that_fails_is_logged_and_stops_no_other(db, monkeypatch, caplog):
    runs = []

    def fail():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    made = [Sweep("tests.a", fail, 60), Sweep("tests.b", lambda: runs.append("b"), 60)]
    monkeypatch.setattr(worker, "SWEEPS", {sweep.name: sweep for sweep in made})
    assert worker.run_due_sweeps() == 2
    assert runs == ["b"]
    assert "division by zero" in SweepRun.objects.get(name="tests.a").error
    assert SweepRun.objects.get(name="tests.a").succeeded_at is None
    assert "sweep tests.a failed" in caplog.text


def test_two_workers_do_not_run_one_sweep_at_once(db, other):
    runs = []
    sweep = Sweep("tests.slow", lambda: runs.append(1), 60)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [worker.SWEEP_LOCKS, worker._key(sweep.name)])
    assert not worker.run_sweep(sweep)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
    assert worker.run_sweep(sweep)
    with other.cursor() as cursor:  # given back after the run
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [worker.SWEEP_LOCKS, worker._key(sweep.name)])
        assert cursor.fetchone() == (True,)
    assert runs == [1]


def test_every_registers_under_the_functions_name(monkeypatch):
    monkeypatch.setattr(jobs, "SWEEPS", {})

    @jobs.every(seconds=5)
    def look_after_things():
        return 1

    assert {
        f"{__name__}.test_every_registers_under_the_functions_name.<locals>.look_after_things": Sweep(
            f"{__name__}.test_every_registers_under_the_functions_name.<locals>.look_after_things", look_after_things, 5
        )
    } == jobs.SWEEPS


def test_a_running_task_whose_process_is_gone_fails_and_a_living_one_goes_on(db, no_tasks, other):
    dead = task_row(status=TaskResultStatus.RUNNING, worker_ids=["old", "dead"])
    alive = task_row(status=TaskResultStatus.RUNNING, worker_ids=["alive"])
    waiting = task_row()
    DBTaskResult.objects.bulk_create([dead, alive, waiting])
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [worker.WORKER_LOCKS, worker._key("alive")])
    assert worker.fail_tasks_of_dead_workers() == 1
    assert worker.fail_tasks_of_dead_workers() == 0
    states = dict(DBTaskResult.objects.values_list("pk", "status"))
    assert states == {dead.pk: "FAILED", alive.pk: "RUNNING", waiting.pk: "READY"}


def test_what_is_old_is_forgotten(db, no_tasks):
    now = timezone.now()
    long_ago = now - dt.timedelta(days=30)
    DBTaskResult.objects.bulk_create(
        [
            task_row(status="SUCCESSFUL", finished_at=long_ago),
            task_row(status="SUCCESSFUL", finished_at=now),
            task_row(status="FAILED", finished_at=long_ago),
        ]
    )
    Session.objects.create(session_key="old", session_data="", expire_date=long_ago)
    Session.objects.create(session_key="new", session_data="", expire_date=now + dt.timedelta(days=1))
    assert sweeps.forget_finished_tasks() == 1
    assert DBTaskResult.objects.count() == 2
    assert sweeps.forget_expired_sessions() == 1
    assert Session.objects.get().session_key == "new"


@pytest.fixture
def running_worker(db, other, tmp_path):
    """manage.py worker on the test database; rows for it are written and removed on a connection that commits."""
    options = connection.settings_dict
    url = f"postgis://{options['USER']}@/{options['HOST']}/{options['NAME']}"
    output = (tmp_path / "worker.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--poll", "0.1"],
        cwd=settings.BASE_DIR, env={**os.environ, "DATABASE_URL": url}, stdout=output, stderr=output,
    )  # fmt: skip
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    with other.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TASKS}; DELETE FROM accounts_sweeprun")
    output.seek(0)
    sys.stdout.write(output.read())  # shown when the test fails
    output.close()


def enqueue(other, **fields) -> uuid.UUID:
    row = task_row(**fields)
    names = [f.column for f in DBTaskResult._meta.concrete_fields]
    row.enqueued_at = timezone.now()
    values = [f.get_db_prep_save(getattr(row, f.attname), other) for f in DBTaskResult._meta.concrete_fields]
    with other.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TASKS} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})",
            values,
        )
    return row.pk


def wait_for(other, pk, status, seconds=90):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with other.cursor() as cursor:
            cursor.execute(f"SELECT status, worker_ids FROM {TASKS} WHERE id = %s", [pk])
            found = cursor.fetchone()
        if found[0] == status:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{pk} is {found}, not {status}")


def children_of(process) -> list[int]:
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        return [int(pid) for pid in file.read().split()]


class Sleeper(worker.TaskProcess):
    def command(self, interval):
        return [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_task_process_that_dies_is_started_again_after_a_pause(monkeypatch):
    child = Sleeper()
    child.keep_alive(1)
    first, name = child.process, child.name
    child.keep_alive(1)
    assert child.process is first  # alive: left alone
    first.kill()
    first.wait()
    child.keep_alive(1)
    assert child.process is None  # not at once: it might die again
    assert child.delay == 2
    child.not_before = 0
    child.keep_alive(1)
    assert child.process.poll() is None
    assert child.name != name  # the old name must look dead
    child.ask_to_stop()
    child.ask_to_stop()
    child.wait(time.monotonic() + 10)
    assert child.process.returncode == -signal.SIGTERM


def test_a_task_process_that_does_not_stop_is_cut_off(tmp_path):
    is_up = tmp_path / "up"
    deaf = "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    child = Sleeper()
    child.command = lambda interval: [
        sys.executable,
        "-c",
        deaf + f"pathlib.Path({str(is_up)!r}).touch(); time.sleep(60)",
    ]
    child.keep_alive(1)
    while not is_up.exists():
        time.sleep(0.01)
    child.ask_to_stop()
    child.wait(time.monotonic() + 0.2)
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_it_runs_tasks_outlives_its_process_and_stops_gracefully(running_worker, other, tmp_path):
    done = enqueue(other, args_kwargs={"args": [str(tmp_path / "first")], "kwargs": {}})
    wait_for(other, done, "SUCCESSFUL")
    assert (tmp_path / "first").read_text() == "ran"

    stuck = enqueue(other, task_path="tests.accounts.some_tasks.sleep_long", args_kwargs={"args": [], "kwargs": {}})
    wait_for(other, stuck, "RUNNING")
    [child] = children_of(running_worker)
    os.kill(child, signal.SIGKILL)
    again = enqueue(other, args_kwargs={"args": [str(tmp_path / "second")], "kwargs": {}})
    wait_for(other, again, "SUCCESSFUL")
    with other.cursor() as cursor:  # its turn would come within 30 s
        cursor.execute("DELETE FROM accounts_sweeprun WHERE name LIKE '%%fail_tasks_of_dead_workers'")
    wait_for(other, stuck, "FAILED")

    running_worker.send_signal(signal.SIGTERM)
    assert running_worker.wait(20) == 0
