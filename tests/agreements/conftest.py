import pytest
from django.core.cache import cache

from listings.models import Kind
from tests.world import make_resource


@pytest.fixture(autouse=True)
def _fresh_limits():
    """Rate limits count in the shared cache: each test starts at zero. Own keys alone: sockets live there too."""
    redis = cache._cache.get_client()
    for key in redis.scan_iter(f"{cache.key_prefix}:*"):
        redis.delete(key)


@pytest.fixture
def tower(world):
    """Alice's tower with one platform of three positions."""
    return make_resource(world.power, name="Tower at Pearl Lake")


@pytest.fixture
def room(world):
    """Alice's room: 84 U and 10 kW."""
    return make_resource(world.power, Kind.ROOM, name="Room at Pearl Lake")
