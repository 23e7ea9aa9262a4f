"""Routes over several owners' lines, co-build proposals, and news of supply, through whole runs."""

import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings.actions import lifecycle
from matching import actions, news
from matching.models import MatchResult, Proposal, Route
from messaging.actions import thread_about
from messaging.models import Notification
from tests.matching.test_run import HERE, METRE, north, run_now
from tests.world import make_line, make_list, make_resource

A, MIDDLE, B = (113.30, 23.13), (113.33, 23.13), (113.36, 23.13)


@pytest.fixture
def demand_list(world):
    return make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)


def cable(owner, *places, total=10, **fields):
    pool = {"unit": "core", "total": total, "price_fen_per_unit_year": 10_000}
    return make_resource(owner, "cable", place=LineString(*places, srid=4326), pools=[pool], **fields)


def connection_line(demand_list, world, **fields):
    given = {"kind": "cable", "quantity": 2, "place": LineString(A, B, srid=4326), "tolerance_m": 100, **fields}
    return make_line(demand_list, world.operator, **given)


def test_connection_no_single_cable_serves_is_met_over_two_owners(world, demand_list):
    first, second = cable(world.power, A, MIDDLE), cable(world.evil, MIDDLE, B)
    line = connection_line(demand_list, world)
    run = run_now(world, demand_list)
    result = MatchResult.objects.get(run=run, line=line)
    assert (result.verdict, result.resource) == ("met", None)
    assert run.figures["met"] == run.figures["met_by_route"] == 1
    route = result.routes.get(role="chosen")
    assert [leg["resource"] for leg in route.legs] == [first.pk, second.pk]
    assert route.transfers == 1
    assert route.length_m == pytest.approx(first.__class__.objects.get(pk=first.pk).length_m * 2, rel=0.01)
    assert route.cost_fen_per_year == pytest.approx(2 * 10_000 * route.length_m / 1000 + 100_000, rel=0.01)


def test_free_cables_carry_a_route_too(world, demand_list):
    """A run never ended here: the search's limit on cost began at nothing and was doubled."""
    for owner, ends in ((world.power, (A, MIDDLE)), (world.power, (MIDDLE, B))):
        pool = {"unit": "core", "total": 10, "price_fen_per_unit_year": 0}
        make_resource(owner, "cable", place=LineString(*ends, srid=4326), pools=[pool])
    line = connection_line(demand_list, world)
    route = MatchResult.objects.get(run=run_now(world, demand_list), line=line).routes.get(role="chosen")
    assert (route.cost_fen_per_year, route.gap_m, len(route.legs)) == (0, 0, 2)


def test_gap_is_offered_with_what_it_costs_to_build(world, demand_list):
    cable(world.power, A, (113.3295, 23.13))
    cable(world.power, (113.3305, 23.13), B)
    line = connection_line(demand_list, world)
    route = MatchResult.objects.get(run=run_now(world, demand_list), line=line).routes.get(role="chosen")
    assert route.gap_m == pytest.approx(102, abs=2)
    assert route.build_fen == pytest.approx(route.gap_m * 35_000, rel=0.01)
    assert [leg["kind"] for leg in route.legs] == ["segment", "build", "segment"]


def test_capacity_of_a_cable_is_shared_by_all_routes_and_the_refusal_names_it(world, demand_list):
    cable(world.power, A, MIDDLE, total=3)
    cable(world.evil, MIDDLE, B)
    lines = [connection_line(demand_list, world, priority=priority) for priority in (2, 1)]
    run = run_now(world, demand_list)
    low, high = (MatchResult.objects.get(run=run, line=line) for line in lines)
    assert (low.verdict, high.verdict) == ("unmet", "met")
    why = low.reasons[0]["route"]
    assert (why["binding"], len(why["lacking"])) == ("capacity", 1)


def test_sector_a_line_does_not_accept_carries_no_route(world, demand_list):
    cable(world.power, A, MIDDLE)
    cable(world.evil, MIDDLE, B)
    line = connection_line(demand_list, world, sectors=["power"])
    result = MatchResult.objects.get(run=run_now(world, demand_list), line=line)
    assert result.verdict == "unmet"
    assert result.reasons[0]["route"]["binding"] in ("no_way", "no_network")


