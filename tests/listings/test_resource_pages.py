"""The pages of the supply side: who sees what, what is stored, what is refused, at what cost."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.gis.geos import LineString, Point
from django.urls import reverse
from django.utils import timezone

from accounts.work import items_for
from listings.actions.grants import ask_grant
from listings.models import DisclosureGrant, Kind, Resource
from tests import world as make
from tests.listings.supply import hold, save

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def form_data(kind="tower", **changes):
    """What a browser posts for a new resource of the kind; pools as rows of a formset."""
    line = kind in ("duct", "cable")
    pools = changes.pop("pools", {
        "tower": [{"label": "P1", "height_m": "35", "total": "3", "in_use": "1", "price_yuan": "12000"}],
        "duct": [{"bore_mm": "100", "total": "4", "price_yuan": "300"}],
        "cable": [{"total": "48"}],
        "room": [{"total": "84"}, {"total": "10"}],
    }[kind])  # fmt: skip
    data = {
        "name": "New one", "owner_code": "N-1", "sector": "power", "lifecycle": "in_service", "condition": "good",
        "ownership_mode": "built", "accuracy": "unknown", "quality": "theoretical", "grade": "general",
        "disclosure": "blurred", "facts_on": "2026-11-01",
        "place": "LINESTRING (113.33 23.13, 113.34 23.13)" if line else "113.33, 23.13",
        "tower_type": "telecom_tower", "network": "telecom", "cable_level": "metro",
        "pools-TOTAL_FORMS": str(len(pools)), "pools-INITIAL_FORMS": changes.pop("initial_forms", "0"),
    }  # fmt: skip
    for index, pool in enumerate(pools):
        data |= {f"pools-{index}-{name}": value for name, value in pool.items()}
    return data | changes


def notes(*given):
    """Notes on single facts as a browser posts them: (field, reason, source)."""
    data = {"notes-TOTAL_FORMS": str(len(given)), "notes-INITIAL_FORMS": "0"}
    for index, values in enumerate(given):
        names = ("field", "reason", "source")
        data |= {f"notes-{index}-{name}": value for name, value in zip(names, values, strict=False)}
    return data


@pytest.mark.parametrize("kind", [k.value for k in Kind])
def test_the_form_of_each_kind_stores_a_draft(world, client_as, kind):
    address = reverse("resource_new", args=[kind])
    page = client_as("bob").get(address)
    assert page.status_code == 200
    response = client_as("bob").post(address, form_data(kind))
    resource = Resource.objects.get()
    assert response.url == reverse("resource_detail", args=[resource.pk])
    assert (resource.state, resource.kind, resource.region_id) == ("draft", kind, "440106")
    assert resource.pools.count() == (2 if kind == "room" else 1)


def test_prices_are_kept_in_fen_and_empty_rows_passed_over(world, client_as):
    rows = [{"label": "P1", "height_m": "35", "total": "3", "in_use": "1", "price_yuan": "12000.50"}, {}, {}]
    client_as("bob").post(reverse("resource_new", args=["tower"]), form_data(pools=rows))
    pool = Resource.objects.get().pools.get()
    assert (pool.price_fen_per_unit_year, pool.free) == (1_200_050, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"place": "0, 0"}, "0/0"),
        ({"place": "23.13, 113.33"}, "swapped"),
        ({"place": ""}, "Give the place"),
        ({"place": "nonsense"}, "Invalid geometry value"),
        ({"place": "2.35, 48.85"}, "no administrative division of China"),
        ({"region": "330100"}, "not in Hangzhou as declared"),
        ({"height_m": "30"}, "lies above the top"),
        ({"manager_name": "Nobody Ltd"}, "No organisation on this portal"),
        ({"grade": "core", "disclosure": "exact"}, "core data only counted"),
        ({"available_from": "2027-02-01", "available_until": "2027-01-01"}, "lies before"),
        ({"owner_code": ""}, "This field is required"),
        (notes(("load_kg", "withheld"), ("load_kg", "unknown")), "a note on this fact already"),
        (notes(("height_m", "withheld")) | {"height_m": "40"}, "has a value"),
        (notes(("load_kg", "")), "Say why it is missing"),
        (notes(("load_kg", "withheld", "a list")), "no source and no date"),
        ({"pools": [{"label": "P1", "total": "3", "in_use": "4"}]}, "exceeds the total"),
        ({"pools": [{"label": "P1", "total": "x"}]}, "Enter a number"),
        ({"pools": [{"label": "P1", "total": "1"}, {"label": "P1", "total": "1"}]}, "Two pools are called"),
    ],
)  # fmt: skip
def test_every_mistake_is_said_on_the_form_and_nothing_stored(world, client_as, changes, words):
    response = client_as("bob").post("/en/resources/new/tower/", form_data(**changes))
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not Resource.objects.exists()


def test_missing_values_are_shown_with_their_reason(world, client_as):
    data = form_data(**notes(("load_kg", "withheld"), ("wind_area_m2", "unknown")))
    client_as("bob").post(reverse("resource_new", args=["tower"]), data)
    resource = Resource.objects.get()
    assert resource.missing == {"load_kg": "withheld", "wind_area_m2": "unknown"}
    page = client_as("bob").get(f"/en/resources/{resource.pk}/").content.decode()
    assert "withheld by the owner" in page
    assert "unknown to the owner" in page
    assert "not filled in yet" in page


def test_a_platform_gap_needs_a_reason(world, client_as):
    rows = [{"label": "A", "height_m": "35", "total": "1"}, {"label": "B", "height_m": "28", "total": "1"}]
    page = client_as("bob").post("/en/resources/new/tower/", form_data(pools=rows))
    assert "35 m and 28 m are 7 m apart; YD 5191-2009" in page.content.decode()
    assert not Resource.objects.exists()
    client_as("bob").post("/en/resources/new/tower/", form_data(pools=rows, spacing_reason="partial_list"))
    assert Resource.objects.get().tower.spacing_reason == "partial_list"


@pytest.mark.parametrize("kind", [k.value for k in Kind])
def test_editing_shows_what_is_stored_and_keeps_it(world, client_as, kind):
    resource = save(world.as_["bob"], kind, data={"name": "Before", "address": "1 Road", "missing": {}})
    address = f"/en/resources/{resource.pk}/edit/"
    page = client_as("bob").get(address)
    assert "Before" in page.content.decode()
    form, pools = page.context["form"], page.context["pools"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
    data["place"] = resource.place.wkt
    data |= {"pools-TOTAL_FORMS": len(pools.forms), "pools-INITIAL_FORMS": pools.initial_form_count()}
    for row in pools.forms:
        data |= {row.add_prefix(n): row[n].value() for n in row.fields if row[n].value() not in (None, "", False)}
    events = resource.pk and world.bob.events.count()
    response = client_as("bob").post(address, data)
    assert response.status_code == 302, response.context["form"].errors
    assert world.bob.events.count() == events  # the same values again are no change
    client_as("bob").post(address, data | {"name": "After"})
    assert Resource.objects.get().name == "After"


def test_a_form_opened_before_anothers_change_is_told_and_loses_nothing(world, client_as):
    resource = save(world.as_["bob"])
    address = f"/en/resources/{resource.pk}/edit/"
    bob = client_as("bob")
    pool = resource.pools.get()
    rows = [{"id": pool.pk, "label": "P1", "height_m": "35", "total": "3"}]

    def form(**more):
        return form_data(pools=rows, initial_forms="1", owner_code="A-1", **more)

    seen_at = bob.get(address).context["seen_at"]
    assert bob.post(address, form(height_m="36", seen_at=seen_at)).status_code == 302  # the first tab
    page = bob.post(address, form(height_m="37", seen_at=seen_at))  # the second, opened before that
    assert page.status_code == 200
    assert "after you opened this form" in page.content.decode()
    assert Resource.objects.get().tower.height_m == 36
    assert page.context["form"]["height_m"].value() == "37"  # what was typed is still there
    assert bob.post(address, form(height_m="37", seen_at=page.context["change"]["seen_at"])).status_code == 302
    assert Resource.objects.get().tower.height_m == 37


def test_capacity_changed_by_another_counts_as_a_change_too(world, client_as):
    resource = save(world.as_["bob"])
    address = f"/en/resources/{resource.pk}/edit/"
    bob, pool = client_as("bob"), resource.pools.get()
    seen_at = bob.get(address).context["seen_at"]
    for total, answer in (("4", 302), ("5", 200)):
        rows = [{"id": pool.pk, "label": "P1", "height_m": "35", "total": total}]
        data = form_data(pools=rows, initial_forms="1", owner_code="A-1", height_m="40", seen_at=seen_at)
        assert bob.post(address, data).status_code == answer
    assert resource.pools.get().total == 4


def test_pools_are_taken_away_and_added_on_the_form(world, client_as):
    resource = save(world.as_["bob"])
    pool = resource.pools.get()
    rows = [
        {"id": pool.pk, "label": "P1", "height_m": "35", "total": "3", "DELETE": "on"},
        {"label": "P7", "total": "2"},
    ]
    data = form_data(pools=rows, initial_forms="1", owner_code="A-1", height_m="40")
    assert client_as("bob").post(f"/en/resources/{resource.pk}/edit/", data).status_code == 302
    assert [p.label for p in resource.pools.all()] == ["P7"]


def test_the_pool_of_another_resource_is_not_taken_over(world, client_as):
    theirs = make.make_resource(world.evil).pools.get()
    client_as("bob").post(
        reverse("resource_new", args=["tower"]), form_data(pools=[{"id": theirs.pk, "label": "P1", "total": "9"}])
    )
    theirs.refresh_from_db()
    assert (theirs.resource.owner, theirs.total) == (world.evil, 3)


# --- Who sees what ----------------------------------------------------------------------------
def test_other_organisations_never_meet_a_draft(world, client_as, client):
    draft = make.make_resource(world.power, state="draft")
    addresses = {
        name: reverse(name, args=[draft.pk])
        for name in ("resource_detail", "resource_edit", "resource_publish", "resource_suspend", "resource_resume",
                     "resource_retire", "resource_delete", "photo_add", "grant_ask")
    }  # fmt: skip
    for name, address in addresses.items():
        method = "get" if name in ("resource_detail", "resource_edit") else "post"
        for who in ("dave", "eve", "carol", "nora"):
            assert getattr(client_as(who), method)(address).status_code == 404, (name, who)
    assert client.get(addresses["resource_detail"]).status_code == 404
    assert client.get(addresses["resource_edit"]).status_code == 302
    assert Resource.objects.get().state == "draft"


def test_one_s_own_without_the_role_is_403(world, client_as):
    resource = make.make_resource(world.power)
    vera = client_as("vera")
    assert vera.get(reverse("resource_detail", args=[resource.pk])).status_code == 200
    assert vera.get(reverse("resource_list_own")).status_code == 200
    for name, args in [("resource_choose", []), ("resource_new", ["tower"]), ("resource_edit", [resource.pk])]:
        assert vera.get(reverse(name, args=args)).status_code == 403
    for name in ("resource_suspend", "resource_retire", "resource_delete", "photo_add"):
        assert vera.post(reverse(name, args=[resource.pk])).status_code == 403
    assert vera.post(reverse("resource_bulk"), {"act": "suspend", "pk": resource.pk}).status_code == 403
    assert client_as("carol").get(reverse("resource_new", args=["tower"])).status_code == 403


def test_acts_are_posts(world, client_as):
    resource = make.make_resource(world.power)
    for name in ("resource_publish", "resource_suspend", "resource_resume", "resource_retire", "resource_delete"):
        assert client_as("bob").get(reverse(name, args=[resource.pk])).status_code == 405


def test_the_exact_place_address_and_code_stay_with_those_who_may(world, client_as, client):
    resource = make.make_resource(
        world.power, place=Point(113.334567, 23.134567, srid=4326), disclosure="blurred", owner_code="SECRET-7",
        address="7 Hidden Road", access_note="Key with the guard", grade="general",
    )  # fmt: skip
    page = f"/en/resources/{resource.pk}/"
    secrets = ["113.334567", "23.134567", "SECRET-7", "7 Hidden Road", "Key with the guard"]
    for reader in (client, client_as("dave"), client_as("uma")):
        text = reader.get(page).content.decode()
        assert not [secret for secret in secrets if secret in text]
        assert "Blurred" in text
    own = client_as("vera").get(page).content.decode()
    assert not [secret for secret in secrets if secret not in own]

    DisclosureGrant.objects.create(
        resource=resource, organisation=world.operator, purpose="Planning", state="granted", asked_by=world.dave,
        expires_at=timezone.now() + dt.timedelta(days=1),
    )  # fmt: skip
    granted = client_as("dave").get(page).content.decode()
    assert "7 Hidden Road" in granted
    assert "SECRET-7" not in granted  # the owner's own code is the owner's


def test_history_and_the_grants_log_are_the_owner_s(world, client_as):
    resource = save(world.as_["bob"], data={"disclosure": "exact"})
    client_as("bob").post(reverse("resource_publish", args=[resource.pk]))
    page = f"/en/resources/{resource.pk}/"
    assert "published the resource" in client_as("vera").get(page).content.decode()
    others = client_as("dave").get(page).content.decode()
    assert "published the resource" not in others
    assert "Who may see the exact place" not in others


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dora", "A negotiator or administrator"),
        ("uma", "not verified yet"),
        ("carol", "A bureau supervises"),
        (None, "Sign in for an organisation"),
    ],
)
def test_who_cannot_request_reads_why(world, client_as, client, name, words):
    resource = make.make_resource(world.power)
    reader = client_as(name) if name else client
    text = reader.get(f"/en/resources/{resource.pk}/").content.decode()
    assert words in text
    assert reverse("request_new", args=[resource.pk]) not in text


def test_who_can_request_has_one_button_until_nothing_is_free(world, client_as):
    resource = make.make_resource(world.power)
    page = f"/en/resources/{resource.pk}/"
    assert f"/en/requests/new/{resource.pk}/" in client_as("dave").get(page).content.decode() or "Request space" in (
        client_as("dave").get(page).content.decode()
    )
    kept = hold(resource.pools.get(), world.evil, 3, ends_on=timezone.localdate() + dt.timedelta(days=10))
    text = client_as("dave").get(page).content.decode()
    assert "Next free on" in text
    assert f"/en/requests/new/{resource.pk}/" in text  # for then it can be asked for now
    type(kept).objects.update(ends_on=None)
    text = client_as("dave").get(page).content.decode()
    assert "Nothing is free at the moment" in text
    assert f"/en/requests/new/{resource.pk}/" not in text


def test_the_price_is_worked_through(world, client_as):
    line = LineString((113.33, 23.13), (113.3421, 23.13), srid=4326)
    duct = make.make_resource(
        world.power, "duct", place=line, pools=[{"unit": "bore", "total": 4, "price_fen_per_unit_year": 30_000}]
    )
    text = client_as("dave").get(f"/en/resources/{duct.pk}/").content.decode()
    assert "2 bores × 1.24 km × ¥300 per bore-km and year" in text
    assert "¥744 a year" in text


def test_old_facts_are_called_stale(world, client_as):
    resource = make.make_resource(world.power)
    Resource.objects.update(facts_on=dt.date(2020, 1, 31))
    assert "Stale since" in client_as("dave").get(f"/en/resources/{resource.pk}/").content.decode()


# --- The own list -----------------------------------------------------------------------------
def test_the_own_list_is_empty_with_a_next_step_then_filters_sorts_and_pages(world, client_as, monkeypatch):
    bob = client_as("bob")
    assert reverse("resource_choose") in bob.get(reverse("resource_list_own")).content.decode()
    make.make_resource(world.evil, name="Foreign")
    make.make_resource(world.power, name="Alpha", state="draft")
    make.make_resource(world.power, name="Beta")
    make.make_resource(world.power, "duct", name="Gamma", place=LineString((113.33, 23.13), (113.34, 23.13)))
    Resource.objects.filter(name="Beta").update(facts_on=dt.date(2020, 1, 1))

    def names(query=""):
        page = bob.get(f"/en/resources/?{query}")
        return [row.resource.name for row in page.context["rows"]]

    assert set(names()) == {"Alpha", "Beta", "Gamma"}
    assert names("sort=name") == ["Alpha", "Beta", "Gamma"]
    assert names("q=gam") == ["Gamma"]
    assert names("state=draft") == ["Alpha"]
    assert names("kind=duct") == ["Gamma"]
    assert names("stale=on") == ["Beta"]
    assert names("q=nothing") == []
    assert set(names("kind=bogus&sort=bogus&page=999")) == {"Alpha", "Beta", "Gamma"}
    monkeypatch.setattr("listings.views.resources.PAGE_SIZE", 2)
    assert names("sort=name&page=2") == ["Gamma"]


def test_pages_cost_the_same_however_many_rows(world, client_as, django_assert_max_num_queries):
    bob = client_as("bob")
    for _ in range(25):
        make.make_resource(world.power)
    with django_assert_max_num_queries(14):
        bob.get(reverse("resource_list_own"))
    resource = make.make_resource(
        world.power, pools=[{"unit": "position", "label": f"P{i}", "total": 9, "height_m": 10 + i} for i in range(12)]
    )
    for pool in resource.pools.all():
        hold(pool, world.operator, 1)
    for _ in range(5):
        save(world.as_["bob"], resource=resource, data={"name": f"Name {_}"})
    with django_assert_max_num_queries(22):
        bob.get(reverse("resource_detail", args=[resource.pk]))


# --- My work, region lookup -------------------------------------------------------------------
def test_my_work_names_drafts_stale_facts_and_questions(world):
    make.make_resource(world.power, state="draft")
    make.make_resource(world.power)
    Resource.objects.filter(state="published").update(facts_on=None)
    tower = make.make_resource(world.power, disclosure="blurred")
    ask_grant(resource=tower, by=world.dave, membership=world.as_["dave"], purpose="Planning a station here")
    urls = [item.url for item in items_for(world.as_["bob"])]
    assert f"/resources/{tower.pk}/#grants" in " ".join(urls)
    assert sum("state=draft" in url for url in urls) == 1
    assert sum("stale=on" in url for url in urls) == 1
    assert not [item for item in items_for(world.as_["vera"]) if "/resources/" in item.url]


def test_the_region_over_a_point_is_told_to_members(world, client_as, client):
    address = reverse("region_at")
    assert client.get(address).status_code == 302
    answer = client_as("bob").get("/en/regions/at/", {"lon": "113.33", "lat": "23.13"}).json()
    assert answer == {"code": "440106", "name": "Tianhe", "path": "Guangdong / Guangzhou / Tianhe"}
    assert client_as("bob").get(address, {"lon": "2", "lat": "48"}).json()["code"] is None
    for bad in ({}, {"lon": "x", "lat": "1"}, {"lon": "nan", "lat": "1"}, {"lon": "200", "lat": "1"}):
        assert client_as("bob").get(address, bad).status_code == 400


def test_kw_is_a_number_with_decimals(world, client_as):
    client_as("bob").post(
        reverse("resource_new", args=["room"]),
        form_data("room", pools=[{"total": "84"}, {"total": "10.5", "in_use": "4.25"}]),
    )
    assert Resource.objects.get().pools.get(unit="kw").free == Decimal("6.25")
