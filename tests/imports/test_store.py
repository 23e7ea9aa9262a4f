"""From a file to resources: proposed, judged, stored once, the same file again nothing, taken back as a whole."""

import pytest

from accounts.errors import Refused
from listings.actions import imports
from listings.models import ImportJob, Resource
from tests.imports.conftest import TOWERS, codes_of, take, upload

pytestmark = pytest.mark.django_db


def test_a_file_becomes_drafts_after_the_confirmation_only(world):
    alice = world.as_["alice"]
    job = take(alice, "towers.csv", TOWERS)
    assert job.state == "ready", job.refusal
    assert job.counts["create"] == 2, [r.problems for r in job.rows.all()]
    assert not Resource.objects.exists()
    imports.confirm(job=job, membership=alice)
    job.refresh_from_db()
    assert job.state == "done"
    tower = Resource.objects.get(owner_code="T-2")
    assert (tower.state, tower.tower.height_m, tower.region_id) == ("draft", 45, "440106")
    assert tower.place.coords == (113.34, 23.14)
    assert tower.pools.get().free == 1


def test_the_same_file_again_changes_nothing(world):
    alice = world.as_["alice"]
    imports.confirm(job=take(alice, "towers.csv", TOWERS), membership=alice)
    again = take(alice, "towers.csv", TOWERS)
    assert again.counts["same"] == 2, [r.problems for r in again.rows.all()]
    with pytest.raises(Refused, match="nothing to store|没有"):
        imports.confirm(job=again, membership=alice)
    assert Resource.objects.count() == 2


def test_undo_takes_new_ones_away_and_gives_changed_ones_back(world):
    alice = world.as_["alice"]
    imports.confirm(job=take(alice, "a.csv", TOWERS), membership=alice)
    changed = TOWERS.replace("45米", "50").replace("T-1,天河一号", "T-3,天河三号")
    job = take(alice, "b.csv", changed)
    assert (job.counts["create"], job.counts["update"]) == (1, 1)
    imports.confirm(job=job, membership=alice)
    assert Resource.objects.get(owner_code="T-2").tower.height_m == 50
    imports.undo(job=job, membership=alice)
    assert set(Resource.objects.values_list("owner_code", flat=True)) == {"T-1", "T-2"}
    assert Resource.objects.get(owner_code="T-2").tower.height_m == 45
    assert ImportJob.objects.get(pk=job.pk).state == "undone"


def test_undo_is_refused_once_something_was_changed(world):
    alice = world.as_["alice"]
    job = take(alice, "a.csv", TOWERS)
    imports.confirm(job=job, membership=alice)
    resource = Resource.objects.get(owner_code="T-1")
    resource.name = "renamed"
    resource.save()
    with pytest.raises(Refused) as refused:
        imports.undo(job=job, membership=alice)
    assert refused.value.code == "changed_since"
    assert Resource.objects.count() == 2


def test_an_open_import_of_the_same_file_is_gone_on_with(world):
    alice = world.as_["alice"]
    first, is_new = imports.upload_file(membership=alice, file=upload("a.csv", TOWERS))
    second, is_new_again = imports.upload_file(membership=alice, file=upload("b.csv", TOWERS))
    assert (first.pk, is_new, is_new_again) == (second.pk, True, False)


def test_bad_rows_stay_out_and_are_named(world):
    alice = world.as_["alice"]
    rows = TOWERS + "T-4,四号,23.13,113.33,40,3,2\nT-5,五号,0,0,40,3,2\nT-1,天河一号,113.33,23.13,40,3,2\nT-6,六号,113.3,,九,1,1\n"
    job = take(alice, "a.csv", rows)
    found = {row.number: codes_of(row) for row in job.rows.all()}
    assert "swapped" in found[4]
    assert "zero_zero" in found[5]
    assert "same_row_again" in found[6]
    assert {"coordinate_missing", "number_unreadable"} <= found[7]
    imports.confirm(job=job, membership=alice)
    assert set(Resource.objects.values_list("owner_code", flat=True)) == {"T-1", "T-2"}


def test_swapped_rows_are_exchanged_when_asked(world):
    alice = world.as_["alice"]
    job = take(alice, "a.csv", TOWERS + "T-4,四号,23.13,113.33,40,3,2\n")
    assert job.counts["error"] == 1
    job = imports.swap_rows(job=job, membership=alice)
    assert job.counts["error"] == 0
    imports.confirm(job=job, membership=alice)
    assert Resource.objects.get(owner_code="T-4").place.coords == (113.33, 23.13)
