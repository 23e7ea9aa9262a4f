"""From a file to resources: proposed, judged, stored once, the same file again nothing, taken back as a whole."""

import pytest
from django.urls import reverse

from accounts.errors import Refused
from accounts.models import Event
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
    assert (refused.value.code, refused.value.codes) == ("changed_since", ["T-1"])
    assert Resource.objects.count() == 2


def test_undo_can_keep_what_was_changed_and_take_back_the_rest(client_as, world):
    job = take(world.as_["alice"], "a.csv", TOWERS)
    imports.confirm(job=job, membership=world.as_["alice"])
    Resource.objects.get(owner_code="T-1").save()
    client = client_as("alice")
    page = client.get(reverse("import_report", args=[job.pk])).content.decode()
    assert "T-1" in page
    client.post(reverse("import_undo", args=[job.pk]))
    assert Resource.objects.count() == 2
    client.post(reverse("import_undo", args=[job.pk]), {"keep": "1"})
    assert [r.owner_code for r in Resource.objects.order_by("pk")] == ["T-1"]
    job.refresh_from_db()
    assert (job.state, job.detected["kept"]) == ("undone", ["T-1"])
    assert "T-1" in client.get(reverse("import_report", args=[job.pk])).content.decode()


def test_storing_can_be_stopped_and_leaves_nothing(world, monkeypatch):
    alice = world.as_["alice"]
    job = take(alice, "a.csv", TOWERS)
    monkeypatch.setattr("listings.actions.import_core.advance_if_small", lambda job: None)
    monkeypatch.setattr("listings.actions.import_store.advance_if_small", lambda job: None)
    imports.confirm(job=job, membership=alice)
    imports.cancel(job=job, membership=alice)
    imports.work(job.pk)
    job.refresh_from_db()
    assert (job.state, Resource.objects.exists()) == ("ready", False)
    assert job.refusal
    imports.confirm(job=job, membership=alice)
    imports.work(job.pk)
    assert Resource.objects.count() == 2


def test_copied_rows_are_the_rows_the_models_would_have_written(world, monkeypatch):
    """Two ways to write: the quick one must leave the same in every column of every table."""
    from django.forms.models import model_to_dict

    from listings.actions import resources

    alice = world.as_["alice"]
    rows = TOWERS.replace("塔高(米)", "塔高(米),平台挂高,地址,生命周期,剩余容量(kVA)").replace(
        ",40,", ',40,35/30,"一行\t\\ ""二""",在建,保密,'
    ).replace(",45米,", ",45米,,,在用,30,")  # fmt: skip
    shots = []
    for way in ("copy", "models"):
        if way == "models":
            monkeypatch.setattr(resources, "COPY_FROM", 10**9)
            monkeypatch.setattr(resources, "is_copied", lambda items, job: False)
        job = take(alice, f"{way}.csv", rows)
        imports.confirm(job=job, membership=alice)
        shot = []
        for resource in Resource.objects.order_by("owner_code"):
            plain = Resource.objects.values().get(pk=resource.pk)
            made = [resource.facts, *resource.pools.order_by("label")]
            told = Event.objects.filter(verb="resource.create", subject_id=str(resource.pk)).values().get()
            drop = {"id", "created_at", "updated_at", "import_job_id", "resource", "subject_id", "at", "reason"}
            shot += [{k: v for k, v in d.items() if k not in drop} for d in (plain, told, *map(model_to_dict, made))]
        shots.append(shot)
        Resource.objects.all().delete()
    assert len(shots[0]) >= 8
    assert shots[0] == shots[1]


def test_an_open_import_of_the_same_file_is_gone_on_with(world):
    alice = world.as_["alice"]
    first, is_new = imports.upload_file(membership=alice, file=upload("a.csv", TOWERS))
    second, is_new_again = imports.upload_file(membership=alice, file=upload("b.csv", TOWERS))
    assert (first.pk, is_new, is_new_again) == (second.pk, True, False)


def test_bad_rows_stay_out_and_are_named(world):
    alice = world.as_["alice"]
    rows = (
        TOWERS
        + "T-4,四号,23.13,113.33,40,3,2\nT-5,五号,0,0,40,3,2\n"
        + "T-1,天河一号,113.33,23.13,40,3,2\nT-6,六号,113.3,,很高,1,1\n"
    )
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


