"""Guessing passwords: a few wrong ones lock the address for a while, with a sentence, and tell nobody who is here."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils.html import strip_tags
from django.utils.translation import override

from tests.world import PASSWORD

ALLOWED = 5  # allauth's 5 failures in 5 minutes per address (and 10 a minute per client)
SENTENCES = {"en": "Too many failed login attempts. Try again later.", "zh-hans": "登录失败次数过多，请稍后重试。"}

pytestmark = pytest.mark.usefixtures("fresh_limits")


def address(language="en") -> str:
    with override(language):
        return reverse("account_login")


def attempt(login: str, password: str, *, language="en", client=None):
    return (client or Client()).post(address(language), {"login": login, "password": password})


def text(answer) -> str:
    return re.sub(r"\s+", " ", strip_tags(answer.content.decode()))


@pytest.mark.parametrize("language", SENTENCES)
def test_the_sixth_wrong_password_is_told_to_wait_and_so_is_the_right_one_then(world, language):
    for _ in range(ALLOWED):
        answer = attempt("alice@example.org", "wrong", language=language)
        assert answer.status_code == 200
        assert SENTENCES[language] not in text(answer)
    for password in ("wrong", PASSWORD):
        answer = attempt("alice@example.org", password, language=language)
        assert SENTENCES[language] in text(answer)
        assert "sessionid" not in answer.cookies


def test_somebody_unknown_is_answered_word_for_word_like_somebody_here(world):
    known, unknown = [], []
    for login, kept in (("alice@example.org", known), ("nobody@example.org", unknown)):
        for _ in range(ALLOWED + 1):
            client = Client(REMOTE_ADDR=f"192.0.2.{1 if kept is known else 2}")
            kept.append(text(attempt(login, "wrong", client=client)).replace(login, "…"))
    assert known == unknown


def test_case_and_spaces_give_no_further_tries(world):
    for i in range(ALLOWED):
        attempt(["alice@example.org", "ALICE@example.org", " alice@example.org "][i % 3], "wrong")
    assert SENTENCES["en"] in text(attempt("Alice@Example.org", "wrong"))


def test_others_still_sign_in_while_one_address_is_locked(world):
    for _ in range(ALLOWED + 2):
        attempt("alice@example.org", "wrong", client=Client(REMOTE_ADDR="192.0.2.7"))
    answer = attempt("dave@example.org", PASSWORD, client=Client(REMOTE_ADDR="192.0.2.8"))
    assert answer.status_code == 302


def test_trying_one_password_on_many_addresses_is_stopped_by_client(world):
    answers = [text(attempt(f"guess{i}@example.org", "wrong")) for i in range(12)]
    assert SENTENCES["en"] not in answers[0]
    assert SENTENCES["en"] in answers[-1]


def test_a_good_sign_in_does_not_buy_further_guesses(world):
    for _ in range(ALLOWED - 1):
        attempt("alice@example.org", "wrong")
    assert attempt("alice@example.org", PASSWORD).status_code == 302
    answers = [text(attempt("alice@example.org", "wrong")) for _ in range(2)]
    assert SENTENCES["en"] in answers[-1]


def test_a_forwarded_address_is_not_believed_without_a_proxy(world):
    """Each try names another client in X-Forwarded-For: it counts as the same one."""
    answers = [
        text(attempt(f"guess{i}@example.org", "wrong", client=Client(headers={"x-forwarded-for": f"198.51.100.{i}"})))
        for i in range(12)
    ]
    assert SENTENCES["en"] in answers[-1]


def test_the_curation_desk_has_no_door_of_its_own(world):
    """Wagtail's login page knows no lock-out: it leads to the one that does, whatever is posted to it."""
    for _ in range(ALLOWED + 1):
        attempt("carol@example.org", "wrong")
    client = Client()
    answer = client.post("/cms/login/", {"username": "carol@example.org", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(address("zh-hans"))
    assert "sessionid" not in answer.cookies
    assert client.get("/cms/", follow=True).redirect_chain[-1][0].startswith(address("zh-hans"))


def test_django_admin_is_not_there(db):
    assert "admin" not in get_resolver().app_dict
    assert Client().get("/admin/login/").status_code == 404


def test_typing_the_password_again_inside_is_limited_too(client_as, world):
    client = client_as("alice")
    url = reverse("account_reauthenticate")
    answers = [client.post(url, {"password": "wrong"}) for _ in range(12)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429 or "Too many" in text(answers[-1])
