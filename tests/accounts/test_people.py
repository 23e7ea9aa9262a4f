"""Sign up, prove the address by code, sign in; change one's name; who may open the curation desk."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Event, Membership, Organisation, User
from tests.accounts.addresses import english
from tests.world import PASSWORD, make_user


@pytest.fixture(autouse=True)
def _no_old_limits(fresh_limits):
    """Each test of this file starts its rate limits at zero."""


def sign_up(client, **changes):
    person = {"name": "Nina New", "email": "Nina@Example.org", "password1": PASSWORD, "password2": PASSWORD}
    return client.post(reverse("account_signup"), {**person, **changes})


def test_signing_up_with_a_name_and_the_code_from_the_mail(db, django_capture_on_commit_callbacks):
    client = Client()
    with django_capture_on_commit_callbacks(execute=True):
        answer = sign_up(client)
    assert answer.headers["Location"] == reverse("account_email_verification_sent")
    user = User.objects.get(email="nina@example.org")
    assert user.name == "Nina New"
    assert client.get(reverse("my_work")).status_code == 302  # not signed in before the code

    assert client.post(reverse("account_email_verification_sent"), {"code": "WRONG1"}).status_code == 200
    code = re.search(r"^\s*([A-Z0-9-]{4,12})\s*$", mail.outbox[0].body, re.M).group(1)
    answer = client.post(reverse("account_email_verification_sent"), {"code": code})
    assert answer.headers["Location"] == reverse("my_work")
    assert EmailAddress.objects.get(user=user).verified
    assert client.get(reverse("my_work")).status_code == 200


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"email": "nobody"}, {"password1": "short", "password2": "short"}, {"password2": "other"}]
)
def test_a_sign_up_that_lacks_something_stores_nobody(db, changes):
    assert sign_up(Client(), **changes).status_code == 200
    assert not User.objects.exists()


def test_an_address_in_use_is_not_given_away(world, django_capture_on_commit_callbacks):
    before = User.objects.count()
    with django_capture_on_commit_callbacks(execute=True):
        answer = sign_up(Client(), email="alice@example.org")
    assert answer.headers["Location"] == reverse("account_email_verification_sent")
    assert User.objects.count() == before
    assert mail.outbox[0].to == ["alice@example.org"]


def test_signing_in_by_address_in_any_case(world):
    client = Client()
    answer = client.post(reverse("account_login"), {"login": "ALICE@example.org", "password": PASSWORD})
    assert answer.headers["Location"] == reverse("my_work")
    assert Client().post(reverse("account_login"), {"login": "alice@example.org", "password": "no"}).status_code == 200


def test_one_address_one_person_in_any_case(world):
    with pytest.raises(IntegrityError, match="user_email_any_case_unique"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_user SET email = 'ALICE@example.org' WHERE email = 'bob@example.org'")


def test_the_profile_shows_memberships_and_changes_the_name(client_as, world):
    client = client_as("bob")
    page = client.get(english("profile")).content.decode()
    assert "Pearl Power" in page
    for name in ("account_email", "account_change_password", "mfa_index"):
        assert english(name) in page
    client.post(english("profile"), {"name": "  Robert   Smith "})
    world.bob.refresh_from_db()
    assert world.bob.name == "Robert Smith"
    assert Event.objects.get(verb="user.change_name").before == {"name": "Bob"}
    for bad in ("", "x" * 81):
        assert client.post(english("profile"), {"name": bad}).status_code == 200
    world.bob.refresh_from_db()
    assert world.bob.name == "Robert Smith"


def test_the_profile_of_somebody_without_organisation_says_what_to_do(client_as, world):
    page = client_as("nora").get(english("profile")).content.decode()
    assert "You belong to no organisation yet." in page


def may_curate(user) -> bool:
    return User.objects.get(pk=user.pk).has_perm("wagtailadmin.access_admin")


@pytest.mark.parametrize(
    ("who", "may"), [("carol", True), ("chen", True), ("alice", False), ("uma", False), ("nora", False)]
)
def test_only_a_bureaus_staff_may_curate(world, who, may):
    user = world.user(who)
    assert may_curate(user) is may
    assert User.objects.get(pk=user.pk).has_perm("listings.change_demandlist") is may


def test_curating_ends_with_role_membership_verification_or_person(world):
    viewer = make_user("Vic", world.bureau, "viewer")
    assert not may_curate(viewer)
    assert may_curate(world.carol)
    Organisation.objects.filter(pk=world.bureau.pk).update(verification="rejected")
    assert not may_curate(world.carol)
    Organisation.objects.filter(pk=world.bureau.pk).update(verification="verified")
    User.objects.filter(pk=world.carol.pk).update(is_active=False)
    assert not may_curate(world.carol)
    Membership.objects.filter(user=world.chen).update(ended_at="2026-01-01T00:00Z")
    assert not may_curate(world.chen)


def test_the_curation_desk_opens_for_them_in_the_browser(client_as, world):
    assert client_as("carol").get("/cms/", follow=True).status_code == 200
    for who in ("alice", "nora"):
        assert client_as(who).get("/cms/").status_code in (302, 403, 404)


def test_a_password_alone_never_passes_the_membership_backend(world):
    from accounts.backends import MembershipBackend

    assert MembershipBackend().authenticate(None, username="alice@example.org", password=PASSWORD) is None
