"""Side by side and on paper: the reader's own sight, what differs, and who printed it when."""

import io

import pypdf
import pytest
from django.contrib.gis.geos import Point

from listings import comparison
from listings.actions import exports
from listings.models import ExportJob
from tests import world as make

EXACT = Point(113.331234567, 23.131234567, srid=4326)


def test_rows_differ_where_two_say_different_things(world):
    one = make.make_resource(world.power, facts={"height_m": 40, "structure": "monopole"})
    two = make.make_resource(world.power, facts={"height_m": 50, "structure": "monopole"})
    room = make.make_resource(world.power, "room")
    found = comparison.readable(world.as_["dave"], [two.pk, one.pk, room.pk])
    assert [r.pk for r in found] == [two.pk, one.pk, room.pk], "in the order asked for"
    rows = {row.label: row for group in comparison.compare(found) for row in group.rows}
    assert rows["Height"].cells == ["50 m", "40 m", "–"]
    assert rows["Height"].differs
    assert not rows["Structure"].differs
    assert rows["antenna positions: free of total"].cells == ["3 / 3 positions", "3 / 3 positions", "–"]


def test_at_most_four_and_only_what_one_may_read(world, client):
    rows = [make.make_resource(world.power, name=f"Tower {i}") for i in range(5)]
    hidden = make.make_resource(world.power, state="draft", name="Draft tower")
    counted = make.make_resource(world.power, disclosure="existence", name="Counted tower")
    query = "&".join(f"r={r.pk}" for r in [hidden, counted])
    text = client.get(f"/en/resources/compare/?{query}").content.decode()
    assert "Draft tower" not in text
    assert "Counted tower" not in text
    assert "Nothing to compare yet" in text
    text = client.get("/en/resources/compare/?" + "&".join(f"r={r.pk}" for r in rows)).content.decode()
    assert "Tower 3" in text
    assert "Tower 4" not in text
    assert "At most 4" in text


def test_others_are_found_and_the_choice_stays_in_the_address(world, client):
    one, two = make.make_resource(world.power, name="North"), make.make_resource(world.power, name="South")
    page = client.get(f"/en/resources/compare/?r={one.pk}&add=South").content.decode()
    assert f"?r={one.pk}&amp;r={two.pk}" in page
    both = client.get(f"/en/resources/compare/?r={one.pk}&r={two.pk}&only=differences").content.decode()
    assert "Only what differs" in both
    assert "Lifecycle" not in both
    assert client.get("/en/resources/compare/?r=²&r=9999999999999999999999&add=%00").status_code == 200


def test_many_resources_cost_the_same(world, client, django_assert_max_num_queries):
    rows = [make.make_resource(world.power) for _ in range(4)]
    with django_assert_max_num_queries(8):
        comparison.compare(comparison.readable(None, [r.pk for r in rows]))


def test_the_sheet_obeys_disclosure_and_says_for_whom(world, client, client_as):
    resource = make.make_resource(world.power, place=EXACT, disclosure="blurred", address="Secret Road 1")
    visitor = client.get(f"/en/resources/{resource.pk}/sheet/").content.decode()
    assert "113.331235" not in visitor
    assert "Secret Road" not in visitor
    assert "blurred to a cell" in visitor
    assert "a visitor, without an account" in visitor
    own = client_as("alice").get(f"/en/resources/{resource.pk}/sheet/").content.decode()
    assert "113.331235, 23.131235" in own
    assert "Pearl Power · Alice" in own
    hidden = make.make_resource(world.power, disclosure="existence")
    assert client.get(f"/en/resources/{hidden.pk}/sheet/").status_code == 404


@pytest.mark.slow
def test_the_pdf_is_written_by_the_worker_for_its_reader(world, client_as):
    resource = make.make_resource(world.power, place=EXACT, disclosure="blurred", name="塔 Tower")
    dave = client_as("dave")
    answer = dave.post(f"/en/resources/{resource.pk}/sheet/pdf/")
    job = ExportJob.objects.get()
    assert answer.url == f"/en/exports/{job.pk}/"
    assert job.state == "waiting"
    exports.write(job.pk)
    job.refresh_from_db()
    assert (job.state, job.row_count) == ("done", 1), job.refusal
    got = dave.get(f"/en/exports/{job.pk}/file/")
    assert got["Content-Type"] == "application/pdf"
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(b"".join(got.streaming_content))).pages)
    assert "塔 Tower" in text
    assert "Southern Telecom" in text
    assert "113.331235" not in text
