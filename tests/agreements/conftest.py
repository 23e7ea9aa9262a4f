import pytest
from django.core.cache import cache
from django.utils import translation

from listings.models import Kind
from tests.world import make_resource


@pytest.fixture(autouse=True)
def _fresh_limits():
    """Rate limits count in the shared cache: each test starts at zero."""
    cache.clear()


@pytest.fixture(autouse=True)
def _own_language():
    """A request leaves its language active in the thread; the next test starts with the default."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture
def tower(world):
    """Alice's tower with one platform of three positions."""
    return make_resource(world.power, name="Tower at Pearl Lake")


@pytest.fixture
def room(world):
    """Alice's room: 84 U and 10 kW."""
    return make_resource(world.power, Kind.ROOM, name="Room at Pearl Lake")
