"""My work says who owes the next step of works built together; notices name organisations in the reader's language."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts import work
from agreements.projects import actions
from messaging.models import Notification
from tests.projects import building
from tests.projects.test_steps import ask, signed, who
from tests.projects.test_walk import closed, joined, notice


def mine(world, name):
    """What My work asks of the person about works."""
    items = [item for item in work.items_for(world.as_[name]) if str(item.kind) == "Planned works"]
    return [(str(item.title), item.group) for item in items]


def test_each_step_waits_for_whoever_owes_it(world, django_assert_max_num_queries):
    project = notice(world)
    assert mine(world, "alice") == mine(world, "dave") == []
    party = ask(world, project, "dave")
    assert mine(world, "alice") == [("Trench: answer who asks to join", "mine")]
    actions.answer(party=party, **who(world, "alice"), is_taken=True)
    closed(project)
    assert mine(world, "alice") == [("Trench: freeze the terms for signature", "mine")]
    project = actions.agree(project=project, **who(world, "alice"))
    assert mine(world, "dora") == [("Trench: sign the agreement", "mine")]
    assert mine(world, "dave") == [("Trench: sign the agreement", "others")]  # dave signs nothing
    project = signed(world, project, "alice", "dora")
    assert mine(world, "alice") == mine(world, "dave") == []
    building.checklist()
    actions.advance(project=project, verb="call", **who(world, "alice"))
    assert mine(world, "dave") == [("Trench: inspect the works", "mine")]
    building.papers(world, project)
    building.inspect(world, project, "dave")
    assert mine(world, "dave") == []
    assert mine(world, "alice") == [("Trench: record the payments", "mine")]
    actions.record_payment(party=project.parties.get(), **who(world, "alice"))
    with django_assert_max_num_queries(40):
        assert mine(world, "alice") == [("Trench: finish the project", "mine")]


def test_the_bureau_reads_what_lies_at_the_gate(world):
    project = notice(world, kind="tunnel", method="bored")
    given = {"reserved_bores": 4, "reserved_kva": Decimal(10)}
    actions.reserve(project=project, **who(world, "alice"), data=given)
    (item,) = [one for one in work.items_for(world.as_["carol"]) if str(one.kind) == "Planned works"]
    assert (str(item.title), item.group) == ("Reservation of Trench to sign off", "mine")
    assert item.due_at is not None
    assert mine(world, "zhao") == []
    actions.answer_reservation(project=project, is_signed_off=False, reason="More", **who(world, "carol"))
    assert mine(world, "carol") == []
    assert mine(world, "alice") == [("Trench: the bureau asks for changes of the reservation", "mine")]


@pytest.mark.parametrize(("language", "name"), [("en", "name_en"), ("zh-hans", "name_zh")])
def test_notices_name_the_organisation_in_the_readers_language(world, client, language, name):
    joined(world, notice(world), "dave")
    told = Notification.objects.get(code="notice.project.join", user=world.alice)
    assert told.payload["organisation_en"] == world.operator.name_en
    client.force_login(world.alice)
    prefix = "/en" if language == "en" else ""
    page = client.get(prefix + reverse("notification_list").removeprefix("/en")).content.decode()
    assert getattr(world.operator, name) in page.split("<main")[1]


def test_my_work_leads_to_ones_resources(world, client):
    client.force_login(world.alice)
    assert reverse("resource_list_own") in client.get(reverse("my_work")).content.decode().split("<main")[1]
