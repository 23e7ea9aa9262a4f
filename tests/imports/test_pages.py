"""The four pages: what each shows, to whom, and that reading them writes nothing."""

import io
import json

import openpyxl
import pytest
from django.urls import reverse
from django.utils.translation import override

from listings.actions import imports
from listings.models import ImportJob, ImportRow, Resource
from tests.imports.conftest import TOWERS, cleaned, take, upload

pytestmark = pytest.mark.django_db


def send(client, content=TOWERS, name="towers.csv", **data):
    return client.post(reverse("import_new"), {"file": upload(name, content), **data}, follow=True)


def columns_form(job, **changes):
    names = [column["name"] for column in job.columns]
    return {f"column-{field}": names.index(column) for field, column in job.mapping.items()} | changes


def test_the_path_in_the_browser_from_file_to_stored(client_as):
    client = client_as("alice")
    page = send(client)
    job = ImportJob.objects.get()
    assert page.redirect_chain[-1][0] == reverse("import_mapping", args=[job.pk])
    assert job.kind == "tower"
    assert "天河一号" in page.content.decode()
    page = client.post(reverse("import_mapping", args=[job.pk]), columns_form(job), follow=True)
    assert page.redirect_chain[-1][0] == reverse("import_place", args=[job.pk])
    text = page.content.decode()
    assert "GCJ-02" in text
    assert "checked" not in text.split("gj-import-readings")[1].split("</fieldset>")[0]  # nothing said: nothing chosen
    page = client.post(reverse("import_place", args=[job.pk]), {"reading": "EPSG:4326"}, follow=True)
    assert page.redirect_chain[-1][0] == reverse("import_report", args=[job.pk])
    assert not Resource.objects.exists()
    page = client.post(reverse("import_confirm", args=[job.pk]), follow=True)
    assert Resource.objects.count() == 2
    client.post(reverse("import_undo", args=[job.pk]))
    assert not Resource.objects.exists()


def test_the_place_step_insists_on_a_choice(client_as):
    client = client_as("alice")
    send(client)
    job = ImportJob.objects.get()
    client.post(reverse("import_mapping", args=[job.pk]), columns_form(job))
    page = client.post(reverse("import_place", args=[job.pk]), {})
    assert page.status_code == 422
    job.refresh_from_db()
    assert job.state == "placing"


@pytest.mark.parametrize(
    "name", ["import_detail", "import_mapping", "import_place", "import_report", "import_progress"]
)
def test_anothers_import_is_not_there(client_as, world, name):
    job = take(world.as_["alice"], "a.csv", TOWERS)
    assert client_as("eve").get(reverse(name, args=[job.pk])).status_code == 404
    assert client_as("alice").get(reverse(name, args=[job.pk])).status_code in (200, 302)


@pytest.mark.parametrize("name", ["import_confirm", "import_cancel", "import_undo", "import_swap"])
def test_anothers_import_cannot_be_acted_on_and_viewers_may_not(client_as, world, name):
    job = take(world.as_["alice"], "a.csv", TOWERS)
    assert client_as("eve").post(reverse(name, args=[job.pk])).status_code == 404
    assert client_as("vera").post(reverse(name, args=[job.pk])).status_code == 403
    assert client_as("alice").get(reverse(name, args=[job.pk])).status_code == 405
    job.refresh_from_db()
    assert job.state == "ready"


def test_viewers_and_bureaus_cannot_upload(client_as):
    assert client_as("vera").get(reverse("import_new")).status_code == 403
    assert client_as("carol").get(reverse("import_new")).status_code == 403
    assert send(client_as("vera")).status_code == 403


def test_reading_the_pages_writes_nothing(client_as, world):
    job = take(world.as_["alice"], "a.csv", TOWERS)
    before = ImportJob.objects.values().get(), list(ImportRow.objects.order_by("pk").values())
    client = client_as("alice")
    for name in ("import_detail", "import_mapping", "import_place", "import_report", "import_progress"):
        client.get(reverse(name, args=[job.pk]))
    assert (ImportJob.objects.values().get(), list(ImportRow.objects.order_by("pk").values())) == before


def test_the_report_is_filtered_and_paged_with_a_steady_number_of_queries(
    client_as, world, django_assert_max_num_queries
):
    rows = "".join(f"T-{i},塔{i},113.3{i:03d},23.13,40,3,2\n" for i in range(10, 140))
    job = take(world.as_["alice"], "a.csv", TOWERS + rows + "T-x,坏,0,0,40,3,2\n")
    client = client_as("alice")
    client.get(reverse("import_report", args=[job.pk]))
    with django_assert_max_num_queries(12):
        page = client.get(reverse("import_report", args=[job.pk]))
    assert "塔10" in page.content.decode()
    page = client.get(reverse("import_report", args=[job.pk]), {"level": "error"}).content.decode()
    assert "T-x" in page
    assert "塔10" not in page


def test_the_report_reads_in_the_readers_language(client_as, world):
    job = take(world.as_["alice"], "a.csv", TOWERS + "T-4,四号,23.13,113.33,40,3,2\nT-5,五号,0,0,40,3,2\n")
    client = client_as("alice")
    with override("en"):
        english = client.get(reverse("import_report", args=[job.pk])).content.decode()
    assert "Longitude and latitude look swapped" in english
    assert "The coordinates are 0/0" in english
    assert "Give the real longitude and latitude" in english
    row = job.rows.get(number=5)
    zero = next(problem for problem in row.problems if problem["code"] == "zero_zero")
    assert set(zero["texts"]) == {"zh-hans", "en"}


