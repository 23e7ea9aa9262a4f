"""An operator's own lines from a file, into an open call: the same steps, its own lines only."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings.actions import demand, imports
from listings.models import DemandLine, ImportJob
from tests import world as world_module
from tests.imports.conftest import take, upload

pytestmark = pytest.mark.django_db

LINES = """需求编号,需求名称,资源类型,数量,经度,纬度
XQ-1,琶洲新站,铁塔,1,113.36,23.13
XQ-2,天河管道,管道,2,113.33,23.12
"""


@pytest.fixture
def call(world):
    row = world_module.make_list(world.bureau, state="draft")
    return demand.open_call(
        demand_list=row, membership=world.as_["carol"], closes_at=timezone.now() + dt.timedelta(days=9)
    )


def stored(world, name, call, text):
    job = take(world.as_[name], "lines.csv", text, kind="", demand_list=call)
    assert not job.counts["error"], [row.problems for row in job.rows.all()]
    imports.confirm(job=job, membership=world.as_[name])
    job.refresh_from_db()
    assert job.state == "done", job.refusal
    return job


def test_lines_are_the_organisations_own_and_the_same_file_again_changes_nothing(world, call):
    job = take(world.as_["dave"], "lines.csv", LINES, kind="", demand_list=call)
    assert (job.target, job.counts["create"]) == ("hand_in", 2), [row.problems for row in job.rows.all()]
    assert not DemandLine.objects.exists()  # nothing before the last step
    imports.confirm(job=job, membership=world.as_["dave"])
    one, two = call.lines.order_by("number")
    assert (one.applicant, one.handed_in_by, one.title) == (world.operator, world.operator, "琶洲新站")
    assert (two.kind, two.quantity, two.applicant_name) == ("duct", 2, "")
    assert Event.objects.about(call).get(verb="list.hand_in_lines").actor == world.dave
    assert take(world.as_["dave"], "again.csv", LINES, kind="", demand_list=call).counts["same"] == 2


def test_a_column_of_applicants_cannot_name_another(world, call):
    text = (
        LINES.replace("需求名称", "需求名称,申请单位").replace("新站", "新站,甘电力").replace("管道,管", "管道,别家,管")
    )
    stored(world, "dave", call, text)
    assert set(call.lines.values_list("applicant", "applicant_name")) == {(world.operator.pk, "")}


def test_a_changed_file_updates_and_an_undo_takes_it_back(world, call):
    stored(world, "dave", call, LINES)
    job = stored(world, "dave", call, LINES.replace("铁塔,1", "铁塔,4") + "XQ-3,新增,机房,6,113.31,23.11\n")
    assert (job.counts["create"], job.counts["update"], job.counts["same"]) == (1, 1, 1)
    assert call.lines.get(applicant_code="XQ-1").quantity == 4
    imports.undo(job=job, membership=world.as_["dave"])
    assert call.lines.get(applicant_code="XQ-1").quantity == 1
    assert list(call.lines.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_others_lines_are_neither_changed_nor_told_of(world, call):
    stored(world, "eve", call, LINES)
    job = stored(world, "dave", call, LINES.replace("铁塔,1", "铁塔,7"))
    assert job.counts["create"] == 2
    hers = call.lines.filter(handed_in_by=world.evil)
    assert sorted(hers.values_list("quantity", flat=True)) == [1, 2]
    with pytest.raises(Refused):  # nor by a key slipped into the action
        demand.change_handed_in_lines(
            demand_list=call, membership=world.as_["dave"], changes={hers.first().pk: {"quantity": 9}}
        )
    assert demand.take_back_lines(demand_list=call, membership=world.as_["dave"], line_ids=[hers.first().pk]) == 0


def test_a_code_the_bureau_typed_itself_is_named_in_the_report(world, call):
    world_module.make_line(call, applicant=world.operator, applicant_code="XQ-1")
    job = take(world.as_["dave"], "lines.csv", LINES, kind="", demand_list=call)
    (bad,) = job.rows.filter(verdict="error")
    assert (bad.raw["需求编号"], bad.problems[0]["column"]) == ("XQ-1", "applicant_code")
    assert "主管部门" in str(bad.problems[0]["texts"]) or "bureau" in str(bad.problems[0]["texts"])


def test_a_call_that_closes_meanwhile_stores_nothing(world, call):
    job = take(world.as_["dave"], "lines.csv", LINES, kind="", demand_list=call)
    demand.close_call(demand_list=call, membership=world.as_["carol"])
    job.refresh_from_db()
    with pytest.raises(Refused) as refused:
        imports.confirm(job=job, membership=world.as_["dave"])
    assert refused.value.code == "call_closed"
    assert not call.lines.exists()


def test_who_may(world, call):
    for name in ("alice", "dave"):
        assert imports.target_for(world.as_[name], call) == "hand_in"
    for name in ("uma", "chen", "zhao"):  # of an unverified organisation; publisher; another bureau
        with pytest.raises((NotPermitted, Refused)):
            imports.upload_file(membership=world.as_[name], file=upload("l.csv", LINES), demand_list=call)


def test_all_or_none(world, call):
    good = {"title": "一", "kind": "tower", "quantity": 1, "place": world_module.make_line(call).place}
    with pytest.raises(ValidationError):
        demand.hand_in_lines(
            demand_list=call, membership=world.as_["dave"], rows=[good, good | {"title": "", "applicant_code": "2"}]
        )
    with pytest.raises(Refused) as refused:
        demand.hand_in_lines(demand_list=call, membership=world.as_["dave"], rows=[good | {"applicant_code": "a"}] * 2)
    assert refused.value.code == "double_code"
    assert call.lines.count() == 1


def test_the_pages_from_the_call_to_the_report(world, call, client_as):
    dave = client_as("dave")
    page = reverse("call_import", args=[call.reference])
    assert page in dave.get(reverse("call_detail", args=[call.reference])).content.decode()
    assert "hand_in" in dave.get(page).content.decode()
    response = dave.post(page, {"file": upload("lines.csv", LINES)})
    job = ImportJob.objects.get()
    assert response["Location"] == reverse("import_detail", args=[job.pk])
    imports.set_columns(job=job, membership=world.as_["dave"], mapping=job.mapping)
    imports.set_place(job=job, membership=world.as_["dave"], crs="EPSG:4326")
    dave.post(reverse("import_confirm", args=[job.pk]))
    done = dave.get(reverse("import_report", args=[job.pk])).content.decode()
    assert reverse("call_detail", args=[call.reference]) in done
    assert call.lines.count() == 2
    assert client_as("eve").get(reverse("import_report", args=[job.pk])).status_code == 404
    assert client_as("carol").get(reverse("import_report", args=[job.pk])).status_code == 404
    assert "琶洲新站" not in client_as("eve").get(reverse("call_detail", args=[call.reference])).content.decode()


def test_the_template_has_no_applicant(client_as, world):
    answer = client_as("dave").get(reverse("import_template", args=["hand_in"]) + "?format=csv")
    text = b"".join(answer.streaming_content).decode()
    assert "XQ-0001" in text
    assert "申请单位" not in text
    assert "Applicant*" not in text


def test_the_database_wants_a_list_for_it(world, call):
    job, _new = imports.upload_file(membership=world.as_["dave"], file=upload("l.csv", LINES), demand_list=call)
    with pytest.raises(IntegrityError, match="import_demand_names_list"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE listings_importjob SET demand_list_id = NULL WHERE id = %s", [job.pk])
