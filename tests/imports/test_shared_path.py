"""The whole path on real places: Ibiza's cell sites, its schools, and one match carried to a signed PDF."""

import csv
import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.utils import timezone

from accounts.models import Region
from agreements.documents import store_pdf
from listings.actions import demand_lists, imports, lifecycle
from listings.models import DemandLine, Reservation, Resource
from matching import actions as matching
from matching import runner
from matching.models import MatchResult
from tests.agreements.story import accept, ask, en, offer, sign, zh
from tests.imports.conftest import take, upload
from tests.world import make_organisation, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]
BOX = (1.1, 38.6, 1.7, 39.2)  # Ibiza and Formentera, degrees
TOLERANCE_M = 3_000
SMALL = 25  # rows of each file in the quick edition


@pytest.fixture
def island(world):
    """A jurisdiction around the island, no real division, with its own bureau: Ines curates, Pau publishes."""
    box = MultiPolygon(Polygon.from_bbox(BOX))
    region = Region.objects.create(
        code="990000", level=1, parent_id="100000", name_zh="伊维萨（测试）", name_en="Ibiza (test)", polygon=box
    )
    bureau = make_organisation("Island Bureau", region=region.pk, is_bureau=True)
    curator, publisher = make_user("Ines", bureau, "curator"), make_user("Pau", bureau, "publisher")
    return region, curator.memberships.get(), publisher.memberships.get()


def first_rows(path, count) -> bytes:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(lines[: count + 1] if count else lines).encode()


def offer_sites(world, folder, count) -> int:
    """Alice's company imports the sites as towers and publishes them; gives how many."""
    alice = world.as_["alice"]
    job, _new = imports.upload_file(
        membership=alice, file=upload("cell-sites.csv", first_rows(folder / "cell-sites.csv", count)), kind="tower"
    )
    assert (job.mapping["latitude"], job.mapping["longitude"]) == ("lat", "lon")
    imports.set_columns(
        job=job,
        membership=alice,
        mapping={
            "owner_code": "source_ict_id", "name": "source_ict_id", "latitude": "lat", "longitude": "lon",
            "height_m": "antenna_height", "platform_heights_m": "antenna_height",
        },
        constants={
            "tower_type": "telecom_tower", "positions_total": "3", "positions_in_use": "2", "disclosure": "exact",
            "price_yuan": "12000",
        },
    )  # fmt: skip
    job = imports.set_place(job=job, membership=alice, crs="EPSG:4326", is_abroad=True)
    assert (job.state, job.counts["error"]) == ("ready", 0), job.counts["by_code"]
    imports.confirm(job=job, membership=alice)
    made = Resource.objects.filter(import_job=job)
    bulk = lifecycle.publish_many(resources=made.order_by("pk"), by=world.alice, membership=alice)
    assert bulk.done == job.row_count == made.count(), bulk.left
    return bulk.done


def ask_for_schools(world, folder, island, count):
    """The bureau imports the schools as lines for Dave's operator; a second person publishes; the list is in force."""
    region, curator, publisher = island
    row = demand_lists.create_list(membership=curator, region=region, title_zh="学校覆盖需求（测试）", batch="2026H2")
    job = take(
        curator,
        "points-of-interest.csv",
        first_rows(folder / "points-of-interest.csv", count),
        kind="",
        demand_list=row,
        mapping={
            "applicant_code": "source_poi_id", "title": "source_poi_id", "latitude": "lat", "longitude": "lon",
            "kind": "",
        },
        constants={
            "applicant_name": world.operator.name_zh, "kind": "tower", "quantity": "1",
            "tolerance_m": str(TOLERANCE_M),
        },
    )  # fmt: skip
    assert (job.state, job.counts["error"]) == ("ready", 0), job.counts["by_code"]
    imports.confirm(job=job, membership=curator)
    assert row.lines.count() == job.row_count
    row = demand_lists.submit(demand_list=row, membership=curator)
    row = demand_lists.publish(demand_list=row, membership=publisher)
    assert demand_lists.bring_into_force(demand_list=row, now=row.notice_ends_at + dt.timedelta(seconds=1))
    row.refresh_from_db()
    return row


