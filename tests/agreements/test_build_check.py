"""The duplicate-build check: what lies within the rule, per reader, and the certificate that says so."""

import hashlib
import io

import pypdf
import pytest
from django.contrib.gis.geos import LineString, Point
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import RegionRule
from agreements.actions.build_checks import certify_build_check
from agreements.build_check_documents import store_pdf
from listings import build_check
from listings.models import BuildCheck
from tests import world as make

pytestmark = pytest.mark.django_db

HERE = Point(113.33, 23.13, srid=4326)
NEAR = Point(113.3339, 23.13, srid=4326)  # about 400 m east
FAR = Point(113.3485, 23.13, srid=4326)  # about 1,900 m east


def found(world, name=None, place=HERE, kind="tower", is_settled=True):
    reader = world.as_[name] if name else None
    return build_check.check(place=place, kind=kind, is_settled=is_settled, reader=reader)


def names(findings):
    return [row["name"] for row in findings.resources]


def test_a_tower_within_the_settled_rule_is_found_with_its_owner(world):
    make.make_resource(world.power, name="近塔", place=NEAR)
    make.make_resource(world.power, name="远塔", place=FAR)
    findings = found(world, "dave")
    assert (findings.verdict, names(findings)) == ("found", ["近塔"])
    assert 380 < findings.resources[0]["distance_m"] < 420
    assert findings.owners[0]["zh"] == world.power.name_zh
    assert names(found(world, "dave", is_settled=False)) == ["近塔", "远塔"]  # 3 km elsewhere
    assert found(world, "dave", kind="room").verdict == "none"


def test_the_nearest_are_named_however_many_are_near(world, monkeypatch):
    monkeypatch.setattr(build_check, "MOST", 2)
    monkeypatch.setattr(build_check, "READ_MOST", 3)
    for number in range(3):
        make.make_resource(
            world.power, name=f"较远塔{number}", place=Point(113.3339 + number / 10_000, 23.13, srid=4326)
        )
    assert not found(world, "dave", place=FAR).is_cut
    make.make_resource(world.power, name="模糊塔", place=HERE, disclosure="blurred")
    make.make_resource(world.power, name="最近塔", place=Point(113.3301, 23.13, srid=4326))  # the last of all by key
    findings = found(world, "dave")
    assert (names(findings), findings.is_cut) == (["最近塔", "较远塔0"], True)


def test_the_regions_own_rule_goes_before_the_default_and_is_named(world):
    make.make_resource(world.power, name="近塔", place=NEAR)
    RegionRule.objects.create(
        region=world.regions["440100"], key="same_site.settled_m", value=300, source="穗通〔2026〕3号",
        valid_from="2026-01-01",
    )  # fmt: skip
    findings = found(world, "dave")
    assert findings.verdict == "none"
    assert findings.rules[0]["value"] == "300.00"
    assert findings.rules[0]["zh"]["source"] == "穗通〔2026〕3号"


def test_a_visitor_goes_by_blurred_places_and_learns_no_exact_distance(world):
    make.make_resource(world.power, name="模糊塔", place=NEAR, disclosure="blurred")
    make.make_resource(world.power, name="只计数塔", place=NEAR, disclosure="existence")
    for name in (None, "dave"):
        findings = found(world, name)
        assert findings.verdict == "possible"
        assert names(findings) == ["模糊塔"]
        assert findings.resources[0]["distance_m"] % 100 == 0
        assert findings.data["counted_only_in_city"] == 1
    assert found(world, "alice").verdict == "found"  # its owner sees it


def test_blurred_places_give_the_same_answer_wherever_inside_the_cell_they_are(world):
    """What is told of a blurred place is computed from its cell: moving the true place inside it changes nothing."""
    resource = make.make_resource(world.power, place=Point(113.3321, 23.1311, srid=4326), disclosure="blurred")
    first = found(world).resources
    cell = resource.shown_cell if hasattr(resource, "shown_cell") else None
    resource.place = Point(113.3323, 23.1313, srid=4326)
    resource.save(update_fields=["place"])
    resource.refresh_from_db()
    if cell is not None and resource.shown_cell.equals(cell):
        assert found(world).resources == first


def test_a_route_meets_what_runs_beside_it_and_not_what_crosses(world):
    route = LineString((113.30, 23.13), (113.36, 23.13), srid=4326)
    make.make_resource(
        world.power, "duct", name="同向", place=LineString((113.31, 23.132), (113.35, 23.132), srid=4326)
    )
    make.make_resource(world.power, "duct", name="横穿", place=LineString((113.33, 23.10), (113.33, 23.16), srid=4326))
    assert names(found(world, "dave", place=route, kind="duct")) == ["同向"]


