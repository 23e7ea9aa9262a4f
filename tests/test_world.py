"""The world itself stands: what every other test leans on."""

from accounts.models import Event
from listings.models import CapacityPool


def test_world_builds_with_verified_and_unverified_organisations(world):
    assert world.power.is_verified
    assert not world.unverified.is_verified
    assert world.as_["carol"].organisation.region.covers("440106")
    assert not Event.objects.exists()
    assert not CapacityPool.objects.exists()