def test_a_code_used_twice_with_other_values_is_named_with_the_first_row(world):
    job = take(world.as_["alice"], "a.csv", TOWERS + "T-1,另一座,113.35,23.15,40,3,2\n")
    row = job.rows.get(number=4)
    problem = next(p for p in row.problems if p["code"] == "code_twice_in_file")
    assert (row.verdict, problem["params"]) == ("error", {"code": "T-1", "number": 2})


def test_plausibility_dates_and_places_are_remarked_on(world):
    rows = (
        "编码,名称,经度,纬度,塔高(米),塔型,生命周期,可用起始日期,可用截止日期,数据日期,行政区划,天线位总数,空闲天线位\n"
        "T-1,一号,113.33,23.13,400,路灯杆,规划,2020-01-01,2021-01-01,2015-01-01,天河区,3,0\n"
        "T-2,二号,113.33,23.13,40,路灯杆,在用,,,2099-01-01,深圳市,3,4\n"
        "T-3,三号,1133300000,23.13,40,铁塔,在用,,,,,3,1\n"
        "T-5,五号,113.33,0,40,铁塔,在用,,,,,3,1\n"
    )
    found = {row.number: codes_of(row) for row in take(world.as_["alice"], "a.csv", rows).rows.all()}
    assert {"height_implausible", "planned_past", "available_past", "facts_old"} <= found[2]
    assert {"same_place_twice", "facts_in_future", "outside_declared"} <= found[3]
    assert "pool_oversold" in found[3] or "pool_negative" in found[3]
    assert found[4] >= {"decimal_lost"}
    assert "place_missing" not in found[4]
    assert "half_zero" in found[5]


def test_places_abroad_are_errors_until_said_to_be_abroad(world):
    alice = world.as_["alice"]
    rows = "code,name,longitude,latitude,height\nN-1,Otira,171.56,-42.83,30\n"
    job = take(alice, "a.csv", rows)
    assert (job.counts["error"], "outside_china" in codes_of(job.rows.get())) == (1, True)
    job = imports.set_place(job=job, membership=alice, crs="EPSG:4326", is_abroad=True)
    assert (job.counts["error"], "abroad" in codes_of(job.rows.get())) == (0, True)
    imports.confirm(job=job, membership=alice)
    assert Resource.objects.get().region_id == "440100"


def test_the_mapping_and_system_are_remembered_for_the_next_file(world):
    alice = world.as_["alice"]
    content = TOWERS.replace("名称", "奇怪的列")
    job = take(alice, "a.csv", content, mapping={"name": "奇怪的列"}, crs="GCJ-02")
    assert job.crs == "GCJ-02"
    again, _new = imports.upload_file(
        membership=alice, file=upload("b.csv", content + "T-9,x,113.3,23.1,1,1,1\n"), kind="tower"
    )
    assert (again.mapping["name"], again.detected["is_remembered"], again.detected["remembered_crs"]) == (
        "奇怪的列",
        True,
        "GCJ-02",
    )


@pytest.mark.parametrize("without", ["编码", "经度"])
def test_a_code_and_a_place_must_be_named(world, without):
    alice = world.as_["alice"]
    job, _new = imports.upload_file(membership=alice, file=upload("a.csv", TOWERS), kind="tower")
    mapping = {field: column for field, column in job.mapping.items() if column != without}
    with pytest.raises(Refused) as refused:
        imports.set_columns(job=job, membership=alice, mapping=mapping)
    assert refused.value.code in ("no_code", "no_place")


def test_nobody_else_stores_it(world):
    from accounts.errors import NotPermitted

    job = take(world.as_["alice"], "a.csv", TOWERS)
    for name in ("eve", "vera", "carol"):
        with pytest.raises(NotPermitted):
            imports.confirm(job=job, membership=world.as_[name])
    assert not Resource.objects.exists()


def test_a_row_of_totals_is_left_out_and_said_to_be_one(world):
    job = take(world.as_["alice"], "a.csv", TOWERS + "合计,2座,,,,6,3\n")
    assert codes_of(job.rows.get(number=4)) >= {"total_row"}
    assert "coordinate_missing" not in codes_of(job.rows.get(number=4))
