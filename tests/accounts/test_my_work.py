"""My work: what is due by clock, what waits on others, news, and never empty without a next step."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import work
from accounts.models import Invitation, JoinRequest, Organisation
from accounts.work import NEWS, OTHERS, WorkItem
from tests.accounts.addresses import english
from tests.world import make_organisation, make_user


def my_work(client):
    page = client.get(english("my_work"))
    assert page.status_code == 200
    return page.content.decode()


def test_anonymous_is_asked_to_sign_in(client, world):
    assert reverse("account_login") in client.get(reverse("my_work")).headers["Location"]


def test_a_person_without_organisation_reads_how_to_come_in(client_as, world):
    page = my_work(client_as("nora"))
    assert english("organisation_join") in page
    assert english("organisation_new") in page
    assert "Nothing waits for you." in page


@pytest.mark.parametrize(
    ("who", "first", "second"),
    [
        ("alice", "Put in what you could share", "Request space"),
        ("dave", "Request space", "Put in what you could share"),
    ],
)
def test_owners_read_first_how_to_share_and_operators_how_to_ask(client_as, world, who, first, second):
    page = my_work(client_as(who))
    assert 0 < page.index(first) < page.index(second)


def test_a_bureau_reads_its_own_steps(client_as, world):
    page = my_work(client_as("carol"))
    assert "Make a demand list" in page
    assert "Put in what you could share" not in page


def test_the_unverified_read_what_is_closed_to_them(client_as, world):
    sentence = "publishing and requesting open once its bureau has verified it"
    assert sentence in my_work(client_as("uma"))
    assert "Hand Newcomer in for verification" in my_work(client_as("uma"))
    assert sentence not in my_work(client_as("alice"))


def test_done_steps_are_ticked(client_as, world):
    assert "(done)" in my_work(client_as("uma"))
    before = my_work(client_as("alice")).count("(done)")
    client_as("alice").post(reverse("invitation_new"), {"email": "x@example.org", "roles": ["viewer"]})
    assert my_work(client_as("alice")).count("(done)") == before + 1


def test_items_of_this_room(client_as, world):
    soon = timezone.now() + dt.timedelta(days=2)
    Invitation.objects.create(
        organisation=world.power, email="nora@example.org", roles=["viewer"], invited_by=world.alice, expires_at=soon
    )
    JoinRequest.objects.create(organisation=world.power, user=world.eve)
    Organisation.objects.filter(pk=world.unverified.pk).update(
        verification="submitted", submitted_at=timezone.now(), verification_due_at=soon
    )
    assert "Pearl Power invites you" in my_work(client_as("nora"))
    assert "You asked to join Pearl Power" in my_work(client_as("eve"))
    alice = my_work(client_as("alice"))
    assert "Eve asks to join Pearl Power" in alice
    assert "nora@example.org has not answered" in alice
    assert "Eve asks" not in my_work(client_as("bob"))
    assert "The bureau is verifying Newcomer" in my_work(client_as("uma"))
    assert "Verify Newcomer" in my_work(client_as("carol"))
    assert "Verify Newcomer" not in my_work(client_as("zhao"))


def test_news_tell_what_others_did(client_as, world):
    Organisation.objects.filter(pk=world.unverified.pk).update(
        verification="submitted", submitted_at=timezone.now(), verification_due_at=timezone.now()
    )
    client_as("carol").post(reverse("verification_answer", args=[world.unverified.pk]), {"decision": "verify"})
    assert "Carol verified the organisation: " in my_work(client_as("uma"))


def test_items_are_sorted_by_clock_and_news_by_date():
    now = timezone.now()
    day = dt.timedelta(days=1)
    groups = work.grouped(
        [
            WorkItem("no clock", "/"),
            WorkItem("late", "/", due_at=now + 9 * day),
            WorkItem("over", "/", due_at=now - day),
            WorkItem("soon", "/", due_at=now + day),
            WorkItem("theirs", "/", group=OTHERS),
            WorkItem("older", "/", group=NEWS, at=now - day),
            WorkItem("newest", "/", group=NEWS, at=now),
        ]
    )
    assert [item.title for item in groups["mine"]] == ["over", "soon", "late", "no clock"]
    assert [item.title for item in groups["others"]] == ["theirs"]
    assert [item.title for item in groups["news"]] == ["newest", "older"]


def test_every_app_adds_its_own_through_the_registry(client_as, world, monkeypatch):
    monkeypatch.setattr(work, "PROVIDERS", list(work.PROVIDERS))

    @work.register
    def provider(membership):
        yield WorkItem(
            f"From above for {membership.user}", "/somewhere/", due_at=timezone.now() - dt.timedelta(days=20)
        )

    work.register(provider)  # imported twice: still once
    page = my_work(client_as("alice"))
    assert page.count("From above for Alice") == 1
    assert "/somewhere/" in page
    assert "working days over" in page


def test_it_asks_no_more_for_more_rows(client_as, world, django_assert_max_num_queries):
    now = timezone.now()
    for number in range(12):
        make_organisation(f"Waiting {number}", verified=False)
        JoinRequest.objects.create(organisation=world.bureau, user=make_user(f"Asker{number}"))
    Organisation.objects.filter(verification="unverified").update(
        verification="submitted", submitted_at=now, verification_due_at=now
    )
    client = client_as("carol")
    my_work(client)
    with django_assert_max_num_queries(40):  # other rooms' providers included, so that this is a ceiling only
        my_work(client)
