"""Searches kept under a name, and what they tell: newly fitting resources, once, as far as the person may see them."""

import datetime as dt
import itertools

import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import IntegrityError, connection, transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Region, RegionRule
from listings import saved_sieve
from listings.actions import saved
from listings.actions.lifecycle import publish
from listings.models import CapacityPool, DisclosureGrant, Resource, SavedFind, SavedSearch, SearchChange
from messaging import mailing
from messaging.models import Letter, Notification
from tests.world import make_resource

_turns = itertools.count(1)
BOX = "bbox=113.3,23.1,113.4,23.2"


def keep(world, query="kind=tower", *, who="dave", name="Towers", **more) -> SavedSearch:
    membership = world.as_[who]
    return saved.save_search(by=membership.user, membership=membership, name=name, query=QueryDict(query), **more)


def found_by(search) -> list[int]:
    """What the search has told, after a turn of the worker later than any before."""
    saved.alert(now=timezone.now() + dt.timedelta(hours=next(_turns)))
    return sorted(SavedFind.objects.filter(search=search).exclude(told_at=None).values_list("resource_id", flat=True))


def signed_in(world, who="dave") -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.as_[who].user)
    return client


# --- Keeping ----------------------------------------------------------------------------------


def test_the_map_offers_to_save_and_the_page_saves_renames_and_deletes(world):
    make_resource(world.power, name="Known tower")
    client = signed_in(world)
    text = client.get(reverse("resource_map") + "?kind=tower&page=2&q=tower").content.decode()
    assert reverse("saved_search_new") + "?kind=tower&amp;" in text
    url = reverse("saved_search_new") + "?q=tower&kind=tower&page=2&nonsense=1"
    assert "“tower”" in client.get(url).content.decode()
    client.post(url, {"name": "  My   towers ", "is_alerting": "on"})
    search = SavedSearch.objects.get()
    assert (search.name, search.query, search.user, search.organisation) == (
        "My towers", "kind=tower&q=tower", world.dave, world.operator,
    )  # fmt: skip
    listed = client.get(reverse("saved_search_list")).content.decode()
    assert f"{reverse('resource_map')}?kind=tower&amp;q=tower" in listed
    one = reverse("saved_search_detail", args=[search.pk])
    client.post(one, {"name": "Other name"})
    search.refresh_from_db()
    assert (search.name, search.is_alerting) == ("Other name", False)
    client.post(reverse("saved_search_alerts", args=[search.pk]), {"is_alerting": "1"})
    search.refresh_from_db()
    assert search.is_alerting
    client.post(reverse("saved_search_delete", args=[search.pk]))
    assert not SavedSearch.objects.exists()


def test_a_saved_search_is_the_persons_own_under_that_organisation(world):
    search = keep(world)
    for who in ("dora", "alice", "eve"):
        client = signed_in(world, who)
        assert client.get(reverse("saved_search_detail", args=[search.pk])).status_code == 404
        assert client.post(reverse("saved_search_delete", args=[search.pk])).status_code == 404
        assert "Towers" not in client.get(reverse("saved_search_list")).content.decode()
    assert SavedSearch.objects.exists()


@pytest.mark.parametrize("query", ["", "sort=price", "page=3", "kind=castle", "bbox=1,2,3", "along=999999"])
def test_what_says_nothing_or_cannot_be_read_is_not_saved(world, query):
    with pytest.raises(Refused):
        keep(world, query)
    response = signed_in(world).post(reverse("saved_search_new") + f"?{query}", {"name": "x"})
    assert response.status_code == 422
    assert not SavedSearch.objects.exists()


def test_the_cap_is_a_rule_with_a_sentence(world, english):
    RegionRule.objects.create(
        region=Region.objects.get(pk="440000"), key="cap.saved_searches", value=1, source="test",
        valid_from=timezone.localdate(),
    )  # fmt: skip
    keep(world)
    with pytest.raises(Refused, match="1 searches already"):
        keep(world, name="Second")


def test_a_name_is_used_once_in_the_form_and_in_the_database(world):
    search = keep(world)
    response = signed_in(world).post(reverse("saved_search_new") + "?kind=duct", {"name": "Towers"})
    assert "already" in response.content.decode()
    same = {"user": search.user, "name": "Towers", "query": "kind=room"}
    SavedSearch.objects.create(organisation=None, **same)  # for oneself alone is another list
    for organisation in (search.organisation, None):
        with pytest.raises(IntegrityError, match="saved_search_name_once"), transaction.atomic():
            SavedSearch.objects.create(organisation=organisation, **same)