def test_others_who_need_something_there_are_named_for_a_joint_build(world):
    row = make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    make.make_line(row, world.operator, title="同点需求", place=NEAR)
    make.make_line(make.make_list(world.bureau, state="draft"), title="草稿需求", place=NEAR)
    assert [line["title"] for line in found(world, "alice").lines] == ["同点需求"]


def test_certificate_through_the_page_its_pdf_and_its_code(world, client_as, client):
    make.make_resource(world.power, name="近塔", place=NEAR)
    dave = client_as("dave")
    asked = {"place": "113.33, 23.13", "kind": "tower", "area": "settled", "name": "天河新塔"}
    assert dave.get("/build-check/").status_code == 200
    assert "近塔" in dave.get("/build-check/", asked).content.decode()
    assert not BuildCheck.objects.exists()  # looking writes nothing
    address = dave.post("/build-check/", asked)["Location"]
    check = BuildCheck.objects.get()
    assert "近塔" in dave.get(address).content.decode()
    assert store_pdf(check)
    assert not store_pdf(check)
    check.refresh_from_db()
    content = b"".join(dave.get(f"{address}pdf/").streaming_content)
    assert hashlib.sha256(content).hexdigest() == check.pdf_sha256
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    assert check.reference in text
    assert check.verification_code in text
    assert dave.get("/verify/", {"code": check.verification_code})["Location"] == address
    # The file itself verifies, by whoever holds it; one byte more and it does not.
    page = client.post("/verify/", {"file": SimpleUploadedFile("c.pdf", content)})
    assert (page.context["verdict"], page.context["check"]) == ("same", check)
    assert address in page.content.decode()
    assert "近塔" not in page.content.decode()
    changed = client.post("/verify/", {"file": SimpleUploadedFile("c.pdf", content + b" ")})
    assert (changed.context["verdict"], changed.context["check"]) == ("different", None)
    # Others with the code learn that it is genuine, and not what an organisation alone was shown.
    for stranger in (client, client_as("eve")):
        page = stranger.get(address).content.decode()
        assert check.findings_sha256 in page
        assert "近塔" not in page
        assert stranger.get(f"{address}pdf/").status_code == 404


@pytest.mark.parametrize(
    "place", ["", "200, 95", "nonsense", "113.3,23.1; 120.0,30.0; 73.0,18.0", "113.3,23.1; 113.3,23.1"]
)
def test_a_wrong_place_is_told_in_the_form(world, client, place):
    assert client.get("/build-check/", {"place": place, "kind": "tower"}).status_code == 422


def test_a_place_outside_every_division_gets_no_certificate(world, client):
    response = client.post("/build-check/", {"place": "0.5, 0.5", "kind": "tower", "area": "settled"})
    assert response.status_code == 422
    assert not BuildCheck.objects.exists()


def test_a_visitors_certificate_says_that_it_went_by_blurred_places(world, client):
    check = certify_build_check(place=HERE, kind="tower", is_settled=True, membership=None)
    page = client.get(f"/en/build-check/{check.verification_code}/").content.decode()
    assert "blurred to a cell" in page


def drawn(client, **form) -> list[dict]:
    """The features of the page's map."""
    answer = client.get("/build-check/", {"kind": "tower", "place": HERE.json, "area": "settled", **form})
    assert answer.status_code == 200
    return answer.context["near"]["features"]


def test_what_is_near_is_drawn_as_the_reader_is_shown_it(world, client_as, client, django_assert_max_num_queries):
    exact = make.make_resource(world.power, name="公开塔", place=NEAR, disclosure="exact")
    make.make_resource(world.power, name="模糊塔", place=NEAR, disclosure="blurred")
    make.make_resource(world.power, name="只计数塔", place=NEAR, disclosure="existence")
    demand_list = make.make_list(world.bureau, state="in_force", submitted_by=world.carol, published_by=world.chen)
    make.make_line(demand_list, world.operator, title="需要一座塔", place=HERE)
    for browser, names_seen in ((client, {"公开塔", "模糊塔"}), (client_as("dave"), {"公开塔", "模糊塔"})):
        features = {row["properties"]["label"]: row for row in drawn(browser)}
        assert names_seen | {"需要一座塔"} <= set(features)
        assert "只计数塔" not in features
        assert features["模糊塔"]["geometry"]["coordinates"] != [NEAR.x, NEAR.y]
        assert features["模糊塔"]["properties"]["is_blurred"]
    assert features["公开塔"]["geometry"]["coordinates"] == [NEAR.x, NEAR.y]
    assert features["公开塔"]["properties"]["url"] == f"/resources/{exact.pk}/"
    for number in range(3):
        make.make_resource(world.power, name=f"又一座{number}", place=NEAR, disclosure="exact")
    with django_assert_max_num_queries(24):
        drawn(client)
