"""Space in several resources of one site: one request each, all held or none."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.errors import NotPermitted, Refused
from agreements import actions
from agreements.models import ShareRequest
from listings.actions.sites import save_site
from listings.models import Reservation
from tests import world as make

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def site(world):
    tower, room = make.make_resource(world.power), make.make_resource(world.power, "room")
    data = {"owner_code": "S", "name": "Hill site"}
    return save_site(by=world.bob, membership=world.as_["bob"], site=None, data=data, members=[tower.pk, room.pk])


def pools_of(site) -> dict[str, int]:
    return {pool.unit: pool.pk for resource in site.resources.all() for pool in resource.pools.all()}


def ask(world, site, quantities, who="dave", key=None):
    pools = pools_of(site)
    return actions.request_together(
        by=world.user(who), membership=world.as_[who], resources=list(site.resources.select_related("owner", "region")),
        quantities={pools[unit]: Decimal(quantity) for unit, quantity in quantities.items()},
        starts_on=timezone.localdate() + dt.timedelta(days=3), months=12, purpose="A station", key=key or uuid.uuid4(),
    )  # fmt: skip


def test_one_request_each_and_the_same_key_again_makes_none(world, site):
    key = uuid.uuid4()
    made = ask(world, site, {"position": 1, "rack_u": 10, "kw": 2}, key=key)
    assert len(made) == 2
    assert {request.group_key for request in made} == {key}
    assert made[0].bundle == made[1].bundle
    assert made[0].bundle.mode == "parts"
    assert Reservation.objects.active().count() == 3
    assert ask(world, site, {"position": 1, "rack_u": 10, "kw": 2}, key=key) == made
    assert ShareRequest.objects.count() == 2


def test_one_that_cannot_be_had_keeps_all_from_being_held(world, site):
    with pytest.raises(Refused, match="room"):
        ask(world, site, {"position": 1, "rack_u": 10, "kw": 11})
    with pytest.raises(Refused):
        ask(world, site, {"position": 1, "rack_u": 10})  # U without kW
    with pytest.raises(Refused):
        ask(world, site, {"position": 0})
    with pytest.raises(NotPermitted):
        ask(world, site, {"position": 1}, who="dora")
    assert not ShareRequest.objects.exists()
    assert not Reservation.objects.exists()


def test_the_page_asks_for_what_is_filled_in(world, site, client_as):
    address = f"/en/requests/site/{site.pk}/"
    page = client_as("dave").get(address)
    assert page.status_code == 200
    pools = pools_of(site)
    form = {"starts_on": (timezone.localdate() + dt.timedelta(days=3)).isoformat(), "months": "12",
            "purpose": "A station", "mode": "parts", "key": str(uuid.uuid4())}  # fmt: skip
    full = client_as("dave").post(address, form | {f"q_{pools['position']}": "4"})
    assert full.status_code == 422
    done = client_as("dave").post(address, form | {f"q_{pools['position']}": "1"}, follow=True)
    assert "1 request made" in done.content.decode()
    both = form | {"key": str(uuid.uuid4()), f"q_{pools['rack_u']}": "5", f"q_{pools['kw']}": "1",
                   f"q_{pools['position']}": "1"}  # fmt: skip
    done = client_as("dave").post(address, both, follow=True)
    assert "Joint request J0" in done.content.decode()
    assert client_as("bob").get(address).status_code == 403
    assert client_as("eve").get(address).status_code == 200
