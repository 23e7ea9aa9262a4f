"""Sites: several resources of one owner at one place."""

import pytest
from django.contrib.gis.geos import Point
from django.urls import reverse

from accounts.errors import NotPermitted, Refused
from accounts.models import Event
from listings.actions.sites import dissolve_site, save_site
from listings.models import Resource, Site
from tests import world as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def pair(world):
    tower = make.make_resource(world.power, name="Site tower")
    return tower, make.make_resource(world.power, "room", name="Site room", place=Point(113.3301, 23.1301, srid=4326))


def save(world, members, who="bob", site=None, **data):
    member = world.as_[who]
    data = {"owner_code": "S-1", "name": "Hill site"} | data
    return save_site(by=member.user, membership=member, site=site, data=data, members=[m.pk for m in members])


def test_a_site_is_made_from_the_list_changed_and_dissolved(world, pair, client_as):
    tower, room = pair
    client = client_as("bob")
    chosen = client.post("/en/sites/new/", {"act": "site", "pk": [tower.pk, room.pk]})
    form = client.get(chosen.url)
    assert form.content.decode().count("checked") == 2
    data = {"owner_code": "S-1", "name": "Hill site", "members": [tower.pk, room.pk], "mains_kva": "50",
            "has_backup": "unknown"}  # fmt: skip
    site_page = client.post("/en/sites/new/", data, follow=True)
    site = Site.objects.get()
    assert set(site.resources.all()) == {tower, room}
    assert "50 kVA" in site_page.content.decode()
    assert "Hill site" in client_as("dave").get(f"/en/resources/{tower.pk}/").content.decode()
    assert "Hill site" in client.get("/en/sites/").content.decode()
    wrong = client.post(f"/en/sites/{site.pk}/edit/", data | {"mains_kva": "5", "mains_spare_kva": "6"})
    assert wrong.status_code == 422
    assert "must not exceed the mains power" in wrong.content.decode()
    client.post(f"/en/sites/{site.pk}/dissolve/")
    assert not Site.objects.exists()
    assert Resource.objects.filter(site=None).count() == 2
    assert Event.objects.filter(verb="site.dissolve", actor=world.bob).exists()


def test_what_does_not_belong_together_is_refused(world, pair):
    tower, room = pair
    far = make.make_resource(world.power, place=Point(113.34, 23.13, srid=4326), name="Far tower")
    foreign = make.make_resource(world.operator)
    for members, code in (
        ([tower], "too_few"),
        ([tower, foreign], "foreign"),
        ([tower, far], "far"),
        ([tower, make.make_resource(world.power, state="retired")], "retired"),
    ):
        with pytest.raises(Refused) as failure:
            save(world, members)
        assert failure.value.code == code
    save(world, pair)
    with pytest.raises(Refused, match="another site"):
        save(world, pair, owner_code="S-2")
    with pytest.raises(NotPermitted):
        save(world, pair, who="vera")
    with pytest.raises(NotPermitted):
        dissolve_site(site=Site.objects.get(), by=world.eve, membership=world.as_["eve"])


def test_an_exact_member_does_not_tell_where_a_blurred_one_stands(world, pair, client_as, client):
    tower, room = pair
    Resource.objects.filter(pk=room.pk).update(disclosure="blurred")
    site = save(world, pair)
    page = client_as("dave").get(f"/en/sites/{site.pk}/").content.decode()
    assert "Site tower" in page
    assert "Site room" not in page
    assert "Hill site" not in client_as("dave").get(f"/en/resources/{room.pk}/").content.decode()
    assert "Site room" in client_as("bob").get(f"/en/sites/{site.pk}/").content.decode()
    visitor = client.get(f"/en/sites/{site.pk}/").content.decode()  # sees both blurred
    assert "Site room" in visitor
    Resource.objects.update(state="draft")
    assert client_as("dave").get(f"/en/sites/{site.pk}/").status_code == 404
    assert client_as("dave").get(reverse("site_edit", args=[site.pk])).status_code == 404
