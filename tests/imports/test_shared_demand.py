"""Real needs as demand lists: schools of Ibiza and the planned fibre links of West Africa."""

import json

import pytest

from accounts.models import Region
from listings.actions import demand, imports
from tests.imports.conftest import take
from tests.world import make_list

pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]


@pytest.fixture
def abroad(world):
    """A draft for places outside China: a division without a polygon takes any place."""
    region = Region.objects.create(
        code="449900", level=2, parent=world.regions["440000"], name_zh="境外示范", name_en="Abroad"
    )
    return make_list(world.bureau, state="draft", region=region)


def stored(world, job):
    carol = world.as_["carol"]
    assert not job.counts.get("error"), [row.problems for row in job.rows.exclude(problems=[])[:3]]
    imports.confirm(job=job, membership=carol)
    imports.work(job.pk)
    rows = job.demand_list.lines.order_by("number")
    demand.submit(demand_list=job.demand_list, membership=carol)
    assert demand.publish(demand_list=job.demand_list, membership=world.as_["chen"]).state == "notice"
    return list(rows)


def test_the_schools_of_ibiza_become_a_list(world, abroad, shared_data):
    text = (shared_data / "demand_itu_ibiza" / "points-of-interest.csv").read_text(encoding="utf-8-sig")
    job = take(
        world.as_["carol"], "schools.csv", text, kind="", demand_list=abroad, is_abroad=True,
        mapping={"applicant_code": "poi_id", "title": "source_poi_id", "longitude": "lon", "latitude": "lat"},
        constants={"applicant_name": "示范教育局", "kind": "铁塔", "quantity": "1"},
    )  # fmt: skip
    lines = stored(world, job)
    assert len(lines) == 100
    assert {line.kind for line in lines} == {"tower"}
    assert all(1.1 < line.place.x < 1.7 and 38.6 < line.place.y < 39.2 for line in lines)


def test_the_planned_links_of_west_africa_become_a_list(world, abroad, shared_data):
    features = []
    for path in sorted((shared_data / "telecom_fibre_watra").glob("*_lines.geojson")):
        rows = json.loads(path.read_text(encoding="utf-8"))["features"]
        features += [row for row in rows if str(row["properties"].get("status", "")).startswith("Plan")]
    assert len(features) == 38
    for row in features:
        head = row["properties"]
        is_named = head.get("operator_name") not in (None, "", "Unknown")  # a word for a missing value is refused
        row["properties"] = {
            "line_id": head["line_id"], "name": f"{head.get('from')} – {head.get('to')}",
            "operator": head["operator_name"] if is_named else "An operator without a name",
        }  # fmt: skip
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    job = take(
        world.as_["carol"], "planned.geojson", text, kind="", demand_list=abroad, is_abroad=True,
        mapping={"applicant_code": "line_id", "title": "name", "applicant_name": "operator"},
        constants={"kind": "光缆", "quantity": "2"},
    )  # fmt: skip
    lines = stored(world, job)
    assert len(lines) == 38
    assert {line.place.geom_type for line in lines} <= {"LineString", "MultiLineString"}
