"""The trees of pages in both languages, and the command that makes them."""

import pytest
from django.core.management import call_command
from wagtail.models import Locale, Page, Site

from cms.models import ArticlePage, DemandListsPage, HomePage
from cms.site import ensure_site
from listings.demand_links import list_path, lists_path

pytestmark = pytest.mark.django_db


def test_ensure_site_makes_two_linked_trees(site):
    assert {locale.language_code for locale in Locale.objects.order_by("pk")} == {"zh-hans", "en"}
    assert HomePage.objects.count() == 2
    for model in (HomePage, DemandListsPage, ArticlePage):
        for page in model.objects.filter(locale__language_code="zh-hans").order_by("pk"):
            assert page.get_translations().count() == 1, page
    assert Site.objects.get(is_default_site=True).root_page.specific == site
    assert not Page.find_problems()[0]


def test_ensure_site_twice_changes_nothing_and_keeps_editors_words(site):
    page = ArticlePage.objects.filter(slug="guides").order_by("pk").first()
    page.title = "编辑改过的题目"
    page.save()
    before = list(Page.objects.order_by("path").values_list("path", "slug", "title"))
    call_command("ensure_site")
    ensure_site()
    assert list(Page.objects.order_by("path").values_list("path", "slug", "title")) == before


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "共建"),
        ("/en/", "Gongjian"),
        ("/lists/", "需求清单"),
        ("/en/lists/", "Demand lists"),
        ("/standards/", "标准规范"),
        ("/en/standards/coordinates/", "Coordinates"),
        ("/guides/owners/", "业主"),
        ("/en/guides/", "Guides"),
    ],
)
def test_pages_answer_in_their_language(site, client, path, words):
    response = client.get(path)
    assert response.status_code == 200
    assert words in response.content.decode()


def test_every_starter_page_answers(site, client):
    for page in Page.objects.live().filter(depth__gt=1).order_by("path").specific():
        assert client.get(page.url).status_code == 200, page.url


def test_addresses_of_lists_follow_the_language():
    from django.utils import translation

    with translation.override("zh-hans"):
        assert (lists_path(), list_path("440000-2026h2-1")) == ("/lists/", "/lists/440000-2026h2-1/")
    with translation.override("en"):
        assert list_path("a", "csv/") == "/en/lists/a/csv/"
