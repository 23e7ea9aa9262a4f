import pytest

from messaging import actions
from tests.world import make_resource


@pytest.fixture
def thread(world):
    """A conversation between Alice's power company and Dave's operator about a tower."""
    return actions.open_thread(
        subject=make_resource(world.power), title="Tower T-1", organisations=[world.power, world.operator]
    )
