"""Roles change, memberships end, and an organisation never loses its last administrator."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Event, Membership
from tests.accounts.addresses import english
from tests.world import make_user


def end(client, membership):
    return client.post(english("membership_end", membership.pk), follow=True)


def test_all_members_read_the_list_and_only_administrators_act(client_as, world):
    for who, may_act in [("alice", True), ("bob", False), ("vera", False)]:
        page = client_as(who).get(reverse("organisation_members")).content.decode()
        assert "bob@example.org" in page
        assert (reverse("invitation_new") in page) is may_act
        assert (reverse("membership_edit", args=[world.as_["bob"].pk]) in page) is may_act


def test_a_person_without_organisation_is_led_to_the_next_step(client_as, world):
    assert client_as("nora").get(reverse("organisation_members")).headers["Location"] == reverse("my_work")


def test_roles_change(client_as, world):
    bob = world.as_["bob"]
    client = client_as("alice")
    assert "checked" in client.get(reverse("membership_edit", args=[bob.pk])).content.decode()
    client.post(reverse("membership_edit", args=[bob.pk]), {"roles": ["viewer", "admin"]})
    bob.refresh_from_db()
    assert bob.roles == ["admin", "viewer"]
    event = Event.objects.get(verb="membership.change_roles")
    assert (event.before, event.after) == ({"roles": ["editor"]}, {"roles": ["admin", "viewer"]})


@pytest.mark.parametrize("roles", [[], ["curator"], ["emperor"]])
def test_roles_that_are_none_are_refused(client_as, world, roles):
    client_as("alice").post(reverse("membership_edit", args=[world.as_["bob"].pk]), {"roles": roles})
    assert Membership.objects.get(pk=world.as_["bob"].pk).roles == ["editor"]


def test_a_bureau_has_its_own_roles(client_as, world):
    client_as("carol").post(
        reverse("membership_edit", args=[world.as_["chen"].pk]), {"roles": ["publisher", "mediator"]}
    )
    assert Membership.objects.get(pk=world.as_["chen"].pk).roles == ["publisher", "mediator"]


@pytest.mark.parametrize(("who", "code"), [("bob", 403), ("eve", 404), ("nora", 302)])
def test_changing_roles_is_for_the_organisations_administrators(client_as, world, who, code):
    url = reverse("membership_edit", args=[world.as_["vera"].pk])
    assert client_as(who).get(url).status_code == code
    assert client_as(who).post(url, {"roles": ["admin"]}).status_code == code
    assert Membership.objects.get(pk=world.as_["vera"].pk).roles == ["viewer"]


def test_the_last_administrator_keeps_the_role(client_as, world):
    alice = world.as_["alice"]
    page = client_as("alice").post(english("membership_edit", alice.pk), {"roles": ["editor"]})
    assert "Pearl Power needs an administrator" in page.content.decode()
    assert "admin" in Membership.objects.get(pk=alice.pk).roles


def test_the_last_administrator_does_not_leave(client_as, world):
    assert "Pearl Power needs an administrator" in end(client_as("alice"), world.as_["alice"]).content.decode()
    assert Membership.objects.get(pk=world.as_["alice"].pk).ended_at is None


def test_an_administrator_who_cannot_sign_in_does_not_count(client_as, world):
    other = make_user("Ada", world.power, "admin")
    other.is_active = False
    other.save()
    end(client_as("alice"), world.as_["alice"])
    assert Membership.objects.get(pk=world.as_["alice"].pk).ended_at is None


def test_with_a_second_administrator_the_first_may_leave(client_as, world):
    make_user("Ada", world.power, "admin")
    end(client_as("alice"), world.as_["alice"])
    assert Membership.objects.get(pk=world.as_["alice"].pk).ended_at


def test_an_ended_membership_opens_nothing_from_the_next_click_on(client_as, world):
    bob = client_as("bob")
    assert bob.get(reverse("organisation_members")).status_code == 200
    end(client_as("alice"), world.as_["bob"])
    assert bob.get(reverse("organisation_members")).status_code == 302
    event = Event.objects.get(verb="membership.end")
    assert (event.actor, event.organisation) == (world.alice, world.power)


def test_a_member_leaves(client_as, world):
    end(client_as("bob"), world.as_["bob"])
    assert Membership.objects.get(pk=world.as_["bob"].pk).ended_at


@pytest.mark.parametrize(("who", "code"), [("bob", 403), ("eve", 404), ("nora", 404)])
def test_ending_anothers_membership_is_for_its_administrators(client_as, world, who, code):
    answer = client_as(who).post(reverse("membership_end", args=[world.as_["vera"].pk]))
    assert answer.status_code == code
    assert Membership.objects.get(pk=world.as_["vera"].pk).ended_at is None


def test_a_membership_ends_once(client_as, world):
    end(client_as("alice"), world.as_["bob"])
    assert client_as("alice").post(reverse("membership_end", args=[world.as_["bob"].pk])).status_code == 404


def test_the_list_asks_no_more_for_more_rows(client_as, world, django_assert_max_num_queries):
    for number in range(15):
        make_user(f"Member{number}", world.power, "viewer")
    client = client_as("alice")
    client.get(reverse("organisation_members"))
    with django_assert_max_num_queries(12):
        client.get(reverse("organisation_members"))


def test_one_active_membership_per_person_and_organisation(world):
    insert = (
        "INSERT INTO accounts_membership (user_id, organisation_id, roles, created_at, ended_at) "
        "VALUES (%s, %s, %s, now(), %s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(insert, [world.bob.pk, world.power.pk, ["viewer"], timezone.now()])  # an ended one is no clash
        for roles, constraint in [
            (["viewer"], "membership_once_while_active"),
            (["emperor"], "membership_roles_known"),
            ([], "membership_roles_known"),
        ]:
            with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
                cursor.execute(insert, [world.bob.pk, world.power.pk, roles, None])
