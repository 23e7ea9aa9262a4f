"""Bureaus come by command only."""

import re

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Event, Membership, Organisation, User
from accounts.permissions import is_bureau_staff
from tests.world import PASSWORD, uscc

CODE = uscc(77_000_001)


def create(**changes):
    options = {
        "name_zh": "广东省某局（虚构）",
        "name_en": "Some Bureau",
        "uscc": CODE,
        "region": "440000",
        "admin_email": "Head@Example.org",
        **changes,
    }
    call_command("create_bureau", **options)


def test_a_bureau_with_a_new_administrator_who_sets_a_password(
    world, fresh_limits, django_capture_on_commit_callbacks, capsys
):
    with django_capture_on_commit_callbacks(execute=True):
        create()
    bureau = Organisation.objects.get(uscc=CODE)
    membership = Membership.objects.select_related("organisation", "user").get(organisation=bureau)
    assert bureau.is_bureau
    assert is_bureau_staff(membership, "admin")
    assert membership.roles == ["admin", "curator"]
    assert not membership.user.has_usable_password()
    assert Event.objects.get(verb="organisation.create").actor is None
    assert mail.outbox[0].to == ["head@example.org"]
    assert "The person is new" in capsys.readouterr().out

    with django_capture_on_commit_callbacks(execute=True):
        Client().post(reverse("account_reset_password"), {"email": "head@example.org"})
    link = re.search(r"https?://[^/\s]+(/\S*password/reset/key/\S+)", mail.outbox[-1].body).group(1)
    client = Client()
    form_at = client.get(link).headers["Location"]
    client.post(form_at, {"password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.get(email="head@example.org").has_usable_password()


def test_somebody_who_is_here_becomes_its_administrator(world):
    create(admin_email="nora@example.org")
    assert Membership.objects.get(organisation__uscc=CODE).user == world.nora


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"region": "999999"}, "load_regions"),
        ({"uscc": CODE[:17] + "I"}, "cannot stand|不能出现"),
        ({"admin_email": "nobody"}, "."),
        ({"name_zh": ""}, "."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_stored(world, changes, sentence):
    before = (Organisation.objects.count(), User.objects.count())
    with pytest.raises(CommandError, match=sentence):
        create(**changes)
    assert (Organisation.objects.count(), User.objects.count()) == before


def test_a_code_in_use_is_refused(world):
    with pytest.raises(CommandError):
        create(uscc=world.power.uscc)


def test_nobody_declares_a_bureau_in_the_browser(client_as, world):
    client_as("nora").post(
        reverse("organisation_new"),
        {"name_zh": "假局", "uscc": CODE, "sector": "telecom", "region": "440000", "is_bureau": "on"},
    )
    assert not Organisation.objects.get(uscc=CODE).is_bureau
