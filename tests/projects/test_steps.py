"""Works built together, step by step: joining, leaving, cancelling, rectifying, the gate's clock, what stays frozen."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.gis.geos import Point
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from agreements.models import Project
from agreements.projects import actions, documents
from matching import actions as matching_actions
from matching.models import Proposal, ProposalParty
from messaging.models import Notification
from tests import world as make
from tests.projects.test_walk import PASSWORD, closed, joined, notice


def who(world, name):
    return {"by": world.user(name), "membership": world.as_[name]}


def ask(world, project, name, **fields):
    return actions.join(project=project, **who(world, name), **{"units": Decimal(1), "own_fen": 0} | fields)


def refused_by_sql(statement, *values):
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def signed(world, project, *names):
    for name in names:
        actions.sign(project=project, **who(world, name), password=PASSWORD, terms_sha256=project.terms_sha256)
    project.refresh_from_db()
    return project


def test_declined_and_departed_parties_read_no_more_than_others(world, client):
    project = notice(world)
    party = ask(world, project, "dave")
    with pytest.raises(Refused, match="reason"):
        actions.answer(party=party, **who(world, "alice"), is_taken=False)
    with pytest.raises(NotPermitted):
        actions.answer(party=party, **who(world, "dave"), is_taken=True)
    actions.answer(party=party, **who(world, "alice"), is_taken=False, reason="No room")
    with pytest.raises(Refused, match="ask to join"):
        actions.answer(party=party, **who(world, "alice"), is_taken=True)
    joined(world, project, "eve")
    actions.leave(project=project, **who(world, "eve"), reason="Other plans")
    with pytest.raises(NotPermitted):
        actions.leave(project=project, **who(world, "eve"), reason="Again")
    assert dict(project.parties.values_list("state", "reason")) == {"declined": "No room", "left": "Other plans"}
    shown = Project.objects.filter(pk=project.pk)
    assert shown.visible_to(world.as_["dave"]).exists()
    actions.save(project=project, **who(world, "alice"), data={"disclosure": "parties"})
    for name in ("dave", "eve"):
        assert not shown.visible_to(world.as_[name]).exists()
    assert shown.visible_to(world.as_["alice"]).exists()
    assert shown.visible_to(world.as_["carol"]).exists()
    assert not shown.visible_to(world.as_["zhao"]).exists()


def test_closing_waits_for_its_day_and_cancelling_says_why(world):
    project = notice(world)
    ask(world, project, "dave")
    with pytest.raises(Refused, match="until"):
        actions.close(project=project, **who(world, "alice"))
    Project.objects.filter(pk=project.pk).update(join_until=timezone.localdate() - dt.timedelta(days=1))
    with pytest.raises(Refused, match="ended"):
        ask(world, project, "eve")
    actions.close(project=project, **who(world, "alice"))
    with pytest.raises(Refused, match="ask to join first"):
        actions.agree(project=project, **who(world, "alice"))
    with pytest.raises(Refused, match="reason"):
        actions.cancel(project=project, **who(world, "alice"), reason=" ")
    with pytest.raises(NotPermitted):
        actions.cancel(project=project, **who(world, "dave"), reason="x")
    assert actions.cancel(project=project, **who(world, "alice"), reason="No money").state == "cancelled"
    told = Notification.objects.filter(code="notice.project.cancel").values_list("user__name", flat=True)
    assert "Dave" in told
    assert Event.objects.filter(verb="project.cancel", reason="No money").count() == 1
    with pytest.raises(Refused):
        actions.publish(project=project, **who(world, "alice"))


def test_demand_nearby_is_told_once(world):
    demand_list = make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    make.make_line(demand_list, world.operator)
    make.make_line(demand_list, world.operator)
    project = notice(world)
    alerts = Notification.objects.filter(code="notice.project.alert")
    assert alerts.filter(user=world.dave).count() == 1
    assert not alerts.filter(user=world.eve).exists()
    with pytest.raises(Refused, match="kind"):
        actions.save(project=project, **who(world, "alice"), data={"kind": "tunnel"})
    notice(world, disclosure="parties")
    assert alerts.filter(user=world.dave).count() == 1


@pytest.mark.parametrize(("metres", "is_told"), [(950, True), (1_050, False)])
def test_demand_is_told_by_metres_in_every_direction(world, metres, is_told):
    """A degree of longitude is shorter than one of latitude: due east, 950 m are more degrees than 1,000 m north."""
    demand_list = make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    east = Point(113.34 + metres / 102_418, 23.13, srid=4326)  # metres of a degree of longitude at 23.13° N, WGS84
    make.make_line(demand_list, world.operator, place=east)
    notice(world)
    told = Notification.objects.filter(code="notice.project.alert", user=world.dave).exists()
    assert told == is_told


def test_agreed_works_stay_frozen_are_rectified_and_have_a_sealed_pdf(world, client):
    project = notice(world)
    joined(world, project, "dave")
    closed(project)
    project = actions.agree(project=project, **who(world, "alice"))
    refused_by_sql("UPDATE agreements_projectparty SET own_fen = 0 WHERE project_id = %s", project.pk)
    refused_by_sql("UPDATE agreements_projectparty SET state = 'left' WHERE project_id = %s", project.pk)
    refused_by_sql("DELETE FROM agreements_projectparty WHERE project_id = %s", project.pk)
    with pytest.raises(Refused, match="password"):
        actions.sign(project=project, **who(world, "dora"), password="x", terms_sha256=project.terms_sha256)
    with pytest.raises(Refused, match="not the text"):
        actions.sign(project=project, **who(world, "dora"), password=PASSWORD, terms_sha256="0" * 64)
    assert signed(world, project, "alice", "alice").state == "agreed"
    assert signed(world, project, "dora", "dora").state == "building"  # again after the last one: counted once
    assert project.signatures.count() == 2
    refused_by_sql("UPDATE agreements_projectsignature SET signer_name = 'x' WHERE project_id = %s", project.pk)
    assert documents.store_pdf(project.pk) is True
    assert documents.store_pdf(project.pk) is False
    client.force_login(world.dave)
    project.refresh_from_db()
    with project.pdf.open("rb") as file:
        copy = file.read()
    for content, is_known in ((copy, True), (copy[:-1] + b"x", False)):
        uploaded = SimpleUploadedFile("a.pdf", content, "application/pdf")
        told = client.post(reverse("agreement_verify"), {"file": uploaded})
        assert (told.context["project"] == project, project.reference in told.content.decode()) == (is_known, is_known)
    reply = client.get(reverse("project_pdf", args=[project.pk]))
    content = b"".join(reply.streaming_content)
    assert content.startswith(b"%PDF-")
    found = client.get(reverse("agreement_verify"), {"code": project.verification_code})
    assert found.url.endswith(reverse("project_verify", args=[project.verification_code]))


def test_silence_of_the_bureau_signs_nothing_off_and_goes_up_once(world):
    project = notice(world, kind="tunnel", method="bored")
    joined(world, project, "dave", power_kva=Decimal(5))
    given = {"reserved_bores": 4, "reserved_kva": Decimal(10)}
    with pytest.raises(Refused, match="power"):
        actions.reserve(project=project, **who(world, "alice"), data={"reserved_bores": 4})
    with pytest.raises(Refused, match="space"):
        actions.reserve(project=project, **who(world, "alice"), data={"reserved_kva": Decimal(10)})
    actions.reserve(project=project, **who(world, "alice"), data=given)
    with pytest.raises(NotPermitted):
        actions.answer_reservation(project=project, **who(world, "zhao"), is_signed_off=True)
    later = timezone.now() + dt.timedelta(days=60)
    assert actions.escalate_due() == 0
    assert [actions.escalate_due(now=later), actions.escalate_due(now=later)] == [1, 0]
    assert Notification.objects.filter(user=world.carol, code="notice.project.escalate").count() == 1
    project.refresh_from_db()
    assert project.gate == "escalated"
    refused_by_sql("UPDATE agreements_project SET state = 'agreed', terms_sha256 = 'x' WHERE id = %s", project.pk)
    carol = who(world, "carol")
    with pytest.raises(Refused, match="reason"):
        actions.answer_reservation(project=project, **carol, is_signed_off=False)
    actions.answer_reservation(project=project, **carol, is_signed_off=False, reason="More bores")
    actions.reserve(project=project, **who(world, "alice"), data=given)
    actions.answer_reservation(project=project, **carol, is_signed_off=True)
    joined(world, project, "eve", power_kva=Decimal(50))  # more power than was signed off
    closed(project)
    with pytest.raises(Refused, match="kVA"):
        actions.agree(project=project, **who(world, "alice"))
    actions.reserve(project=project, **who(world, "alice"), data=given | {"reserved_kva": Decimal(60)})
    actions.answer_reservation(project=project, **carol, is_signed_off=True)
    assert actions.agree(project=project, **who(world, "alice")).state == "agreed"


@pytest.fixture
def proposal(world):
    demand_list = make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    lines = [make.make_line(demand_list, organisation) for organisation in (world.operator, world.power)]
    run = matching_actions.start(demand_list=demand_list, **who(world, "carol"))
    made = Proposal.objects.create(
        run=run, number=1, kind="tower", place=lines[0].place, cost_fen=1_000, alone_fen=2_000
    )  # fmt: skip
    for line, units in zip(lines, (1, 2), strict=True):
        ProposalParty.objects.create(
            proposal=made, line=line, units=units, alone_fen=1_000, pro_rata_fen=500, stand_alone_fen=500,
            shapley_fen=500,
        )  # fmt: skip
    return made


def test_a_proposal_becomes_works_once_with_its_parties_invited(world, client, proposal):
    with pytest.raises(Refused, match="Send"):
        actions.open_from_proposal(proposal=proposal, **who(world, "carol"))
    matching_actions.send_proposal(proposal=proposal, **who(world, "carol"))
    with pytest.raises(NotPermitted):
        actions.open_from_proposal(proposal=proposal, **who(world, "dave"))
    client.force_login(world.carol)
    assert reverse("project_from_proposal", args=[proposal.pk]) in client.get(
        reverse("proposal_detail", args=[proposal.pk])
    ).content.decode()  # fmt: skip
    for _again in range(2):
        reply = client.post(reverse("project_from_proposal", args=[proposal.pk]))
        project = Project.objects.get()
        assert reply.url == project.get_absolute_url()
    assert (project.lead, project.lead_units, project.common_fen) == (world.power, 2, 1_000)
    with pytest.raises(Refused, match="already"):
        actions.open_from_proposal(proposal=proposal, **who(world, "carol"))
    assert project.parties.get().state == "invited"
    assert ask(world, project, "dave").state == "taken"  # who was invited needs no answer
    assert actions.close(project=project, **who(world, "alice")).state == "closed"
    assert actions.agree(project=project, **who(world, "alice")).state == "agreed"


def test_pages_of_each_step_and_the_number_of_queries(world, client, django_assert_max_num_queries):
    project = notice(world, kind="bridge", method="structure")
    party = ask(world, project, "dave", power_kva=Decimal(1))
    client.force_login(world.alice)
    for name in ("project_new", "project_list"):
        assert client.get(reverse(name)).status_code == 200
    for verb in ("reserve", "cancel"):
        assert client.get(reverse("project_step", args=[project.pk, verb])).status_code == 200
    assert client.post(reverse("project_step", args=[project.pk, "cancel"])).status_code == 422
    assert client.post(reverse("project_new")).status_code == 422
    assert client.get(reverse("project_edit", args=[project.pk])).status_code == 200
    client.post(reverse("project_answer", args=[project.pk, party.pk]), {"answer": "take"})
    party.refresh_from_db()
    assert party.state == "taken"
    with django_assert_max_num_queries(30):
        assert client.get(project.get_absolute_url()).status_code == 200
    given = {"reserved_bores": "2", "reserved_kva": "3"}
    client.post(reverse("project_step", args=[project.pk, "reserve"]), given)
    client.force_login(world.carol)
    client.post(reverse("project_step", args=[project.pk, "sign_off"]))
    project.refresh_from_db()
    assert project.gate == "signed_off"
    client.force_login(world.eve)
    assert client.get(reverse("project_join", args=[project.pk])).status_code == 200
    client.post(reverse("project_join", args=[project.pk]), {"units": "2", "own_yuan": "3.5", "note": "n"})
    assert project.parties.get(organisation=world.evil).own_fen == 350
