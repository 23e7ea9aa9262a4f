"""The form and the page of a record at field depth: bores, chambers, carriers, notes, parties, works."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Event
from listings.models import Bore, Carriage, Chamber, Resource
from tests import world as make
from tests.listings.supply import LINE_IN_TIANHE, save
from tests.listings.test_resource_pages import form_data

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def rows(prefix, *given):
    data = {f"{prefix}-TOTAL_FORMS": str(len(given)), f"{prefix}-INITIAL_FORMS": "0"}
    for index, row in enumerate(given):
        data |= {f"{prefix}-{index}-{name}": value for name, value in row.items()}
    return data


FACE = rows(
    "bores",
    {"label": "a1", "row": "1", "column": "1", "inner_mm": "98", "outer_mm": "110", "occupancy_pct": "100"},
    {"label": "a2", "row": "1", "column": "2", "inner_mm": "98", "outer_mm": "110"},
    {"label": "a2-1", "parent": "a2", "inner_mm": "28", "outer_mm": "32", "cable_count": "1"},
    {"label": "a2-2", "parent": "a2", "inner_mm": "28", "outer_mm": "32"},
    {"label": "b1", "row": "2", "column": "1", "blocked_at_m": "100"},
)
CHAMBERS = rows("chambers", {"code": "R1", "chamber_type": "manhole", "end": "a"},
                {"code": "R2", "chamber_type": "handhole", "end": "b", "spot": "113.34, 23.13"})  # fmt: skip


def new(client_as, kind, name="bob", **data):
    return client_as(name).post(f"/en/resources/new/{kind}/", form_data(kind, **data))


def test_a_duct_bank_is_stored_with_its_tree_and_counted(world, client_as):
    new(client_as, "duct", pools=[], **FACE, **CHAMBERS)
    duct = Resource.objects.get()
    assert list(duct.bores.order_by("label").values_list("label", "parent__label")) == [
        ("a1", None), ("a2", None), ("a2-1", "a2"), ("a2-2", "a2"), ("b1", None),
    ]  # fmt: skip
    pools = {(pool.bore_mm, pool.total, pool.in_use) for pool in duct.pools.all()}
    assert pools == {(98, 1, 1), (28, 2, 0), (None, 1, 1)}  # a2 is what its sub-ducts are
    places = {chamber.code: round(chamber.place.x, 4) for chamber in Chamber.objects.all()}
    assert places == {"R1": 113.33, "R2": 113.34}  # R1: where the line begins
    event = Event.objects.about(duct).filter(verb="resource.update").first()
    assert any("a2-1 in a2" in line for line in event.after["bores"])


def test_the_page_draws_the_face_and_says_the_same_in_words(world, client_as):
    new(client_as, "duct", pools=[], **FACE, **CHAMBERS)
    page = client_as("bob").get(f"/en/resources/{Resource.objects.get().pk}/").content.decode()
    assert page.count('class="gj-bore gj-bore-') == 5
    assert "gj-bore-full" in page
    assert "gj-bore-not_usable" in page
    assert "All bores and sub-ducts" in page
    assert "in use, room left" in page
    assert "at 100 m" in page
    assert "R1" in page


def test_a_face_is_filled_by_its_size(world, client_as):
    new(client_as, "duct", pools=[], face_rows="2", face_columns="3", fill_face="1", **rows("bores"))
    assert list(Bore.objects.order_by("label").values_list("label", flat=True)) == ["a1", "a2", "a3", "b1", "b2", "b3"]
    assert Resource.objects.get().pools.get().total == 6


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (rows("bores", {"label": "a", "row": "1"}), "give both row and column"),
        (rows("bores", {"label": "a", "row": "1", "column": "1"}, {"label": "b", "row": "1", "column": "1"}),
         "another bore stands at this row and column"),
        (rows("bores", {"label": "a"}, {"label": "a"}), "another bore has this label"),
        (rows("bores", {"label": "a", "parent": "b"}), "no other bore is called b"),
        (rows("bores", {"label": "a", "inner_mm": "32", "outer_mm": "28"}), "inner diameter must be smaller"),
        (rows("bores", {"label": "a", "inner_mm": "28"}, {"label": "b", "inner_mm": "28", "parent": "a"}),
         "not narrower than the bore it lies in"),
        (rows("bores", {"label": "a", "blocked_at_m": "2000"}), "beyond the end of the duct"),
        (rows("bores", {"label": "a", "row": "3", "column": "1"}) | {"face_rows": "2", "face_columns": "2"},
         "outside the rows and columns of the face"),
        (rows("bores", {"row": "3"}), "Rows need correcting"),
        (rows("chambers", {"code": "R", "chamber_type": "manhole", "end": "between"}), "at how many metres"),
        (rows("chambers", {"code": "R", "chamber_type": "manhole", "end": "a"},
              {"code": "S", "chamber_type": "manhole", "end": "a"}), "one chamber at each end"),
    ],
)  # fmt: skip
def test_mistakes_in_bores_and_chambers_are_said_and_nothing_stored(world, client_as, given, words):
    response = new(client_as, "duct", **given)
    assert words in response.content.decode()
    assert not Resource.objects.exists()


def test_a_chamber_is_shared_and_goes_with_the_last_duct(world, client_as):
    new(client_as, "duct", **CHAMBERS)
    new(client_as, "duct", owner_code="N-2", **rows("chambers", {"code": "R2", "chamber_type": "handhole", "end": "a"}))
    first, second = Resource.objects.order_by("pk")
    page = client_as("bob").get(f"/en/resources/{first.pk}/").content.decode()
    assert f"/en/resources/{second.pk}/" in page.split("shared with")[1][:200]
    client_as("bob").post(f"/en/resources/{second.pk}/edit/", form_data("duct", owner_code="N-2", **rows("chambers")))
    assert Chamber.objects.count() == 2
    client_as("bob").post(f"/en/resources/{first.pk}/edit/", form_data("duct", **rows("chambers")))
    assert not Chamber.objects.exists()


def test_bores_are_changed_swapped_and_taken_away(world, client_as):
    new(client_as, "duct", **FACE)
    duct = Resource.objects.get()
    kept = duct.bores.get(label="a1").pk
    swapped = rows("bores", {"label": "a1", "row": "1", "column": "2"}, {"label": "a2", "row": "1", "column": "1"})
    client_as("bob").post(f"/en/resources/{duct.pk}/edit/", form_data("duct", **swapped))
    assert list(duct.bores.order_by("label").values_list("label", "column")) == [("a1", 2), ("a2", 1)]
    assert duct.bores.get(label="a1").pk == kept
    client_as("bob").post(f"/en/resources/{duct.pk}/edit/", form_data("duct"))  # a form that does not speak of bores
    assert duct.bores.count() == 2


def test_lines_know_which_cable_they_carry(world, client_as):
    duct = make.make_resource(world.power, "duct", owner_code="D-1", place=LINE_IN_TIANHE)
    Bore.objects.create(duct=duct, label="a1", row=1, column=1)
    for number in (1, 2):
        make.make_resource(world.power, owner_code=f"P-{number}", facts={"line_name": "East line"})
    make.make_resource(world.operator, "duct", owner_code="FOREIGN", place=LINE_IN_TIANHE)
    carriers = rows("carriers", {"code": "D-1", "bore": "a1"}, {"code": "line:East line"})
    new(client_as, "cable", **carriers)
    cable = Resource.objects.get(kind="cable")
    assert Carriage.objects.filter(cable=cable).count() == 3
    page = client_as("bob").get(f"/en/resources/{cable.pk}/").content.decode()
    assert "bore a1" in page
    assert "East line" in page
    assert cable.name in client_as("bob").get(f"/en/resources/{duct.pk}/").content.decode()
    for code, bore in (("FOREIGN", ""), ("D-1", "zz"), ("line:Nowhere", "")):
        answer = new(client_as, "cable", owner_code="N-3", **rows("carriers", {"code": code, "bore": bore}))
        assert answer.status_code == 200
    assert not Resource.objects.filter(owner_code="N-3").exists()


def test_a_cable_is_not_shown_where_it_would_tell_of_a_blurred_duct(world, client_as):
    duct = make.make_resource(world.power, "duct", place=LINE_IN_TIANHE, disclosure="exact", name="Exact duct")
    cable = make.make_resource(world.power, "cable", place=LINE_IN_TIANHE, disclosure="blurred", name="Hidden cable")
    Carriage.objects.create(cable=cable, carrier=duct)
    assert "Hidden cable" in client_as("bob").get(f"/en/resources/{duct.pk}/").content.decode()
    assert "Hidden cable" not in client_as("dave").get(f"/en/resources/{duct.pk}/").content.decode()
    assert "Exact duct" not in client_as("dave").get(f"/en/resources/{cable.pk}/").content.decode()


# --- Notes on single facts
def test_a_fact_has_its_own_source_date_and_staleness(world, client_as):
    notes = rows("notes", {"field": "height_m", "source": "Drawing 12", "on": "2019-06-30"})
    new(client_as, "tower", height_m="40", **notes)
    tower = Resource.objects.get()
    assert tower.provenance == {"height_m": {"source": "Drawing 12", "on": "2019-06-30"}}
    page = client_as("bob").get(f"/en/resources/{tower.pk}/").content.decode()
    assert "Drawing 12" in page
    assert "stale since" in page


# --- Parties
def test_the_manager_keeps_the_record_and_leaves_the_rest_to_the_owner(world, client_as):
    tower = save(world.as_["bob"], data={"name": "Managed", "manager": world.evil, "user": world.operator})
    address = f"/en/resources/{tower.pk}/edit/"
    page = client_as("eve").get(address)
    assert page.status_code == 200
    assert page.context["form"].fields["disclosure"].disabled
    changed = form_data(owner_code="X", height_m="44", disclosure="exact", grade="general", manager_name="")
    client_as("eve").post(address, changed)
    tower.refresh_from_db()
    assert (tower.tower.height_m, tower.owner_code, tower.disclosure) == (44, "A-1", "blurred")
    assert tower.manager == world.evil
    event = Event.objects.about(tower).first()
    assert (event.actor, event.organisation) == (world.eve, world.power)
    assert client_as("eve").post(f"/en/resources/{tower.pk}/publish/").status_code == 404
    assert client_as("dave").get(address).status_code == 404  # the user has no rights by being named
    shown = client_as("bob").get(f"/en/resources/{tower.pk}/").content.decode()
    assert shown.count(str(world.operator)) >= 1


# --- Planned works
def test_planned_works_say_what_they_keep_and_take_requests_until_their_day(world, client_as):
    today = timezone.localdate()
    works = {
        "lifecycle": "planned", "project_type": "subway", "project_name": "Line 28", "reserved_kva": "80",
        "reserved_area_m2": "60", "join_until": (today + dt.timedelta(days=9)).isoformat(),
    }  # fmt: skip
    new(client_as, "duct", **works)
    duct = Resource.objects.get()
    client_as("bob").post(f"/en/resources/{duct.pk}/publish/")
    page = client_as("dave").get(f"/en/resources/{duct.pk}/").content.decode()
    assert "Line 28" in page
    assert "80 kVA" in page
    assert f"/requests/new/{duct.pk}/" in page
    Resource.objects.update(join_until=today - dt.timedelta(days=1))
    assert "Others could join these works until" in client_as("dave").get(f"/en/resources/{duct.pk}/").content.decode()
    refused = client_as("dave").get(f"/en/requests/new/{duct.pk}/", follow=True)
    assert "Others could join these works until" in refused.content.decode()


def test_what_is_in_service_has_no_day_to_join(world, client_as):
    answer = new(client_as, "duct", join_until="2030-01-01")
    assert "Only what is planned or under construction" in answer.content.decode()


# --- Occupancy and calendar on the page
def test_occupancy_is_derived_unless_the_owner_says_not_usable(world, client_as):
    tower = make.make_resource(world.power)
    address = f"/en/resources/{tower.pk}/"
    assert "<dd>Empty</dd>" in client_as("dave").get(address).content.decode()
    tower.pools.update(in_use=3)
    assert "<dd>Full</dd>" in client_as("dave").get(address).content.decode()
    Resource.objects.update(occupancy="not_usable")
    assert "In use, rest not usable" in client_as("dave").get(address).content.decode()


def test_what_names_the_place_comes_with_the_exact_place(world, client_as):
    tower = make.make_resource(
        world.power, disclosure="blurred", access_contact="Gate 4", facts={"line_tower_no": "#77", "line_name": "East"}
    )
    there, blurred = (client_as(n).get(f"/en/resources/{tower.pk}/").content.decode() for n in ("bob", "dave"))
    assert "#77" in there
    assert "Gate 4" in there
    assert "#77" not in blurred
    assert "Gate 4" not in blurred
    assert "shown with the exact place" in blurred
