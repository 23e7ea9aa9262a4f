"""What demand lists put on My work, for whom."""

import datetime as dt

import pytest
from django.utils import timezone, translation

from accounts.work import MINE, NEWS, OTHERS, grouped, items_for
from listings.models import DemandList
from tests.world import make_list


@pytest.fixture(autouse=True)
def _chinese(_english):
    """These items are quoted in Chinese."""
    with translation.override("zh-hans"):
        yield


pytestmark = pytest.mark.django_db


def of_lists(membership):
    items = [item for item in items_for(membership) if "demand-lists/" in item.url or "/lists/" in item.url]
    return {name: [str(item.title) for item in group] for name, group in grouped(items).items()}


def test_submitted_lists_wait_for_the_second_person(world):
    make_list(world.bureau, state="submitted", submitted_by=world.carol, title_zh="甲")
    assert "甲" in of_lists(world.as_["chen"])[MINE][0]
    assert "甲" in of_lists(world.as_["carol"])[OTHERS][0]
    for name in ("zhao", "dave", "uma"):
        assert not any(of_lists(world.as_[name]).values())


def test_drafts_wait_for_curators(world):
    make_list(world.bureau, state="draft", title_zh="甲")
    assert len(of_lists(world.as_["carol"])[MINE]) == 1
    assert not any(of_lists(world.as_["chen"]).values())


def test_a_notice_about_to_end_is_mine_one_just_begun_waits(world):
    row = make_list(world.bureau, state="notice", submitted_by=world.carol, published_by=world.chen)
    assert of_lists(world.as_["carol"])[OTHERS]
    DemandList.objects.filter(pk=row.pk).update(notice_ends_at=timezone.now() + dt.timedelta(days=2))
    assert of_lists(world.as_["carol"])[MINE]


def test_operators_hear_of_lists_that_cover_them(world):
    make_list(
        world.bureau, region=world.regions["440000"], submitted_by=world.carol, published_by=world.chen, title_zh="省"
    )
    make_list(
        world.bureau, region=world.regions["440300"], submitted_by=world.carol, published_by=world.chen, title_zh="深"
    )
    news = of_lists(world.as_["dave"])[NEWS]  # Dave's operator is seated in Guangzhou
    assert len(news) == 1
    assert "省" in news[0]


def test_one_query_per_provider_however_many_lists(world, django_assert_max_num_queries):
    from listings.demand_work import bureau_lists, lists_near

    for _n in range(8):
        make_list(world.bureau, state="draft")
        make_list(world.bureau, submitted_by=world.carol, published_by=world.chen)
    # the second reads calls and lists: one query each, however many there are
    for provider, name, most in ((bureau_lists, "carol", 1), (lists_near, "dave", 2)):
        with django_assert_max_num_queries(most):
            assert list(provider(world.as_[name]))
