"""Error pages: plain words, the way on, and no database where none may be left."""

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import path
from django.views import defaults

from sharing.urls import urlpatterns as real_urls

from .pages import inline_code


def fail(request):
    raise RuntimeError("on purpose")


urlpatterns = [path("on-purpose/", fail), *real_urls]


@pytest.mark.django_db
@pytest.mark.parametrize(("prefix", "words"), [("", "404"), ("/en", "There is nothing at this address")])
def test_not_found_offers_the_map_and_the_front_page(client, prefix, words):
    answer = client.get(f"{prefix}/resources/999999999/nothing/")
    html = answer.content.decode()
    assert answer.status_code == 404
    assert words in html
    assert f'href="{prefix}/map/"' in html
    assert inline_code(html) == []


@pytest.mark.django_db
def test_forbidden_says_the_sentence_of_the_refusal(world):
    request = RequestFactory().get("/en/x/")
    request.user, request.membership, request.memberships = world.bob, world.as_["bob"], [world.as_["bob"]]
    request.session, request._messages = {}, []
    html = defaults.permission_denied(request, Exception("Only a negotiator may hold.")).content.decode()
    assert "Only a negotiator may hold." in html


@pytest.mark.django_db
def test_a_form_from_elsewhere_is_answered_in_plain_words(world):
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/en/accounts/login/", {"login": "x", "password": "y"})
    assert answer.status_code == 403
    assert "This form was open too long" in answer.content.decode()


@pytest.mark.parametrize("code", ["400", "500"])
def test_the_last_pages_need_nothing_and_speak_both_languages(code):
    html = render_to_string(f"{code}.html")  # no request, and pytest refuses a database access here
    assert 'lang="zh-Hans"' in html
    assert 'lang="en"' in html
    assert inline_code(html) == []


@pytest.mark.urls("tests.shell.test_error_pages")
def test_a_fault_answers_500_without_the_database(settings):
    client = Client(raise_request_exception=False)
    answer = client.get("/on-purpose/")
    assert answer.status_code == 500
    assert "A fault on our side" in answer.content.decode()
