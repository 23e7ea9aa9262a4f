"""A demand line that asks for a tower, a room and power at one site: requested in one form, fulfilled by all of it."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.contrib.gis.geos import Point
from django.utils import timezone

from accounts.errors import Refused
from agreements import actions
from agreements.models import ShareRequest
from listings.actions.sites import save_site
from tests import world as make
from tests.agreements import story

HERE = Point(113.33, 23.13, srid=4326)


@pytest.fixture
def site(world):
    tower, room = make.make_resource(world.power, place=HERE), make.make_resource(world.power, "room", place=HERE)
    data = {"owner_code": "S", "name": "Hill site"}
    return save_site(by=world.bob, membership=world.as_["bob"], site=None, data=data, members=[tower.pk, room.pk])


@pytest.fixture
def line(world):
    made = make.make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    return make.make_line(made, world.operator, place=HERE, room_u=10, power_kw=Decimal("2.5"), months=12)


def pools_of(site) -> dict[str, int]:
    return {pool.unit: pool.pk for resource in site.resources.all() for pool in resource.pools.all()}


def ask(world, site, line, quantities):
    pools = pools_of(site)
    return actions.request_together(
        by=world.dave, membership=world.as_["dave"], resources=list(site.resources.select_related("owner", "region")),
        quantities={pools[unit]: Decimal(quantity) for unit, quantity in quantities.items()}, line=line,
        starts_on=timezone.localdate() + dt.timedelta(days=3), months=12, purpose="A station", key=uuid.uuid4(),
    )  # fmt: skip


def test_the_form_of_the_site_is_filled_in_from_the_line_and_asks_for_all_of_it(world, site, line, client_as):
    address = f"/en/requests/site/{site.pk}/"
    page = client_as("dave").get(f"{address}?line={line.pk}")
    form = page.context["form"]
    pools = pools_of(site)
    asked = {unit: form.initial[f"q_{pools[unit]}"] for unit in ("position", "rack_u", "kw")}
    assert asked == {"position": 1, "rack_u": 10, "kw": Decimal("2.5")}
    assert form.initial["line"] == line
    assert line.title in page.content.decode()
    data = {"starts_on": (timezone.localdate() + dt.timedelta(days=3)).isoformat(), "months": "12", "line": line.pk,
            "purpose": "A station", "key": str(uuid.uuid4())}  # fmt: skip
    data["mode"] = next(value for value, _label in form.fields["mode"].choices if value)
    data |= {f"q_{pools[unit]}": str(quantity) for unit, quantity in asked.items()}
    less = client_as("dave").post(address, data | {f"q_{pools['rack_u']}": "9"})
    assert less.status_code == 422
    assert "9 U in the request, 10 U in the line" in less.content.decode()
    done = client_as("dave").post(address, data, follow=True)
    assert "2 requests made together" in done.content.decode()
    line.refresh_from_db()
    assert line.state == "requested"
    tower, room = ShareRequest.objects.order_by("pk")
    assert (tower.line, room.line) == (line, None)


def test_a_line_of_a_whole_site_is_not_answered_by_a_part_of_it(world, site, line, client_as):
    for quantities in ({"position": 1}, {"position": 1, "rack_u": 10, "kw": 2}, {"rack_u": 10, "kw": 3}):
        with pytest.raises(Refused):
            ask(world, site, line, quantities)
    assert not ShareRequest.objects.exists()
    tower = site.resources.get(kind="tower")
    page = client_as("dave").get(f"/en/requests/new/{tower.pk}/?line={line.pk}")
    assert page.context["form"].fields["line"].widget.is_hidden  # not among those it can meet alone


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_it_is_fulfilled_once_the_agreements_on_all_of_it_are_signed(world, site, line, order):
    made = ask(world, site, line, {"position": 1, "rack_u": 10, "kw": 3})
    for step, number in enumerate(order):
        agreement = story.accept(world, story.offer(world, made[number]))
        story.sign(world, agreement, "alice")
        story.sign(world, agreement, "dora")
        line.refresh_from_db()
        assert line.state == ("requested", "fulfilled")[step]
