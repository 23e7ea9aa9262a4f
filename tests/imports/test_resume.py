"""Work that breaks off is taken up; what is cancelled stops; nothing runs twice."""

import datetime as dt

import pytest
from django.utils import timezone

from listings import import_sweeps
from listings.actions import imports
from listings.imports import limits, staging
from listings.models import ImportJob, Resource
from tests.imports.conftest import TOWERS, take, upload

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - dt.timedelta(seconds=limits.HEARTBEAT_DEAD_S + 5)


@pytest.fixture
def large(monkeypatch):
    """Every file counts as large: the worker has to do it."""
    monkeypatch.setattr(limits, "INLINE_MAX_BYTES", 0)
    monkeypatch.setattr(limits, "INLINE_MAX_ROWS", 0)


def uploaded(world):
    return imports.upload_file(membership=world.as_["alice"], file=upload("a.csv", TOWERS))[0]


def test_large_files_wait_for_the_worker_and_its_task_is_enqueued(world, large):
    from django_tasks_db.models import DBTaskResult

    job = uploaded(world)
    assert job.state == "uploaded"
    assert DBTaskResult.objects.filter(task_path="listings.tasks.work_on_import").count() == 1
    imports.work(job.pk)
    job.refresh_from_db()
    assert job.state == "mapping"


def test_a_job_whose_worker_died_is_taken_up(world, large):
    job = uploaded(world)
    ImportJob.objects.filter(pk=job.pk).update(state="reading", heartbeat_at=LONG_AGO)
    assert import_sweeps.take_up_imports() == 1
    job.refresh_from_db()
    assert (job.state, job.rows.count()) == ("mapping", 2)


def test_a_job_at_work_is_left_alone(world, large):
    job = uploaded(world)
    ImportJob.objects.filter(pk=job.pk).update(state="reading", heartbeat_at=timezone.now())
    assert import_sweeps.take_up_imports() == 0
    imports.work(job.pk)
    job.refresh_from_db()
    assert job.state == "reading"


def test_a_confirmed_job_that_was_lost_is_stored_once(world, large):
    alice = world.as_["alice"]
    job = take_large(alice)
    imports.confirm(job=job, membership=alice)
    assert not Resource.objects.exists()
    ImportJob.objects.filter(pk=job.pk).update(confirmed_at=LONG_AGO)
    import_sweeps.take_up_imports()
    imports.work(job.pk)
    assert Resource.objects.count() == 2
    assert ImportJob.objects.get(pk=job.pk).state == "done"


def take_large(membership):
    job, _new = imports.upload_file(membership=membership, file=upload("a.csv", TOWERS))
    imports.work(job.pk)
    job.refresh_from_db()
    imports.set_columns(job=job, membership=membership, mapping=job.mapping)
    job = imports.set_place(job=job, membership=membership, crs="EPSG:4326")
    imports.work(job.pk)
    job.refresh_from_db()
    return job


def test_a_file_that_kills_its_worker_is_given_up(world, large):
    job = uploaded(world)
    for _try in range(staging.RETRIES_MAX):
        ImportJob.objects.filter(pk=job.pk).update(
            state="reading", heartbeat_at=LONG_AGO, detected={"attempts": _try + 1}
        )
    import_sweeps.take_up_imports()
    job.refresh_from_db()
    assert (job.state, job.detected["refusal"]["code"]) == ("failed", "broke_off")


def test_cancelling_stops_the_work(world, large, monkeypatch):
    alice = world.as_["alice"]
    job = uploaded(world)
    beat = staging.Claim.beat

    def cancelled_meanwhile(self, **fields):
        beat(self, **fields)
        if fields.get("row_count"):
            imports.cancel(job=job, membership=alice)

    monkeypatch.setattr(staging.Claim, "beat", cancelled_meanwhile)
    imports.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.rows.count()) == ("cancelled", 0)


def test_abandoned_imports_are_forgotten(world):
    job = take(world.as_["alice"], "a.csv", TOWERS)
    ImportJob.objects.filter(pk=job.pk).update(created_at=timezone.now() - dt.timedelta(days=limits.ABANDONED_DAYS + 1))
    import_sweeps.forget_imports()
    job.refresh_from_db()
    assert (job.state, job.rows.count()) == ("cancelled", 0)


def test_what_changed_since_the_report_sends_it_back(world, large):
    alice = world.as_["alice"]
    job = take_large(alice)
    imports.confirm(job=job, membership=alice)
    from tests.world import make_resource

    make_resource(world.power, "room", owner_code="T-1")
    imports.work(job.pk)
    job.refresh_from_db()
    assert job.state == "ready"
    assert job.refusal
    assert Resource.objects.count() == 1