@pytest.mark.parametrize(("header", "lacks"), [("名称", "own code"), ("编码", "name")])
def test_the_report_says_which_of_code_and_name_is_missing(client_as, world, header, lacks):
    content = f"{header},经度,纬度,塔高(米)\n新塔一,113.33,23.13,40\n"
    job = take(world.as_["alice"], "towers.csv", content)
    (row,) = ImportRow.objects.filter(job=job)
    (note,) = [problem for problem in row.problems if problem["code"] == "name_from_other"]
    assert note["params"]["label_word"] == lacks
    address = reverse("import_report", args=[job.pk])
    with override("en"):
        assert (
            f"No {lacks} given: “新塔一” stands in for it."
            in client_as("alice").get(f"/en{address}".replace("/en/en", "/en"), {"level": "info"}).content.decode()
        )


def test_bad_rows_come_as_a_workbook_to_mend_that_can_be_sent_again(client_as, world):
    alice = world.as_["alice"]
    evil = '=HYPERLINK("http://x")'
    job = take(alice, "a.csv", TOWERS + f'T-4,"{evil.replace(chr(34), chr(34) * 2)}",0,0,40,3,2\n')
    client = client_as("alice")
    answer = client.get(reverse("import_report", args=[job.pk]), {"format": "xlsx"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[1][0] == "T-4"
    assert rows[1][1].startswith("'=")
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
    assert rows[1][-1]
    sheet = book.active
    sheet["B2"], sheet["C2"], sheet["D2"] = "四号", 113.35, 23.15
    out = io.BytesIO()
    book.save(out)
    again = take(alice, "mended.xlsx", out.getvalue())
    assert again.counts["create"] == 1
    assert again.detected["is_remembered"]


def test_the_report_as_json_holds_every_row(client_as, world):
    job = take(world.as_["alice"], "a.csv", TOWERS + "T-5,五号,0,0,40,3,2\n")
    answer = client_as("alice").get(reverse("import_report", args=[job.pk]), {"format": "json"})
    told = json.loads(b"".join(answer.streaming_content))
    assert [row["row"] for row in told["report"]] == [2, 3, 4]
    assert told["report"][2]["problems"][0]["code"] == "zero_zero"
    assert told["counts"]["create"] == 2


@pytest.mark.parametrize("kind", ["tower", "duct", "cable", "room", "demand"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_templates_are_read_back_without_a_question_and_their_example_is_not_stored(
    client_as, world, kind, language, form
):
    with override(language):
        answer = client_as("alice").get(reverse("import_template", args=[kind]), {"format": form})
    content = b"".join(answer.streaming_content)
    if kind == "demand":
        assert content.startswith(b"PK" if form == "xlsx" else b"\xef\xbb\xbf")
        return
    job, _new = imports.upload_file(membership=world.as_["alice"], file=upload(f"{kind}.{form}", content))
    assert (job.state, job.kind) == ("placing", kind)  # no question about columns, not even about the kind
    assert set(job.mapping.values()) == {column["name"] for column in job.columns}
    job = imports.set_place(job=job, membership=world.as_["alice"], crs="EPSG:4326")
    assert job.row_count == 1
    row = job.rows.get()
    codes = {problem["code"] for problem in row.problems}
    assert "example_row" in codes
    assert not codes & {"number_unreadable", "unit_unknown", "choice_unknown", "date_unreadable", "coordinate_missing"}
    assert row.verdict == "error"


def test_unknown_words_are_asked_for_and_understood(client_as, world):
    client = client_as("alice")
    send(
        client,
        TOWERS.replace("天线位总数,", "塔型,天线位总数,").replace(",40,", ",40,怪塔,").replace("45米,", "45米,怪塔,"),
    )
    job = ImportJob.objects.get()
    assert job.mapping["tower_type"] == "塔型"
    page = client.get(reverse("import_mapping", args=[job.pk])).content.decode()
    assert "怪塔" in page.split("gj-import-words")[1]
    client.post(reverse("import_mapping", args=[job.pk]), columns_form(job, **{"word-tower_type-0": "mast"}))
    client.post(reverse("import_place", args=[job.pk]), {"reading": "EPSG:4326"})
    assert {cleaned(row)["tower_type"] for row in job.rows.all()} == {"mast"}


def test_a_system_can_be_tried_by_its_number(client_as, world):
    job = take(world.as_["alice"], "a.csv", TOWERS)
    client = client_as("alice")
    page = client.get(reverse("import_place", args=[job.pk]), {"try": "2327"}).content.decode()
    assert "Xian" in page or "公开" in page
    assert "EPSG:4547" in client.get(reverse("import_place", args=[job.pk]), {"try": "4547"}).content.decode()


def test_cancel_takes_rows_and_file_away(client_as, world, django_capture_on_commit_callbacks):
    job = take(world.as_["alice"], "a.csv", TOWERS)
    storage, name = job.file.storage, job.file.name
    assert storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        client_as("alice").post(reverse("import_cancel", args=[job.pk]))
    job.refresh_from_db()
    assert (job.state, job.rows.count(), storage.exists(name)) == ("cancelled", 0, False)