def test_ceiling_holds_for_routes_too(world, demand_list):
    cable(world.power, A, MIDDLE)
    cable(world.evil, MIDDLE, B)
    line = connection_line(demand_list, world, ceiling_fen_per_year=1_000)
    result = MatchResult.objects.get(run=run_now(world, demand_list), line=line)
    assert result.reasons[0]["route"]["binding"] == "price"


def test_page_of_a_connection_shows_legs_and_one_request_per_owner(client_as, world, demand_list):
    first, second = cable(world.power, A, MIDDLE, name="West cable"), cable(world.evil, MIDDLE, B, name="East cable")
    line = connection_line(demand_list, world)
    run = run_now(world, demand_list)
    client = client_as("dave")
    page = client.get(reverse("line_matches", args=[line.pk])).content.decode()
    assert "West cable" in page
    for resource in (first, second):
        assert reverse("request_new", args=[resource.pk]) + f"?line={line.pk}" in page
    result = MatchResult.objects.get(run=run, line=line)
    shapes = client.get(reverse("routes_map", args=[result.pk])).json()["features"]
    assert shapes[-1]["geometry"]["type"] == "LineString"
    assert client_as("carol").get(reverse("run_detail", args=[run.pk])).status_code == 200


def test_two_chosen_routes_of_one_result_are_refused_by_the_database(world, demand_list):
    cable(world.power, A, MIDDLE)
    cable(world.evil, MIDDLE, B)
    connection_line(demand_list, world)
    run_now(world, demand_list)
    route = Route.objects.get(role="chosen")
    with pytest.raises(IntegrityError, match="route_chosen_once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO matching_route (result_id, role, rank, path, length_m, gap_m, build_fen, cost_fen_per_year,"
            " transfers, legs) SELECT result_id, role, 7, path, 1, 0, 0, 0, 0, '[]' FROM matching_route WHERE id = %s",
            [route.pk],
        )


@pytest.fixture
def proposal(world, demand_list):
    """Two applicants 150 m apart where there is no tower."""
    make_line(demand_list, world.operator, place=Point(*HERE), height_min_m=30, tolerance_m=300)
    make_line(demand_list, world.evil, place=north(150), quantity=2, tolerance_m=300)
    run_now(world, demand_list)
    return Proposal.objects.get()


def test_neighbouring_unmet_lines_of_two_applicants_make_a_proposal(proposal):
    assert (proposal.kind, proposal.height_m) == ("tower", 30)
    assert (proposal.cost_fen, proposal.alone_fen) == (30_000_000, 60_000_000)
    parties = list(proposal.parties.order_by("line__number"))
    assert [party.pro_rata_fen for party in parties] == [10_000_000, 20_000_000]
    assert [party.shapley_fen for party in parties] == [15_000_000, 15_000_000]
    for method in ("pro_rata_fen", "stand_alone_fen", "shapley_fen"):
        assert sum(getattr(party, method) for party in parties) == proposal.cost_fen
    assert proposal.steel_saved_kg == 8_000


def test_same_applicant_alone_makes_no_proposal(world, demand_list):
    for metres in (0, 100):
        make_line(demand_list, world.operator, place=north(metres))
    run_now(world, demand_list)
    assert not Proposal.objects.exists()


def test_existing_tower_within_the_same_site_rule_is_named(world, demand_list):
    tower = make_resource(world.power, place=north(320), condition="poor")
    make_line(demand_list, world.operator, place=Point(*HERE))
    make_line(demand_list, world.evil, place=north(100))
    run_now(world, demand_list)
    assert [row["resource"] for row in Proposal.objects.get().conflicts] == [tower.pk]


