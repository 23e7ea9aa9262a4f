"""Who asks: the session, its person and the memberships come in one statement, and Django still decides."""

import datetime as dt

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import sessions
from accounts.models import Membership, Organisation, Region, Session, User
from tests.world import make_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client_as, world):
    """A browser dave signed in with, and its session's key."""
    client = client_as("dave")
    return client, client.cookies[settings.SESSION_COOKIE_NAME].value


def asked(client) -> str:
    """Who the portal takes the browser for."""
    return client.get(reverse("notification_count")).wsgi_request.user


def same(ours, theirs, but=()) -> bool:
    fields = [one.attname for one in ours._meta.concrete_fields if one.name not in but]
    return all(getattr(ours, name) == getattr(theirs, name) for name in fields) and not ours._state.adding


def test_one_statement_tells_what_the_orm_would(signed_in, world, django_assert_num_queries):
    _, key = signed_in
    sessions.find(key)  # prepared on this connection
    with django_assert_num_queries(1):
        data, known = sessions.find(key)
    membership = known.memberships[0]
    assert same(known.user, User.objects.get(pk=world.dave.pk))
    assert same(membership, Membership.objects.get(user=world.dave))
    assert same(membership.organisation, Organisation.objects.get(pk=membership.organisation_id))
    region = membership.organisation.region
    assert same(region, Region.objects.get(pk=region.pk), but=("polygon", "label_point"))
    assert sessions.SessionStore().decode(data)[SESSION_KEY] == str(world.dave.pk)


def test_a_page_asks_once_who_asks(signed_in):
    client, _ = signed_in
    client.get(reverse("inbox"))
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("inbox"))
    about = [q["sql"] for q in queries if "accounts_session" in q["sql"] or 'FROM "accounts_user"' in q["sql"]]
    named = [q["sql"] for q in queries if q["sql"].startswith("EXECUTE gj_")]
    assert (about, len(named)) == ([], 1)


def test_memberships_come_oldest_first_without_those_that_ended(signed_in, world):
    client, key = signed_in
    first = Membership.objects.get(user=world.dave)
    second = Membership.objects.create(user=world.dave, organisation=make_organisation("Second"), roles=["viewer"])
    ended = Membership.objects.create(user=world.dave, organisation=make_organisation("Third"), roles=["admin"])
    Membership.objects.filter(pk=ended.pk).update(ended_at=timezone.now())
    assert [m.pk for m in sessions.find(key)[1].memberships] == [first.pk, second.pk]
    request = client.get(reverse("notification_count")).wsgi_request
    assert request.membership.pk == first.pk
    assert [m.pk for m in request.memberships] == [first.pk, second.pk]


def test_a_changed_password_ends_the_session(signed_in, world):
    client, _ = signed_in
    world.dave.set_password("another-one-2026")
    world.dave.save()
    assert asked(client).is_anonymous


def test_who_may_not_sign_in_any_more_is_not_believed(signed_in, world):
    client, _ = signed_in
    User.objects.filter(pk=world.dave.pk).update(is_active=False)
    assert asked(client).is_anonymous


def test_a_session_that_ran_out_is_none(signed_in):
    client, key = signed_in
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    assert asked(client).is_anonymous
    assert sessions.find(key) is None


def test_the_seal_counts_not_the_column_beside_it(signed_in, world):
    """Somebody who could write the column could still not act as another."""
    client, key = signed_in
    Session.objects.filter(pk=key).update(user=world.alice)
    request = client.get(reverse("notification_count")).wsgi_request
    assert request.user == world.dave
    assert request.membership.user_id == world.dave.pk


def test_signing_in_and_out_says_whose_the_session_is(client, world):
    client.force_login(world.dave, backend="accounts.backends.PasswordBackend")
    assert Session.objects.get().user == world.dave
    client.logout()
    assert not Session.objects.filter(user=world.dave).exists()
    client.get("/")
    assert asked(client).is_anonymous
