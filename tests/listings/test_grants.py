"""Exact places: asked for with a purpose, answered by the owner, ended by the clock; the log is the owner's."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import workdays
from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings.actions.grants import answer_grant, ask_grant, end_grant
from listings.models import DisclosureGrant, Resource
from messaging.models import Notification
from tests import world as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

PURPOSE = "Planning a station beside the road"


@pytest.fixture
def tower(world):
    return make.make_resource(world.power, disclosure="blurred")


def ask(world, tower, name="dave", purpose=PURPOSE):
    member = world.as_[name]
    return ask_grant(resource=tower, by=member.user, membership=member, purpose=purpose)


def answer(world, grant, name="bob", **options):
    member = world.as_[name]
    return answer_grant(grant=grant, by=member.user, membership=member, **{"is_granted": True} | options)


def sees_exact(world, tower, name="dave") -> bool:
    return Resource.objects.visible_to(world.as_[name]).get(pk=tower.pk).is_exact


def test_the_owner_grants_and_the_asker_sees_until_the_clock_ends(world, tower, monkeypatch):
    assert not sees_exact(world, tower)
    grant = answer(world, ask(world, tower))

    assert sees_exact(world, tower)
    assert not sees_exact(world, tower, "eve")
    first = workdays.filing_day(timezone.now(), 16 * 60 + 30)
    assert workdays.workdays_between(first, timezone.localdate(grant.expires_at)) == 20  # rule clock.grant
    DisclosureGrant.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert not sees_exact(world, tower)
    assert [e.verb for e in Event.objects.order_by("pk")] == ["grant.ask", "grant.give"]


def test_both_sides_are_told_without_place_or_price(world, tower):
    grant = ask(world, tower)
    told = Notification.objects.filter(code="grant.ask").order_by("user__email")
    assert [n.user for n in told.select_related("user")] == [world.alice, world.bob]
    answer(world, grant)
    back = Notification.objects.get(code="grant.give")
    assert back.user == world.dave
    assert not {"place", "price", "address", "lon", "lat"} & set(back.payload)


def test_a_refusal_needs_its_reason_and_shows_nothing(world, tower):
    grant = ask(world, tower)
    with pytest.raises(Refused, match="Say why"):
        answer(world, grant, is_granted=False)
    answer(world, grant, is_granted=False, reason="A protected site")
    assert not sees_exact(world, tower)
    assert Event.objects.get(verb="grant.refuse").reason == "A protected site"
    assert ask(world, tower).state == "asked"  # one may ask again with a better purpose


@pytest.mark.parametrize("name", ["dora", "uma", "alice"])
def test_who_may_not_ask(world, tower, name):
    with pytest.raises(NotPermitted):
        ask(world, tower, name)


def test_one_asks_once_says_why_and_not_for_what_is_open(world, tower):
    with pytest.raises(Refused, match="Say in a sentence"):
        ask(world, tower, purpose="why")
    grant = ask(world, tower)
    with pytest.raises(Refused, match="asked already"):
        ask(world, tower)
    answer(world, grant)
    with pytest.raises(Refused, match="see the exact place already"):
        ask(world, tower)


@pytest.mark.parametrize("name", ["vera", "dave", "eve", "carol"])
def test_only_the_owner_s_editors_answer(world, tower, name):
    with pytest.raises(NotPermitted):
        answer(world, ask(world, tower), name)


def test_an_answer_stands(world, tower):
    grant = answer(world, ask(world, tower))
    with pytest.raises(Refused, match="answered already"):
        answer(world, grant)


def test_the_owner_ends_a_grant_at_once(world, tower):
    grant = answer(world, ask(world, tower))
    end_grant(grant=grant, by=world.bob, membership=world.as_["bob"])
    assert not sees_exact(world, tower)
    with pytest.raises(Refused, match="ended already"):
        end_grant(grant=grant, by=world.bob, membership=world.as_["bob"])


def test_through_the_pages(world, tower, client_as):
    page = f"/en/resources/{tower.pk}/"
    client_as("dave").post(reverse("grant_ask", args=[tower.pk]), {"purpose": PURPOSE})
    grant = DisclosureGrant.objects.get()
    assert "has not answered yet" in client_as("dave").get(page).content.decode()
    log = client_as("alice").get(page).content.decode()
    assert PURPOSE in log
    assert "Southern Telecom" in log
    assert PURPOSE not in client_as("eve").get(page).content.decode()

    address = reverse("grant_answer", args=[grant.pk])
    codes = {name: client_as(name).post(address, {"answer": "grant"}).status_code for name in ("vera", "dave", "nora")}
    assert codes == {"vera": 403, "dave": 404, "nora": 404}
    assert client_as("bob").post(address, {"answer": "perhaps"}).status_code == 404
    client_as("bob").post(address, {"answer": "grant"})
    assert "granted until" in client_as("dave").get(page).content.decode()
    client_as("bob").post(address, {"answer": "end"})
    assert "Your grant ended" in client_as("dave").get(page).content.decode()