def ground_distances(folder) -> dict[tuple[str, str], float]:
    """(school, site) → metres, as the publisher computed them; by the codes our files are imported under."""
    names = {}
    for file, key, code in (
        ("cell-sites.csv", "ict_id", "source_ict_id"),
        ("points-of-interest.csv", "poi_id", "source_poi_id"),
    ):
        with (folder / file).open(encoding="utf-8", newline="") as rows:
            names |= {row[key]: row[code] for row in csv.DictReader(rows)}
    with (folder / "visibility.csv").open(encoding="utf-8", newline="") as rows:
        return {
            (names[r["poi_id"]], names[r["ict_id"]]): float(r["ground_distance"])
            for r in csv.DictReader(rows)
            if r["poi_id"] in names and r["ict_id"] in names
        }


def check_verdicts(run, folder) -> int:
    """Met lines lie within the limit, no position is given twice, and distances are those the publisher computed for
    the same pairs (in whole metres). Gives how many distances were compared."""
    results = MatchResult.objects.filter(run=run).select_related("line", "resource").order_by("line__number")
    met = [result for result in results if result.verdict == "met"]
    assert results.count() == run.figures["lines"]
    assert met
    assert all(result.distance_m <= TOLERANCE_M for result in met)
    assert len({result.resource_id for result in met}) == len(met)  # one position is free on each site
    assert all(result.reasons for result in results)
    theirs = ground_distances(folder)
    pairs = [(theirs.get((r.line.applicant_code, r.resource.owner_code)), r.distance_m) for r in met]
    compared = [(there, here) for there, here in pairs if there is not None]
    assert all(here == pytest.approx(there, rel=0.01, abs=2) for there, here in compared)
    return len(compared)


def sign_one(world, client_as, run):
    """One met line: request, offer, acceptance, two signatures, PDF, and the public page that knows it."""
    result = MatchResult.objects.filter(run=run, verdict="met").select_related("line", "resource").first()
    line = DemandLine.objects.select_related("demand_list__bureau", "applicant").get(pk=result.line_id)
    resource = Resource.objects.get(pk=result.resource_id)
    page = client_as("dave").get(en("line_matches", line.pk)).content.decode()
    assert resource.name in page
    pool = resource.pools.get()
    case = ask(world, resource, quantities={pool.pk: Decimal(1)}, line=line)
    agreement = accept(world, offer(world, case, price_fen=1_150_000))
    sign(world, agreement, "alice")
    sign(world, agreement, "dora")
    agreement.refresh_from_db()
    line.refresh_from_db()
    assert (agreement.state, line.state) == ("signed", "fulfilled")
    kept = Reservation.objects.filter(pool=pool).exclude(state="released").get()
    assert (kept.state, kept.quantity) == ("confirmed", 1)
    assert store_pdf(agreement)
    agreement.refresh_from_db()
    download = client_as("dora").get(zh("agreement_pdf", agreement.pk))
    assert b"".join(download.streaming_content).startswith(b"%PDF")
    checked = client_as("nora").get(en("agreement_verify"), {"code": agreement.verification_code})
    assert checked.status_code == 200
    assert agreement.reference in checked.content.decode()


def walk(world, island, client_as, folder, count) -> int:
    sites = offer_sites(world, folder, count)
    row = ask_for_schools(world, folder, island, count)
    curator = island[1]
    run = matching.start(demand_list=row, by=curator.user, membership=curator)
    runner.execute(run.pk)
    run.refresh_from_db()
    assert run.state == "done", run.failure
    assert sites == (count or 100)
    compared = check_verdicts(run, folder)
    sign_one(world, client_as, run)
    return compared


def test_a_quarter_of_the_island_to_a_signed_agreement(world, island, client_as, shared_data, fresh_limits):
    assert walk(world, island, client_as, shared_data / "demand_itu_ibiza", SMALL) >= 1


@pytest.mark.slow
def test_the_whole_island_to_a_signed_agreement(world, island, client_as, shared_data, fresh_limits):
    began = timezone.now()
    assert walk(world, island, client_as, shared_data / "demand_itu_ibiza", 0) >= 10
    assert timezone.now() - began < dt.timedelta(minutes=2)
