"""Find an organisation and ask; its administrator accepts with roles or declines."""

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from accounts.models import Event, JoinRequest, Membership
from tests.accounts.addresses import english
from tests.world import make_organisation


@pytest.fixture
def asked(world):
    return JoinRequest.objects.create(organisation=world.power, user=world.nora, message="I run the west grid")


def search(client, query):
    return client.get(english("organisation_join"), {"q": query}).content.decode()


def test_it_is_found_by_code_and_by_part_of_either_name(client_as, world):
    client = client_as("nora")
    for query in (world.power.uscc, world.power.uscc.lower(), "明珠", "pearl"):
        assert "Pearl Power" in search(client, query)
    assert "Nothing found" in search(client, "no such name")
    assert "Pearl Power" not in search(client, "")


def test_finding_asks_no_more_for_more_rows(client_as, world, django_assert_max_num_queries):
    for number in range(25):
        make_organisation(f"Grid {number:02}")
    client = client_as("nora")
    search(client, "Grid")
    with django_assert_max_num_queries(12):
        page = search(client, "Grid")
    assert page.count('id="message-') == 20


def test_asking_tells_the_administrator(client_as, world, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = client_as("nora").post(
            reverse("organisation_join"), {"organisation": world.power.pk, "message": "I run the west grid"}
        )
    assert answer.headers["Location"] == reverse("my_work")
    assert JoinRequest.objects.get().state == "pending"
    assert Event.objects.filter(verb="join_request.send", actor=world.nora).exists()
    assert [m.to for m in mail.outbox] == [["alice@example.org"]]
    assert "I run the west grid" in mail.outbox[0].body


def test_nobody_asks_twice_or_when_a_member(client_as, world, asked):
    page = client_as("nora").post(english("organisation_join"), {"organisation": world.power.pk})
    assert "You have asked already" in page.content.decode()
    page = client_as("bob").post(english("organisation_join"), {"organisation": world.power.pk})
    assert "You are a member of Pearl Power already" in page.content.decode()
    assert JoinRequest.objects.count() == 1


def test_no_organisation_no_request(client_as, world):
    page = client_as("nora").post(reverse("organisation_join"), {"organisation": 10**9})
    assert page.status_code == 200
    assert not JoinRequest.objects.exists()


def test_the_administrator_accepts_with_roles(client_as, world, asked, django_capture_on_commit_callbacks):
    assert "I run the west grid" in client_as("alice").get(reverse("organisation_members")).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client_as("alice").post(
            reverse("join_request_answer", args=[asked.pk]), {"answer": "accept", "roles": ["viewer", "editor"]}
        )
    assert Membership.objects.get(user=world.nora).roles == ["editor", "viewer"]
    asked.refresh_from_db()
    assert (asked.state, asked.answered_by) == ("accepted", world.alice)
    assert Event.objects.get(verb="join_request.accept").after["roles"] == ["editor", "viewer"]
    assert [m.to for m in mail.outbox] == [["nora@example.org"]]


def test_the_administrator_declines(client_as, world, asked, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        client_as("alice").post(reverse("join_request_answer", args=[asked.pk]), {"answer": "decline"})
    asked.refresh_from_db()
    assert asked.state == "declined"
    assert not Membership.objects.filter(user=world.nora).exists()
    assert "has declined your request" in mail.outbox[0].subject


@pytest.mark.parametrize(
    "data", [{"answer": "accept"}, {"answer": "accept", "roles": ["curator"]}, {"answer": "perhaps"}, {}]
)
def test_an_answer_that_says_too_little_changes_nothing(client_as, world, asked, data):
    client_as("alice").post(reverse("join_request_answer", args=[asked.pk]), data)
    asked.refresh_from_db()
    assert asked.state == "pending"
    assert not Membership.objects.filter(user=world.nora).exists()


def test_an_answer_is_given_once(client_as, world, asked):
    url = reverse("join_request_answer", args=[asked.pk])
    client_as("alice").post(url, {"answer": "decline"})
    client_as("alice").post(url, {"answer": "accept", "roles": ["viewer"]})
    assert not Membership.objects.filter(user=world.nora).exists()


def test_answering_is_for_its_organisations_administrators(client_as, world, asked):
    url = reverse("join_request_answer", args=[asked.pk])
    assert client_as("eve").post(url, {"answer": "accept", "roles": ["admin"]}).status_code == 404
    assert client_as("bob").post(url, {"answer": "accept", "roles": ["admin"]}).status_code == 403
    assert client_as("nora").post(url, {"answer": "accept", "roles": ["admin"]}).status_code == 302
    asked.refresh_from_db()
    assert asked.state == "pending"


def test_one_pending_request_per_person_and_organisation(world, asked):
    with pytest.raises(IntegrityError, match="join_request_once_pending"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_joinrequest (organisation_id, user_id, message, state, created_at) "
                "SELECT organisation_id, user_id, '', 'pending', now() FROM accounts_joinrequest WHERE id = %s",
                [asked.pk],
            )