def test_shared_gap_makes_a_trench_proposal(world, demand_list):
    """Both routes cross the same gap: each stretch is shared by those who need it."""
    cable(world.power, A, (113.3295, 23.13))
    cable(world.power, (113.3305, 23.13), B)
    connection_line(demand_list, world)
    make_line(demand_list, world.evil, kind="cable", quantity=1, place=LineString(A, B, srid=4326), tolerance_m=100)
    run_now(world, demand_list)
    proposal = Proposal.objects.get(kind="trench")
    assert proposal.length_m == pytest.approx(102, abs=2)
    assert proposal.alone_fen == 2 * proposal.cost_fen
    assert sum(party.shapley_fen for party in proposal.parties.all()) == proposal.cost_fen


def test_sent_proposal_is_open_to_its_parties_and_to_nobody_else(client_as, world, proposal):
    address = reverse("proposal_detail", args=[proposal.pk])
    assert client_as("dave").get(address).status_code == 404
    assert client_as("carol").post(reverse("proposal_send", args=[proposal.pk])).status_code == 302
    assert client_as("dave").get(address).status_code == 200
    assert client_as("alice").get(address).status_code == 404
    assert Notification.objects.filter(user=world.dave, code="proposal.send").count() == 1
    assert Event.objects.about(proposal).filter(verb="proposal.send").exists()
    with pytest.raises(Refused) as refusal:
        actions.send_proposal(proposal=proposal, by=world.carol, membership=world.as_["carol"])
    assert refusal.value.code == "sent"


def test_sent_proposal_has_a_conversation_of_its_parties(client_as, world, proposal):
    address = reverse("proposal_detail", args=[proposal.pk])
    assert thread_about(proposal) is None
    actions.send_proposal(proposal=proposal, by=world.carol, membership=world.as_["carol"])
    talk = thread_about(proposal)
    there = {party.organisation for party in talk.parties.present()}
    applicants = {party.line.applicant for party in proposal.parties.all() if party.line.applicant}
    assert there == applicants | ({world.bureau} if len(applicants) < 2 else set())
    assert reverse("thread_detail", args=[talk.pk]) in client_as("dave").get(address).content.decode()
    page = client_as("dave").get(reverse("thread_detail", args=[talk.pk])).content.decode()
    assert f'value="line:{proposal.parties.first().line_id}"' in page
    assert client_as("alice").get(reverse("thread_detail", args=[talk.pk])).status_code == 404


def test_only_the_lists_bureau_sends(world, proposal):
    for name in ("dave", "zhao"):
        with pytest.raises(NotPermitted):
            actions.send_proposal(proposal=proposal, by=world.user(name), membership=world.as_[name])


def test_proposal_that_costs_more_than_each_alone_is_refused_by_the_database(proposal):
    with pytest.raises(IntegrityError, match="proposal_saves"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE matching_proposal SET cost_fen = alone_fen + 1 WHERE id = %s", [proposal.pk])


@pytest.fixture
def settled(monkeypatch):
    monkeypatch.setattr(news, "SETTLED", timezone.timedelta(0))


def publish(world, *resources):
    lifecycle.publish_many(resources=resources, by=world.alice, membership=world.as_["alice"])


def test_publication_tells_both_sides_once_however_many_resources(world, demand_list, settled):
    for metres in (0, 40):
        make_line(demand_list, world.operator, place=north(metres))
    drafts = [make_resource(world.power, place=north(10 * i), state="draft") for i in range(3)]
    publish(world, *drafts)
    assert news.tell_of_new_supply() > 0
    asked = Notification.objects.filter(user=world.dave, code="supply.would_serve")
    assert [row.payload for row in asked] == [{"count": 2}]
    assert Notification.objects.filter(user=world.alice, code="supply.wanted").count() == 1
    assert news.tell_of_new_supply() == 0


def test_publication_that_fits_nobody_tells_nobody(world, demand_list, settled):
    make_line(demand_list, world.operator, place=Point(*HERE), height_min_m=90)
    make_line(demand_list, world.power, place=Point(*HERE))
    make_line(demand_list, world.operator, place=Point(HERE[0], HERE[1] + 5_000 * METRE))
    publish(world, make_resource(world.power, place=Point(*HERE), state="draft"))
    assert news.tell_of_new_supply() == 0
    assert not Notification.objects.filter(code__startswith="supply.").exists()