def test_the_database_refuses_an_empty_search_and_a_second_find(world):
    search, tower = keep(world), make_resource(world.power)
    for name, query in (("", "kind=duct"), ("x", "")):
        with pytest.raises(IntegrityError, match="saved_search_says_something"), transaction.atomic():
            SavedSearch.objects.create(user=world.dave, name=name, query=query)
    SavedFind.objects.create(search=search, resource=tower)
    with pytest.raises(IntegrityError, match="saved_find_once"), transaction.atomic():
        SavedFind.objects.create(search=search, resource=tower)


# --- Telling ----------------------------------------------------------------------------------


def test_what_is_published_later_is_told_once_and_what_fitted_before_never(world):
    old = make_resource(world.power, name="Old tower")
    draft = make_resource(world.power, name="Draft tower", state="draft")
    search = keep(world)
    make_resource(world.power, "duct")
    new = make_resource(world.power, name="New tower")
    assert found_by(search) == [new.pk]
    Resource.objects.filter(pk__in=[old.pk, new.pk]).update(name="Renamed tower")
    assert found_by(search) == [new.pk]
    publish(resource=draft, by=world.alice, membership=world.as_["alice"])
    assert found_by(search) == sorted([new.pk, draft.pk])
    told = Notification.objects.filter(user=world.dave, code="saved_search.find").order_by("pk")
    assert [note.payload["finds"] for note in told] == [1, 1]
    page = signed_in(world).get(told[0].url).content.decode()
    assert "Draft tower" in page
    assert "Renamed tower" in page
    assert not SearchChange.objects.exists()


def test_a_change_that_makes_it_fit_is_told(world):
    tower = make_resource(world.power, name="Tower", pools=[{"unit": "position", "total": 3}])
    search = keep(world, "kind=tower&free=8")
    named = keep(world, "q=Riverside", name="By name")
    CapacityPool.objects.filter(resource=tower).update(total=9)
    assert found_by(search) == [tower.pk]
    Resource.objects.filter(pk=tower.pk).update(name="Riverside tower")
    assert found_by(named) == [tower.pk]


@pytest.mark.parametrize(
    "query",
    [
        BOX,
        "near=113.33,23.13&radius_m=3000",
        "route=LINESTRING(113.2 23.0,113.33 23.13)&within_m=2500",
        "area=POLYGON((113.3 23.1,113.4 23.1,113.4 23.2,113.3 23.2,113.3 23.1))",
        "region=440106&kind=tower",
        "modes=same_site",
        "q=天河",
        "available_on=2031-01-01&free=2",
        "height=35-50&price=10000-&sector=power&disclosure=exact",
    ],
)
def test_every_sort_of_condition_finds_what_fits_and_nothing_else(world, query):
    search = keep(world, query)
    far = make_resource(
        world.power, place=Point(120.0, 30.0, srid=4326), region="330100", sector="municipal",
        sharing_modes=["core_swap"], facts={"height_m": 10}, pools=[],
    )  # fmt: skip
    near = make_resource(world.power, sharing_modes=["same_site"])
    assert found_by(search) == [near.pk]
    assert far.pk not in found_by(search)


def test_nobody_is_told_what_they_may_not_see(world):
    open_one, closed = keep(world, BOX), keep(world, BOX, who="eve", name="Eve's")
    hidden = make_resource(world.power, disclosure="existence")
    assert found_by(open_one) == []
    edge = Point(113.2995, 23.15, srid=4326)  # outside the box; its cell's centre may lie inside
    blurred = make_resource(world.power, place=edge, disclosure="blurred")
    cell = Resource.objects.values_list("shown_cell", flat=True).get(pk=blurred.pk)
    expected = [blurred.pk] if 113.3 <= cell.x <= 113.4 else []
    assert found_by(open_one) == found_by(closed) == expected
    DisclosureGrant.objects.create(
        resource=hidden, organisation=world.operator, asked_by=world.dave, purpose="x", state="granted",
        expires_at=timezone.now() + dt.timedelta(days=1), answered_by=world.alice, answered_at=timezone.now(),
    )  # fmt: skip
    Resource.objects.filter(pk=hidden.pk).update(name="Granted")
    assert hidden.pk in found_by(open_one)
    assert hidden.pk not in found_by(closed)


def test_what_was_withdrawn_before_it_was_told_is_forgotten(world):
    search, tower = keep(world), make_resource(world.power)
    saved.take_changes()
    assert SavedFind.objects.filter(search=search, told_at=None).count() == 1
    Resource.objects.filter(pk=tower.pk).update(state="suspended")
    assert found_by(search) == []
    assert not Notification.objects.filter(code="saved_search.find").exists()
    Resource.objects.filter(pk=tower.pk).update(state="published")
    assert found_by(search) == [tower.pk]


