"""One module decides who sees what of a place; here each reader × each level, straight at the queryset."""

import datetime as dt

import pytest
from django.contrib.gis.geos import Point
from django.utils import timezone

from listings.models import DisclosureGrant, Resource
from tests.world import make_resource

EXACT = Point(113.337123, 23.131456, srid=4326)
READERS = ["visitor", "nora", "uma", "dave", "eve", "carol", "alice", "vera"]
OWNERS = {"alice", "vera"}  # any role of the owner reads
VERIFIED = {"dave", "eve", "carol"} | OWNERS


def reader(world, name):
    return world.as_.get(name)


def seen(world, name) -> Resource | None:
    return Resource.objects.visible_to(reader(world, name)).first()


def grant(world, resource, organisation, *, days=5, state="granted"):
    return DisclosureGrant.objects.create(
        resource=resource,
        organisation=organisation,
        purpose="survey",
        state=state,
        asked_by=world.dave,
        expires_at=timezone.now() + dt.timedelta(days=days),
    )


def is_shown_exactly(resource: Resource) -> bool:
    assert resource.is_exact == resource.shown_place.equals_exact(EXACT)
    return resource.is_exact


@pytest.mark.parametrize("name", READERS)
def test_exact_level_is_exact_to_verified_organisations_only(world, name):
    make_resource(world.power, place=EXACT, disclosure="exact")
    assert is_shown_exactly(seen(world, name)) == (name in VERIFIED)


@pytest.mark.parametrize("name", READERS)
def test_blurred_level_is_exact_to_the_owner_only(world, name):
    make_resource(world.power, place=EXACT, disclosure="blurred")
    assert is_shown_exactly(seen(world, name)) == (name in OWNERS)


@pytest.mark.parametrize("name", READERS)
def test_existence_level_is_read_by_the_owner_only(world, name):
    make_resource(world.power, place=EXACT, disclosure="existence")
    assert (seen(world, name) is not None) == (name in OWNERS)


@pytest.mark.parametrize("state", ["draft", "suspended", "retired"])
@pytest.mark.parametrize("name", READERS)
def test_unpublished_is_read_by_the_owner_only(world, name, state):
    make_resource(world.power, place=EXACT, disclosure="exact", state=state)
    assert (seen(world, name) is not None) == (name in OWNERS)


def test_the_manager_reads_like_the_owner(world):
    make_resource(world.power, place=EXACT, disclosure="existence", manager=world.operator)
    assert is_shown_exactly(seen(world, "dave"))
    assert seen(world, "eve") is None


def test_a_grant_shows_to_its_holder_alone(world):
    resource = make_resource(world.power, place=EXACT, disclosure="blurred")
    grant(world, resource, world.operator)
    assert is_shown_exactly(seen(world, "dave"))
    assert not is_shown_exactly(seen(world, "eve"))


def test_a_grant_opens_even_what_is_only_counted(world):
    grant(world, make_resource(world.power, place=EXACT, disclosure="existence"), world.operator)
    assert is_shown_exactly(seen(world, "dave"))


@pytest.mark.parametrize("changes", [{"days": -1}, {"state": "asked"}, {"state": "refused"}])
def test_a_grant_that_does_not_hold_shows_nothing(world, changes):
    grant(world, make_resource(world.power, place=EXACT, disclosure="blurred"), world.operator, **changes)
    assert not is_shown_exactly(seen(world, "dave"))


def test_a_membership_that_ended_reads_like_a_visitor(world):
    make_resource(world.power, place=EXACT, disclosure="exact")
    membership = world.as_["alice"]
    membership.ended_at = timezone.now()
    assert not is_shown_exactly(Resource.objects.visible_to(membership).get())


def test_the_exact_columns_are_not_fetched(world):
    make_resource(world.power, place=EXACT, disclosure="blurred")
    assert {"place", "shown_cell"} <= Resource.objects.visible_to(None).get().get_deferred_fields()


def test_search_without_a_reader_is_refused(world):
    with pytest.raises(TypeError, match="visible_to"):
        Resource.objects.published().search(q="tower")


def test_the_reader_stays_with_the_rows(world):
    make_resource(world.power, place=EXACT, owner_code="SECRET-77", disclosure="blurred")
    rows = Resource.objects.visible_to(None).published().filter(kind="tower").order_by("pk")
    assert not rows.search(q="SECRET-77").exists()
    assert Resource.objects.visible_to(world.as_["alice"]).published().search(q="SECRET-77").exists()
