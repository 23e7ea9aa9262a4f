"""A trench of three parties from notice to acceptance, and a tunnel that waits for its reservation."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.gis.geos import LineString
from django.db import Error, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.errors import Refused
from agreements.models import Project
from agreements.projects import actions, states
from tests.projects import building
from tests.world import PASSWORD


def notice(world, **fields):
    today = timezone.localdate()
    data = {
        "title": "Trench", "kind": "pipe", "method": "open_cut", "disclosure": "members", "joinable": "bores",
        "join_until": today + dt.timedelta(days=30), "starts_on": today + dt.timedelta(days=60),
        "ends_on": today + dt.timedelta(days=200), "unit": "bores", "lead_units": Decimal(2), "common_fen": 10_000_001,
        "lead_own_fen": 50, "split": "shapley", "place": LineString((113.3, 23.12), (113.34, 23.13), srid=4326),
    } | fields  # fmt: skip
    made = actions.save(project=None, by=world.alice, membership=world.as_["alice"], data=data)
    return actions.publish(project=made, by=world.alice, membership=world.as_["alice"])


def joined(world, project, name, **fields):
    data = {"units": Decimal(1), "own_fen": 100} | fields
    party = actions.join(project=project, by=world.user(name), membership=world.as_[name], **data)
    return actions.answer(party=party, by=world.alice, membership=world.as_["alice"], is_taken=True)


def closed(project):
    Project.objects.filter(pk=project.pk).update(state="closed")


def test_three_parties_sign_build_and_accept(world, client):
    project = notice(world)
    joined(world, project, "dave")
    joined(world, project, "eve", units=Decimal(3))
    closed(project)
    alice = {"by": world.alice, "membership": world.as_["alice"]}
    project = actions.agree(project=project, **alice)
    paid = [party["share_fen"] for party in project.terms["parties"]]
    assert sum(paid) == 10_000_001 + 50 + 100 + 100
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE agreements_project SET common_fen = 1 WHERE id = %s", [project.pk])
    for name in ("alice", "dora", "eve"):
        client.force_login(world.user(name))
        page = client.get(reverse("project_agreement", args=[project.pk]))
        assert page.status_code == 200
        actions.sign(
            project=project, by=world.user(name), membership=world.as_[name], password=PASSWORD,
            terms_sha256=project.terms_sha256,
        )  # fmt: skip
    project.refresh_from_db()
    assert project.state == "building"
    assert building.accept(world, project, "dave", "eve").state == "accepted"
    assert client.get(reverse("project_detail", args=[project.pk])).status_code == 200
    assert client.get(reverse("project_list")).status_code == 200
    assert client.get(reverse("project_verify", args=[project.verification_code])).status_code == 200


def test_a_tunnel_waits_for_its_reservation(world):
    project = notice(world, kind="tunnel", method="bored")
    joined(world, project, "dave", power_kva=Decimal(20))
    closed(project)
    alice = {"by": world.alice, "membership": world.as_["alice"]}
    with pytest.raises(Refused, match="signs off"):
        actions.agree(project=project, **alice)
    with pytest.raises(Refused, match="kVA"):
        actions.reserve(project=project, data={"reserved_bores": 4, "reserved_kva": Decimal(10)}, **alice)
    actions.reserve(project=project, data={"reserved_bores": 4, "reserved_kva": Decimal(30)}, **alice)
    carol = {"by": world.carol, "membership": world.as_["carol"]}
    actions.answer_reservation(project=project, is_signed_off=True, **carol)
    assert actions.agree(project=project, **alice).state == "agreed"


def test_states_are_total():
    assert set(states.TRANSITIONS) == set(Project.State.values) == set(states.OWNERS)
    reached = {move.to for moves in states.TRANSITIONS.values() for move in moves.values() if move.to}
    assert reached == set(Project.State.values) - {"draft"}