def test_alerts_come_at_most_once_in_a_pause_together(world):
    search, now = keep(world), timezone.now()
    for minutes, told in ((0, 1), (2, 1), (20, 2)):
        make_resource(world.power)
        saved.alert(now=now + dt.timedelta(minutes=minutes))
        assert Notification.objects.filter(code="saved_search.find").count() == told
    assert Notification.objects.latest("pk").payload == {"search": "Towers", "finds": 2}
    assert search.finds.count() == 3


def test_own_resources_ended_members_and_switched_off_alerts_are_left_alone(world):
    own = keep(world, who="alice", name="Own")
    off = keep(world, name="Off", is_alerting=False)
    left = keep(world, who="eve", name="Left")
    membership = world.as_["eve"]
    membership.ended_at = timezone.now()
    membership.save()
    tower = make_resource(world.power)
    assert found_by(own) == found_by(off) == found_by(left) == []
    saved.change_search(search=off, by=world.dave, name="Off", is_alerting=True)  # what fits by now is known
    later = make_resource(world.power)
    assert tower.pk not in found_by(off)
    assert found_by(off) == [later.pk]


def test_a_condition_that_can_no_longer_be_read_tells_nothing_and_says_so(world):
    line = LineString((113.33, 23.13), (113.34, 23.13), srid=4326)
    cable = make_resource(world.power, "cable", place=line)
    search = keep(world, f"along={cable.pk}&within_m=5000")
    Resource.objects.filter(pk=cable.pk).update(state="suspended")
    make_resource(world.power)
    assert found_by(search) == []
    client = signed_in(world)
    for url in (reverse("saved_search_list"), reverse("saved_search_detail", args=[search.pk])):
        assert "can no longer be read" in client.get(url).content.decode()


def test_of_a_very_wide_search_only_what_is_published_later_is_told(world, monkeypatch):
    monkeypatch.setattr(saved, "KNOWN_MOST", 0)
    old = make_resource(world.power)
    Resource.objects.filter(pk=old.pk).update(published_at=timezone.now() - dt.timedelta(days=9))
    search = keep(world)
    assert search.known is None
    Resource.objects.filter(pk=old.pk).update(name="Renamed")
    new = make_resource(world.power)
    assert found_by(search) == [new.pk]


def test_the_mail_names_the_search_and_its_link_ends_this_kind_alone(
    world, mailoutbox, django_capture_on_commit_callbacks
):
    keep(world)
    make_resource(world.power, name="SECRET-NAME")
    saved.alert()
    later = timezone.now() + dt.timedelta(days=2)
    mailing.decide(now=later)
    assert Letter.objects.get().is_digest
    mailing.send_due(now=later + dt.timedelta(days=2))
    (mail,) = mailoutbox
    assert "Towers" in mail.body
    assert "SECRET-NAME" not in mail.body
    link = mail.extra_headers["List-Unsubscribe"].strip("<>")
    Client().post(link.partition("/notifications")[1] + link.partition("/notifications")[2],
                  {"List-Unsubscribe": "One-Click"})  # fmt: skip
    assert list(world.dave.notice_choices.values_list("kind", "mail")) == [("search", "none")]


# --- Cost -------------------------------------------------------------------------------------


def test_searches_nothing_passed_cost_no_query(world, django_assert_max_num_queries):
    for n in range(20):
        keep(world, "kind=room", name=f"Rooms {n}")
    keep(world)
    make_resource(world.power)
    with django_assert_max_num_queries(16):
        assert saved.take_changes()[1] == 1


def test_the_sieve_lets_pass_whatever_fits(world):
    """A sieve may let too much pass and never too little: held against the proper question."""
    queries = [BOX, "near=113.33,23.13&radius_m=900", "kind=tower&kind=duct&free=3", "region=440100", "year=undated"]
    rows = [make_resource(world.power, place=Point(113.33 + n / 90, 23.13, srid=4326), disclosure=level)
            for n in range(4) for level in ("exact", "blurred")]  # fmt: skip
    held = saved_sieve.changed_rows([row.pk for row in rows])
    for query in queries:
        for who in ("dave", "eve", "alice"):
            reader = world.as_[who]
            criteria = saved.read_query(query, reader).criteria
            sieve = saved_sieve.sieve_of(criteria, today=timezone.localdate())
            fits = set(Resource.objects.visible_to(reader).published().search(**criteria).values_list("pk", flat=True))
            assert fits <= set(held["ids"][saved_sieve.passing(sieve, held)].tolist()), query


def test_known_keys_come_back(world):
    keys = [3, 5, 6, 2**40]
    assert saved_sieve.unpacked(saved_sieve.packed(keys)).tolist() == keys
    assert saved_sieve.unpacked(saved_sieve.packed([])).tolist() == []


def test_the_fold_notes_no_change(world):
    make_resource(world.power)
    saved.take_changes()
    from listings.search_index import fold

    fold.fold()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM listings_searchchange")
        assert cursor.fetchone()[0] == 0
