"""Tags and filters of every page."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.contrib.gis.geos import Point
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from accounts.actions.calendar import set_day
from accounts.templatetags import shell
from listings.templatetags import wording

SHANGHAI = ZoneInfo("Asia/Shanghai")


def render(source: str, path: str = "/map/?q=塔&page=2", **values) -> str:
    return Template(source).render(RequestContext(RequestFactory().get(path), values))


@pytest.mark.parametrize(
    ("path", "language", "expected"),
    [
        ("/map/?q=a&page=2", "en", "/en/map/?q=a&page=2"),
        ("/en/map/?q=a", "zh-hans", "/map/?q=a"),
        ("/en/", "zh-hans", "/"),
        ("/", "en", "/en/"),
        ("/entrance/", "zh-hans", "/entrance/"),  # begins with the letters, not with the prefix
        ("/en?x=1", "zh-hans", "/?x=1"),
    ],
)
def test_the_language_switch_leads_to_the_same_page(path, language, expected):
    assert (
        render(f"{{% load shell %}}{{% autoescape off %}}{{% page_in '{language}' %}}{{% endautoescape %}}", path)
        == expected
    )


def test_the_language_switch_never_leads_to_another_host():
    shown = render("{% load shell %}{% page_in 'zh-hans' %}", "/en//evil.example/")
    assert not shown.startswith("//")


def test_query_with_changes_one_name_and_keeps_the_others():
    assert render("{% load shell %}{% autoescape off %}{% query_with page=3 %}{% endautoescape %}") in (
        "?q=%E5%A1%94&page=3"
    )
    assert "page" not in render("{% load shell %}{% query_with page=None %}")


def test_nav_active_reads_the_path_in_both_languages():
    assert render("{% load shell %}{% nav_active '/map' %}", "/en/map/") == "active"
    assert render("{% load shell %}{% nav_active '/map' %}", "/messages/") == ""


def test_page_href_replaces_the_page():
    assert shell.page_href("q=a&page=2", 7) == "?q=a&page=7"


def test_page_numbers_leave_out_the_middle():
    page = Paginator(range(1000), 10).get_page(50)
    assert page.paginator.ELLIPSIS in shell.page_numbers(page)


@pytest.mark.django_db
class TestClock:
    """On Monday 23 November 2026, an ordinary working week."""

    @pytest.fixture(autouse=True)
    def _monday(self, monkeypatch):
        self.now = dt.datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def test_far_is_plain(self):
        with translation.override("en"):
            assert shell.clock(self.now + dt.timedelta(days=14)) == {
                "text": "10 working days left", "tone": "plain", "icon": "clock",
            }  # fmt: skip

    def test_three_days_are_amber(self):
        assert shell.clock(self.now + dt.timedelta(days=3))["tone"] == "warn"

    def test_four_days_are_not(self):
        assert shell.clock(self.now + dt.timedelta(days=4))["tone"] == "plain"

    def test_a_weekend_does_not_count(self):
        assert shell.workdays_left(dt.date(2026, 11, 30)) == 5  # next Monday

    def test_today_is_still_open(self):
        with translation.override("en"):
            assert shell.clock(self.now + dt.timedelta(hours=3))["text"] == "due today"

    def test_an_hour_ago_is_over(self):
        chip = shell.clock(self.now - dt.timedelta(hours=1))
        assert chip["tone"] == "bad"

    def test_days_ago_are_counted(self):
        with translation.override("en"):
            assert shell.clock(self.now - dt.timedelta(days=7))["text"] == "5 working days over"

    def test_a_day_the_regions_bureau_set_counts_there_and_below_alone(self, world, django_capture_on_commit_callbacks):
        due = dt.date(2026, 11, 30)
        assert shell.workdays_left(due, "440106") == 5
        with django_capture_on_commit_callbacks(execute=True):  # the next page of this process shows it
            set_day(
                membership=world.as_["chen"], region=world.regions["440000"], day=dt.date(2026, 11, 28),
                is_workday=True, name="调休上班", source="粤府办〔2026〕1号",
            )  # fmt: skip
        assert [shell.workdays_left(due, code) for code in ("440106", "440000", "330000", None)] == [6, 6, 5, 5]

    def test_a_page_of_chips_asks_for_the_calendar_once(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            for code in ("440000", "440106", "330000"):
                shell.clock(self.now + dt.timedelta(days=9), code)

    def test_no_clock_shows_nothing(self):
        assert shell.workdays_left(None) is None
        assert (
            render("{% include '_components/clock_chip.html' with due_at=due region=due only %}", due=None).strip()
            == ""
        )


def test_an_unknown_state_is_shown_plainly_with_its_word():
    shown = render("{% include '_components/state_badge.html' with state='odd' label='Odd' only %}")
    assert "gj-tone-plain" in shown
    assert "Odd" in shown


def test_every_model_state_has_a_look_of_its_own():
    """Each state of our models has a colour and an icon: nothing reads as 'unknown' by oversight."""
    from accounts.models import Organisation
    from listings.models import DemandList, Resource
    from listings.models.capacity import Reservation

    states = {
        value
        for choices in (Organisation.Verification, Resource.State, DemandList.State, Reservation.State)
        for value in choices.values
    }
    assert {state for state in states if shell.state_look(state)["icon"] == "point"} == set()


def test_numbers_are_grouped_and_trimmed():
    assert shell.number("1234.50") == wording.number("1234.50") == "1,234.5"
    assert shell.number(None) == wording.number(None) == ""
    assert shell.number(0) == "0"


def test_words_for_quantities_distances_and_prices():
    with translation.override("en"):
        assert wording.quantity(2, "bore") == "2 bores"
        assert wording.metres(1240) == "1.2 km"
        assert wording.fen(125000) == "¥1,250"
        assert wording.yearly(0) == "free"
    assert wording.metres(None) == wording.fen(None) == wording.quantity(None, "bore") == ""


@pytest.mark.django_db
def test_the_capacity_bar_says_in_words_what_it_draws(world):
    from tests.world import make_resource

    pool = make_resource(world.power, place=Point(113.3, 23.1, srid=4326)).pools.get()
    with translation.override("en"):
        shown = render("{% include '_components/capacity_bar.html' with pool=pool only %}", pool=pool)
    assert "3 free of 3 positions" in " ".join(shown.split())


def test_csrf_token_reaches_a_partial_included_with_only():
    shown = render("{% include '_components/post_button.html' with url='/x/' label='Go' only %}")
    assert 'name="csrfmiddlewaretoken" value="' in shown


def test_csrf_token_without_a_request_is_empty():
    assert Template("{% csrf_token %}").render(Context()) == ""
