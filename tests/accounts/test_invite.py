"""Invite a colleague by mail; take the invitation up, signed in or new; wrong people are told so."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Event, Invitation, JoinRequest, Membership, RegionRule
from tests.accounts.addresses import english
from tests.world import PASSWORD, make_user


def invite(client, email="nora@example.org", roles=("editor", "viewer")):
    return client.post(english("invitation_new"), {"email": email, "roles": list(roles)}, follow=True)


@pytest.fixture
def invitation(world):
    return Invitation.objects.create(
        organisation=world.power,
        email="nora@example.org",
        roles=["negotiator"],
        invited_by=world.alice,
        expires_at=timezone.now() + dt.timedelta(days=3),
    )


def test_an_administrator_invites_by_mail(client_as, world, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        page = invite(client_as("alice"), "New.Person@Example.org")
    made = Invitation.objects.get()
    assert (made.email, made.roles) == ("new.person@example.org", ["editor", "viewer"])
    assert made.expires_at > timezone.now() + dt.timedelta(days=12)  # ten working days
    assert "new.person@example.org" in page.content.decode()
    assert mail.outbox[0].to == ["new.person@example.org"]
    assert reverse("invitation_accept", args=[made.token]) in mail.outbox[0].body
    assert "Invitation to Pearl Power" in mail.outbox[0].subject
    assert Event.objects.get(verb="invitation.send").after["roles"] == ["editor", "viewer"]


@pytest.mark.parametrize(
    ("email", "roles", "sentence"),
    [
        ("bob@example.org", ["viewer"], "is a member already"),
        ("x@example.org", [], "Choose at least one role"),
        ("x@example.org", ["curator"], "curator"),  # a bureau's role
        ("not an address", ["viewer"], "valid email"),
    ],
)
def test_what_cannot_be_sent_is_named(client_as, world, email, roles, sentence):
    assert sentence in invite(client_as("alice"), email, roles).content.decode()
    assert not Invitation.objects.exists()


def test_one_open_invitation_per_address(client_as, world, invitation):
    assert "is open already" in invite(client_as("alice"), "NORA@example.org").content.decode()
    Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(days=1))
    invite(client_as("alice"))
    assert Invitation.objects.count() == 2


def test_open_invitations_are_capped(client_as, world, invitation):
    RegionRule.objects.create(
        region=world.regions["440000"], key="cap.open_invitations", value=1, source="test", valid_from="2020-01-01"
    )
    assert "1 invitations are open, which is the limit" in invite(client_as("alice"), "x@example.org").content.decode()


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_only_an_administrator_invites(client_as, world, who):
    assert client_as(who).get(reverse("invitation_new")).status_code == 403
    assert client_as(who).post(reverse("invitation_new"), {"email": "x@example.org"}).status_code == 403


def test_the_invited_person_joins_with_the_roles_offered(client_as, world, invitation):
    JoinRequest.objects.create(organisation=world.power, user=world.nora)
    client = client_as("nora")
    url = reverse("invitation_accept", args=[invitation.token])
    assert client.get(url).status_code == 200
    assert not Membership.objects.filter(user=world.nora).exists()  # looking accepts nothing
    answer = client.post(url)
    assert answer.headers["Location"] == reverse("my_work")
    assert Membership.objects.get(user=world.nora).roles == ["negotiator"]
    assert JoinRequest.objects.get().state == "accepted"
    invitation.refresh_from_db()
    assert invitation.accepted_at
    assert Event.objects.get(verb="invitation.accept").actor == world.nora
    assert world.power.name_zh in client.get(reverse("organisation_members")).content.decode()


def test_the_wrong_person_is_told_for_whom_it_is(client_as, world, invitation):
    page = client_as("eve").get(english("invitation_accept", invitation.token)).content.decode()
    assert "This invitation is for nora@example.org, and you are signed in as eve@example.org." in page
    page = client_as("eve").post(english("invitation_accept", invitation.token), follow=True).content.decode()
    assert "you are signed in as eve@example.org" in page
    assert not Membership.objects.filter(user=world.eve, organisation=world.power).exists()


def test_an_address_not_proved_does_not_count(client_as, world, invitation):
    world.nora.emailaddress_set.update(verified=False)
    client_as("nora").post(reverse("invitation_accept", args=[invitation.token]))
    assert not Membership.objects.filter(user=world.nora).exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"accepted_at": timezone.now()}, "has been used already"),
        ({"withdrawn_at": timezone.now()}, "was withdrawn"),
        ({"expires_at": timezone.now() - dt.timedelta(days=30)}, "has run out"),
    ],
)
def test_a_closed_invitation_says_why(client_as, world, invitation, change, sentence):
    Invitation.objects.filter(pk=invitation.pk).update(**change)
    url = english("invitation_accept", invitation.token)
    assert sentence in client_as("nora").get(url).content.decode()
    assert sentence in client_as("nora").post(url, follow=True).content.decode()
    assert not Membership.objects.filter(user=world.nora).exists()


def test_a_member_does_not_join_twice(client_as, world, invitation):
    Membership.objects.create(user=world.nora, organisation=world.power, roles=["viewer"])
    page = client_as("nora").post(english("invitation_accept", invitation.token), follow=True)
    assert "You are a member of Pearl Power already" in page.content.decode()


def test_a_link_nobody_sent_is_404(client, world):
    assert client.get(reverse("invitation_accept", args=["x" * 32])).status_code == 404


def test_an_administrator_withdraws(client_as, world, invitation):
    client_as("alice").post(reverse("invitation_withdraw", args=[invitation.pk]))
    invitation.refresh_from_db()
    assert invitation.withdrawn_at
    assert Event.objects.filter(verb="invitation.withdraw").count() == 1
    client_as("alice").post(reverse("invitation_withdraw", args=[invitation.pk]))  # again: refused, no second event
    assert Event.objects.filter(verb="invitation.withdraw").count() == 1


def test_withdrawing_is_for_its_organisations_administrators(client_as, world, invitation):
    url = reverse("invitation_withdraw", args=[invitation.pk])
    assert client_as("eve").post(url).status_code == 404
    assert client_as("bob").post(url).status_code == 403
    assert client_as("alice").get(url).status_code == 405


def test_a_new_person_signs_up_from_the_link_and_lands_on_it(world, django_capture_on_commit_callbacks):
    invitation = Invitation.objects.create(
        organisation=world.power, email="new@example.org", roles=["viewer"], invited_by=world.alice,
        expires_at=timezone.now() + dt.timedelta(days=3),
    )  # fmt: skip
    client = Client()
    here = reverse("invitation_accept", args=[invitation.token])
    page = client.get(here).content.decode()
    signup = re.search(r'href="([^"]*signup[^"]*email=[^"]*)"', page).group(1).replace("&amp;", "&")
    assert 'value="new@example.org"' in client.get(signup).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(
            signup,
            {"name": "New", "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD, "next": here},
        )
    code = re.search(r"^\s*([A-Z0-9-]{4,12})\s*$", mail.outbox[0].body, re.M).group(1)
    answer = client.post(reverse("account_email_verification_sent"), {"code": code})
    assert answer.headers["Location"] == here
    client.post(here)
    assert Membership.objects.get(user__email="new@example.org").roles == ["viewer"]


def test_two_administrators_inviting_one_person_are_told_of_each_other(client_as, world):
    world.users["ada"] = make_user("Ada", world.power, "admin")
    invite(client_as("alice"))
    assert "is open already" in invite(client_as("ada")).content.decode()
