"""Hand in, verify, send back: who may, what the clock says, who is told."""

import datetime as dt

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import signals
from accounts.models import Event, Organisation, RegionRule
from tests.world import make_organisation, make_user


@pytest.fixture
def submitted(world):
    """The newcomer, handed in."""
    Organisation.objects.filter(pk=world.unverified.pk).update(
        verification="submitted", submitted_at=timezone.now(), verification_due_at=timezone.now() + dt.timedelta(days=7)
    )
    world.unverified.refresh_from_db()
    return world.unverified


def answer(client, organisation, decision, note=""):
    return client.post(reverse("verification_answer", args=[organisation.pk]), {"decision": decision, "note": note})


def test_handing_in_starts_the_clock_and_tells_the_bureau(client_as, world, django_capture_on_commit_callbacks):
    told = []
    signals.organisation_submitted.connect(told_by := lambda **kw: told.append(kw["bureaus"]), weak=False)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            client_as("uma").post(reverse("organisation_submit_verification"))
    finally:
        signals.organisation_submitted.disconnect(told_by)
    world.unverified.refresh_from_db()
    assert world.unverified.verification == "submitted"
    assert world.unverified.verification_due_at > timezone.now() + dt.timedelta(days=4)  # five working days
    assert Event.objects.filter(verb="organisation.submit", organisation=world.unverified).count() == 1
    assert told == [[world.bureau]]
    assert sorted(m.to[0] for m in mail.outbox) == ["carol@example.org", "chen@example.org"]
    assert mail.outbox[0].subject.endswith("Newcomer awaits verification")
    assert "/en/verification/" in mail.outbox[0].body


def test_a_regions_own_rule_sets_the_clock(client_as, world):
    RegionRule.objects.create(
        region=world.regions["440000"], key="clock.verification", value=1, source="test", valid_from=dt.date(2020, 1, 1)
    )
    client_as("uma").post(reverse("organisation_submit_verification"))
    world.unverified.refresh_from_db()
    assert world.unverified.verification_due_at < timezone.now() + dt.timedelta(days=13)


def test_nobody_hands_in_twice_or_when_verified(client_as, world, submitted):
    client_as("uma").post(reverse("organisation_submit_verification"))
    client_as("alice").post(reverse("organisation_submit_verification"))
    assert not Event.objects.exists()


def test_only_an_administrator_hands_in(client_as, world):
    assert client_as("vera").post(reverse("organisation_submit_verification")).status_code == 403
    assert client_as("uma").get(reverse("organisation_submit_verification")).status_code == 405


@pytest.mark.parametrize("who", ["carol", "chen"])
def test_the_bureau_verifies(client_as, world, submitted, who, django_capture_on_commit_callbacks):
    assert submitted.name_zh in client_as(who).get(reverse("verification_queue")).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer(client_as(who), submitted, "verify")
    submitted.refresh_from_db()
    assert submitted.is_verified
    assert submitted.verified_by == world.user(who)
    assert submitted.verified_at
    event = Event.objects.get(verb="organisation.verify")
    assert (event.organisation, event.before, event.after) == (
        world.bureau, {"verification": "submitted"}, {"verification": "verified"},
    )  # fmt: skip
    assert [m.to for m in mail.outbox] == [["uma@example.org"]]
    assert f"organisation-{submitted.pk}" not in client_as(who).get(reverse("verification_queue")).content.decode()


def test_the_bureau_sends_back_with_a_note_and_the_organisation_hands_in_again(
    client_as, world, submitted, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer(client_as("carol"), submitted, "send_back", "Name differs from the register")
    submitted.refresh_from_db()
    assert (submitted.verification, submitted.verification_note) == ("rejected", "Name differs from the register")
    assert Event.objects.get(verb="organisation.send_back").reason == "Name differs from the register"
    assert "Name differs from the register" in mail.outbox[0].body
    client_as("uma").post(reverse("organisation_submit_verification"))
    submitted.refresh_from_db()
    assert submitted.verification == "submitted"


def test_sending_back_needs_a_note(client_as, world, submitted):
    page = answer(client_as("carol"), submitted, "send_back", "   ")
    assert page.status_code == 200
    assert f'id="note-{submitted.pk}"' in page.content.decode()
    submitted.refresh_from_db()
    assert submitted.verification == "submitted"


def test_another_jurisdiction_does_not_see_it(client_as, world, submitted):
    assert submitted.name_zh not in client_as("zhao").get(reverse("verification_queue")).content.decode()
    assert answer(client_as("zhao"), submitted, "verify").status_code == 404
    submitted.refresh_from_db()
    assert submitted.verification == "submitted"


@pytest.mark.parametrize("who", ["alice", "uma", "nora"])
def test_who_is_no_bureau_finds_no_queue(client_as, world, submitted, who):
    assert client_as(who).get(reverse("verification_queue")).status_code == 404
    assert answer(client_as(who), submitted, "verify").status_code == 404


def test_a_curator_alone_does_not_verify(client_as, world, submitted):
    world.users["curt"] = make_user("Curt", world.bureau, "curator")
    assert client_as("curt").get(reverse("verification_queue")).status_code == 403
    assert answer(client_as("curt"), submitted, "verify").status_code == 403


def test_nobody_is_verified_twice(client_as, world):
    verified_at = world.power.verified_at
    answer(client_as("carol"), world.power, "verify")
    world.power.refresh_from_db()
    assert world.power.verified_at == verified_at
    assert not Event.objects.exists()


def test_the_queue_asks_no_more_for_more_rows(client_as, world, django_assert_max_num_queries):
    now = timezone.now()
    for number in range(12):
        make_organisation(f"Waiting {number}", verified=False)
    Organisation.objects.filter(verification="unverified").update(
        verification="submitted", submitted_at=now, verification_due_at=now
    )
    client = client_as("carol")
    client.get(reverse("verification_queue"))
    with django_assert_max_num_queries(14):
        page = client.get(reverse("verification_queue"))
    assert page.content.decode().count('name="decision" value="verify"') == 13


def test_the_table_holds_what_a_verified_or_waiting_organisation_needs(world):
    statements = {
        "organisation_verified_has_time": "SET verification = 'verified', verified_at = NULL",
        "organisation_submitted_has_clock": "SET verification = 'submitted', submitted_at = NULL",
    }
    for constraint, change in statements.items():
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE accounts_organisation {change} WHERE id = %s", [world.unverified.pk])
