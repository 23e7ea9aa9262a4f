"""Works of several parties: milestones, papers, inspections by the checklist, shares as resources and as money."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Point
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from agreements.models import Project
from agreements.projects import actions, states
from listings.models import Resource, Standard
from messaging.models import Notification
from tests.projects import building
from tests.projects.test_steps import refused_by_sql, signed, who
from tests.projects.test_walk import closed, joined, notice


@pytest.fixture
def works(world):
    """A trench under construction: alice leads with 2 bores, dave takes 1, eve 3."""
    building.checklist()
    project = notice(world)
    joined(world, project, "dave")
    joined(world, project, "eve", units=Decimal(3))
    closed(project)
    return signed(world, actions.agree(project=project, **who(world, "alice")), "alice", "dora", "eve")


def call(world, project):
    actions.advance(project=project, verb="call", **who(world, "alice"))
    project.refresh_from_db()


def test_rectified_then_accepted_by_all_with_shares_and_balances(world, works):
    call(world, works)
    with pytest.raises(Refused, match="drawing, Photo"):
        building.inspect(world, works, "dave")
    with pytest.raises(Refused, match="rectified"):
        building.inspect(world, works, "dave", r2="fail")
    assert building.inspect(world, works, "dave", r2="fail", note="0.5 m only").verdict == "rectify"
    works.refresh_from_db()
    assert (works.state, works.reason) == ("building", "0.5 m only")
    building.papers(world, works)
    call(world, works)
    key, tested = uuid4(), timezone.localdate() - dt.timedelta(days=1)
    passed = building.inspect(world, works, "dave", key=key, as_built={"mandrel_tested_on": tested})
    assert building.inspect(world, works, "dave", key=key) == passed  # twice is once
    with pytest.raises(Refused, match="has accepted"):
        building.inspect(world, works, "dave")
    with pytest.raises(NotPermitted):
        building.inspect(world, works, "alice")
    assert not works.entries.exists()
    building.inspect(world, works, "eve")
    works.refresh_from_db()
    assert (works.state, works.accepted_on) == ("accepted", timezone.localdate())
    made = {link.organisation: link.resource for link in works.kept.select_related("resource").order_by("pk")}
    assert {party.name_en: row.pools.get().total for party, row in made.items()} == {
        world.power.name_en: 2, world.operator.name_en: 1, world.evil.name_en: 3
    }  # fmt: skip
    for party, row in made.items():
        assert (row.owner, row.state, row.lifecycle, row.quality) == (party, "draft", "in_service", "valid")
        assert row.pools.get().free == 0
    share = made[world.operator]
    assert share.duct.mandrel_tested_on == tested
    assert works.reference in share.provenance["mandrel_tested_on"]["source"]
    assert Notification.objects.filter(code="notice.project.built", user=world.dave).count() == 1
    owed = {party["uscc"]: party["share_fen"] for party in works.terms["parties"]}
    owing = {world.operator.pk: owed[world.operator.uscc], world.evil.pk: owed[world.evil.uscc]}
    assert states.owing(works) == owing


def test_finishing_waits_for_what_is_owed(world, works, client):
    building.accept(world, works, "dave", "eve")
    with pytest.raises(Refused, match="owed"):
        actions.advance(project=works, verb="finish", **who(world, "alice"))
    dave = works.parties.get(organisation=world.operator)
    with pytest.raises(NotPermitted):
        actions.record_payment(party=dave, **who(world, "dave"))
    client.force_login(world.alice)
    for party in works.parties.order_by("pk"):
        client.post(reverse("project_payment", args=[works.pk, party.pk]))
    assert states.owing(works) == {}
    with pytest.raises(Refused, match="owes nothing"):
        actions.record_payment(party=dave, **who(world, "alice"))
    assert actions.advance(project=works, verb="finish", **who(world, "alice")).state == "finished"


def test_milestones_are_planned_and_reached(world, works, client):
    client.force_login(world.dave)
    day = timezone.localdate() + dt.timedelta(days=9)
    add = reverse("project_milestone_add", args=[works.pk])
    for given in ({"title": "Trench dug", "planned_for": day}, {"title": "Trench dug", "planned_for": day}, {}):
        client.post(add, given)
    one = works.milestones.get()
    assert (one.title, one.planned_for, one.is_late) == ("Trench dug", day, False)
    client.post(reverse("project_milestone_reach", args=[works.pk, one.pk]))
    one.refresh_from_db()
    assert one.reached_on == timezone.localdate()
    with pytest.raises(Refused, match="not reached yet"):
        actions.reach_milestone(milestone=one, **who(world, "alice"))
    assert "Trench dug" in client.get(works.get_absolute_url()).content.decode()
    client.force_login(world.user("zhao"))
    assert client.post(add, {"title": "x", "planned_for": day}).status_code == 404


def test_the_pages_of_an_acceptance(world, works, client):
    page = reverse("project_acceptance", args=[works.pk])
    client.force_login(world.dave)
    assert client.get(page).status_code == 200
    for name, content, kind in (
        ("plan.pdf", building.make_papers.pdf(), "drawing"),
        ("a.png", building.picture(), "photo"),
    ):
        file = SimpleUploadedFile(name, content)
        client.post(reverse("project_document_add", args=[works.pk]), {"sort": kind, "file": file})
    assert works.documents.count() == 2
    client.post(reverse("project_document_add", args=[works.pk]), {"sort": "photo"})
    document = reverse("project_document", args=[works.documents.first().pk])
    assert client.get(document).headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    call(world, works)
    assert b"r_1" in client.get(page).content
    current = Standard.objects.get(code="D-ACC")
    form = {"key": uuid4(), "checklist": current.pk, "note": "", "r_1": "pass", "r_2": "pass"}
    assert client.post(page, form).status_code == 422  # point 3 has no result
    assert client.post(page, form | {"r_3": "na", "checklist": 0}).status_code == 422
    assert client.post(page, form | {"r_3": "na", "m_1": "Ø 90"}).url == works.get_absolute_url()
    assert "Ø 90" in client.get(page).content.decode()
    client.force_login(world.alice)
    assert client.get(page).status_code == 200
    assert client.post(page, form).status_code == 403
    client.force_login(world.user("zhao"))
    assert [client.get(one).status_code for one in (page, document)] == [404, 404]
    Standard.objects.filter(type="acceptance").delete()
    client.force_login(world.eve)
    assert b"no acceptance checklist" in client.get(page).content
    with pytest.raises(Refused, match="no acceptance checklist"):
        actions.inspect(project=works, **who(world, "eve"), checklist=current, results={}, note="", key=uuid4())


def test_papers_belong_to_works_under_construction(world):
    project = notice(world)
    with pytest.raises(Refused, match="not possible"):
        building.hand_in(world, project)


def test_a_tower_is_one_thing_with_a_pool_for_each_party(world):
    project = notice(world, kind="tower", method="structure", unit="positions", place=Point(113.3, 23.12, srid=4326))
    joined(world, project, "dave")
    closed(project)
    project = signed(world, actions.agree(project=project, **who(world, "alice")), "alice", "dora")
    building.accept(world, project, "dave")
    tower = Resource.objects.get(of_works__project=project)
    assert (tower.kind, tower.owner) == ("tower", world.power)
    assert dict(tower.pools.values_list("label", "total")) == {world.power.name_zh: 2, world.operator.name_zh: 1}


def test_a_trench_drawn_as_a_point_makes_no_line(world):
    project = notice(world, place=Point(113.3, 23.12, srid=4326))
    joined(world, project, "dave")
    closed(project)
    project = signed(world, actions.agree(project=project, **who(world, "alice")), "alice", "dora")
    assert building.accept(world, project, "dave").state == "accepted"
    assert not project.kept.exists()


def test_what_was_found_handed_in_and_owed_stays(world, works):
    building.accept(world, works, "dave", "eve")
    for statement in (
        "UPDATE agreements_projectinspection SET note = 'x' WHERE project_id = %s",
        "DELETE FROM agreements_projectdocument WHERE project_id = %s",
        "UPDATE agreements_projectentry SET fen = 0 WHERE project_id = %s",
        "INSERT INTO agreements_projectentry (project_id, organisation_id, sort, fen, entered_at) SELECT project_id,"
        " organisation_id, 'due', 1, now() FROM agreements_projectentry WHERE project_id = %s",
    ):
        refused_by_sql(statement, works.pk)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agreements_projectinspection (project_id, number, round, organisation_id, verdict, checklist,"
            " points, as_built, note, made_by_id, made_at, key) SELECT project_id, 99, round, organisation_id, verdict,"
            " checklist, points, as_built, note, made_by_id, made_at, gen_random_uuid() FROM"
            " agreements_projectinspection WHERE project_id = %s LIMIT 1", [works.pk],
        )  # fmt: skip
    assert Project.objects.get(pk=works.pk).state == "accepted"
