"""Files out as jobs: who may, how many, progress, cancel, fetching, expiry, and what the log keeps."""

import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Event, RegionRule
from listings.actions import exports
from listings.exports import make as making
from listings.models import ExportJob
from tests import world as make

State = ExportJob.State


def start(membership, **changes):
    arguments = {"format_": "csv", "crs": "EPSG:4326", "scope": "map", "query": "", "language": "en"} | changes
    return exports.start(membership=membership, **arguments)


def test_a_member_exports_the_filtered_list_and_fetches_the_file(world, client_as):
    make.make_resource(world.power, name="Tower north")
    make.make_resource(world.power, "duct", name="Duct", place=None, state="published")
    client = client_as("dave")
    page = client.get("/en/exports/new/?scope=map&kind=tower")
    assert b"Export 1 resource" in page.content
    posted = {"format": "csv", "crs": "EPSG:4326", "scope": "map", "query": "kind=tower"}
    answer = client.post("/en/exports/new/", posted)
    job = ExportJob.objects.get()
    assert answer.url == f"/en/exports/{job.pk}/"
    assert (job.state, job.row_count, job.foreign_count, job.filter_text) == ("done", 1, 1, "Tower / pole")
    assert "Download" in client.get(answer.url).content.decode()
    got = client.get(f"/en/exports/{job.pk}/file/")
    assert got["Content-Disposition"].startswith("attachment")
    assert got["Cache-Control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(b"".join(got.streaming_content))) as bundle:
        assert set(bundle.namelist()) == {"tower.csv", "about.txt"}
    event = Event.objects.get(verb="export.write")
    assert (event.actor, event.organisation) == (world.dave, world.operator)
    assert event.after["rows"] == event.after["of_other_owners"] == 1
    assert "My files" in client.get("/en/exports/").content.decode()


def test_a_visitor_gets_the_file_at_once_and_nothing_is_kept(world, client, settings):
    make.make_resource(world.power)
    answer = client.post("/en/exports/new/", {"format": "xlsx", "crs": "EPSG:4326", "scope": "map", "query": ""})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)[:2] == b"PK"
    job = ExportJob.objects.get()
    assert (job.state, job.organisation, job.file.name, job.row_count) == ("done", None, "", 1)
    assert not list(Path(settings.PRIVATE_ROOT).rglob("*.xlsx"))
    assert Event.objects.get(verb="export.write").actor is None


def test_own_lists_are_for_members(world, client):
    assert client.get("/en/exports/new/?scope=own").status_code == 404
    with pytest.raises(NotPermitted):
        start(None, scope="own")


def test_nothing_to_take_out_is_said(world):
    with pytest.raises(Refused, match="nothing to take out"):
        start(world.as_["dave"])
    make.make_resource(world.power, grade="important", disclosure="blurred")
    with pytest.raises(Refused, match="important data"):
        start(world.as_["dave"])


def rule(key, value, region="440100"):
    RegionRule.objects.create(key=key, region_id=region, value=value, valid_from=timezone.localdate(), source="test")


def test_who_is_not_verified_takes_little_of_others_and_all_of_its_own(world):
    make.make_resource(world.power)
    make.make_resource(world.power)
    make.make_resource(world.unverified, state="draft")
    make.make_resource(world.unverified, state="draft")
    rule("export.rows_unverified", 1)
    with pytest.raises(Refused, match="at most 1 resources; these are 2"):
        start(world.as_["uma"])
    assert start(world.as_["uma"], scope="own").row_count == 2


def test_too_much_is_said_before_it_is_asked_for(world, client_as):
    make.make_resource(world.power, name="Tower north")
    make.make_resource(world.power, "duct", name="Duct")
    rule("export.rows_unverified", 1)
    uma, form = client_as("uma"), '<form class="gj-panel"'
    page = uma.get("/en/exports/new/?scope=map").content.decode()
    assert "2 resources of other owners are too many: at most 1 go out" in page
    assert form not in page
    assert form in uma.get("/en/exports/new/?scope=map&kind=tower").content.decode()
    assert form in client_as("dave").get("/en/exports/new/?scope=map").content.decode()


