import pytest

from listings.models import Kind
from tests.world import make_resource


@pytest.fixture(autouse=True)
def _fresh_limits(fresh_limits):
    """Each test of this folder starts its rate limits at zero."""


@pytest.fixture
def tower(world):
    """Alice's tower with one platform of three positions."""
    return make_resource(world.power, name="Tower at Pearl Lake")


@pytest.fixture
def room(world):
    """Alice's room: 84 U and 10 kW."""
    return make_resource(world.power, Kind.ROOM, name="Room at Pearl Lake")
