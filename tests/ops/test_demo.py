"""The demonstration world, whole: what the first command of the README loads."""

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Organisation
from agreements.models import Agreement, ShareRequest
from listings.models import DemandList, Kind, Resource
from matching.models import MatchRun


@pytest.fixture
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_the_demonstration_world_loads_once_and_shows_every_step_of_the_path(db, quick_passwords):
    call_command("demo", stdout=StringIO())
    resources = Resource.objects.filter(state="published")
    assert resources.count() > 5_000
    assert set(resources.values_list("kind", flat=True)) == set(Kind.values)
    assert resources.order_by().values("sector").distinct().count() >= 4
    assert DemandList.objects.filter(state="in_force").exists()
    assert DemandList.objects.count() >= 3
    states = set(ShareRequest.objects.values_list("state", flat=True))
    assert {"submitted", "negotiating", "agreed", "signed", "building", "operating", "refused"} <= states, states
    assert Agreement.objects.filter(signatures__isnull=False).exists()
    run = MatchRun.objects.filter(state="done").order_by("-pk").first()
    met = run.results.filter(verdict="met").count()
    assert met >= 0.6 * run.results.count()
    again = StringIO()
    call_command("demo", stdout=again)
    assert "loaded already" in again.getvalue()
    assert Organisation.objects.filter(is_demo=True).count() < 40