def test_the_cap_of_the_day_counts_rows_of_others_only(world):
    make.make_resource(world.power)
    make.make_resource(world.power)
    rule("export.rows_per_day", 3)
    first = start(world.as_["dave"])
    with pytest.raises(Refused, match="2 are taken, 2 more are asked"):
        start(world.as_["dora"])
    assert start(world.as_["alice"]).foreign_count == 0
    ExportJob.objects.filter(pk=first.pk).update(created_at=timezone.now() - dt.timedelta(days=1))
    start(world.as_["dora"])
    ExportJob.objects.filter(pk__gt=first.pk).update(state="cancelled")
    start(world.as_["dora"])


def test_a_large_file_waits_for_the_worker_and_is_taken_up_when_one_dies(world, monkeypatch):
    make.make_resource(world.power)
    monkeypatch.setattr(exports, "INLINE_ROWS", 0)
    job = exports.write_if_small(start(world.as_["dave"]))
    assert job.state == State.WAITING
    ExportJob.objects.filter(pk=job.pk).update(
        state="working", heartbeat_at=timezone.now() - dt.timedelta(minutes=5), attempts=1
    )
    exports.write(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.DONE, 2)
    exports.write(job.pk)  # again: nothing to do
    job.refresh_from_db()
    assert job.attempts == 2


def test_three_broken_attempts_are_enough(world):
    make.make_resource(world.power)
    job = start(world.as_["dave"])
    ExportJob.objects.filter(pk=job.pk).update(attempts=3)
    exports.write(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "never came to its end" in job.refusal


def test_who_left_gets_no_file(world):
    make.make_resource(world.power)
    job = start(world.as_["dave"])
    membership = world.as_["dave"]
    membership.ended_at = timezone.now()
    membership.save()
    exports.write(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file.name) == (State.FAILED, "")


@pytest.mark.django_db(transaction=True)
def test_cancel_stops_a_running_copy_and_leaves_no_file(world, monkeypatch, settings):
    for _i in range(6):
        make.make_resource(world.power)
    monkeypatch.setattr(making, "TELL_EVERY", 2)
    job = start(world.as_["dave"])
    heard = []
    real = exports._progress

    def asked_meanwhile(job_id):
        tell, close = real(job_id)

        def told(done):
            heard.append(done)
            ExportJob.objects.db_manager().none()
            other = connection.copy()
            with other.cursor() as cursor:
                cursor.execute("UPDATE listings_exportjob SET is_cancel_asked = true WHERE id = %s", [job_id])
            other.close()
            return tell(done)

        return told, close

    monkeypatch.setattr(exports, "_progress", asked_meanwhile)
    exports.write(job.pk)
    job.refresh_from_db()
    assert (job.state, job.file.name) == (State.CANCELLED, "")
    assert heard == [2], "stopped at the first report"
    assert not [path for path in Path(settings.PRIVATE_ROOT).rglob("*") if path.is_file()]
    assert ExportJob.objects.count() == 1, "the connection is whole"


def test_cancel_before_and_after(world):
    make.make_resource(world.power)
    job = start(world.as_["dave"])
    with pytest.raises(NotPermitted):
        exports.cancel(job=job, membership=world.as_["dora"])
    assert exports.cancel(job=job, membership=world.as_["dave"]).state == State.CANCELLED
    exports.write(job.pk)
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_files_go_when_their_time_is_up(world, client_as, django_capture_on_commit_callbacks):
    make.make_resource(world.power)
    job = exports.write_if_small(start(world.as_["dave"]))
    storage, name = job.file.storage, job.file.name
    assert exports.expire_due() == 0
    ExportJob.objects.filter(pk=job.pk).update(expires_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        assert exports.expire_due() == 1
    assert not storage.exists(name)
    page = client_as("dave").get(f"/en/exports/{job.pk}/file/", follow=True).content.decode()
    assert "time is up" in page


def test_a_colleague_does_not_fetch_it(world, client_as):
    make.make_resource(world.power)
    job = exports.write_if_small(start(world.as_["dave"]))
    assert client_as("dora").get(f"/en/exports/{job.pk}/file/").status_code == 404
    assert client_as("eve").get(f"/en/exports/{job.pk}/").status_code == 404


def test_the_database_keeps_no_file_of_a_visitor(world):
    make.make_resource(world.power)
    job = start(None)
    with pytest.raises(IntegrityError, match="export_visitor_keeps_no_file"), transaction.atomic():
        ExportJob.objects.filter(pk=job.pk).update(file="exports/x.zip")
    with pytest.raises(IntegrityError, match="export_foreign_in_rows"), transaction.atomic():
        ExportJob.objects.filter(pk=job.pk).update(foreign_count=9)
